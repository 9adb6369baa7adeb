"""Promtool, called as people call it, on the alerts of the chart."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
CHART = ROOT / "charts" / "coldsend-operator"
ALERTS = CHART / "files" / "alerts.yaml"
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Promtool:
    program: Path

    def __call__(self, *arguments: str | Path) -> str:
        """What it printed; it fails the test when promtool is not content."""
        done = subprocess.run(
            [self.program, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        said = _COLOURS.sub("", done.stdout + done.stderr)
        assert done.returncode == 0, said
        return said


def rules() -> dict[str, dict[str, Any]]:
    """The alerts by their names."""
    groups = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}
