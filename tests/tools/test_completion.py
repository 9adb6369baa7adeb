"""What shells are told of the command line; names of a real cluster are in tests/e2e/test_completion.py."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from coldsend_operator.__main__ import app
from coldsend_operator.tools.completion.engine import ANYTHING, NO_FILES, CommandLine, Parameter, candidates
from coldsend_operator.tools.completion.scripts import SCRIPTS
from tests.tools.support import command


def ask(*words: str) -> tuple[list[str], int]:
    """Words that may come next; names of the cluster are those of parameter, command and namespace."""

    def lookup(line: CommandLine, parameter: Parameter) -> list[str]:
        return [f"{line.command}-{parameter.name}-{line.given.get('namespace', '')}"]

    found, directive = candidates(app, words, lookup)
    return [each.word for each in found], directive


def test_commands_come_first() -> None:
    found, directive = ask("")
    assert {"run", "crds", "version", "plan", "doctor", "report-bundle", "completion"} <= set(found)
    assert directive == NO_FILES
    assert ask("re") == (["resume", "reconcile", "report-bundle"], NO_FILES)
    assert ask("nothing-like-it", "") == ([], NO_FILES)


def test_options_may_come_before_the_command() -> None:
    assert ask("-n", "") == (["-namespace-"], NO_FILES)
    assert ask("-n", "sales", "-A", "re") == (["resume", "reconcile", "report-bundle"], NO_FILES)
    assert ask("-n", "status", "status", "") == (["status-name-status"], NO_FILES)
    assert ask("-n", "sales", "wait", "sender/ann", "--for", "s") == (["synced"], NO_FILES)


def test_options_are_those_of_the_command_and_each_comes_once() -> None:
    assert ask("wait", "sender/ann", "--f") == (["--for"], NO_FILES)
    assert "--namespace" not in ask("wait", "-n", "sales", "--n")[0]
    assert set(ask("plan", "--file")[0]) == {"--filename"}  # may come again
    assert ask("plan", "-f", "a.yaml", "--filen") == (["--filename"], NO_FILES)
    assert "--help" in ask("tree", "-")[0]
    assert "--api-url" in ask("run", "--api")[0]


def test_values_are_the_words_that_an_option_takes() -> None:
    assert ask("plan", "-o", "") == (["table", "json", "markdown"], NO_FILES)
    assert ask("wait", "x", "--for", "s") == (["synced"], NO_FILES)
    assert ask("completion", "") == (["bash", "zsh", "fish", "powershell"], NO_FILES)


def test_values_may_follow_an_equals_sign_or_a_comma() -> None:
    assert ask("wait", "x", "--for=s") == (
        ["synced"],
        NO_FILES,
    )  # scripts add the option
    assert ask("status", "-n=") == (["status-namespace-"], NO_FILES)
    assert ask("plan", "--kubeconfig=") == ([], ANYTHING)
    assert ask("plan", "--fail-on", "delete,h") == (["delete,hold"], NO_FILES)
    assert ask("inventory", "--by", "") == (["domain", "type", "namespace", "batch", "status"], NO_FILES)


@pytest.mark.parametrize(
    "words",
    [("plan", "-f", ""), ("import", ""), ("export", "-d", "x"), ("status", "--kubeconfig", ""), ("schemas", "")],
)
def test_where_a_file_belongs_the_shell_offers_files(words: tuple[str, ...]) -> None:
    assert ask(*words) == ([], ANYTHING)


def test_names_of_the_cluster_are_asked_for_where_they_belong() -> None:
    assert ask("status", "-n", "sales", "") == (["status-name-sales"], NO_FILES)
    assert ask("pause", "sender/a", "pause") == (["pause-names-"], NO_FILES)
    assert ask("pause", "-n", "") == (["pause-namespace-"], NO_FILES)
    assert ask("wait", "sender/a", "") == ([], NO_FILES)  # it takes one


def printed(*words: str, program: str = "coldsend_operator") -> list[str]:
    given = [sys.executable, "-m", program, "__complete", *words]
    environment = {**os.environ, "KUBECONFIG": "/nowhere", "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(given, capture_output=True, text=True, check=True, env=environment).stdout.splitlines()


def test_a_shell_reads_words_with_their_help_and_a_directive() -> None:
    *lines, directive = printed("sta")
    assert lines == ["status\tShow budget, progress, and what objects wait for"]
    assert directive == ":4"
    assert printed("status", '""') == [":4"]  # without a cluster there are no names, and no complaint


@pytest.mark.parametrize("shell", list(SCRIPTS))
def test_each_shell_gets_a_script_that_asks_the_program(shell: str) -> None:
    result = command("completion", shell)
    assert result.exit_code == 0
    assert "__complete" in result.stdout
    assert "coldsend-operator" in result.stdout


@pytest.mark.parametrize(
    ("typed", "replies"),
    [
        ("wait x --for ''", ["ready", "synced", "deleted"]),
        ("wait x --for = s", ["synced"]),  # bash makes three words of --for=s
        ("wait x --for =", ["ready", "synced", "deleted"]),
        ("status --context a : c", ["c:d", "cd"]),  # and of a:c; it replaces what follows the colon
    ],
)
def test_bash_completes_by_its_script(tmp_path: Path, typed: str, replies: list[str]) -> None:
    program = tmp_path / "coldsend-operator"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m coldsend_operator "$@"\n')
    program.chmod(0o755)
    contexts = [{"name": name, "context": {"cluster": "it", "user": "it"}} for name in ("a:c:d", "a:cd", "other")]
    named = {"clusters": [{"name": "it", "cluster": {}}], "users": [{"name": "it", "user": {}}]}
    (tmp_path / "config").write_text(json.dumps({"current-context": "other", "contexts": contexts, **named}))
    script = "\n".join(
        [
            SCRIPTS["bash"],
            f"COMP_WORDS=(coldsend-operator {typed})",
            "COMP_CWORD=$((${#COMP_WORDS[@]} - 1))",
            "_coldsend_operator",
            'printf "%s\\n" "${COMPREPLY[@]}"',
        ]
    )
    environment = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join(sys.path),
        "KUBECONFIG": str(tmp_path / "config"),
    }
    run = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True, env=environment)  # noqa: S607
    assert run.stdout.split() == replies
