"""A long run of a hostile tenant, after which everything is gone: no container of the operator has grown (rule 43)."""

from collections import Counter, deque
from collections.abc import Iterator, Mapping, Set
from types import MethodType
from typing import Any

from tests.support.hostile import HostileWorld
from tests.support.remote import Fault

OURS = "coldsend_operator."
CLIENTS = ("_kube", "kube", "status_kube", "client", "leadership", "_leadership", "remotes", "on_delete", "_traffic")
SMALL = 12  # requests and deletions of the last hour, and the like


def containers(root: object) -> Counter[str]:
    """How many entries the containers of each kind hold that can be reached from `root`, by class and attribute."""
    found: Counter[str] = Counter()
    seen: set[int] = set()
    waiting = deque([("", root)])
    while waiting:
        name, thing = waiting.popleft()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        if isinstance(thing, Mapping | Set | list | tuple | deque):
            found[name] += len(thing)
            parts = [*thing.keys(), *thing.values()] if isinstance(thing, Mapping) else list(thing)
            waiting.extend((f"{name}[]", part) for part in parts)
        elif isinstance(thing, MethodType):
            waiting.append((name, thing.__self__))
        elif type(thing).__module__.startswith((OURS, "tests.support.process")):
            waiting.extend((f"{type(thing).__name__}.{key}", value) for key, value in _attributes(thing))
    return found


def _attributes(thing: object) -> Iterator[tuple[str, Any]]:
    names = [name for kind in type(thing).__mro__ for name in getattr(kind, "__slots__", ())]
    for name in {*names, *getattr(thing, "__dict__", {})}:
        if name not in CLIENTS and hasattr(thing, name):
            yield name, getattr(thing, name)


def everything_goes(world: HostileWorld) -> None:
    """All objects are deleted, and two hours pass."""
    for uid in world.uids:
        world.annotate(uid, "coldsend.pro/force-orphan", "true")
        world.delete(uid)
    for _ in range(120):
        world.wait(60.0)
    assert not world.uids


def a_bad_day(world: HostileWorld, turn: int) -> None:
    victim = world.victim()
    for word in ("p500", "p402", "lost", "sour", "sticky"):
        world.tenant(f"{word}-{turn}@tenant.com")
    stormy = world.tenant(f"t{turn}@tenant.com") or ""
    world.storm(stormy, 5)
    world.junk_key(stormy, turn)
    world.churn(5)
    world.fault(Fault.LOST_BEFORE)
    lost = world.tenant(f"again-{turn}@tenant.com") or ""
    world.wait(10.0)
    world.forge(lost)
    world.junk_metadata(lost)
    if turn % 10 == 5:
        world.snapshot()
    world.wait(120.0)
    if turn % 10 == 7:
        world.restore()
    world.wait(200.0)
    if victim in world.victims:
        world.delete(victim)
    for uid in world.tenants[:8]:
        world.delete(uid)


def test_rule_43_no_container_grows_while_a_tenant_does_its_worst() -> None:
    world = HostileWorld(per_minute=100, per_hour=1000, brake="100%")
    world.start()
    everything_goes(world)
    assert world.process is not None
    a_bad_day(world, 0)
    everything_goes(world)
    before = containers(world.process.operator)
    for turn in range(1, 15):
        a_bad_day(world, turn)
    everything_goes(world)
    grown = containers(world.process.operator) - before
    assert {name: count for name, count in grown.items() if count > SMALL} == {}
    world.check()
