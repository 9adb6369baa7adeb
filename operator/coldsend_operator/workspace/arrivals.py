"""What has arrived of all that the API server holds: own lists, set against what the watches told."""

import asyncio
import gc
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from coldsend_operator.kube.client import Kind, KubeClient, KubeError
from coldsend_operator.kube.metadata import version_number
from coldsend_operator.kube.startup import list_versions
from coldsend_operator.logs import Event, log
from coldsend_operator.settings import Settings
from coldsend_operator.workspace.batches import Batches
from coldsend_operator.workspace.registry import Registry

ARRIVAL_PAUSE = 0.05
RELIST_SECONDS = 5.0
LIST_RETRY = 2.0
FREEZE_EACH = 1_000
UNSEEN_SECONDS = 600.0  # what went unseen is forgotten after so long, even if no event tells of a new list
KINDS: tuple[Kind, ...] = ("SenderAccount", "SenderAccountBatch")


class Arrivals:
    """Hands the watch events on, and knows of each object which state has arrived."""

    def __init__(
        self, kube: KubeClient, settings: Settings, registry: Registry, batches: Batches, clock: Callable[[], float]
    ) -> None:
        self._kube = kube
        self._settings = settings
        self._registry = registry
        self._batches = batches
        self._clock = clock
        self._batch_versions: dict[str, int] = {}
        self._listed_anew = asyncio.Event()
        self._arriving = 0
        self._arrived = False

    # -- watch events

    def account_event(self, kind: str | None, raw: Mapping[str, Any]) -> None:
        """Without a kind the event comes from a list of kopf."""
        metadata = raw["metadata"]
        if kind is None:
            self._listed_anew.set()
            self._settle_in()
        if kind == "DELETED":
            self._account_gone(metadata["namespace"], metadata["name"], metadata["uid"])
        else:
            self._registry.seen(raw)
            self._batches.child_seen(raw)

    def _settle_in(self) -> None:
        """What the first list brings stays: to look for garbage in all of it each time takes a tenth of the start."""
        self._arriving += 1
        if self._arriving % FREEZE_EACH == 0 and not self._arrived:
            gc.collect()
            gc.freeze()

    def batch_event(self, kind: str | None, raw: Mapping[str, Any]) -> None:
        metadata = raw["metadata"]
        if kind is None:
            self._listed_anew.set()
        if kind == "DELETED":
            self._batch_gone(metadata["uid"])
        else:
            self._batch_versions[metadata["uid"]] = version_number(metadata["resourceVersion"])
            self._batches.batch_seen(raw)

    def _account_gone(self, namespace: str, name: str, uid: str) -> None:
        self._registry.gone(uid)
        self._batches.child_gone(namespace, name, uid)

    def _batch_gone(self, uid: str) -> None:
        self._batch_versions.pop(uid, None)
        self._batches.batch_gone(uid)

    # -- own lists

    async def whole(self, of: Kind) -> None:
        """safety.md, 1: an own list, and all of it arrived; what was deleted meanwhile is listed no more."""
        awaited, at = await self._awaited(of), self._clock()
        while awaited:
            if self._has_arrived(of, *awaited[-1]):
                awaited.pop()
                at = self._clock()
            elif self._clock() - at > RELIST_SECONDS:  # most likely it was deleted
                awaited, at = await self._awaited(of), self._clock()
            else:
                await asyncio.sleep(ARRIVAL_PAUSE)
        self._arrived = True

    async def _awaited(self, of: Kind) -> list[tuple[str, int]]:
        """What must arrive, the last of the list first: the others come in the order of the list."""
        return list(reversed((await self._list(of)).items()))

    async def forget_the_unseen(self) -> None:
        """After a gap in its watch kopf lists anew and tells nothing of what went meanwhile.

        A list that is empty does not even tell that there was one, so now and then an own one is made anyway.
        """
        while True:
            self._listed_anew.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._listed_anew.wait(), UNSEEN_SECONDS)
                await asyncio.sleep(RELIST_SECONDS)  # the rest of that list
            for kind in KINDS:
                await self._list(kind)

    def _has_arrived(self, of: Kind, uid: str, version: int) -> bool:
        arrived = self._version(of, uid)
        return arrived is not None and arrived >= version

    def _version(self, of: Kind, uid: str) -> int | None:
        """The newest resourceVersion that has arrived; None when the object is not there."""
        if of == "SenderAccountBatch":
            return self._batch_versions.get(uid)
        account = self._registry.accounts.get(uid)
        return account.desired.resource_version if account is not None else None

    async def _list(self, of: Kind) -> dict[str, int]:
        """What was there before, and is not in the list, has gone or left our shard."""
        known = self._registry.accounts if of == "SenderAccount" else self._batch_versions
        before = {uid: self._version(of, uid) for uid in known}
        listed = await self._answered(of)
        for uid, version in before.items():
            if uid not in listed and self._version(of, uid) == version:
                self._forget(uid)
        return listed

    def _forget(self, uid: str) -> None:
        account = self._registry.accounts.get(uid)
        if account is not None:
            self._account_gone(account.desired.namespace, account.desired.name, uid)
        elif uid in self._batch_versions:
            self._batch_gone(uid)

    async def _answered(self, of: Kind) -> dict[str, int]:
        while True:
            try:
                return await list_versions(self._kube, of, self._settings.namespaces, self._settings.label_selector)
            except KubeError as error:
                log.warning(Event.CALL_FAILED, operation=f"list {of}", message=str(error))
                await asyncio.sleep(LIST_RETRY)
