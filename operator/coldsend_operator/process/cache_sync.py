"""What has arrived of all that the API server holds: own lists, set against what the watches told."""

import asyncio
import gc
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from coldsend_operator.accounts.controller import AccountController
from coldsend_operator.accounts.status_writer import ref_of
from coldsend_operator.batches.controller import BatchController
from coldsend_operator.kube.client import Kind, KubeClient, KubeError, NotFound, Ref
from coldsend_operator.kube.metadata import version_number
from coldsend_operator.kube.set_aside import READ, SetAside
from coldsend_operator.kube.startup import ListedObjects, list_versions
from coldsend_operator.kube.throttle import Pauses
from coldsend_operator.logs import Event, Recurring, log
from coldsend_operator.process.crd_guard import CrdGuard
from coldsend_operator.settings import Settings

SYNC_PAUSE = 0.05
RELIST_SECONDS = 5.0
LIST_RETRY, LONGEST_RETRY = 2.0, 30.0
FREEZE_EACH = 1_000
UNSEEN_SECONDS = 600.0  # what went unseen is forgotten after so long, even if no event tells of a new list
READ_CHILD, FORGET = "read_child", "forget"
KINDS: tuple[Kind, ...] = ("SenderAccount", "SenderAccountBatch")


@dataclass(slots=True)
class _Known:
    """What has arrived of one kind, beside the accounts, which know it themselves."""

    seen: dict[str, tuple[Ref, int]] = field(default_factory=dict)  # batches, and what cannot be read: resourceVersion
    gone: set[str] | None = None  # UIDs that went while somebody waits for a whole list

    def saw(self, ref: Ref, raw: Mapping[str, Any]) -> None:
        """An event showed this state of the object; it may be older than one before."""
        before = self.seen.get(ref.uid, (ref, 0))[1]
        self.seen[ref.uid] = ref, max(before, version_number(raw["metadata"].get("resourceVersion")))


class CacheSync:
    """Hands the watch events on, and knows of each object which state has arrived.

    This is where objects enter, one by one: an object that cannot be read counts as arrived (rule 38).
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
        self._tasks: set[asyncio.Task[None]] = set()
        self._forbidden: dict[Kind, frozenset[str]] = dict.fromkeys(KINDS, frozenset())
        self._troubles: dict[str, Recurring] = {}  # by namespace
        self._relisted = asyncio.Event()
        self._arriving = 0
        self._arrived = False

    # -- watch events

    def account_event(self, kind: str | None, raw: Mapping[str, Any]) -> None:
        """Without a kind the event comes from a list of kopf."""
        ref = _ref("SenderAccount", raw)
        if kind is None:
            self._relisted.set()
            self._settle_in()
        if kind == "DELETED":
            self._gone(ref)
            return
        with self._set_aside.trying(ref, READ, lambda: self._read_again(ref)):
            self._controller.seen(raw)
        with self._set_aside.trying(ref, READ_CHILD, lambda: self._read_again(ref)):
            self._batches.child_seen(raw)
        if self._set_aside.failing(ref.uid, READ):
            self._controller.unreadable(ref.uid)
            self._known[ref.kind].saw(ref, raw)
        else:
            self._known[ref.kind].seen.pop(ref.uid, None)
        self._set_aside.hasten(ref.uid, but=(READ, READ_CHILD))

    def _settle_in(self) -> None:
        """What the first list brings stays: to look for garbage in all of it each time takes a tenth of the start."""
        self._arriving += 1
        if self._arriving % FREEZE_EACH == 0 and not self._arrived:
            gc.collect()
            gc.freeze()

    def batch_event(self, kind: str | None, raw: Mapping[str, Any]) -> None:
        ref = _ref("SenderAccountBatch", raw)
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
            if ref.kind == "SenderAccountBatch":
                self._batches.batch_gone(ref.uid)
            else:
                self._controller.gone(ref.uid)
                self._batches.child_gone(ref.namespace, ref.name, ref.uid)

    # -- reading one object again

    def _read_again(self, ref: Ref) -> None:
        task = asyncio.create_task(self._fetch(ref))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _fetch(self, ref: Ref) -> None:
        """Take the object as it stands now, whatever version was known."""
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
        elif ref.kind == "SenderAccountBatch":
            self.batch_event("MODIFIED", raw)
        else:
            self.account_event("MODIFIED", raw)

    # -- own lists

    async def wait(self, of: Kind) -> None:
        """Rule 1: an own list, and all of it arrived.

        Only the first list counts: what came later is no part of it, and what went meanwhile has arrived as well.
        """
        known = self._known[of]
        known.gone = set()
        try:
            # The last of the list first: the others come in the order of the list.
            awaited, at = list(reversed((await self._list(of)).items())), self._clock()
            while awaited:
                if self._has_arrived(of, *awaited[-1]):
                    awaited.pop()
                    at = self._clock()
                elif self._clock() - at > RELIST_SECONDS:  # most likely it went before kopf made its list
                    listed = await self._list(of)
                    awaited, at = [each for each in awaited if each[0] in listed], self._clock()
                else:
                    await asyncio.sleep(SYNC_PAUSE)
        finally:
            known.gone = None
        self._arrived = True

    async def relist_missed(self) -> None:
        """After a gap in its watch kopf lists again and tells nothing of what went meanwhile.

        A list that is empty does not even tell that there was one, so now and then an own one is made anyway.
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
        """The newest resourceVersion that has arrived; None when the object is not there."""
        if uid in self._known[of].seen:
            return self._known[of].seen[uid][1]
        account = self._controller.accounts.get(uid) if of == "SenderAccount" else None
        return account.desired.resource_version if account is not None else None

    def _refs(self, of: Kind) -> dict[str, Ref]:
        """All objects of the kind that are known."""
        refs = {uid: ref for uid, (ref, _) in self._known[of].seen.items()}
        for uid, account in self._controller.accounts.items() if of == "SenderAccount" else ():
            refs[uid] = ref_of(account)
        return refs

    async def _list(self, of: Kind) -> dict[str, int]:
        """What was there before, and is not in the list, has gone or left our shard.

        What the list shows in an older state than was known before it began was restored from a backup.
        """
        before = {uid: (ref, self._version(of, uid)) for uid, ref in self._refs(of).items()}
        answer = await self._answered(of)
        self._tell_forbidden(of, answer.forbidden)
        listed = answer.versions
        for uid, (ref, version) in before.items():
            if self._version(of, uid) != version or version is None or ref.namespace in answer.forbidden:
                continue
            if uid not in listed:
                self._gone(ref)
            elif listed[uid] < version:
                log.warning(Event.OBJECT_RESTORED, kind=of, namespace=ref.namespace, name=ref.name)
                self._roll_back(ref)
        return listed

    def _tell_forbidden(self, of: Kind, namespaces: frozenset[str]) -> None:
        """One line when a namespace may no longer be listed, and one when it may again (rule 38: it costs itself)."""
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
        """The object stands as it stood before: read it again, as if it were the first time."""
        self._known[ref.kind].seen.pop(ref.uid, None)
        self._controller.roll_back(ref.uid)
        self._batches.roll_back(ref)
        self._read_again(ref)

    async def _answered(self, of: Kind) -> ListedObjects:
        trouble, pauses = Recurring(Event.CALL_FAILED, operation=f"list {of}"), Pauses(LIST_RETRY, LONGEST_RETRY)
        while True:
            await self._crds.present()
            try:
                listed = await list_versions(self._kube, of, self._settings.namespaces, self._settings.label_selector)
            except NotFound:  # no such kind: the guard says so, and waits for it
                await self._crds.asked_again()
            except KubeError as error:
                trouble.failed(str(error))
            else:
                trouble.ended()
                return listed
            await asyncio.sleep(pauses.next())


def _ref(kind: Kind, raw: Mapping[str, Any]) -> Ref:
    metadata = raw["metadata"]
    return Ref(kind, metadata["namespace"], metadata["name"], metadata["uid"])
