"""The model card: what a model is for, what it was made from, what it scores and where it fails. Generated."""

from collections.abc import Mapping, Sequence
from typing import Any

_MEASURES = {
    "intent_macro_f1": "intent macro-F1",
    "topic_macro_f1": "topic macro-F1",
    "topic_macro_f1_agreed": "topic macro-F1, rows where both readings agree",
    "topic_accuracy": "topic accuracy",
    "topic_accuracy_any_reading": "topic accuracy, either reading counted right",
    "emotion_macro_f1": "emotion macro-F1",
    "emotion_accuracy": "emotion accuracy",
    "needs_human_auroc": "needs_human AUROC",
}

_FLATTERED = (
    "These messages flatter the model: some scenes written for training followed an earlier model's mistakes on them, "
    "see data/README.md. Of the other sets only which labels are confused was looked at."
)


def model_card(name: str, details: Mapping[str, Any], report: Mapping[str, Any]) -> str:
    """Markdown from the manifest's details and the report."""
    return "\n".join(
        [
            f"# {name}",
            "",
            "Reads one buyer message with its history and gives topic, intent, emotion, needs_human and a sentence "
            "vector. For triage of Chinese e-commerce service chats; not for judging people, not for other languages.",
            "",
            f"Started from {details['base']}; fine-tuned on {details['training_rows']:,} rows.",
            *_earlier(details.get("earlier", [])),
            "",
            *_export(report),
            *_scores(report, "gold_dev", "Real messages whose labels never trained (gold_dev)", _FLATTERED),
            *_scores(report, "dev_jd", "Real JD messages, no label of their dialogues trained, also used to calibrate"),
            *_scores(report, "dev_taobao", "Real chat of Taobao buyers, also used to calibrate"),
            *_scores(report, "dev_reviews", "Reviews and public posts, also used to calibrate"),
            *_scores(report, "held_out", "Held-out rows of the training sources"),
            *_failures(report),
            *_sources(details["sources"]),
            "## Recipe",
            "",
            *(f"- {part}: {value}" for part, value in details["recipe"].items()),
            "",
        ]
    )


def _earlier(models: Sequence[Mapping[str, str]]) -> list[str]:
    said = {"start": "Went on from the weights of", "teacher": "Soft labels by"}
    return [f"{said[one['role']]} {one['name']} (manifest {one['identity'][:12]})." for one in models]


def _export(report: Mapping[str, Any]) -> list[str]:
    made = report.get("export")
    if not made:
        return []
    return [
        f"Exported as {made['quantisation']}, {made['megabytes']} MB. Compared on {made['messages']:,} messages: "
        f"{made['fp32_flips']} topic flips from torch to fp32 ONNX, {made['int8_flips']} from fp32 to int8, "
        f"{made['safety_lost']} of them out of the safety topics.",
        "",
    ]


def _scores(report: Mapping[str, Any], part: str, title: str, caveat: str = "") -> list[str]:
    scored = report.get(part)
    if not scored:
        return []
    lines = [f"## {title}: {scored['rows']:,} rows", "", *([caveat, ""] if caveat else [])]
    lines += ["| measure | this model | linear baseline |", "| --- | --- | --- |"]
    beside = scored["beside"]["measures"]
    for measure, value in scored["measures"].items():
        lines.append(f"| {_MEASURES.get(measure, measure)} | {_interval(value)} | {_interval(beside.get(measure))} |")
    lines += [
        f"| expected calibration error | {scored['ece']:.3f} | {scored['beside']['ece']:.3f} |",
        "",
        "Intervals: 95 % percentile bootstrap over rows.",
        "",
    ]
    return lines


def _interval(value: Mapping[str, Any] | None) -> str:
    if not value or value.get("value") is None:
        return "—"
    return f"{value['value']:.3f} [{value['low']:.3f}, {value['high']:.3f}]"


def _failures(report: Mapping[str, Any]) -> list[str]:
    scored = report.get("gold_dev") or report.get("held_out")
    if not scored:
        return []
    weakest = sorted(scored["topics"].items(), key=lambda item: item[1]["f1"])[:8]
    return [
        "## Known failures",
        "",
        *(f"- {label}: F1 {score['f1']:.2f} on {score['support']} rows" for label, score in weakest),
        *(f"- {truth} read as {said}: {count} times" for truth, said, count in scored["confused"][:6]),
        "- Of a long message the encoder reads the head and the tail only.",
        "",
    ]


def _sources(sources: list[Mapping[str, Any]]) -> list[str]:
    rows = [f"| {s['name']} | {s['licence']} | {s['rows']:,} | `{s['sha256'][:16]}…` |" for s in sources]
    return ["## Sources", "", "| source | licence | rows | SHA-256 |", "| --- | --- | --- | --- |", *rows, ""]
