"""The test cases in the form of Argo CD's own folder: `health_test.yaml` and the objects that it names."""

import gc
from pathlib import Path
from typing import Any, NoReturn

import structlog
import yaml

from argocd.generate import GROUP, HERE, KINDS
from tests.argocd.account_scenarios import account_scenarios
from tests.argocd.batch_scenarios import batch_scenarios
from tests.argocd.scenario import HEADER, Scenario


def scenarios() -> list[Scenario]:
    before = structlog.get_config()
    structlog.configure(processors=[_drop])
    try:
        accounts = list(account_scenarios())
        gc.collect()  # what simulated crashes left behind ends here
    finally:
        structlog.configure(**before)
    return [*accounts, *batch_scenarios(accounts)]


def _drop(_logger: object, _method: str, _event: Any) -> NoReturn:
    raise structlog.DropEvent


def files() -> dict[Path, str]:
    """What each made file should hold."""
    played = scenarios()
    tests = {_folder(kind) / "health_test.yaml": _tests(kind, played) for kind in KINDS}
    return tests | {scenario.path: scenario.text for scenario in played}


def _folder(kind: str) -> Path:
    return HERE / "resource_customizations" / GROUP / kind


def _tests(kind: str, played: list[Scenario]) -> str:
    cases = [
        {
            "healthStatus": {"status": scenario.health, "message": scenario.message},
            "inputPath": f"testdata/{scenario.path.name}",
        }
        for scenario in played
        if scenario.kind == kind
    ]
    return HEADER + yaml.safe_dump({"tests": cases}, sort_keys=False, width=120)
