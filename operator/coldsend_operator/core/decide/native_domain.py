"""The domain of a native inbox must be known, ACTIVE and not full (contract row 27)."""

from coldsend_operator.core.decide.questions import wait_without_call
from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.answers import Domain
from coldsend_operator.core.model.decision import Action, Decision
from coldsend_operator.core.model.desired import Native
from coldsend_operator.core.model.reasons import Reason
from coldsend_operator.core.workspace.domains import NEW_NAME
from coldsend_operator.core.workspace.workspace import Workspace

CHECK_SECONDS = 60.0  # between the lists for a domain that is missing, not ACTIVE or full
CHECKED = f"Checked again every {CHECK_SECONDS:g} s."


def usable_domain(account: Account, workspace: Workspace, now: float) -> Decision | None:
    """What the create of a native inbox waits for, if anything; None for other inboxes."""
    native = account.desired.spec.native
    if native is None:
        return None
    domain = workspace.domains.find(native)
    if domain is None:
        return _unknown_domain(account, native, workspace, now)
    if workspace.domains.outdated and not workspace.domains.forbidden:
        return Decision(Action.DOMAINS, quiet=True)
    if not domain.is_active():
        return _not_active(account, domain, workspace, now)
    if workspace.domains.free(domain) > 0:
        return None
    message = (
        f"Domain {domain.domain_name} is full (limit {domain.max_inboxes}); delete one of its inboxes, or create "
        f"this object again with another domain. {CHECKED}"
    )
    return _until_read_again(account, Reason.DOMAIN_FULL, message, workspace.domains.listed_at + CHECK_SECONDS, now)


def domain_of_replacement(account: Account, workspace: Workspace, now: float) -> Decision | None:
    """What the replacement of a native inbox waits for, as its create would fail; the domain may be full of it."""
    native = account.desired.spec.native
    if native is None or workspace.domains.forbidden:
        return None
    if now >= workspace.domains.listed_at + CHECK_SECONDS and not workspace.domains.trouble:
        return Decision(Action.DOMAINS, quiet=True)
    domain = workspace.domains.find(native)
    if domain is None:
        return _unknown_domain(account, native, workspace, now)
    return None if domain.is_active() else _not_active(account, domain, workspace, now)


def _not_active(account: Account, domain: Domain, workspace: Workspace, now: float) -> Decision:
    message = (
        f"Domain {domain.domain_name} is {domain.status} in ColdSend; the inbox is created once it is ACTIVE. {CHECKED}"
    )
    return _until_read_again(
        account, Reason.DOMAIN_NOT_ACTIVE, message, workspace.domains.listed_at + CHECK_SECONDS, now
    )


def _unknown_domain(account: Account, native: Native, workspace: Workspace, now: float) -> Decision | None:
    if workspace.domains.forbidden:
        if native.domain_id is not None:
            return None
        message = (
            f"The API key may not read domains ({workspace.domains.refusal}); "
            "grant the scope (checked again every 5 minutes), or delete this object and create it again with "
            "spec.native.domainID instead of domainName."
        )
        return _until_read_again(account, Reason.MISSING_SCOPES, message, workspace.domains.retry_at, now)
    if workspace.domains.trouble:
        message = (
            f"ColdSend does not list the domains ({workspace.domains.trouble}); the operator retries automatically."
        )
        return Decision(Action.DOMAINS, Reason.API_UNAVAILABLE, message)
    sought = native.domain in workspace.domains.sought
    recheck = workspace.domains.listed_at + (CHECK_SECONDS if sought else NEW_NAME)
    if workspace.domains.listed_at == 0 or (now >= recheck and not sought):
        return Decision(Action.DOMAINS, quiet=True)
    wanted = native.domain_name or native.domain_id
    message = (
        f"Domain {wanted} is not in this ColdSend workspace. Add it there; for another domain delete this object and "
        f"create it again, as spec.native cannot be changed. {CHECKED}"
    )
    return _until_read_again(account, Reason.DOMAIN_NOT_FOUND, message, recheck, now)


def unnamed_create(account: Account, workspace: Workspace, now: float) -> Decision:
    """The lost create of a native inbox of unknown address is never repeated or matched (rule 10)."""
    message = (
        "ColdSend's response to the create was lost and the API key may not read domains, so the inbox cannot be "
        f"found; grant {workspace.domains.missing_scopes or 'the scope of the domain endpoints'} or make the object "
        "again with spec.native.domainName."
    )
    return _until_read_again(account, Reason.MISSING_SCOPES, message, workspace.domains.retry_at, now)


def _until_read_again(account: Account, reason: Reason, message: str, at: float, now: float) -> Decision:
    """Wait; the domains are read again then."""
    if now >= at:
        return Decision(Action.DOMAINS, reason, message)
    return wait_without_call(account, reason, message, due=at)
