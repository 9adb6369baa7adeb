"""The errors of calls, and errors internal to the client."""

from coldsend_operator.core.model.answers import Failure


class CallFailed(Exception):  # noqa: N818 -- callers read it as a sentence: the call failed, `failure` says how
    """A failed call. Its text shows kind, status and the masked message, and nothing else."""

    def __init__(self, failure: Failure) -> None:
        status = "" if failure.status is None else f" ({failure.status})"
        super().__init__(f"{failure.kind}{status}: {failure.message}")
        self.failure = failure


class NotUnderstood(Exception):  # noqa: N818 -- says what an answer is, not that this program erred
    """Internal to the client: an unreadable 2xx response. Its text quotes nothing of the response."""


class Refused(Exception):  # noqa: N818 -- an answer of ColdSend, not an error of this program
    """Internal to the client: `success: false` under 2xx. Its text is already masked."""
