"""What the pictures show: objects with the statuses that the operator's own code made for the tests of Argo CD."""

import copy
import json
import time
from pathlib import Path
from typing import Any

import yaml

from argocd.generate import GROUP, HERE
from coldsend_operator.core.model.times import rfc3339
from coldsend_operator.resources.names import BATCH_LABEL
from tests.tools.support import WORKSPACE, held

Raw = dict[str, Any]

NAMESPACE = "sales"
LABELS = {"team": "sales"}
MORNING = 1_772_443_800.0  # 2026-03-02, 09:30 UTC: the pictures are the same whenever they are made
READY, WAITING, REFUSED = 184, 63, 3
TOTAL = READY + WAITING + REFUSED
_PASSWORD = "SMTP login failed"


def for_plan(folder: Path) -> None:
    """Five objects in a snapshot; in Git one is new, one is changed, and two are gone, of which one is protected."""
    there = [
        held("ann", labels=LABELS, updatePolicy="Recreate", displayName="Ann"),
        held("bob", labels=LABELS),
        held("cid", labels=LABELS, deletionProtection=True),
        held("dan", labels=LABELS),
        held("eve", labels=LABELS),
    ]
    git = [
        _manifest(there[0], displayName="Ann Arbor"),
        *map(_manifest, there[3:]),
        _manifest(held("fay", labels=LABELS)),
    ]
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "sales"}}
    (folder / "snapshot.json").write_text(json.dumps({"kind": "List", "items": [*there, space]}), encoding="utf-8")
    (folder / "inboxes").mkdir()
    (folder / "inboxes" / "sales.yaml").write_text(yaml.safe_dump_all(git), encoding="utf-8")


def _manifest(raw: Raw, **spec: Any) -> Raw:
    metadata = {key: raw["metadata"][key] for key in ("namespace", "name", "labels")}
    return {"apiVersion": raw["apiVersion"], "kind": raw["kind"], "metadata": metadata, "spec": {**raw["spec"], **spec}}


def for_status() -> dict[str, Any]:
    """What an API server answers, by path: a batch on its way, and the state of an operator that works on it."""
    api = f"/apis/{GROUP}/v1alpha1"
    now = time.time()
    budget = {"minute": [[now, 57]], "hour": [[now, 413]], "open": 0}
    state = {WORKSPACE: json.dumps({"budget": budget, "brake": {}})}
    return {
        f"{api}/namespaces/{NAMESPACE}/senderaccounts": {"metadata": {}, "items": _accounts()},
        f"{api}/namespaces/{NAMESPACE}/senderaccountbatches": {"metadata": {}, "items": [_batch()]},
        "/api/v1/namespaces/default/configmaps/coldsend-operator-state": {"metadata": {}, "data": state},
    }


def _played(kind: str, name: str) -> Raw:
    path = HERE / "resource_customizations" / GROUP / kind / "testdata" / f"{name}.yaml"
    text = path.read_text(encoding="utf-8").replace("something is wrong", _PASSWORD)
    raw: Raw = yaml.safe_load(text.replace("2026-01-01T00:00:00Z", rfc3339(MORNING + 300)))
    return raw


def _accounts() -> list[Raw]:
    ready, refused = (_played("SenderAccount", name) for name in ("healthy", "degraded_rejected"))
    waiting = _waiting(refused)
    names = [*[ready] * READY, *[waiting] * WAITING, *[refused] * REFUSED]
    return [_child(raw, number) for number, raw in enumerate(names)]


def _waiting(played: Raw) -> Raw:
    """One whose turn has not come: the message is that of `core`."""
    raw = copy.deepcopy(played)
    message = (
        f"The ColdSend request budget is used up; the turn of this object is expected at {rfc3339(MORNING + 660)}."
    )
    for each in raw["status"]["conditions"]:
        each.update(reason="RateLimited", message=message)
    return raw


def _child(played: Raw, number: int) -> Raw:
    raw = copy.deepcopy(played)
    raw["metadata"] |= {
        "name": f"sales-pool-{number:03}",
        "uid": f"uid-{number}",
        "labels": {BATCH_LABEL: "sales-pool"},
    }
    raw["spec"]["emailAddress"] = f"person-{number}@company.com"
    raw["status"].setdefault("lastApplied", {})["workspace"] = WORKSPACE
    if "inboxID" in raw["status"]:
        raw["status"]["inboxID"] = f"inbox-{number}"
    return raw


def _batch() -> Raw:
    raw = _played("SenderAccountBatch", "progressing_some_failed")
    (failure,) = raw["status"]["failures"]
    raw["metadata"]["uid"] = "uid-batch"
    raw["status"] |= {
        "total": TOTAL,
        "ready": READY,
        "failed": REFUSED,
        "completionPercentage": 100 * READY // TOTAL,
        "estimatedCompletionTime": rfc3339(MORNING + 660),
        "failures": [
            {**failure, "emailAddress": f"person-{number}@company.com"} for number in range(READY + WAITING, TOTAL)
        ],
    }
    return raw
