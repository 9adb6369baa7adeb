"""The test cases in the form of Argo CD's own folder: `health_test.yaml` and the objects that it names."""

import gc
from pathlib import Path
from typing import Any, NoReturn

import structlog
import yaml

from argocd.generate import GROUP, HERE, KINDS
from tests.argocd.account_scenes import account_scenes
from tests.argocd.batch_scenes import batch_scenes
from tests.argocd.scene import HEADER, Scene


def scenes() -> list[Scene]:
    before = structlog.get_config()
    structlog.configure(processors=[_drop])
    try:
        accounts = list(account_scenes())
        gc.collect()  # what simulated crashes left behind ends here
    finally:
        structlog.configure(**before)
    return [*accounts, *batch_scenes(accounts)]


def _drop(_logger: object, _method: str, _event: Any) -> NoReturn:
    raise structlog.DropEvent


def files() -> dict[Path, str]:
    """What each made file should hold."""
    played = scenes()
    tests = {_folder(kind) / "health_test.yaml": _tests(kind, played) for kind in KINDS}
    return tests | {scene.path: scene.text for scene in played}


def _folder(kind: str) -> Path:
    return HERE / "resource_customizations" / GROUP / kind


def _tests(kind: str, played: list[Scene]) -> str:
    cases = [
        {
            "healthStatus": {"status": scene.health, "message": scene.message},
            "inputPath": f"testdata/{scene.path.name}",
        }
        for scene in played
        if scene.kind == kind
    ]
    return HEADER + yaml.safe_dump({"tests": cases}, sort_keys=False, width=120)
