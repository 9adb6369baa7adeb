"""What docs/contributing says of the code is there: files, functions, rules and rows."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "operator/coldsend_operator"
CONTRIBUTING = ROOT / "docs/contributing"
STEP = re.compile(r"^\| [^|]+ \| `([\w/.]+\.py)` \| `(\w+)` \|$", re.MULTILINE)
CITED = re.compile(r"\b(rule|row)s? (\d+)((?:(?:, | and | to )\d+)*)")


def steps() -> list[tuple[str, str]]:
    return STEP.findall((CONTRIBUTING / "architecture.md").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("file", "function"), steps(), ids=lambda part: part)
def test_each_step_names_a_file_and_a_function_in_it(file: str, function: str) -> None:
    tree = ast.parse((PACKAGE / file).read_text(encoding="utf-8"))
    names = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    assert function in names


def test_there_are_steps_of_an_account_a_deletion_and_a_batch() -> None:
    assert len(steps()) > 30


def test_each_path_on_the_page_is_there() -> None:
    page = (CONTRIBUTING / "architecture.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([\w/]+(?:\.py|\.md|/))`", page))
    assert [name for name in sorted(named) if not ((PACKAGE / name).exists() or (ROOT / name).exists())] == []


def known(word: str) -> set[int]:
    if word == "rule":
        page, form = CONTRIBUTING / "rules.md", r"^(\d+)\. "
    else:
        page, form = CONTRIBUTING / "api-assumptions.md", r"^\| (\d+) \|"
    return {int(number) for number in re.findall(form, page.read_text(encoding="utf-8"), re.MULTILINE)}


def sources() -> Iterator[Path]:
    for folder in ("operator", "tests", "docs/contributing"):
        yield from (path for path in (ROOT / folder).rglob("*") if path.suffix in {".py", ".md"})


def test_each_rule_and_row_that_is_cited_is_on_its_page() -> None:
    unknown = []
    for path in sources():
        for word, first, more in CITED.findall(path.read_text(encoding="utf-8")):
            if word == "row" and "contract" not in path.read_text(encoding="utf-8"):
                continue  # a row of a list of ours
            numbers = {int(number) for number in re.findall(r"\d+", first + more)}
            unknown += [f"{path.relative_to(ROOT)}: {word} {number}" for number in sorted(numbers - known(word))]
    assert unknown == []


def test_no_page_is_cited_that_is_not_in_the_repository() -> None:
    pages = re.compile(r"(?<![-\w])(?:safety|settled)\.md")
    told = [path for path in sources() if path != Path(__file__) and pages.search(path.read_text(encoding="utf-8"))]
    assert [str(path.relative_to(ROOT)) for path in told] == []
