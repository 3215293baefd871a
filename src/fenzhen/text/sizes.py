"""Sizes and bodies in a text: `sizes_in("黑色XL的 37码")` and the height and weight by which a size is chosen.

Reads forms, in NFKC text; can't tell a size the buyer wants from one he doesn't. Linear.
"""

import re
from collections.abc import Iterator

_HAN_DIGITS = {han: number for number, han in enumerate("零一二三四五六七八九")}
_SIZE = re.compile(
    r"(?=[SMLXsmlx\d均大中小加特])"  # what a size begins with: a quick no at every other place
    r"(?:(?<![A-Za-z0-9./+-])(?:(?:(?P<upper>[2-8]?X{1,4}[SL]|[SML])(?![型形级钩弯])|(?P<lower>[2-8]?x{1,4}[sl]|[sml](?=[码号])))"
    r"(?![A-Za-z0-9])|(?P<cup>(?:65|7[05]|8[05]|9[05])[A-G])(?![A-Za-z0-9])|(?P<body>1[3-9]\d/\d{2,3}[A-DY]?)(?![0-9A-Za-z]))"
    r"|(?<![\d.])(?P<shoe>[1-4]\d(?:\.5)?) ?码"
    r"|(?P<word>均码|(?:加大|特大|加小|[大中小])[码号](?![店数码]|的?单))"
    r"|(?<![\d.])(?P<box>\d{1,4}(?:\.\d{1,2})?(?:[x×*]\d{1,4}(?:\.\d{1,2})?){1,2})"
    r" ?(?P<unit>cm|厘米|公分|mm|毫米|米)?(?![A-Za-z0-9])"
    r"|(?<![\d.])(?P<metre>[1-5](?:\.\d{1,2})?米(?:\d(?!\d))?)(?=的|[宽长高床款]))"
)
SIZE_SIGNS = frozenset("SMLsml码号米x×*/ABCDEFG")  # no size has none of these
_HEIGHT = re.compile(
    r"身高 ?[:是]? ?(?P<said>1\d\d)|(?<!\d)(?P<cm>1[2-9]\d) ?(?:cm|公分|厘米|的身高)"
    r"|(?<!\d)1[.米](?P<part>[2-9]\d)(?![\d.])|一米(?P<han>[二三四五六七八九][零一二三四五六七八九]?)"
    r"|(?<![\d.])(?P<bare>1[3-9]\d)(?=[ ,、/~-]{0,2}(?:体重)?\d{2,3}(?:\.\d)? ?(?:斤|kg|公斤))",
    re.IGNORECASE,
)
_WEIGHT = re.compile(
    r"体重 ?[:是]? ?(?P<said>\d{2,3})(?![\d.]) ?(?P<as>斤|kg|公斤)?"
    r"|(?<![\d.])(?P<weight>\d{2,3}(?:\.\d)?) ?(?P<unit>斤|kg|公斤)(?!装|的?米)"
    r"|一百(?P<han>零?[一二三四五六七八九]?十?[一二三四五六七八九]?)斤",
    re.IGNORECASE,
)
BODY_SIGNS = frozenset("斤gG高重")


def sizes_in(text: str) -> Iterator[str]:
    """ "XL", "165/88A", "37码", "均码", "75B", "1.8米", "120x200cm", in order."""
    return map(_shown, _SIZE.finditer(text))


def body_in(text: str) -> tuple[str, ...]:
    """Height and weight, where both are said or one is announced: 120cm alone may be a table's."""
    height, weight = _HEIGHT.search(text), _WEIGHT.search(text)
    if not (height and (weight or height["said"] or "身高" in text)):
        height = None
    if not (weight and (height or weight["said"] or "体重" in text)):
        weight = None
    return (*((_centimetres(height),) if height else ()), *((_kilos(weight),) if weight else ()))


def _shown(found: re.Match[str]) -> str:
    if named := found["upper"] or found["lower"]:
        return named.upper()
    if found["shoe"]:
        return f"{found['shoe']}码"
    if found["box"]:
        return found["box"].replace("×", "x").replace("*", "x") + (found["unit"] or "")
    return found[0]


def _centimetres(found: re.Match[str]) -> str:
    if han := found["han"]:
        return f"1{''.join(str(_HAN_DIGITS[c]) for c in han).ljust(2, '0')}cm"
    if found["part"]:
        return f"1{found['part']}cm"
    return f"{found['said'] or found['cm'] or found['bare']}cm"


def _kilos(found: re.Match[str]) -> str:
    if (han := found["han"]) is not None:
        tens, ten, ones = han.partition("十")
        if ten:  # 三十五; 十 alone is 一十
            rest = 10 * _HAN_DIGITS.get(tens, 1) + _HAN_DIGITS.get(ones, 0)
        elif tens.startswith("零"):
            rest = _HAN_DIGITS.get(tens[1:], 0)
        else:  # 一百三 is 130
            rest = 10 * _HAN_DIGITS.get(tens or ones, 0)
        return f"{100 + rest}斤"
    if found["said"]:
        return found["said"] + (found["as"] or "").lower()
    return found["weight"] + found["unit"].lower()
