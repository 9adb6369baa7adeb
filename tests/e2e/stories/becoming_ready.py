"""The four types, and what status shows of them."""

import re

from tests.e2e.support.tenant import CUSTOM, GOOGLE, OUTLOOK, Tenant, eventually

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")


def every_type_becomes_ready_with_every_field_of_status(tenant: Tenant) -> None:
    limits = {GOOGLE: 50, OUTLOOK: 100, CUSTOM: 200, "COLDSEND": 100}
    for inbox_type in limits:
        tenant.apply(inbox_type.lower().replace("_", "-"), inbox_type)
    for inbox_type, limit in limits.items():
        name = inbox_type.lower().replace("_", "-")
        shown = tenant.known(name)
        inbox = tenant.inbox(name)
        status = dict(shown.status)
        applied = status.pop("lastApplied")
        conditions = status.pop("conditions")
        assert status == {
            "observedGeneration": 1,
            "inboxID": inbox["inbox_id"],
            "emailAddress": tenant.address(name),
            "inboxType": inbox_type,
            "overallStatus": "ACTIVE",
            "healthScore": 100,
            "dailyLimit": limit,
            "emailsSentToday": 0,
            "createdAt": status["createdAt"],
            "origin": "Created",
            "domain": tenant.address(name).partition("@")[2],
            "effective": {
                "deletionPolicy": "Delete",
                "updatePolicy": "Never",
                "adoptionPolicy": "Refuse",
                "apiKeySecret": "workspace",
            },
        }
        assert TIME.match(status["createdAt"])
        assert UUID.fullmatch(status["inboxID"])
        assert set(applied) == {"specHash", "workspace"} | ({"credentialsHash"} if inbox_type != "COLDSEND" else set())
        assert {f"{each['type']} {each['status']} {each['reason']}" for each in conditions} == {
            "Ready True Active",
            "Synced True InSync",
            "Healthy True HealthScoreGood",
            *(["CredentialsCurrent True SecretUnchanged"] if inbox_type != "COLDSEND" else []),
        }
        assert all(each["observedGeneration"] == 1 and each["message"] for each in conditions)


def coldsend_is_sent_what_spec_says_and_the_defaults_of_the_provider(tenant: Tenant) -> None:
    tenant.secret("two", sending=f"{tenant.password} 1", reading=f"{tenant.password} 2")
    tenant.apply("plain", OUTLOOK)
    tenant.apply(
        "full",
        CUSTOM,
        smtp={
            "port": 465,
            "username": "sends",
            "useTLS": False,
            "passwordSecretRef": {"name": "two", "key": "sending"},
        },
        imap={
            "port": 143,
            "username": "reads",
            "useSSL": False,
            "passwordSecretRef": {"name": "two", "key": "reading"},
        },
    )
    tenant.ready("plain")
    tenant.ready("full")
    assert tenant.emulator.has_passwords(tenant.inbox("plain")["inbox_id"], tenant.password)
    assert tenant.emulator.has_passwords(
        tenant.inbox("full")["inbox_id"], f"{tenant.password} 1", f"{tenant.password} 2"
    )
    plain, full = tenant.inbox("plain"), tenant.inbox("full")
    address = tenant.address("plain")
    assert _servers(plain) == [
        ("smtp.office365.com", 587, address, True),
        ("outlook.office365.com", 993, address, True),
    ]
    assert _servers(full) == [("smtp.example.com", 465, "sends", False), ("imap.example.com", 143, "reads", False)]


def _servers(inbox: dict[str, dict[str, object]]) -> list[tuple[object, ...]]:
    return [
        tuple(inbox[side][field] for field in ("host", "port", "username", "encrypted")) for side in ("smtp", "imap")
    ]


def kubectl_wait_returns_once_the_inbox_can_send(tenant: Tenant) -> None:
    tenant.apply()
    tenant.server.kubectl(
        *("wait", "--for=condition=Ready", "--timeout=90s", "-n", tenant.namespace, "senderaccount/ann")
    )
    assert tenant.inbox()["overall_status"] == "ACTIVE"


def kubectl_get_shows_what_people_ask_for_first(tenant: Tenant) -> None:
    tenant.apply()
    shown = tenant.known()
    header, line = tenant.server.kubectl("get", "sender", "-n", tenant.namespace, "-o", "wide").stdout.splitlines()
    assert header.split() == [
        *("NAME", "EMAIL", "TYPE", "STATUS", "HEALTH", "SENT", "LIMIT", "READY", "REASON"),
        *("DOMAIN", "INBOX-ID", "SYNCED", "MESSAGE", "AGE"),
    ]
    assert line.split()[:12] == [
        *("ann", tenant.address(), GOOGLE, "ACTIVE", "100", "0", "50", "True", "Active"),
        *(tenant.address().partition("@")[2], shown.inbox_id, "True"),
    ]


def each_change_of_reason_is_told_in_one_event(tenant: Tenant) -> None:
    tenant.drop_secret()
    tenant.apply()
    tenant.shows(Ready="False SecretNotFound")
    tenant.secret(password=tenant.password)
    tenant.ready()
    tenant.after_sweeps()
    told = ["Warning SecretNotFound", *(f"Normal {reason}" for reason in ("Active", "InSync", "SecretUnchanged"))]
    eventually(lambda: len(tenant.events()) >= len(told), "an Event for each change")
    assert sorted(tenant.events()) == sorted(told)


def nothing_is_written_while_nothing_changes(tenant: Tenant) -> None:
    tenant.apply()
    shown = tenant.known()
    tenant.after_sweeps(3)
    latest = tenant.look()
    assert latest is not None
    assert latest.raw["metadata"]["resourceVersion"] == shown.raw["metadata"]["resourceVersion"]


def an_address_is_taken_as_it_is_written_and_compared_without_regard_to_case(tenant: Tenant) -> None:
    mixed = f"Ann@{tenant.domain.upper()}"
    assert tenant.make(emailAddress=mixed).status["emailAddress"] in {mixed, mixed.lower()}
    tenant.apply("other", emailAddress=mixed.lower())
    tenant.shows("other", Ready="False AddressConflict")
