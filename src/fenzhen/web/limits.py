"""Limits that keep one server answering: body size, batch size, and how many requests may wait. Knows no routes."""

from collections.abc import Callable
from typing import TypeVar

import anyio
from anyio.to_thread import run_sync

from fenzhen.errors import TooBusy

MAX_BODY = 256 * 1024  # bytes of a request body, enforced while it streams in
MAX_BATCH = 256  # messages in one batch

T = TypeVar("T")


class Lane:
    """Runs work in a few threads and lets a limited number of requests wait; refuses the rest at once.

    A queue that grows for ever answers everybody too late; a refused gateway can try elsewhere or hand the buyer
    to a person (https://github.com/huggingface/text-embeddings-inference does the same).
    """

    def __init__(self, *, threads: int, waiting: int) -> None:
        self._limiter = anyio.CapacityLimiter(threads)
        self._most = waiting + threads
        self._inside = 0

    @property
    def inside(self) -> int:
        """Requests that run or wait now."""
        return self._inside

    async def run(self, work: Callable[[], T]) -> T:
        """`work()` in a thread. Raises TooBusy at once when too many requests wait already."""
        if self._inside >= self._most:
            raise TooBusy(
                f"{self._inside} requests are running or waiting, the limit is {self._most}; try again in a second"
            )
        self._inside += 1
        try:
            return await run_sync(work, limiter=self._limiter)
        finally:
            self._inside -= 1
