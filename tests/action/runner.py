"""What the runner of GitHub does with a composite action, as far as action.yml uses it."""

import json
import os
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import yaml

ROOT = Path(__file__).parents[2]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
EXPRESSION = re.compile(r"\$\{\{ ([\w.-]+) \}\}")
REPOSITORY = "sales/inboxes"
TOKEN = "ghs_a_token_of_the_run"
PULL_REQUEST = 7


@dataclass
class Run:
    """One run. `steps` are those that ran, by name, with their exit codes."""

    outputs: dict[str, str] = field(default_factory=dict)
    steps: dict[str, int] = field(default_factory=dict)
    log: str = ""
    summary: str = ""

    @property
    def succeeded(self) -> bool:
        return not any(self.steps.values())


class Runner:
    """Runs the action in a workspace; `temp` keeps what is installed from run to run."""

    def __init__(self, workspace: Path, temp: Path, api_url: str) -> None:
        self.workspace = workspace
        self.temp = temp
        self.api_url = api_url
        self.event: dict[str, Any] = {"pull_request": {"number": PULL_REQUEST}}

    def install(self) -> Run:
        """The first step alone."""
        return self._run(ACTION["runs"]["steps"][:1], {})

    def run(self, **inputs: str) -> Run:
        """The steps after it, with these inputs; `_` for `-`."""
        return self._run(ACTION["runs"]["steps"][1:], inputs)

    def _run(self, steps: list[dict[str, Any]], inputs: dict[str, str]) -> Run:
        run = Run()
        given = {name: about.get("default", "") for name, about in ACTION["inputs"].items()}
        given |= {name.replace("_", "-"): value for name, value in inputs.items()}
        context = {f"inputs.{name}": value.replace("${{ github.token }}", TOKEN) for name, value in given.items()}
        for step in steps:
            if self._wanted(step.get("if"), context, run):
                self._step(step, context, run)
        run.outputs = {
            name: context.get(EXPRESSION.fullmatch(about["value"])[1], "")  # type: ignore[index] # it has this form
            for name, about in ACTION["outputs"].items()
        }
        return run

    def _wanted(self, condition: str | None, context: dict[str, str], run: Run) -> bool:
        """The three conditions of action.yml; another one is an error of this runner."""
        match condition:
            case None:
                return run.succeeded
            case "inputs.comment == 'true'":
                return run.succeeded and context["inputs.comment"] == "true"
            case "always() && steps.plan.outputs.exit-code != ''":
                return bool(context.get("steps.plan.outputs.exit-code"))
        raise NotImplementedError(condition)

    def _step(self, step: dict[str, Any], context: dict[str, str], run: Run) -> None:
        assert step["shell"] == "bash"
        files = {name: self.temp / f"{uuid4().hex}.{name}" for name in ("output", "summary", "event", "script")}
        for file in files.values():
            file.touch()
        files["event"].write_text(json.dumps(self.event), encoding="utf-8")
        files["script"].write_text(step["run"], encoding="utf-8")
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": os.environ.get("HOME", str(self.temp)),
            **{name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_"))},
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_API_URL": self.api_url,
            "GITHUB_EVENT_PATH": str(files["event"]),
            "GITHUB_OUTPUT": str(files["output"]),
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_STEP_SUMMARY": str(files["summary"]),
            "RUNNER_TEMP": str(self.temp),
            **{
                name: EXPRESSION.sub(lambda found: context.get(found[1], ""), text)
                for name, text in step["env"].items()
            },
        }
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", str(files["script"])],  # noqa: S607 - as GitHub calls it
            cwd=self.workspace,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        run.steps[step["name"]] = done.returncode
        run.log += done.stdout
        run.summary += files["summary"].read_text(encoding="utf-8")
        for line in files["output"].read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition("=")
            context[f"steps.{step['id']}.outputs.{name}"] = value
