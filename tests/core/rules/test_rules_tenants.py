"""Rule 41 between namespaces: what the objects of one meet stops no calls for another's."""

import pytest

from coldsend_operator.core.apply.common import halve
from coldsend_operator.core.model.answers import Failure, FailureKind
from coldsend_operator.core.model.calls import Operation, Scope
from tests.core.rules.watching import running
from tests.support.core_world import LOST, CoreWorld
from tests.support.hostile import OWN, HostileWorld

PLAN = Failure(FailureKind.PLAN_LIMIT, "Your plan does not allow this", 402)


def is_ready(world: HostileWorld, uid: str) -> bool:
    return world.ready(uid)[0] == "True"


def pass_minute(world: HostileWorld) -> None:
    for _ in range(12):
        world.wait(5.0)  # no longer than a workspace sleeps


@pytest.mark.parametrize("word", ["p402", "p403", "p500", "lost"])
@pytest.mark.parametrize("count", [2, 30])
def test_rule_41_creates_that_fail_for_one_namespace_stop_no_other(word: str, count: int) -> None:
    world = HostileWorld(per_minute=100, per_hour=1000)
    running(world)
    for number in range(count):
        world.tenant(f"{word}-{number}@tenant.com")
    pass_minute(world)
    for _ in range(4):
        uid = world.victim()
        pass_minute(world)
        assert is_ready(world, uid)


def test_rule_41_who_shared_a_bulk_of_unknown_outcome_with_another_namespace_shares_the_next_with_none() -> None:
    world = HostileWorld(per_minute=100, per_hour=1000)
    running(world)
    for number in range(30):
        world.tenant(f"p500-{number}@tenant.com")
    uid = world.victim()
    for _ in range(3):  # what became of a lost create is known after 120 s
        pass_minute(world)
    assert is_ready(world, uid)


@pytest.mark.parametrize(("seconds", "together"), [(590.0, False), (610.0, True)])
def test_rule_41_after_an_unknown_outcome_a_namespace_shares_no_bulk_for_ten_minutes(
    seconds: float, together: bool
) -> None:
    core = CoreWorld()
    lost = [core.account(f"ann@{namespace}.com", namespace=namespace) for namespace in ("sales", "support")]
    core.sweep()
    core.answer(core.ask(Operation.CREATE_SMTP_BULK, *lost), LOST)
    core.wait(seconds)
    for namespace in ("sales", "support"):
        core.account(f"bob@{namespace}.com", namespace=namespace)
    core.sweep()
    core.wait(5.0)
    creates = [call for call in core.calls() if call.operation.creates]
    assert sorted(len(call.uids) for call in creates) == ([2] if together else [1, 1])


@pytest.mark.parametrize("minutes", [1, 10, 30])
def test_rule_41_deletions_that_fail_for_one_namespace_stop_no_other(minutes: int) -> None:
    world = HostileWorld(per_minute=100, per_hour=1000, brake="100%")
    running(world)
    sticky = [world.tenant(f"sticky-{number}@tenant.com") for number in range(8)]
    victims = [world.victim() for _ in range(3)]
    world.wait(300.0)
    for uid in filter(None, sticky):
        world.delete(uid)
    for _ in range(minutes):
        pass_minute(world)
    for uid in victims:
        world.delete(uid)
        pass_minute(world)
        assert uid not in world.victims


def test_rule_41_a_plan_limit_that_objects_of_two_namespaces_meet_blocks_the_creates_of_all() -> None:
    core = CoreWorld()
    one, two, three = (core.account(f"{name}@company.com", namespace=name) for name in ("one", "two", "three"))
    core.sweep()
    core.answer(core.ask(Operation.CREATE_SMTP, one), PLAN)
    core.answer(core.ask(Operation.CREATE_SMTP, two), PLAN)
    assert core.says(three)["Ready"][1] == "PlanLimit"


def test_rule_41_probes_that_a_plan_refuses_for_one_namespace_stop_no_other() -> None:
    core = CoreWorld()
    bad = [core.holder(f"bad-{number}@company.com", f"inbox-{number}") for number in range(3)]
    other = core.holder("good@company.com", "inbox-9", namespace="other")
    core.sweep()
    for account in bad:
        core.get(account, PLAN)
    assert core.breaker.allows(Operation.GET_ACCOUNT, core.now, core.workspace.namespaces_of([other.uid]))


def test_rule_41_halves_keep_namespaces_apart() -> None:
    core = CoreWorld()
    names = ("one", "two", "one", "two", "one")
    uids = tuple(core.account(f"{n}@company.com", namespace=name).uid for n, name in enumerate(names))
    halve(core.workspace, Operation.CREATE_SMTP_BULK, uids)
    splits = core.workspace.splits[Scope.CREATE]
    assert [{core.workspace.accounts[uid].desired.namespace for uid in split} for split in splits] == [{"one"}, {"two"}]


def test_rule_40_an_object_that_comes_from_another_workspace_makes_no_doubt_of_a_key_that_nobody_used_yet() -> None:
    world = HostileWorld()
    running(world)
    uid = world.tenant("t1@tenant.com", apiKeySecretRef={"name": OWN}) or ""
    world.wait(30.0)
    assert is_ready(world, uid)
    world.move(uid, None)
    world.wait(30.0)
    victim = world.victim()
    world.wait(30.0)
    assert is_ready(world, victim)
