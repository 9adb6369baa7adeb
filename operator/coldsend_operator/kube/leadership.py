"""Who may write: what the rest of the product asks of the election, or of its absence."""

import asyncio
from typing import Protocol

STALE_LEASE_PAUSE = 0.5  # seconds until a loop asks again whether it may write


class Leadership(Protocol):
    """The interface for the rest of the operator."""

    def fresh(self) -> bool:
        """Whether a write may begin now."""

    async def acquired(self) -> None:
        """Returns once this process holds the Lease."""

    async def lost(self) -> None:
        """Returns when another process took the Lease: this one is no longer the leader."""


class NoElection:
    """Leader election switched off: always the leader."""

    def fresh(self) -> bool:
        return True

    async def acquired(self) -> None:
        return

    async def lost(self) -> None:
        await asyncio.Event().wait()
