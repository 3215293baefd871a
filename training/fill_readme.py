"""Fill the READMEs with what the shipped model really says and scores; `--check` only says whether they are up to date.

    python training/fill_readme.py [--check]

Between `<!-- answer -->` and `<!-- /answer -->` goes the answer to the README's own curl, between the `quality` marks
the shipped model's report beside its baseline, between the `serving` marks benchmarks/serving.json. Numbers are
copied, never computed; `--check` compares the answer with a tolerance, since another processor rounds int8
differently, and exits 1 where something is out of date.
"""

import argparse
import json
import re
import shlex
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fenzhen.answer import answer, new_id
from fenzhen.message import Message
from fenzhen.review.store import ReviewStore
from fenzhen.routing.policies import Policies
from fenzhen.settings import Settings
from fenzhen.triage import Triage
from fenzhen.understanding.model_dir import ModelDir
from fenzhen.understanding.onnx_classifier import OnnxClassifier

PROJECT = Path(__file__).resolve().parents[1]
READMES = {"en": PROJECT / "README.md", "zh": PROJECT / "README.zh-CN.md"}
TOLERANCE = 0.05  # of a probability, between processors
# What differs from run to run, or with every edit of the policy; of `topics` the first is also `topic`.
VARIES = ("id", "took_ms", "identity", "policy", "topics")

MEASURES = {
    "intent_macro_f1": ("intent, macro-F1", "意图,macro-F1"),
    "topic_macro_f1": ("topic, macro-F1", "主题,macro-F1"),
    "topic_accuracy": ("topic, accuracy", "主题,准确率"),
    "emotion_macro_f1": ("emotion, macro-F1", "情绪,macro-F1"),
    "needs_human_auroc": ("needs_human, AUROC", "需要人工,AUROC"),
}
# The other development sets of the report, for which the topic's accuracy is shown.
OTHER_SETS = {
    "dev_jd": ("topic, accuracy, {:,} JD messages", "主题准确率,{:,} 条京东消息"),
    "dev_taobao": ("topic, accuracy, {:,} of Taobao shops", "主题准确率,{:,} 条淘宝店铺消息"),
    "dev_reviews": ("topic, accuracy, {:,} reviews and posts", "主题准确率,{:,} 条评价和公开帖子"),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 where a README is out of date")
    options = parser.parse_args()

    model = ModelDir.open(Settings.read().model_path())
    stale = 0
    for language, readme in READMES.items():
        text = filled = readme.read_text(encoding="utf-8")
        given = answered(model, request_of(text))
        shown = shown_answer(text)
        if shown is None or not alike(shown, given):
            filled = put(filled, "answer", f"```json\n{lines_of(given)}\n```")
        filled = put(filled, "quality", quality(model, language))
        filled = put(filled, "serving", serving(language))
        if filled != text:
            stale += 1
            print(f"{readme.name}: {'out of date; run training/fill_readme.py' if options.check else 'filled'}")
            if not options.check:
                readme.write_text(filled, encoding="utf-8")
    return 1 if stale and options.check else 0


def request_of(readme: str) -> dict[str, Any]:
    """The body of the first curl in a README."""
    command = re.search(r"^curl .*?'\s*$(?=\n```)", readme, re.DOTALL | re.MULTILINE)
    if command is None:
        raise SystemExit("found no curl at the end of a code block; expected the quick start's")
    words = shlex.split(command.group().replace("\\\n", " "))
    body: dict[str, Any] = json.loads(words[words.index("-d") + 1])
    return body


def answered(model: ModelDir, request: Mapping[str, Any]) -> dict[str, Any]:
    """The answer of the shipped model under the shipped policy, recorded in a store that is thrown away."""
    settings = Settings.read()
    policies = Policies.load(settings.policy_path(), settings.shops_path(), model.taxonomy)
    triage = Triage(OnnxClassifier(model), policies)
    triage([Message("在吗")])  # a first call loads tables; its time says nothing of the service
    rows = [(new_id(), decision) for decision in triage([Message.from_dict(dict(request))])]
    with tempfile.TemporaryDirectory() as folder:
        store = ReviewStore(f"sqlite:///{folder}/readme.db", spool_dir=Path(folder) / "spool")
        recorded = store.record(rows)
        store.close()
    return answer(*rows[0], recorded=recorded)


def lines_of(given: Mapping[str, Any]) -> str:
    """An answer as JSON, a key a line."""
    keys = (f"  {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in given.items())
    return "{\n" + ",\n".join(keys) + "\n}"


def shown_answer(readme: str) -> dict[str, Any] | None:
    """The answer that a README shows, None where the place is empty."""
    found = re.search(r"<!-- answer -->\n```json\n(.*?)\n```", readme, re.DOTALL)
    return None if found is None else json.loads(found.group(1))


def alike(shown: Any, given: Any) -> bool:
    """Equal but for what varies, probabilities within the tolerance, percentages in reasons ignored."""
    if isinstance(shown, dict) and isinstance(given, dict):
        return list(shown) == list(given) and all(alike(shown[key], given[key]) for key in shown if key not in VARIES)
    if isinstance(shown, list) and isinstance(given, list):
        return len(shown) == len(given) and all(map(alike, shown, given))
    if isinstance(shown, float) and isinstance(given, float):
        return abs(shown - given) <= TOLERANCE
    if isinstance(shown, str) and isinstance(given, str):
        return re.sub(r"\d+%", "%", shown) == re.sub(r"\d+%", "%", given)
    return bool(shown == given)


def quality(model: ModelDir, language: str) -> str:
    """The table of the report: the shipped model beside the linear baseline on the development sets."""
    if "gold_dev" not in model.report:
        raise SystemExit(f"{model.path / 'report.json'} has no gold_dev; a released model is built by build_release.py")
    report = model.report["gold_dev"]
    english = language == "en"
    head = f"| {report['rows']:,} messages | {model.name} | linear baseline |"
    lines = [head if english else f"| {report['rows']:,} 条消息 | {model.name} | 线性基线 |", "| --- | --- | --- |"]
    for key, names in MEASURES.items():
        ours, theirs = (interval(side["measures"][key]) for side in (report, report["beside"]))
        lines.append(f"| {names[0 if english else 1]} | {ours} | {theirs} |")
    ece = "expected calibration error of the topic" if english else "主题置信度的期望校准误差"
    lines.append(f"| {ece} | {report['ece']:.3f} | {report['beside']['ece']:.3f} |")
    for key, names in OTHER_SETS.items():
        report = model.report[key]
        ours, theirs = (interval(side["measures"]["topic_accuracy"]) for side in (report, report["beside"]))
        lines.append(f"| {names[0 if english else 1].format(report['rows'])} | {ours} | {theirs} |")
    return "\n".join(lines)


def interval(measure: Mapping[str, float]) -> str:
    return f"{measure['value']:.3f} [{measure['low']:.3f}, {measure['high']:.3f}]"


def serving(language: str) -> str:
    """The table of benchmarks/serving.json."""
    path = PROJECT / "benchmarks" / "serving.json"
    if not path.is_file():
        raise SystemExit(f"no {path}; make it with `python benchmarks/serving.py --install-size --json {path}`")
    measured = json.loads(path.read_text(encoding="utf-8"))
    english = language == "en"
    rows = [f"| {row['english' if english else 'chinese']} | {row['value']} |" for row in measured["rows"]]
    head = "| what | measured |" if english else "| 项目 | 实测 |"
    return "\n".join([head, "| --- | --- |", *rows, "", f"{measured['model']}, {measured['machine']}"])


def put(text: str, mark: str, content: str) -> str:
    """The text with new content between a pair of marks. Raises SystemExit where the pair is missing."""
    begin, end = f"<!-- {mark} -->\n", f"<!-- /{mark} -->"
    if text.count(begin) != 1 or text.count(end) != 1:
        raise SystemExit(f"expected {begin.strip()} and {end} once each")
    before, rest = text.split(begin)
    return before + begin + content + "\n" + end + rest.split(end)[1]


if __name__ == "__main__":
    sys.exit(main())
