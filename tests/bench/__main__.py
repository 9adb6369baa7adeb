"""Command line of `make bench`: `python -m tests.bench [case ...]`; without a case all of them, in this order."""

import argparse
import asyncio
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from devcluster import Cluster, control_plane
from tests.bench import accounts, failover, fifty, floods, pure, record, scale, tenants
from tests.bench.drawing import draw
from tests.bench.figures import Figure, Say
from tests.bench.stack import stack

console = Console(soft_wrap=True)
STARTED = time.monotonic()
TEN_THOUSAND = 10_000
PICTURE = Path(__file__).parents[2] / "docs" / "benchmarks" / "ready-over-time.svg"

Case = Callable[[Cluster, Path, Say], list[Figure]]


def say(text: str) -> None:
    console.print(f"[dim]{time.monotonic() - STARTED:6.0f} s[/dim]  {text}")


def single(cluster: Cluster, folder: Path, say: Say) -> list[Figure]:
    with stack(cluster, folder) as parts:
        return accounts.single(parts, say)


def lifted(cluster: Cluster, folder: Path, say: Say) -> list[Figure]:
    with stack(cluster, folder) as parts:
        return accounts.lifted(parts, say)


def thousand(cluster: Cluster, folder: Path, say: Say) -> list[Figure]:
    with stack(cluster, folder) as parts:
        return accounts.thousand(parts, say)


def core(cluster: Cluster, folder: Path, say: Say) -> list[Figure]:
    figures = [pure.planning_round(say), pure.steady_hour(say), floods.trickle(say), floods.fifty_thousand(say)]
    for count, seconds in pure.ages(say):
        say(f"  {count:>6,} accounts: values are at most {seconds:,.0f} s old")
    return figures


def smtp(cluster: Cluster, folder: Path, say: Say) -> list[Figure]:
    with stack(cluster, folder) as parts:
        parts.emulator.switch(job_seconds=2, parallel_jobs=4)
        figures = scale.ten_thousand(parts, say, "SMTP")
        PICTURE.parent.mkdir(parents=True, exist_ok=True)
        timeline = [(seconds, float(ready)) for seconds, ready in scale.TIMELINES["SMTP"]]
        PICTURE.write_text(
            draw(timeline, TEN_THOUSAND, f"make bench CASES=smtp, {record.machine()}, {datetime.now(UTC):%Y-%m-%d}")
        )
        say(f"drawn: {PICTURE}")
        figures += scale.restart(parts, say, TEN_THOUSAND)
        return figures + asyncio.run(scale.delete_everything(parts, say, TEN_THOUSAND))


def native(cluster: Cluster, folder: Path, say: Say) -> list[Figure]:
    with stack(cluster, folder) as parts:
        return scale.ten_thousand(parts, say, "native")


def fifty_thousand(cluster: Cluster, folder: Path, say: Say) -> list[Figure]:
    with stack(cluster, folder) as parts:
        return fifty.fifty_thousand(parts, say)


def two_replicas(cluster: Cluster, folder: Path, say: Say) -> list[Figure]:
    with stack(cluster, folder) as parts:
        return failover.failover(parts, say)


CASES: dict[str, Case] = {
    "core": core,
    "single": single,
    "lifted": lifted,
    "thousand": thousand,
    "smtp": smtp,
    "native": native,
    "fifty": fifty_thousand,
    "failover": two_replicas,
    "tenants": tenants.tenants,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Figures beside their goals.")
    parser.add_argument("cases", nargs="*", choices=[*CASES, []], help="which to run; all without a name")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a count has grown")
    options = parser.parse_args()
    chosen = options.cases or list(CASES)
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # so that all that it started ends too
    figures: list[Figure] = []
    for name in chosen:
        with control_plane() as cluster, tempfile.TemporaryDirectory() as folder:
            figures += CASES[name](cluster, Path(folder), say)
            _print(figures)
    if options.check:
        worse = record.regressions(figures, record.recorded())
        for each in worse:
            say(f"[bold]worse:[/bold] {each}")
        return 1 if worse else 0
    record.write(figures, record.Run.now())
    say(f"written: {record.FOLDER}/measured.md")
    return 0


def _print(figures: list[Figure]) -> None:
    table = Table("figure", "goal", "measured", "", title="coldsend-operator: goals and figures")
    for each in figures:
        table.add_row(each.name, each.goal, each.measured, "good" if each.good else "[bold]missed[/bold]")
    console.print(table)


if __name__ == "__main__":
    raise SystemExit(main())
