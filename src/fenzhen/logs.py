"""Where log lines go: standard error, since standard output holds answers. Never called at import.

Commands call it, and each worker of the service. Decides how lines look, not what is logged.
"""

import logging
import sys
from typing import Any

import structlog


def log_to_stderr(level: str = "info") -> None:
    """Readable lines on a terminal, JSON lines elsewhere. Tracebacks come without local variables: those hold texts."""
    renderer: Any = structlog.processors.JSONRenderer(ensure_ascii=False)
    exceptions: list[Any] = [structlog.processors.format_exc_info]
    if sys.stderr.isatty():
        renderer = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        exceptions = []
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *exceptions,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        # Standard error is looked up for each logger: it may have been replaced since.
        logger_factory=lambda *names: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
