"""What a build tells of how far it is."""

from pathlib import Path

from devcluster.go_build import Progress
from tests.support.clock import FakeClock


def progress(tmp_path: Path, clock: FakeClock, *compiled: str) -> Progress:
    """Of a build of ten packages of one size, which has begun with these."""
    log = tmp_path / "build.log"
    log.write_text("".join(f"{package}\n" for package in compiled))
    return Progress(log, {f"p{number}": 100 for number in range(10)}, clock)


def test_a_build_that_has_just_begun_tells_no_time(tmp_path: Path) -> None:
    begun = progress(tmp_path, FakeClock(), "p0", "p1")
    assert begun.text() == "2 packages compiled"


def test_after_a_while_the_time_left_follows_from_the_pace(tmp_path: Path) -> None:
    clock = FakeClock()
    begun = progress(tmp_path, clock, "p0", "p1", "p2", "p3", "p4")
    begun.text()
    clock.advance(60)
    assert begun.text() == "48%, about 1 min 05 s left"


def test_modules_that_are_downloaded_are_no_packages(tmp_path: Path) -> None:
    begun = progress(tmp_path, FakeClock(), "go: downloading example.com/other v1.2.3")
    assert begun.text() == "1 modules downloaded"
