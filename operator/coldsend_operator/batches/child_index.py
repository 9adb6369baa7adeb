"""The index of batches and their children, kept by watch events of both kinds."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from coldsend_operator.accounts.reading import Raw
from coldsend_operator.batches.batch_work import BatchWork
from coldsend_operator.batches.reading import ChildReader
from coldsend_operator.core.batch.model import Batch, Child
from coldsend_operator.kube.objects import version_number
from coldsend_operator.kube.paths import Ref
from coldsend_operator.resources.names import ACCOUNT_KIND, BATCH_KIND, BATCH_LABEL

NAME_OF_A_CHILD = re.compile(r".*-[a-z2-7]{10}")

Key = tuple[str, str]


class ChildIndex:
    """All batches and all children. `decide_again(batch, name)` is called for each child to decide about again.

    SenderAccounts that cannot be children by label, owner or name are not stored.
    """

    def __init__(self, decide_again: Callable[[BatchWork, str], None]) -> None:
        self._decide_again = decide_again
        self._reader = ChildReader()
        self._by_uid: dict[str, BatchWork] = {}
        self._by_key: dict[Key, dict[str, BatchWork]] = {}  # then by UID: two if one replaces the other
        self._by_namespace: dict[str, dict[str, BatchWork]] = {}
        self._children: dict[Key, Child] = {}
        self._names: dict[Key, dict[str, str]] = {}  # `Batch.children`, by namespace and name of the batch
        self._departed: set[str] = set()  # UIDs of children that were removed during a write to them

    # -- batches

    def __iter__(self) -> Iterator[BatchWork]:
        return iter(self._by_uid.values())

    @property
    def namespaces(self) -> set[str]:
        """The namespaces with batches."""
        return {namespace for namespace, works in self._by_namespace.items() if works}

    def in_namespace(self, namespace: str) -> list[BatchWork]:
        return list(self._by_namespace.get(namespace, {}).values())

    def get(self, uid: str) -> BatchWork | None:
        return self._by_uid.get(uid)

    def has(self, work: BatchWork) -> bool:
        """Whether the batch still exists in the shard."""
        return self._by_uid.get(work.batch.uid) is work

    def follow(self, metadata: Raw) -> BatchWork:
        """The batch of this metadata, added if it is new."""
        known = self._by_uid.get(metadata["uid"])
        if known is not None:
            return known
        batch = Batch(metadata["uid"], metadata["namespace"], metadata["name"])
        key = (batch.namespace, batch.name)
        batch.children = self._names.setdefault(key, {})
        work = BatchWork(batch)
        self._by_uid[batch.uid] = work
        self._by_key.setdefault(key, {})[batch.uid] = work
        self._by_namespace.setdefault(batch.namespace, {})[batch.uid] = work
        return work

    def forget(self, uid: str) -> Batch | None:
        """Remove the batch; returns None if it is not known."""
        work = self._by_uid.pop(uid, None)
        if work is None:
            return None
        batch = work.batch
        self._by_namespace[batch.namespace].pop(uid, None)
        namesakes = self._by_key[batch.namespace, batch.name]
        del namesakes[uid]
        if not namesakes:
            del self._by_key[batch.namespace, batch.name]
            self._tidy(batch.namespace, batch.name)
        return batch

    def _tidy(self, namespace: str, name: str) -> None:
        """Drop the names of a batch without children that is gone (rule 43: nothing grows with what came and went)."""
        names = self._names.get((namespace, name))
        if names is not None and not names and (namespace, name) not in self._by_key:
            del self._names[namespace, name]

    # -- children

    def child(self, batch: Batch, name: str) -> Child | None:
        return self._children.get((batch.namespace, name))

    def versions(self) -> dict[str, tuple[Ref, int]]:
        """All stored SenderAccounts with their resourceVersions, by UID."""
        return {
            child.uid: (Ref(ACCOUNT_KIND, namespace, name, child.uid), child.version)
            for (namespace, name), child in self._children.items()
        }

    def owned_by(self, batch: Batch) -> Callable[[], Iterator[Child]]:
        """A function that iterates over its children, as there may be 5,000."""

        def owned() -> Iterator[Child]:
            for name in tuple(batch.children):
                child = self._children.get((batch.namespace, name))
                if child is not None and batch.owns(child):
                    yield child

        return owned

    def see_child(self, raw: Raw) -> None:
        """Take in a SenderAccount from a watch event or from the response to a write."""
        metadata = raw["metadata"]
        key = (metadata["namespace"], metadata["name"])
        known = self._children.get(key)
        if known is None and not _could_be_child(metadata):
            return
        if known is not None and version_number(metadata.get("resourceVersion")) <= known.version:
            return
        if metadata["uid"] in self._departed:
            return
        child = self._reader.read(raw, known)
        self._children[key] = child
        self._update_names(key, known, child)
        self._notify(key, known, child)

    def remove_child(self, namespace: str, name: str, uid: str) -> None:
        """Remove a SenderAccount that no longer exists."""
        key = (namespace, name)
        known = self._children.get(key)
        if any(name in work.children.in_progress for work in self._by_namespace.get(namespace, {}).values()):
            self._departed.add(uid)
        if known is None or known.uid != uid:
            return
        del self._children[key]
        self._update_names(key, known, None)
        self._notify(key, known, None)

    def roll_back(self, ref: Ref) -> None:
        """Accept the next state of the object although its version is lower: the API server was restored."""
        work = self._by_uid.get(ref.uid)
        if work is not None:
            work.batch.version = work.read_generation = 0
        known = self._children.get((ref.namespace, ref.name))
        if ref.kind == ACCOUNT_KIND and known is not None and known.uid == ref.uid:
            self._children[ref.namespace, ref.name] = replace(known, version=-1, generation=-1)

    def deletion_accepted(self, batch: Batch, child: Child) -> None:
        """The API server accepted the deletion of the child; its event may come later."""
        known = self.child(batch, child.name)
        if known is not None and known.uid == child.uid:
            self._children[batch.namespace, child.name] = replace(known, deleting=True)

    def write_ended(self) -> None:
        """Forget removed children once no write runs: no late response can bring them back."""
        if self._departed and not any(work.children.in_progress for work in self):
            self._departed.clear()

    def _update_names(self, key: Key, known: Child | None, child: Child | None) -> None:
        """Update the names of children: a child belongs to the batch that its ownerReference names."""
        namespace, name = key
        old = (known.owner_name, known.owner) if known is not None else (None, None)
        new = (child.owner_name, child.owner) if child is not None else (None, None)
        if old == new:
            return
        if old[0] is not None and old[0] != new[0]:
            self._names[namespace, old[0]].pop(name, None)
            self._tidy(namespace, old[0])
        if new[0] is not None and new[1] is not None:
            self._names.setdefault((namespace, new[0]), {})[name] = new[1]

    def _notify(self, key: Key, known: Child | None, child: Child | None) -> None:
        """Call `decide_again` for each batch that the child concerns."""
        namespace, name = key
        owners = {each.owner_name for each in (known, child) if each is not None and each.owner_name is not None}
        concerned: dict[str, BatchWork] = {}
        for owner in owners:
            concerned |= self._by_key.get((namespace, owner), {})
        if known is None or child is None or known.owner != child.owner or child.owner is None:
            for uid, work in self._by_namespace.get(namespace, {}).items():
                if work.batch.entry(name) is not None:
                    concerned[uid] = work
        for work in concerned.values():
            self._decide_again(work, name)


def _could_be_child(metadata: Raw) -> bool:
    owners: Iterable[Raw] = metadata.get("ownerReferences") or ()
    if BATCH_LABEL in (metadata.get("labels") or {}) or any(owner.get("kind") == BATCH_KIND for owner in owners):
        return True
    return NAME_OF_A_CHILD.fullmatch(metadata["name"]) is not None
