"""Command line of `make soak`: rounds of kills on a real API server until the time or the number of kills is over."""

import argparse
import subprocess
import tempfile
import time
from pathlib import Path
from random import Random, SystemRandom

from rich.console import Console

import devcluster
from tests.e2e.support.world import opened_world
from tests.soak.killing import KILLS, Round, survive

ROOT = Path(__file__).parents[2]
console = Console(soft_wrap=True, highlight=False)
STARTED = time.monotonic()


def say(text: str) -> None:
    console.print(f"[dim]{time.monotonic() - STARTED:6.0f} s[/dim]  {text}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0, help="begin no further round after so long (600)")
    parser.add_argument("--kills", type=int, default=0, help="end after so many kills instead")
    parser.add_argument("--seed", type=int, default=None, help="of the first round; the others follow from it")
    given = parser.parse_args()
    seeds = Random(given.seed if given.seed is not None else SystemRandom().getrandbits(32))  # noqa: S311 - no secret
    first = given.seed if given.seed is not None else seeds.getrandbits(32)
    with devcluster.control_plane() as cluster, tempfile.TemporaryDirectory() as folder:
        kubectl = [str(cluster.kubectl), "--kubeconfig", str(cluster.kubeconfig)]
        crds = str(ROOT / "crds")
        subprocess.run([*kubectl, "apply", "--server-side", "-f", crds], check=True, capture_output=True)
        wait = ["wait", "--for=condition=Established", "--timeout=30s", "-f", crds]
        subprocess.run([*kubectl, *wait], check=True, capture_output=True)
        with opened_world(cluster, Path(folder)) as world:
            rounds: list[Round] = []
            while _goes_on(given.seconds, given.kills, rounds):
                left = given.kills - _kills(rounds) if given.kills else KILLS
                seed = seeds.getrandbits(32) if rounds else first
                rounds.append(survive(world, seed, min(KILLS, left), say))
            assert world.leaks() == []
    say(
        f"{_kills(rounds)} kills survived in {len(rounds)} rounds, {sum(each.made for each in rounds)} inboxes asked "
        f"for, {sum(each.deleted for each in rounds)} deleted again: none twice, none lost, none without its object, "
        "no object stuck"
    )


def _goes_on(seconds: float, kills: int, rounds: list[Round]) -> bool:
    if kills:
        return _kills(rounds) < kills
    return not rounds or time.monotonic() - STARTED < seconds


def _kills(rounds: list[Round]) -> int:
    return sum(each.kills for each in rounds)


if __name__ == "__main__":
    main()
