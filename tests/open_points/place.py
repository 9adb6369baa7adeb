"""The tenant of a story about one reading of the API: a workspace of the emulator with its own switches."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from tests.e2e.support.tenant import Shown, Tenant, eventually
from tests.open_points.simulated import Simulated
from tests.open_points.wire import ControlSide

NAMES = ("ann", "ben", "cat", "dan", "eve", "fay")


@dataclass
class Place(Tenant):
    """`simulated` is there when time is ours; without it the operator is a process, and time goes by itself."""

    simulated: Simulated | None = None

    def switch(self, **values: Any) -> None:
        self.emulator.switch(self.workspace, **values)

    def limit(self, per_minute: int | None = None, per_hour: int | None = None) -> None:
        self.emulator.limit(per_minute, per_hour, self.workspace)

    def eventually(self, good: Callable[[], Any], what: str) -> None:
        """Wait for something that no object shows."""
        if self.simulated is None:
            eventually(good, what)
        else:
            assert self.simulated.until(lambda: bool(good())), f"{what} never came"

    def let_pass(self, seconds: float) -> None:
        """Let time pass, only in simulated time."""
        assert self.simulated is not None
        self.simulated.let_pass(seconds)

    # Several at once

    def apply_all(self, inbox_type: str = "GOOGLE_WORKSPACE", names: tuple[str, ...] = NAMES, **changes: Any) -> None:
        self.server.apply(*(self.manifest(name, inbox_type, **changes) for name in names))

    def all_ready(self, names: tuple[str, ...] = NAMES, reason: str = "Active") -> dict[str, Shown]:
        return {name: self.ready(name, reason) for name in names}

    def make_all(
        self, inbox_type: str = "GOOGLE_WORKSPACE", names: tuple[str, ...] = NAMES, **changes: Any
    ) -> dict[str, Shown]:
        """Apply the objects, and wait until each is Ready."""
        self.apply_all(inbox_type, names, **changes)
        return self.all_ready(names)

    def remove_all(self, names: tuple[str, ...] = NAMES) -> None:
        """Delete the objects, and wait until each is gone."""
        self.delete_each(names)
        self.all_gone(names)

    def delete_each(self, names: tuple[str, ...] = NAMES) -> None:
        for name in names:
            self.delete(name)

    def all_gone(self, names: tuple[str, ...] = NAMES) -> None:
        for name in names:
            self.gone(name)

    def histories(self, names: tuple[str, ...] = NAMES) -> set[tuple[str, ...]]:
        """The different histories that these addresses had."""
        happened = self.emulator.history(workspace=self.workspace)
        of = {name: self.address(name) for name in names}
        return {tuple(each["event"] for each in happened if each["email_address"] == of[name]) for name in names}

    def look_at(self, name: str = "ann") -> Shown:
        """The object as it is now."""
        found = self.look(name)
        assert found is not None, f"{name} is not there"
        return found

    def server_spec(self, name: str) -> dict[str, Any]:
        spec: dict[str, Any] = self.look_at(name).raw["spec"]
        return spec

    # What was asked of ColdSend

    def count(self, *operations: str) -> int:
        return sum(each["operation"] in operations for each in self.asked())

    def shared(self, operation: str) -> bool:
        """Whether a bulk call was made; in real time what arrives late on a busy machine may go alone."""
        return self.simulated is None or self.count(operation) >= 1

    @property
    def creates(self) -> int:
        return self.count("createSmtpAccount", "bulkCreateSmtpAccounts", "createNativeInbox", "bulkCreateNativeInboxes")

    @property
    def deletes(self) -> int:
        return self.count("deleteSenderAccount", "bulkDeleteSenderAccounts")

    def happened_at(self, address: str) -> list[str]:
        return [each["event"] for each in self.emulator.history(address=address)]

    def as_client(self) -> httpx.Client:
        """What people do with the key of the workspace and no operator."""
        transport = None if self.simulated is None else ControlSide(self.simulated.wire)
        headers = {"X-API-Key": self.key}
        return httpx.Client(base_url=self.emulator.api_url, headers=headers, trust_env=False, transport=transport)

    def all_ours(self) -> list[str]:
        """Addresses of all inboxes of the workspace."""
        return sorted(each["email_address"] for each in self.emulator.inboxes(workspace=self.workspace))
