"""Clauses: a buyer's message cut where another request may begin: `clauses("退款到哪了?另外帮我开发票")` has two.

Cuts at punctuation, lines, spaces between 汉字, numbering (2. ② 第二,) and words that add a point (另外, 还有, 顺便).
What says too little alone (politeness, 在吗) and what hangs on its neighbour (如果…, 就…, 因为…) stays with it. Linear.
Reads form only: it can't know whether a clause asks for anything, and two requests that run on without a sign are one.
"""

import re
from itertools import pairwise

MOST = 6
FEWEST = 4  # letters, digits and 汉字 besides politeness: "怎么退款" can stand alone, "在吗" and "多少钱" can't
FEWEST_ADDED = 2  # after a word that adds a point: "另外开发票"
LONGEST = 2_000  # characters in which cuts are looked for; what follows belongs to the last clause

_Span = tuple[int, int]

_BREAK = r"\s。!！?？;；…~～,，、"
_BREAKS = re.compile(rf"[{_BREAK}]")
_ADDS = (
    r"另外(?!一?[个個件款种只条张家边]|[几两的])|[还還]有(?![没沒多几幾货貨吗嗎么库现點点]|[\d一二两三四五六]*[件个張张双套盒包台瓶条块天])|顺便|順便|顺带|然后(?![呢?？])"
    r"|再就是|再一个|再有(?=[,，、 ]|就是|一个)|其次|此外|除此之外|第[二三四五六](?:[:：]|(?=[,，、 点是]|个问题))"
    rf"|(?<![^{_BREAK}])(?:对了|[1-9][.、)）](?!\d))|[①-⑥]"  # only after a break: "尺码不对了", "1.5米"
)
_CUT = re.compile(rf"[{_BREAK}]+|(?:{_ADDS})[{_BREAK}]*")
_ADDED = re.compile(_ADDS)
_SPACES = frozenset(" \t\u3000")
_HAN_OR_MARK = re.compile(rf"[一-鿿{_BREAK}]")

_NOTHING = re.compile(
    r"在吗|在么|在不在|你好|您好|哈喽|hello|请问|想问|问下|问一下|问问|麻烦|拜托|谢谢|多谢|感谢|辛苦|不好意思|打扰|帮忙|帮我|一下"
    r"|客服|老板|店家|掌柜|亲|另外|还有|顺便|顺带|对了|然后|第[一二三四五六]|[1-9][.、)）]|[了吗呢啊呀吧哦哈嗯诶哎的你您我]|\W"
)
# Waits for what follows.
_OPENS = re.compile(
    r"如果|要是|假如|假设|倘若|万一|若|既然|因为|由于|虽然|只要|除非|不管|无论|等我|等他|等到|当(?![时天])"
)
# Goes on from what was said.
_GOES_ON = re.compile(
    r"那?[我你]?就|那我|不然|否则|要不然|所以|因此|但|不过|可是|而且|并且|却|才|也|都|的话|于是|结果|是吗|对吗|可以[吗么]"
    r"|[行好][吗么不]|是不是[?？]|可不可以[?？]"
)


def clauses(text: str) -> tuple[str, ...]:
    """The clauses of a message, at most MOST, in order and without spaces at their ends; () for a blank text.

    Each is a stretch of `text`, and together they hold all of it but spaces. A single clause is the whole text.
    """
    spans = _joined(text, _pieces(text))
    if len(spans) > MOST:  # evenly, so that none takes all the rest
        firsts = [number * len(spans) // MOST for number in range(MOST + 1)]
        spans = [(spans[a][0], spans[b - 1][1]) for a, b in pairwise(firsts)]
    stripped = (text[start:end].strip() for start, end in spans)
    return tuple(clause for clause in stripped if clause)


def _pieces(text: str) -> list[_Span]:
    """Stretches between cuts. Each keeps the punctuation that closes it; together they are the text."""
    starts = [0]
    for cut in _CUT.finditer(text, 0, LONGEST):
        at, end = cut.span()
        if _BREAKS.match(text, at):
            if text[at] in _SPACES and not _parts(text, at, end):
                continue
            at = end
        if starts[-1] < at < len(text):
            starts.append(at)
    return list(zip(starts, [*starts[1:], len(text)], strict=True))


def _parts(text: str, start: int, end: int) -> bool:
    """Whether a space parts clauses: not beside Latin letters and digits, as in "iPhone 15 Pro" or "XL 码"."""
    return bool(_HAN_OR_MARK.match(text, start - 1)) and bool(_HAN_OR_MARK.match(text, end)) if start else False


def _joined(text: str, pieces: list[_Span]) -> list[_Span]:
    """Pieces that can't stand alone joined with a neighbour: with the one before, or where they open, the one after."""
    done: list[_Span] = []
    waits = False  # the last of `done` needs what follows
    for start, end in pieces:
        opens = bool(_OPENS.match(text, start))
        weak = len(_NOTHING.sub("", text[start:end])) < (FEWEST_ADDED if _ADDED.match(text, start) else FEWEST)
        if done and (waits or weak or _GOES_ON.match(text, start)):
            done[-1] = (done[-1][0], end)
            waits = (waits and weak) or opens
        else:
            done.append((start, end))
            waits = weak or opens
    return done
