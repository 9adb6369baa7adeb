"""What `make bench` writes down, and what counts as a regression."""

from pathlib import Path

import pytest

from tests.bench.figures import figure
from tests.bench.record import Run, recorded, regressions, write

RUN = Run("abc1234", "2026-11-27", "2 cores, Linux x86_64")
FAST = figure("apply to Ready", "<= 1 s", "0.1 s", good=True)
REQUESTS = figure("requests", "<= 40", "32", good=True, count=32)


def test_a_run_is_written_with_commit_date_and_machine_beside_the_figures_of_former_runs(tmp_path: Path) -> None:
    write([FAST], RUN, tmp_path)
    write([REQUESTS], Run("def5678", "2026-11-28", RUN.machine), tmp_path)
    assert [each["commit"] for each in recorded(tmp_path).values()] == ["abc1234", "def5678"]
    page = (tmp_path / "measured.md").read_text()
    assert "| apply to Ready | <= 1 s | 0.1 s | yes | abc1234 | 2026-11-27 | 2 cores, Linux x86_64 |" in page
    assert "| requests | <= 40 | 32 | yes | def5678 | 2026-11-28 |" in page


@pytest.mark.parametrize(
    ("count", "good", "said"),
    [
        (32, True, []),
        (35, True, []),
        (36, True, ["requests: 36; it was 32 at abc1234"]),
        (41, False, ["requests: 41; the goal is <= 40"]),
    ],
)
def test_a_count_that_grows_is_a_regression(tmp_path: Path, count: int, good: bool, said: list[str]) -> None:
    write([REQUESTS], RUN, tmp_path)
    now = figure("requests", "<= 40", str(count), good=good, count=count)
    assert regressions([now], recorded(tmp_path)) == said


def test_a_time_is_no_regression(tmp_path: Path) -> None:
    write([FAST], RUN, tmp_path)
    assert regressions([figure("apply to Ready", "<= 1 s", "9 s", good=False)], recorded(tmp_path)) == []
