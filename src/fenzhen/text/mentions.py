"""Mentions: what a buyer names that an agent would look for: order numbers, size, body, colour, amounts, pieces.

`find_mentions(message)` reads the message and the buyer's last few turns, newest first. Numbers are shown by their last
six digits only, and none that has the form of a phone, ID or card. Linear. It knows words and forms, not meaning: "不要
黑色" mentions 黑色, and a product's own name that is a colour word is one too.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from string import ascii_letters

from fenzhen.message import Message
from fenzhen.text.pii import mask_pii
from fenzhen.text.sizes import BODY_SIGNS, SIZE_SIGNS, body_in, sizes_in

TURNS = 3  # earlier buyer turns that are read
TURN_CHARACTERS, CHARACTERS = 200, 600  # of an earlier turn and of the message
EACH = 3  # of a kind
SHOWN = 6  # last digits of a number


@dataclass(frozen=True, slots=True)
class Mentions:
    """What was named, newest first, each once, at most EACH of a kind.

    numbers   order and parcel numbers by their last digits: "…123456"
    colours   "黑色", "雾霾蓝"
    sizes     "XL", "165/88A", "37码", "均码", "1.8米", "120x200cm"
    body      height and weight for choosing a size: "175cm", "130斤", "60kg"
    pieces    "少2件", with what happened to them
    amounts   yuan: "退30元", "299元"
    """

    numbers: tuple[str, ...] = ()
    colours: tuple[str, ...] = ()
    sizes: tuple[str, ...] = ()
    body: tuple[str, ...] = ()
    pieces: tuple[str, ...] = ()
    amounts: tuple[str, ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        """All of them in the order in which an agent wants to read them."""
        return (*self.colours, *self.sizes, *self.body, *self.pieces, *self.amounts, *self.numbers)


# --- colours: full names, and 汉字 that are colours only where 色, 的 or the like follows -----------------------------
_FULL = (
    "藏[青蓝]|卡其|[米奶乳本瓷]白|(?:象牙|珍珠|月光|奶油)白|(?:玫瑰|香槟|土豪)金|香槟|[太深]空灰|高级灰|[烟炭花麻银深浅]灰|奶咖|[深浅]棕"
    "|(?:雾霾|天空|海军|孔雀|牛仔|克莱因)蓝|[天湖宝冰浅深]蓝|(?:牛油果|薄荷|橄榄|抹茶)绿|[墨军草果豆浅深]绿|香芋紫|[浅深]紫"
    "|[酒枣砖玫橘大粉]红|(?:樱花|豆沙)粉|[藕裸浅]粉|(?:曜石|哑光)黑|柠檬黄|[姜鹅奶橘]黄|黑白|红黑|黑红"
)
_WITH_SE = "奶茶|燕麦|焦糖|咖啡|巧克力|豆沙|薄荷|抹茶|原木|胡桃|香芋|透明|奶油|奶杏|月白|[裸杏驼米咖肉肤藕彩撞拼栗]"
_ONE = "黑白红黄蓝绿紫灰粉橙橘棕褐青银金"
_NO_COLOUR = "星期五|幽默|情人节|预警|食品|通道|环保|出行|网站|信息|小说|地带|收入|产业|号|差|系"  # after 色
_LEAD = "口网眼走拉抹明空坦洁漆发变泛掉褪洗晒弄奖现资基押佣税租定补"  # 口红, 网红, 发白 and the like are no colours
_COLOUR = re.compile(
    # What a colour begins with: a quick no at every other place.
    rf"(?=[藏卡象牙米奶乳本瓷珍月玫香土太深高烟炭花麻雾天海孔牛克湖宝冰墨军草果豆薄橄抹酒枣砖大樱藕裸曜哑柠姜鹅燕焦咖巧原胡透"
    rf"杏驼肉肤彩撞拼栗浅{_ONE}])"
    rf"(?:(?P<full>{_FULL})(?![棉茶酥葡汁酒包])"
    rf"|(?P<se>{_WITH_SE})色(?!{_NO_COLOUR})"
    rf"|(?<![{_LEAD}])(?P<one>[深浅]?[{_ONE}])"
    rf"(?:色(?!{_NO_COLOUR})|(?=[的款](?![哥姐]))|(?= ?(?:[2-6]?X{{0,3}}[SML]|[23]\d码)(?![A-Za-z0-9]))))"
)
_COLOUR_SIGNS = frozenset(_ONE + "色其槟咖")  # no colour has none of these

# --- pieces and yuan ------------------------------------------------------------------------------------------------
_COUNT = re.compile(
    r"(?P<verb>少|缺|漏|多|退|换|补|坏|破|碎|裂|买|拍|收到|错)(?:了|发|我|给|的|只|掉|回|拍|寄){0,3} ?"
    r"(?P<number>\d{1,4}|[两三四五六七八九十])(?P<unit>[件双个箱盒瓶包袋套条支台只张本罐桶份组副把])(?!月|小时|工作日|星期|礼拜|多|问题)"
)
_YUAN = re.compile(
    r"(?:(?P<verb>退|补|赔|降|返|差|扣|收|付|花|便宜|优惠|减)(?:了|我|给|的|还|款|价){0,3} ?)?(?<![\d.])"
    r"(?:¥ ?(?P<after>\d{1,7}(?:\.\d{1,2})?)"
    r"|(?P<before>\d{1,7}(?:\.\d{1,2})?) ?(?:元|块(?!肥皂|香皂|布|板|砖|地|电池|屏|表|饼|糖)))(?!\d)"
)
_COUNT_SIGNS, _YUAN_SIGNS = frozenset("少缺漏多退换补坏破碎裂买拍到错"), frozenset("元块¥")

# --- numbers --------------------------------------------------------------------------------------------------------
_DIGITS = frozenset("0123456789")
_NUMBER = re.compile(
    r"(?:订单|单号|编号|运单)[^0-9A-Za-z\n]{0,4}(?P<said>[A-Za-z]{0,4}\d{8,20})(?![0-9A-Za-z@])"
    r"|(?<![0-9A-Za-z.])(?P<long>[A-Za-z]{2,4}\d{10,18}|\d{12,20})(?![0-9A-Za-z@])"
)
# The form alone, whatever the check digit says: a mistyped ID is one all the same.
_PERSONAL = re.compile(
    r"(?:0|86|0086)?1[3-9]\d{9}|[1-8]\d{5}(?:19|20)\d\d[01]\d[0-3]\d{5}|[1-8]\d{7}[01]\d[0-3]\d{4}|62\d{14,17}"
)


def find_mentions(message: Message) -> Mentions:
    """What the message and the buyer's last TURNS turns name."""
    turns = [turn.text[:TURN_CHARACTERS] for turn in message.history[-2 * TURNS :] if turn.role == "buyer"]
    text = "\n".join([message.text[:CHARACTERS], *reversed(turns[-TURNS:])])
    text = text if text.isascii() else unicodedata.normalize("NFKC", text)
    signs = set(text)  # most messages name nothing: asking for signs first is far cheaper than searching

    def all_of(
        pattern: re.Pattern[str], needs: frozenset[str], show: Callable[[re.Match[str]], str]
    ) -> tuple[str, ...]:
        return () if needs.isdisjoint(signs) else _first(show(found) for found in pattern.finditer(text))

    return Mentions(
        numbers=() if _DIGITS.isdisjoint(signs) else _numbers(text),
        colours=all_of(_COLOUR, _COLOUR_SIGNS, _colour),
        sizes=() if SIZE_SIGNS.isdisjoint(signs) else _first(sizes_in(text)),
        body=() if BODY_SIGNS.isdisjoint(signs) else body_in(text),
        pieces=all_of(_COUNT, _COUNT_SIGNS, lambda found: found["verb"] + found["number"] + found["unit"]),
        amounts=all_of(_YUAN, _YUAN_SIGNS, _yuan),
    )


def _first(found: Iterator[str]) -> tuple[str, ...]:
    """The first EACH different ones."""
    return tuple(islice(dict.fromkeys(found), EACH))


def _numbers(text: str) -> tuple[str, ...]:
    masked = "\n".join(mask_pii(line) for line in text.split("\n") if _NUMBER.search(line))
    found = (match["said"] or match["long"] for match in _NUMBER.finditer(masked))
    shown = (number for number in found if not _PERSONAL.fullmatch(number.lstrip(ascii_letters)))
    return _first(f"…{number[-SHOWN:]}" for number in shown)


def _colour(found: re.Match[str]) -> str:
    if full := found["full"]:
        return full
    return f"{found['se'] or found['one']}色"


def _yuan(found: re.Match[str]) -> str:
    return f"{found['verb'] or ''}{found['after'] or found['before']}元"
