"""A process that starts while the API key of an object cannot be had: what the one before began goes on once it can."""

from collections.abc import Callable

import pytest

from coldsend_operator.resources.names import FORCE_ORPHAN_ANNOTATION
from tests.core.rules.watching import reach, running
from tests.support.remote import Fault
from tests.support.simulation import SECOND, Simulation

KEY = {"apiKeySecretRef": {"name": SECOND}}


def with_a_job() -> tuple[Simulation, list[str]]:
    """A bulk is worked off for some minutes, and its id is stored."""
    simulation = Simulation(item_seconds=40.0)
    uids = [simulation.apply("sales", name, f"{name}@company.com", **KEY) for name in ("one", "two")]
    running(simulation, 20.0)
    assert all(simulation.status(uid)["job"]["id"] for uid in uids)
    return simulation, uids


def with_a_lost_create() -> tuple[Simulation, list[str]]:
    """The inbox is made, and the process ends before it hears of it."""
    simulation = Simulation()
    uid = simulation.apply("sales", "one", "one@company.com", **KEY)
    running(simulation)
    call = reach(simulation, "coldsend", "create")
    call.fault = Fault.LOST_AFTER
    call.go_on()
    assert [inbox.address for inbox in simulation.remote.live()] == ["one@company.com"]
    return simulation, [uid]


def restart_without_key(simulation: Simulation) -> None:
    simulation.crash()
    simulation.give_second_key("sales", there=False)
    running(simulation, 60.0)


@pytest.mark.parametrize("begun", [with_a_job, with_a_lost_create])
def test_that_a_create_of_the_process_before_goes_on_when_the_key_is_there_again(
    begun: Callable[[], tuple[Simulation, list[str]]],
) -> None:
    simulation, uids = begun()
    restart_without_key(simulation)
    assert {simulation.ready(uid)[1] for uid in uids} == {"SecretNotFound"}
    simulation.give_second_key("sales")
    simulation.wait(600.0)
    assert {simulation.ready(uid)[1] for uid in uids} == {"Active"}
    assert len(simulation.remote.live()) == simulation.remote.creates == len(uids)
    simulation.converge()


def test_that_an_object_in_deletion_whose_job_cannot_be_followed_says_what_can_be_done() -> None:
    simulation, (one, two) = with_a_job()
    simulation.delete(one)
    restart_without_key(simulation)
    _, reason, message = simulation.ready(one)
    assert reason == "SecretNotFound"
    assert "Restore the key" in message
    assert "force-orphan" in message
    simulation.annotate(one, FORCE_ORPHAN_ANNOTATION, "true")
    simulation.wait(10.0)
    assert simulation.uids == [two]
