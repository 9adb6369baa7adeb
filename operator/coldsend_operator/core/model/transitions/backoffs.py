"""How long a refusal of ColdSend keeps a call from being tried again."""

from dataclasses import replace

from coldsend_operator.core.model.account import Account, Backoff
from coldsend_operator.core.model.pauses import PROBE_PAUSES, doubled, nth

MOST_TRIES = 64  # that are told apart: the longest wait comes far sooner
QUIET = 600.0  # seconds without a refusal after which what changed is tried at once again


def next_backoff(account: Account, before: Backoff | None, new: Backoff, longest: float) -> Backoff:
    """`new` with its times: the wait grows with each try, and immediate retries are limited."""
    again = before is not None and before.reason is new.reason and before.stands_on(account.basis)
    tries = min(before.tries + 1, MOST_TRIES) if again and before is not None else 1
    rushes = before.rushes + 1 if before is not None and new.at - before.at < QUIET else 0
    return replace(
        new,
        retry_at=new.at + doubled(new.retry_at, tries - 1, longest),
        tries=tries,
        rushes=rushes,
        earliest=new.at + nth(PROBE_PAUSES, rushes),
    )
