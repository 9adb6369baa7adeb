"""The generated CRDs: structural, without defaults in spec, with words on every field, and current in crds/."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from coldsend_operator.resources.crd import account_crd, batch_crd, check, crd_files, render_crds, write_crds

CRDS = Path(__file__).parents[2] / "crds"
BOTH = [account_crd(), batch_crd()]
KINDS = ["SenderAccount", "SenderAccountBatch"]


def schema_of(definition: dict[str, Any]) -> dict[str, Any]:
    root: dict[str, Any] = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return root


def fields(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    yield path, schema
    for name, field in schema.get("properties", {}).items():
        yield from fields(field, f"{path}.{name}")
    if "items" in schema:
        yield from fields(schema["items"], f"{path}[]")


@pytest.mark.parametrize("definition", BOTH, ids=KINDS)
def test_every_field_has_a_type_and_nothing_that_is_not_structural(definition: dict[str, Any]) -> None:
    for path, field in fields(schema_of(definition)):
        assert not {"$ref", "title", "$defs", "allOf", "oneOf"} & field.keys(), path
        assert ("default" in field) == (path == ".status"), path
        assert field.get("type") in {"object", "array", "string", "integer", "number", "boolean"} or field.get(
            "x-kubernetes-int-or-string"
        ), path


@pytest.mark.parametrize("definition", BOTH, ids=KINDS)
def test_every_field_is_described_in_whole_sentences(definition: dict[str, Any]) -> None:
    for path, field in fields(schema_of(definition)):
        if path != ".metadata":
            assert field.get("description", "").endswith("."), path


@pytest.mark.parametrize("definition", BOTH, ids=KINDS)
def test_every_rule_says_what_is_wrong_and_the_way_out(definition: dict[str, Any]) -> None:
    rules = [
        (path, rule)
        for path, field in fields(schema_of(definition))
        for rule in field.get("x-kubernetes-validations", [])
    ]

    assert rules
    for path, rule in rules:
        what, _, way_out = rule["message"].rpartition("; ")
        assert what, (path, rule["message"])
        assert way_out, (path, rule["message"])
        assert "\n" not in rule["message"]


@pytest.mark.parametrize("definition", BOTH, ids=KINDS)
def test_the_path_of_every_rule_is_a_field_of_the_schema(definition: dict[str, Any]) -> None:
    known = dict(fields(schema_of(definition)))
    for path, field in known.items():
        for rule in field.get("x-kubernetes-validations", []):
            assert path + rule.get("fieldPath", "") in known


def test_names_are_spelled_as_users_know_them() -> None:
    paths = {path for definition in BOTH for path, _ in fields(schema_of(definition))}

    assert {
        ".spec.native.domainID",
        ".spec.smtp.useTLS",
        ".spec.imap.useSSL",
        ".spec.smtp.passwordSecretRef.name",
        ".spec.apiKeySecretRef.key",
        ".spec.testEmail.requestID",
        ".spec.inboxes[].passwordKey",
        ".spec.template.native.domainName",
        ".status.inboxID",
        ".status.testEmail.messageID",
        ".status.lastApplied.credentialsHash",
        ".status.lastReconcileRequest",
        ".status.conditions[].lastTransitionTime",
        ".status.healthScore.mean",
        ".status.jobs[].progressPercentage",
        ".status.failures[].emailAddress",
        ".status.estimatedCompletionTime",
    } <= paths


def columns_of(definition: dict[str, Any], *, wide: bool) -> list[str]:
    columns = definition["spec"]["versions"][0]["additionalPrinterColumns"]
    return [column["name"] for column in columns if (column.get("priority", 0) == 1) is wide]


def test_kubectl_get_shows_the_columns_that_users_were_promised() -> None:
    account, batch = BOTH

    assert columns_of(account, wide=False) == [
        *("EMAIL", "TYPE", "STATUS", "HEALTH", "SENT", "LIMIT", "READY", "REASON", "AGE"),
    ]
    assert columns_of(account, wide=True) == ["DOMAIN", "INBOX-ID", "SYNCED", "MESSAGE"]
    assert columns_of(batch, wide=False) == [
        *("TYPE", "TOTAL", "READY", "FAILED", "PROGRESS", "ETA", "STATUS", "REASON", "AGE"),
    ]
    assert columns_of(batch, wide=True) == ["MESSAGE"]


def test_the_committed_crds_are_what_the_models_say() -> None:
    assert check(CRDS) == []


def test_a_stale_or_missing_crd_is_told_by_its_file(tmp_path: Path) -> None:
    write_crds(tmp_path)
    account, batch = sorted(tmp_path.iterdir(), reverse=True)
    account.write_text(account.read_text().replace("Orphan", "Keep"))
    batch.unlink()

    assert check(tmp_path) == [
        f"{account} differs from the models; write it again with `make generate`",
        f"{batch} is missing; write it with `make generate`",
    ]


def test_both_crds_are_printed_as_one_stream() -> None:
    printed = list(yaml.safe_load_all(render_crds()))

    assert printed == BOTH
    assert printed == [yaml.safe_load(text) for text in crd_files().values()]
