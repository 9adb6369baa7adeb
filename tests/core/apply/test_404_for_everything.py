"""While a wrong route answers 404 to everything, no single 404 proves that an inbox is gone."""

from dataclasses import dataclass

import pytest

from coldsend_operator.core.model.answers import Failure, FailureKind
from coldsend_operator.resources.names import RECONCILE_ANNOTATION
from tests.core.rules.watching import running
from tests.support.process import API_KEY
from tests.support.remote import FakeColdSend
from tests.support.simulation import Simulation

ADDRESS = "a@company.com"


@dataclass
class Misrouted(FakeColdSend):
    lost: bool = False

    def arrive(self, key: str = "") -> Failure | None:
        return Failure(FailureKind.NOT_FOUND, "Not Found", 404) if self.lost else super().arrive(key)


@pytest.mark.parametrize("seconds", [20.0, 400.0])
@pytest.mark.parametrize("deleted", [False, True])
def test_that_an_inbox_outlives_a_wrong_route(seconds: float, deleted: bool) -> None:
    simulation = Simulation()
    remote = Misrouted(simulation.clock, inboxes=simulation.remote.inboxes)
    simulation.remotes[API_KEY] = remote
    running(simulation)
    uid = simulation.apply("sales", "one", ADDRESS)
    simulation.wait(5.0)
    (inbox,) = remote.at(ADDRESS)
    remote.lost = True
    if deleted:
        simulation.delete(uid)
    else:
        simulation.annotate(uid, RECONCILE_ANNOTATION, "1")
    simulation.wait(seconds)
    remote.lost = False
    for _ in range(40):
        simulation.wait(30.0)
    if deleted:
        assert (remote.at(ADDRESS), simulation.uids) == ([], [])
    else:
        status = simulation.status(uid)
        assert status["inboxID"] == inbox.inbox_id
        assert status["conditions"][0]["status"] == "True"
