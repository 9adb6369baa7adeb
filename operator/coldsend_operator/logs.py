"""Logs: one line per event, readable on a terminal, else JSON.

Common keys: `event` (from the closed list `Event`), `namespace`, `name`, `workspace` (digest), `operation`.
Lines of level info or above hold no e-mail address: namespace and name identify the inbox.
"""

import json
import logging
import os
import sys
import traceback
from collections.abc import MutableMapping
from contextlib import suppress
from enum import StrEnum
from typing import Literal, TextIO, cast

import structlog
from structlog.typing import FilteringBoundLogger, Processor

from coldsend_operator.log_masks import mask, mask_event, masked_text

__all__ = ["Event", "Recurring", "configure_logs", "log", "mask", "masked_text", "one_line", "traceback_text"]

Format = Literal["console", "json"]
_MAX_TRACEBACK_LENGTH = 20_000
# Their lines of level info and debug hold addresses (in URLs), bodies of Secrets and one line for each watch event.
_TALKATIVE = ("aiohttp", "asyncio", "httpcore", "httpx", "kopf", "kubernetes", "urllib3")
_RETRIED = "; will retry:"  # kopf logs as an error what passes by itself, as the first list of a new CRD


class Event(StrEnum):
    """The events of log lines; users search for these."""

    STARTED = "started"
    STOPPING = "stopping"
    STOPPED = "stopped"
    SETTING_NOTICE = "setting_notice"
    LEASE_ACQUIRED = "lease_acquired"
    LEASE_HELD = "lease_held"
    LEASE_LOST = "lease_lost"
    LEASE_RELEASED = "lease_released"
    WORKSPACE_OPENED = "workspace_opened"
    WORKSPACE_CLOSED = "workspace_closed"
    WORKSPACES_MERGED = "workspaces_merged"
    CALL = "call"
    CALL_FAILED = "call_failed"
    RECOVERED = "recovered"  # a failure ended; `message` names it
    CRD_MISSING = "crd_missing"
    CRD_DELETING = "crd_deleting"
    CRD_OUTDATED = "crd_outdated"
    FROZEN = "frozen"
    WATCH_FAILED = "watch_failed"
    WATCH_SILENT = "watch_silent"
    CONDITION_CHANGED = "condition_changed"
    INBOX_HANDED_OVER = "inbox_handed_over"
    BUDGET_SHARED = "budget_shared"
    AUDIT_FAILED = "audit_failed"
    STATE_NOT_SAVED = "state_not_saved"
    STATE_FULL = "state_full"
    EVENTS_DROPPED = "events_dropped"
    OBJECT_RESTORED = "object_restored"
    OBJECT_SET_ASIDE = "object_set_aside"
    STATUS_CONTESTED = "status_contested"
    LOOP_FAILED = "loop_failed"
    FAILED = "failed"
    LIBRARY = "library"  # a warning or error of a library; see `message`


log: FilteringBoundLogger = structlog.get_logger()
"""The logger of the whole product: `log.info(Event.CALL, namespace=..., name=..., workspace=..., operation=...)`."""


class Recurring:
    """A recurring error: one line when it starts, one when it changes, one when it ends.

    `about` is part of each line.
    """

    def __init__(self, event: Event, **about: str) -> None:
        self._event = event
        self._about = about
        self.message = ""  # empty: no error

    def failed(self, message: str) -> None:
        if message != self.message:
            self.message = message
            log.warning(self._event, message=message, **self._about)

    def ended(self) -> None:
        if self.message:
            log.info(Event.RECOVERED, message=self.message, **self._about)
            self.message = ""


def configure_logs(log_format: Format | None, log_level: str, stream: TextIO | None = None) -> None:
    """Send the lines of structlog and of every library to the stream (stderr), through the same processors.

    The default format is `console` on a terminal, else `json`.
    """
    stream = sys.stderr if stream is None else stream
    log_format = log_format or ("console" if stream.isatty() else "json")
    level = logging.getLevelNamesMapping()[log_level.upper()]
    start: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
    ]
    end = [_with_traceback, mask_event, _renderer(log_format, colors=stream.isatty() and "NO_COLOR" not in os.environ)]
    out = cast("TextIO", _Lossy(stream))
    structlog.configure(
        processors=[*start, *end],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(out),
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*start, _as_library],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *end],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    logging.captureWarnings(capture=True)


class _Lossy:
    """Drops what it cannot write: a closed pipe or a full disk costs lines of the log, not the work of the operator."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with suppress(OSError):
            return self._stream.write(text)
        return 0

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()


def one_line(error: BaseException) -> str:
    """The error for a line of a terminal, masked."""
    kind, text = type(error).__name__, str(error)
    return " ".join(masked_text(text if text.startswith(f"{kind}:") else f"{kind}: {text}").split())


def traceback_text(error: BaseException) -> str:
    """The traceback with its chain, masked, and never with the values of local variables."""
    text = "".join(traceback.TracebackException.from_exception(error, capture_locals=False).format())
    return masked_text(text[-_MAX_TRACEBACK_LENGTH:]).rstrip()


def _with_traceback(_logger: object, _method: str, event: MutableMapping[str, object]) -> MutableMapping[str, object]:
    given = event.pop("exc_info", None)
    error = given[1] if isinstance(given, tuple) else sys.exception() if given is True else given
    if isinstance(error, BaseException):
        event["exception"] = traceback_text(error)
    return event


def _as_library(_logger: object, _method: str, event: MutableMapping[str, object]) -> MutableMapping[str, object]:
    record = event["_record"]
    name = record.name if isinstance(record, logging.LogRecord) else ""
    message = str(event["event"])
    if name.startswith("kopf.") and _RETRIED in message:
        event["level"] = "warning"
    return {**event, "message": message, "event": Event.LIBRARY.value, "library": name}


def _renderer(log_format: Format, *, colors: bool) -> Processor:
    if log_format == "json":
        return _json
    return structlog.dev.ConsoleRenderer(
        colors=colors, timestamp_key="time", exception_formatter=structlog.dev.plain_traceback, sort_keys=False
    )


def _json(_logger: object, _method: str, event: MutableMapping[str, object]) -> str:
    first = {key: event.pop(key) for key in ("time", "level", "event") if key in event}
    return json.dumps({**first, **event}, ensure_ascii=False)
