"""What a batch overrides for its children: turns of recreations, deletion policy, protection and approvals."""

from collections.abc import Callable, Iterable

from coldsend_operator.accounts.controller import AccountController
from coldsend_operator.core.batch.decide import ChildAction, ChildDecision
from coldsend_operator.core.batch.model import Batch, Child
from coldsend_operator.core.batch.overrides import apply_overrides, deleted_with
from coldsend_operator.core.decide import is_handed_over
from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.reasons import Reason

Owned = Callable[[], Iterable[Child]]


class BatchOverrides:
    """Keeps the part of the policy that comes from batches, by UID of the batch."""

    def __init__(self, controller: AccountController) -> None:
        self._controller = controller
        self._policy = controller.policy
        self._awaited: dict[str, set[str]] = {}  # names of children, by UID of the Batch
        self._changed = False  # whether the awaited children changed since the last `settle`
        controller.on_seen.append(self._arrived)

    def see(self, batch: Batch, owned: Owned) -> None:
        """Update the overrides of the batch; its children are decided again if they changed."""
        before = self._policy.batch(batch.uid)
        batch.waits = not self._controller.placement.knows(batch.namespace)
        apply_overrides(self._policy, batch)
        if self._policy.batch(batch.uid) != before:
            self._touch(owned())

    def announce(self, batch: Batch, owned: Owned, *, leaving: bool) -> None:
        """Tell the brake how many inboxes go with the batch, or with its shorter list (rule 23: one decision).

        Call this before the first child is deleted. `leaving`: whether any child is to be deleted.
        """
        count = deleted_with(batch, (child for child in owned() if not self._moves(child))) if leaving else 0
        if count == self._policy.leaving.get(batch.uid, 0):
            return
        self._policy.leaving[batch.uid] = count
        self._touch(owned())

    def forget(self, batch: Batch) -> None:
        self._policy.batches.pop(batch.uid, None)
        self._policy.leaving.pop(batch.uid, None)
        for name in self._awaited.pop(batch.uid, ()):
            self._await(batch.namespace, name, None)

    def await_child(self, batch: Batch, name: str, child: Child | None, decision: ChildDecision) -> None:
        """Record after a decision whether the child is yet to be created (rule 30: it may take over an inbox).

        A child stays awaited until the controller has seen it, so that its inbox always has a claimant.
        """
        if child is not None and child.uid not in self._controller.accounts:
            return
        refused = decision.refusal is not None and decision.refusal.reason is Reason.INVALID_SPEC
        entry = batch.entry(name) if child is None and decision.action is ChildAction.APPLY and not refused else None
        names = self._awaited.setdefault(batch.uid, set())
        if entry is not None:
            names.add(name)
        else:
            names.discard(name)
        self._await(batch.namespace, name, entry.identity if entry is not None else None)

    def _arrived(self, account: Account) -> None:
        self._await(account.desired.namespace, account.desired.name, None)

    def _await(self, namespace: str, name: str, identity: str | None) -> None:
        self._changed = self._policy.awaited.put(namespace, name, identity) or self._changed

    def settle(self) -> None:
        """If the awaited children changed, have all waiting deletions decided again."""
        if not self._changed:
            return
        self._changed = False
        for loop in self._controller.loops.values():
            uids = loop.workspace.accounts.keys() & loop.workspace.brake.waiting
            if uids:
                loop.workspace.touch_all(uids)
                loop.wake()

    def _touch(self, children: Iterable[Child]) -> None:
        for child in children:
            account = self._controller.accounts.get(child.uid)
            loop = self._controller.loop_of(account)
            if loop is not None and child.uid in loop.workspace.accounts:
                loop.decide_again(child.uid)

    def _moves(self, child: Child) -> bool:
        """Whether its inbox is handed over to another object."""
        account = self._controller.accounts.get(child.uid)
        loop = self._controller.loop_of(account)
        return account is not None and loop is not None and is_handed_over(account, loop.workspace)
