"""What the routes call: triage and record in one thread, feedback, readiness. Knows no requests and no status codes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from anyio.to_thread import run_sync

from fenzhen.alerts.alerts import Alerts
from fenzhen.alerts.event import from_decision
from fenzhen.answer import answer, new_id
from fenzhen.errors import LabelError, RequestError, StoreError
from fenzhen.message import Message
from fenzhen.review.feedback import Feedback
from fenzhen.review.store import ReviewStore
from fenzhen.routing.decision import Decision
from fenzhen.triage import Triage
from fenzhen.web.errors import NotReady
from fenzhen.web.limits import Lane
from fenzhen.web.maintenance import FaqQuestion, Trial, search, try_policy
from fenzhen.web.metrics import Metrics
from fenzhen.web.served import Served, TriageLike


@dataclass(frozen=True)
class Service:
    """The parts behind the routes. `served` gives the triage that is served now; without `alerts` nobody is told."""

    served: Callable[[], Served]
    store: ReviewStore | None
    lane: Lane
    metrics: Metrics
    alerts: Alerts | None = None

    async def classify(self, messages: Sequence[Message]) -> list[dict[str, Any]]:
        """Answers in the order of the messages, recorded before this returns. Raises TooBusy."""
        if not messages:
            return []
        return await self.lane.run(lambda: self._classify(messages))

    async def feedback(self, event: Feedback) -> str:
        """Keep an event: "recorded" or "duplicate".

        Raises RequestError for a label outside the taxonomy, UnknownDecision, StoreError and TooBusy.
        """
        if self.store is None:
            raise StoreError("feedback can't be kept: the service runs without a store; start it with --store URL")
        self._check_labels(event)
        store = self.store
        status = await self.lane.run(lambda: store.feedback(event))
        self.metrics.feedback(event.event, status)
        return status

    async def search_faq(self, question: FaqQuestion) -> dict[str, Any]:
        """FAQ hits. Raises RequestError where no FAQ is served, TooBusy."""
        return await self.lane.run(lambda: search(self.served().triage, question))

    async def simulate(self, trial: Trial) -> dict[str, Any]:
        """What a policy would change. Raises RequestError for one that can't be used, TooBusy."""
        return await self.lane.run(lambda: try_policy(self.served().triage, trial))

    async def check_ready(self) -> None:
        """Raise NotReady if the model or the store can't do its work. Tries both for real."""
        if (why := await run_sync(self._why_not)) is not None:
            raise NotReady(why)

    def _classify(self, messages: Sequence[Message]) -> list[dict[str, Any]]:
        triage = self.served().triage  # once: what was decided and who is told of it come from the same
        decisions = triage(messages)
        rows = [(new_id(), decision) for decision in decisions]
        recorded = None if self.store is None else self.store.record(rows)
        self._alert(triage, rows)
        self.metrics.decisions(decisions, recorded=recorded)
        return [answer(id, decision, recorded=bool(recorded)) for id, decision in rows]

    def _alert(self, triage: TriageLike, rows: Sequence[tuple[str, Decision]]) -> None:
        if self.alerts is None or not isinstance(triage, Triage):
            return
        for id, decision in rows:
            event = from_decision(id, decision, triage.policies.of(decision.message.shop)[0])
            if event is not None:
                self.alerts.send(event)

    def _why_not(self) -> str | None:
        if self.served().triage([Message("在吗")])[0].classification is None:
            return "the model fails; the log has the reason. Buyers are handed to people meanwhile"
        return None if self.store is None else self.store.ready()

    def _check_labels(self, event: Feedback) -> None:
        taxonomy = self.served().taxonomy
        if taxonomy is None:
            return
        checks = (
            ("topic", event.topic, taxonomy.topic_index),
            ("emotion", event.emotion, taxonomy.emotion_index),
        )
        for field, label, index in checks:
            try:
                if label is not None:
                    index(label)
            except LabelError as error:
                raise RequestError(str(error), field=field) from error
