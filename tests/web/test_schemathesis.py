"""Schemathesis against the whole OpenAPI description: no undocumented status, no answer outside its schema, no crash.

Uses its generators and checks directly: its pytest plugin (4.32) does not work with pytest 9.2.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, seed, settings
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks

from fenzhen.knowledge.embed import embedder
from fenzhen.knowledge.knowledge import Knowledge
from fenzhen.review.store import ReviewStore
from fenzhen.taxonomy import default
from fenzhen.triage import Triage
from fenzhen.web.app import create_app

KEY = {"Authorization": "Bearer test-key"}
WITH_BODY = ["/classify", "/classify/batch", "/faq/search", "/feedback", "/policy/simulate"]
PATHS = [*WITH_BODY, "/healthz", "/readyz", "/metrics"]
CHECKED = {
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "positive_data_acceptance",
    "unsupported_method",
    "ignored_auth",
}


@pytest.fixture(scope="module")
def operations(triage: Triage, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder: Path = tmp_path_factory.mktemp("api")
    (folder / "default.jsonl").write_text(
        json.dumps({"id": "size", "question": "穿多大码", "answer": "按身高体重选"}), encoding="utf-8"
    )
    knowledge = Knowledge.open(folder, embedder(triage.classifier))
    triage = Triage(triage.classifier, triage.policies, knowledge=knowledge)
    store = ReviewStore(f"sqlite:///{folder}/test.db", spool_dir=folder / "spool")
    app = create_app(triage, store, keys=["test-key"], taxonomy=default())
    found: list[Any] = list(schemathesis.openapi.from_asgi("/openapi.json", app).get_all_operations())
    yield {result.ok().path: result.ok() for result in found}
    store.close()


@pytest.fixture(scope="module")
def checks() -> list[Callable[..., Any]]:
    load_all_checks()
    assert set(CHECKS.get_all_names()) >= CHECKED, "schemathesis has renamed a check"
    return [CHECKS.get_one(name) for name in sorted(CHECKED)]


def test_every_operation_is_tested(operations: dict[str, Any]) -> None:
    assert sorted(operations) == sorted(PATHS)


# Of a policy the schema says only that it is text; whether it is one, the policy's reader says.
ANY_TEXT = "/policy/simulate"


@pytest.mark.parametrize(
    ("path", "mode"),
    [(path, GenerationMode.POSITIVE) for path in PATHS if path != ANY_TEXT]
    + [(path, GenerationMode.NEGATIVE) for path in WITH_BODY],
)
def test_api(operations: dict[str, Any], checks: list[Callable[..., Any]], path: str, mode: GenerationMode) -> None:
    @seed(20261111)
    @settings(max_examples=25, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=operations[path].as_strategy(generation_mode=mode))
    def run(case: schemathesis.Case[Any]) -> None:
        case.call_and_validate(headers=KEY, checks=checks)

    run()
