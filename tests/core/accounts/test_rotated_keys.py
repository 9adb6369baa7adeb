"""A key is rotated while something is under way: the old one is refused, the new one leads to the same workspace."""

from dataclasses import dataclass

import pytest

from coldsend_operator.core.model.answers import Failure, FailureKind
from tests.core.rules.watching import running
from tests.support.remote import FakeColdSend
from tests.support.simulation import Simulation

OLD, NEW = "cs_live_old", "cs_live_new"
KEY = {"apiKeySecretRef": {"name": "key"}}


@dataclass
class Revocable(FakeColdSend):
    """A workspace as seen with a key that can be revoked."""

    revoked: bool = False

    def arrive(self, key: str = "") -> Failure | None:
        return Failure(FailureKind.UNAUTHORIZED, "invalid key", 401) if self.revoked else super().arrive(key)


def with_two_keys() -> tuple[Simulation, Revocable]:
    simulation = Simulation()
    old = Revocable(simulation.clock, inboxes=simulation.remote.inboxes)
    simulation.remotes |= {OLD: old, NEW: simulation.remote}
    simulation.cluster.write_secret("sales", "key", {"apiKey": OLD})
    return simulation, old


@pytest.mark.parametrize("others", [0, 1], ids=["alone", "beside_another"])
def test_that_a_deletion_that_waits_goes_on_with_the_key_that_is_given_now(others: int) -> None:
    simulation, old = with_two_keys()
    running(simulation)
    uid = simulation.apply("sales", "one", "a@company.com", **KEY)
    for number in range(others):
        simulation.apply("sales", f"other-{number}", f"other-{number}@company.com", **KEY)
    simulation.wait(10.0)
    (inbox,) = simulation.remote.at("a@company.com")
    inbox.in_use = True
    simulation.delete(uid)
    simulation.wait(30.0)
    old.revoked = True
    simulation.cluster.write_secret("sales", "key", {"apiKey": NEW})
    simulation.wait(1500.0)
    inbox.in_use = False
    simulation.wait(1500.0)
    assert simulation.remote.at("a@company.com") == []
    assert uid not in simulation.uids
