"""Many open points at once: whatever mixture of readings the API turns out to be, one inbox is made for each object.

The mixtures are drawn with fixed seeds; the parameter of a test is its seed.
"""

import random
from typing import Any

import pytest

from coldsend_emulator.switches import TABLE, Choice
from tests.open_points.place import NAMES, Place
from tests.open_points.test_open_points import played

SEEDS = range(24)
NEVER_READY = {("status_words", "unknown")}
NATIVES = ("n1", "n2", "n3")
AMOUNTS: dict[str, list[float | None]] = {
    "job_ttl_seconds": [None, 0],
    "delete_seconds": [0, 5, 40],
    "recreate_refused_seconds": [0, 20],
    "native_seconds": [0, 5],
    "pending_seconds": [0, 10],
    "list_delay_seconds": [0, 3, 20],
    "list_vanish_seconds": [0, 3, 20],
    "parallel_jobs": [None, 1],
    "job_seconds": [1, 20],
    "body_limit_bytes": [None, 2500],
    "date_skew_seconds": [0, 600],
}


def mixture(seed: int) -> dict[str, Any]:
    chance = random.Random(seed)  # noqa: S311 -- no secret
    values: dict[str, Any] = {name: chance.choice(options) for name, options in AMOUNTS.items()}
    for switch in TABLE:
        if isinstance(switch, Choice):
            options = [value for value in switch.values if (switch.name, value) not in NEVER_READY]
            values[switch.name] = chance.choice(options)
    if values["job_ending"] == "stuck_halfway":
        values["parallel_jobs"] = None  # else nobody, by whatever means, gets another bulk done
    return values


def all_live_and_go(place: Place) -> None:
    place.apply("lone")
    place.apply_all()
    place.apply_all("COLDSEND", NATIVES)
    everybody = ("lone", *NAMES, *NATIVES)
    for name in everybody:
        place.until(name, lambda shown: shown.condition("Ready") == "True Active", "Ready")
    assert place.histories(everybody) == {("created",)}
    held = {name: place.look_at(name).inbox_id for name in everybody}
    place.after_sweeps(3)
    assert {name: place.look_at(name).inbox_id for name in everybody} == held
    place.annotate_namespace(approve_deletion="true")
    place.remove_all(everybody)
    assert place.all_ours() == []
    assert place.histories(everybody) == {("created", "deleted")}
    assert place.creates + place.deletes <= 80


@pytest.mark.parametrize("seed", SEEDS)
def test_that_each_has_one_inbox_under_any_mixture(seed: int) -> None:
    played(all_live_and_go, mixture(seed))
