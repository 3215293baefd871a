"""The table of evasive spellings: canonical word → spellings, by kind; words in context; harmless look-alikes.

To extend it, add a spelling to a line and an example to tests/text/test_variants.py. All spellings are as `normalise`
sees them: NFKC, simplified, lower case, emoji still as characters. The table is of what buyers write to get past a word
filter; whether somebody is insulted is for the model to say. Emphasis keeps its own word (他妈的, 卧槽). It leaves out
spellings that shop talk uses for real (狗比, 女表, 我擦, 你马, 几把, 脑c, 装b), or takes them only in context.
"""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# Initials and full pinyin. Letters or digits right beside them rule them out (usb, asb, sb-600).
PINYIN: dict[str, str] = {
    "傻逼": "sb dsb sbsb shabi",
    "操你妈": "cnm cnmb cnmd cnmlgb wcnm wcnmb wqcnm caonima caonimade rnm rnmd rnmlgb rinima",
    "去你妈的": "qnmd qnmb qnmlgb qnm wqnm wqnmd wqnmlgb qunimade wdnmd gnmd gnm gunnimade",
    "你妈死了": "nmsl nmsi nms1 nimasile",
    "你妈逼": "nmb nmbd nmlgb nimabi",
    "你妈的": "nmd nimade",
    "你妈": "nima",
    "妈了个逼": "mlgb mlgbd malegebi",
    "妈卖批": "mmp mamaipi",
    "他妈的": "tmd tamade temade",  # emphasis, aimed at nobody
    "卧槽": "woc wocao",  # emphasis
    "脑残": "naocan",
    "智障": "zhizhang",
    "弱智": "ruozhi",
    "脑瘫": "naotan",
    "贱人": "jianren",
    "婊子": "biaozi",
    "狗东西": "gdx goudongxi",
    "垃圾": "laji",
    "死全家": "siquanjia",
    "王八蛋": "wangbadan",
    "fuck": "f*ck f**k fxxk fxck fck",
}
# Characters of the same or a near sound, and letters or digits mixed in.
HOMOPHONE: dict[str, str] = {
    "傻逼": "煞笔 傻比 傻币 傻笔 傻毕 傻碧 傻批 傻毙 傻哔 傻b 傻13 傻1b 傻bi 傻叉 傻x 傻× 煞比 煞币 煞逼 煞b "
    "沙比 沙币 沙逼 沙b "
    "杀笔 鲨笔 鲨臂 鲨逼 莎比 啥逼 sha逼 s逼 傻波一 傻吡 傻屄 傻壁",
    "傻屌": "沙雕 傻吊 沙吊 傻雕 沙屌 傻diao 傻叼",
    "傻缺": "煞缺 傻que",
    "操你妈": "草泥马 草拟马 草尼玛 草你妈 草尼马 草泥玛 操尼玛 操泥马 操尼马 操你吗 操你马 操你玛 操你m 操nm "
    "艹尼玛 艹你妈 艹你吗 艹泥马 "
    "艹你m 艹nm 草nm 草你吗 草你马 草你玛 曹尼玛 曹尼马 曹你妈 槽尼玛 肏你妈 日尼玛 日你马 日你吗 日你m 日nm "
    "草拟吗 c你妈 c尼玛 cao你妈 cao尼玛 "
    "草泥妈 草尼妈 操妮马",
    "操你": "cao你 🖕",
    "操你大爷": "艹你大爷 草你大爷 草泥大爷",
    "去你妈的": "去nm的 去nm 去你m的 去尼玛的 去尼玛 去泥马的 去你马的 去你吗的 去你玛的 滚nm 滚你m 滚尼玛 滚你吗的",
    "你妈死了": "尼玛死了 你马死了 你吗死了 你m死了 nm死了 尼马死了 泥马死了 你妈si了 尼玛si了 你妈4了 你妈亖了",
    "死全家": "4全家 si全家 亖全家 死quan家",
    "你妈逼": "你妈b 尼玛b 尼玛逼 尼玛币 尼玛比 你麻痹 尼麻痹 尼玛的逼 你妈bi 你吗逼 你马逼 你m逼 你m的逼",
    "你妈的": "尼m的 尼玛的 你吗的 泥马的 尼马的",
    "你妈": "尼玛 尼马 妮玛 尼妈 泥妈",
    "妈了个逼": "麻辣隔壁 马勒戈壁 马勒隔壁 妈勒戈壁 玛勒戈壁 妈了个b 妈了个比 马了个比",
    "妈卖批": "麻麦皮 妈麦皮 马卖批 妈卖p 麻卖批 妈买批 妈卖皮",
    "妈的": "妈蛋 玛德 妈d",
    "他妈的": "他m的 他ma的 他吗的 他嘛的 他马的 他玛的 塌妈的 特马的 特吗的 特么的 踏马的 他喵的 特娘的 特妈的 "
    "t妈的 它妈的",
    "他妈": "特么 踏马 特喵",
    "卧槽": "握草 卧草 我草 我艹 卧艹 卧cao 我cao 卧c 我肏 窝草 沃草 卧曹 窝槽",
    "操": "艹 屮艸芔茻 肏",
    "滚": "gun蛋 gun开 gun犊子",
    "脑残": "脑can 脑惨 nao残 孬残",
    "智障": "制杖 智仗 智帐 知障 智zhang zhi障 智杖",
    "弱智": "若智 弱zhi ruo智",
    "脑瘫": "脑滩 脑tan",
    "贱人": "贱ren jian人 溅人",
    "贱货": "贱huo jian货",
    "婊子": "婊砸 婊zi biao子",
    "畜生": "畜sheng 初生东西 出生东西",
    "狗逼": "苟逼 狗bi 狗卑 狗屄 gou逼 狗批东西 狗币东西",
    "狗东西": "苟东西 狗冬西 狗d西 gou东西",
    "狗屁": "狗pi",
    "垃圾": "垃ji la圾 拉圾 乐色 勒色",
    "废物": "废wu fei物",
    "杂种": "杂zhong za种",
    "王八蛋": "王8蛋 忘八蛋 王巴蛋 王八dan",
    "鸡巴": "吉八 吉吧 鸡8 勾八 鸡ba",
    "吃屎": "吃翔 吃shi",
    "骗子": "骗zi 骗纸",
    "不要脸": "不要碧莲 不要b脸 不要逼脸 不要lian",
    "屁话": "屁hua pi话",
    "死妈": "司马玩意 司马东西 死ma s妈",
    "fuck": "法克鱿",
}
# A character written as its parts. 女马 alone is left out: 女马甲, 女马丁靴.
SPLIT: dict[str, str] = {
    "你妈": "亻尔女马 亻尔妈 你女马 尼女马 亻尔马",
    "操你妈": "扌喿你妈 扌喿亻尔女马 操你女马 草你女马 操亻尔女马 操亻尔妈 艹亻尔女马 艹你女马",
    "妈的": "女马白勺 女马的",
    "他妈的": "他女马的 亻也女马的 亻也妈的",
    "你": "亻尔",
    "狗": "犭句",
    "贱": "贝戋",
    "婊子": "女表子",
    "滚": "氵衮",
    "操": "扌喿",
    "屎": "尸米",
    "屌": "尸吊",
    "畜生": "玄田生",
    "强奸": "弓虽女干 弓虽奸",
}
# An emoji for a syllable.
EMOJI: dict[str, str] = {
    "你妈": "你🐴 你🐎 尼🐴 尼🐎 泥🐴 泥🐎 n🐴 您🐴",
    "操你妈": "草泥🐴 草泥🐎 草你🐴 草你🐎 操你🐴 操你🐎 艹你🐴 艹你🐎 艹尼🐴 操尼🐴 c你🐴 🌿你🐴 🌿泥🐴 日你🐴 日你🐎",
    "去你妈的": "去你🐴 去你🐎 去尼🐴 滚你🐴",
    "你妈死了": "你🐴死了 你🐎死了 nm🐴死了 你🐴没了 你🐎没了 你🐴炸了 你🐎炸了 尼🐴死了",
    "没妈": "没🐴 没🐎 无🐴",
    "死妈": "死🐴 死🐎 司🐴",
    "傻逼": "🦈笔 🦈逼 🦈b 傻🐔 傻🐶 傻🐦",
    "他妈的": "他🐴的 他🐎的 特🐴的",
    "他妈": "他🐴 特🐴 踏🐴",
    "狗日的": "🐶日的",
    "狗东西": "🐶东西 🐕东西 🐶玩意",
    "狗逼": "🐶逼 🐶b 🐶比",
    "鸡巴": "🐔巴 🐔吧 🐔8",
    "鸡毛": "你🐔毛",
    "滚蛋": "滚🥚",
    "王八蛋": "王八🥚 🐢蛋",
    "吃屎": "吃💩",
    "垃圾": "垃🐔 辣🐔",
    "卧槽": "卧🌿 我🌿",
    "脑瘫": "🧠瘫",
    "脑残": "🧠残",
}
# Plain words: only a spelling with something between the characters is an evasion (傻*逼, 脑 残).
PLAIN: tuple[str, ...] = _words(
    "傻逼 操你妈 日你妈 去你妈 去你妈的 你妈死了 你妈逼 你妈的 他妈的 妈了个逼 妈卖批 脑残 智障 弱智 脑瘫 贱人 "
    "贱货 婊子 畜生 畜牲 王八蛋 狗日的 "
    "狗东西 狗逼 傻屌 傻叉 傻缺 傻吊 去你大爷 去你大爷的 操你大爷 死全家 滚犊子 滚蛋 杂种 鸡巴 废物 垃圾 卧槽 "
    "死妈 不要脸 骗子"
)
_WHO = "客服 店 商家 卖家 平台 东西 玩意 售后 快递 公司 主播 策划 官方 京东 淘宝 美团 骑手 老板 机器人 系统 服务 "
"物流 师傅 酒店"
# Ambiguous spellings: canonical; what must stand right before; or what must follow. `^` is a start or punctuation.
IN_CONTEXT: dict[str, tuple[str, str, str]] = {
    "tm": ("他妈", "你 我 他 她 们 太 真 都 还 就 全 别 再 又 没 贼 么 啥 也 才", "的"),
    "md": ("妈的", "^", "智障 傻 什么 气死 退 骗 早 这 老 我"),
    "zz": ("智障", "个 真 群 帮 堆 你", f"{_WHO} 吧 吗"),
    "nt": ("脑瘫", "个 群 帮 堆 你 是不是", f"{_WHO} 吧 吗"),
    "nc": ("脑残", "你个 群 帮 堆", f"{_WHO} 吧"),
    "lj": ("垃圾", "你个 群 帮 堆 真 么 太", f"{_WHO} 质量 货 产品"),
    "jb": ("鸡巴", "瞎 贼 么 啥 算个", "玩意 东西 毛 扯"),
    "j8": ("鸡巴", "瞎 么 啥 算个", "玩意 东西 毛"),
    "nm": ("你妈", "去 你 操 草 催 叫 换", "的质量 的品质 的核实 没了 死 🐴"),
    "2b": ("二逼", "你个 群 帮", f"{_WHO} 吧 青年"),
    "辣鸡": ("垃圾", "你个 群 帮 真 么", f"{_WHO} 质量 产品"),
    "狗比": ("狗逼", "你个 群 帮 死", _WHO),
    "狗b": ("狗逼", "你个 群 帮 死", _WHO),
    "出生": ("畜生", "你个 群 帮", "客服 商家 不如"),
    "司马": ("死妈", "你个 群 帮 全家", _WHO),
    "你m": ("你妈", "文 耐 去 装 催", "的心 个头"),
    "你马": ("你妈", "操 草 日", "没了 炸了"),
    "泥马": ("你妈", "操 草 日 去 卧", "没了"),
}
# Look-alikes that win over a spelling that starts inside or with them. They change nothing in the text.
HARMLESS: tuple[str, ...] = _words(
    "沙比利 沙雕图 沙雕网友 沙雕视频 沙雕动画 沙雕艺术 沙雕展 沙雕节 沙雕作品 沙雕公园 沙雕表情 沙雕头像 "
    "沙雕文案 沙雕摆件 豆沙雕 "
    "尼玛县 尼玛乡 尼玛泽仁 尼玛次仁 尼玛扎西 尼玛石 尼玛堆 玛尼玛 巴尼马 迪尼马 草泥马公仔 草泥马玩偶 "
    "草泥马毛绒 草泥马抱枕 草泥马玩具 草泥马挂件 "
    "我草莓 我草坪 我草席 我草本 我草稿 我草帽 我草鞋 我草药 我草原 我草地 我草编 我草图 我草率 我草绿 我草书 "
    "我草草 我草头 我草种 我草籽 我草料 我草根 我草木 "
    "踏马路 踏马桶 踏马而 踏马归 踏马镫 踏马飞 踏马蹄 独特么 奇特么 模特么 别特么 快乐色 音乐色 娱乐色 喜乐色 "
    "欢乐色 乐色彩 弥勒色 "
    "艹字 艹头 豆沙比 莎比亚 煞笔记 傻比较 沙比较 莎比较 沙币种 傻瓜 芝麻蛋 大妈蛋 妈蛋糕 妈蛋卷 奶妈的 玛德拉 "
    "玛德琳 玛德里 玛德莲 迪玛德 "
    "若智能 知障碍 智帐篷 制杖子  特么事 窝草莓 窝草垫 沃草坪 卧草地 卧草坪 卧cd 卧chuang "
    "吃翔宇 田鸡8 鸡8折 鸡8块 鸡8元 鸡8只 鸡8个 "
    "王8蛋糕 你🐴年 你🐎年 您🐴年 女马的颜色 你女马甲 你女马丁 傻b款 卧c面 沙b款 沙b面 沙b色 妈d款 妈的妈 "
    "脑can口 s妈妈 傻x款 杀笔记 沙雕刻 沙雕塑 莎比拉 "
    "tm商标 zz正确 nm的芯片 nm的制程 尼妈妈 泥妈妈 去nm的地 亻尔康"
)
