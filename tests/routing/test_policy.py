"""Reading a policy: types, YAML pitfalls, versions, and what every refusal says."""

from pathlib import Path
from typing import Any

import pytest

from fenzhen.errors import PolicyError
from fenzhen.message import Message
from fenzhen.routing.decide import decide
from fenzhen.routing.policies import Policies
from fenzhen.routing.policy import Policy
from fenzhen.taxonomy import Taxonomy
from fenzhen.understanding.classification import fixed_classification

SMALL = """\
groups:
  a: {name: 售前, tier: agent, hours: "08:00-24:00", overflow: b}
  b: {name: 专家, tier: expert}
rules:
  - {id: abuse, when: {topic: [abuse]}, then: {action: handoff, group: b, priority: urgent}, reason: 辱骂}
  - {id: unsure, when: {below_threshold: topic}, then: {action: handoff, group: a}, reason: "置信度 {confidence}"}
  - {id: track, when: {topic: [logistics.track]}, then: {action: self_service, flow: track}, reason: 查物流}
"""


def load(tmp_path: Path, text: str) -> Policy:
    path = tmp_path / "policy.yaml"
    path.write_text(text, encoding="utf-8")
    return Policy.load(path)


def test_reads_types_and_defaults(tmp_path: Path) -> None:
    policy = load(tmp_path, SMALL)
    assert policy.groups["a"].hours == (480, 1440)
    assert policy.groups["b"].hours is None
    assert policy.fallback == "a"
    assert (policy.thresholds.topic, policy.thresholds.in_scope, policy.thresholds.needs_human) == (0.6, 0.5, 0.5)
    assert [rule.id for rule in policy.rules] == ["abuse", "unsure", "track"]
    assert policy.rules[1].then.priority == "normal"


def test_version_follows_content_not_comments(tmp_path: Path) -> None:
    policy = load(tmp_path, SMALL)
    name, _, digest = policy.version.partition("@")
    assert name == "default" and len(digest) == 8 and int(digest, 16) >= 0
    assert load(tmp_path, "# 注释\n" + SMALL).version == policy.version
    assert load(tmp_path, SMALL.replace("urgent", "high")).version != policy.version


def test_a_topic_overrides_its_intent_in_per_topic(tmp_path: Path) -> None:
    head = "thresholds: {per_topic: {complaint.threat: 0.1, complaint.*: 0.3}}\n"
    limits = load(tmp_path, head + SMALL).thresholds
    assert limits.of_topic("complaint.threat") == 0.1
    assert limits.of_topic("complaint.service") == 0.3
    assert limits.of_topic("order.place") == 0.6


def test_zero_is_a_threshold(tmp_path: Path) -> None:
    assert load(tmp_path, "thresholds: {needs_human: 0}\n" + SMALL).thresholds.needs_human == 0.0


def test_a_rule_can_be_off(tmp_path: Path) -> None:
    policy = load(tmp_path, SMALL.replace("{id: track,", "{id: track, off: true,"))
    assert [rule.id for rule in policy.rules] == ["abuse", "unsure"]


def test_own_label_set(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(
        SMALL.replace("logistics.track", "查件").replace("topic: [abuse]", "topic: [骂人]"), encoding="utf-8"
    )
    policy = Policy.load(path, Taxonomy.of_topics(["查件", "骂人"]))
    assert policy.rules[2].when.topic == ("查件",)


def test_the_shipped_policy_serves_a_model_with_labels_of_its_own() -> None:
    policy = Policies.load(None, None, Taxonomy.of_topics(["查件", "骂人"])).default
    route = decide(fixed_classification("查件"), Message("到哪了"), policy)
    assert (route.action, route.rule) == ("handoff", "default")
    assert "判断为「查件」,置信度高(90%)" in route.reasons


def test_an_own_policy_must_fit_the_labels_of_the_model(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text(SMALL, encoding="utf-8")
    with pytest.raises(PolicyError, match=r"rule abuse, key when\.topic: found 'abuse'"):
        Policy.load(tmp_path / "policy.yaml", Taxonomy.of_topics(["查件"]))


def change(old: str, new: str) -> str:
    assert old in SMALL, old
    return SMALL.replace(old, new, 1)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["policy: found nothing", "groups"]),
        ("- 1\n", ["policy", "a mapping"]),
        (SMALL + "rule: []\n", ["'rule'", "unknown key", "rules"]),
        ("version: 2\n" + SMALL, ["version", "found 2", "expected 1"]),
        ("rules: []\n", ["groups: found nothing"]),
        (SMALL.split("rules:")[0], ["rules: found nothing"]),
        (change("groups:", "fallback: c\ngroups:"), ["fallback", "'c'", "a, b"]),
        (change("tier: agent", "tier: boss"), ["groups.a.tier", "'boss'", "temporary, agent, expert"]),
        (change("tier: agent", "teir: agent"), ["groups.a", "'teir'", "nearest known: tier"]),
        (change("name: 售前, ", ""), ["groups.a.name", "found nothing"]),
        (change('"08:00-24:00"', '"8点到24点"'), ["groups.a.hours", "08:00-24:00"]),
        (change('"08:00-24:00"', '"08:00-08:00"'), ["groups.a.hours", "round the clock"]),
        (change('"08:00-24:00"', '"08:00-25:00"'), ["groups.a.hours"]),
        (change('"08:00-24:00"', "8:30"), ["groups.a.hours", "base 60", "quotes"]),
        (change("overflow: b", "overflow: c"), ["groups.a.overflow", "unknown group 'c'"]),
        (change("tier: expert", "tier: expert, overflow: a"), ["groups.a", "comes back to itself", "a → b → a"]),
        (change("a: {", "by_topic: {"), ["by_topic", "a word of the rules"]),
        (
            change("tier: expert", "tier: expert, topics: [order.*]").replace("overflow: b", "topics: [order]"),
            ["keep it in one"],
        ),
        ("thresholds: {topic: 60}\n" + SMALL, ["thresholds.topic", "found 60", "0.6"]),
        ("thresholds: {per_topic: [1]}\n" + SMALL, ["thresholds.per_topic", "a mapping"]),
        ("thresholds: {per_topic: {abus: 0.1}}\n" + SMALL, ["thresholds.per_topic", "'abus'", "abuse"]),
        ("thresholds: {per_topic: {abuse: }}\n" + SMALL, ["thresholds.per_topic.abuse", "found nothing"]),
        (change("id: abuse, ", ""), ["rule number 1, key id", "found nothing"]),
        (change("id: unsure", "id: abuse"), ["rule abuse", "2 rules of this id"]),
        (change("id: track", "id: error"), ["rule error, key id", "another id"]),
        (change("id: track, when: {topic: [logistics.track]}", "id: track"), ["rule track, key when", "found nothing"]),
        (change(", reason: 辱骂", ""), ["rule abuse, key reason", "Chinese sentence"]),
        (
            change("{confidence}", "{confidense}"),
            ["rule unsure, key reason", "confidense", "nearest known: confidence"],
        ),
        (change("topic: [abuse]", "topic: [abuze]"), ["rule abuse, key when.topic", "'abuze'", "abuse"]),
        (change("topic: [abuse]", "topic: [no]"), ["rule abuse, key when.topic", "found no without quotes", "line 5"]),
        (change("topic: [abuse]", "min_amount: 010"), ["rule abuse, key when.min_amount", "found 010", "octal"]),
        (change("topic: [abuse]", "evasion: yes"), ["rule abuse, key when.evasion", "found yes", "true, false"]),
        (change("topic: [abuse]", "on: [abuse]"), ["rule abuse, key when", "found on without quotes"]),
        (change("topic: [abuse]", "3: [abuse]"), ["rule abuse, key when", "the key 3", "in quotes"]),
        (change("topic: [abuse]", "min_confidence: .nan"), ["rule abuse", "found .nan", "not finite"]),
        (change("topic: [abuse]", "topic: [abuse], topic: [human]"), ["rule abuse", "the key topic twice"]),
        (change("reason: 辱骂", "reason: 2026-11-11"), ["rule abuse, key reason", "a date"]),
        (change("reason: 辱骂", "reason: 110"), ["rule abuse, key reason", "found 110", "numbers in quotes"]),
        (change("reason: 辱骂", "reason: !!python/name:os.system x"), ["rule abuse, key reason", "tag", "plain YAML"]),
        (change("action: self_service", "action: robot"), ["rule track, key then.action", "'robot'", "handoff"]),
        (change(", flow: track", ""), ["rule track, key then.flow", "found nothing", "needs flow"]),
        (change("flow: track", "flow: track, group: a"), ["rule track, key then.group", "remove it"]),
        (change("priority: urgent", "priority: asap"), ["rule abuse, key then.priority", "'asap'", "urgent"]),
        (change("group: b, ", ""), ["rule abuse, key then.group", "found nothing"]),
        (change("group: b, ", "group: c, "), ["rule abuse", "unknown group 'c'", "a, b"]),
        (change("{id: track,", "{id: track, safety: true,"), ["rule track, key safety", "handoff only"]),
        (change("{id: track,", '{id: track, off: "true",'), ["rule track, key off", "true or false"]),
        (change("topic: [logistics.track]", "emotion: [neutral]"), ["rule track", "without a topic"]),
        (change("topic: [logistics.track]", "topic: [abuse]"), ["rule track", "never matches", "rule abuse before it"]),
        ("a: &x [1]\nb: *x\n", ["alias", "write it out"]),
        ("a: &x [*x]\n", ["alias"]),
        ("a: [1\n", ["not valid YAML"]),
        ("? [a]\n: 1\n", ["a list or mapping as a key"]),
        ("a: 1\n---\nb: 2\n", ["not valid YAML"]),
    ],
)
def test_what_is_refused_and_what_it_says(tmp_path: Path, text: str, words: list[str]) -> None:
    with pytest.raises(PolicyError) as caught:
        load(tmp_path, text)
    for word in [*words, "policy.yaml"]:
        assert word in str(caught.value)


def test_unreadable_files(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"nowhere\.yaml: can't read it"):
        Policy.load(tmp_path / "nowhere.yaml")
    (tmp_path / "gbk.yaml").write_bytes("groups: {a: {name: 售前}}".encode("gbk"))
    with pytest.raises(PolicyError, match="UTF-8"):
        Policy.load(tmp_path / "gbk.yaml")


def test_quoted_words_are_text(tmp_path: Path) -> None:
    policy = load(tmp_path, change("reason: 辱骂", 'reason: "no"'))
    assert policy.rules[0].reason == "no"


def test_nested_too_deep_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PolicyError):
        load(tmp_path, "a: " + "[" * 3000 + "]" * 3000)


def test_from_dict_does_not_lint() -> None:
    data: dict[str, Any] = {
        "groups": {"a": {"name": "售前", "tier": "agent", "overflow": "nowhere"}},
        "rules": [{"id": "x", "when": {}, "then": {"action": "handoff", "group": "a"}, "reason": "都转"}],
    }
    assert Policy.from_dict(data).groups["a"].overflow == "nowhere"


def test_policies_of(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text("thresholds: {topic: 0.7}\n", encoding="utf-8")
    policies = Policies.load(None, tmp_path)
    assert policies.of(None) == (policies.default, True)
    assert policies.of("two") == (policies.default, False)
    policy, known = policies.of("one")
    assert known and policy.version.startswith("one@") and policy.thresholds.topic == 0.7
