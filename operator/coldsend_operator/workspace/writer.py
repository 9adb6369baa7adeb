"""The one writer of SenderAccount status: what `core.projection` says, when the API server holds something else."""

import asyncio
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal

from coldsend_operator.core.conditions import reasons
from coldsend_operator.core.ledger import Ledger
from coldsend_operator.core.projection import facts_of, project
from coldsend_operator.core.reasons import Reason
from coldsend_operator.core.records import Account
from coldsend_operator.kube.client import KubeClient, KubeError, Ref
from coldsend_operator.kube.events import emit
from coldsend_operator.kube.status import write_status
from coldsend_operator.logs import Event, log
from coldsend_operator.workspace.desired import compact_json, version_number

RETRY_SECONDS = 2.0
GOOD = frozenset(
    {
        Reason.ACTIVE,
        Reason.ADOPTED,
        Reason.IN_SYNC,
        Reason.HEALTH_SCORE_GOOD,
        Reason.SECRET_UNCHANGED,
    }
)
UNTOLD = frozenset(
    {
        Reason.IN_SYNC,
        Reason.HEALTH_SCORE_GOOD,
        Reason.HEALTH_SCORE_UNKNOWN,
        Reason.PROVISIONING,
        Reason.SECRET_UNCHANGED,
        Reason.CREDENTIALS_UNKNOWN,
    }
)
"""Reasons that are no news as the first word about an object."""


def ref_of(account: Account) -> Ref:
    desired = account.desired
    return Ref("SenderAccount", desired.namespace, desired.name, desired.uid)


class StatusWriter:
    """Writes what changed in one ledger. `on_ready` hears the seconds from apply to the first Ready."""

    def __init__(
        self, kube: KubeClient, ledger: Ledger, clock: Callable[[], float], on_ready: Callable[[float], None]
    ) -> None:
        self._kube = kube
        self._ledger = ledger
        self._clock = clock
        self._on_ready = on_ready
        self._writing: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.wake: Callable[[], None] = lambda: None

    @property
    def busy(self) -> int:
        return len(self._tasks)

    def flush(self) -> None:
        """Start a write for every account whose status may have to change."""
        ledger = self._ledger
        changed, ledger.changed = ledger.changed, set()
        for uid in changed:
            account = ledger.accounts.get(uid)
            if account is None:
                continue
            if uid in self._writing:
                ledger.changed.add(uid)
                continue
            status = project(account, ledger, self._clock())
            if status is None:
                continue
            if compact_json(status) != account.status and status != (json.loads(account.status or "{}")):
                self._start(account, status)
            elif account.facts != account.recorded:
                ledger.stored(uid, account.facts)

    def _start(self, account: Account, status: dict[str, Any]) -> None:
        self._writing.add(account.uid)
        task = asyncio.create_task(self._write(account, status))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _write(self, account: Account, status: dict[str, Any]) -> None:
        previous = json.loads(account.status or "{}")
        try:
            written = await write_status(self._kube, ref_of(account), previous, status)
        except KubeError as error:
            log.warning(
                Event.CALL_FAILED,
                operation="write_status",
                namespace=account.desired.namespace,
                name=account.desired.name,
                message=str(error),
            )
            asyncio.get_running_loop().call_later(RETRY_SECONDS, self._again, account.uid)
            return
        finally:
            self._writing.discard(account.uid)
        if written is None:
            return
        if written.resource_version is not None:
            account.written_version = max(account.written_version, version_number(written.resource_version))
        account.status = compact_json(written.status)
        if previous.get("emailsSentToday") != status.get("emailsSentToday"):
            account.counter_at = self._clock()
        self._ledger.stored(account.uid, facts_of(written.status))
        await self._tell(account, previous, status)
        self.wake()

    def _again(self, uid: str) -> None:
        self._ledger.changed.add(uid)
        self.wake()

    async def _tell(self, account: Account, previous: dict[str, Any], status: dict[str, Any]) -> None:
        """One log line and one Event for each reason that is new."""
        before, after = reasons(previous), reasons(status)
        ready_before = before.get("Ready", ("", "", ""))[0]
        if after.get("Ready", ("", "", ""))[0] == "True" and ready_before != "True" and "inboxID" not in previous:
            created = datetime.fromisoformat(account.desired.created).timestamp()
            self._on_ready(max(0.0, self._clock() - created + self._kube.clock_offset))
        known = {reason for _, reason, _ in before.values()}
        for kind, (state, reason, message) in after.items():
            if before.get(kind, ("", "", ""))[1] == reason:
                continue
            if reason in known or (kind not in before and reason in UNTOLD):
                continue
            known.add(reason)
            log.info(
                Event.CONDITION_CHANGED,
                namespace=account.desired.namespace,
                name=account.desired.name,
                workspace=self._ledger.digest,
                condition=kind,
                status=state,
                reason=reason,
            )
            level: Literal["Normal", "Warning"] = "Normal" if reason in GOOD or state == "True" else "Warning"
            await emit(self._kube, ref_of(account), level, reason, message, "Reconcile")

    async def drain(self) -> None:
        """Wait for the writes under way."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)
