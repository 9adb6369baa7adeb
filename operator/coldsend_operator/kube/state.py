"""The state ConfigMap, which outlives the process: budget and brake, one key per workspace (rule 27)."""

import asyncio
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import quote

from coldsend_operator.kube import paths
from coldsend_operator.kube.client import FIELD_MANAGER, MERGE_PATCH, KubeClient
from coldsend_operator.kube.errors import Conflict, KubeError, NotFound

TRIES = 5


def state_path(namespace: str, lease_name: str) -> str:
    """The ConfigMap of this election. The first leader that calls ColdSend creates it."""
    return f"{paths.config_maps(namespace)}/{quote(state_name(lease_name), safe='')}"


def state_name(lease_name: str) -> str:
    return f"{lease_name}-state"


class StateConflict(Exception):  # noqa: N818 - named like the Conflict it stands for
    """Another process wrote this key since we last read or wrote it: continuing would spend a budget twice."""

    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__(f"another writer changed the key {key} of the state")


class StateMap:
    """`<lease name>-state` in the Lease's namespace. Saves during a write are combined into the next write.

    An `unguarded` key overwrites other writers, as nothing is counted by it.
    """

    def __init__(self, client: KubeClient, namespace: str, lease_name: str, unguarded: Collection[str] = ()) -> None:
        self._client = client
        self._namespace = namespace
        self.name = state_name(lease_name)
        self._path = state_path(namespace, lease_name)
        self._version: str | None = None  # None: does not exist, as far as known
        self._known: dict[str, str] = {}
        self._tried: dict[str, set[str | None]] = {}  # our writes without a response: finding one is no conflict
        self._waiting: dict[str, tuple[str | None, list[asyncio.Future[None]]]] = {}
        self._writer: asyncio.Task[None] | None = None
        self._foreign: set[str] = set()  # keys that another writer changed since the load
        self._loaded = False
        self._unguarded = frozenset(unguarded)

    async def load(self) -> dict[str, str]:
        """Read all keys; from now on they count as known."""
        self._version, self._known = await self._read()
        self._tried.clear()
        self._foreign.clear()
        self._loaded = True
        return dict(self._known)

    def known(self, key: str) -> str | None:
        """What the key was when it was last read or written."""
        return self._known.get(key)

    async def save(self, key: str, text: str | None) -> None:
        """Store the text; None removes the key. Returns when it is stored.

        Raises:
            StateConflict: another writer changed the key.
            KubeError: it may not have been stored.
        """
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        _, futures = self._waiting.get(key, (None, []))
        self._waiting[key] = (text, [*futures, future])  # a newer text replaces the older one of its key
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_all())
        await future

    async def _write_all(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, {}
            outcome = await self._outcome({key: text for key, (text, _) in batch.items()})
            for key, (_, futures) in batch.items():
                for future in futures:
                    _settle(future, outcome if not isinstance(outcome, dict) else outcome.get(key))

    async def _outcome(self, texts: dict[str, str | None]) -> Exception | dict[str, Exception]:
        """The result of a write: an error for all texts, or errors by key."""
        try:
            return dict(await self._store(texts))
        except Exception as error:  # noqa: BLE001 - handed to those who wait, each of whom raises it
            return error

    async def _store(self, texts: dict[str, str | None]) -> dict[str, StateConflict]:
        if not self._loaded:
            await self.load()
        refusal: KubeError | None = None
        for _ in range(TRIES):
            writable = {key: text for key, text in texts.items() if key not in self._foreign}
            try:
                if writable:
                    await self._write(writable)
            except (Conflict, NotFound) as error:
                refusal = error
                await self._reread()
            else:
                return {key: StateConflict(key) for key in texts if key in self._foreign}
        raise refusal or Conflict("the state keeps changing", status=409, reason="Conflict")

    async def _write(self, texts: dict[str, str | None]) -> None:
        for key, text in texts.items():
            self._tried.setdefault(key, set()).add(text)
        answer = await (self._make(texts) if self._version is None else self._change(texts))
        self._version = answer["metadata"]["resourceVersion"]
        self._known = _with(self._known, texts)
        for key in texts:
            self._tried.pop(key, None)

    async def _make(self, texts: dict[str, str | None]) -> dict[str, Any]:
        body = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": self.name, "namespace": self._namespace},
            "data": _with(self._known, texts),
        }
        return await self._client.create(paths.config_maps(self._namespace), body, {"fieldManager": FIELD_MANAGER})

    async def _change(self, texts: dict[str, str | None]) -> dict[str, Any]:
        body = {"metadata": {"resourceVersion": self._version}, "data": texts}
        return await self._client.patch(self._path, body, MERGE_PATCH, {"fieldManager": FIELD_MANAGER})

    async def _reread(self) -> None:
        """Load what others wrote; their keys are in conflict until the next load."""
        self._version, found = await self._read()
        if self._version is None:
            return  # deleted by hand: recreate it with all that is known
        self._foreign |= {
            key
            for key in found.keys() | self._known.keys()
            if key not in self._unguarded
            and found.get(key) != self._known.get(key)
            and found.get(key) not in self._tried.get(key, ())
        }
        self._known = found

    async def _read(self) -> tuple[str | None, dict[str, str]]:
        found = await self._client.find(self._path)
        if found is None:
            return None, {}
        return found["metadata"]["resourceVersion"], dict(found.get("data") or {})


def _with(known: Mapping[str, str], texts: Mapping[str, str | None]) -> dict[str, str]:
    return {key: text for key, text in {**known, **texts}.items() if text is not None}


def _settle(future: asyncio.Future[None], error: Exception | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(error)
