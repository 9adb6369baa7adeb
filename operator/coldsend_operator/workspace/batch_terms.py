"""What a batch decides for the accounts of its children: their turns, their end, and approvals for all of them."""

from collections.abc import Callable, Iterable

from coldsend_operator.core.batch import Batch, Child
from coldsend_operator.core.policy import NamespaceMarks
from coldsend_operator.workspace.registry import Registry

Owned = Callable[[], Iterable[Child]]


class BatchTerms:
    """Keeps the part of the policy that comes from batches, by their UID."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._policy = registry.policy

    def see(self, batch: Batch, owned: Owned) -> None:
        """Take the batch's present terms; the children that they concern are decided anew when they have changed."""
        before = self._of(batch.uid)
        if batch.wanted is not None:
            self._policy.max_unavailable[batch.uid] = batch.wanted.unavailable
        if batch.orphan:
            self._policy.orphaning.add(batch.uid)
        else:
            self._policy.orphaning.discard(batch.uid)
        marks = NamespaceMarks(batch.approve_deletion, batch.approve_recreation)
        self._policy.batches[batch.uid] = marks
        if self._of(batch.uid) != before:
            self._touch(owned())

    def forget(self, batch: Batch) -> None:
        self._policy.max_unavailable.pop(batch.uid, None)
        self._policy.orphaning.discard(batch.uid)
        self._policy.batches.pop(batch.uid, None)

    def _of(self, uid: str) -> tuple[object, ...]:
        policy = self._policy
        return (policy.max_unavailable.get(uid), uid in policy.orphaning, policy.batches.get(uid, NamespaceMarks()))

    def _touch(self, children: Iterable[Child]) -> None:
        for child in children:
            account = self._registry.accounts.get(child.uid)
            runner = self._registry.runners.get(account.ledger_digest) if account is not None else None
            if runner is not None and child.uid in runner.ledger.accounts:
                runner.ledger.touch(child.uid)
                runner.wake()
