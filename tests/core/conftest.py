"""How long the searches look, and silence of the logs of simulated processes."""

import gc
import os
from collections.abc import Callable, Iterator, MutableMapping
from itertools import count
from typing import Any, NoReturn

import pytest
import structlog
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

_COMMON: dict[str, Any] = {
    "deadline": None,  # nothing here is timed: the machine may be busy
    "print_blob": True,
    "suppress_health_check": list(HealthCheck),
}
settings.register_profile("coldsend-ci", stateful_step_count=25, derandomize=True, **_COMMON)
settings.register_profile("coldsend-quick", settings.get_profile("coldsend-ci"))
settings.register_profile("coldsend-deep", stateful_step_count=40, **_COMMON)
DEEP = 50_000
QUICK_SHARE = 20
Rule = Callable[..., None]
small = st.integers(0, 9)


def profile(examples: int) -> settings:
    """`HYPOTHESIS_PROFILE=deep` searches again each time, and for hours; `ci` looks at the same examples each time.

    `quick` looks at the first few of those.
    """
    chosen = os.environ.get("HYPOTHESIS_PROFILE", "ci")
    counts = {"quick": -(-examples // QUICK_SHARE), "deep": int(os.environ.get("EXAMPLES", DEEP))}
    return settings(settings.get_profile(f"coldsend-{chosen}"), max_examples=counts.get(chosen, examples))


def instants(step: int) -> Iterator[int]:
    """After how many steps something happens that may happen at any; `quick` tries every fifth of them."""
    quick = os.environ.get("HYPOTHESIS_PROFILE") == "quick"
    return count(0, 5 * step if quick else step)


def rules_about(those: Callable[[Any], Any]) -> Callable[..., Callable[[Rule], Rule]]:
    """A decorator of rules of a state machine that need one of `those`; `which` chooses it."""

    def with_one(**draws: Any) -> Callable[[Rule], Rule]:
        needs: Any = precondition(those)
        draw: Any = rule(which=small, **draws)
        return lambda done: needs(draw(done))

    return with_one


@pytest.fixture(scope="module", autouse=True)
def failures_in_the_log() -> Iterator[list[object]]:
    """Nothing is printed; a task that failed in a simulated process is heard of."""
    failures: list[object] = []

    def drop(_logger: object, _method: str, event: MutableMapping[str, Any]) -> NoReturn:
        if "exc_info" in event:
            failures.append(event["exc_info"])
        raise structlog.DropEvent

    before = structlog.get_config()
    structlog.configure(processors=[drop])
    yield failures
    gc.collect()  # what simulated crashes left behind ends here
    structlog.configure(**before)
    assert not failures
