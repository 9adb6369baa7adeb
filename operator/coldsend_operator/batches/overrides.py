"""What a batch decides for the accounts of its children: their turns, their end, and approvals for all of them."""

from collections.abc import Callable, Iterable

from coldsend_operator.accounts.controller import AccountController
from coldsend_operator.accounts.policy import apply_overrides, deleted_with
from coldsend_operator.core.batch.decide import ChildAction, ChildDecision
from coldsend_operator.core.batch.model import Batch, Child
from coldsend_operator.core.decide import is_handed_over
from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.policy import NamespaceSettings
from coldsend_operator.core.model.reasons import Reason

Owned = Callable[[], Iterable[Child]]


class BatchOverrides:
    """Keeps the part of the policy that comes from batches, by their UID."""

    def __init__(self, controller: AccountController) -> None:
        self._controller = controller
        self._policy = controller.policy
        self._awaited: dict[str, set[str]] = {}  # names of children, by UID of the Batch
        self._moved = False  # other children are awaited than when the brakes were last told
        controller.on_seen.append(self._arrived)

    def see(self, batch: Batch, owned: Owned) -> None:
        """Take the batch's present terms; the children that they concern are decided again when they have changed."""
        before = self._of(batch.uid)
        batch.waits = not self._controller.knows(batch.namespace)
        apply_overrides(self._policy, batch)
        if self._of(batch.uid) != before:
            self._touch(owned())

    def announce(self, batch: Batch, owned: Owned, *, leaving: bool) -> None:
        """Tell the brake how many inboxes are to be deleted with the batch, or with its shorter list (rule 23).

        It must know before the first child is deleted. `leaving`: whether any child is to go.
        """
        count = deleted_with(batch, (child for child in owned() if not self._moves(child))) if leaving else 0
        if count == self._policy.leaving.get(batch.uid, 0):
            return
        self._policy.leaving[batch.uid] = count
        self._touch(owned())

    def forget(self, batch: Batch) -> None:
        self._policy.max_unavailable.pop(batch.uid, None)
        self._policy.orphaning.discard(batch.uid)
        self._policy.batches.pop(batch.uid, None)
        self._policy.leaving.pop(batch.uid, None)
        self._policy.protection.pop(batch.uid, None)
        self._policy.listed.pop(batch.uid, None)
        for name in self._awaited.pop(batch.uid, ()):
            self._await(batch.namespace, name, None)

    def await_child(self, batch: Batch, name: str, child: Child | None, decision: ChildDecision) -> None:
        """A decision about a child was made: from now on it is awaited, or not any more (rule 30).

        Until the controller has seen it the child stays awaited, or its inbox would be nobody's for a moment.
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
        self._moved = self._policy.awaited.put(namespace, name, identity) or self._moved

    def settle(self) -> None:
        """Have what waits for its deletion decided again when other children are awaited than before."""
        if not self._moved:
            return
        self._moved = False
        for loop in self._controller.loops.values():
            uids = loop.workspace.accounts.keys() & loop.workspace.brake.waiting
            if uids:
                loop.workspace.touch_all(uids)
                loop.wake()

    def _of(self, uid: str) -> tuple[object, ...]:
        policy = self._policy
        return (
            policy.max_unavailable.get(uid),
            uid in policy.orphaning,
            policy.protection.get(uid),
            policy.batches.get(uid, NamespaceSettings()),
        )

    def _touch(self, children: Iterable[Child]) -> None:
        for child in children:
            account = self._controller.accounts.get(child.uid)
            loop = self._controller.loops.get(account.workspace_digest) if account is not None else None
            if loop is not None and child.uid in loop.workspace.accounts:
                loop.workspace.touch(child.uid)
                loop.wake()

    def _moves(self, child: Child) -> bool:
        """Whether its inbox goes to another object."""
        account = self._controller.accounts.get(child.uid)
        loop = self._controller.loops.get(account.workspace_digest) if account is not None else None
        return account is not None and loop is not None and is_handed_over(account, loop.workspace)
