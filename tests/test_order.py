"""In which order files of tests begin."""

from pathlib import Path

from tests.conftest import LONG

HERE = Path(__file__).parent


def test_each_file_that_begins_early_is_there_once() -> None:
    there = ["/".join(path.parts[-2:]) for path in HERE.rglob("test_*.py")]
    assert [name for name in LONG if there.count(name) != 1] == []
