"""Raw writes to the API server: JSON in, JSON out. Only this module and `reads` connect to it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from coldsend_operator.kube.errors import StaleLease
from coldsend_operator.kube.paths import kind_of
from coldsend_operator.kube.pruning import Pruning
from coldsend_operator.kube.reads import CALL_SECONDS, JSON, KubeReads, KubeRequest
from coldsend_operator.kube.throttle import Throttles

FIELD_MANAGER: Final = "coldsend-operator"

APPLY_PATCH: Final = "application/apply-patch+yaml"
JSON_PATCH: Final = "application/json-patch+json"
MERGE_PATCH: Final = "application/merge-patch+json"

EVENTS_PER_SECOND: Final = 20.0
EVENTS_AT_ONCE: Final = 200

OnWrite = Callable[[str, str], None]


@dataclass
class WriteGuard:
    """Checked just before each write is sent (rule 5: no write without a fresh Lease)."""

    may_write: Callable[[], bool] = lambda: True


class KubeClient(KubeReads):
    """A session with the API server: `async with KubeClient(on_write) as client`.

    A write that `write_guard` does not allow raises StaleLease; urgent ones, of the Lease itself, are not checked.

    `on_write(kind, verb)` is called before every write, with verbs as in RBAC (create, update, patch,
    delete). Only GETs are repeated, after Unreachable; a 401, which the server has not acted upon, is repeated once
    with credentials read again. (The transport sends a PUT or DELETE again on another connection when the server had
    closed the idle one; these carry a resourceVersion or a UID, so it does no harm.) All methods raise KubeError.
    """

    def __init__(self, on_write: OnWrite) -> None:
        super().__init__()
        self._on_write = on_write
        self.pruning = Pruning()
        self.write_guard = WriteGuard()
        # By namespace and kind: what happens to a batch is not lost among what happens to its thousands of children.
        self.event_throttles = Throttles(EVENTS_PER_SECOND, EVENTS_AT_ONCE)

    async def patch(
        self,
        path: str,
        body: dict[str, Any] | list[dict[str, Any]],
        content_type: str,
        params: Mapping[str, str] | None = None,
        accept: str = JSON,
    ) -> dict[str, Any]:
        self._on_write(kind_of(path), "patch")
        return await self._send(KubeRequest("PATCH", path, params, body, content_type, accept))

    async def create(
        self,
        path: str,
        body: dict[str, Any],
        params: Mapping[str, str] | None = None,
        *,
        timeout: float = CALL_SECONDS,  # noqa: ASYNC109 - handed to the transport
        urgent: bool = False,
    ) -> dict[str, Any]:
        self._on_write(kind_of(path), "create")
        return await self._send(KubeRequest("POST", path, params, body, JSON, seconds=timeout), urgent=urgent)

    async def replace(
        self,
        path: str,
        body: dict[str, Any],
        params: Mapping[str, str] | None = None,
        *,
        timeout: float = CALL_SECONDS,  # noqa: ASYNC109 - handed to the transport
        urgent: bool = False,
    ) -> dict[str, Any]:
        self._on_write(kind_of(path), "update")
        return await self._send(KubeRequest("PUT", path, params, body, JSON, seconds=timeout), urgent=urgent)

    async def delete(
        self, path: str, body: dict[str, Any] | None = None, params: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        self._on_write(kind_of(path), "delete")
        return await self._send(KubeRequest("DELETE", path, params, body, JSON))

    def _check(self, call: KubeRequest, *, urgent: bool) -> None:
        if call.method != "GET" and not urgent and not self.write_guard.may_write():
            raise StaleLease("the Lease was not renewed lately")
