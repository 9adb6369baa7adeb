"""What fails for days goes on being tried: 2 to the power of the tries ends in an overflow after some hours or days."""

import pytest

from coldsend_operator.batches.batch_work import MAX_PAUSE, BatchWork
from coldsend_operator.core.batch.model import Batch
from coldsend_operator.core.model.answers import Failure, FailureKind
from coldsend_operator.core.model.calls import Operation
from coldsend_operator.core.model.pauses import doubled
from coldsend_operator.core.model.transitions import delete_refused_in_use
from coldsend_operator.core.workspace.breaker import Breaker
from coldsend_operator.kube.errors import KubeError
from coldsend_operator.kube.paths import Ref
from tests.core.rules.watching import running
from tests.support.clock import START
from tests.support.core_world import CoreWorld
from tests.support.simulation import SECOND, Simulation

DAYS = 1_100  # tries; a float overflows at 1,024 doublings


def test_a_pause_grows_to_the_longest_and_no_further() -> None:
    assert [doubled(1.5, times, 60.0) for times in (0, 1, 2, 6, DAYS, 10**9)] == [1.5, 3.0, 6.0, 60.0, 60.0, 60.0]


@pytest.mark.parametrize("kind", [FailureKind.NOT_SENT, FailureKind.UNAUTHORIZED])
def test_coldsend_is_probed_on_however_long_it_fails(kind: FailureKind) -> None:
    breaker, now = Breaker(), START
    for _ in range(DAYS):
        now = max(now, breaker.free_at(Operation.LIST_ACCOUNTS, frozenset()))
        breaker.start(Operation.LIST_ACCOUNTS, frozenset())
        breaker.fail(Operation.LIST_ACCOUNTS, Failure(kind, "no"), now)
    assert breaker.free_at(Operation.LIST_ACCOUNTS, frozenset()) <= now + 600.0


def test_an_inbox_in_use_for_weeks_is_asked_for_on() -> None:
    account = CoreWorld().holder(deleting=True)
    for number in range(DAYS):
        delete_refused_in_use(account, "in use", START + 600.0 * number)
    assert account.delete_backoff is not None
    assert account.delete_backoff.retry_at == START + 600.0 * DAYS


def test_an_api_key_that_is_missing_for_hours_ends_nothing() -> None:
    simulation = Simulation()
    process = running(simulation)
    simulation.give_second_key("sales", there=False)
    simulation.apply("sales", "one", "a@company.com", apiKeySecretRef={"name": SECOND})
    simulation.wait(5.0)
    ring = process.operator.controller.placement._ring
    for state in ring._states.values():
        state.tries = DAYS  # as after some hours
    simulation.wait(60.0)
    assert process.operator.alive
    simulation.give_second_key("sales")
    simulation.wait(60.0)
    assert len(simulation.remote.at("a@company.com")) == 1


def test_an_object_that_fails_for_days_is_still_set_aside() -> None:
    simulation = Simulation()
    process = running(simulation)
    ref, error = Ref("SenderAccount", "sales", "one", "uid"), KubeError("no")

    tries = []

    def fail_for_days() -> None:
        for number in range(DAYS):
            process.operator.set_aside.failed(ref, "read", error, lambda: None)
            tries.append(number)

    process.call(fail_for_days)
    assert len(tries) == DAYS
    assert process.operator.set_aside.waits("uid", "read")


def tried_again_after_days(error: KubeError, seconds: float) -> bool:
    """Whether an object that has failed for days is tried again once that time is over, and not before."""
    simulation = Simulation()
    process = running(simulation)
    tries: list[KubeError] = []

    def fail_for_days() -> None:
        for _ in range(DAYS):
            ref = Ref("SenderAccount", "sales", "one", "uid")
            process.operator.set_aside.failed(ref, "read", error, lambda: tries.append(error))

    process.call(fail_for_days)
    simulation.wait(seconds - 1.0)
    too_early = bool(tries)
    simulation.wait(2.0)
    return bool(tries) and not too_early


@pytest.mark.parametrize("status", [None, 429, 503, 504])
def test_after_an_outage_of_the_api_server_an_object_is_tried_within_ten_seconds(status: int | None) -> None:
    assert tried_again_after_days(KubeError("no", status=status), 10.0)


@pytest.mark.parametrize(
    "error", [KubeError("no", status=500), KubeError("no", status=422), KubeError("failed calling webhook", status=504)]
)
def test_an_object_with_a_fault_of_its_own_is_tried_every_ten_minutes(error: KubeError) -> None:
    assert tried_again_after_days(error, 600.0)


def test_a_child_that_is_refused_for_days_goes_on_to_be_tried() -> None:
    work = BatchWork(Batch("batch-1", "sales", "pool"))
    for number in range(DAYS):
        work.hold("child", START + number, failed=True)
    assert work.held_until("child", START + DAYS + MAX_PAUSE - 5.0) is not None
