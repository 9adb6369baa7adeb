"""Many inboxes in one object, on a real API server, a real operator, and ColdSend as the emulator plays it.

The stories share one operator; each has a namespace and a ColdSend workspace of its own, so they play at the same time.
"""

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest

from tests.e2e.batches import stories
from tests.e2e.batches.pool import ANN, BOB, CAT, Pool, pooled
from tests.e2e.stories import stories_of
from tests.e2e.support.concurrency import LONGEST, played
from tests.e2e.support.operators import OperatorRun
from tests.e2e.support.tenant import eventually
from tests.e2e.support.world import World

Story = Callable[[Pool], None]
AT_ONCE = 12
OURS = {"played-by": "batches"}
OWN = {"played-by": "one-batch"}
CALM = {"COLDSEND_SWEEP_SECONDS": "300", "COLDSEND_POLL_SECONDS": "1"}
"""Settings with which the requests of a batch can be counted: no sweep comes in between."""
WRITES = "coldsend_kubernetes_writes_total"


def operator_of(world: World, labels: dict[str, str], lease_namespace: str) -> AbstractContextManager[OperatorRun]:
    """An operator for the batches with these labels alone."""
    (selector,) = (f"{key}={value}" for key, value in labels.items())
    return world.operator(COLDSEND_LABEL_SELECTOR=selector, COLDSEND_LEASE_NAMESPACE=lease_namespace, **CALM)


@pytest.fixture(scope="module")
def operator(world: World) -> Iterator[OperatorRun]:
    with operator_of(world, OURS, "default") as running:
        yield running


@pytest.fixture(scope="module")
def under_way(
    request: pytest.FixtureRequest, world: World, operator: OperatorRun
) -> Iterator[dict[Story, Future[None]]]:
    def play(story: Story) -> None:
        with pooled(world, story.__name__, OURS) as pool, operator.heard(pool.tenant.namespace):
            story(pool)

    with played(request, "story", play, AT_ONCE) as outcomes:
        yield outcomes


@pytest.mark.parametrize("story", [pytest.param(story, id=story.__name__) for story in stories_of(stories)])
def test_that(story: Story, under_way: dict[Story, Future[None]]) -> None:
    under_way[story].result(LONGEST)


@pytest.fixture
def pool(world: World) -> Iterator[Pool]:
    with pooled(world, "one_batch", OWN) as opened:
        yield opened


def test_a_restart_writes_nothing_and_a_batch_made_again_adopts_its_children(world: World, pool: Pool) -> None:
    home = pool.tenant.namespace
    with operator_of(world, OWN, home):
        pool.make(ANN, BOB, CAT)
        for name in (ANN, BOB, CAT):
            pool.until_account(name, lambda shown: "healthScore" in shown.status, "a health score")
        pool.until(lambda shown: "healthScore" in shown.status, "a health score")
    with operator_of(world, OWN, home) as restarted:
        eventually(lambda: restarted.figure("coldsend_sweep_age_seconds") > 1, "the first sweep")
        assert restarted.figure(WRITES, kind="SenderAccount") == 0
        assert restarted.figure(WRITES, kind="SenderAccountBatch") == 0
    uids = {name: shown.raw["metadata"]["uid"] for name, shown in pool.accounts().items()}
    with asleep(world.cluster.pids["kube-controller-manager"]):  # it would collect children without a living owner
        pool.tenant.server.merge("SenderAccountBatch", home, pool.name, {"metadata": {"finalizers": None}})
        pool.remove()
        pool.apply(ANN, BOB)
        with operator_of(world, OWN, home):
            pool.until_account(ANN, lambda shown: _owner(shown) == pool.uid, "its new owner")
            pool.ready()
            pool.tenant.gone(pool.child(CAT))
    pool.tenant.server.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"{home}-after"}})
    pool.tenant.server.delete("Namespace", "", f"{home}-after")
    assert {name: shown.raw["metadata"]["uid"] for name, shown in pool.accounts().items()} == {
        pool.child(name): uids[pool.child(name)] for name in (ANN, BOB)
    }
    assert [pool.happened(name) for name in (ANN, BOB, CAT)] == [["created"], ["created"], ["created", "deleted"]]


def _owner(shown: Any) -> str:
    return str(shown.raw["metadata"]["ownerReferences"][0]["uid"])


@contextmanager
def asleep(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)
