"""The budget of one workspace: what ColdSend refused, and what was stored under another clock."""

import json

import pytest

from coldsend_operator.core.model.policy import Limits, Policy
from coldsend_operator.core.workspace.budget import Budget
from coldsend_operator.core.workspace.claims import Claims
from coldsend_operator.core.workspace.merging import merge
from coldsend_operator.core.workspace.workspace import Workspace
from tests.core.rules.watching import running
from tests.support.clock import START
from tests.support.simulation import Simulation

LIMITS = Limits(100, 1000, 0.0)


def spent(count: int, *, at: float = START) -> Budget:
    budget = Budget(LIMITS)
    for _ in range(count):
        budget.start()
        budget.end(at)
    return budget


@pytest.mark.parametrize(
    ("stated", "waits"),
    [
        (2.0, [2, 4, 8, 16, 32, 64]),
        (400.0, [400, 600, 600]),
        (1200.0, [1200, 1200]),  # what ColdSend states is never shortened
        (None, [60, 120, 240, 480, 600, 600]),
    ],
)
def test_that_the_stated_wait_doubles_with_each_refusal_in_a_row(stated: float | None, waits: list[int]) -> None:
    budget, now = Budget(LIMITS), START
    for wait in waits:
        assert budget.refuse(now, stated) == now + wait
        now += wait
    budget.answered(now)
    assert budget.refuse(now, stated) == now + waits[0]


def test_that_what_another_process_stored_shortens_no_wait() -> None:
    budget = Budget(LIMITS)
    budget.refuse(START, 500.0)
    budget.load(Budget(LIMITS).to_json(START, block=0), START)
    assert budget.available(START + 499.0) == 0
    assert budget.available(START + 500.0) == 1


@pytest.mark.parametrize("counted", [False, True])
@pytest.mark.parametrize("refused", [0, 1])
def test_that_two_keys_of_one_workspace_keep_the_longer_wait(refused: int, counted: bool) -> None:
    workspaces = [Workspace(digest, Policy(), Claims()) for digest in ("one", "two")]
    workspaces[refused].budget.refuse(START, 500.0)
    merge(workspaces[0], workspaces[1], START, counted=counted)
    assert workspaces[1].budget is workspaces[0].budget
    assert workspaces[0].budget.available(START + 499.0) == 0


def test_that_one_call_alone_leaves_first_after_a_restart_too() -> None:
    before, after = Budget(LIMITS), Budget(LIMITS)
    before.refuse(START, 30.0)
    after.load(before.to_json(START + 31.0, block=0), START + 32.0)
    assert after.available(START + 32.0) == 1


def test_that_a_window_stored_by_a_clock_ahead_counts_from_now() -> None:
    after = Budget(LIMITS)
    after.load(spent(900, at=START + 7200.0).to_json(START + 7200.0, block=0), START)
    assert after.remaining(START + 3599.0)[1] == 100
    assert after.remaining(START + 3601.0)[1] == 1000


def test_that_a_window_stored_by_a_clock_behind_is_moved_on() -> None:
    after = Budget(LIMITS)
    after.load(spent(900, at=START - 7200.0).to_json(START - 7200.0, block=0), START + 60.0, 7200.0)
    assert after.remaining(START + 60.0)[1] == 100
    assert after.remaining(START + 3601.0)[1] == 1000


def test_that_no_stored_window_is_moved_back() -> None:
    after = Budget(LIMITS)
    after.load(spent(900).to_json(START, block=0), START + 60.0, -7200.0)
    assert after.remaining(START + 60.0)[1] == 100


def test_that_a_clock_which_was_behind_at_one_start_does_not_let_the_hour_be_spent_twice() -> None:
    simulation = Simulation(per_minute=60, per_hour=120)
    for number in range(40):
        simulation.apply("sales", f"one-{number}", f"a{number}@company.com")
        simulation.wait(5.0)
    simulation.clock.advance(-7200.0)  # the clock of the machine is set back, the API server's is right
    simulation.cluster.offset += 7200.0
    running(simulation, 300.0)
    for number in range(100):
        simulation.apply("sales", f"two-{number}", f"b{number}@company.com")
        simulation.wait(5.0)
    before = simulation.remote.requests
    assert before > 60
    simulation.crash()
    simulation.clock.advance(7200.0)
    simulation.cluster.offset -= 7200.0
    simulation.remote.arrivals.clear()  # its windows are judged by the count below
    running(simulation)
    for number in range(100):
        simulation.apply("sales", f"three-{number}", f"c{number}@company.com")
        simulation.wait(5.0)
    assert simulation.remote.requests <= 120


def test_that_the_difference_of_the_clocks_is_stored() -> None:
    simulation = Simulation(cluster_offset=900.0)
    simulation.apply("sales", "one", "a@company.com")
    running(simulation, 5.0)
    (made,) = simulation.cluster.config_maps.values()
    (stored,) = (json.loads(text) for name, text in made["data"].items() if name not in {"report", "key-workspaces"})
    assert stored["clockOffset"] == 900.0
