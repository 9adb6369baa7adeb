"""What becomes of a create, from its mark to an inbox, a refusal, or an outcome that only a read tells."""

import math
from dataclasses import replace
from typing import TypeVar

from coldsend_operator.core.model.account import Account, Backoff
from coldsend_operator.core.model.phases import CreateJob, Creating, Sent, UnknownCreate
from coldsend_operator.core.model.stored import JobRef, StoredRefusal
from coldsend_operator.core.model.times import rfc3339
from coldsend_operator.core.model.transitions.reads import reset_probes
from coldsend_operator.core.model.transitions.waits import next_backoff

MAX_MESSAGE_LENGTH = 400


def create_started(account: Account, call: int) -> None:
    """A create is being prepared. One whose outcome is unknown goes again: "exists" most likely refers to that."""
    account.busy = call
    if account.unknown_create is not None:
        account.repeated_mark = account.unknown_create.mark
    account.create = Creating(call)


def create_prepared(account: Account, digest: str | None) -> None:
    """A create is about to leave with the present spec and a Secret of this digest."""
    if account.create is not None:
        spec = account.desired.spec
        account.create = replace(account.create, sent=Sent(spec.hash, digest, spec.display_name))


def marked(account: Account, at: float) -> None:
    """The mark of the create, with this time, stands on the object."""
    if account.create is not None:
        account.create = replace(account.create, mark=at)


def create_call_ended(account: Account) -> None:
    """The call of a create has ended: unless something else is known of the create by now, nothing came of it."""
    account.busy = None
    if isinstance(account.create, Creating):
        account.create = None


def inbox_unnamed(account: Account, unknown: UnknownCreate) -> None:
    """ColdSend took the create, and its answer does not say which inbox is ours."""
    account.create = _of_same(account, unknown)
    account.probe_at = None


def create_unknown(account: Account, unknown: UnknownCreate, now: float) -> None:
    """The outcome of a create is unknown: only a probe tells (rule 39)."""
    account.create = _of_same(account, unknown)
    account.wrote_at = now
    reset_probes(account)


def create_found(account: Account, create: CreateJob | UnknownCreate) -> None:
    """A mark on the object, or a job in its status, tells of a create of an earlier run or of another process."""
    account.create = create


def create_repeats(account: Account, mark: float) -> None:
    """The create of an earlier run repeated a lost one with this mark: "exists" most likely refers to that."""
    account.repeated_mark = mark


def create_goes_on(account: Account, unknown: UnknownCreate, now: float, earliest: float) -> None:
    """The wait for a create that left before the account came here begins again."""
    account.create = replace(unknown, at=now, left_at=None, earliest=earliest)


def create_call_goes_on(account: Account, create: Creating) -> None:
    """The create that left before the account came here is still under way."""
    account.busy, account.create = create.call, create


def create_job_started(account: Account, job: str, now: float) -> None:
    """A job carries the create; its id is to be stored (rule 8)."""
    account.create = _of_same(account, CreateJob(job))
    account.wrote_at = now
    account.stored = replace(account.stored, job=JobRef(job, "Create"))


def bulk_create_ended(account: Account, unknown: UnknownCreate, now: float) -> None:
    """A bulk create, or its job, has ended: a read tells who has an inbox now."""
    account.create = _of_same(account, unknown)
    account.stored = replace(account.stored, job=None)
    account.wrote_at = now
    account.waiting_since = None  # it waits for a probe from now on; status tells of waits that last
    reset_probes(account)


def bulk_create_told(account: Account, hint: str | None, *, exists: bool) -> None:
    """What the rows of the bulk say of the account; "exists" most likely refers to a lost create that it repeated."""
    unknown = account.unknown_create
    if unknown is not None:
        existed = exists and account.repeated_mark is None
        account.create = replace(unknown, hint=hint, answered=True, existed=existed)


def create_refused(account: Account, refusal: Backoff, longest: float, workspace: str) -> None:
    """ColdSend refused the create, or something keeps it from leaving; `refusal.retry_at` is the first wait.

    Status keeps it, so that no restart tries earlier (rule 33).
    """
    backoff = next_backoff(account, account.create_backoff, refusal, longest)
    account.create_backoff = backoff
    stored = StoredRefusal(
        reason=backoff.reason,
        message=backoff.message[:MAX_MESSAGE_LENGTH],
        next_attempt=rfc3339(math.ceil(backoff.retry_at)),
        attempts=backoff.tries,
        basis=backoff.basis,
        workspace=workspace,
    )
    account.stored = replace(account.stored, refusal=stored)
    account.conflict_seen_at = 0.0


def create_refusal_known(account: Account, backoff: Backoff) -> None:
    """An earlier run was refused the create so; status names no later time than that of the backoff."""
    account.create_backoff = backoff
    if account.stored.refusal is not None:
        refusal = replace(account.stored.refusal, next_attempt=rfc3339(math.ceil(backoff.retry_at)))
        account.stored = replace(account.stored, refusal=refusal)


def create_conflicted(account: Account, now: float) -> None:
    """ColdSend said that the address exists: only a read begun after this counts."""
    account.conflict_seen_at = now
    reset_probes(account)


def repeated_create_unknown(account: Account, mark: float, now: float) -> None:
    """Most likely the lost create with this mark, which the refused one repeated, has done its work: it is sought."""
    account.create = replace(_of_same(account, UnknownCreate(f"uid-{account.uid}", now)), mark=mark)


def create_had_no_effect(account: Account) -> None:
    """Nothing came of the create whose outcome was unknown."""
    if account.unknown_create is not None:
        account.create = None


def create_over(account: Account, *, repeatable: bool) -> None:
    """No create is waited for any more. `repeatable`: it may still appear, and "exists" would refer to it then."""
    if account.unknown_create is not None:
        if repeatable:
            account.repeated_mark = account.unknown_create.mark
        account.create = None
    elif account.create is not None:
        account.create = replace(account.create, mark=None)


def run_began(account: Account) -> None:
    """This process leads from now on: the object itself tells of creates of the one before it."""
    account.create = account.delete_job = None


C = TypeVar("C", CreateJob, UnknownCreate)


def _of_same(account: Account, create: C) -> C:
    """The next state of the create that the account has now."""
    before = account.create
    return create if before is None else replace(create, mark=before.mark, sent=before.sent)
