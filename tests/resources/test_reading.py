"""What slipped past an older CRD is told in a sentence; it is never an exception and spoils nothing else."""

from typing import Any

import pytest

from coldsend_operator.resources.common import DeletionPolicy, ManagementPolicy
from coldsend_operator.resources.reading import policies, read_account, read_batch
from tests.e2e.manifests.accepted import ACCEPTED
from tests.e2e.manifests.builders import batch, google, large_batch, native_batch
from tests.e2e.manifests.refused import REFUSED_ACCOUNTS, REFUSED_BATCHES, Refusal


def refusal_name(refusal: Refusal) -> str:
    return refusal.case


@pytest.mark.parametrize("refusal", REFUSED_ACCOUNTS, ids=refusal_name)
def test_an_account_that_the_crd_refuses_is_a_problem_of_its_field(refusal: Refusal) -> None:
    problems = read_account(refusal.manifest.get("spec")).problems

    assert any(refusal.field in problem for problem in problems), problems


@pytest.mark.parametrize("refusal", REFUSED_BATCHES, ids=refusal_name)
def test_a_batch_that_the_crd_refuses_is_a_problem_of_the_whole_or_of_an_inbox(refusal: Refusal) -> None:
    reading = read_batch(refusal.manifest["spec"])

    assert reading.problems or any(inbox.problems for inbox in reading.inboxes)


@pytest.mark.parametrize("case", ACCEPTED)
def test_what_the_crd_accepts_has_no_problems(case: str) -> None:
    manifest = ACCEPTED[case]
    if manifest["kind"] == "SenderAccount":
        assert read_account(manifest["spec"]).problems == ()
    else:
        reading = read_batch(manifest["spec"])
        assert reading.problems == ()
        assert [inbox.problems for inbox in reading.inboxes] == [()] * len(manifest["spec"]["inboxes"])


@pytest.mark.parametrize("raw", [None, [], "spec", 3, {"inboxType": ["COLDSEND"]}, {"smtp": 7, "native": []}])
def test_a_spec_of_any_shape_is_read_without_an_exception(raw: object) -> None:
    assert read_account(raw).problems
    assert read_batch(raw).problems
    assert policies(raw).deletion is None


def test_fields_of_a_newer_crd_are_passed_over() -> None:
    assert read_account(google(signature="Cheers", smtp={"proxy": "x"})["spec"]).problems == ()


def test_a_problem_never_repeats_what_was_written() -> None:
    (problem,) = read_account(google(emailAddress="my secret")["spec"]).problems

    assert problem.startswith("spec.emailAddress: must be one plain e-mail address")
    assert "my secret" not in problem


def test_a_bad_inbox_spoils_no_other() -> None:
    rows: list[Any] = [
        {"emailPrefix": "john", "displayName": "John"},
        {"emailPrefix": "J O", "displayName": "Jo"},
        "sales",
        {"emailPrefix": "sales"},
        {"emailPrefix": "team", "displayName": "Team", "dailyLimit": 50},
        {"emailPrefix": "press", "displayName": "Press"},
    ]
    reading = read_batch(native_batch(inboxes=rows)["spec"])

    assert reading.problems == ()
    assert [bool(inbox.problems) for inbox in reading.inboxes] == [False, True, True, True, True, False]
    (problem,) = reading.inboxes[3].problems
    assert problem.startswith("spec.inboxes[3]: spec.displayName: ColdSend needs displayName")


def test_a_template_with_a_test_mail_stops_the_whole_batch() -> None:
    reading = read_batch(batch(template={"testEmail": {"recipient": "ops@company.com", "requestID": "1"}})["spec"])

    assert "remove testEmail and set it on one SenderAccount" in reading.problems[0]


def test_a_list_of_more_than_5000_is_a_problem_with_a_way_out() -> None:
    assert read_batch(large_batch(5_001)["spec"]).problems == (
        "spec.inboxes: must have at most 5,000 items; split it into several batches",
    )


@pytest.mark.parametrize(
    ("raw", "deletion", "management", "secret"),
    [
        ({}, None, ManagementPolicy.FULL, None),
        ({"inboxType": 3, "deletionPolicy": "Orphan"}, DeletionPolicy.ORPHAN, ManagementPolicy.FULL, None),
        ({"deletionPolicy": "Shred"}, DeletionPolicy.ORPHAN, ManagementPolicy.FULL, None),
        ({"deletionPolicy": {}}, DeletionPolicy.ORPHAN, ManagementPolicy.FULL, None),
        ({"managementPolicy": "Watch"}, None, ManagementPolicy.OBSERVE, None),
        ({"apiKeySecretRef": {"name": "own"}}, None, ManagementPolicy.FULL, "own"),
        ({"apiKeySecretRef": {}}, DeletionPolicy.ORPHAN, ManagementPolicy.OBSERVE, None),
    ],
)
def test_an_unknown_policy_means_what_touches_coldsend_least(
    raw: dict[str, Any], deletion: DeletionPolicy | None, management: ManagementPolicy, secret: str | None
) -> None:
    found = policies(raw)

    assert (found.deletion, found.management) == (deletion, management)
    assert (found.api_key_secret and found.api_key_secret.name) == secret
