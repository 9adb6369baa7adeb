"""The operator is killed between any two of its steps, and another one goes on.

Each point has a namespace and a workspace of its own. Points of one group share an operator: when each of them is
reached (a gate holds the request), it is killed; then a second one starts, and what users were promised must hold.
"""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Literal

import pytest

from tests.e2e.support.account_watch import PATIENCE
from tests.e2e.support.concurrency import LONGEST, all_ended, chosen_of
from tests.e2e.support.gate import Hold, When
from tests.e2e.support.gated_operators import GatedOperators, gated_operators
from tests.e2e.support.operators import OperatorRun
from tests.e2e.support.scenarios import (
    ADOPTING,
    CREATING,
    CREATING_BY_ID,
    CREATING_NATIVE,
    DELETING,
    MAILING,
    REPLACING,
    Scenario,
)
from tests.e2e.support.tenant import Tenant
from tests.e2e.support.world import World

GROUP_SIZE = 10  # so few that the operator's calls to the API server do not run out
AT_ONCE = 2

MARK = ("PATCH .*/senderaccounts/ann\\?", "apply-patch", '"finalizers"')
UNMARK = ("PATCH .*/senderaccounts/ann\\?", "json-patch", "/metadata/finalizers/")
STATUS = "PATCH .*/senderaccounts/ann/status"
CREATE, CREATE_NATIVE = ("POST .*/sender-accounts/smtp ?\n",), ("POST .*/coldsend-native ?\n",)
DELETE, LOOK = ("DELETE .*/sender-accounts/",), ("GET .*/sender-accounts/[0-9a-f-]{36}",)
SEND = ("POST .*/test-email",)


@dataclass(frozen=True)
class Step:
    """A request of an operator, by what stands in it."""

    name: str
    api: Literal["kubernetes", "coldsend"]
    parts: tuple[str, ...]


@dataclass(frozen=True)
class Point:
    """`late`: the request arrives after all, when the second operator is at work."""

    scenario: Scenario
    step: Step
    when: When
    late: bool = False

    @property
    def name(self) -> str:
        arrives = "_which_arrives_late" if self.late else ""
        return f"{self.scenario.name}_{self.when}_{self.step.name}{arrives}"


STEPS = {
    CREATING: (
        Step("the_mark", "kubernetes", MARK),
        Step("the_create", "coldsend", CREATE),
        Step("the_inbox_is_recorded", "kubernetes", (STATUS, "inboxID")),
    ),
    CREATING_NATIVE: (Step("the_create", "coldsend", CREATE_NATIVE),),
    CREATING_BY_ID: (Step("the_create", "coldsend", CREATE_NATIVE),),
    DELETING: (
        Step("the_delete", "coldsend", DELETE),
        Step("the_unmark", "kubernetes", UNMARK),
    ),
    REPLACING: (
        Step("the_delete", "coldsend", DELETE),
        Step("the_look", "coldsend", LOOK),
        Step("the_unmark", "kubernetes", UNMARK),
        Step("the_inbox_is_forgotten", "kubernetes", (STATUS, r'"op": "remove", "path": "/status/inboxID"')),
        Step("the_new_mark", "kubernetes", MARK),
        Step("the_create", "coldsend", CREATE),
        Step("the_new_inbox_is_recorded", "kubernetes", (STATUS, r'"op": "add", "path": "/status/inboxID"')),
    ),
    MAILING: (
        Step("the_intent_is_recorded", "kubernetes", (STATUS, "startedAt")),
        Step("the_mail", "coldsend", SEND),
        Step("the_mail_is_recorded", "kubernetes", (STATUS, "sentAt")),
    ),
    ADOPTING: (
        Step("the_mark", "kubernetes", MARK),
        Step("the_inbox_is_recorded", "kubernetes", (STATUS, "inboxID")),
    ),
}
WRITES = (CREATE, CREATE_NATIVE, DELETE, SEND)
POINTS = [
    *(
        Point(scenario, step, when)
        for scenario, steps in STEPS.items()
        for step in steps
        for when in ("before", "after")
    ),
    *(
        Point(scenario, step, "before", late=True)
        for scenario, steps in STEPS.items()
        for step in steps
        if step.parts in WRITES
    ),
]


Faults = dict[Point, Exception | None]


def kill_at(world: World, points: list[Point]) -> Faults:
    """Play these points with one operator up to the kill and with another one afterwards; what went wrong at each."""
    with ExitStack() as stack:
        operators, _ = stack.enter_context(gated_operators(world, "crashes"))
        tenants = {
            point: stack.enter_context(operators.opened_tenant(point.name.replace("_the_", "_"))) for point in points
        }
        with operators.operator() as killed:
            holds = _reach(operators, tenants)
            killed.kill()
        late = [hold for point, hold in holds.items() if point.late]
        operators.kubernetes.drop()
        operators.coldsend.drop(besides=late)
        with operators.operator() as successor:
            for point, tenant in tenants.items():
                if point.late:
                    point.scenario.look(tenant)
                    operators.coldsend.release(holds[point])
            with ThreadPoolExecutor(GROUP_SIZE) as pool:
                faults = pool.map(lambda point: _fault(point, tenants[point], (killed, successor)), points)
                return dict(zip(points, faults, strict=True))


def _reach(operators: GatedOperators, tenants: dict[Point, Tenant]) -> dict[Point, Hold]:
    """Each point's request, held."""
    with ThreadPoolExecutor(GROUP_SIZE) as pool:
        list(pool.map(lambda point: point.scenario.prepare(tenants[point]), tenants))
    gates = {"kubernetes": operators.kubernetes, "coldsend": operators.coldsend}
    holds = {
        point: gates[point.step.api].hold(tenant.namespace, *point.step.parts, when=point.when)
        for point, tenant in tenants.items()
    }
    for point, tenant in tenants.items():
        point.scenario.act(tenant)
    for point, hold in holds.items():
        assert hold.reached.wait(PATIENCE), f"{point.name} was never reached"
    for point, hold in holds.items():
        assert not hold.abandoned, f"{point.name} was not waited for"
    return holds


def _fault(point: Point, tenant: Tenant, operators: tuple[OperatorRun, ...]) -> Exception | None:
    try:
        point.scenario.prove(tenant)
    except Exception as fault:  # noqa: BLE001 - the test of this point raises it
        for operator in operators:
            lines = [line for line in operator.lines().splitlines() if tenant.namespace in line]
            fault.add_note("\n".join([f"the log of {operator.log.name}:", *lines[-30:]]))
        return fault
    return None


@pytest.fixture(scope="module")
def killings(request: pytest.FixtureRequest, world: World) -> Iterator[dict[Point, Future[Faults]]]:
    """The points that were chosen, in groups, under way."""
    chosen: list[Point] = chosen_of(request, "point")
    count = -(-len(chosen) // GROUP_SIZE)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        futures = [(group, pool.submit(kill_at, world, group)) for group in (chosen[n::count] for n in range(count))]
        yield {point: future for group, future in futures for point in group}
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("point", [pytest.param(point, id=point.name) for point in POINTS])
def test_killed_while(point: Point, killings: dict[Point, Future[Faults]]) -> None:
    fault = killings[point].result(LONGEST)[point]
    if fault is not None:
        raise fault


def test_no_secret_value_was_seen_in_logs_or_in_kubernetes(world: World, killings: dict[Point, Future[Faults]]) -> None:
    all_ended(killings)
    assert world.leaks() == []
