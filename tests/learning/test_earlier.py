"""What a recipe builds on is opened and checked before anything trains."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from fenzhen.errors import DataError, ModelError
from fenzhen.learning.base import load_base
from fenzhen.learning.card import model_card
from fenzhen.learning.earlier import Earlier
from fenzhen.learning.recipe import DistilRecipe, FinetuneRecipe, Recipe
from fenzhen.learning.vocabulary import build_tokeniser
from fenzhen.taxonomy import Taxonomy, default
from fenzhen.understanding.model_dir import ModelDir

BASE = Path(__file__).resolve().parents[2] / "models" / "base"


@pytest.fixture
def recipe(shipped_model: Path) -> Recipe:
    """Goes on from the shipped model, is taught by it and holds out the rows that it did."""
    drawn = ModelDir.open(shipped_model).manifest["recipe"]["finetune"]
    held = {"seed": drawn["seed"], "development_share": drawn["development_share"]}
    finetune = FinetuneRecipe(continues=str(shipped_model), **held)
    return Recipe("test", finetune=finetune, distil=DistilRecipe(released=(str(shipped_model),)))


def test_a_recipe_that_names_none_builds_on_none() -> None:
    assert Earlier.of(Recipe("test")) == Earlier(None, ())


def test_a_model_of_the_same_labels_and_vocabulary_is_taken_and_named(recipe: Recipe, shipped_model: Path) -> None:
    said: list[str] = []
    earlier = Earlier.of(recipe)
    earlier.check(recipe, default(), load_base(BASE).tokeniser, said.append)
    assert not said
    found = earlier.details()
    assert [one["role"] for one in found] == ["start", "teacher"]
    assert {one["identity"] for one in found} == {ModelDir.open(shipped_model).identity}
    details = {"base": "base", "training_rows": 5, "sources": [], "recipe": {}, "earlier": found}
    card = model_card("new", details, {})
    assert f"Went on from the weights of {shipped_model.name}" in card
    assert f"Soft labels by {shipped_model.name}" in card


def test_other_held_out_rows_are_told(recipe: Recipe) -> None:
    said: list[str] = []
    other = replace(recipe, finetune=replace(recipe.finetune, seed=7))
    Earlier.of(other).check(other, default(), load_base(BASE).tokeniser, said.append)
    assert len(said) == 2 and all("may flatter" in line for line in said)


def test_other_labels_and_other_vocabularies_are_refused(recipe: Recipe) -> None:
    earlier = Earlier.of(recipe)
    with pytest.raises(ModelError, match="other labels"):
        earlier.check(recipe, Taxonomy.of_topics({"退货", "发票"}), load_base(BASE).tokeniser, print)
    with pytest.raises(ModelError, match="another vocabulary"):
        earlier.check(recipe, default(), build_tokeniser(["退货 发票"] * 9, size=100, latin_words=0), print)


@pytest.mark.parametrize(
    ("distil", "complaint"),
    [
        (DistilRecipe(folds=3, released=("models/a",)), "found folds = 3 and released"),
        (DistilRecipe(folds=1), "found 1, expected 2 or more"),
    ],
)
def test_teachers_that_make_no_sense_are_refused(distil: DistilRecipe, complaint: str) -> None:
    with pytest.raises(DataError, match=complaint):
        Earlier.of(Recipe("test", distil=distil))


def test_a_changed_or_missing_folder_is_refused(recipe: Recipe, shipped_model: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="gone"):
        Earlier.of(Recipe("test", distil=DistilRecipe(released=(str(tmp_path / "gone"),))))
    copied = shutil.copytree(shipped_model, tmp_path / "copy")
    (copied / "calibration.json").write_text(json.dumps({}), encoding="utf-8")
    with pytest.raises(ModelError, match=r"calibration\.json"):
        Earlier.of(replace(recipe, finetune=replace(recipe.finetune, continues=str(copied))))
