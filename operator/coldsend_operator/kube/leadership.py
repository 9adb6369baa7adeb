"""Who may write: what the rest of the product asks of the election, or of its absence."""

import asyncio
from typing import Protocol


class Leadership(Protocol):
    """What the rest of the product asks."""

    def fresh(self) -> bool:
        """Whether a write may begin now."""

    async def acquired(self) -> None:
        """Returns once the Lease is ours."""

    async def lost(self) -> None:
        """Returns when another got the Lease that was ours: this process is over as a leader."""


class NoElection:
    """Leader election switched off: always the leader."""

    def fresh(self) -> bool:
        return True

    async def acquired(self) -> None:
        return

    async def lost(self) -> None:
        await asyncio.Event().wait()
