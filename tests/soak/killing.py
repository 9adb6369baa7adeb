"""One round: people make and delete, the operator is killed at random instants, and in the end all must be right."""

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from random import Random
from uuid import uuid4

from tests.e2e.batches.pool import Pool, pooled
from tests.e2e.support.operators import OperatorRun, started_operator
from tests.e2e.support.world import World
from tests.soak.audit import AuditFile, disagreements
from tests.soak.people import People

LABEL = "played-by"
KILLS = 24
MAX_LIFE = 2.5  # seconds from ready to the kill
MAX_START = 1.5  # seconds from the start to the kill of one that never gets ready
PATIENCE = 150.0
CHECK_SECONDS = 0.5
TOLD = 10


@dataclass
class Round:
    """What a round came to."""

    seed: int
    kills: int = 0
    made: int = 0
    deleted: int = 0
    requests: int = 0
    lines: int = 0  # of the audit log
    seconds: float = 0.0

    def __str__(self) -> str:
        return (
            f"seed {self.seed}: {self.kills} kills, {self.made} inboxes asked for, {self.deleted} deleted again, "
            f"{self.requests} requests to ColdSend, {self.lines} lines of the audit log, {self.seconds:.0f} s"
        )


def survive(world: World, seed: int, kills: int = KILLS, say: Callable[[str], None] = print) -> Round:
    """Raises AssertionError, with the seed, when something is not right in the end."""
    say(f"seed {seed}: {kills} kills to come")
    random, begun = Random(seed), time.monotonic()  # noqa: S311 - not for secrets
    labels = {LABEL: uuid4().hex[:8]}
    with pooled(world, "kills", labels) as pool:
        people = People(pool, random)
        audit = AuditFile(world.folder / f"audit-{pool.tenant.namespace}.log")
        outcome = Round(seed)
        _disturb(pool, random)
        for burst in people.bursts(people.plan(), kills):
            with _operator(world, pool, audit) as operator:
                moment = _first_moment(operator, random)
                killer = threading.Timer(moment, operator.kill)
                killer.start()
                for task in burst:
                    people.do(task)
                    time.sleep(random.choice((0.0, 0.0, 0.0, random.random() * moment / 4)))
                killer.join()
            outcome.kills += 1
            audit.ended()
        with _operator(world, pool, audit) as operator:
            _until_right(people, operator, seed)
        differences = disagreements(audit.lines(), pool.tenant)
        assert differences == [], f"seed {seed}: {differences[:TOLD]}"
        outcome.lines = len(audit.lines())
        outcome.made, outcome.deleted = people.asked.total(), people.deleted
        outcome.requests = len(pool.tenant.asked())
        outcome.seconds = time.monotonic() - begun
    say(str(outcome))
    return outcome


def _disturb(pool: Pool, random: Random) -> None:
    """ColdSend takes its time, so that kills meet calls and jobs under way, and some responses are lost."""
    tenant = pool.tenant
    tenant.emulator.switch(tenant.workspace, job_seconds=random.choice((0.2, 1.0)))
    for when in ("before", "after"):
        tenant.fault("delay", when=when, every=3, seconds=0.15)
    tenant.fault("cut", when="after", method=random.choice(("POST", "DELETE")), every=7)


def _first_moment(operator: OperatorRun, random: Random) -> float:
    """Seconds until the kill: most often of a running operator, sometimes of one that is just starting."""
    if random.random() < 0.2:
        return random.uniform(0.0, MAX_START)
    operator.wait_until_ready()
    return random.uniform(0.0, MAX_LIFE)


def _operator(world: World, pool: Pool, audit: AuditFile) -> AbstractContextManager[OperatorRun]:
    return started_operator(
        world.cluster.kubeconfig,
        world.folder,
        COLDSEND_API_URL=world.emulator.api_url,
        COLDSEND_LABEL_SELECTOR=f"{LABEL}={pool.tenant.labels[LABEL]}",
        COLDSEND_LEASE_NAMESPACE=pool.tenant.namespace,
        COLDSEND_DELETE_BRAKE="100%",
        COLDSEND_AUDIT_LOG=str(audit.path),
    )


def _until_right(people: People, operator: OperatorRun, seed: int) -> None:
    until = time.monotonic() + PATIENCE
    while wrong := people.wrong():
        lines = "\n".join(operator.lines().splitlines()[-60:])
        assert time.monotonic() < until, f"seed {seed}: it never gets right: {wrong[:TOLD]}; the last log:\n{lines}"
        time.sleep(CHECK_SECONDS)
    people.tenant.after_sweeps()
    assert people.wrong() == [], f"seed {seed}: it does not stay right"
    assert people.made_twice() == [], f"seed {seed}"
