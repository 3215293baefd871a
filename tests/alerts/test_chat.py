"""DingTalk, WeCom and Feishu: Apprise reads their addresses, and what goes out is what each of them documents.

The plugins' own addresses are pointed at a local server; everything else is as in service.
"""

import base64
import hashlib
import hmac
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from fenzhen.alerts.channel import NotDelivered
from fenzhen.alerts.chat import ChatChannel
from fenzhen.alerts.config import Target
from fenzhen.alerts.wording import digest, line

Make = Callable[..., Any]


def opened(url: str, hook: Any) -> ChatChannel:
    channel, here = ChatChannel(Target(name="群", url=url), timeout=2.0), f"http://127.0.0.1:{hook.port}"
    plugin: Any = channel.plugin
    match type(plugin).__name__:
        case "NotifyDingTalk":
            plugin.notify_url = here + "/robot/send?access_token={token}"
        case "NotifyWeComBot":
            plugin.api_url = plugin.api_url.replace("https://qyapi.weixin.qq.com", here)
        case "NotifyFeishu":
            plugin.notify_url = here + "/open-apis/bot/v2/hook/{token}/"
    return channel


def test_dingtalk(webhook: Make, event: Make) -> None:
    hook = webhook(answers=[(200, '{"errcode":0,"errmsg":"ok"}')])
    opened("dingtalk://abc123/13812345678", hook).deliver([event()])
    [(path, headers, body)] = hook.got
    assert path == "/robot/send?access_token=abc123"
    assert headers["Content-Type"].startswith("application/json")
    assert body == {
        "msgtype": "text",
        "text": {"content": line(event())},
        "at": {"atMobiles": ["13812345678"], "isAtAll": False},
    }


def test_dingtalk_signs_as_documented(webhook: Make, event: Make) -> None:
    hook = webhook(answers=[(200, '{"errcode": 0}')])
    channel = opened("dingtalk://SECsecret1@abc123/", hook)
    for _ in range(20):
        channel.deliver([event()])
    for path, _, _ in hook.got:
        query = parse_qs(urlsplit(path).query, strict_parsing=True)
        [at], [sign] = query["timestamp"], query["sign"]
        expected = hmac.new(b"SECsecret1", f"{at}\nSECsecret1".encode(), hashlib.sha256).digest()
        assert base64.b64decode(sign, validate=True) == expected


def test_wecom(webhook: Make, event: Make) -> None:
    hook = webhook(answers=[(200, '{"errcode":0,"errmsg":"ok"}')])
    opened("wecombot://k-e_y1", hook).deliver([event("a"), event("b")])
    assert hook.got[0][0] == "/cgi-bin/webhook/send?key=k-e_y1"
    assert hook.bodies == [{"msgtype": "text", "text": {"content": digest([event("a"), event("b")])}}]


def test_wecom_by_its_own_address(webhook: Make, event: Make) -> None:
    hook = webhook(answers=[(200, '{"errcode":0}')])
    opened("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=k-e_y1", hook).deliver([event()])
    assert hook.got[0][0] == "/cgi-bin/webhook/send?key=k-e_y1"


def test_feishu(webhook: Make, event: Make) -> None:
    hook = webhook(answers=[(200, '{"code":0,"msg":"success"}')])
    opened("feishu://t-o_k1", hook).deliver([event()])
    assert hook.got[0][0] == "/open-apis/bot/v2/hook/t-o_k1/"
    assert hook.bodies == [{"msg_type": "text", "content": {"text": line(event())}}]


@pytest.mark.parametrize(
    ("url", "answer", "said"),
    [
        ("dingtalk://abc", '{"errcode":310000,"errmsg":"keywords not in content"}', "errcode 310000"),
        ("dingtalk://abc", "<html>proxy</html>", "without errcode"),
        ("wecombot://abc", '{"errcode":45009,"errmsg":"api freq out of limit"}', "errcode 45009"),
        ("feishu://abc", '{"code":11232,"msg":"frequency limited"}', "refused with 11232"),
    ],
)
def test_a_refusal_with_http_200_is_a_refusal(url: str, answer: str, said: str, webhook: Make, event: Make) -> None:
    channel = opened(url, webhook(answers=[(200, answer)]))
    with pytest.raises(NotDelivered, match=said) as caught:
        channel.deliver([event()])
    assert caught.value.again


def test_text_stays_text_whatever_the_address_asks_for(webhook: Make, event: Make) -> None:
    hook = webhook()
    opened(f"json://127.0.0.1:{hook.port}/", hook).deliver([event(text="**原样** &amp; :smile: \\n")])
    assert "原话:**原样** &amp; :smile: \\n" in hook.messages[0]


def test_nothing_sleeps_between_messages(webhook: Make, event: Make) -> None:
    """Apprise of its own waits 5.5 s between two messages to Feishu."""
    hook = webhook(answers=[(200, '{"code":0}')])
    channel = opened("feishu://abc", hook)
    began = time.monotonic()
    for number in range(3):
        channel.deliver([event(f"{number}")])
    assert len(hook.got) == 3 and time.monotonic() - began < 5
