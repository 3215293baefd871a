"""The parts that a command works with, made from Settings: triage, policies, labels, and the store if asked for.

Also what all commands say alike: the Chinese names of actions and priorities.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from fenzhen.batch.score import Recorder, TriageLike
from fenzhen.knowledge.embed import open_knowledge
from fenzhen.knowledge.knowledge import Knowledge
from fenzhen.routing.policies import Policies
from fenzhen.settings import Settings
from fenzhen.taxonomy import Taxonomy
from fenzhen.triage import Triage
from fenzhen.understanding.classification import Classifier

ACTION_NAMES = {"bot": "机器人", "faq": "常见问题", "self_service": "自助办理", "handoff": "转人工"}
PRIORITY_NAMES = {"urgent": "加急", "high": "优先"}  # the others go without saying


@dataclass(frozen=True)
class Parts:
    """`store` is None where nothing is to be recorded."""

    triage: TriageLike
    policies: Policies
    taxonomy: Taxonomy
    store: Recorder | None = None

    def group_name(self, shop: str | None, group: str) -> str:
        """Chinese name of a group in the policy of a shop; its id where it has none."""
        found = self.policies.of(shop)[0].groups.get(group)
        return group if found is None else found.name


def assemble(
    classifier: Classifier,
    policies: Policies,
    taxonomy: Taxonomy,
    store: Recorder | None = None,
    knowledge: Knowledge | None = None,
) -> Parts:
    """Parts around any classifier."""
    return Parts(Triage(classifier, policies, knowledge=knowledge), policies, taxonomy, store)


@contextmanager
def opened(settings: Settings, *, record: bool, loaded: tuple[Classifier, Taxonomy] | None = None) -> Iterator[Parts]:
    """Load model and policies, and the store if `record`, which is closed afterwards. `loaded`: a model that is.

    Raises RequestError where there is no model, ModelError, PolicyError and StoreError as they load.
    """
    from fenzhen.understanding.model_dir import ModelDir
    from fenzhen.understanding.onnx_classifier import OnnxClassifier

    policy_file, shops = settings.policy_path(), settings.shops_path()
    if loaded is None:
        model = ModelDir.open(settings.model_path())
        loaded = OnnxClassifier(model, threads=settings.threads), model.taxonomy
    classifier, taxonomy = loaded
    policies = Policies.load(policy_file, shops, taxonomy)
    knowledge = open_knowledge(settings.faq_path(), classifier, taxonomy)
    if not record:
        yield assemble(classifier, policies, taxonomy, knowledge=knowledge)
        return
    from fenzhen.review.store import ReviewStore

    store = ReviewStore(settings.store, spool_dir=settings.spool)
    try:
        yield assemble(classifier, policies, taxonomy, store, knowledge)
    finally:
        store.close()
