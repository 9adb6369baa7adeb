"""Runs of the program as a person types them, and what they printed."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml
from typer.testing import CliRunner, Result

from coldsend_operator.__main__ import app
from coldsend_operator.accounts.reading import read_object
from coldsend_operator.resources.names import API_VERSION, FINALIZER
from coldsend_operator.resources.reading import read_account, read_batch
from tests.support.core_world import object_of

API_KEY = "cs_live_0123456789abcdef"
LABELS = {"app": "pool"}
WORKSPACE = "0123456789ab"
SHEETS = Path(__file__).parent / "sheets"


def command(*arguments: object, given: str | bytes | None = None) -> Result:
    """One run; `stdout` and `stderr` of the result are apart."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments], input=given)


def documents(text: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(text))


def inboxes(manifests: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The inboxes of all batches, in their order."""
    return [inbox for manifest in manifests for inbox in manifest["spec"].get("inboxes", ())]


def problems(manifest: dict[str, Any]) -> list[str]:
    """What the operator would say of the manifest."""
    if manifest["kind"] == "SenderAccount":
        return list(read_account(manifest["spec"]).problems)
    reading = read_batch(manifest["spec"])
    return [*reading.problems, *(problem for inbox in reading.inboxes for problem in inbox.problems)]


def held(name: str, **around: Any) -> dict[str, Any]:
    """An object whose inbox is in ColdSend as its spec asks."""
    address = around.pop("address", f"{name}@company.com")
    labels = around.pop("labels", LABELS)
    raw = object_of(address, f"uid-{name}", name=name, finalizers=(FINALIZER,), **around)
    applied = {"specHash": read_object(raw).desired.spec.hash, "credentialsHash": "key-1", "workspace": WORKSPACE}
    ready = {"type": "Ready", "status": "True", "reason": "Active", "message": "", "observedGeneration": 1}
    status = {"inboxID": f"inbox-{name}", "origin": "Created", "emailAddress": address, "overallStatus": "ACTIVE"}
    raw |= {"apiVersion": API_VERSION, "kind": "SenderAccount"}
    raw["metadata"]["labels"] = labels
    raw["status"] = {**status, "inboxType": raw["spec"]["inboxType"], "lastApplied": applied, "conditions": [ready]}
    return raw
