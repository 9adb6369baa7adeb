"""The workflows of GitHub, as far as a program can read them without running them."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from release.version import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yaml"))
PINNED = re.compile(r"^[\w.-]+/[\w./-]+@[0-9a-f]{40}$")
COMMENTED = re.compile(r"uses: \S+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")

Object = dict[str, Any]


def read(path: Path) -> Object:
    found: Object = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


def steps(path: Path) -> Iterator[Object]:
    found = read(path)
    for job in found.get("jobs", {"the action": found.get("runs")}).values():
        yield from job["steps"]


SCRIPTS = [
    pytest.param(step["run"], id=f"{path.stem}-{number}")
    for path in WORKFLOWS
    for number, step in enumerate(steps(path))
    if "run" in step
]


@pytest.mark.parametrize("path", [*WORKFLOWS, ROOT / "action.yml"], ids=lambda path: path.stem)
def test_every_action_is_pinned_by_its_commit_with_the_version_beside_it(path: Path) -> None:
    used = [step["uses"] for step in steps(path) if "uses" in step and step["uses"] != "./"]
    assert [each for each in used if not PINNED.match(each)] == []
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if "uses: " in line]
    assert [line for line in lines if "uses: ./" not in line and not COMMENTED.search(line)] == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_may_only_read_unless_a_job_asks_for_more(path: Path) -> None:
    assert read(path)["permissions"] == {"contents": "read"}


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_shell_understands_every_script(script: str) -> None:
    done = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, check=False)  # noqa: S607
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("script", SCRIPTS)
def test_no_script_is_put_together_from_expressions(script: str) -> None:
    """A name of a branch or a tag could hold commands; scripts take such values from the environment."""
    assert "${{" not in script


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_target_of_make_in_a_script_exists(script: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z][a-z-]*)", script)) <= targets


def test_a_release_is_tried_before_anything_is_published_and_signed_before_it_is_announced() -> None:
    all_steps = steps(ROOT / ".github/workflows/release.yaml")
    script = "\n".join(str(step["run"] if "run" in step else step["uses"]) for step in all_steps)
    wanted = [
        "-m release tag",
        "make release-check",
        "-m release build",
        "crane push",
        "helm push",
        "cosign sign --yes --recursive",
        "cosign attest --yes --type cyclonedx",
        "cosign sign-blob",
        "actions/attest-build-provenance@",
        "gh release create",
    ]
    places = [script.index(each) for each in wanted]
    assert places == sorted(places)


def test_updates_of_everything_that_is_pinned_are_proposed() -> None:
    found = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text(encoding="utf-8"))
    assert {each["package-ecosystem"] for each in found["updates"]} == {"docker", "github-actions", "gomod", "pip"}
    for each in found["updates"]:
        for folder in each.get("directories", [each.get("directory")]):
            assert folder == "/" or list(ROOT.glob(folder.strip("/"))), folder
