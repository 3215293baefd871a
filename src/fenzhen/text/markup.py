"""Platform markup → placeholders: cards, bracket names, links, 淘口令, e-mails, phones, long numbers, emoticon codes.

`mark` reads text that is already NFKC, simplified and lower case; every pattern is bounded, so work is linear. It does
not decide what is personal (see `pii`), and leaves `**` masks, prices and numbers of up to four digits as they are.
"""

import re

from fenzhen.text.symbols import CODES, KAOMOJI, NAMED, SLASH_NAMES

# What may be markup in text of Han, lower-case letters, digits and common punctuation only. Keep it wider than the
# patterns below: `normalise` takes a short way past them where this finds nothing.
MARKUP_STARTS = re.compile("[a-z0-9订囧]")  # a character of every PLAIN_MARKUP; far cheaper to look for
PLAIN_MARKUP = re.compile(
    r"\d{5}|\d{3} \d{3}|\d{2} \d{4}|[a-z0-9]\.[a-z]|\d:\d|\d{4}[年.]|订单编号|https?:|www\.|orz|囧rz|q[aw]q|tat"
)
_SHOPS = re.compile(
    r"item\.(?:m\.)?jd|detail\.(?:m\.)?(?:tmall|1688)|item\.taobao|goods\.html|haohuo|/product/|m\.tb\.cn|3\.cn/|yangkeduo\.com/goods|"
    r"e\.tb\.cn|item\.(?:jd|example)|detail\.|/item|/goods|goods_id=|/detail|weidian\.com/item"
)
_URL_CHARS = r"[a-z0-9\-._~:/?#@!$&'()*+,;=%]"
_TOP = r"(?:com|cn|net|org|hk|cc|vip|shop|xyz|top|me|ltd|gov|edu)"
_DATE = r"(?:19|20)\d\d(?:[-/.年])\d{1,2}(?:[-/.月])\d{1,2}日?"
_CLOCK = r"\d{1,2}:\d{2}(?::\d{2})?"
_MASKED = r"(?:\[[^\[\]\s]{1,20}\]|¥?[\d.:/\-]{1,24})"
_CODES = "|".join(
    re.escape(c) + (r"(?![a-z0-9])" if c[-1].isalnum() else "") for c in sorted(CODES, key=len, reverse=True)
)
_FACES = "|".join(
    (r"(?<![a-z0-9_])" + re.escape(f) + r"(?![a-z0-9_])" if f.strip("_^").isalnum() else re.escape(f))
    for f in sorted(KAOMOJI, key=len, reverse=True)
)
_PARTS: tuple[tuple[str, str], ...] = (
    (
        "card",
        rf"\[?订单编号: ?{_MASKED}[ ,;]{{0,2}}订单金额: ?¥? ?{_MASKED}"
        rf"(?:[ ,;]{{0,2}}下单时间:(?: ?{_MASKED}){{1,2}})?\]?",
    ),
    ("code", rf"#e-(?:[a-z]{{0,2}}\d{{1,3}}|[a-z]?\[数字x\]|[a-z]\b|[一-鿿]{{1,3}})|/:\[数字x\]|{_CODES}"),
    ("money", r"¥ ?\[(?:金额x?|money)\]"),
    ("named", r"\[[^\[\]\s]{1,20}\]"),
    ("angle", r"<(?:num|url|tel|phone|name|addr|time|money|email|img|image)>"),
    ("tag", r"</?(?:br|p|div|span|font|b|i|a|strong|em|li|ul|img|tr|td)(?:[ /][^<>]{0,200})?>"),
    ("email", r"(?<![a-z0-9._%+\-])[a-z0-9._%+\-]{1,64}@[a-z0-9\-]{1,63}(?:\.[a-z0-9\-]{1,63}){1,4}"),
    ("url", rf"(?:https?://|(?<![a-z0-9.\-])www\.){_URL_CHARS}+"),
    ("site", rf"(?<![a-z0-9.\-@])(?:[a-z0-9\-]{{1,40}}\.){{1,4}}{_TOP}(?![a-z0-9\-.])(?:/{_URL_CHARS}*)?"),
    ("command", r"(?:\d{1,2}:?/)?[¥$€₤] ?[a-z0-9]{8,14} ?[¥$€₤/]{1,2}(?: ?:?/{0,2} ?[a-z]{2}\d{3,5}(?![a-z0-9]))?"),
    ("time", rf"(?<![\d.]){_DATE}(?: ?{_CLOCK})?(?!\d)|(?<![\d:]){_CLOCK}(?![\d:])"),
    (
        "phone",
        r"(?<![\d*])(?:\+?86[ \-]?)?1[3-9](?:\d[ \-]?\d{4}|\d\*{4}|\d{2}[ \-]?\d{3})[ \-]?\d{4}(?!\d)"
        r"|(?<!\d)0\d{2,3}-\d{7,8}(?!\d)|(?<!\d)[48]00-?\d{3}-?\d{4}(?!\d)",
    ),
    ("number", r"\d{5,}(?:\.\d{1,8})?"),
    ("face", _FACES),
    ("slash", "/(?:" + "|".join(SLASH_NAMES) + ")"),
)
_MARKUP = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in _PARTS))
_ANYWHERE = re.compile(r"[\[<#/@_^>▽﹏;:\d¥$€₤]|www\.|[a-z0-9]\.[a-z]|-_-|orz|q[aw]q|tat|[╯┭〒⊙≧╥π┬凸]")
_FIXED = {
    "card": "[CARD]",
    "money": "[MONEY]",
    "email": "[EMAIL]",
    "command": "[PRODUCT]",
    "time": "[TIME]",
    "phone": "[PHONE]",
    "number": "[NUM]",
}
_NUMBERED = re.compile(r"(order|user)id_?[\dx]*")


def mark(text: str) -> str:
    """`text` with its markup as placeholders."""
    return _MARKUP.sub(_replace, text) if _ANYWHERE.search(text) else text


def _replace(match: re.Match[str]) -> str:
    kind, raw = match.lastgroup or "", match[0]
    if kind in _FIXED:
        return _FIXED[kind]
    if kind == "named":
        return _named(raw)
    if kind == "angle":
        return NAMED[raw[1:-1]]
    if kind == "tag":
        return "[IMG]" if raw.startswith("<img") else " "
    if kind in ("url", "site"):
        return "[PRODUCT]" if _SHOPS.search(raw) else "[URL]"
    if kind == "code":
        return CODES.get(raw) or NAMED.get(raw[3:], "[E:其他]")
    return KAOMOJI[raw] if kind == "face" else NAMED[raw[1:]]


def _named(raw: str) -> str:
    name = raw[1:-1]
    if numbered := _NUMBERED.fullmatch(name):
        return "[ORDER]" if numbered[1] == "order" else "[NAME]"
    return NAMED.get(name, raw)
