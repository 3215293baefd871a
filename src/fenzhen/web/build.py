"""`build_app(settings)`: the service with the released model, the policies and the store that the settings name.

`fenzhen serve` and `serving/app.py` both call this; it is the only place where the parts meet.
"""

import time
from functools import partial
from pathlib import Path

import structlog
from fastapi import FastAPI

from fenzhen.alerts.alerts import Alerts
from fenzhen.alerts.config import AlertConfig
from fenzhen.knowledge.embed import open_knowledge
from fenzhen.knowledge.knowledge import Knowledge
from fenzhen.logs import log_to_stderr
from fenzhen.review.store import ReviewStore
from fenzhen.routing.policies import Policies, Stamp, stamps_of
from fenzhen.settings import Settings
from fenzhen.taxonomy import Taxonomy
from fenzhen.triage import Triage
from fenzhen.understanding.model_dir import ModelDir
from fenzhen.understanding.onnx_classifier import OnnxClassifier
from fenzhen.web.app import create_app
from fenzhen.web.served import Following, Served

# Messages triaged at the same time in one worker: while one waits for the disk, another can use the processor.
CONCURRENT = 2

_log = structlog.get_logger("fenzhen.web")


OnDisk = tuple[Path, tuple[tuple[Path, Stamp], ...]]  # the model folder, and the policy files as they are


def _on_disk(settings: Settings) -> OnDisk:
    return settings.model_path(), tuple(stamps_of(settings.policy_path(), settings.shops_path()).items())


class Loader:
    """Loads what is on disk. A model that is the same as before is not loaded again, nor are policies."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._model: tuple[Path, OnnxClassifier, Taxonomy, Knowledge | None] | None = None
        self._policies: Policies | None = None

    def __call__(self, key: OnDisk) -> Served:
        """Raises RequestError where there is no model, ModelError, PolicyError and DataError as the parts load."""
        settings, folder = self._settings, key[0]
        known = self._model if self._model is not None and self._model[0] == folder else None
        path, classifier, taxonomy, knowledge = known or self._open(folder)
        policies = Policies.load(
            settings.policy_path(), settings.shops_path(), taxonomy, before=self._policies if known else None
        )
        for shop, reason in policies.refused.items():
            if self._policies is None or self._policies.refused.get(shop) != reason:
                _log.error("shop file can't be used; what it had before goes on", shop=shop, reason=reason)
        self._model, self._policies = (path, classifier, taxonomy, knowledge), policies
        refresh = (lambda: None) if knowledge is None else partial(_refresh, knowledge)
        return Served(Triage(classifier, policies, knowledge=knowledge), taxonomy, refresh)

    def _open(self, folder: Path) -> tuple[Path, OnnxClassifier, Taxonomy, Knowledge | None]:
        model = ModelDir.open(folder)
        classifier = OnnxClassifier(model, threads=self._settings.threads)
        knowledge = open_knowledge(self._settings.faq_path(), classifier, model.taxonomy)
        if knowledge is not None:
            knowledge.warm(())  # word lists and the entries for all: else the first buyer waits a second for them
        return folder, classifier, model.taxonomy, knowledge


def _refresh(knowledge: Knowledge) -> None:
    """Take over changed FAQ files; one that is broken is said once, by the knowledge base's own account."""
    before = knowledge.refused
    found = knowledge.refresh()
    if found.changed:
        _log.info("serving changed FAQ files", shops=len(found.changed))
    for shop, reason in found.refused.items():
        if before.get(shop) != reason:
            _log.error("FAQ file can't be used; what it had before goes on", shop=shop, reason=reason)


def build_app(settings: Settings) -> FastAPI:
    """Load everything and build the app.

    Raises RequestError where there is no model, ModelError, PolicyError, DataError, AlertError and StoreError as
    the parts load.
    """
    log_to_stderr(settings.log_level)  # here, not in the command: each worker process needs it
    start = time.perf_counter()

    alerts_file = settings.alerts_path()
    config = None if alerts_file is None else AlertConfig.load(alerts_file)  # before anything that would need closing
    following = Following(partial(_on_disk, settings), Loader(settings))
    store = ReviewStore(settings.store, spool_dir=settings.spool)
    _log.info(
        "loaded",
        model=following.key[0].name,
        seconds=round(time.perf_counter() - start, 2),
        keys=len(settings.api_keys),
    )
    return create_app(
        following,
        store,
        keys=settings.api_keys,
        threads=CONCURRENT,
        waiting=settings.max_waiting,
        alerts=None if config is None else Alerts(config, settings.spool / "alerts"),
    )
