"""Tickets: one JSON object for each event, POSTed to a ticket system with an idempotency key.

The body is `AlertEvent.to_dict()`. The key, the event's id, is the same at each try, so that a system that looks at it
opens one ticket however often it is asked. Payments, ERP and courier records are filled in by those systems.
"""

from collections.abc import Sequence

from fenzhen.alerts.channel import post_json
from fenzhen.alerts.config import Ticket
from fenzhen.alerts.event import AlertEvent

KEY = "Idempotency-Key"  # as in draft-ietf-httpapi-idempotency-key-header


class TicketChannel:
    """The channel of one ticket system. `timeout`: seconds to connect, and again for each read."""

    together = False

    def __init__(self, ticket: Ticket, *, timeout: float = 5.0) -> None:
        self._ticket, self._timeout = ticket, timeout

    def deliver(self, events: Sequence[AlertEvent]) -> None:
        for event in events:
            post_json(self._ticket.url, event.to_dict(), {**self._ticket.headers, KEY: event.id}, self._timeout)
