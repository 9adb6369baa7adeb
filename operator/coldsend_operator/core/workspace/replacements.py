"""Replacements that share a Secret or a Batch take turns: first one, then maxUnavailable at a time (rule 22)."""

import heapq
from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING

from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.decision import Action
from coldsend_operator.core.model.differences import needs_recreation
from coldsend_operator.core.model.membership import Membership

if TYPE_CHECKING:
    from coldsend_operator.core.workspace.workspace import Workspace

Group = tuple[str, str, str]  # namespace, "batch" or "secret", UID of the Batch or name of the Secret
NEXT_IN_LINE = 100
ROLLOUT_SECONDS = 10.0  # longer than a batch takes from one child to the next


class Replacements:
    """Which accounts may be replaced now, counted from all that share, so that a restart grants no second share."""

    def __init__(self, workspace: "Workspace") -> None:
        self._workspace = workspace
        self._groups = Membership[Group]()
        self._turns: dict[Group, dict[str, None]] = {}
        self._slots: dict[Group, frozenset[str]] = {}

    def begin_round(self) -> None:
        """Count the slots again at the next question."""
        self._slots = {}

    def place(self, account: Account) -> Iterable[str]:
        """Update the account's group. Returns the UIDs whose turn may have come."""
        spec, batch = account.desired.spec, account.desired.batch
        secret = spec.smtp.password.name if spec.smtp else None
        kind, name = ("batch", batch) if batch is not None else ("secret", secret)
        key = (account.desired.namespace, kind, name) if spec.recreate and name is not None else None
        if key != self._groups.key_of(account.uid):
            self.leave(account.uid)
            self._groups.place(account.uid, key)
        return islice(self._turns.get(key, {}), NEXT_IN_LINE) if key is not None else ()

    def leave(self, uid: str) -> None:
        key = self._groups.key_of(uid)
        if key is not None:
            self._turns.get(key, {}).pop(uid, None)
            self._groups.place(uid, None)

    def slot(self, account: Account, now: float) -> bool:
        """Whether the account may be replaced now; if not, it is decided again when its turn may have come."""
        if self._being_replaced(account):
            return True
        key = self._groups.key_of(account.uid)
        if key is None:
            return True
        if key not in self._slots:
            self._slots[key] = self._chosen(key, now)
        if account.uid not in self._slots[key]:
            self._turns.setdefault(key, {})[account.uid] = None
            return False
        self._turns.get(key, {}).pop(account.uid, None)
        return True

    def _chosen(self, key: Group, now: float) -> frozenset[str]:
        """The accounts that may be replaced now, in a fixed order, so that a restart continues with the same ones."""
        members = [self._workspace.accounts[uid] for uid in self._groups.members(key)]
        members = [other for other in members if other.desired.deleting is None]
        out = sum(1 for other in members if self._being_replaced(other) or self._vanished(other))
        # while specs change one by one, those that are not changed yet prove nothing of the new one
        settled = all(now >= other.unchanged_since + ROLLOUT_SECONDS for other in members)
        proven = settled and any(other.stored.held and not self._outdated(other) for other in members)
        unavailable = self._workspace.policy.batch(key[2]).unavailable
        free = (unavailable.allowed(len(members)) if proven else 1) - out
        if free <= 0:
            return frozenset()
        waiting = [other for other in members if self._may_be_replaced(other)]
        chosen = heapq.nsmallest(free, waiting, key=lambda other: (other.delete_backoff is not None, other.uid))
        return frozenset(other.uid for other in chosen)

    def _may_be_replaced(self, account: Account) -> bool:
        if self._being_replaced(account) or self._vanished(account) or self._waits_for_a_person(account):
            return False
        lacking = account.credentials is not None and account.credentials.reason is not None
        return not lacking and account.stored.held and self._outdated(account)

    def _waits_for_a_person(self, account: Account) -> bool:
        """Whether something keeps its inbox that may last for ever: it has no turn, so that others have theirs."""
        workspace, desired = self._workspace, account.desired
        stopped = workspace.policy.paused(desired) or bool(desired.problems)
        without_key = account.key_problem is not None or account.moving
        unclear = account.stored.origin_unknown or bool(workspace.claims.same_inbox(account))
        return stopped or without_key or unclear or workspace.policy.protected(account.desired)

    def _vanished(self, account: Account) -> bool:
        """Held, but not shown: gone, or not seen yet since the restart."""
        return account.stored.held and account.stored.inbox_id not in self._workspace.inventory.rows

    def _being_replaced(self, account: Account) -> bool:
        decision = self._workspace.decisions.get(account.uid)
        call = self._workspace.in_flight.get(account.busy) if account.busy is not None else None
        leaving = (decision is not None and decision.action is Action.DELETE) or (
            call is not None and call.operation.deletes
        )
        under_way = account.deleted_at is not None or leaving
        # one that never had an inbox may wait for a person for ever, for example because of an AddressConflict
        had_one = account.stored.applied is not None or account.create is not None
        return account.desired.deleting is None and (under_way or (had_one and not account.stored.held))

    def _outdated(self, account: Account) -> bool:
        row = self._workspace.inventory.row(account.stored.inbox_id)
        return row is None or needs_recreation(account, row)
