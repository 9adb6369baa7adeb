"""Whatever schemathesis makes up from openapi.yaml, the emulator answers as that file says."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
import yaml
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from coldsend_emulator.operations import BASE_PATH, OPERATIONS
from tests.emulator.client import KEY, EmulatorClient

CONTRACT = Path(__file__).parent.parent / "openapi.yaml"
CHECKS = [
    schemathesis.checks.not_a_server_error,
    content_type_conformance,
    ignored_auth,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    # unsupported_method is left out: GET /sender-accounts/smtp is the details path with a bad id
]
ODD_BUT_ALLOWED: dict[str, Any] = {
    "address_case": "as_sent",
    "bulk_code": "202",
    "conflict_body": "object",
    "create_code": "200",
    "delete_code": "202",
    "detail_envelope": "sender_account",
    "health_form": "null",
    "job_completed_at": "null",
    "job_counters": "absent",
    "job_id": "null_done",
    "list_order": "unstable",
    "native_answer": "empty",
    "native_bulk_answer": "counts",
    "result_rows": "null",
    "secret_minimum": 0,
    "status_words": "unknown",
    "test_mail_outcome": "failed_200",
    "unknown_fields": "refused",
    "validation_detail": "sentence",
}

ODD_KEY, ODD_WORKSPACE = "cs_live_other", "workspace-2"

schema = schemathesis.openapi.from_path(str(CONTRACT))
bounded: Callable[[Any], Any] = settings(
    max_examples=8, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)


@pytest.fixture(scope="module")
def description() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load(CONTRACT.read_text(), Loader=yaml.CSafeLoader)
    return loaded


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    """One connection for thousands of requests."""
    with requests.Session() as opened:
        opened.trust_env = False
        yield opened


@pytest.fixture
def odd_answers(client: EmulatorClient) -> None:
    client.emulator.switch(ODD_WORKSPACE, **ODD_BUT_ALLOWED)


@schema.parametrize()
@bounded
def test_answers_keep_to_the_contract(
    client: EmulatorClient, session: requests.Session, odd_answers: None, case: schemathesis.Case[Any]
) -> None:
    """Each request as it is made up, about what is there, and about what is there where answers are odd.

    All three in one test: each worker makes the requests of a test up when it collects it.
    """

    def ask(key: str) -> None:
        case.call_and_validate(
            base_url=client.emulator.api_url, headers={"X-API-Key": key}, checks=CHECKS, session=session
        )

    ask(KEY)
    if point_at_what_is_there(client, case, "default"):
        ask(KEY)
    point_at_what_is_there(client, case, ODD_WORKSPACE)
    ask(ODD_KEY)


def point_at_what_is_there(client: EmulatorClient, case: schemathesis.Case[Any], workspace: str) -> bool:
    """Put ids of existing things of the workspace where well-formed ids are. Returns whether there was such an id."""
    found = False
    if is_uuid(case.path_parameters.get("inbox_id")):
        address = f"{uuid.uuid4()}@company.com"
        case.path_parameters["inbox_id"] = client.emulator.seed({"email_address": address}, workspace=workspace)[0]
        found = True
    if is_uuid(case.path_parameters.get("domain_id")):
        name = f"{uuid.uuid4()}.example.com"
        case.path_parameters["domain_id"] = client.domain(name, workspace=workspace, status="DNS_PENDING")
        found = True
    if isinstance(case.body, dict) and is_uuid(case.body.get("domain_id")):
        case.body["domain_id"] = client.domain(f"{uuid.uuid4()}.example.com", workspace=workspace)
        found = True
    return found


def is_uuid(value: object) -> bool:
    try:
        uuid.UUID(str(value))
    except ValueError:
        return False
    return True


def test_the_operations_are_those_of_the_contract(description: dict[str, Any]) -> None:
    described = {
        (operation["operationId"], method.upper(), path)
        for path, item in description["paths"].items()
        for method, operation in item.items()
        if method != "parameters"
    }
    assert {(operation.name, operation.method, operation.path) for operation in OPERATIONS} == described


def test_documented_scopes_are_those_of_the_contract(description: dict[str, Any]) -> None:
    for operation in OPERATIONS:
        described = description["paths"][operation.path][operation.method.lower()]
        stated = described.get("x-required-scope")
        if stated and not described.get("x-required-scope-inferred"):
            assert operation.scope == stated


def test_the_base_path_is_that_of_the_contract(description: dict[str, Any]) -> None:
    assert description["servers"][0]["url"].endswith(BASE_PATH)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "POST"])
def test_there_is_no_way_to_change_an_inbox(client: EmulatorClient, method: str) -> None:
    inbox_id = client.seed("a@company.com")[0]
    assert client.http.request(method, f"/sender-accounts/{inbox_id}", json={"daily_limit": 1}).status_code == 405
