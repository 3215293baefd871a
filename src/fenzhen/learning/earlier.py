"""Earlier models that a recipe builds on: one to go on from (`finetune.continues`), and teachers (`distil.released`).

They are opened and checked before anything trains.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fenzhen.errors import DataError, ModelError
from fenzhen.learning.recipe import Recipe
from fenzhen.taxonomy import Taxonomy
from fenzhen.text.tokenise import Tokeniser
from fenzhen.understanding.model_dir import ModelDir


@dataclass(frozen=True)
class Earlier:
    """The opened folders; None and empty where the recipe names none."""

    start: ModelDir | None
    teachers: tuple[ModelDir, ...]

    @classmethod
    def of(cls, recipe: Recipe) -> "Earlier":
        """Open what the recipe names. Raises ModelError for a folder that is no model, DataError for a wrong [distil].

        Cross-fitted and released teachers exclude each other, and folds need two or more.
        """
        folds, released = recipe.distil.folds, recipe.distil.released
        if folds and released:
            raise DataError(f"distil: found folds = {folds} and released = {list(released)}, expected one of them")
        if folds == 1 or folds < 0:
            raise DataError(f"distil.folds: found {folds}, expected 2 or more, or 0 for no teachers")
        start = recipe.finetune.continues
        return cls(ModelDir.open(Path(start)) if start else None, tuple(ModelDir.open(Path(one)) for one in released))

    def check(self, recipe: Recipe, taxonomy: Taxonomy, tokeniser: Tokeniser, say: Callable[[str], None]) -> None:
        """Raise ModelError for models of other labels, or a start of another vocabulary.

        Says which of them may have trained on what is held out now: the same rows are only while seed and share are.
        """
        for model in self.teachers if self.start is None else (self.start, *self.teachers):
            theirs = model.taxonomy
            if theirs.topic_ids != taxonomy.topic_ids or theirs.emotion_ids != taxonomy.emotion_ids:
                raise ModelError(f"{model.path} has other labels than the examples; build on a model of the same ones")
            drawn = dict(model.manifest.get("recipe", {})).get("finetune", {})
            mine = {"seed": recipe.finetune.seed, "development_share": recipe.finetune.development_share}
            if {key: drawn.get(key) for key in mine} != mine:
                say(f"{model.name} held out other rows than this training does: held-out scores may flatter")
        if self.start is not None:
            known = Tokeniser.load(self.start.path / "tokenizer.json", self.start.limits)
            if known.vocabulary != tokeniser.vocabulary:
                raise ModelError(f"{self.start.path} has another vocabulary than the base; name the base it came from")

    def details(self) -> list[dict[str, str]]:
        """Role, name and identity of each, for card and manifest."""
        roles = [*(("start", model) for model in [self.start] if model), *(("teacher", one) for one in self.teachers)]
        return [{"role": role, "name": model.name, "identity": model.identity} for role, model in roles]
