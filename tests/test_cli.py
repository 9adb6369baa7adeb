"""The command line as a user meets it: what is printed, and the exit code (0 good, 1 failed, 2 wrong usage)."""

import json
import os
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from coldsend_operator import __version__, reference
from coldsend_operator.__main__ import app

ROOT = Path(__file__).parents[1]
NOWHERE = ROOT / "tests" / "nowhere"  # never there
KEY = "cs_live_0123456789abcdef"


def operator(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """One run of the program, with no settings but those given."""
    around = {name: value for name, value in os.environ.items() if not name.startswith("COLDSEND_")}
    return subprocess.run(
        [sys.executable, "-m", "coldsend_operator", *arguments],
        env={**around, "KUBECONFIG": str(NOWHERE), "COLUMNS": "120", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_version_names_program_commit_python_and_kopf() -> None:
    run = operator("version")
    assert run.returncode == 0
    said = dict(line.split(" ", 1) for line in run.stdout.splitlines())
    assert said.keys() == {"coldsend-operator", "commit", "python", "kopf"}
    assert said["coldsend-operator"] == __version__
    assert said["kopf"] == metadata.version("kopf")
    assert re.fullmatch(r"[0-9a-f]{40}|unknown", said["commit"])


def test_crds_prints_both_definitions() -> None:
    run = operator("crds")
    assert run.returncode == 0
    kinds = [definition["spec"]["names"]["kind"] for definition in yaml.safe_load_all(run.stdout)]
    assert kinds == ["SenderAccount", "SenderAccountBatch"]


def test_crds_check_is_content_with_the_committed_ones() -> None:
    assert operator("crds", "--check", str(ROOT / "crds")).returncode == 0


def test_crds_check_fails_where_a_file_differs(tmp_path: Path) -> None:
    for path in (ROOT / "crds").glob("*.yaml"):
        (tmp_path / path.name).write_text(path.read_text().replace("maxLength: 255", "maxLength: 256"))
    run = operator("crds", "--check", str(tmp_path))
    assert run.returncode == 1
    assert str(tmp_path) in run.stderr


@pytest.mark.parametrize(
    "arguments",
    [(), ("fly",), ("run", "--wings", "2"), ("run", "--api-key", KEY), ("crds", "--check", str(NOWHERE))],
    ids=lambda arguments: " ".join(arguments[:2]),
)
def test_wrong_usage_ends_with_2(arguments: tuple[str, ...]) -> None:
    run = operator(*arguments)
    assert run.returncode == 2
    assert KEY not in run.stdout + run.stderr


def test_a_wrong_setting_ends_run_with_2_and_one_line() -> None:
    run = operator("run", COLDSEND_SWEEP_SECONDS="5m")
    assert run.returncode == 2
    assert run.stdout == ""
    assert (
        run.stderr == "COLDSEND_SWEEP_SECONDS=5m is not allowed; give a number from 1 to 86400 (flag --sweep-seconds)\n"
    )


def test_a_flag_is_judged_like_its_variable() -> None:
    run = operator("run", "--poll-seconds", "0", COLDSEND_POLL_SECONDS="3")
    assert run.returncode == 2
    assert run.stderr.startswith("COLDSEND_POLL_SECONDS=0 is not allowed")


def test_a_wrong_key_is_not_printed() -> None:
    run = operator("run", COLDSEND_API_KEY=f"{KEY} {KEY}")
    assert run.returncode == 2
    assert KEY not in run.stdout + run.stderr


def test_help_shows_every_setting_with_its_variable() -> None:
    run = operator("run", "--help", COLUMNS="400")
    assert run.returncode == 0
    for setting in re.findall(r"^## (COLDSEND_\w+)$", (ROOT / "docs/reference/settings.md").read_text(), re.MULTILINE):
        if setting != "COLDSEND_API_KEY":
            assert setting in run.stdout
            assert "--" + setting.removeprefix("COLDSEND_").lower().replace("_", "-") in run.stdout


def test_run_without_a_cluster_ends_with_1_and_says_why_in_one_line() -> None:
    run = operator("run", COLDSEND_METRICS_ADDRESS="off", COLDSEND_PROBES_ADDRESS="off")
    assert run.returncode == 1
    (line,) = map(json.loads, run.stderr.splitlines())
    assert line["event"] == "failed"
    assert line["message"].startswith("NotConfigured: no access to a cluster")
    assert str(NOWHERE) in line["message"]


def test_an_unknown_variable_is_named_in_the_log() -> None:
    run = operator("run", COLDSEND_SWEEP="10", COLDSEND_METRICS_ADDRESS="off", COLDSEND_PROBES_ADDRESS="off")
    assert "COLDSEND_SWEEP is not a setting" in run.stderr


def test_what_nobody_expected_ends_with_1_and_a_last_line_without_secrets_or_local_variables() -> None:
    script = f"""
from coldsend_operator.__main__ import app, main

@app.command()
def stumble():
    password = 'swordfish'
    raise RuntimeError(f'no luck with {KEY}')

main()
"""
    run = subprocess.run([sys.executable, "-c", script, "stumble"], capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert run.stderr.splitlines()[-1] == "coldsend-operator failed: RuntimeError: no luck with ***"
    assert KEY not in run.stderr
    assert "swordfish" not in run.stderr


def redirected(command: str, redirection: str, stdout: int = subprocess.PIPE) -> subprocess.CompletedProcess[str]:
    line = f'exec "{sys.executable}" -m coldsend_operator {command} {redirection}'
    around = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}  # as on most machines
    return subprocess.run(
        ["/bin/sh", "-c", line], env=around, stdout=stdout, stderr=subprocess.PIPE, text=True, check=False, timeout=60
    )


@pytest.mark.parametrize("command", ["version", "crds", "completion bash"])
@pytest.mark.parametrize(
    ("redirection", "said"),
    [(">/dev/full", "[Errno 28] No space left on device"), (">&-", "standard output is closed")],
)
def test_output_that_cannot_be_written_ends_with_1_and_one_line(command: str, redirection: str, said: str) -> None:
    run = redirected(command, redirection)
    assert (run.returncode, run.stderr) == (1, f"coldsend-operator failed: {said}\n")


@pytest.mark.parametrize("command", ["version", "crds", "--help", "__complete status"])
def test_output_that_nobody_reads_is_told_of_in_no_line(command: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    run = redirected(command, "", stdout=writer)
    os.close(writer)
    assert (run.returncode in {0, 1}, run.stderr) == (True, "")


def test_closed_standard_input_is_empty_and_closed_errors_go_nowhere() -> None:
    run = redirected("validate -f -", "<&-")
    assert "Traceback" not in run.stderr
    assert (redirected("version", "2>&-").returncode, redirected("no-such-command", "2>&-").returncode) == (0, 2)


def test_wrong_usage_is_one_sentence_on_one_line_however_narrow_the_terminal() -> None:
    run = operator("wait", "sender/ann", "--for", "something-that-it-will-never-become", COLUMNS="40")
    assert run.returncode == 2
    assert run.stdout == ""
    *_, last = run.stderr.splitlines()
    assert last.startswith("Error: Invalid value for '--for':")
    assert last.endswith("is not one of 'ready', 'synced', 'deleted'.")


def test_short_options_take_an_equals_sign_as_those_of_kubectl(tmp_path: Path) -> None:
    (tmp_path / "snapshot.json").write_text('{"items": []}')
    run = operator("plan", "-o=json", "-n=sales", "--snapshot", str(tmp_path / "snapshot.json"))
    assert run.returncode == 0
    assert json.loads(run.stdout)["kind"] == "Plan"


@pytest.mark.parametrize("before", [("-n", "plan"), ("-n=plan", "--color", "never"), ("-A", "-o", "json")])
def test_options_may_come_before_the_command(before: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "snapshot.json").write_text('{"items": []}')
    assert operator(*before, "plan", "--snapshot", str(tmp_path / "snapshot.json")).returncode == 0
    assert operator(*before).returncode == 2


def test_help_names_each_command_in_one_line_and_h_is_short_for_it() -> None:
    run = operator("-h", COLUMNS="80")
    commands = run.stdout.partition("Commands:\n")[2].splitlines()
    assert len(commands) == len({line.split()[0] for line in commands}) > 20
    assert [line for line in commands if not line.endswith(".") or line.endswith("...")] == []
    assert operator("plan", "-h").stdout == operator("plan", "--help").stdout


def test_the_pages_made_from_the_code_are_current() -> None:
    assert reference.check(ROOT / "docs/reference") == []


def test_the_page_of_the_commands_names_every_option_that_help_shows() -> None:
    page = (ROOT / "docs/reference/commands.md").read_text(encoding="utf-8")
    for section in page.split("\n## ")[1:]:
        name, _, text = section.partition("\n")
        run = CliRunner().invoke(app, [name, "--help"], env={"COLUMNS": "400"})
        shown = set(re.findall(r"--[a-z-]+", run.stdout)) - {"--help"}
        assert run.exit_code == 0
        assert {option for option in shown if f"`{option}`" not in text} == set(), name


def test_a_page_that_is_out_of_date_is_named(tmp_path: Path) -> None:
    reference.write(tmp_path)
    assert reference.check(tmp_path) == []
    (tmp_path / "settings.md").write_text("old")
    assert reference.check(tmp_path) == [f"{tmp_path / 'settings.md'} is not what the code says; run `make generate`"]
