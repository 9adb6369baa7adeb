"""Cache sync: compares own lists with the events of the watches."""

import asyncio
import gc
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from coldsend_operator.accounts.controller import AccountController
from coldsend_operator.accounts.status_writer import ref_of
from coldsend_operator.batches.controller import BatchController
from coldsend_operator.kube.client import KubeClient
from coldsend_operator.kube.errors import KubeError, NotFound
from coldsend_operator.kube.objects import ListedObjects, list_versions, version_number
from coldsend_operator.kube.paths import KINDS, Kind, Ref
from coldsend_operator.kube.set_aside import READ, SetAside
from coldsend_operator.kube.throttle import Pauses
from coldsend_operator.logs import Event, Recurring, log
from coldsend_operator.process.crd_guard import CrdGuard
from coldsend_operator.resources.names import ACCOUNT_KIND, BATCH_KIND
from coldsend_operator.settings import Settings
from coldsend_operator.tasks import Tasks

SYNC_PAUSE = 0.05
RELIST_SECONDS, MAX_RELIST = 5.0, 60.0
LIST_RETRY, MAX_RETRY = 2.0, 30.0
FREEZE_EACH = 1_000
UNSEEN_SECONDS = 600.0  # missed deletions are found after this long, even if no event shows a new list
READ_CHILD, FORGET = "read_child", "forget"


@dataclass(slots=True)
class _Known:
    """The known objects of one kind, except accounts, which keep their own versions."""

    seen: dict[str, tuple[Ref, int]] = field(default_factory=dict)  # batches, and what cannot be read: resourceVersion
    gone: set[str] | None = None  # UIDs deleted during a wait for a full list

    def saw(self, ref: Ref, raw: Mapping[str, Any]) -> None:
        """An event shows this state of the object; it may be older than a known one."""
        before = self.seen.get(ref.uid, (ref, 0))[1]
        self.seen[ref.uid] = ref, max(before, version_number(raw["metadata"].get("resourceVersion")))


class CacheSync:
    """Passes watch events on, and tracks the newest known state of each object.

    Objects enter here one by one: an unreadable object counts as arrived (rule 38: it affects only itself).
    """

    def __init__(
        self,
        kube: KubeClient,
        settings: Settings,
        controller: AccountController,
        batches: BatchController,
        clock: Callable[[], float],
        set_aside: SetAside,
        crds: CrdGuard,
    ) -> None:
        self._kube = kube
        self._settings = settings
        self._controller = controller
        self._batches = batches
        self._clock = clock
        self._crds = crds
        self._set_aside = set_aside
        self._known: dict[Kind, _Known] = {kind: _Known() for kind in KINDS}
        self._tasks = Tasks(operation="read object")
        self._forbidden: dict[Kind, frozenset[str]] = dict.fromkeys(KINDS, frozenset())
        self._troubles: dict[str, Recurring] = {}  # by namespace
        self._relisted = asyncio.Event()
        self._arriving = 0
        self._arrived = False

    # -- watch events

    def account_event(self, kind: str | None, raw: Mapping[str, Any]) -> None:
        """An event without a type comes from a list of kopf."""
        ref = _ref(ACCOUNT_KIND, raw)
        if kind is None:
            self._relisted.set()
            self._freeze_arrived()
        if kind == "DELETED":
            self._gone(ref)
            return
        with self._set_aside.trying(ref, READ, lambda: self._read_again(ref)):
            self._controller.seen(raw)
        with self._set_aside.trying(ref, READ_CHILD, lambda: self._read_again(ref)):
            self._batches.children.see_child(raw)
        if self._set_aside.failing(ref.uid, READ):
            self._controller.unreadable(ref.uid)
            self._known[ref.kind].saw(ref, raw)
        else:
            self._known[ref.kind].seen.pop(ref.uid, None)
        self._set_aside.hasten(ref.uid, but=(READ, READ_CHILD))

    def _freeze_arrived(self) -> None:
        """Exclude the objects of the first list from garbage collection, which would take a tenth of the start."""
        self._arriving += 1
        if self._arriving % FREEZE_EACH == 0 and not self._arrived:
            gc.collect()
            gc.freeze()

    def batch_event(self, kind: str | None, raw: Mapping[str, Any]) -> None:
        ref = _ref(BATCH_KIND, raw)
        if kind is None:
            self._relisted.set()
        if kind == "DELETED":
            self._gone(ref)
            return
        self._known[ref.kind].saw(ref, raw)
        with self._set_aside.trying(ref, READ, lambda: self._read_again(ref)):
            self._batches.batch_seen(raw)
        self._set_aside.hasten(ref.uid, but=(READ,))

    def _gone(self, ref: Ref) -> None:
        known = self._known[ref.kind]
        known.seen.pop(ref.uid, None)
        if known.gone is not None:
            known.gone.add(ref.uid)
        self._set_aside.forget(ref.uid)
        with self._set_aside.trying(ref, FORGET, lambda: self._gone(ref)):
            if ref.kind == BATCH_KIND:
                self._batches.batch_gone(ref.uid)
            else:
                self._controller.gone(ref.uid)
                self._batches.children.remove_child(ref.namespace, ref.name, ref.uid)

    # -- reading one object again

    def _read_again(self, ref: Ref) -> None:
        self._tasks.start(self._fetch(ref))

    async def _fetch(self, ref: Ref) -> None:
        """Read the current object again, whatever version was known."""
        try:
            raw = await self._kube.get(ref.path)
        except NotFound:
            self._gone(ref)
            return
        except KubeError as error:
            self._set_aside.failed(ref, READ, error, lambda: self._read_again(ref))
            return
        if raw["metadata"]["uid"] != ref.uid:
            self._gone(ref)
        elif ref.kind == BATCH_KIND:
            self.batch_event("MODIFIED", raw)
        else:
            self.account_event("MODIFIED", raw)

    # -- own lists

    async def wait(self, of: Kind) -> None:
        """Wait until all objects of an own list have arrived (rule 1: no write before both kinds were listed whole).

        Only the first list counts: later objects are not part of it, and deleted ones count as arrived.
        """
        known = self._known[of]
        known.gone = set()
        try:
            # The last one of the list first, as the others come in order.
            awaited, at = list(reversed((await self._list(of)).items())), self._clock()
            pause = RELIST_SECONDS
            while awaited:
                if self._has_arrived(of, *awaited[-1]):
                    awaited.pop()
                    at, pause = self._clock(), RELIST_SECONDS
                elif self._clock() - at > pause:  # deleted before kopf's list, or that list takes its time
                    listed = await self._list(of)  # a version may be lower now: etcd was restored
                    awaited = [(uid, min(version, listed[uid])) for uid, version in awaited if uid in listed]
                    at, pause = self._clock(), min(2 * pause, MAX_RELIST)
                else:
                    await asyncio.sleep(SYNC_PAUSE)
        finally:
            known.gone = None
        self._arrived = True

    async def relist_missed(self) -> None:
        """Find missed deletions: after a gap in its watch kopf lists again and reports no deletions.

        An empty list causes no event at all, so an own list is made periodically anyway.
        """
        while True:
            self._relisted.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._relisted.wait(), UNSEEN_SECONDS)
                await asyncio.sleep(RELIST_SECONDS)  # the rest of that list
            for kind in KINDS:
                await self._list(kind)

    def _has_arrived(self, of: Kind, uid: str, version: int) -> bool:
        arrived = self._version(of, uid)
        return (arrived is not None and arrived >= version) or uid in (self._known[of].gone or ())

    def _version(self, of: Kind, uid: str) -> int | None:
        """The newest known resourceVersion; None if the object does not exist."""
        if uid in self._known[of].seen:
            return self._known[of].seen[uid][1]
        account = self._controller.accounts.get(uid) if of == ACCOUNT_KIND else None
        return account.desired.resource_version if account is not None else None

    def _versions(self, of: Kind) -> dict[str, tuple[Ref, int]]:
        """All known objects of the kind with their newest known resourceVersions.

        A child may be known only from the response to the write that created it.
        """
        if of == BATCH_KIND:
            return dict(self._known[of].seen)
        accounts = self._controller.accounts.items()
        found = {uid: (ref_of(account), account.desired.resource_version) for uid, account in accounts}
        return self._batches.children.versions() | found | self._known[of].seen

    async def _list(self, of: Kind) -> dict[str, int]:
        """Objects known before and not in the list were deleted or left our shard.

        An object that the list shows in an older state than known before was restored from a backup.
        """
        before = self._versions(of)
        answer = await self._fetch_list(of)
        self._log_forbidden(of, answer.forbidden)
        listed, now = answer.versions, self._versions(of)
        for uid, (ref, version) in before.items():
            if now.get(uid) != (ref, version) or ref.namespace in answer.forbidden:
                continue
            if uid not in listed:
                self._gone(ref)
            elif listed[uid] < version:
                log.warning(Event.OBJECT_RESTORED, kind=of, namespace=ref.namespace, name=ref.name)
                self._roll_back(ref)
        return listed

    def _log_forbidden(self, of: Kind, namespaces: frozenset[str]) -> None:
        """Log when a namespace may no longer be listed, and when it may again (rule 38: it affects only itself)."""
        self._forbidden[of] = namespaces
        forbidden = frozenset().union(*self._forbidden.values())
        for name in forbidden:
            trouble = self._troubles.setdefault(name, Recurring(Event.CALL_FAILED, operation="list", namespace=name))
            trouble.failed(
                f"the operator may not list its objects in the namespace {name} (403 Forbidden), so new and changed "
                "objects there wait; other namespaces are not affected. Grant the operator's Role in it, or remove it "
                "from COLDSEND_NAMESPACES"
            )
        for name in self._troubles.keys() - forbidden:
            self._troubles.pop(name).ended()

    def _roll_back(self, ref: Ref) -> None:
        """The object was restored to an older state: read it as if for the first time."""
        self._known[ref.kind].seen.pop(ref.uid, None)
        self._controller.roll_back(ref.uid)
        self._batches.children.roll_back(ref)
        self._read_again(ref)

    async def _fetch_list(self, of: Kind) -> ListedObjects:
        trouble, pauses = Recurring(Event.CALL_FAILED, operation=f"list {of}"), Pauses(LIST_RETRY, MAX_RETRY)
        while True:
            await self._crds.present()
            try:
                listed = await list_versions(self._kube, of, self._settings.namespaces, self._settings.label_selector)
            except NotFound:  # no such kind: the CRD guard reports it and waits
                await self._crds.check_again()
            except KubeError as error:
                trouble.failed(str(error))
            else:
                trouble.ended()
                return listed
            await asyncio.sleep(pauses.next())


def _ref(kind: Kind, raw: Mapping[str, Any]) -> Ref:
    metadata = raw["metadata"]
    return Ref(kind, metadata["namespace"], metadata["name"], metadata["uid"])
