"""`fenzhen evaluate`: a model beside its linear baseline, on the terminal, as JSON and as an HTML page."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from fenzhen.answer import new_id
from fenzhen.commands.learn import check_files, named_columns
from fenzhen.commands.parts import ACTION_NAMES, opened
from fenzhen.errors import PolicyError, RequestError
from fenzhen.learning.evaluate import Evaluation, evaluate, plain, to_json
from fenzhen.learning.evaluation_page import page
from fenzhen.learning.evaluation_view import handoff_table, render
from fenzhen.learning.examples import Example, fingerprint
from fenzhen.learning.handoff import Handoff, handoff
from fenzhen.learning.mistakes import mistakes
from fenzhen.learning.readers import read_examples
from fenzhen.routing.decision import Decision
from fenzhen.settings import Settings
from fenzhen.taxonomy import Taxonomy
from fenzhen.text.segment import Segmenter
from fenzhen.understanding.baseline import JiebaBaseline
from fenzhen.understanding.classification import Classifier, Remembering
from fenzhen.understanding.explain import Explainer
from fenzhen.understanding.model_dir import ModelDir
from fenzhen.understanding.neighbours import FILE as NEIGHBOURS
from fenzhen.understanding.neighbours import Neighbours
from fenzhen.understanding.onnx_classifier import OnnxClassifier


def run(
    data: Sequence[Path],
    settings: Settings,
    console: Console,
    *,
    columns: Sequence[str] = (),
    training: Sequence[Path] = (),
    json_out: Path | None = None,
    html_out: Path | None = None,
    missed_costs: float,
    record: bool = False,
) -> bool:
    """Evaluate and print; False if a store was asked for and could not keep every decision.

    `training` are the files that the model was trained on, where nearest messages should be shown with their text.
    Raises RequestError for paths, ModelError for the folder, DataError for the data.
    """
    check_files([*data, *training])
    for option, path in (("json", json_out), ("html", html_out)):
        _check_output(option, path)
    folder, segmenter = ModelDir.open(settings.model_path()), Segmenter()
    named = named_columns(columns)
    examples = read_examples(list(data), folder.taxonomy, named, say=lambda line: console.print(line, highlight=False))
    encoder = OnnxClassifier(folder, threads=settings.threads)
    linear = JiebaBaseline.load(folder.path / "baseline.npz", folder.taxonomy, segmenter)
    once = Remembering(encoder)
    found, beside = (evaluate(classifier, examples, folder.taxonomy) for classifier in (once, linear))
    decisions, kept = _route(examples, once, folder.taxonomy, settings, console, record=record)
    handed = handoff(examples, [d.route.action == "handoff" for d in decisions], missed_costs) if decisions else None
    console.print(render(found, beside))
    if handed is not None:
        console.print(handoff_table(handed))
    if decisions:
        counts = Counter(ACTION_NAMES[decision.route.action] for decision in decisions)
        shares = " · ".join(f"{name} {n:,}" for name, n in counts.most_common())
        console.print(f"规则 {decisions[0].policy} 下的去向:{shares}", highlight=False)
    if json_out is not None:
        numbers = {**to_json(found, beside), "handoff": handed and plain(asdict(handed))}
        json_out.write_text(json.dumps(numbers, ensure_ascii=False, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    if html_out is not None:
        html_out.write_text(
            _page(found, beside, handed, examples, folder, encoder, segmenter, _texts(training)), encoding="utf-8"
        )
        console.print(f"网页报告:{html_out}", highlight=False)
    return kept


def _check_output(option: str, path: Path | None) -> None:
    if path is not None and not path.parent.is_dir():
        raise RequestError(f"--{option} {path}: no folder {path.parent}; create it first", field=option)
    if path is not None and path.is_dir():
        raise RequestError(f"--{option} {path}: found a folder, expected a file name", field=option)


def _route(
    examples: Sequence[Example],
    classifier: Classifier,
    taxonomy: Taxonomy,
    settings: Settings,
    console: Console,
    *,
    record: bool,
) -> tuple[list[Decision], bool]:
    """Decisions under the policy, none where it speaks of other labels than the model's; and whether they were kept."""
    messages = [example.message() for example in examples]
    try:
        with opened(settings, record=record, loaded=(classifier, taxonomy)) as parts:
            decisions = parts.triage(messages)
            kept = parts.store is None or parts.store.record([(new_id(), decision) for decision in decisions])
    except PolicyError as error:
        if settings.policy is not None or record:
            raise
        console.print(f"没有按规则分流:自带的规则与这个模型的标签不符({error});用 --policy 指定", highlight=False)
        return [], True
    return decisions, kept


def _page(
    found: Evaluation,
    beside: Evaluation,
    handed: Handoff | None,
    examples: Sequence[Example],
    folder: ModelDir,
    encoder: OnnxClassifier,
    segmenter: Segmenter,
    known: dict[str, str],
) -> str:
    file = folder.path / NEIGHBOURS
    near = Neighbours.load(file) if file.exists() else None
    return page(found, beside, handed, mistakes(found, examples, Explainer(encoder, segmenter), near, known))


def _texts(files: Sequence[Path]) -> dict[str, str]:
    return {fingerprint(e.text): e.text for e in read_examples(list(files), None)} if files else {}
