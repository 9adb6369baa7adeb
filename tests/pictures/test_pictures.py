"""The pictures show what the commands print."""

from pathlib import Path

import pytest

from tests.pictures.drawing import PLAN, files, run
from tests.pictures.worlds import for_plan


@pytest.fixture(scope="module")
def made() -> dict[Path, str]:
    return files()


def test_the_pictures_are_what_the_program_draws(made: dict[Path, str]) -> None:
    stale = [path.name for path, text in made.items() if path.read_text(encoding="utf-8") != text]
    assert stale == [], "run `make generate`"


def test_a_picture_asks_no_other_site_for_anything(made: dict[Path, str]) -> None:
    for text in made.values():
        assert "url(" not in text.replace("url(#", "")
        assert "@import" not in text


def test_on_a_narrow_terminal_the_last_column_is_folded_and_no_other_is_cut(tmp_path: Path) -> None:
    for_plan(tmp_path)
    header, first, second, *_ = run(tmp_path, *PLAN, COLUMNS="60", NO_COLOR="1").splitlines()
    assert header.split() == ["ACTION", "KIND", "NAMESPACE/NAME", "ADDRESS", "WHY"]
    assert "ann@company.com" in first
    assert second.startswith(" " * header.index("WHY"))
    assert "…" not in first + second
