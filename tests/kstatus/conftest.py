"""The program that asks kstatus, built from source."""

import json
import subprocess
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from devcluster.builder import build
from devcluster.modules import KSTATUS

Raw = dict[str, Any]
Ask = Callable[[Sequence[Raw]], list[tuple[str, str]]]
"""Status and message of each object."""


@pytest.fixture(scope="session")
def ask() -> Ask:
    program = build(KSTATUS, KSTATUS.packages) / "kstatus"

    def said(objects: Sequence[Raw]) -> list[tuple[str, str]]:
        answer = subprocess.run([program], input=json.dumps(objects), check=True, capture_output=True, text=True)
        return [(each["status"], each["message"]) for each in json.loads(answer.stdout)]

    return said
