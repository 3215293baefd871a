"""Write decisions.json anew from the shipped model and policy: run it after a release and read the difference.

python tests/golden/write.py
"""

import json
from pathlib import Path
from typing import Any

from fenzhen.defaults import CHECKOUT
from fenzhen.message import Message
from fenzhen.routing.decision import Decision
from fenzhen.routing.policies import Policies
from fenzhen.triage import Triage
from fenzhen.understanding.model_dir import ModelDir, current
from fenzhen.understanding.onnx_classifier import OnnxClassifier

HERE = Path(__file__).parent


def decisions() -> list[tuple[dict[str, Any], Decision]]:
    """The requests of messages.jsonl with what the shipped model and policy decide."""
    lines = (HERE / "messages.jsonl").read_text(encoding="utf-8").splitlines()
    requests = [json.loads(line) for line in lines]
    triage = Triage(OnnxClassifier(ModelDir.open(current(CHECKOUT / "models"))), Policies.load())
    return list(zip(requests, triage([Message.from_dict(request) for request in requests]), strict=True))


def golden(decision: Decision) -> dict[str, Any]:
    """What the golden file keeps of a decision."""
    found = decision.classification
    assert found is not None
    return {
        "topic": found.topic,
        "emotion": found.emotion,
        "confidence": round(found.confidence, 3),
        "needs_human": round(found.needs_human, 3),
        "action": decision.route.action,
        "rule": decision.route.rule,
    }


def main() -> None:
    rows = [{"text": request["text"], **golden(decision)} for request, decision in decisions()]
    lines = ",\n ".join(json.dumps(row, ensure_ascii=False) for row in rows)
    (HERE / "decisions.json").write_text(f"[{lines}]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
