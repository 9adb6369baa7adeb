"""What a batch decides for the accounts of its children: their turns, their end, and approvals for all of them."""

from collections.abc import Callable, Iterable

from coldsend_operator.core.batch import Batch, Child
from coldsend_operator.core.policy import NamespaceMarks
from coldsend_operator.objects.policy import deleted_with, take_terms
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
        take_terms(self._policy, batch)
        if self._of(batch.uid) != before:
            self._touch(owned())

    def announce(self, batch: Batch, owned: Owned, *, leaving: bool) -> None:
        """Tell the brake how many inboxes are to be deleted with the batch, or with its shorter list (rule 23).

        It must know before the first child is deleted. `leaving`: whether any child is to go.
        """
        count = deleted_with(batch, owned()) if leaving else 0
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

    def _of(self, uid: str) -> tuple[object, ...]:
        policy = self._policy
        return (
            policy.max_unavailable.get(uid),
            uid in policy.orphaning,
            policy.protection.get(uid),
            policy.batches.get(uid, NamespaceMarks()),
        )

    def _touch(self, children: Iterable[Child]) -> None:
        for child in children:
            account = self._registry.accounts.get(child.uid)
            runner = self._registry.runners.get(account.ledger_digest) if account is not None else None
            if runner is not None and child.uid in runner.ledger.accounts:
                runner.ledger.touch(child.uid)
                runner.wake()
