"""What rules cost: time of a decision with few and many of them, and loading the overlays of thousands of shops.

    OMP_NUM_THREADS=1 python benchmarks/policy.py [--rules 300] [--shops 5000]

Decides messages of `data/written` by their labels, so no model runs: once as bare text, once with all that a gateway
may send (order, product, buyer tags, queue), under each policy in turn, so that they share whatever else the machine
does; ratios are steadier than times. The many rules stand before the shipped ones, hardly ever match, and are of all
kinds: buyer tags, product ids, keywords, category, queue. Each shop has its own file of a few changes, in a temporary
folder. Where others use the machine, take the second of two runs.
"""

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import cycle
from pathlib import Path
from time import perf_counter

import yaml

from fenzhen.defaults import default_file
from fenzhen.learning.readers import read_examples
from fenzhen.message import Message, Order, Product
from fenzhen.routing.decide import decide
from fenzhen.routing.policies import Policies, stamps_of
from fenzhen.routing.policy import Policy
from fenzhen.taxonomy import default
from fenzhen.understanding.classification import Classification, fixed_classification

PROJECT = Path(__file__).resolve().parents[1]
NOON = datetime(2026, 11, 11, 4, tzinfo=UTC)
MESSAGES, ROUNDS = 400, 5
KINDS = ("buyer_tags", "product", "keywords", "product_category", "min_queue")

Asked = tuple[Message, Classification]
Way = Callable[[Asked], object]
Line = tuple[str, str, str]  # what, the time, beside what


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rules", type=int, default=300, help="rules of the large policy, the shipped ones included")
    parser.add_argument("--shops", type=int, default=5000)
    options = parser.parse_args()

    of_shops = list(shops(options.shops))  # first: memory that was freed before would hide what they take
    print(markdown([*decisions(options.rules), *of_shops]))


def decisions(rules: int) -> Iterator[Line]:
    """Deciding under the shipped policy and under one of so many rules."""
    few = Policy.load()
    many = Policy.parse(with_rules(default_file("policy.yaml").read_text(encoding="utf-8"), rules - len(few.rules)))
    assert len(many.rules) == rules
    for name, asked in (("bare text", messages()), ("order, product, tags, queue", [full(one) for one in messages()])):
        shipped, large = timings(asked, [deciding(Policies(few, {})), deciding(Policies(many, {}))])
        yield f"decide, {name}, shipped policy ({len(few.rules)} rules)", spread(shipped), ""
        yield f"decide, {name}, {rules} rules", spread(large), f"{ratio(large, shipped)} × the shipped policy"


def shops(count: int) -> Iterator[Line]:
    """Loading the overlays of so many shops, one changed, and deciding under an overlay."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for number in range(count):
            (folder / f"shop-{number}.yaml").write_text(overlay(number), encoding="utf-8")
        before = resident_megabytes()
        start = perf_counter()
        policies = Policies.load(None, folder)
        took, grown = perf_counter() - start, resident_megabytes() - before
        yield f"load {count:,} shops", f"{took:.1f} s", f"{grown:,.0f} MB, {grown * 1000 / count:.0f} KB a shop"

        looks = [_seconds(partial(stamps_of, default_file("policy.yaml"), folder)) for _ in range(ROUNDS)]
        yield f"look whether any of {count:,} changed", f"{statistics.median(looks) * 1000:.0f} ms", ""
        (folder / "shop-1.yaml").write_text("thresholds: {topic: 0.9}\n", encoding="utf-8")
        start = perf_counter()
        after = Policies.load(None, folder, before=policies)
        yield f"load one changed of {count:,}", f"{(perf_counter() - start) * 1000:.0f} ms", ""

        asked = [full(one) for one in messages()]
        base, mine = timings(asked, [deciding(after), deciding(after, "shop-3")])
        yield "decide under the default policy", spread(base), ""
        yield "decide under a shop's overlay", spread(mine), f"{ratio(mine, base)} × the default"

        firsts = [_seconds(partial(deciding(after, shop), one)) for shop, one in zip(after.overlays, cycle(asked))]
        yield "a shop's first decision", spread(firsts), ""
        for number in (10, len(asked)):
            for one in asked[:number]:
                deciding(after, "shop-4")(one)
            yield f"shortlists of a shop after {number} messages", f"{kilobytes(after.overlays['shop-4']):.0f} KB", ""


def kilobytes(policy: Policy) -> float:
    """What a shop's shortlists of rules take, in KB of 1,000 bytes; the rules themselves are shared."""
    parts = [part for key, rules in policy._shortlists.items() for part in (key, key[1], rules)]
    return sum(map(sys.getsizeof, [policy._shortlists, *parts])) / 1000


def with_rules(text: str, count: int) -> str:
    """A policy with so many rules before its own."""
    content = yaml.safe_load(text)
    made = []
    for number in range(count):
        kind = KINDS[number % len(KINDS)]
        # Falling, since a queue of 100 would take every one of 200.
        value = 100_000 - number if kind == "min_queue" else [f"{kind}-{number}-a", f"{kind}-{number}-b"]
        then = {"action": "handoff", "group": "by_topic", "tags": [kind]}
        made.append({"id": f"extra-{number}", "when": {kind: value}, "then": then, "reason": "按商家规则转人工"})
    # JSON is YAML, and quotes what YAML would read in two ways.
    return json.dumps(content | {"rules": made + content["rules"]}, ensure_ascii=False)


def overlay(number: int) -> str:
    """A shop's file: thresholds and a clock, an inherited rule changed, one of its own."""
    return f"""thresholds: {{needs_human: 0.{30 + number % 60}, per_topic: {{logistics.track: 0.7}}}}
clocks: {{no_scan: {24 + number % 48}}}
rules:
  - {{id: quality, then: {{action: handoff, group: expert}}, reason: "{number} 号店的质量问题由专家核实"}}
  - id: own
    when: {{topic: [presale.*], keywords: ["活动{number}", "满减{number}"]}}
    then: {{action: handoff, group: presale}}
    reason: 问本店活动,由售前回答
"""


def messages() -> list[Asked]:
    """Messages of data/written, evenly over the files, as their labels would be read."""
    rows = [row for row in read_examples([PROJECT / "data" / "written"], default()) if row.topic is not None]
    chosen = rows[:: max(1, len(rows) // MESSAGES)][:MESSAGES]
    return [
        (
            Message(row.text, history=row.history, sent_at=NOON),
            fixed_classification(row.topic or "", emotion=row.emotion or "neutral", also=row.also[:2]),
        )
        for row in chosen
    ]


def full(asked: Asked) -> Asked:
    """The same message with all that a gateway may send."""
    paid = NOON - timedelta(hours=20)
    order = Order("A1", "shipped", paid_at=paid, shipped_at=NOON, amount=129.0, product_ids=("p-1", "p-2"))
    product = Product("p-3", category="女装", price=299.0, tags=("新品",))
    extra = replace(
        asked[0], order=order, product=product, buyer_tags=("老客", "VIP2"), queue_length=12, channel="taobao"
    )
    return extra, asked[1]


def deciding(policies: Policies, shop: str | None = None) -> Way:
    return lambda asked: decide(asked[1], asked[0], policies.of(shop)[0])


def timings(asked: Sequence[Asked], ways: Sequence[Way]) -> list[list[float]]:
    """Seconds of each message by each way, in turn; the first round doesn't count."""
    found: list[list[float]] = [[] for _ in ways]
    for number in range(ROUNDS + 1):
        for one in asked:
            for way, seconds in zip(ways, found, strict=True):
                took = _seconds(partial(way, one))
                if number:
                    seconds.append(took)
    return found


def _seconds(do: Callable[[], object]) -> float:
    start = perf_counter()
    do()
    return perf_counter() - start


def spread(seconds: Sequence[float]) -> str:
    cut = statistics.quantiles(seconds, n=20)
    return f"p50 {statistics.median(seconds) * 1e6:.0f} µs, p95 {cut[18] * 1e6:.0f} µs"


def ratio(seconds: Sequence[float], base: Sequence[float]) -> str:
    return f"{statistics.median(seconds) / statistics.median(base):.1f}"


def resident_megabytes() -> float:
    """VmRSS of this process, in MB of 1,000,000 bytes."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    [kilobytes] = [line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(kilobytes) * 1024 / 1e6


def markdown(lines: Sequence[Line]) -> str:
    rows = ["| what | time | beside |", "| --- | ---: | --- |"]
    return "\n".join([*rows, *(f"| {' | '.join(line)} |" for line in lines)])


if __name__ == "__main__":
    main()
