"""The health that Argo CD shows, from statuses that the operator's own code made, under a real Lua."""

import re
from typing import Any

import pytest
import yaml

from argocd.generate import GROUP, HERE, KINDS
from argocd.generate import files as generated_files
from coldsend_operator.core.model.reasons import STALLING, ConditionType, Reason
from coldsend_operator.resources.names import API_VERSION
from tests.argocd.cases import files as case_files
from tests.argocd.lua import CLOSED, Health, health

SCRIPT = (HERE / "health.lua").read_text(encoding="utf-8")
ROW = re.compile(r'^  (\w+) = "(\w+)",$', re.MULTILINE)

GOOD = {
    Reason.ACTIVE,
    Reason.ADOPTED,
    Reason.IN_SYNC,
    Reason.SECRET_UNCHANGED,
    Reason.CREDENTIALS_UNKNOWN,
    Reason.HEALTH_SCORE_GOOD,
    Reason.HEALTH_SCORE_UNKNOWN,
}
PASSES_BY_ITSELF = {
    Reason.PROVISIONING,
    Reason.PENDING,
    Reason.NOT_FOUND,
    Reason.RECREATING,
    Reason.DELETING,
    Reason.HANDED_OVER,
    Reason.RATE_LIMITED,
    Reason.API_UNAVAILABLE,
    Reason.DOMAIN_NOT_ACTIVE,
}
PAUSED = {Reason.PAUSED, Reason.RECONCILIATION_PAUSED, Reason.FROZEN}
NEEDS_A_PERSON = {
    Reason.DISABLED,
    Reason.UNKNOWN_STATUS,
    Reason.IN_USE_BY_CAMPAIGN,
    Reason.DELETION_HELD,
    Reason.INVALID_SPEC,
    Reason.ALREADY_EXISTS,
    Reason.ADDRESS_CONFLICT,
    Reason.DRIFTED,
    Reason.UPDATE_NOT_SUPPORTED,
    Reason.CHILD_CHANGED_BY_OTHERS,
    Reason.INVENTORY_IMPLAUSIBLE,
    Reason.SECRET_CHANGED,
    Reason.SECRET_NOT_FOUND,
    Reason.SECRET_KEY_NOT_FOUND,
    Reason.SECRET_INVALID,
    Reason.CONNECTION_FAILED,
    Reason.REJECTED,
    Reason.DOMAIN_NOT_FOUND,
    Reason.DOMAIN_FULL,
    Reason.UNAUTHORIZED,
    Reason.MISSING_SCOPES,
    Reason.PLAN_LIMIT,
    Reason.HEALTH_SCORE_LOW,
}
EXPECTED = {
    **dict.fromkeys(GOOD, "Healthy"),
    **dict.fromkeys(PASSES_BY_ITSELF, "Progressing"),
    **dict.fromkeys(PAUSED, "Suspended"),
    **dict.fromkeys(NEEDS_A_PERSON, "Degraded"),
}

Raw = dict[str, Any]


def cases() -> list[Any]:
    found = []
    for kind in KINDS:
        folder = HERE / "resource_customizations" / GROUP / kind
        tests = yaml.safe_load((folder / "health_test.yaml").read_text(encoding="utf-8"))["tests"]
        found += [pytest.param(kind, test, id=f"{kind}-{test['inputPath']}") for test in tests]
    return found


def said(status: str, reason: str, message: str = "So it is.", kind: str = "Ready") -> Raw:
    return {"type": kind, "status": status, "reason": reason, "message": message, "observedGeneration": 1}


def account(*conditions: Raw, **status: Any) -> Raw:
    given = {condition["type"] for condition in conditions}
    good = [said("True", "Active"), said("True", "InSync", kind="Synced")]
    conditions = (*(condition for condition in good if condition["type"] not in given), *conditions)
    return {
        "apiVersion": API_VERSION,
        "kind": "SenderAccount",
        "metadata": {"name": "outreach", "namespace": "sales", "generation": 1},
        "spec": {"inboxType": "GOOGLE_WORKSPACE"},
        "status": {"observedGeneration": 1, "conditions": list(conditions), **status},
    }


def batch(*conditions: Raw, **figures: Any) -> Raw:
    return account(*conditions, **figures) | {"kind": "SenderAccountBatch", "spec": {"template": {}, "inboxes": []}}


@pytest.mark.parametrize(("kind", "test"), cases())
def test_that_argo_cd_shows_what_the_case_says(kind: str, test: Raw) -> None:
    folder = HERE / "resource_customizations" / GROUP / kind
    manifest = yaml.safe_load((folder / test["inputPath"]).read_text(encoding="utf-8"))
    script = (folder / "health.lua").read_text(encoding="utf-8")
    assert health(script, manifest) == Health(**test["healthStatus"])


def test_that_the_cases_are_what_the_operator_says_today() -> None:
    made = case_files()
    stale = [path.name for path, text in made.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    assert stale == []
    folders = [HERE / "resource_customizations" / GROUP / kind / "testdata" for kind in KINDS]
    assert {path for folder in folders for path in folder.iterdir()} <= set(made)


def test_that_the_scripts_and_the_config_map_are_made_from_the_one_script() -> None:
    made = generated_files()
    assert [path.name for path, text in made.items() if path.read_text(encoding="utf-8") != text] == []


@pytest.mark.parametrize("kind", KINDS)
def test_that_the_config_map_holds_the_script_of_the_folder(kind: str) -> None:
    data = yaml.safe_load((HERE / "argocd-cm.yaml").read_text(encoding="utf-8"))["data"]
    assert data[f"resource.customizations.health.{GROUP}_{kind}"] == SCRIPT


def test_that_every_reason_has_a_health_on_purpose() -> None:
    rows = ROW.findall(SCRIPT)
    assert dict(rows) == {reason.value: EXPECTED[reason] for reason in Reason}
    assert len(rows) == len(Reason)


@pytest.mark.parametrize("reason", sorted(set(Reason) - GOOD))
@pytest.mark.parametrize("condition", list(ConditionType))
def test_that_bad_news_of_any_condition_decides(reason: Reason, condition: ConditionType) -> None:
    found = health(SCRIPT, account(said("False", reason, kind=condition.value)))
    assert found == Health(EXPECTED[reason], f"{reason.value}: So it is.")


@pytest.mark.parametrize("reason", sorted(GOOD))
def test_that_good_news_and_none_leave_an_object_healthy(reason: Reason) -> None:
    for status in ("True", "Unknown"):
        found = health(SCRIPT, account(said(status, reason, kind="CredentialsCurrent")))
        assert found == Health("Healthy", "So it is.")


def test_that_stalled_is_what_argo_cd_does_not_call_progressing() -> None:
    assert {reason for reason in Reason if EXPECTED[reason] in {"Suspended", "Degraded"}} == STALLING


def test_that_a_reason_of_a_newer_operator_counts_as_degraded() -> None:
    assert health(SCRIPT, account(said("False", "Bewitched"))).status == "Degraded"


def test_that_an_object_that_is_not_ready_yet_is_progressing() -> None:
    assert health(SCRIPT, account(said("Unknown", "Provisioning"))) == Health("Progressing", "So it is.")


def test_that_a_status_of_an_older_generation_is_not_trusted() -> None:
    manifest = account()
    manifest["metadata"]["generation"] = 2
    assert health(SCRIPT, manifest).status == "Progressing"


@pytest.mark.parametrize("reason", sorted(Reason))
def test_that_a_deletion_is_progressing_or_says_what_a_person_has_to_do(reason: Reason) -> None:
    manifest = account(said("False", reason), said("False", reason, kind="Synced"))
    manifest["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    expected = "Degraded" if reason in NEEDS_A_PERSON else "Progressing"
    assert health(SCRIPT, manifest).status == expected


def test_that_a_batch_at_work_is_progressing_though_some_have_failed() -> None:
    at_work = batch(
        said("False", "Rejected", "1 of 3 inboxes ready; 1 failed."),
        said("False", "Rejected", "1 of 3 inboxes failed.", "Synced"),
        total=3,
        processed=2,
        failed=1,
    )
    assert health(SCRIPT, at_work) == Health("Progressing", "1 of 3 inboxes ready; 1 failed.")


def test_that_a_batch_that_cannot_go_on_is_degraded() -> None:
    stuck = batch(said("False", "Unauthorized"), total=3, processed=1, failed=0)
    assert health(SCRIPT, stuck) == Health("Degraded", "Unauthorized: So it is.")


def test_that_a_batch_at_work_with_paused_inboxes_is_progressing() -> None:
    assert health(SCRIPT, batch(said("False", "Paused"), total=3, processed=2, failed=0)).status == "Progressing"


def test_that_the_script_needs_no_library_that_argo_cd_keeps_closed() -> None:
    code = "\n".join(line for line in SCRIPT.splitlines() if not line.lstrip().startswith("--"))
    assert [name for name in CLOSED if f"{name}." in code] == []
    assert "useOpenLibs" not in (HERE / "argocd-cm.yaml").read_text(encoding="utf-8")
