"""Loading policies again: what changed is taken, nothing else is read; what is broken is refused with its line."""

import os
import shutil
from pathlib import Path

import pytest

from fenzhen.defaults import default_file
from fenzhen.errors import PolicyError
from fenzhen.routing.policies import Policies

SHOP = "thresholds: {topic: 0.7}\n"


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    policy, shops = tmp_path / "policy.yaml", tmp_path / "shops"
    shutil.copyfile(default_file("policy.yaml"), policy)
    shops.mkdir()
    for name in ("one", "two"):
        (shops / f"{name}.yaml").write_text(SHOP, encoding="utf-8")
    return policy, shops


def touch(path: Path, text: str) -> None:
    """Write, and make sure that the time differs."""
    path.write_text(text, encoding="utf-8")
    stat = path.stat()
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1_000_000))


def test_only_what_changed_is_read_again(files: tuple[Path, Path]) -> None:
    policy, shops = files
    first = Policies.load(policy, shops)
    again = Policies.load(policy, shops, before=first)
    assert again.default is first.default and again.overlays["one"] is first.overlays["one"]
    touch(shops / "two.yaml", "thresholds: {topic: 0.8}\n")
    third = Policies.load(policy, shops, before=again)
    assert third.overlays["one"] is first.overlays["one"]
    assert third.overlays["two"].thresholds.topic == 0.8


def test_shops_come_and_go(files: tuple[Path, Path]) -> None:
    policy, shops = files
    first = Policies.load(policy, shops)
    (shops / "one.yaml").unlink()
    (shops / "three.yaml").write_text(SHOP, encoding="utf-8")
    assert set(Policies.load(policy, shops, before=first).overlays) == {"two", "three"}


def test_a_broken_shop_keeps_what_it_had_and_holds_up_nobody(files: tuple[Path, Path]) -> None:
    policy, shops = files
    first = Policies.load(policy, shops)
    touch(shops / "one.yaml", "thresholds: {topic: much}\n")
    touch(shops / "two.yaml", "thresholds: {topic: 0.8}\n")
    (shops / "new.yaml").write_text("rulez: 1\n", encoding="utf-8")
    second = Policies.load(policy, shops, before=first)
    assert second.overlays["one"] is first.overlays["one"] and second.overlays["two"].thresholds.topic == 0.8
    assert set(second.refused) == {"one", "new"} and "one.yaml, line 1" in second.refused["one"]
    assert "new" not in second.overlays
    assert Policies.load(policy, shops, before=second).refused == second.refused
    touch(shops / "one.yaml", SHOP)
    assert set(Policies.load(policy, shops, before=second).refused) == {"new"}


def test_a_broken_default_is_refused_and_what_was_loaded_stays_whole(files: tuple[Path, Path]) -> None:
    policy, shops = files
    first = Policies.load(policy, shops)
    good = policy.read_text(encoding="utf-8")
    touch(policy, good.replace("id: unsure", "id: abuse"))
    with pytest.raises(PolicyError, match=r"policy\.yaml.*2 rules of this id"):
        Policies.load(policy, shops, before=first)
    policy.unlink()
    with pytest.raises(PolicyError, match="can't read it"):
        Policies.load(policy, shops, before=first)
    touch(policy, good)
    assert Policies.load(policy, shops, before=first) == first


def test_a_shop_that_no_longer_fits_the_default_keeps_what_it_had(files: tuple[Path, Path]) -> None:
    policy, shops = files
    touch(shops / "one.yaml", "rules: [{id: late_soon, off: true}]\n")
    first = Policies.load(policy, shops)
    good = policy.read_text(encoding="utf-8")
    touch(policy, good.replace("id: late_soon", "id: soon"))
    second = Policies.load(policy, shops, before=first)
    assert second.overlays["one"] is first.overlays["one"] and "late_soon" in second.refused["one"]
    assert second.overlays["two"].rules != first.overlays["two"].rules
    touch(policy, good)
    third = Policies.load(policy, shops, before=second)
    assert third.refused == {} and third.overlays == first.overlays


@pytest.mark.parametrize(
    "text",
    [
        "thresholds: {topic: \n",
        "rules: [{id: track, when: {topic: [logistics.track], min_amount: 1" + "0" * 5000 + "}}]\n",
        "rules: [{id: track, when: {topic: [logistics.track], min_amount: 1" + "0" * 39 + "e999}}]\n",
        "[" * 2000 + "]" * 2000,
        "rules: [{id: track, when: {topic: [logistics.track], pattern: '('}}]\n",
        "thresholds: {topic: 0.7}\n---\n",
        "\ufffe\n",
        "- 1\n",
    ],
)
def test_nothing_that_a_file_can_say_holds_up_the_others(files: tuple[Path, Path], text: str) -> None:
    policy, shops = files
    first = Policies.load(policy, shops)
    touch(shops / "one.yaml", text)
    touch(shops / "two.yaml", "thresholds: {topic: 0.8}\n")
    second = Policies.load(policy, shops, before=first)
    assert set(second.refused) == {"one"} and second.overlays["one"] is first.overlays["one"]
    assert second.overlays["two"].thresholds.topic == 0.8


def test_a_file_that_cannot_be_read_holds_up_nobody(files: tuple[Path, Path]) -> None:
    policy, shops = files
    first = Policies.load(policy, shops)
    (shops / "one.yaml").write_bytes("thresholds: {topic: 0.7} # 店".encode("gbk"))
    assert "UTF-8" in Policies.load(policy, shops, before=first).refused["one"]


def test_another_default_changes_every_shop(files: tuple[Path, Path]) -> None:
    policy, shops = files
    first = Policies.load(policy, shops)
    touch(policy, policy.read_text(encoding="utf-8").replace("in_scope: 0.5 ", "in_scope: 0.6 "))
    second = Policies.load(policy, shops, before=first)
    assert second.overlays["one"].thresholds.in_scope == 0.6
    assert second.overlays["one"].version != first.overlays["one"].version


def test_overlays_share_what_they_do_not_change(files: tuple[Path, Path]) -> None:
    loaded = Policies.load(*files)
    pairs = zip(loaded.default.rules, loaded.overlays["one"].rules, strict=True)
    assert all(one is other for one, other in pairs)
    assert loaded.overlays["one"].groups["expert"] is loaded.default.groups["expert"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("rules:\n  - {id: track,\n     then: {action: robot}}\n", ["one.yaml, line 3", "rule track, key then.action"]),
        ("thresholds:\n  topic: 0.6\n  topics: 1\n", ["one.yaml, line 3", "'topics'", "nearest known: topic"]),
        ("reception:\n  - {mode: bot}\n", ["one.yaml, line 2", "reception[0].mode", "bot_only"]),
        ("reception:\n  - {mode: assist, hours: 8}\n", ["line 2", "reception[0].hours", "08:00-24:00"]),
        ("by_order: {after: nobody}\n", ["line 1", "by_order.after", "'nobody'", "aftersale"]),
        ("by_order: {window_days: 400}\n", ["line 1", "by_order.window_days", "0 to 365"]),
        ("clocks: {no_scan: soon}\n", ["line 1", "clocks.no_scan", "48"]),
        ("groups: {expert: {capacity: 0}}\n", ["line 1", "groups.expert.capacity", "from 1"]),
        ("groups: {by_order: {name: 组, tier: agent}}\n", ["groups.by_order", "a word of the rules"]),
        ("rules: [{id: cancel, then: {action: handoff}}]\n", ["rule cancel, key then.group", "a group or a tier"]),
        (
            "rules: [{id: cancel, then: {action: handoff, group: expert, tier: agent}}]\n",
            ["rule cancel, key then.tier", "not both"],
        ),
        ("rules: [{id: track, when: {topic: [logistics.track], stal: [any]}}]\n", ["'stal'", "nearest known: stall"]),
    ],
)
def test_broken_files_say_what_and_where(files: tuple[Path, Path], text: str, words: list[str]) -> None:
    policy, shops = files
    (shops / "one.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(PolicyError) as caught:
        Policies.load(policy, shops)
    for word in words:
        assert word in str(caught.value)


def test_a_tier_without_a_group(files: tuple[Path, Path]) -> None:
    policy, _ = files
    text = policy.read_text(encoding="utf-8").replace("tier: temporary, hours", "tier: agent, hours")
    text = text.replace("{name: 值班, tier: temporary}", "{name: 值班, tier: agent}")
    policy.write_text(text, encoding="utf-8")
    with pytest.raises(PolicyError, match="rule simple_work: found tier temporary, of which there is no group"):
        Policies.load(policy)
