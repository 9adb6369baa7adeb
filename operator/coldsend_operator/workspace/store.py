"""Budget and brake of each workspace in the state ConfigMap: booked before they are spent (safety.md, 27)."""

import json
from collections.abc import Callable

from coldsend_operator.core.ledger import Ledger
from coldsend_operator.kube.client import KubeError
from coldsend_operator.kube.state import StateConflict, StateMap
from coldsend_operator.logs import Event, log


class Store:
    """What earlier runs left of each workspace, and what this run leaves."""

    def __init__(self, state: StateMap, clock: Callable[[], float]) -> None:
        self._state = state
        self._clock = clock
        self._texts: dict[str, str] = {}
        self._told = False

    async def load(self) -> None:
        try:
            self._texts = await self._state.load()
        except KubeError as error:
            self._tell(error)

    def restore(self, ledger: Ledger) -> None:
        """Carry the counts of earlier runs over."""
        try:
            stored = json.loads(self._texts.get(ledger.digest, "{}"))
            ledger.budget.load(stored.get("budget", {}), self._clock())
            ledger.brake.load(stored.get("brake", {}), self._clock())
        except (ValueError, TypeError, AttributeError, KeyError, IndexError):
            log.warning(Event.STATE_NOT_SAVED, workspace=ledger.digest, message="the stored state cannot be read")

    async def book(self, ledger: Ledger) -> None:
        """Store a block of requests; they may leave afterwards."""
        await self.save(ledger, block=ledger.budget.booked + ledger.budget.block)
        ledger.budget.book()

    async def save(self, ledger: Ledger, block: int | None = None) -> None:
        """Store what was spent, and `block` requests that may be spent before the next save."""
        open_requests = ledger.budget.booked if block is None else block
        text = json.dumps(
            {
                "budget": ledger.budget.to_json(self._clock(), block=open_requests),
                "brake": ledger.brake.to_json(),
            },
            separators=(",", ":"),
        )
        try:
            await self._state.save(ledger.digest, text)
        except StateConflict:
            await self._take_in(ledger, text)
        except KubeError as error:
            self._tell(error)

    async def _take_in(self, ledger: Ledger, text: str) -> None:
        """Another process has spent from the same budget: count its requests too, then store ours."""
        try:
            others = await self._state.load()
            stored = json.loads(others.get(ledger.digest, "{}"))
            ledger.budget.load(stored.get("budget", {}), self._clock())
            await self._state.save(ledger.digest, text)
        except (KubeError, StateConflict, ValueError) as error:
            self._tell(error)

    def _tell(self, error: Exception) -> None:
        if not self._told:
            self._told = True
            log.warning(
                Event.STATE_NOT_SAVED,
                message=f"budget and brake will not survive a restart: {error}; this is said once",
            )
