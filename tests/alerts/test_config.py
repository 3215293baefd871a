"""alerts.yaml: what is read, what is refused and with which words."""

from collections.abc import Callable
from pathlib import Path

import pytest

from fenzhen.alerts.alerts import Alerts
from fenzhen.alerts.config import AlertConfig, AlertError

EXAMPLE = Path(__file__).resolve().parents[2] / "serving" / "alerts.yaml.example"
SECRETS = {"DINGTALK_TOKEN": "a" * 64, "WECOM_KEY": "k-1", "FEISHU_TOKEN": "f-1", "TICKET_TOKEN": "t-1"}


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., AlertConfig]:
    def loaded(text: str, **environment: str) -> AlertConfig:
        path = tmp_path / "alerts.yaml"
        path.write_text(text, encoding="utf-8")
        return AlertConfig.load(path, environment)

    return loaded


def test_the_example_can_be_opened() -> None:
    config = AlertConfig.load(EXAMPLE, SECRETS)
    assert [target.name for target in config.targets] == ["售后群", "专家群", "零食店飞书群", "值班大屏"]
    assert config.targets[0].url == "dingtalk://" + "a" * 64 and config.targets[0].per_minute == 18
    assert config.tickets[0].headers == {"Authorization": "Bearer t-1"}
    alerts = Alerts(config)
    alerts.close()


def test_what_is_not_written_is_everything(load: Callable[..., AlertConfig]) -> None:
    config = load('targets: [{name: a, url: "json://h"}]\ntickets: [{name: b, url: "https://h"}]')
    assert config.targets[0].events == ("urgent", "stall", "notice") and config.tickets[0].events == ("urgent",)
    assert config.targets[0].shops == () and config.tickets[0].headers == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("target: []", "'target', expected one of targets, tickets; unknown key; nearest known: targets"),
        ('targets: [{name: a, url: "json://h", event: [urgent]}]', "nearest known: events"),
        ('targets: [{name: a, url: "json://h", events: [urgnt]}]', "targets[0].events: found 'urgnt', expected one of"),
        ('targets:\n  - {name: a, url: "json://h"}\n  - {name: b}', "line 3: targets[1].url: found nothing"),
        ('targets: [{name: a, url: "json://h", per_minute: 0}]', "per_minute: found 0, expected a whole number from 1"),
        ('targets: [{name: a, url: "json://h", per_minute: "20"}]', "expected a whole number from 1"),
        ('targets: [{name: a, url: "json://h"}, {name: a, url: "json://h"}]', "the name 'a' twice"),
        ("targets: {}", "targets: found 'dict', expected a list"),
        ("targets: []", "found neither targets nor tickets"),
        ("", "found nothing, expected a mapping with targets, tickets"),
        ("targets: [{", "not valid YAML"),
        ('tickets: [{name: a, url: "json://h"}]', "expected an http or https address"),
        ('tickets: [{name: a, url: "https://me:pw@h/"}]', "secrets in headers"),
        ('tickets: [{name: a, url: "https://h:99999/"}]', "expected an http or https address"),
        ('tickets: [{name: a, url: "https://h", per_minute: 3}]', "unknown key"),
        ('tickets: [{name: a, url: "https://h", headers: {"a b": c}}]', "a header a b with one line of ASCII text"),
        ('targets: [{name: a, url: "json://${NOT_SET}/"}]', "a value in the environment variable NOT_SET; export"),
        ('targets: [{name: a, url: "json://${FENZHEN_TOKEN}/"}]', "doesn't begin with FENZHEN_"),
        ('targets: [{name: a, url: "json://${}/"}]', "the name of an environment variable"),
        ('targets: [{name: a, url: "json://${BROKEN}/"}]', "one line without spaces in BROKEN"),
        ("targets: [{name: yes, url: a}]", "found yes without quotes"),
    ],
)
def test_what_is_wrong_is_said(text: str, said: str, load: Callable[..., AlertConfig]) -> None:
    with pytest.raises(AlertError) as caught:
        load(text, BROKEN="a\nb")
    assert said in str(caught.value) and "alerts.yaml" in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "targets: json://hunter22",
        "targets: [json://hunter22]",
        "targets: [{name: a, url: [json://hunter22]}]",
        'targets: [{name: a, url: "hunter22 hunter22"}]',
        'targets: [{"json://hunter22": a}]',
        'targets: [{name: a, url: "json://hunter22", event: 1}]',
        'targets: [{name: a, url: "json://hunter22"}, {name: a, url: "json://hunter22"}]',
        'tickets: [{name: a, url: "json://hunter22"}]',
        'tickets: [{name: a, url: "https://h", headers: {A: [hunter22]}}]',
        'tickets: [{name: a, url: "https://h", headers: [hunter22]}]',
        'targets: [{name: a, url: "json://${T}"}]',
        'targets: [{name: a, url: "json://hunter22" x}]',
    ],
)
def test_no_message_shows_a_secret(text: str, load: Callable[..., AlertConfig]) -> None:
    with pytest.raises(AlertError) as caught:
        load(text, T="hunter22 hunter22")
    assert "hunter22" not in str(caught.value)
    assert caught.value.__cause__ is None and caught.value.__context__ is None, "a traceback would show more"


@pytest.mark.parametrize("url", ["nosuch://hunter22", "dingtalk://hunter22-!!", "json://", "wecombot://hunter22!"])
def test_an_address_that_apprise_refuses(
    url: str, load: Callable[..., AlertConfig], capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(AlertError, match=r"target '群'|expected an address") as caught:
        Alerts(load(f'targets: [{{name: 群, url: "{url}"}}]'))
    assert "hunter22" not in str(caught.value) + capfd.readouterr().err
