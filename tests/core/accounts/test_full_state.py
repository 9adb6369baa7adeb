"""The state ConfigMap takes 1 MiB: what was written longest ago goes, so that bookings are stored (rules 27 and 43)."""

import asyncio
import json
from typing import Any, cast

from coldsend_operator.accounts.bookings import MAX_BYTES, Bookings
from coldsend_operator.core.model.policy import Policy
from coldsend_operator.core.workspace.claims import Claims
from coldsend_operator.core.workspace.workspace import Workspace
from coldsend_operator.kube.state import StateMap
from coldsend_operator.resources.names import API_VERSION, BATCH_KIND
from tests.core.rules.watching import running
from tests.support.clock import START
from tests.support.simulation import Simulation

OURS = "0123456789ab"
TEXT = json.dumps({"budget": {"minute": [], "hour": [], "open": 0}, "padding": "x" * 5_000})


class Stored:
    """What the API server holds of the ConfigMap."""

    def __init__(self, texts: dict[str, str]) -> None:
        self.texts = texts

    async def load(self) -> dict[str, str]:
        return dict(self.texts)

    async def save(self, key: str, text: str | None) -> None:
        if text is None:
            del self.texts[key]
        else:
            self.texts[key] = text

    @property
    def size(self) -> int:
        return sum(len(key) + len(text) for key, text in self.texts.items())


def saved(texts: dict[str, str]) -> Stored:
    """The state after the booking of one workspace."""
    stored = Stored(texts)
    bookings = Bookings(cast("StateMap", cast("Any", stored)), lambda: START)

    async def save() -> None:
        await bookings.load()
        await bookings.book(Workspace(OURS, Policy(), Claims()))

    asyncio.run(save())
    return stored


def test_rule_43_a_full_state_loses_what_was_written_longest_ago_and_nothing_else() -> None:
    digests = [f"{number:012x}" for number in range(200)]
    stored = saved({"key-workspaces": "{}", OURS: TEXT, **dict.fromkeys(digests, TEXT)})
    assert stored.size <= MAX_BYTES
    assert {"key-workspaces", OURS} <= stored.texts.keys()
    left = [digest for digest in digests if digest in stored.texts]
    assert len(left) > 150
    assert left == digests[-len(left) :]


def test_rule_43_a_state_with_room_loses_nothing() -> None:
    digests = [f"{number:012x}" for number in range(100)]
    assert set(digests) <= saved(dict.fromkeys(digests, TEXT)).texts.keys()


def test_rule_43_an_owner_that_no_batch_can_be_puts_nothing_into_the_state() -> None:
    simulation = Simulation(brake="100%")
    running(simulation)
    uid = simulation.apply("support", "one", "one@company.com") or ""
    simulation.wait(10.0)
    raw = simulation.cluster.find(uid) or {}
    owner = {"apiVersion": API_VERSION, "kind": BATCH_KIND, "name": "pool", "uid": "u" * 200_000}
    simulation.cluster._update(raw | {"metadata": raw["metadata"] | {"ownerReferences": [owner]}})
    simulation.drain()
    simulation.delete(uid)
    simulation.wait(60.0)
    assert simulation.cluster.find(uid) is None
    (state,) = simulation.cluster.config_maps.values()
    assert sum(map(len, state["data"].values())) < 10_000
