"""The table of evasive spellings: canonical word → spellings, by kind; words in context; harmless look-alikes. Data only.

To extend it, add a spelling to a line and an example to tests/text/test_variants.py. All spellings are as `normalise`
sees them: NFKC, simplified, lower case, emoji still as characters. The table is of what buyers write to get past a word
filter; whether somebody is insulted is for the model to say. Emphasis keeps its own word (他妈的, 卧槽).
"""

# Initials and full pinyin. Letters or digits right beside them rule them out (usb, asb, sb-600).
PINYIN: dict[str, str] = {
    "傻逼": "sb dsb sbsb shabi shab shabee sha13",
    "操你妈": "cnm cnmb cnmd cnmlgb cnmgb wcnm wcnmb wqcnm caonima caonm caonimade cnima caoni caonimabi rnm rnmd rnmlgb rinima",
    "去你妈的": "qnmd qnmb qnmlgb qnm wqnm wqnmd wqnmlgb qunimade wdnmd gnmd gnm gunnimade",
    "你妈死了": "nmsl nmsi nms1 nimasile nmsll nimasl cnmsl",
    "你妈逼": "nmb nmbd nmlgb nmgb nimabi nmbi",
    "你妈的": "nmd nimade",
    "你妈": "nima",
    "妈了个逼": "mlgb mlgbd mlgebi malegebi",
    "妈卖批": "mmp mamaipi",
    "他妈的": "tmd tmdd tamade temade tmlgb",  # emphasis, not aimed at anybody
    "他娘的": "tnnd",
    "卧槽": "woc wocao wokao",  # emphasis
    "脑残": "naocan",
    "智障": "zhizhang",
    "弱智": "ruozhi",
    "脑瘫": "naotan",
    "贱人": "jianren",
    "婊子": "biaozi",
    "畜生": "chusheng",
    "狗东西": "gdx goudongxi",
    "垃圾": "laji",
    "死全家": "siquanjia sqj",
    "王八蛋": "wangbadan",
    "fuck": "f*ck f**k fxxk fxck fck fuk fukc f**king fuc* fvck",
}
# Characters of the same or a near sound, and letters or digits mixed in.
HOMOPHONE: dict[str, str] = {
    "傻逼": "煞笔 傻比 傻币 傻笔 傻毕 傻碧 傻批 傻毙 傻哔 傻闭 傻b 傻13 傻1b 傻bi 傻叉 傻x 傻× 傻插 煞比 煞币 煞逼 煞b 煞碧 煞批 沙比 沙币 沙笔 沙碧 沙逼 沙b "
    "沙壁 刹笔 刹比 砂笔 砂比 杀笔 杀币 鲨笔 鲨比 鲨臂 鲨逼 鲨b 莎比 莎笔 纱比 啥逼 傻ⓑ sha逼 sha比 s逼 s比 大s逼 傻波一 傻吡 傻啤 傻皮子 傻p 煞p 傻屄 傻比崽子 傻壁 傻臂 傻逼崽",
    "傻屌": "沙雕 傻吊 沙吊 傻雕 沙屌 傻diao 煞雕 傻叼 沙叼",
    "傻缺": "煞缺 傻que 沙缺",
    "操你妈": "草泥马 草拟马 草尼玛 草你妈 草尼马 草泥玛 操尼玛 操泥马 操尼马 操你吗 操你马 操你玛 操你m 操nm 艹尼玛 艹你妈 艹你吗 艹泥马 艹你m 艹nm 草nm 草你吗 草你马 草你玛 草你m "
    "曹尼玛 曹尼马 曹你妈 槽尼玛 糙尼玛 肏你妈 日尼玛 日你马 日你吗 日你m 日nm 草拟吗 操拟妈 擦你妈 c你妈 c尼玛 cao你妈 cao你 cao尼玛 干你吗 淦你妈 艹你大爷 草你大爷 草泥妈 草尼妈 操妮马 草妮马 超你妈 操n妈",
    "去你妈的": "去nm的 去nm 去你m 去你m的 去尼玛的 去尼玛 去泥马的 去你马的 去你吗的 去你玛的 滚你m 滚nm 滚尼玛 滚你吗的 取你妈的",
    "你妈死了": "尼玛死了 你马死了 你吗死了 你m死了 nm死了 尼马死了 你妈si了 尼玛si了 你妈4了 泥马死了 你妈亖了 你妈sl",
    "死全家": "4全家 si全家 司全家 鼠全家 亖全家 死quan家 死qj 全家4光",
    "你妈逼": "你妈b 尼玛b 尼玛逼 尼玛币 尼玛比 你麻痹 尼麻痹 尼玛的逼 你妈b的 你mb 你妈13 你妈bi 你吗逼 你马逼 你m逼",
    "你妈的": "你m的 尼m的 尼玛的 你吗的 泥马的 你马的 尼马的 你md 泥玛的",
    "你妈": "尼玛 尼马 妮玛 倪玛 尼妈 泥妈 拟马 你妈m 尼m",
    "妈了个逼": "麻辣隔壁 马勒戈壁 马勒隔壁 妈勒戈壁 玛勒戈壁 妈了个b 麻了个痹 马了个比 妈了个比 妈了个x 妈蛋的",
    "妈卖批": "麻麦皮 妈麦皮 马卖批 妈卖p 麻卖批 妈买批 嘛卖批 妈卖皮",
    "妈的": "码蛋 妈蛋 麻蛋 玛德 妈d m的 嘛的智障 玛的 马德智障",
    "他妈的": "他m的 他ma的 他吗的 他嘛的 他马的 他玛的 塌妈的 特马的 特吗的 特么的 踏马的 他喵的 特娘的 tm的 特妈的 他md 他nnd t妈的 忒妈的 它妈的",
    "他妈": "特么 踏马 忒么 特喵 他m 特m 塔妈",
    "卧槽": "握草 卧草 我草 我艹 我槽 沃草 窝草 卧艹 卧cao 我cao 卧c 我肏 我曹 窝槽 卧曹 卧操 握操 沃操 wo草 w草",
    "操": "艹 屮艸芔茻 艸 肏",
    "滚": "gun蛋 gun开 gun犊子 衮蛋",
    "脑残": "脑can 脑惨 脑c nao残 孬残 脑馋 脑餐",
    "智障": "制杖 智仗 智帐 知障 智zhang zhi障 智杖 治障 智张 置障",
    "弱智": "若智 弱zhi ruo智 弱治 弱只",
    "脑瘫": "脑摊 脑滩 脑tan 脑坍",
    "贱人": "贱ren jian人 j人东西 溅人 箭人 贱r",
    "贱货": "贱huo jian货 溅货",
    "婊子": "婊砸 婊zi biao子 裱子 俵子",
    "畜生": "畜sheng 触生 处生东西 畜s 初生东西 出生东西 出生玩意 出声东西",
    "狗逼": "狗b 狗bi 狗币 苟逼 狗批 狗卑 狗屄 苟b gou逼 狗笔",
    "狗东西": "苟东西 狗冬西 狗d西 狗dx gou东西 g东西 狗东c",
    "狗屁": "狗p 狗pi 苟屁",
    "垃圾": "拉圾 垃ji la圾 拉及 拉级 乐色 勒色 垃j lj东西 辣鸡东西 辣基 喇鸡 垃极 垃级",
    "废物": "废wu fei物 肥wu 废w",
    "杂种": "杂z 杂zhong za种 砸种 杂总 咋种",
    "王八蛋": "王8蛋 王八d 忘八蛋 王巴蛋 王八dan 王捌蛋",
    "鸡巴": "吉八 吉吧 鸡8 勾八 勾巴 几吧 鸡b 鸡ba 寄吧 鸡掰 鸡吧",
    "吃屎": "吃翔 吃史 吃shi 吃s吧 尺史 吃💩",
    "骗子": "骗zi 骗纸 pian子 骗z",
    "不要脸": "不要face 不要lian 不要b脸 不要碧莲 不要逼脸 不要比脸 不要bi脸 臭不要碧莲",
    "放屁": "放p 放pi fang屁 放辟",
    "屁话": "p话 pi话 屁hua",
    "死妈": "司马玩意 司马东西 司马客服 司马商家 司马店 司马平台 死ma s妈 死m东西 死m客服 死马东西 四马东西",
    "约炮": "约p 约pao 约泡",
    "fuck": "法克鱿 法克 发克",
}
# A character written as its parts.
SPLIT: dict[str, str] = {
    "你妈": "亻尔女马 亻尔妈 你女马 尼女马 亻尔马 亻尔吗",
    "操你妈": "扌喿你妈 扌喿亻尔女马 操你女马 草你女马 操亻尔女马 操亻尔妈 艹亻尔女马 日亻尔女马 艹你女马",
    "妈的": "女马白勺 女马的",
    "他妈的": "他女马的 亻也女马的 亻也妈的",
    "你": "亻尔",
    "狗": "犭句",
    "贱": "贝戋",
    "婊子": "女表子",
    "滚": "氵衮",
    "操": "扌喿 扌操",
    "屎": "尸米",
    "屌": "尸吊",
    "傻逼": "亻夋逼 亻傻逼 傻辶畐",
    "畜生": "玄田生",
    "脑残": "月囟残 脑歹戋 月囟歹戋",
    "强奸": "弓虽女干 强女干 弓虽奸",
}
# An emoji for a syllable.
EMOJI: dict[str, str] = {
    "你妈": "你🐴 你🐎 尼🐴 尼🐎 泥🐴 泥🐎 n🐴 nm🐴 您🐴 你🐴的 你🐎的",
    "操你妈": "草泥🐴 草泥🐎 草你🐴 草你🐎 操你🐴 操你🐎 艹你🐴 艹你🐎 艹尼🐴 操尼🐴 c你🐴 🌿你🐴 🌿泥🐴 🌿🐴 🌿你妈 日你🐴 日你🐎 🌿泥🐎 🌿尼玛",
    "去你妈的": "去你🐴 去你🐎 去尼🐴 去你🐴的 滚你🐴 滚你🐎",
    "你妈死了": "你🐴死了 你🐎死了 nm🐴死了 你🐴没了 你🐎没了 你🐴炸了 你🐎炸了 尼🐴死了 🐴死了 🐎死了",
    "没妈": "没🐴 没🐎 无🐴 🈚🐴",
    "死妈": "死🐴 死🐎 司🐴 4🐴",
    "傻逼": "傻🅱 傻🖊 煞🖊 沙🖊 🦈笔 🦈🖊 🦈比 🦈b 傻🐔 傻🐶 傻🐂 傻🐦 傻🐤 🤪b 🤡b 🦈逼 傻🖍 傻✏",
    "他妈的": "他🐴的 他🐎的 特🐴 踏🐴 他🐴",
    "狗": "🐶日的 🐶娘养的 🐶养的",
    "狗东西": "🐶东西 🐕东西 🐶玩意 🐶玩意儿",
    "狗逼": "🐶逼 🐶b 🐶比 🐶币 🐕逼",
    "鸡巴": "🐔巴 🐔吧 🐔8 🐥巴",
    "鸡毛": "你🐔毛",
    "滚蛋": "滚🥚 🎱蛋 滚🐣",
    "王八蛋": "王八🥚 🐢蛋 🐢孙 王8🥚",
    "猪": "🐷头 🐷脑 🐖脑 🐷脑子",
    "垃圾": "垃🐔 辣🐔 拉🐔 🌶🐔",
    "卧槽": "卧🌿 我🌿",
    "脑残": "🧠残 脑🦽",
    "脑瘫": "🧠瘫",
}
# Plain words: only a spelling with something between the characters is an evasion (傻*逼, 脑 残).
PLAIN: tuple[str, ...] = tuple(
    "傻逼 操你妈 日你妈 去你妈 去你妈的 你妈死了 你妈逼 你妈的 他妈的 妈了个逼 妈卖批 脑残 智障 弱智 脑瘫 贱人 贱货 婊子 畜生 畜牲 王八蛋 狗日的 狗东西 狗逼 "
    "傻屌 傻叉 傻缺 傻吊 去你大爷 去你大爷的 操你大爷 死全家 全家死光 滚犊子 滚蛋 杂种 鸡巴 废物 垃圾 卧槽 我操 死妈 强奸 不要脸 骗子 黑店 黑心".split()
)
# Canonical where it isn't the plain word itself.
_SHOP_WORDS = "客服 店 商家 卖家 平台 东西 玩意 售后 快递 公司 主播 策划 官方 京东 淘宝 美团 骑手 老板 机器人 系统 店家 服务 物流 师傅"
# Ambiguous spellings: canonical, characters or words of which one must stand right before, or right after. "^" is the
# start of the text or punctuation or a space.
IN_CONTEXT: dict[str, tuple[str, str, str]] = {
    "tm": ("他妈", "你 我 他 她 它 们 太 真 都 还 就 全 别 再 又 是 没 贼 么 啥 也 才 在 竟 能 给 这 那 家 服 谁 真的", "的 还 就 会 是不是"),
    "md": ("妈的", "^", "智障 制杖 傻 什么 气死 退 说 骗 早 这 老 我 一 ! , 。 "),
    "zz": ("智障", "个 真 群 帮 堆 些 大 看 是 死 的 你", _SHOP_WORDS + " 吧 吗 话 男 女 行为"),
    "nt": ("脑瘫", "个 真 群 帮 堆 些 是 死 你 是不是", _SHOP_WORDS + " 吧 吗"),
    "nc": ("脑残", "个 真 群 帮 堆 些 死", _SHOP_WORDS + " 吧"),
    "lj": ("垃圾", "个 真 群 帮 堆 些 死 么 太 是", _SHOP_WORDS + " 质量 货 产品 手机 软件"),
    "jb": ("鸡巴", "瞎 贼 么 啥 个 活 真 你 算", "玩意 东西 毛 扯 事 烂"),
    "j8": ("鸡巴", "瞎 么 啥 个 你 算", "玩意 东西 毛"),
    "nm": ("你妈", "去 你 操 草 艹 日 催 叫 换 等 退 你个 滚 耐 抱歉", "的质量 的品质 的核实 没了 死 炸 了个 呢 🐴"),
    "2b": ("二逼", "个 真 群 帮 是", _SHOP_WORDS + " 吧 吗 青年"),
    "二b": ("二逼", "个 真 群 帮 是", _SHOP_WORDS + " 吧 吗 青年"),
    "辣鸡": ("垃圾", "个 真 群 帮 死 么 太", _SHOP_WORDS + " 质量 货 产品 手机 软件 游戏"),
    "狗比": ("狗逼", "个 群 帮 死", _SHOP_WORDS),
    "出生": ("畜生", "你个 群 帮 这个 是个", "东西 玩意 客服 商家 店家 不如"),
    "司马": ("死妈", "你个 群 帮 全家", _SHOP_WORDS),
    "你马": ("你妈", "操 草 艹 日", "死了 没了 炸了 逼 的逼 b"),
    "泥马": ("你妈", "操 草 艹 日 去 卧", "死了 没了 逼 呢"),
    "sx": ("傻逼", "你个 真 群 帮 大", "客服 商家 东西 玩意"),
    "傻子": ("傻逼", "", ""),
}
# Look-alikes that win over a shorter spelling inside them. They change nothing in the text.
HARMLESS: tuple[str, ...] = tuple(
    "沙比利 沙雕图 沙雕网友 沙雕视频 沙雕动画 沙雕艺术 沙雕展 沙雕节 沙雕作品 沙雕公园 沙雕表情 沙雕头像 沙雕文案 沙雕可爱 豆沙雕 沙雕泥塑 沙雕手工 沙雕玩具 "
    "尼玛县 尼玛乡 尼玛镇 尼玛泽仁 尼玛次仁 尼玛扎西 尼玛卓玛 尼玛石 尼玛堆 玛尼玛 草泥马公仔 草泥马玩偶 草泥马毛绒 草泥马抱枕 草泥马玩具 草泥马挂件 草泥马娃娃 "
    "我草莓 我草坪 我草席 我草本 我草稿 我草帽 我草鞋 我草药 我草原 我草地 我草编 我草图 我草率 我草绿 我草书 我草草 我草头 我草种 我草籽 我草料 我草根 我草籽 我草履 我草木 我草酸 我槽 "
    "踏马路 踏马桶 踏马而 踏马归 踏马镫 踏马飞 踏马蹄 踏马鞍 特么样 独特么 奇特么 模特么 特别么 莫代特么 比特么 瓦特么 凯特么 推特么 忒么 勒色块 乐色彩 快乐色 音乐色 娱乐色 喜乐色 "
    "智障碍 艹字头 艹头 艹字 拉及时 拉级别 拉级数 马拉及 法克曼 发克林 约泡 约泡沫 约泡脚 约泡温泉 约p图 沙币 沙壁挂 沙壁纸 沙笔记 沙笔筒 沙比较 傻比较 莎比较 莎笔记 杀笔记 鲨比较 沙比得 杀币种 "
    "砂比例 沙比例 砂比较 纱比较 纱比例 杀比 莎笔袋 纱比亚 莎比亚 狗币圈 狗狗币 狗批发 热狗批 狗笔记 狗笔袋 狗批量 猫狗批 手推狗批 狗p图 狗pi 脑摊 电脑摊位 电脑摊 电脑c 电脑can 电脑can口 电脑滩 电脑餐 电脑馋 "
    "弱只 若智能 弱智能 脑残疾 弱智力 智障者 知障 智张 智张开 明智张 才智张 电脑坍 特m 特mini 特么事 妮玛 玛德拉 玛德琳 玛德里 玛德莲 迪玛德 玛的珠 玛的平安 阿玛的 罗玛的 珠玛的 奥玛的 欧玛的 "
    "麻蛋糕 麻蛋卷 麻蛋黄 麻蛋散 麻蛋花 麻蛋酥 芝麻蛋 码蛋糕 妈蛋糕 玛的 玛德 沃草坪 沃草 卧草地 卧草坪 卧cd 卧chuang 窝草垫 窝草席 窝草编 窝草莓 窝草 擦你妈妈 草你妈妈 寄吧台 几吧台 勾巴 下寄吧 "
    "鸡吧 鸡b餐 鸡b套餐 鸡b款 鸡ba 吃史密 吃史云生 吃史努比 吃史诗 吃史 吃s码 放p图 放pin 放pi币 放pp 放pvc 放pe 放p 骗zip 约p 杂z 狗b款 狗b粮 狗b套餐 狗b 触生漆 触生物 畜s 废w 废wi 咋种植 咋种菜 咋种的 咋种花 咋种 "
    "他m码 他ma码 他md 特mp 尼m码 你m码 你m号 你md5 你mb 你m的尺码 m的尺码 m的码 m的裤 m的衣 m的呢 m的吗 m的有 m的能 m的可 m的换 m的还 m的 是m的 拍m的 "
    "傻p 煞p 傻皮子 傻啤 s比 s比m s比l s比较 垃j 狗p 贱r 垃级 垃极 鸡8折 鸡8 p话 p话费 ip话 pi话 傻瓜 2b铅笔 2b橡皮 2b笔 2b自动铅笔 二b铅笔 tm商标 tm标 lj电缆 zz正确 zz黑料 nm的芯片 nm制程 nm的制程 nt$ nt卷 你🐴年 你🐎年 "
    "你女马甲 你女马靴 你女马丁 女马的 亻尔玉 司马懿 司马光 司马迁 沙笔 沙碧 傻闭 初生东西 出生玩意 强女干 装b 装逼 大箭人 箭人 裱子 俵子 裱字 s比 勾八股 吉八字 法克 发克 曹你妈 傻13 大sb码".split()
)
