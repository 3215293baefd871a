"""Personal data masked, for everything that is stored or logged: `mask_pii("电话13812345678")` → `电话[手机号]`.

Covers mobile and landline numbers (spaced, full width, circled or 汉字 digits), 18- and 15-digit ID cards, bank cards
(Luhn), e-mail, street addresses, announced WeChat and QQ ids. Linear in the length, idempotent. It does not know
personal names, foreign formats, or an address without a street, village or house number (省市区 alone stays).
Order numbers and prices stay, but one that has the very form of a mobile number or a valid card can't be told apart.
"""

import re
import unicodedata

from fenzhen.text.pii_address import mask_addresses

MOBILE, PHONE, ID_CARD, BANK_CARD = "[手机号]", "[电话]", "[身份证]", "[银行卡]"
EMAIL, ACCOUNT = "[邮箱]", "[微信号]"

_D = "[0-9０-９①-⑨❶-❾\U0001d7ce-\U0001d7ff]"
_GAP = "[ \\-—_.·*\u200b-\u200f\u3000－．\ufe0f\u20e3]"
_DIGITS = re.compile(rf"{_D}(?:{_GAP}{{0,2}}{_D}){{6,}}(?:[xXｘＸ](?![A-Za-z0-9]))?")
_CHUNK = re.compile(rf"{_D}+[xXｘＸ]?")
_HAN = dict(zip("零〇一二三四五六七八九幺壹贰叁肆伍陆柒捌玖", "001234567891123456789", strict=True))
_MIXED_DIGIT = f"[0-9{''.join(_HAN)}]"
_HAN_MOBILE = re.compile(rf"(?<!{_MIXED_DIGIT}){_MIXED_DIGIT}{{11}}(?!{_MIXED_DIGIT})")
_EMAIL = re.compile(
    # ASCII only before it: an address follows 汉字 without a space.
    r"(?<![A-Za-z0-9_.+%-])[A-Za-z0-9_.+%-]{1,64} ?[@＠]"
    r" ?[A-Za-z0-9-]{1,63}(?:[.．][A-Za-z0-9-]{1,63}){0,3}[.．][A-Za-z]{2,12}"
)
_ACCOUNT = re.compile(
    r"((?:微信|威信|薇信|徽信|wechat|weixin|v信|(?<![a-z0-9])(?:vx|wx|qq)|(?<=[加+➕])v|扣扣)[ ]{0,2}"
    r"((?:号码|账号|号|id)?[ ]{0,2}(?:是|为|[:：=])?)[ ]{0,2})([a-z0-9][a-z0-9_\-]{4,24})(?![a-z0-9])",
    re.IGNORECASE,
)
_MOBILE = re.compile(r"(?:0|86|0086)?1[3-9]\d{9}")
_LANDLINE = re.compile(r"0(?:10|2\d|[3-9]\d\d)[1-9]\d{6,7}")
_CARD = re.compile(r"(?:62|60|68|9[45])\d{14,17}|(?:4\d|5[1-5]|35)\d{14}")
_ID_18 = re.compile(r"[1-8]\d{5}(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dx]")
_ID_15 = re.compile(r"[1-8]\d{5}\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}")
_MOST_CHUNKS = 20
_ROUNDS = 6  # a mask can lay open what stood glued to it: `13800138000vx abc12`; text without masks takes one
_FEWEST_DIGITS, _MOST_DIGITS = 10, 19


def mask_pii(text: str) -> str:
    """`text` with personal data replaced by `[手机号] [电话] [身份证] [银行卡] [邮箱] [地址] [微信号]`."""
    for _ in range(_ROUNDS):
        masked = _mask(text)
        if masked == text:
            break
        text = masked
    return text


def mask_id(id: str) -> str:
    """Ids stay as given, so that rows can be joined, unless they hold a mobile, ID-card number or e-mail.

    Other masks are not trusted here: one long id in ten passes the bank-card check by chance, and dates with
    counters look like landlines.
    """
    masked = mask_pii(id)
    return masked if any(mask in masked for mask in (MOBILE, ID_CARD, EMAIL)) else id


def _mask(text: str) -> str:
    text = _EMAIL.sub(EMAIL, text) if "@" in text or "＠" in text else text
    text = _ACCOUNT.sub(_account, text)
    text = _DIGITS.sub(_numbers, text)
    text = _HAN_MOBILE.sub(_han_mobile, text)
    return mask_addresses(text)


def _account(match: re.Match[str]) -> str:
    """An id after 微信 or QQ: announced by 号 or a colon, or with a digit in it (微信 iphone is none)."""
    said, name = match[2].strip(), match[3]
    return match[1] + ACCOUNT if said or any(c.isdigit() for c in name) else match[0]


def _han_mobile(match: re.Match[str]) -> str:
    digits = "".join(_HAN.get(c, c) for c in match[0])
    return MOBILE if not match[0].isdigit() and _MOBILE.fullmatch(digits) else match[0]


def _numbers(match: re.Match[str]) -> str:
    """A run of digits with gaps: the longest group of whole chunks that is personal is masked, then the next."""
    run = match[0]
    chunks = list(_CHUNK.finditer(run))
    digits = ["".join("x" if c in "xXｘＸ" else str(unicodedata.digit(c)) for c in chunk[0]) for chunk in chunks]
    glued = (
        match.start() > 0 and match.string[match.start() - 1].isascii() and match.string[match.start() - 1].isalpha()
    )
    parts, done, at = [], 0, 0
    while at < len(chunks):
        size, mask = _personal(digits, at, glued and at == 0)
        if mask:
            parts += [run[done : chunks[at].start()], mask]
            done = chunks[at + size - 1].end()
        at += size
    return "".join(parts) + run[done:]


def _personal(digits: list[str], at: int, glued: bool) -> tuple[int, str | None]:
    """How many chunks from `at` belong together, and their mask; (1, None) if they are nothing personal."""
    found: tuple[int, str | None] = (1, None)
    joined = ""
    sizes: list[int] = []
    for size, chunk in enumerate(digits[at : at + _MOST_CHUNKS], start=1):
        joined, sizes = joined + chunk, [*sizes, len(chunk)]
        if len(joined) > _MOST_DIGITS:
            break
        mask = _kind(joined, sizes) if len(joined) >= _FEWEST_DIGITS else None
        if mask and not (glued and mask != MOBILE):
            found = (size, mask)
    return found


def _kind(digits: str, sizes: list[int]) -> str | None:
    """The mask for one number written in groups of `sizes` digits."""
    spelled = len(sizes) == 1 or max(sizes) <= 2
    prefix = sizes[1:] if len(sizes) > 1 and digits.startswith(("86", "0086")) and sizes[0] in (2, 4) else sizes
    if _MOBILE.fullmatch(digits) and (spelled or sorted(prefix) in ([3, 4, 4], [3, 8], [4, 7], [3, 3, 5], [11])):
        return MOBILE
    if (
        _ID_18.fullmatch(digits)
        and _id_checks(digits)
        and (spelled or sizes in ([6, 8, 4], [6, 4, 4, 4], [3, 3, 4, 4, 4]))
    ):
        return ID_CARD
    if len(sizes) == 1 and _ID_15.fullmatch(digits):
        return ID_CARD
    if _CARD.fullmatch(digits) and _luhn(digits) and (spelled or set(sizes[:-1]) == {4} or sizes in ([6, 13], [6, 10])):
        return BANK_CARD
    if _LANDLINE.fullmatch(digits) and (spelled or (sizes[0] in (3, 4) and len(sizes) <= 3)):
        return PHONE
    return None


def _id_checks(digits: str) -> bool:
    """The check character of GB 11643 (ISO 7064 MOD 11-2)."""
    total = sum(int(d) * (2 ** (17 - i) % 11) for i, d in enumerate(digits[:17]))
    return "10x98765432"[total % 11] == digits[17]


def _luhn(digits: str) -> bool:
    total = 0
    for i, d in enumerate(reversed(digits)):
        value = int(d) * (2 if i % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
