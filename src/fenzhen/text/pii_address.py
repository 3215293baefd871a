"""Street addresses → `[地址]`, found from their core (a street or village with a house number) outwards.

Linear: the core pattern is anchored on its street word, and the walk to the left is bounded. 省市区 without street or
house stays, since "能送到南山区吗" is a question and no address.
"""

import re

ADDRESS = "[地址]"
_NUM = r"[0-9０-９]{1,5}(?:[\-－—][0-9０-９]{1,5}){0,3}|[A-Za-zＡ-Ｚ][0-9]{0,3}|[一二三四五六七八九十百]{1,4}"
_UNIT = r"(?:号院|号楼|号|弄|栋|幢|座|单元|楼|层|室|房|户|门|组|队|期|区)"
_PART = rf"(?:[ ,，]?(?:{_NUM}){_UNIT})"
_PLACE = (
    r"(?:[ ,，]?[一-鿿A-Za-z0-9]{1,10}(?:小区|花园|公寓|大厦|广场|家园|新村|苑|城|府|园|宿舍|校区|医院|学校|大学|村))"
)
_LAST = r"(?:[ \-－]?[0-9０-９]{2,4}(?:[\-－][0-9０-９]{1,4})?(?![0-9０-９年月日元块天点个件%.]))?"
_CORE = re.compile(
    rf"(?:路|街|大道|巷|弄|胡同|里|村|庄|屯|镇|小区|花园|公寓|大厦|家园|苑|社区|新村|府)(?:{_PART}){{1,6}}{_PLACE}?(?:{_PART}){{0,6}}{_LAST}"
    rf"|(?:镇|乡|街道|县)[一-鿿]{{1,8}}(?:村|屯|社区|小区|花园|苑)(?:{_PART}){{0,4}}{_LAST}"
    rf"|(?:{_NUM})(?:栋|幢|号楼|座)[ ]?(?:{_NUM})单元[ ]?(?:[0-9０-９]{{1,4}}[室号]?)"
    rf"|(?:路|街|大道)(?:{_NUM})?[一-鿿]{{0,6}}(?:交叉口|路口)"
)
_BEFORE = re.compile(r"[一-鿿A-Za-z0-9０-９ ()（）\-]{0,30}\Z")
_REACH = 30
# Words that come before an address and don't occur in one; what is left of the last of them stays.
_LEAD = re.compile(
    r"地址|收货|寄回|寄|送|发|改成|改为|改|换成|换|住|我家|我|你|他|她|是|在|到|给|的|了|请|帮|为|吗|呢|有|不|这|那|哪|几|就|条"
)


def mask_addresses(text: str) -> str:
    """`text` with every street address replaced by `[地址]`."""
    parts, done = [], 0
    for core in _CORE.finditer(text):
        start = _start(text, done, core.start())
        if core.start() - start < 1:  # nothing names the street: "路3号" alone is no address
            continue
        parts += [text[done:start], ADDRESS]
        done = core.end()
    return "".join(parts) + text[done:] if parts else text


def _start(text: str, done: int, core: int) -> int:
    """Where the address begins: as far left as names go, but after the last leading word."""
    low = max(done, core - _REACH)
    before = _BEFORE.search(text[low:core])
    window = before[0] if before else ""
    ends = [m.end() for m in _LEAD.finditer(window)]
    start = core - len(window) + (ends[-1] if ends else 0)
    while start < core and text[start] in " )）-":
        start += 1
    return start
