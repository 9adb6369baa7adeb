"""What a spec means once the defaults of the operator are applied."""

from typing import Any

import pytest

from coldsend_operator.accounts.effective import api_key, effective_servers
from coldsend_operator.batches.reading import read_list
from coldsend_operator.core.model.desired import SecretRef, Server
from coldsend_operator.resources.account import SenderAccountSpec
from coldsend_operator.resources.common import APIKeyReference
from tests.e2e.manifests.builders import custom, google, native, observed, outlook

LOGIN = SecretRef("login", "password")


def spec_of(manifest: dict[str, Any]) -> SenderAccountSpec:
    return SenderAccountSpec.model_validate(manifest["spec"])


@pytest.mark.parametrize(
    ("manifest", "smtp", "imap"),
    [
        (
            google(),
            Server("smtp.gmail.com", 587, "google@company.com", LOGIN, encrypted=True),
            Server("imap.gmail.com", 993, "google@company.com", LOGIN, encrypted=True),
        ),
        (
            outlook(),
            Server("smtp.office365.com", 587, "outlook@company.com", LOGIN, encrypted=True),
            Server("outlook.office365.com", 993, "outlook@company.com", LOGIN, encrypted=True),
        ),
        (
            custom(),
            Server("smtp.company.com", 587, "custom@company.com", LOGIN, encrypted=True),
            Server("imap.company.com", 993, "custom@company.com", LOGIN, encrypted=True),
        ),
    ],
    ids=["Google", "Outlook", "custom"],
)
def test_what_is_unset_follows_from_the_type(manifest: dict[str, Any], smtp: Server, imap: Server) -> None:
    assert effective_servers(spec_of(manifest)) == (smtp, imap)


def test_what_is_set_wins_over_the_defaults() -> None:
    smtp = {"host": "relay.x.de", "port": 465, "username": "u", "useTLS": False, "passwordSecretRef": {"key": "k"}}
    imap = {"host": "i.x.de", "port": 143, "username": "r", "useSSL": False, "passwordSecretRef": {"name": "read"}}
    spec = spec_of(google(smtp=smtp, imap=imap))

    assert effective_servers(spec) == (
        Server("relay.x.de", 465, "u", SecretRef("login", "k"), encrypted=False),
        Server("i.x.de", 143, "r", SecretRef("read", "password"), encrypted=False),
    )


def test_imap_takes_user_name_and_password_from_smtp() -> None:
    _, imap = effective_servers(
        spec_of(google(smtp={"username": "u", "passwordSecretRef": {"key": "k"}}, imap={"port": 143}))
    )

    assert imap == Server("imap.gmail.com", 143, "u", SecretRef("login", "k"), encrypted=True)


@pytest.mark.parametrize("manifest", [native(), observed()], ids=["native", "Observe"])
def test_there_are_no_servers_where_the_spec_names_no_password(manifest: dict[str, Any]) -> None:
    assert effective_servers(spec_of(manifest)) == (None, None)


def test_the_key_of_an_api_key_reference_is_api_key_when_unset() -> None:
    assert api_key(APIKeyReference(name="workspace")) == SecretRef("workspace", "apiKey")


@pytest.mark.parametrize(
    ("value", "total", "allowed"),
    [(None, 250, 25), ("10%", 9, 1), ("33%", 10, 3), ("100%", 7, 7), ("1%", 0, 1), (3, 250, 3), (500, 250, 500)],
)
def test_max_unavailable_is_rounded_down_and_at_least_one(value: int | str | None, total: int, allowed: int) -> None:
    given = {} if value is None else {"maxUnavailable": value}
    spec = {"template": google()["spec"], "inboxes": [], **given}
    assert read_list("pool", 1, spec).desired.unavailable.allowed(total) == allowed
