"""How long nobody leads when a leader goes: killed, or told to stop."""

import time
from collections.abc import Callable
from contextlib import ExitStack

import httpx

from demo.operator_run import free_port
from tests.bench.figures import Figure, Say, figure
from tests.bench.stack import OperatorProcess, Stack

ROUNDS = 5
ELECTION = {"COLDSEND_LEADER_ELECTION": "on", "COLDSEND_LOG_FORMAT": "json"}
CHECK_SECONDS = 0.02
MAX_SECONDS = 60.0


def failover(stack: Stack, say: Say) -> list[Figure]:
    """With a standby whose caches are filled, as the chart runs it."""
    say(f"a leader goes {ROUNDS} times each way")
    killed, stopped, given_back = [], [], []
    with ExitStack() as running:
        leader = _ready(running, stack)
        _until(leads(leader))
        for _ in range(ROUNDS):
            standby = _ready(running, stack)
            begun = time.monotonic()
            leader.kill()
            killed.append(_until(leads(standby)) - begun)
            leader, standby = standby, _ready(running, stack)
            begun = time.monotonic()
            leader.process.terminate()
            released = _until(says(leader, "lease_released"))
            led = _until(leads(standby))
            stopped.append(led - begun)
            given_back.append(led - released)
            leader.process.wait()
            leader = standby
    return [
        _figure("nobody leads after SIGKILL of the leader", 20, killed),
        _figure("nobody leads after the Lease was given back", 3, given_back),
        _figure("the same, from SIGTERM on", 3, stopped),
    ]


def leads(operator: OperatorProcess) -> Callable[[], bool]:
    return lambda: operator.metric("coldsend_leader") == 1


def says(operator: OperatorProcess, event: str) -> Callable[[], bool]:
    return lambda: f'"{event}"'.encode() in operator.log.read_bytes()


def _ready(running: ExitStack, stack: Stack) -> OperatorProcess:
    """Another replica, with filled caches."""
    address = f"127.0.0.1:{free_port()}"
    replica = running.enter_context(stack.operator(COLDSEND_PROBES_ADDRESS=address, **ELECTION))
    _until(lambda: httpx.get(f"http://{address}/readyz").is_success)
    return replica


def _until(true: Callable[[], bool]) -> float:
    """The time when it came true."""
    end = time.monotonic() + MAX_SECONDS
    while not true():
        if time.monotonic() > end:
            raise TimeoutError("no replica leads")
        time.sleep(CHECK_SECONDS)
    return time.monotonic()


def _figure(name: str, goal: float, seconds: list[float]) -> Figure:
    measured = f"{min(seconds):.1f} to {max(seconds):.1f} s, {len(seconds)} times"
    return figure(name, f"<= {goal:g} s", measured, good=max(seconds) <= goal)
