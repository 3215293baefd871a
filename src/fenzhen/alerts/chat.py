"""Chats through Apprise, imported when the first target is opened: it is the extra `alerts`, and slow to import.

Apprise reads the address and knows each service's form. What it does not do is done here: DingTalk and WeCom refuse
with HTTP 200 and an `errcode`, which Apprise 2.3 takes for sent, and it encodes DingTalk's signature twice; those two
are posted here with what its plugin read from the address. Its log holds addresses and tokens: none of it is let out.
"""

import logging
import re
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlencode

from fenzhen.alerts.channel import NotDelivered, post_json
from fenzhen.alerts.config import AlertError, Target
from fenzhen.alerts.event import AlertEvent
from fenzhen.alerts.wording import digest, line

if TYPE_CHECKING:
    from apprise import NotifyBase

LATE = 120.0  # seconds after which a message says when it happened
_STATUS = re.compile(r"\b(?:error|code)=(-?\d+)")


class ChatChannel:
    """The channel of one Apprise address. `timeout`: seconds to connect, and again for each read."""

    together = True

    def __init__(self, target: Target, *, timeout: float = 5.0) -> None:
        """Raises AlertError where Apprise is missing or can't use the address."""
        self.plugin = _opened(target)
        self._said = _LastWords()
        self.plugin.logger = self._said.logger
        self.plugin.request_rate_per_sec = 0.0  # of its own it would sleep 5.5 s between messages; `limit` says when
        self.plugin.socket_connect_timeout = self.plugin.socket_read_timeout = timeout
        self._timeout = timeout

    def deliver(self, events: Sequence[AlertEvent]) -> None:
        [first, *others] = events
        late = time.time() - first.at.timestamp() > LATE
        text = digest(events) if others else line(first, late=late)
        match type(self.plugin).__name__:
            case "NotifyDingTalk":
                _dingtalk(self.plugin, text, self._timeout)
            case "NotifyWeComBot":
                _wecom(self.plugin, text, self._timeout)
            case _:
                self._apprise(text)

    def _apprise(self, text: str) -> None:
        self._said.last = ""
        try:
            sent = self.plugin.notify(body=text, notify_type="warning", body_format="text")
        except Exception as error:  # whatever a plugin of Apprise raises, it was not delivered
            raise NotDelivered(type(error).__name__) from None
        if not sent:
            status = _STATUS.search(self._said.last)
            raise NotDelivered(f"refused with {status[1]}" if status else "no connection or refused")


def _opened(target: Target) -> "NotifyBase":
    try:
        import apprise
    except ImportError as error:
        raise AlertError(
            f"target {target.name!r} needs Apprise, found none ({error.name}); pip install 'fenzhen[alerts]'"
        ) from None
    for name in ("apprise", "urllib3.connectionpool"):  # they log addresses, at DEBUG at least
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    asset = apprise.AppriseAsset(storage_mode="memory", app_id="fenzhen", app_desc="分诊")
    asset.http_redirects = False  # a redirected POST becomes a GET, which any page answers
    plugin = apprise.Apprise.instantiate(target.url, asset=asset)
    if plugin is None:
        scheme = target.url.partition("://")[0]
        raise AlertError(
            f"target {target.name!r}: found an address {scheme}://… that Apprise can't use, expected one such as "
            "dingtalk://TOKEN, wecombot://KEY, feishu://TOKEN or json://HOST:PORT/PATH; see Apprise's page on it"
        )
    return plugin


def _dingtalk(plugin: Any, text: str, timeout: float) -> None:
    # https://open.dingtalk.com/document/robots/custom-robot-access: the signature is encoded once.
    url = plugin.notify_url.format(token=plugin.token)
    if plugin.secret:
        at, signature = plugin.get_signature()
        url += "&" + urlencode({"timestamp": at, "sign": unquote(signature)})
    body = {"msgtype": "text", "text": {"content": text}, "at": {"atMobiles": plugin.targets, "isAtAll": False}}
    _check_code(post_json(url, body, {}, timeout))


def _wecom(plugin: Any, text: str, timeout: float) -> None:
    # https://developer.work.weixin.qq.com/document/path/91770
    _check_code(post_json(plugin.api_url, {"msgtype": "text", "text": {"content": text}}, {}, timeout))


def _check_code(answer: bytes) -> None:
    """Raises NotDelivered unless the answer says `errcode: 0`; any other may pass: limits, keywords being changed."""
    found = re.search(rb'"errcode"\s*:\s*"?(-?\d+)', answer)
    if found is None or found[1] != b"0":
        raise NotDelivered("an answer without errcode" if found is None else f"refused with errcode {int(found[1])}")


class _LastWords(logging.Handler):
    """A logger of its own for one plugin, connected to none: keeps what was warned of last."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.last = ""
        self.logger = logging.Logger("fenzhen.alerts.apprise", logging.WARNING)
        self.logger.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        self.last = record.getMessage()
