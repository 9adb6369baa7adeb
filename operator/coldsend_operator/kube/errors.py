"""The errors of calls to the API server, by what they mean for the next step."""

# ruff: noqa: N818 - the classes are named by what the server answered, as the callers' except clauses read

import json
from typing import Any

MESSAGE_LIMIT = 500


class KubeError(Exception):
    """A failed call.

    `status` is the HTTP code, None without a response; `reason` is the one-word reason of the Status object, else
    a word of ours; `message` is one line without the body that was sent; `retry_after` is in seconds.
    """

    def __init__(
        self, message: str, *, status: int | None = None, reason: str = "", retry_after: float | None = None
    ) -> None:
        self.status = status
        self.reason = reason
        self.message = " ".join(message.split())[:MESSAGE_LIMIT]
        self.retry_after = retry_after
        super().__init__(f"{reason or type(self).__name__}: {self.message}")

    @property
    def answer(self) -> str:
        """What the API server did, for a sentence about it."""
        return "does not answer" if self.status is None else f"answers HTTP {self.status}"


class NotConfigured(KubeError):
    """There is neither a service account nor a usable kubeconfig."""


class NotFound(KubeError):
    """404: the object, or its kind, does not exist."""


class Conflict(KubeError):
    """409: the object already exists, has a newer version, or is another one of that name."""


class Forbidden(KubeError):
    """403: no permission, or the namespace is terminating."""


class Invalid(KubeError):
    """400 or 422: the request is invalid."""


class Expired(KubeError):
    """410: the rest of a list has expired; start over."""


class StaleLease(KubeError):
    """A write that was not sent: the Lease was not renewed recently, so another replica may lead."""


class Unreachable(KubeError):
    """No connection, no response in time, 5xx or 429. The outcome of a write is unknown, except for 429."""


UNDONE = "Undone"  # a reason of ours: the answer lacks what was written


def by_admission(error: KubeError) -> bool:
    """Whether a policy or webhook of the cluster refused the write, undid it, or could not be asked.

    The API server names no reason of its own for a refusal, only these words.
    """
    return error.reason == UNDONE or any(
        words in error.message for words in ("denied request", "denied the request", "failed calling webhook")
    )


_BY_STATUS: dict[int, type[KubeError]] = {
    400: Invalid,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: Expired,
    422: Invalid,
    429: Unreachable,
}
_NO_SUCH_PATH = "404 page not found"  # the API server's plain text for a kind that is not installed


def error_of(status: int, raw: bytes, retry_after: str | None, *, discreet: bool = False) -> KubeError:
    """The error for a status of 300 or more. `discreet` omits the server's message, which may quote the body."""
    text = raw.decode(errors="replace").strip()
    answer = _status_object(text)
    kind = _BY_STATUS.get(status, Unreachable if status >= 500 else KubeError)
    if kind is NotFound and answer is None and text != _NO_SUCH_PATH:
        kind = Unreachable  # an intermediary answered: no proof of absence
    reason = str((answer or {}).get("reason") or "")
    message = str((answer or {}).get("message") or text)
    return kind(
        f"HTTP {status}" if discreet else message or f"HTTP {status}",
        status=status,
        reason=reason,
        retry_after=_seconds(retry_after),
    )


def _status_object(text: str) -> dict[str, Any] | None:
    try:
        answer = json.loads(text)
    except ValueError:
        return None
    return answer if isinstance(answer, dict) and answer.get("kind") == "Status" else None


def _seconds(header: str | None) -> float | None:
    try:
        return max(0.0, float(header)) if header else None
    except ValueError:
        return None
