"""`build_app(settings)`: the service with the released model, the policies and the store that the settings name.

`fenzhen serve` and `serving/app.py` both call this; it is the only place where the parts meet.
"""

import time
from pathlib import Path

import structlog
from fastapi import FastAPI

from fenzhen.logs import log_to_stderr
from fenzhen.review.store import ReviewStore
from fenzhen.routing.policy import Policies
from fenzhen.settings import Settings
from fenzhen.triage import Triage
from fenzhen.understanding.model_dir import ModelDir
from fenzhen.understanding.onnx_classifier import OnnxClassifier
from fenzhen.web.app import create_app
from fenzhen.web.served import Following, Served

# Messages triaged at the same time in one worker: while one waits for the disk, another can use the processor.
CONCURRENT = 2


def build_app(settings: Settings) -> FastAPI:
    """Load everything and build the app.

    Raises RequestError where there is no model, ModelError, PolicyError and StoreError as the parts load.
    """
    log_to_stderr(settings.log_level)  # here, not in the command: each worker process needs it
    start = time.perf_counter()

    def load(folder: Path) -> Served:
        model = ModelDir.open(folder)
        policies = Policies.load(settings.policy_path(), settings.shops_path(), model.taxonomy)
        return Served(Triage(OnnxClassifier(model, threads=settings.threads), policies), model.taxonomy)

    following = Following(settings.model_path, load)
    store = ReviewStore(settings.store, spool_dir=settings.spool)
    structlog.get_logger("fenzhen.web").info(
        "loaded", model=following.path.name, seconds=round(time.perf_counter() - start, 2), keys=len(settings.api_keys)
    )
    return create_app(
        following,
        store,
        keys=settings.api_keys,
        threads=CONCURRENT,
        waiting=settings.max_waiting,
    )
