"""Tables of platform markup: placeholder tokens, emoji classes, bracket names, 旺旺 and WeChat codes; data only.

It does not know every emoji: what is missing here becomes `[E:其他]`, and an unknown `[名字]` stays as typed.
All keys are in the form that `normalise` sees them in: NFKC, simplified, lower case.
"""

MARKER = "[变体]"
EMOJI_CLASSES: tuple[str, ...] = ("笑", "爱", "赞", "谢", "哭", "怒", "汗", "疑", "惊", "踩", "难过", "其他")
PLACEHOLDERS: tuple[str, ...] = (
    *("[NUM]", "[URL]", "[ORDER]", "[PRODUCT]", "[PHONE]", "[ADDR]", "[NAME]", "[TIME]", "[MONEY]", "[EMAIL]"),
    *("[IMG]", "[CARD]", "[SITE]"),
    *(f"[E:{name}]" for name in EMOJI_CLASSES),
    MARKER,
)

# Unicode emoji by class. Modifiers (skin tones, ZWJ, variation selectors) are taken off before the look-up.
EMOJI_OF_CLASS: dict[str, str] = {
    "笑": "😀😁🤣😃😄😅😆😉😊😋😎🙂☺☻😏😜😝😛🤪😸😹😺😌🤗🤭😇🤓🥳🎉🎊😬🙃🌝🌚🤠😂",
    "爱": "😍🥰😘😗😙😚🤩😻😽❤♥💕💖💗💓💞💘💝💟💛💚💙💜🖤🤍🤎🧡❣💌💋♡",
    "赞": "👍💪👏👌✌🤝✊🙌💯🆒🔥⭐🌟✨✅✔🏆🥇👑🎁🧧💐🌻🌸🌷☀🆗🤙🌞",
    "谢": "🙏🌹🙇🫶🤲",
    "哭": "😭😢🥲😿💔🥀",
    "怒": "😡😠🤬👿😤💢😾🔪💣👊🤛🤜💥😈",
    "汗": "😓🥵😰😥😪🙄😑😐😶😒🤦🤷🙈🙉🙊💦🤐🥴😵🫠🤥🫥🤡",
    "疑": "🤔🧐🤨😕🔍🕵👀",
    "惊": "😱😲😮😯😳🤯😨😧😦🙀⚠🆘🚨",
    "踩": "👎💩🤮🤢❌✘✖🙅🚫🤕🤒😷☠💀",
    "难过": "😞😔😟🙁☹😣😖😫😩🥺🥹",
}
EMOJI: dict[str, str] = {char: f"[E:{name}]" for name, chars in EMOJI_OF_CLASS.items() for char in chars}

# Symbols that stand for a plain character in what buyers type ("➕微信", "❓").
PLAIN_SYMBOLS: dict[str, str] = {
    "➕": "+", "➖": "-", "❓": "?", "❔": "?", "❗": "!", "❕": "!", "〜": "~", "∼": "~", "～": "~",
    "“": '"', "”": '"', "‘": "'", "’": "'", "—": "-", "–": "-", "―": "-", "−": "-", "‐": "-",
    "•": "·", "⋯": "...", "・": "·",
}  # fmt: skip

# Names in square brackets (also `#E-名` and `/名`): Weibo, WeChat, JD, Taobao, Douyin.
_NAMES_OF_CLASS: dict[str, str] = {
    "笑": "哈哈 嘻嘻 偷笑 呵呵 笑哈哈 太开心 微笑 可爱 开心 呲牙 憨笑 大笑 傻笑 得意 得意地笑 偷乐 做鬼脸 鬼脸 "
    "调皮 耶 噢耶 酷 愉快 "
    "害羞 羞嗒嗒 阴险 坏笑 奸笑 捂脸笑 笑脸 笑 破涕为笑 笑cry 嘿哈 机智 smile grin chuckle laugh haha joyful "
    "tongue tooth doge 旺柴 狗头 "
    "挤眼 顽皮 憨厚 悠闲 庆祝 烟花 礼花 舔屏 馋嘴 色 傲慢 奋斗 吃瓜 馋 撇嘴笑 露齿笑 享受 天使 跳舞 萌 兔子 熊猫 "
    "cool 灵光一闪 飙泪笑 惊喜 滑稽 笑哭 魔性笑 星星眼 吐舌头 捂嘴",
    "爱": "爱你 爱 心 爱心 花心 亲亲 飞吻 好喜欢 花痴 好爱哦 抱抱 拥抱 爱心传递 给你小心心 么么哒 比心 红心 爱慕 "
    "示爱 love heart hug kiss 亲 嘴唇 "
    "红唇 送心 吻 心动 抱抱你",
    "赞": "赞 good 鼓掌 威武 给力 强 加油 ok 顶 强壮 胜利 棒 点赞 牛 厉害 成交 好的 大拇指 拳头 帅 奥特曼 带感 "
    "礼物 蛋糕 太阳 干杯 庆祝 "
    "thumbsup strong clap yeah victory 耶耶 赞同 心形礼物 666 加油加油 好主意 红包 福 發 鲜花 送花 举杯庆祝 握手 来",
    "谢": "谢谢 作揖 抱拳 玫瑰 祈祷 合十 鞠躬 感谢 双手合十 跪了 求 rose salute 拜托 对不起 许愿 蜡烛 玫瑰花 pray",
    "哭": "泪 大哭 流泪 泪流满面 眼泪 哭 苦涩 快哭了 痛哭 悲泣 凋谢 心碎 sob cry 哭泣 裂开 brokenheart 残花",
    "怒": "怒 愤怒 发怒 抓狂 怒骂 生气 哼 右哼哼 左哼哼 咒骂 骂 炸弹 敲打 菜刀 刀 大怒 angry scowl 暴怒 想揍人 "
    "欠扁 白眼狼 火大 气愤 拍桌 打脸 炸裂 冒火",
    "汗": "汗 黑线 巨汗 流汗 尴尬 无语 摊手 囧 好囧 允悲 捂脸 衰 晕 白眼 翻白眼 发呆 无奈 冷汗 擦汗 facepalm "
    "sweat speechless 皱眉 呆 闭嘴 浮云 "
    "费解 打脸了 困 睡觉 睡 打哈气 打哈欠 懒得理你 挖鼻屎 挖鼻 抠鼻 抠鼻屎 抠鼻子 嘘 咸鱼 黑脸 社会社会 苦笑 "
    "shhh drowsy awkward 无聊 语塞 傻眼 好累 摇头",
    "疑": "疑问 思考 疑惑 问号 问 迷惑 怀疑 好奇 围观 猜 嗅 confused puzzled think 思索 查找 看 eyes",
    "惊": "吃惊 惊恐 震惊 惊讶 惊愕 害怕 恐惧 吓 骷髅 惊吓 scream surprise shocked 惊声尖叫 哇 wow 天啊 不会吧 "
    "呆若木鸡",
    "踩": "弱 鄙视 吐 差劲 最差 不要 便便 呕吐 恶心 踩 屎 weak puke 猪头 no 鄙视你 ng 差 闭嘴吧 拒绝 草泥马 呸 病毒",
    "难过": "可怜 悲伤 伤心 失望 委屈 难过 生病 撇嘴 失落 崩溃 感冒 忧伤 concerned sad frown 糗大了 凄凉 "
    "脸红心碎 心痛 哀伤 grievance toasted 流感 可怜巴巴 小情绪 为难 "
    "whimper 叹气 emo",
    "其他": "表情 emoji 咖啡 雪 月亮 话筒 钱 鲜花花 微风 猪 围脖 汽车 照相机 飞机 手套 落叶 雪人 国旗 绿丝带 "
    "自拍 再见 拜拜 bye 啤酒 西瓜 米饭 药 "
    "转发 超话 江南style din推撞 bed凌乱 书呆子 神马 求关注 脸红 转圈 跳跳 发抖 怄火 磕头 回头 跳绳 投降 激动 "
    "乱舞 献吻 左太极 右太极 勾引 勾手指 小二",
}
_MASKS: dict[str, str] = {
    "[NUM]": "数字 号码 身份证号 身份证 银行卡 银行卡号 税号 微信号 价保商品数量 num number idcard qq",
    "[URL]": "链接 网址 url link 网页链接 小程序",
    "[ORDER]": "订单 订单号 订单编号 运单号 快递单号 order orderid",
    "[PRODUCT]": "商品 商品快照 商品链接 宝贝 宝贝链接 product sku",
    "[PHONE]": "电话 手机号 手机 电话号码 手机号码 phone tel mobile",
    "[ADDR]": "地址 收货地址 addr address 位置 定位",
    "[NAME]": "姓名 人名 昵称 用户名 name userid user",
    "[TIME]": "时间 日期 time date",
    "[MONEY]": "金额 价格 价保金额(单件) money price",
    "[EMAIL]": "邮箱 email 电子邮箱",
    "[IMG]": "图片 视频 语音 截图 照片 文件 动画表情 img image video picture 视频通话 语音通话",
    "[CARD]": "卡片 订单卡片 商品卡片 card 优惠券卡片",
    "[SITE]": "站点 组织机构 机构 网点 site",
}
NAMED: dict[str, str] = {
    **{name: f"[E:{group}]" for group, names in _NAMES_OF_CLASS.items() for name in names.split()},
    **{name + tail: token for token, names in _MASKS.items() for name in names.split() for tail in ("", "x")},
    **{token[1:-1].lower(): token for token in PLACEHOLDERS},
}
# Names safe to read after a bare slash ("/玫瑰"); short ones like "/强" stay, since slashes also separate words.
_SLASH_NAMES = (
    "微笑 呲牙 流泪 大哭 玫瑰 偷笑 可怜 发怒 抓狂 鼓掌 抱拳 害羞 委屈 调皮 "
    "流汗 尴尬 疑问 憨笑 可爱 撇嘴 发呆 白眼 凋谢 心碎"
)
SLASH_NAMES: tuple[str, ...] = tuple(_SLASH_NAMES.split())

# 旺旺 codes ("/:^_^") and WeChat codes ("/::)"), by class.
_CODES_OF_CLASS: dict[str, str] = {
    "笑": "^_^ ^$^ q 815 ^o^ 081 ^w^ 072 065 818 007 o=o man girl :) :d :p 8-) ,@-d ,@p :> :,@",
    "爱": "809 087 086 h ^x^ 814 lip y :b :* hug heart love lvu kiss showlove",
    "赞": "012 806 b 071 803 805 073 (ok) 8*8 u*u (&) 075 008 ok strong v handclap share gift beer jj",
    "谢": "-f )-( 819 rose @)",
    "哭": "018 >o< 020 -w qp :< :'( break fade p-(",
    "怒": "808 >w< 043 039 048 :@ :-@ bome @@ hiphiphop knife",
    "汗": '811 802 083 026 079 084 \'"" *&* 044 812 067 (zz...) :-| :| :x :z :! wipe ,@! ,@o ,@f ,@@ --b dig &-( @x',
    "疑": "? 817 801 066 080 :? ? xx",
    "惊": "069 o 816 047 :o :! 8* :0 ,@x",
    "踩": "p >@< 036 068 weak bad no pd :t >-|",
    "难过": "810 027 >_< 076 077 028 >m< :( :~ p-( :q ,@~ -_-",
    "其他": '! " 807 813 804 085 015 074 045 046 052 % @ ~b clock r c plane $ 813 074 bye pig moon sun oo '
    "basketb coffee eat cake li footb :l",
}
CODES: dict[str, str] = {f"/:{c}": f"[E:{group}]" for group, codes in _CODES_OF_CLASS.items() for c in codes.split()}
_FACES_OF_CLASS: dict[str, str] = {
    "汗": "╮(╯▽╰)╭ ╮(╯_╰)╭ -_-||| -_-|| -_-! -_-b (-_-) -_-# orz 囧rz (=_=)",
    "笑": "(^_^) ^_^ ^o^ ^ω^ ^▽^ (^o^) o(∩_∩)o ≧▽≦ ^-^ (*^_^*) (*^▽^*)",
    "哭": "t_t t^t 〒▽〒 〒_〒 ┭┮﹏┭┮ qaq qwq ╥﹏╥ tat π_π (t_t) ┬_┬",
    "难过": ">_< >﹏< (>_<) ╯﹏╰ ╯_╰ (╯_╰)",
    "怒": "(╯‵□′)╯︵┻━┻ (╯°□°)╯ ╰_╯",
    "惊": "o_o 0_0 ⊙_⊙ (⊙o⊙) ⊙o⊙ ⊙﹏⊙ °△°",
}
KAOMOJI: dict[str, str] = {f: f"[E:{group}]" for group, faces in _FACES_OF_CLASS.items() for f in faces.split()}
