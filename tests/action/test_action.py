"""The GitHub action: its inputs, its steps under bash as GitHub runs them, and its one comment."""

import json
import re
import stat
from pathlib import Path
from typing import Any

import pytest
import yaml

from coldsend_operator.resources.names import API_VERSION
from tests.action.github import BOT, GitHub
from tests.action.runner import ACTION, EXPRESSION, ROOT, TOKEN, Runner
from tests.tools.support import held

MARKER = "<!-- coldsend-plan: plan -->\n"
STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]


def workspace(runner: Runner, *, name: str = "Ann", objects: int = 2) -> None:
    """Two objects in a snapshot; what Git holds of the first one gives it this name."""
    there = [held(f"a{n}", updatePolicy="Recreate", displayName="Ann") for n in range(objects)]
    ann = there[0]
    metadata = {key: ann["metadata"][key] for key in ("namespace", "name", "labels")}
    changed = {"apiVersion": API_VERSION, "kind": "SenderAccount", "metadata": metadata}
    manifest = {**changed, "spec": {**ann["spec"], "displayName": name}}
    (runner.workspace / "snapshot.json").write_text(json.dumps({"kind": "List", "items": there}), encoding="utf-8")
    (runner.workspace / "git.yaml").write_text(yaml.safe_dump(manifest), encoding="utf-8")


GIVEN = {"manifests": "git.yaml", "snapshot": "snapshot.json"}


# -- what GitHub's schema of actions and good sense ask of the file


def test_the_file_has_what_github_asks_of_a_composite_action() -> None:
    assert set(ACTION) == {"name", "description", "inputs", "outputs", "runs"}
    assert set(ACTION["runs"]) == {"using", "steps"}
    assert ACTION["runs"]["using"] == "composite"
    for about in ACTION["inputs"].values():
        assert set(about) == {"description", "default"}
        assert about["description"]
        assert isinstance(about["default"], str)
    for about in ACTION["outputs"].values():
        assert set(about) == {"description", "value"}
    for step in STEPS:
        assert set(step) - {"id", "if"} == {"name", "shell", "env", "run"}


def test_no_script_holds_an_expression_and_every_input_is_used() -> None:
    used = set(EXPRESSION.findall(yaml.safe_dump([step["env"] for step in STEPS])))
    assert all("${{" not in step["run"] for step in STEPS)
    known = {f"inputs.{name}" for name in ACTION["inputs"]} - {"inputs.comment"}  # which stands in a condition
    assert {name for name in used if name.startswith("inputs.")} == known
    assert {name for name in used if not name.startswith("inputs.")} == {
        "steps.plan.outputs.exit-code",
        "steps.plan.outputs.markdown",
    }


def test_every_script_is_there_can_be_run_and_knows_only_variables_that_it_is_given() -> None:
    for step in STEPS:
        (name,) = re.findall(r"\$GITHUB_ACTION_PATH/(action/[\w.]+)", step["run"])
        script = ROOT / name
        if script.suffix == ".sh":
            assert script.stat().st_mode & stat.S_IXUSR
            text = script.read_text(encoding="utf-8")
            asked = set(re.findall(r"\$\{?([A-Z][A-Z_]+)", text))
            assert asked - {name for name in asked if name.startswith(("GITHUB_", "RUNNER_"))} <= set(step["env"])


def test_another_action_would_be_pinned_to_a_commit() -> None:
    uses = [step["uses"] for step in STEPS if "uses" in step]
    assert all(re.search(r"@[0-9a-f]{40}$", each) for each in uses)


def test_the_page_names_every_input() -> None:
    page = (ROOT / "docs/how-to/plan.md").read_text(encoding="utf-8")
    table = page.split("<!-- inputs of action.yml -->")[1].split("\n\n")[1]
    assert re.findall(r"^\| `([\w-]+)` \|", table, re.MULTILINE) == list(ACTION["inputs"])


# -- the plan


def test_changes_are_shown_in_comment_summary_and_log_and_succeed(runner: Runner, hub: GitHub) -> None:
    workspace(runner, name="Ann Arbor")
    run = runner.run(**GIVEN)
    assert run.steps == {"Plan": 0, "Comment": 0, "Judge": 0}
    assert run.outputs["exit-code"] == "3"
    (body,) = hub.bodies
    assert body.startswith(f"{MARKER}### ColdSend plan\n")
    assert "| recreate | SenderAccount | sales/a0 |" in body
    assert body == MARKER + run.summary == MARKER + Path(run.outputs["markdown"]).read_text(encoding="utf-8")
    assert "| recreate | SenderAccount | sales/a0 |" in run.log
    assert hub.tokens == {f"Bearer {TOKEN}"}


def test_an_action_that_fail_on_names_fails_after_the_comment(runner: Runner, hub: GitHub) -> None:
    workspace(runner, name="Ann Arbor")
    run = runner.run(**GIVEN, fail_on="recreate,hold")
    assert run.steps == {"Plan": 0, "Comment": 0, "Judge": 4}
    assert run.outputs["exit-code"] == "4"
    assert "recreate" in hub.bodies[0]


def test_objects_that_no_manifest_holds_are_deleted_by_the_selector(runner: Runner, hub: GitHub) -> None:
    workspace(runner)
    run = runner.run(**GIVEN, prune_selector="app=pool", fail_on="delete")
    assert run.outputs["exit-code"] == "4"
    assert "| delete | SenderAccount | sales/a1 |" in hub.bodies[0]


def test_where_there_is_no_plan_the_comment_says_why_and_the_action_fails(runner: Runner, hub: GitHub) -> None:
    workspace(runner, name="Ann Arbor")
    runner.run(**GIVEN)
    (runner.workspace / "git.yaml").write_text("kind: [<b>@everyone", encoding="utf-8")
    run = runner.run(**GIVEN)
    assert run.steps == {"Plan": 0, "Comment": 0, "Judge": 1}
    (body,) = hub.bodies
    assert "There is no plan" in body
    assert "git.yaml is not YAML" in body
    assert "@everyone" not in body


def test_several_paths_with_spaces_are_one_a_line(runner: Runner, hub: GitHub) -> None:
    workspace(runner, name="Ann Arbor")
    (runner.workspace / "two words").mkdir()
    (runner.workspace / "git.yaml").rename(runner.workspace / "two words" / "git.yaml")
    (runner.workspace / "none").mkdir()
    run = runner.run(snapshot="snapshot.json", manifests="two words\nnone\n")
    assert run.outputs["exit-code"] == "3"


def test_no_input_and_no_file_of_the_pull_request_is_run(runner: Runner, hub: GitHub) -> None:
    workspace(runner, name="Ann Arbor")
    for module in ("json", "coldsend_operator", "secrets", "html"):
        (runner.workspace / f"{module}.py").write_text("open('pwned', 'w')\n", encoding="utf-8")
    poison = '$(touch pwned)`touch pwned`";touch pwned;"'
    left = {"comment", "python", "comment_key"}  # one switches, one is a program, one is refused before the others
    runner.run(**{name: poison for each in ACTION["inputs"] if (name := each.replace("-", "_")) not in left})
    runner.run(**GIVEN, comment_key=poison)
    assert not (runner.workspace / "pwned").exists()


def test_a_name_in_a_manifest_is_no_command_to_the_runner(runner: Runner, hub: GitHub) -> None:
    workspace(runner)
    (runner.workspace / "git.yaml").write_text('a: 1\n"\\n::set-output name=x::y": [', encoding="utf-8")
    log = runner.run(**GIVEN).log
    (stop,) = re.findall(r"^::stop-commands::(\w{32})$", log, re.MULTILINE)
    outside = re.sub(rf"^::stop-commands::{stop}$.*^::{stop}::$", "", log, flags=re.MULTILINE | re.DOTALL)
    assert re.findall(r"^::[^:]*", outside, re.MULTILINE) == ["::error title=ColdSend plan"]


# -- the comment


def test_there_is_one_comment_however_often_it_runs(runner: Runner, hub: GitHub) -> None:
    for name in ("Ann Arbor", "Ann Brown", "Ann"):
        workspace(runner, name=name)
        runner.run(**GIVEN)
    (body,) = hub.bodies
    assert "No change is known." in body
    assert [method for method, _ in hub.requests] == ["GET", "POST", "GET", "PATCH", "GET", "PATCH"]


def test_where_nothing_changes_no_comment_is_begun(runner: Runner, hub: GitHub) -> None:
    workspace(runner)
    run = runner.run(**GIVEN)
    assert (run.succeeded, run.outputs["exit-code"], hub.bodies) == (True, "0", [])


def test_its_own_comment_is_found_behind_a_hundred_and_others_are_left_alone(runner: Runner, hub: GitHub) -> None:
    forged = hub.write("mallory", f"{MARKER}mine")
    quoted = hub.write(BOT, f"> {MARKER}")
    for number in range(150):
        hub.write("someone", f"comment {number}")
    own, doubled = hub.write(BOT, f"{MARKER}old"), hub.write(BOT, f"{MARKER}old")
    workspace(runner, name="Ann Arbor")
    runner.run(**GIVEN)
    assert hub.comments[forged]["body"] == f"{MARKER}mine"
    assert hub.comments[quoted]["body"] == f"> {MARKER}"
    assert "recreate" in hub.comments[own]["body"]
    assert doubled not in hub.comments


def test_two_plans_of_one_pull_request_have_a_comment_each(runner: Runner, hub: GitHub) -> None:
    workspace(runner, name="Ann Arbor")
    for key in ("east", "west", "east"):
        assert runner.run(**GIVEN, comment_key=key).succeeded
    assert [body.splitlines()[0] for body in hub.bodies] == [
        "<!-- coldsend-plan: east -->",
        "<!-- coldsend-plan: west -->",
    ]


@pytest.mark.parametrize("code", [403, 404])
def test_a_token_that_may_not_comment_is_a_warning(runner: Runner, hub: GitHub, code: int) -> None:
    hub.refuse = code
    workspace(runner, name="Ann Arbor")
    run = runner.run(**GIVEN)
    assert run.succeeded
    assert "::warning title=ColdSend plan::No comment: GitHub answers" in run.log
    assert TOKEN not in run.log


@pytest.mark.parametrize("code", [302, 500])
def test_another_refusal_fails_and_the_verdict_is_still_given(runner: Runner, hub: GitHub, code: int) -> None:
    hub.refuse = code
    workspace(runner, name="Ann Arbor")
    run = runner.run(**GIVEN, fail_on="recreate")
    assert run.steps == {"Plan": 0, "Comment": 1, "Judge": 4}
    assert f"GitHub answers {code}" in run.log
    assert not any("elsewhere" in target for _, target in hub.requests)


def test_a_run_of_no_pull_request_needs_none(runner: Runner, hub: GitHub) -> None:
    workspace(runner, name="Ann Arbor")
    runner.event = {"ref": "refs/heads/main"}
    run = runner.run(**GIVEN)
    assert run.succeeded
    assert "this run is of no pull request" in run.log
    runner.run(**GIVEN, pull_request="7")
    assert len(hub.bodies) == 1


def test_the_longest_plan_fits_into_a_comment(runner: Runner, hub: GitHub) -> None:
    workspace(runner, objects=3_000)
    runner.run(**GIVEN, prune_selector="app=pool")
    (body,) = hub.bodies
    assert 30_000 < len(body) <= 65_536
    assert "more rows are not shown." in body
    assert body.rstrip().splitlines()[-1].startswith("- ")
