"""Two API keys turn out to lead to one workspace: what was known with each becomes one (rule 13).

Everything but the accounts is merged at once. An account follows when no call carries it: the answer to a call is taken
in where the call was begun.
"""

from dataclasses import replace

from coldsend_operator.core.model.account import Account
from coldsend_operator.core.workspace.workspace import Workspace


def merge(workspace: Workspace, other: Workspace, now: float, *, counted: bool = False) -> None:
    """`other` becomes a part of `workspace`, with what was merged into it before.

    `counted`: the counts of each hold those of the other already, as they were stored together.
    """
    if not counted:
        workspace.budget.absorb(other.budget, now)
        workspace.brake.absorb(other.brake, now)
    workspace.budget.heed(other.budget.refused_until, other.budget.refusals)
    workspace.digests |= other.digests
    workspace.inventory.absorb(other.inventory)
    workspace.departed.absorb(other.departed)
    workspace.apart |= other.apart
    for scope, splits in other.splits.items():
        workspace.splits[scope] += splits
    workspace.domains.doubt(now)  # inboxes that the other has made count against the room of a domain
    for digest, breaker in other.keys.breakers.items():
        workspace.keys.breakers.setdefault(digest, breaker)
    for part in (other, *other.merged):
        part.id, part.merged_into, part.merged = workspace.id, workspace, []
        part.budget, part.brake = workspace.budget, workspace.brake
        workspace.merged.append(part)
    for part in workspace.merged:
        part.digests = workspace.digests
        for account in part.accounts.values():
            part.index(account)


def may_follow(account: Account, part: Workspace) -> bool:
    """Whether nothing is under way for the account whose end is taken in by this part of the workspace."""
    job = part.jobs.get(account.job or "")
    waits = job is not None and (job.in_flight or account.uid in job.unstored)
    return account.busy is None and account.uid not in part.patching and not waits


def follow(account: Account, part: Workspace, now: float) -> None:
    """The account leaves this part for the workspace that it was merged into, with all that is known of it."""
    workspace, uid, unknown = part.merged_into, account.uid, account.unknown_create
    if workspace is None:
        return
    stale, last_evidence = uid in part.stale_secrets, part.lost_creates.last_evidence(account)
    part.leave(uid)
    part.audit.hand_over(uid, workspace.audit)
    workspace.take(account, now)
    if stale:
        workspace.stale_secrets.add(uid)
    if unknown is not None:
        workspace.lost_creates.learn(unknown.call, last_evidence)
    _take_job_along(account, part, workspace)


def _take_job_along(account: Account, part: Workspace, workspace: Workspace) -> None:
    """The job that carries the account is polled here from now on, and there no more once it carries nobody there."""
    job = part.jobs.get(account.job or "")
    if job is None:
        return
    here = workspace.jobs.setdefault(job.id, replace(job, members=set(), unstored=set()))
    here.members.add(account.uid)
    if not job.members:
        del part.jobs[job.id]
