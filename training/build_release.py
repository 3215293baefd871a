"""The whole path to the shipped model: vocabulary, pre-training, fine-tuning, export with gates, report and card.

    python training/build_release.py NAME --shared ../shared [--recipe training/recipes/tiny.toml] [--base models/base]
    python training/build_release.py NAME --shared ../shared --continue models/base
    python training/build_release.py NAME --shared ../shared --base models/base --recipe training/recipes/successor.toml

Without --base the encoder is pre-trained from scratch into models/base (hours; resumes after a kill from .cache/).
--continue goes through the recipe's [grow], whose layers a base of as many has already, and [respond] once more first.
The new model goes to models/NAME and, when everything passed, models/CURRENT names it.
"""

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import torch

from fenzhen.learning.annotations import SHOPS
from fenzhen.learning.base import load_base, save_base
from fenzhen.learning.corpus import Packed, dialogues, pack, pack_messages
from fenzhen.learning.earlier import Earlier
from fenzhen.learning.encoder import new_encoder
from fenzhen.learning.examples import Example
from fenzhen.learning.files.rows import rows_of
from fenzhen.learning.pretrain import MaskedLanguageModel, grown, pretrain
from fenzhen.learning.readers import read_examples
from fenzhen.learning.recipe import CorpusSource, Recipe
from fenzhen.learning.respond import halves, read_pairs, respond
from fenzhen.learning.sources import development_examples, released
from fenzhen.learning.train import build
from fenzhen.learning.vocabulary import build_tokeniser
from fenzhen.message import Message, Turn
from fenzhen.taxonomy import default
from fenzhen.text import Segmenter
from fenzhen.text.normalise import normalise
from fenzhen.text.tokenise import MASK, Tokeniser
from fenzhen.understanding.model_dir import set_current

PROJECT = Path(__file__).resolve().parents[1]
REVIEWS = "rev_shopping"  # no dialogues: the two halves of a review belong together
OWN = "own_dialogues"  # role-marked dialogues: the pool, the JD dialogues and what was written for the project
HELD_OUT = 12  # sequences a source that measure the held-out loss


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", help="name of the new model folder, e.g. fenzhen-tiny-1")
    parser.add_argument("--shared", type=Path, default=PROJECT.parent / "shared")
    parser.add_argument("--recipe", type=Path, default=PROJECT / "training" / "recipes" / "tiny.toml")
    start = parser.add_mutually_exclusive_group()
    start.add_argument("--base", type=Path, help="fine-tune this base instead of pre-training one")
    start.add_argument("--continue", dest="further", type=Path, help="pre-train this base further into models/base")
    options = parser.parse_args()

    recipe = Recipe.load(options.recipe)
    Earlier.of(recipe)  # a missing model is told now, not after hours of pre-training
    if recipe.finetune.continues and options.base is None:
        parser.error(f"{options.recipe} goes on from {recipe.finetune.continues}; name the base it came from (--base)")
    base = options.base or pretrained(recipe, options.shared, options.further)
    made = released(options.shared)
    tests = {"gold_dev": read_examples([options.shared / "data" / "labelled" / "gold_dev.jsonl"], default())}
    judges = development_examples(options.shared)
    for example in judges:
        tests.setdefault(development_set(example), []).append(example)
    target = PROJECT / "models" / options.name
    build(made.examples, made.sources, recipe, load_base(base), target, judges=judges, tests=tests)
    set_current(PROJECT / "models", options.name)


def development_set(example: Example) -> str:
    """The name of the development set that an example measures."""
    file = str(example.source).removeprefix("read/")
    return "dev_reviews" if file == "reviews" else "dev_taobao" if file in SHOPS else "dev_jd"


def pretrained(recipe: Recipe, shared: Path, further: Path | None) -> Path:
    """Pre-train into models/base, from scratch or from `further`, using what an earlier run left in .cache/."""
    cache = PROJECT / ".cache" / (f"{recipe.name}-further" if further else recipe.name)
    cache.mkdir(parents=True, exist_ok=True)
    known = None if further is None else load_base(further)
    tokeniser = vocabulary(recipe, shared, cache / "tokenizer.json") if known is None else known.tokeniser
    training, held = [], []
    for source, settings in recipe.corpus.items():
        packed = prepared(source, recipe, shared, tokeniser, cache / f"{source}.npz")
        order = np.random.default_rng(recipe.pretrain.seed).permutation(len(packed.ids))
        held.append(packed.take(order[:HELD_OUT]))
        training.append((packed.take(order[HELD_OUT:]), settings.share))
    held_out, mask = Packed.join(held), tokeniser.id(MASK)
    torch.manual_seed(recipe.pretrain.seed)
    if known is None:
        model = MaskedLanguageModel(new_encoder(recipe.encoder, tokeniser.size))
        pretrain(training, held_out, model, recipe.pretrain, mask, cache / "pretrain")
    else:
        model = MaskedLanguageModel(known.encoder)
    if recipe.grow.layers:
        model = grown(model, recipe.grow.layers)
        grow = {f.name: getattr(recipe.grow, f.name) for f in fields(recipe.grow) if f.name != "layers"}
        pretrain(training, held_out, model, replace(recipe.pretrain, **grow), mask, cache / "grow")
    encoder = model.encoder
    if recipe.respond.minutes:
        pairs = [
            (read_pairs(conversations_of(name, settings, shared), tokeniser), settings.share)
            for name, settings in recipe.dialogues.items()
        ]
        encoder = respond(pairs, model, recipe.respond, tokeniser, cache / "respond")
    save_base(encoder, tokeniser, PROJECT / "models" / "base")
    return PROJECT / "models" / "base"


def vocabulary(recipe: Recipe, shared: Path, path: Path) -> Tokeniser:
    if not path.exists():
        texts = (
            line
            for source in recipe.corpus
            for lines in lines_of(source, recipe.corpus[source], shared)
            for line in lines
        )
        build_tokeniser(texts, size=recipe.vocabulary.size, latin_words=recipe.vocabulary.latin_words).save(path)
    return Tokeniser.load(path)


def prepared(source: str, recipe: Recipe, shared: Path, tokeniser: Tokeniser, path: Path) -> Packed:
    if not path.exists():
        length = recipe.pretrain.length
        if source == OWN:
            packed = pack_messages(list(own_messages(shared)), tokeniser, Segmenter(), length)
        else:
            packed = pack(lines_of(source, recipe.corpus[source], shared), tokeniser, Segmenter(), length)
        packed.save(path)
    return Packed.load(path)


def lines_of(source: str, settings: CorpusSource, shared: Path) -> Iterator[list[str]]:
    if source == OWN:
        return ([normalise(message.text)] for message in own_messages(shared))
    return dialogues(shared / "data" / "corpus" / f"{source}.txt.xz", settings.characters)


def conversations_of(source: str, settings: CorpusSource, shared: Path) -> Iterator[list[str]]:
    """Dialogues whose answers can be selected; of our own the written ones, since cs_jddc holds the others whole."""
    if source == REVIEWS:
        return (halves(line) for lines in lines_of(source, settings, shared) for line in lines)
    if source != OWN:
        return lines_of(source, settings, shared)
    return (
        [normalise(line) for line in (*(turn.text for turn in message.history), message.text)]
        for message in messages_of(written_files())
        if message.history
    )


def own_messages(shared: Path) -> Iterator[Message]:
    labelled = shared / "data" / "labelled"
    return messages_of([labelled / "pool.jsonl", labelled / "jddc_dialogues.jsonl", *written_files()])


def written_files() -> list[Path]:
    return sorted((PROJECT / "data" / "written").glob("*.jsonl"))


def messages_of(files: Iterable[Path]) -> Iterator[Message]:
    for file in files:
        for row in rows_of(file):
            history = tuple(Turn(turn["role"], turn["text"]) for turn in row.fields.get("history") or ())
            yield Message(str(row.fields["text"]), history=history)


if __name__ == "__main__":
    main()
