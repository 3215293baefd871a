"""`fenzhen policy simulate`: what another policy changes on a chat log, by the released model."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fenzhen.defaults import default_file

Command = Callable[..., tuple[int, str, str]]
POLICY = default_file("policy.yaml")
SHIPPED = POLICY.read_text(encoding="utf-8")
URGENT = 'then: {action: handoff, group: expert, priority: urgent, note: "先确认诉求与订单,给出明确的处理时限"'
AFTERSALE = '{name: 售后, tier: agent, hours: "08:00-24:00"'
LOG = """session,sent_at,role,text,shop
s1,2026-11-11T20:00:00+08:00,buyer,我的快递到哪了,零食
s2,2026-11-11T20:01:00+08:00,buyer,"再不退钱我明天就去12315投诉,电话13800138000",零食
s2,2026-11-11T20:02:00+08:00,bot,亲 请稍等,零食
s3,2026-11-11T20:03:00+08:00,buyer,转人工,
s4,2026-11-11T20:04:00+08:00,buyer,坏了 我要找真人客服,
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    (tmp_path / "log.csv").write_text(LOG, encoding="utf-8")
    return tmp_path / "log.csv"


@pytest.fixture
def changed(tmp_path: Path) -> Callable[..., Path]:
    """The shipped policy in a folder of its own, with texts replaced."""

    def written(*pairs: tuple[str, str], name: str = "new") -> Path:
        text = SHIPPED
        for old, new in pairs:
            assert old in text
            text = text.replace(old, new)
        (tmp_path / name).mkdir(exist_ok=True)
        path = tmp_path / name / "policy.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return written


@pytest.fixture
def simulate(command: Command, log: Path, shipped_model: Path) -> Callable[..., tuple[int, str, str]]:
    return lambda old, new, *more: command(
        "policy", "simulate", old, new, "--logs", log, "--model", shipped_model, *more
    )


def found(out: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(out)
    return data


def test_the_same_policy_changes_nothing(simulate: Command, changed: Callable[..., Path]) -> None:
    code, out, err = simulate(changed(name="old"), changed())
    assert (code, err) == (0, "")
    assert "4 条消息,0 条去向有变;转人工 75.0% → 75.0%" in out
    assert "安全退步" not in out and "按规则" not in out


def test_a_message_that_needs_a_person_and_fares_worse_is_said_first_and_exit_1(
    simulate: Command, changed: Callable[..., Path]
) -> None:
    new = changed(
        (URGENT, URGENT.replace("urgent", "low")),
        ("{topic: [logistics.track]}", "{topic: [logistics.track], max_chars: 1}"),
    )
    old = changed(name="old")
    code, out, _ = simulate(old, new)
    assert code == 1
    assert "4 条消息,2 条去向有变" in out
    assert "安全退步 1 条" in out
    assert "「维权威胁」的优先级降低" in out
    assert out.index("12315") < out.index("按去向") < out.index("我的快递到哪了")
    assert "自助办理 → 物流" in out and "专家 → 专家" in out, "in Chinese"
    assert "13800138000" not in out and "[手机号]" in out

    code, out, _ = simulate(old, new, "--json")
    said = found(out)
    assert code == 1
    assert (said["messages"], said["changed"], said["regressions"]) == (4, 2, 1)
    assert [change["regression"] is None for change in said["changes"]] == [False, True]
    assert said["handoffs"] == {"before": 3, "after": 4}
    assert said["by"]["rule"] == {"threat → threat": 1, "track → default": 1}
    assert said["by"]["topic"] == {"complaint.threat": 1, "logistics.track": 1} and said["by"]["shop"] == {"零食": 2}
    assert "13800138000" not in out


def test_more_people_is_no_regression(simulate: Command, changed: Callable[..., Path]) -> None:
    code, out, _ = simulate(
        changed(name="old"), changed(("{topic: [logistics.track]}", "{topic: [logistics.track], max_chars: 1}"))
    )
    assert code == 0
    assert "转人工 75.0% → 100.0%" in out and "安全退步" not in out


def test_a_group_that_cant_take_its_fullest_hour_is_marked(simulate: Command, changed: Callable[..., Path]) -> None:
    old = changed(name="old")
    for capacity, over in ((1, True), (2, False)):
        code, out, _ = simulate(old, changed((AFTERSALE, AFTERSALE.replace("tier", f"capacity: {capacity}, tier"))))
        [row] = [line for line in out.splitlines() if "售后" in line and "20:00" in line]
        assert code == 0 and ("接不住" in row) is over, "seen without colours too"
    _, out, _ = simulate(old, changed((AFTERSALE, AFTERSALE.replace("tier", "capacity: 1, tier"))), "--json")
    [load] = [load for load in found(out)["loads"] if load["group"] == "aftersale"]
    assert (load["hour"], load["peak"], load["capacity"], load["over"]) == (20, 2, 1, True)


def test_names_with_brackets_are_shown_as_they_are(simulate: Command, changed: Callable[..., Path]) -> None:
    new = changed(
        (AFTERSALE, AFTERSALE.replace("售后", '"售后[bold]"')), ("priority: high, tags: [要人工]", "priority: low")
    )
    code, out, _ = simulate(changed(name="old"), new)
    assert code == 1
    assert "售后[bold](human" in out


def test_shops_beside_a_policy_or_named_belong_to_it(
    simulate: Command, changed: Callable[..., Path], tmp_path: Path
) -> None:
    old, new = changed(name="old"), changed()
    shops = new.parent / "shops"
    shops.mkdir()
    (shops / "零食.yaml").write_text("rules: [{id: track, off: true}]\n", encoding="utf-8")
    assert "1 条去向有变" in simulate(old, new)[1]
    assert "1 条去向有变" in simulate(old, old, "--new-shops", shops)[1]
    assert "0 条去向有变" in simulate(old, new, "--old-shops", shops)[1]
    code, _, err = simulate(old, new, "--new-shops", tmp_path / "none")
    assert code == 2 and "found no folder" in err


def test_all_changes_are_in_the_json(
    command: Command, changed: Callable[..., Path], tmp_path: Path, shipped_model: Path
) -> None:
    many = tmp_path / "many.jsonl"
    row = {"text": "我的快递到哪了", "sent_at": "2026-11-11T20:00:00+08:00"}
    many.write_text("".join(json.dumps(row | {"session": str(n)}) + "\n" for n in range(230)), encoding="utf-8")
    old, new = changed(name="old"), changed(("{topic: [logistics.track]}", "{topic: [logistics.track], max_chars: 1}"))
    args = ("policy", "simulate", old, new, "--logs", many, "--model", shipped_model)
    assert "另有 210 条,用 --json 看全部" in command(*args)[1]
    assert len(found(command(*args, "--json")[1])["changes"]) == 230


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (LOG + "s9,2026-11-11T20:05:00+08:00,客人,在吗,\n", "log.csv:7: role: found '客人', expected one of buyer"),
        (LOG + "s9,昨天,buyer,在吗,\n", "log.csv:7: sent_at: found '昨天'"),
        ("role,text\nbot,亲\n", "log.csv: found no buyer messages"),
        ("话,谁\n在吗,buyer\n", "no column `text`"),
    ],
)
def test_a_log_that_cant_be_read_is_one_line_and_exit_2(
    simulate: Command, changed: Callable[..., Path], log: Path, content: str, says: str
) -> None:
    log.write_text(content, encoding="utf-8")
    code, out, err = simulate(changed(name="old"), changed())
    assert (code, out) == (2, "")
    assert says in err and err.count("\n") == 1


def test_a_policy_that_cant_be_used_is_exit_2(simulate: Command, changed: Callable[..., Path], tmp_path: Path) -> None:
    code, _, err = simulate(changed(name="old"), changed(("priority: urgent", "priority: sofort")))
    assert code == 2 and "expected one of urgent, high, normal, low" in err
    code, _, err = simulate(changed(name="old"), tmp_path / "none.yaml")
    assert code == 2 and "none.yaml" in err
