"""What this process, other processes and earlier runs have begun for an account that comes (rules 33 and 39)."""

from dataclasses import replace
from typing import TYPE_CHECKING

from coldsend_operator.core.model import transitions
from coldsend_operator.core.model.account import RETRY_LONGEST, Account, Backoff
from coldsend_operator.core.model.phases import CreateJob, Creating, UnknownCreate
from coldsend_operator.core.model.reasons import Reason
from coldsend_operator.core.model.times import unix_of
from coldsend_operator.core.workspace.jobs import Job
from coldsend_operator.core.workspace.trust import unproven

if TYPE_CHECKING:
    from coldsend_operator.core.workspace.workspace import Workspace


def resume(workspace: "Workspace", account: Account, now: float) -> None:
    """What the object says of creates of earlier runs, or of other processes.

    A job id is written by us only, into this object only: it proves a create even where the mark was wiped. When a
    create left is not known (a call that ColdSend is slow to answer), so its wait counts from now.
    """
    marks, desired = workspace.policy.create_marks, account.desired
    times = marks.times(account.uid, desired.finalizers)
    marked = times[-1] if times else None
    if account.stored.held:
        if marked is not None and account.wrote_at == 0:
            transitions.address_written(account, marked - workspace.kube_offset)
        return
    _remember_refusal(workspace, account, now)
    earliest = now + workspace.policy.check_timeout
    if _came_back(workspace, account, now):
        return
    if len(times) > 1 and not workspace.leads:
        transitions.create_repeats(account, times[0])
    if _carried(workspace, account, marked if marked is not None else unix_of(desired.created), now):
        return
    if marked is not None:
        name = account.uid if workspace.leads else f"create-{marked:.0f}"
        unknown = UnknownCreate(name, now, earliest=earliest, arrived=workspace.leads, mark=marked)
        transitions.create_found(account, replace(unknown, elsewhere=unproven(workspace, account)))
    elif desired.finalizers and not workspace.leads:
        # An earlier version marked so; or the HMAC key was lost, somebody forged a mark, a manifest was copied.
        transitions.create_found(account, UnknownCreate(account.uid, now, earliest=earliest, arrived=True))


def _remember_refusal(workspace: "Workspace", account: Account, now: float) -> None:
    """What ColdSend refused to an earlier run is tried again no earlier by this one (rule 33)."""
    refusal = account.stored.refusal
    retry_at = min(unix_of(refusal.next_attempt) or 0.0, now + RETRY_LONGEST) if refusal is not None else 0.0
    if refusal is None or account.create_backoff is not None or refusal.workspace != account.key:
        return
    reason = Reason(refusal.reason) if refusal.reason in set(Reason) else Reason.REJECTED
    backoff = Backoff(reason, refusal.message, now, retry_at, refusal.basis, refusal.attempts)
    transitions.create_refusal_known(account, backoff)
    if account.desired.spec.smtp is not None and now < retry_at:
        workspace.stale_secrets.add(account.uid)


def resume_after_move(workspace: "Workspace", account: Account, now: float) -> None:
    """The key of the account changed: this process knows of its creates, whatever stands on the object."""
    if account.unknown_create is not None:
        earliest = now + workspace.policy.check_timeout
        unknown = replace(account.unknown_create, elsewhere=unproven(workspace, account))
        transitions.create_goes_on(account, unknown, now, earliest)
    elif not account.stored.held:
        _carried(workspace, account, account.marked_at or unix_of(account.desired.created), now)


def _carried(workspace: "Workspace", account: Account, mark: float | None, now: float) -> bool:
    """Whether status names a job that carries the account; its create was marked at `mark`."""
    ref = account.stored.job
    if ref is None or ref.operation != "Create":
        return False
    sent = account.create.sent if account.create is not None else None
    _join_job(workspace, account, CreateJob(ref.id, mark=mark, sent=sent), now)
    return True


def _join_job(workspace: "Workspace", account: Account, create: CreateJob, now: float) -> None:
    """The job carries the account; where this run does not know the job, it asks for it at once."""
    job = workspace.jobs.setdefault(create.job, Job(create.job, "Create", set(), now, next_poll=now, moved_at=now))
    job.members.add(account.uid)
    job.size = max(job.size, len(job.members))
    transitions.create_found(account, create)
    workspace.audit.resume(workspace, account)


def _came_back(workspace: "Workspace", account: Account, now: float) -> bool:
    """Whether this process itself has marked the object: it left the selector, and its create goes on."""
    left = workspace.departed.pop(account.uid, now)
    if left is None:
        return False
    match left:
        case Creating(call=call) as create if _carries(workspace, call, account.uid):
            transitions.create_call_goes_on(account, create)
        case CreateJob(job=job) as create if job in workspace.jobs:
            _join_job(workspace, account, create, now)
        case create:
            lost = UnknownCreate(f"uid-{account.uid}", now, mark=create.mark, sent=create.sent)
            unknown = create if isinstance(create, UnknownCreate) else lost
            transitions.create_goes_on(account, unknown, now, now + workspace.policy.check_timeout)
    return True


def _carries(workspace: "Workspace", call_id: int, uid: str) -> bool:
    """Whether the call is under way, with the account."""
    call = workspace.in_flight.get(call_id)
    return call is not None and uid in call.uids
