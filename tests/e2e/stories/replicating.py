"""Stories of two replicas: one leads, the other stands by with filled caches."""

import random
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from tests.e2e.batches.pool import Pool
from tests.e2e.support.gate import gate
from tests.e2e.support.gated_operators import GatedOperators, gated_operators
from tests.e2e.support.operators import OperatorRun
from tests.e2e.support.tenant import Tenant, eventually
from tests.e2e.support.world import World

ELECTION = {"COLDSEND_LEADER_ELECTION": "on"}
CREATE = "POST .*/sender-accounts/smtp ?\n"
WRITE_TO_COLDSEND = "^(POST|PUT|PATCH|DELETE) "
WRITE_TO_KUBERNETES = "^(POST|PUT|PATCH|DELETE) (?!.*/leases/)"  # that it asks for its Lease again is right
END_SECONDS = 60
ROUNDS = 4
MANY = tuple(f"seller-{number:02}" for number in range(15))


@contextmanager
def _beside(operators: GatedOperators) -> Iterator[GatedOperators]:
    """Another replica of these operators, with gates of its own."""
    world = operators.world
    with gate(world.server.url) as kubernetes, gate(world.emulator.url) as coldsend:
        yield GatedOperators(world, kubernetes, coldsend, operators.labels, operators.home)


def a_leader_paused_past_its_deadline_writes_nothing_when_it_wakes(world: World) -> None:
    with (
        gated_operators(world, "paused") as (operators, tenant),
        _beside(operators) as others,
        operators.operator(**ELECTION) as sleeper,
    ):
        tenant.make("ann")
        with others.operator(**ELECTION) as successor:
            under_way = operators.coldsend.hold(CREATE, when="before")
            tenant.apply("bob")
            assert under_way.reached.wait(END_SECONDS)
            sleeper.pause()
            tenant.apply("carl")
            tenant.delete("ann")
            for name in ("bob", "carl"):
                tenant.ready(name)
            tenant.gone("ann")
            tenant.edit("carl", testEmail={"recipient": f"ops@{tenant.domain}", "requestID": "1"})
            writes = (
                operators.coldsend.hold(WRITE_TO_COLDSEND, when="before"),
                operators.kubernetes.hold(WRITE_TO_KUBERNETES, when="before"),
            )
            operators.coldsend.drop(besides=writes[:1])
            sleeper.resume()
            assert sleeper.process.wait(END_SECONDS) == 1
            assert '"lease_lost"' in sleeper.lines()
            assert [each.request for each in writes] == [None, None]
            assert successor.figure("coldsend_leader") == 1
            tenant.until("carl", lambda shown: "sentAt" in shown.status.get("testEmail", {}), "a mail that was sent")
        assert [tenant.happened(name) for name in ("ann", "bob", "carl")] == [
            ["created", "deleted"],
            ["created"],
            ["created"],
        ]


def a_leader_paused_for_less_than_its_deadline_goes_on(world: World) -> None:
    with gated_operators(world, "napping") as (operators, tenant), operators.operator(**ELECTION) as sleeper:
        sleeper.pause()
        tenant.apply("ann")
        sleeper.resume()
        tenant.ready("ann")
        assert sleeper.process.poll() is None
        assert tenant.happened("ann") == ["created"]


def a_standby_goes_on_where_a_leader_was_told_to_stop(world: World) -> None:
    with gated_operators(world, "handover") as (operators, tenant), ExitStack() as stack:
        pool = Pool(tenant)
        leader = stack.enter_context(operators.operator(**ELECTION))
        standby = stack.enter_context(operators.operator(**ELECTION))
        pool.apply(*MANY)
        eventually(lambda: tenant.emulator.history(event="created"), "the first inbox")
        assert leader.stop() == 0
        pool.ready()
        assert standby.figure("coldsend_leader") == 1
        assert [name for name in MANY if pool.happened(name) != ["created"]] == []


@dataclass
class _Replicas:
    """Two replicas; one that ends is replaced, as a Deployment does it."""

    operators: GatedOperators
    stack: ExitStack
    running: list[OperatorRun] = field(default_factory=list)

    def fill(self) -> None:
        while len(self.running) < 2:
            self.running.append(self.stack.enter_context(self.operators.start(**ELECTION)))

    def leader(self) -> OperatorRun:
        found: list[OperatorRun] = []

        def one_leads() -> bool:
            found[:] = [each for each in self.running if each.leads()]
            return bool(found)

        eventually(one_leads, "a leader")
        return found[0]

    def end(self, replica: OperatorRun, *, kindly: bool) -> None:
        self.running.remove(replica)
        if kindly:
            assert replica.stop() == 0
        else:
            replica.kill()


def two_replicas_that_are_ended_in_turn_make_no_inbox_twice(world: World) -> None:
    seed = secrets.randbelow(1_000_000)
    print(f"seed {seed}")  # noqa: T201 - a failure can be played again with it
    chance = random.Random(seed)  # noqa: S311 - no secret
    with gated_operators(world, "taking-turns") as (operators, tenant), ExitStack() as stack:
        replicas = _Replicas(operators, stack)
        replicas.fill()
        pools = []
        for turn in range(ROUNDS):
            pools.append(Pool(tenant, f"pool-{turn}"))
            leader = replicas.leader()
            made = _made(tenant)
            pools[-1].apply(*(f"{name}-{turn}" for name in MANY))
            wanted = made + chance.randrange(len(MANY))
            eventually(lambda wanted=wanted: _made(tenant) >= wanted, f"inbox {wanted}")  # type: ignore[misc]
            replicas.end(leader, kindly=bool(turn % 2))
            replicas.fill()
        for pool in pools:
            pool.ready()
        names = [f"{name}-{turn}" for turn in range(ROUNDS) for name in MANY]
        assert [name for name in names if tenant.happened(name) != ["created"]] == []
        assert tenant.emulator.doubled() == []


def _made(tenant: Tenant) -> int:
    return len(tenant.emulator.inboxes(workspace=tenant.workspace))
