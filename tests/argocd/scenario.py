"""An object in a state that Argo CD may meet it in, and the health that it should have there."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from argocd.generate import GROUP, HERE
from coldsend_operator.resources.names import API_VERSION

Raw = dict[str, Any]
TIME, SOME_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"), "2026-01-01T00:00:00Z"
HEADER = "# Made by the operator's own code: `python -m tests.argocd`.\n"


@dataclass(frozen=True)
class Scenario:
    """`says` is the condition that explains the health; None while the operator has said nothing about it yet."""

    kind: str
    name: str
    health: str
    says: str | None
    manifest: Raw

    @property
    def path(self) -> Path:
        return HERE / "resource_customizations" / GROUP / self.kind / "testdata" / f"{self.name}.yaml"

    @property
    def text(self) -> str:
        return HEADER + yaml.safe_dump(self.manifest, sort_keys=False, width=120)

    @property
    def message(self) -> str:
        """What people should read: the message of the condition, after its reason when that is no good news."""
        if self.says is None:
            seen = "the deletion" if "deletionTimestamp" in self.manifest["metadata"] else "this generation"
            return f"Waiting for the operator to notice {seen}."
        condition = next(each for each in self.manifest["status"]["conditions"] if each["type"] == self.says)
        return f"{condition['reason']}: {condition['message']}" if self._with_reason else condition["message"]

    @property
    def _with_reason(self) -> bool:
        deleting = "deletionTimestamp" in self.manifest["metadata"]
        working = self.kind == "SenderAccountBatch" and self.health == "Progressing" and self.says == "Ready"
        return self.health != "Healthy" and not (self.health == "Progressing" and (deleting or working))


def manifest(kind: str, raw: Raw) -> Raw:
    """As Git and the operator wrote it, without what the API server adds for itself, and all at one time.

    How long the operator takes for something is no matter of health, and may change.
    """
    kept = ("name", "namespace", "generation", "deletionTimestamp", "finalizers", "annotations")
    metadata = {key: raw["metadata"][key] for key in kept if raw["metadata"].get(key)}
    made: Raw = {"apiVersion": API_VERSION, "kind": kind, "metadata": metadata, "spec": raw["spec"]}
    if raw.get("status"):
        made["status"] = dict(sorted(raw["status"].items()))
    timeless: Raw = json.loads(TIME.sub(SOME_TIME, json.dumps(made)))
    return timeless
