"""The examples are right, and can all be applied side by side."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from coldsend_operator.accounts.effective import effective_servers
from coldsend_operator.resources.account import SenderAccountSpec
from coldsend_operator.resources.children import child_spec
from coldsend_operator.resources.reading import read_account, read_batch

EXAMPLES = Path(__file__).parents[2] / "examples"
FILES = sorted(  # beside templates, and objects of Argo CD itself
    path for path in EXAMPLES.rglob("*.yaml") if "helm" not in path.parts and path.parent.name != "argocd"
)


def documents(path: Path) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(path.read_text(encoding="utf-8")))


def account_specs() -> list[tuple[str, SenderAccountSpec]]:
    """Every account that the examples lead to, those of the batches too, with its namespace."""
    found = []
    for document in (document for path in FILES for document in documents(path)):
        namespace = document["metadata"].get("namespace", "")
        if document["kind"] == "SenderAccount":
            found.append((namespace, SenderAccountSpec.model_validate(document["spec"])))
        if document["kind"] == "SenderAccountBatch":
            batch = read_batch(document["spec"]).spec
            assert batch is not None
            found += [
                (namespace, SenderAccountSpec.model_validate(child_spec(batch, inbox))) for inbox in batch.inboxes
            ]
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_an_example_has_no_problems(path: Path) -> None:
    for document in documents(path):
        if document["kind"] == "SenderAccount":
            assert read_account(document["spec"]).problems == ()
        if document["kind"] == "SenderAccountBatch":
            reading = read_batch(document["spec"])
            assert reading.problems == ()
            assert not any(inbox.problems for inbox in reading.inboxes)


def test_the_example_of_protection_protects_the_account_and_the_batch() -> None:
    specs = [document["spec"] for document in documents(EXAMPLES / "protected.yaml") if "spec" in document]
    assert [spec["deletionProtection"] for spec in specs] == [True, True]


def test_every_password_that_an_example_names_is_in_a_secret_beside_it() -> None:
    keys = {
        (document["metadata"]["namespace"], document["metadata"]["name"], key)
        for path in FILES
        for document in documents(path)
        if document["kind"] == "Secret"
        for key in document["stringData"]
    }
    for namespace, spec in account_specs():
        server, _ = effective_servers(spec)
        if server is not None:
            assert (namespace, server.password.name, server.password.key) in keys


def test_no_two_examples_claim_one_address() -> None:
    addresses = Counter(
        spec.email_address or (spec.native and spec.native.email_prefix) for _namespace, spec in account_specs()
    )

    assert [address for address, count in addresses.items() if count > 1] == []


def test_the_demo_has_one_account_of_every_type() -> None:
    accounts = {
        document["metadata"]["name"]: document["spec"]["inboxType"]
        for path in sorted((EXAMPLES / "demo").glob("*.yaml"))
        for document in documents(path)
        if document["kind"] == "SenderAccount" and document["metadata"]["namespace"] == "sales"
    }

    assert accounts == {
        "native": "COLDSEND",
        "google": "GOOGLE_WORKSPACE",
        "outlook": "OUTLOOK_365",
        "custom": "CUSTOM_SMTP",
    }


def test_the_smtp_batch_has_250_inboxes() -> None:
    (batch,) = [
        document for document in documents(EXAMPLES / "batch-smtp.yaml") if "inboxes" in document.get("spec", {})
    ]

    assert len(batch["spec"]["inboxes"]) == 250
