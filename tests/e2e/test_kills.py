"""The operator is killed at random instants of 200 creations and as many deletions; `make soak` kills more often.

`KILLS_SEED` plays the people of a former run again; the instants of the kills are as random as the machine is busy.
"""

import os
from random import SystemRandom

import pytest

from tests.e2e.support.world import World
from tests.soak.killing import survive

KILLS = 12


@pytest.mark.timeout(600)  # each of the operators has to start, on a machine that may be busy
def test_that_no_inbox_is_made_twice_lost_or_left_alone_and_no_object_stuck_by_kills(world: World) -> None:
    seed = int(os.environ.get("KILLS_SEED") or SystemRandom().getrandbits(32))
    outcome = survive(world, seed, KILLS)
    assert outcome.kills == KILLS
    assert outcome.made >= 200
    assert world.leaks() == []
