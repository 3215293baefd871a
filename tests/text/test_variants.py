"""variants: evasions are found and shown, look-alikes are left alone. The tables here are the specification."""

import pytest

from fenzhen.text import Evasion, normalise, trace
from fenzhen.text import evasions as table

# Canonical word: spellings, separated by |.
_EVASIONS = {
    "傻逼": "你个sb|客服你是SB吗|s b玩意|你个s.b|s*b一个|shabi客服|sha bi|煞笔店家|傻比|傻B傻B|大傻X|"
    "傻*逼|傻 逼|沙比玩意|傻🐔|鲨臂|傻叉",
    "傻屌": "沙雕客服|傻吊",
    "傻缺": "傻que",
    "操你妈": "cnm|c n m|c.n.m退钱|ＣＮＭ|草泥马|草-泥-马|艹尼玛|草你🐴|艹 你 🐴|操你马|wcnmb|cao ni ma|"
    "rnm退钱|扌喿你妈",
    "去你妈的": "qnmd|去nm的|去你🐴",
    "去你大爷的": "去 你 大 爷 的",
    "你妈死了": "nmsl|n-m-s-l|你🐴没了|尼玛死了",
    "你妈逼": "nmb|你麻痹",
    "你妈": "尼玛|亻尔女马|你🐎呢|文你m个头",
    "妈了个逼": "mlgb|马勒戈壁",
    "妈卖批": "mmp",
    "妈的": "女马白勺|md智障",
    "他妈的": "tmd|t.m.d|他m的|特么的",
    "他妈": "踏马有病|你tm瞎啊|太TM难用",
    "卧槽": "woc|我艹|握草",
    "操": "艹",
    "脑残": "脑can|脑 残|nao can",
    "智障": "制杖|zz客服|你个zz",
    "脑瘫": "nt平台",
    "弱智": "弱zhi",
    "婊子": "婊砸",
    "贱": "贝戋人",
    "没妈": "没🐴",
    "狗日的": "🐶日的",
    "狗东西": "🐶东西",
    "垃圾": "你个lj店|乐色店|辣鸡客服",
    "二逼": "2b售后",
    "fuck": "f**k",
    "王八蛋": "王8蛋",
    "死全家": "4全家",
    "畜生": "出生东西",
    "骗子": "骗纸",
    "鸡巴": "瞎jb发货",
    "不要脸": "不要碧莲",
}
EVASIONS = {text: canonical for canonical, texts in _EVASIONS.items() for text in texts.split("|")}
_HARMLESS = (
    "usb线有吗|u盘usb3|asb材质|sb-600闪光灯|sb600|型号是sb 28|tmd-18冲击钻|tmd型号后缀是啥|cnm型号|"
    "bmw车型|垃圾袋有货吗|垃圾桶多大|滚筒洗衣机|傻瓜相机|人工智能|智能手环|残次品|脑白金|你妈妈用的|"
    "给你妈买的|尼玛县能送吗|沙雕图抱枕|沙雕摆件|豆沙雕花|沙比利木门|草泥马玩偶|草泥马公仔|我草莓过敏|"
    "我草席要大的|踏马路沿|脚踏马桶|模特么|独特么|快乐色系|麻辣鸡翅|辣鸡腿|香辣鸡块|2b铅笔|2b橡皮|套装b款|"
    "装b的那款|买2b送1|tm商标能用吗|5nm芯片|nm的芯片|xs码|xxl码|md500型号|尺寸lj40|电缆lj|女马甲|"
    "你女马甲好看|女表|女马丁靴|司马懿手办|司马迁|出生日期|刚出生的宝宝|出生证|狗比猫大|狗币|养狗比较多|"
    "快递邮寄吧|几把椅子|我擦了一下|我擦脸用|你马上发货|请你马上退|把你吗|就你吗|妈妈的手机|奶妈的|他妈妈|"
    "她妈的生日|玛德琳蛋糕|芝麻蛋糕|大妈蛋黄酥|法克曼|卧草地拍照|触生漆|感触生活|接触生水|鸡8块一斤|"
    "放pvc盒|月抛|啥比例|傻傻分不清|wc清洁|sbs卷材|abs塑料|mmp3|xcnm|cnm123|cnmx|9sb|pnmb|sx2000|jb管|"
    "zz正确|nt$200|3c认证|滚蛋糕|一草一木|艹字头"
)
HARMLESS = _HARMLESS.split("|")


@pytest.mark.parametrize(("text", "canonical"), EVASIONS.items())
def test_evasion_is_shown_with_its_canonical_word(text: str, canonical: str) -> None:
    result = trace(text)
    assert canonical in [evasion.canonical for evasion in result.evasions]
    assert f"[变体]{canonical}" in result.text


@pytest.mark.parametrize("text", HARMLESS)
def test_look_alike_is_left_alone(text: str) -> None:
    assert trace(text).evasions == ()
    assert "[变体]" not in normalise(text)


def test_tables_here_are_as_big_as_promised() -> None:
    assert len(EVASIONS) >= 60
    assert len(set(HARMLESS)) >= 60


def test_trace_says_what_was_written_and_how() -> None:
    assert trace("你个s.b,沙雕,亻尔").evasions == (
        Evasion("s.b", "傻逼", "spaced"),
        Evasion("沙雕", "傻屌", "homophone"),
        Evasion("亻尔", "你", "split"),
    )
    assert [e.kind for e in trace("nmsl 没🐴").evasions] == ["pinyin", "emoji"]


def test_words_around_stay() -> None:
    assert normalise("你个s.b客服") == "你个[变体]傻逼客服"


@pytest.mark.parametrize("text", ["你个傻逼", "脑残", "他妈的", "垃圾质量", "骗子"])
def test_plain_words_are_no_evasion(text: str) -> None:
    assert trace(text).evasions == ()
    assert normalise(text) == text


def test_emphasis_stays_distinct_from_insult() -> None:
    assert "傻逼" not in normalise("tmd到底发不发货")
    assert normalise("tmd到底发不发货") == "[变体]他妈的到底发不发货"


@pytest.mark.parametrize("text", EVASIONS)
def test_shown_evasions_are_not_found_again(text: str) -> None:
    once = trace(text)
    assert trace(once.text).evasions == ()


def test_not_found_inside_links_or_placeholders() -> None:
    assert trace("https://a.example.com/sb").evasions == ()
    assert normalise("[草泥马]") == "[E:踩]"


def test_table_is_in_the_form_that_it_is_matched_in() -> None:
    for words in (table.PINYIN, table.HOMOPHONE, table.SPLIT, table.EMOJI):
        for canonical, spellings in words.items():
            for spelling in spellings.split():
                assert spelling == spelling.lower()
                assert trace(spelling).text == f"[变体]{canonical}", spelling
