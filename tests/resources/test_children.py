"""The SenderAccounts of a batch: names that never move, and specs made of template and inbox."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldsend_operator.resources.batch import BatchInbox, SenderAccountBatchSpec
from coldsend_operator.resources.children import child_labels, child_name, child_spec
from coldsend_operator.resources.reading import read_account

DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")

# Worked out once by hand: base32 of the SHA-256 of the address, lower case, ten characters.
DIGEST_OF_ANN = "3lppvhzlt5"
ANN = "a@company.com"


def batch_of(template: dict[str, Any]) -> SenderAccountBatchSpec:
    return SenderAccountBatchSpec.model_validate({"template": template, "inboxes": []})


def child_of(template: dict[str, Any], inbox: dict[str, Any]) -> dict[str, Any]:
    return child_spec(batch_of(template), BatchInbox.model_validate(inbox))


@pytest.mark.parametrize(
    ("batch", "inbox", "name"),
    [
        ("sales-pool", ANN, f"sales-pool-a-{DIGEST_OF_ANN}"),
        ("sales-pool", "A@Company.COM", f"sales-pool-a-{DIGEST_OF_ANN}"),
        ("front", "a", "front-a-zklycewkdo"),
        ("b" * 40, ANN, f"{'b' * 40}-a-{DIGEST_OF_ANN}"),
        ("b" * 52, ANN, f"{'b' * 52}-{DIGEST_OF_ANN}"),
    ],
)
def test_a_name_is_batch_readable_part_and_digest(batch: str, inbox: str, name: str) -> None:
    assert child_name(batch, inbox) == name


@pytest.mark.parametrize("batch", ["b", "sales-pool", "b" * 45, "b" * 52, "b" * 53, "b" * 63, "a.b", "x.y" * 21])
@pytest.mark.parametrize(
    "inbox",
    [ANN, "first.last+tag@company.com", "_", "__", "-x-", "Ünï@company.com", f"{'l' * 64}@company.com", "j.d_e"],
)
def test_every_name_is_a_dns_label_of_at_most_63(batch: str, inbox: str) -> None:
    assert DNS_LABEL.fullmatch(child_name(batch, inbox))


@given(batch=st.from_regex(r"[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?", fullmatch=True), inbox=st.text(min_size=1))
def test_no_inbox_however_it_is_written_leads_to_a_bad_name(batch: str, inbox: str) -> None:
    assert DNS_LABEL.fullmatch(child_name(batch, inbox))


def test_the_readable_part_is_cut_before_anything_else() -> None:
    name = child_name("sales-pool", f"{'l' * 64}@company.com")

    assert name.startswith("sales-pool-lll")
    assert len(name) == 63
    assert len(name.rpartition("-")[2]) == 10


def test_two_addresses_with_one_readable_part_have_two_names() -> None:
    assert child_name("b", "ann@company.com") != child_name("b", "ann@company.org")


@pytest.mark.parametrize(
    ("one", "other"), [("b" * 60 + "x", "b" * 60 + "y"), ("sales.pool", "sales-pool"), ("sales.pool", "sales-.pool")]
)
def test_batches_whose_names_must_be_changed_still_share_no_child(one: str, other: str) -> None:
    assert child_name(one, ANN) != child_name(other, ANN)


GOOGLE = {
    "inboxType": "GOOGLE_WORKSPACE",
    "displayName": "Team",
    "dailyLimit": 50,
    "smtp": {"passwordSecretRef": {"name": "pool"}},
    "deletionPolicy": "Orphan",
}


def test_a_child_takes_from_the_template_what_its_inbox_does_not_say() -> None:
    assert child_of(GOOGLE, {"emailAddress": ANN}) == {**GOOGLE, "emailAddress": ANN}


def test_a_child_takes_name_limit_and_key_from_its_inbox() -> None:
    spec = child_of(GOOGLE, {"emailAddress": ANN, "displayName": "Ann", "dailyLimit": 20, "passwordKey": "ann"})

    assert spec["displayName"] == "Ann"
    assert spec["dailyLimit"] == 20
    assert spec["smtp"] == {"passwordSecretRef": {"name": "pool", "key": "ann"}}


def test_the_key_of_an_inbox_wins_over_the_key_of_the_template() -> None:
    template = {**GOOGLE, "smtp": {"passwordSecretRef": {"name": "pool", "key": "shared"}}}

    assert child_of(template, {"emailAddress": ANN, "passwordKey": "ann"})["smtp"]["passwordSecretRef"]["key"] == "ann"


@pytest.mark.parametrize(
    ("reference", "key"), [({"name": "imap"}, "ann"), ({"name": "imap", "key": "shared"}, "shared")]
)
def test_the_key_of_an_inbox_serves_imap_where_its_secret_has_no_key(reference: dict[str, str], key: str) -> None:
    template = {**GOOGLE, "imap": {"passwordSecretRef": reference}}

    spec = child_of(template, {"emailAddress": ANN, "passwordKey": "ann"})

    assert spec["imap"]["passwordSecretRef"] == {"name": "imap", "key": key}


def test_a_native_child_has_the_domain_of_the_template_and_its_own_prefix() -> None:
    template = {"inboxType": "COLDSEND", "native": {"domainName": "mail.company.com"}}

    spec = child_of(template, {"emailPrefix": "john", "displayName": "John"})

    assert spec["native"] == {"domainName": "mail.company.com", "emailPrefix": "john"}
    assert read_account(spec).problems == ()


def test_one_child_never_changes_the_spec_of_the_next() -> None:
    batch = batch_of(GOOGLE)
    child_spec(batch, BatchInbox.model_validate({"emailAddress": ANN, "passwordKey": "ann"}))

    assert child_spec(batch, BatchInbox.model_validate({"emailAddress": "b@company.com"}))["smtp"] == GOOGLE["smtp"]


def test_no_child_sends_the_test_mail_of_a_template() -> None:
    template = {**GOOGLE, "testEmail": {"recipient": "ops@company.com", "requestID": "1"}}

    assert "testEmail" not in child_of(template, {"emailAddress": ANN})


@pytest.mark.parametrize(
    "label",
    [
        "argocd.argoproj.io/instance",
        "app.kubernetes.io/instance",
        "app.kubernetes.io/managed-by",
        "kustomize.toolkit.fluxcd.io/name",
        "helm.toolkit.fluxcd.io/namespace",
        "helm.sh/chart",
        "kapp.k14s.io/app",
        "kustomize.config.k8s.io/id",
        "cli-utils.sigs.k8s.io/inventory-id",
        "velero.io/restore-name",
        "applyset.kubernetes.io/part-of",
        "objectset.rio.cattle.io/hash",
    ],
)
def test_that_children_do_not_take_over_a_label_by_which_a_tool_knows_what_it_owns(label: str) -> None:
    assert child_labels("pool", {label: "sales", "shard": "1"}) == {"coldsend.pro/batch": "pool", "shard": "1"}


@pytest.mark.parametrize("label", ["shard", "app.kubernetes.io/part-of", "team.company.com/name", "instance"])
def test_that_children_take_over_every_other_label_of_their_batch(label: str) -> None:
    assert child_labels("pool", {label: "sales"}) == {"coldsend.pro/batch": "pool", label: "sales"}


def test_that_children_of_a_batch_without_labels_name_their_batch() -> None:
    assert child_labels("pool", None) == {"coldsend.pro/batch": "pool"}
