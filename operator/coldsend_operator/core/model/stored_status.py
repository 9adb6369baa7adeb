"""Status as stored on the API server. Other versions and people write it too, so it is untrusted input.

Everything reads status through here, once (rule 38: status is untrusted input). A value that does not have the
type of the CRD counts as absent; unknown words stay as they are.
"""

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

from coldsend_operator.core.model.reasons import ConditionType, KstatusType, Reason
from coldsend_operator.core.model.times import unix_of

Status = dict[str, Any]
Read = Callable[[object], Any]
"""Reads one value; None if it cannot be used."""

LONG_AGO = "1970-01-01T00:00:00Z"
CONDITION_STATUS = ("True", "False", "Unknown")
_WORDS = {word: word for word in (*CONDITION_STATUS, *(each.value for each in (*ConditionType, *KstatusType, *Reason)))}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _word(value: object) -> str | None:
    """Reads a known word as that word, and any other text as it is."""
    return _WORDS.get(value, value) if isinstance(value, str) else None


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return value


def _time(value: object) -> str | None:
    return value if isinstance(value, str) and unix_of(value) is not None else None


def _fields(reads: Mapping[str, Read]) -> Read:
    """Reads an object with these fields; others are dropped."""

    def read(value: object) -> Status | None:
        if not isinstance(value, dict):
            return None
        return {
            key: usable for key, entry in value.items() if key in reads and (usable := reads[key](entry)) is not None
        }

    return read


def _list(read: Read) -> Read:
    def read_all(value: object) -> list[Any] | None:
        if not isinstance(value, list):
            return None
        return [entry for entry in map(read, value) if entry is not None]

    return read_all


_condition_fields = _fields(
    {
        "type": _word,
        "status": _word,
        "observedGeneration": _whole,
        "lastTransitionTime": _time,
        "reason": _word,
        "message": _text,
    }
)


def _condition(value: object) -> Status | None:
    """Reads a condition that has all required fields, so that it can be written back."""
    found: Status | None = _condition_fields(value)
    if found is None or not found.get("type"):
        return None
    status = found.get("status")
    return {
        **found,
        "status": status if status in CONDITION_STATUS else "Unknown",
        "lastTransitionTime": found.get("lastTransitionTime", LONG_AGO),
        "reason": found.get("reason") or "Unknown",
        "message": found.get("message", ""),
    }


_EFFECTIVE = _fields(dict.fromkeys(("deletionPolicy", "updatePolicy", "adoptionPolicy", "apiKeySecret"), _text))
_ACCOUNT = _fields(
    {
        "observedGeneration": _whole,
        "inboxID": _text,
        "emailAddress": _text,
        "domain": _text,
        "inboxType": _text,
        "overallStatus": _text,
        "healthScore": _number,
        "dailyLimit": _whole,
        "emailsSentToday": _whole,
        "createdAt": _text,
        "job": _fields({"id": _text, "operation": _text, "state": _text, "progressPercentage": _whole}),
        "testEmail": _fields(
            {
                **dict.fromkeys(("requestID", "recipient", "startedAt", "sentAt", "messageID", "error"), _text),
                "earlierRequestIDs": _list(_text),
            }
        ),
        "effective": _EFFECTIVE,
        "lastReconcileRequest": _text,
        "nextAttempt": _time,
        "attempts": _whole,
        "lastRefusal": _fields(
            {
                "generation": _whole,
                **dict.fromkeys(("reason", "message", "credentialsHash", "reconcileRequest", "workspace"), _text),
            }
        ),
        "lastCredentialsCurrentRequest": _text,
        "origin": _text,
        "handedOverFrom": _fields(dict.fromkeys(("namespace", "name"), _text)),
        "takesOverFrom": _fields(dict.fromkeys(("namespace", "name"), _text)),
        "lastApplied": _fields(dict.fromkeys(("specHash", "credentialsHash", "workspace"), _text)),
        "conditions": _list(_condition),
    }
)
_JOB = _fields(
    {
        **dict.fromkeys(("id", "operation", "state", "startedAt", "completedAt"), _text),
        **dict.fromkeys(("total", "processed", "succeeded", "failed", "progressPercentage"), _whole),
    }
)
_DOMAIN = _fields(
    {
        "name": _text,
        **dict.fromkeys(("total", "ready", "disabled", "emailsSentToday", "dailyLimit"), _whole),
        "healthScore": _fields({"min": _number, "mean": _number}),
    }
)
_BATCH = _fields(
    {
        **dict.fromkeys(
            (
                *("observedGeneration", "total", "processed", "succeeded", "failed", "ready"),
                *("progressPercentage", "completionPercentage"),
            ),
            _whole,
        ),
        "effective": _EFFECTIVE,
        "healthScore": _fields({"min": _number, "mean": _number}),
        "domains": _list(_DOMAIN),
        "estimatedCompletionTime": _time,
        "jobs": _list(_JOB),
        "failures": _list(_fields(dict.fromkeys(("name", "emailAddress", "reason", "message"), _text))),
        "conditions": _list(_condition),
    }
)


def account_status(raw: object) -> Status:
    """The status of a SenderAccount, with the types of the CRD."""
    return _ACCOUNT(raw) or {}


def batch_status(raw: object) -> Status:
    """The status of a SenderAccountBatch, with the types of the CRD."""
    return _BATCH(raw) or {}


def present(**values: Any) -> Status:
    """The values that are there."""
    return {key: value for key, value in values.items() if value is not None}


def to_text(status: Mapping[str, Any]) -> str:
    """A status as JSON text, which takes a quarter of the memory of dicts.

    Equal texts mean equal content, but equal content may have its keys in another order.
    """
    return json.dumps(status, separators=(",", ":"), ensure_ascii=False) if status else ""


def from_text(text: str) -> Status:
    status: Status = json.loads(text) if text else {}
    return status
