"""The pages of docs/ are true where a program can tell, and build without a warning."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from coldsend_operator.core.model.answers import Row
from coldsend_operator.core.model.policy import Policy
from coldsend_operator.core.model.reasons import Reason
from coldsend_operator.core.plan import pages_of, sweep_period
from coldsend_operator.core.workspace.claims import Claims
from coldsend_operator.core.workspace.workspace import Workspace
from coldsend_operator.logs import Event
from coldsend_operator.reference import check

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES_OUTSIDE = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "devcluster/README.md", "examples/README.md")
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
COMMANDS = re.compile(r"^ *```(?:console|sh)?\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
CODE_BLOCK = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def reasons_explained() -> dict[str, list[str]]:
    """Cause and way out by reason."""
    rows = re.findall(
        r"^\| `(\w+)` \|(.*)\|$", (DOCS / "reference/reasons.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    return {reason: [cell.strip() for cell in cells.split(" | ")] for reason, cells in rows}


def test_the_site_builds_without_a_warning_and_without_a_dead_link(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    built = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stdout + built.stderr
    assert (tmp_path / "index.html").is_file()
    assert (tmp_path / "reference" / "reasons" / "index.html").is_file()


def test_no_table_has_a_bar_in_code_which_github_and_the_site_show_differently() -> None:
    rows = (
        f"{path.relative_to(ROOT)}: {line}"
        for path in (*DOCS.rglob("*.md"), *(ROOT / name for name in PAGES_OUTSIDE))
        for line in CODE_BLOCK.sub("", path.read_text(encoding="utf-8")).splitlines()
        if line.startswith("|") and re.search(r"`[^`|]*\\\|[^`]*`", line)
    )
    assert list(rows) == []


def test_no_command_has_a_comment_behind_it_which_zsh_takes_for_arguments() -> None:
    lines = (
        f"{path.relative_to(ROOT)}: {line}"
        for path in (*DOCS.rglob("*.md"), *(ROOT / name for name in PAGES_OUTSIDE))
        for block in COMMANDS.findall(path.read_text(encoding="utf-8"))
        for line in block.splitlines()
        if re.search(r"\S\s+# ", line)
    )
    assert list(lines) == []


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_has_a_cause_and_a_way_out(reason: Reason) -> None:
    cause, way_out = reasons_explained()[reason.value]
    assert cause
    assert way_out


def test_the_page_explains_no_reason_that_is_none() -> None:
    assert set(reasons_explained()) == {reason.value for reason in Reason}


def test_the_page_on_troubleshooting_explains_each_event_of_the_log() -> None:
    page = (DOCS / "operations/troubleshooting.md").read_text(encoding="utf-8")
    table = page.split("| event | meaning |")[1].split("\n\n")[0]
    named = {name for row in table.splitlines()[2:] for name in re.findall(r"`(\w+)`", row.split(" | ")[0])}
    assert named == {event.value for event in Event}


def test_the_generated_pages_are_what_the_code_says() -> None:
    assert check(DOCS / "reference") == []


@pytest.mark.parametrize("page", PAGES_OUTSIDE)
def test_links_of_pages_outside_the_site_lead_somewhere(page: str) -> None:
    text = CODE_BLOCK.sub("", (ROOT / page).read_text(encoding="utf-8"))
    links = [link for link in LINK.findall(text) if not link.startswith(("http://", "https://"))]
    dead = [link for link in links if not ((ROOT / page).parent / link).exists()]
    assert dead == []


def test_every_manifest_that_a_page_names_is_there() -> None:
    pages = [page.read_text(encoding="utf-8") for page in DOCS.rglob("*.md")]
    named = {name for page in pages for name in re.findall(r"examples/[\w./-]+\.(?:yaml|py)", page)}
    assert named
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


def rules_of_the_chart(name: str) -> list[tuple[str, str]]:
    """Resources and verbs of a list of rules in the chart, in the words of the page."""
    text = (ROOT / "charts/coldsend-operator/templates/_rules.tpl").read_text(encoding="utf-8")
    (body,) = re.findall(rf'define "{name}" -}}}}\n(.*?){{{{- end -}}}}', text, re.DOTALL)
    rules = yaml.safe_load(re.sub(r'{{ include "coldsend.fullname" \.( \| quote)? }}', "coldsend-operator", body))
    return [(resources_in_words(rule), ", ".join(rule["verbs"])) for rule in rules]


def resources_in_words(rule: dict[str, list[str]]) -> str:
    words = ", ".join(f"`{resource}`" for resource in rule["resources"])
    group = "".join(f" ({name})" for name in rule["apiGroups"] if name)
    named = "".join(f" named `{name}`" for name in rule.get("resourceNames", ()))
    return words + group + named


@pytest.mark.parametrize("name", ["coldsend.workRules", "coldsend.ownRules", "coldsend.ownSecretRule"])
def test_the_page_on_security_shows_the_roles_of_the_chart(name: str) -> None:
    page = (DOCS / "security/index.md").read_text(encoding="utf-8")
    table = page.split(f"<!-- rules: {name} -->")[1].strip().split("\n\n")[0]
    rows = [[cell.strip() for cell in row.strip("|").split(" | ")] for row in table.splitlines()[2:]]
    assert [(resources, verbs) for resources, verbs, _purpose in rows] == rules_of_the_chart(name)


def test_the_page_on_the_budget_tells_how_old_values_get() -> None:
    page = (DOCS / "explanation/budget.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (?:up to )?([\d,]+) \| (?:up to )?(\d+) \| ([\d.]+) minutes \|$", page, re.MULTILINE)
    assert rows
    for accounts, pages, minutes in rows:
        workspace = Workspace("0123456789ab", Policy(), Claims())
        for number in range(int(accounts.replace(",", ""))):
            workspace.inventory.put(Row(str(number), f"a{number}@company.com"), 1.0)
        assert sweep_period(workspace) == pytest.approx(float(minutes) * 60)
        assert pages_of(workspace) == int(pages)


def test_every_test_that_the_security_pages_name_is_there() -> None:
    there = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"def (test_\w+)", path.read_text(encoding="utf-8"))
    }
    named = {
        name
        for page in (DOCS / "security").glob("*.md")
        for name in re.findall(r"`(test_\w+)`", page.read_text(encoding="utf-8"))
    }
    assert named
    assert named - there == set()
