"""What a model loses when messages are disturbed on purpose, mostly in ways that its normaliser doesn't take back.

    python benchmarks/attacks.py --data ../shared/data/labelled/gold_dev.jsonl [--model NAME_OR_PATH] [--seeds 0 1 2]
    python benchmarks/attacks.py --shared ../shared [--model NAME_OR_PATH] [--seeds 0 1 2]

Each attack disturbs every message once a seed, and scores are the mean over the seeds; "mixed" draws one a message, of
those that the normaliser can't undo altogether. With `--shared` on gold_dev and our development sets together, enough
rows for their topic accuracy to tell a point lost from chance, which macro-F1 on 428 rows can't.

Homophones and pinyin come from pypinyin, traditional script from OpenCC by phrases, look-alikes and emoji from the
lists here; none of them reads the tables in `fenzhen.text`. Training disturbs messages too, with slips of the same
kinds but other draws. Never touches negations: without 不 a message means something else.
"""

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Container, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import NamedTuple

import numpy as np
import opencc
from pypinyin import Style, lazy_pinyin

from fenzhen.learning.examples import Example
from fenzhen.learning.metrics import macro_f1
from fenzhen.learning.readers import read_examples
from fenzhen.learning.sources import development_examples
from fenzhen.settings import Settings
from fenzhen.taxonomy import Taxonomy
from fenzhen.understanding.classification import Classifier
from fenzhen.understanding.model_dir import ModelDir
from fenzhen.understanding.onnx_classifier import OnnxClassifier

Attack = Callable[[str, Random], str]
PROJECT = Path(__file__).resolve().parents[1]
NEGATIONS = frozenset("不没别未无非勿甭否莫")
RATE = 0.08  # share of the characters that a typing attack changes, at least one
EMOJI = "😂😭😡🙏🤔👍🥺😅🌹💔🙄😤🤦🎉🐶✨"
KAOMOJI = ("(╥﹏╥)", "╮(╯▽╰)╭", "QAQ", "^_^", "orz", "(｡･ω･｡)")
FILLERS = ("那个", "嗯", "就是说", "emmm", "话说", "哎", "啊这", "em")
LOOKALIKES = dict(zip("货快退到买发收单坏服钱投换态", "贷怏褪倒卖友牧単坯报线捉唤忘", strict=True))
SEPARATORS = ("*", ".", " ", "_", "-", "/")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    rows_of = parser.add_mutually_exclusive_group(required=True)
    rows_of.add_argument("--data", type=Path, help="labelled file")
    rows_of.add_argument("--shared", type=Path, help="folder that holds data/labelled/: all development sets")
    parser.add_argument("--model", type=Path, help="model folder or name in models/; default: that of models/CURRENT")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--json", type=Path, help="write the figures here too")
    options = parser.parse_args()

    model = ModelDir.open(Settings.read(model=options.model).model_path())
    classifier = OnnxClassifier(model)
    examples = chosen(options.data, options.shared, model.taxonomy)
    clean = scores(classifier, examples, model.taxonomy)
    rows = {"clean": clean}
    for name, attacks in {**{name: [attack] for name, attack in ATTACKS.items()}, "mixed": [*TYPED]}.items():
        under = [scores(classifier, disturbed(examples, attacks, seed), model.taxonomy) for seed in options.seeds]
        rows[name] = Scores(*np.mean(under, axis=0).tolist())
    seeds = ", ".join(map(str, options.seeds))
    print(f"{model.name}, {len(examples)} messages, seeds {seeds}; macro-F1 of intent and topic, topic accuracy\n")
    print("| attack | intent | topic | accuracy | points lost: intent | topic | accuracy |")
    print("| --- " + "| ---: " * 6 + "|")
    for name, scored in rows.items():
        lost = " | ".join(f"{100 * (before - after):.1f}" for before, after in zip(clean, scored, strict=True))
        print(f"| {name} | " + " | ".join(f"{value:.3f}" for value in scored) + f" | {lost} |")
    if options.json:
        made = {name: {k: round(v, 4) for k, v in scored._asdict().items()} for name, scored in rows.items()}
        content = {"model": model.name, "messages": len(examples), "seeds": options.seeds, "rows": made}
        options.json.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


class Scores(NamedTuple):
    """Macro-F1 of intent and topic and accuracy of the topic, strict, 0..1."""

    intent: float
    topic: float
    accuracy: float


def chosen(data: Path | None, shared: Path | None, taxonomy: Taxonomy) -> list[Example]:
    """The rows of a file, or of gold_dev and our development sets. Raises DataError for files that can't be read."""
    if data is not None:
        return read_examples([data], taxonomy)
    assert shared is not None
    gold = read_examples([shared / "data" / "labelled" / "gold_dev.jsonl"], taxonomy)
    return [*gold, *development_examples(shared)]


def scores(classifier: Classifier, examples: Sequence[Example], taxonomy: Taxonomy) -> Scores:
    said = classifier.classify([example.message() for example in examples])
    topic = np.array([taxonomy.topic_index(str(example.topic)) for example in examples])
    found = np.array([taxonomy.topic_index(one.topic) for one in said])
    intent_of = np.array(taxonomy.intent_of_topic)
    intent = macro_f1(intent_of[topic], intent_of[found], len(taxonomy.intents))
    return Scores(intent, macro_f1(topic, found, len(taxonomy.topics)), float((topic == found).mean()))


def disturbed(examples: Sequence[Example], attacks: Sequence[Attack], seed: int) -> list[Example]:
    """Every message under one of the attacks; each has a generator of its own, so that no row depends on another."""
    made = []
    for number, example in enumerate(examples):
        random = Random(f"{seed}:{number}")
        made.append(replace(example, text=random.choice(attacks)(example.text, random)))
    return made


def homophone(text: str, random: Random) -> str:
    return _each(text, random, lambda c: random.choice(_alike(c)) if _alike(c) else c)


def pinyin(text: str, random: Random) -> str:
    return _each(text, random, lambda c: lazy_pinyin(c, style=Style.NORMAL)[0])


def look_alike(text: str, random: Random) -> str:
    return _each(text, random, lambda c: LOOKALIKES.get(c, c), among=LOOKALIKES)


def dropped(text: str, random: Random) -> str:
    return _each(text, random, lambda c: "") if len(text) > 4 else text


def doubled(text: str, random: Random) -> str:
    return _each(text, random, lambda c: c + c)


def swapped(text: str, random: Random) -> str:
    places = [i for i in range(len(text) - 1) if not {text[i], text[i + 1]} & NEGATIONS and _chinese(text[i : i + 2])]
    if not places:
        return text
    place = random.choice(places)
    return text[:place] + text[place + 1] + text[place] + text[place + 2 :]


def split(text: str, random: Random) -> str:
    separator = random.choice(SEPARATORS)
    return _each(text, random, lambda c: separator + c)


def traditional(text: str, random: Random) -> str:
    return str(_converter(random.choice(("s2t", "s2tw", "s2hk"))).convert(text))


def emoji(text: str, random: Random) -> str:
    place = random.randrange(len(text) + 1)
    return text[:place] + random.choice(EMOJI) * random.randint(1, 3) + text[place:]


def kaomoji(text: str, random: Random) -> str:
    return text + random.choice(KAOMOJI)


def filler(text: str, random: Random) -> str:
    return random.choice(FILLERS) + random.choice((" ", ",", "")) + text


def width(text: str, random: Random) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" and random.random() < 0.7 else c for c in text)


ATTACKS: dict[str, Attack] = {
    attack.__name__: attack
    for attack in (
        homophone, pinyin, look_alike, dropped, doubled, swapped, split, traditional, emoji, kaomoji, filler, width
    )
}  # fmt: skip


# What the normaliser is there to undo says nothing of the model.
TYPED = [attack for name, attack in ATTACKS.items() if name not in ("traditional", "width")]


def _each(text: str, random: Random, change: Callable[[str], str], among: Container[str] | None = None) -> str:
    """`text` with `change` applied to about RATE of its Chinese characters, or of those in `among`; at least to one."""
    places = [i for i, c in enumerate(text) if (_chinese(c) and c not in NEGATIONS if among is None else c in among)]
    chosen = set(random.sample(places, min(len(places), max(1, round(RATE * len(places))))))
    return "".join(change(c) if i in chosen else c for i, c in enumerate(text))


def _chinese(text: str) -> bool:
    return all("一" <= c <= "鿿" for c in text)


def common_characters(least: int = 15) -> list[str]:
    """Chinese characters that data/written has so often: what pinyin input would offer first."""
    counts: Counter[str] = Counter()
    for file in sorted((PROJECT / "data" / "written").glob("*.jsonl")):
        counts.update(file.read_text(encoding="utf-8"))
    return [c for c, count in counts.most_common() if count >= least and _chinese(c)]


@lru_cache(maxsize=1)
def _sounds() -> dict[str, list[str]]:
    sounds: dict[str, list[str]] = defaultdict(list)
    for character in common_characters():
        sounds[lazy_pinyin(character, style=Style.NORMAL)[0]].append(character)
    return sounds


def _alike(character: str) -> list[str]:
    """Common characters of the same sound, tones aside."""
    return [c for c in _sounds().get(lazy_pinyin(character, style=Style.NORMAL)[0], ()) if c != character]


@lru_cache(maxsize=4)
def _converter(name: str) -> opencc.OpenCC:
    return opencc.OpenCC(name)


if __name__ == "__main__":
    main()
