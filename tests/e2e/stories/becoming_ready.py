"""The four types, and what status shows of them."""

import re

from tests.e2e.stage.stage import CUSTOM, GOOGLE, OUTLOOK, Stage, eventually

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")


def every_type_becomes_ready_with_every_field_of_status(stage: Stage) -> None:
    limits = {GOOGLE: 50, OUTLOOK: 100, CUSTOM: 200, "COLDSEND": 100}
    for inbox_type in limits:
        stage.apply(inbox_type.lower().replace("_", "-"), inbox_type)
    for inbox_type, limit in limits.items():
        name = inbox_type.lower().replace("_", "-")
        shown = stage.known(name)
        inbox = stage.inbox(name)
        status = dict(shown.status)
        applied = status.pop("lastApplied")
        conditions = status.pop("conditions")
        assert status == {
            "observedGeneration": 1,
            "inboxID": inbox["inbox_id"],
            "emailAddress": stage.address(name),
            "inboxType": inbox_type,
            "overallStatus": "ACTIVE",
            "healthScore": 100,
            "dailyLimit": limit,
            "emailsSentToday": 0,
            "createdAt": status["createdAt"],
            "origin": "Created",
            "domain": stage.address(name).partition("@")[2],
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


def coldsend_is_sent_what_spec_says_and_the_defaults_of_the_provider(stage: Stage) -> None:
    stage.secret("two", sending=f"{stage.password} 1", reading=f"{stage.password} 2")
    stage.apply("plain", OUTLOOK)
    stage.apply(
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
    stage.ready("plain")
    stage.ready("full")
    assert stage.emulator.has_passwords(stage.inbox("plain")["inbox_id"], stage.password)
    assert stage.emulator.has_passwords(stage.inbox("full")["inbox_id"], f"{stage.password} 1", f"{stage.password} 2")
    plain, full = stage.inbox("plain"), stage.inbox("full")
    address = stage.address("plain")
    assert _servers(plain) == [
        ("smtp.office365.com", 587, address, True),
        ("outlook.office365.com", 993, address, True),
    ]
    assert _servers(full) == [("smtp.example.com", 465, "sends", False), ("imap.example.com", 143, "reads", False)]


def _servers(inbox: dict[str, dict[str, object]]) -> list[tuple[object, ...]]:
    return [
        tuple(inbox[side][field] for field in ("host", "port", "username", "encrypted")) for side in ("smtp", "imap")
    ]


def kubectl_wait_returns_once_the_inbox_can_send(stage: Stage) -> None:
    stage.apply()
    stage.server.kubectl(
        *("wait", "--for=condition=Ready", "--timeout=90s", "-n", stage.namespace, "senderaccount/ann")
    )
    assert stage.inbox()["overall_status"] == "ACTIVE"


def kubectl_get_shows_what_people_ask_for_first(stage: Stage) -> None:
    stage.apply()
    shown = stage.known()
    header, line = stage.server.kubectl("get", "sender", "-n", stage.namespace, "-o", "wide").stdout.splitlines()
    assert header.split() == [
        *("NAME", "EMAIL", "TYPE", "STATUS", "HEALTH", "SENT", "LIMIT", "READY", "REASON"),
        *("DOMAIN", "INBOX-ID", "SYNCED", "MESSAGE", "AGE"),
    ]
    assert line.split()[:12] == [
        *("ann", stage.address(), GOOGLE, "ACTIVE", "100", "0", "50", "True", "Active"),
        *(stage.address().partition("@")[2], shown.inbox_id, "True"),
    ]


def each_change_of_reason_is_told_in_one_event(stage: Stage) -> None:
    stage.drop_secret()
    stage.apply()
    stage.shows(Ready="False SecretNotFound")
    stage.secret(password=stage.password)
    stage.ready()
    stage.after_sweeps()
    told = ["Warning SecretNotFound", *(f"Normal {reason}" for reason in ("Active", "InSync", "SecretUnchanged"))]
    eventually(lambda: len(stage.events()) >= len(told), "an Event for each change")
    assert sorted(stage.events()) == sorted(told)


def nothing_is_written_while_nothing_changes(stage: Stage) -> None:
    stage.apply()
    shown = stage.known()
    stage.after_sweeps(3)
    latest = stage.look()
    assert latest is not None
    assert latest.raw["metadata"]["resourceVersion"] == shown.raw["metadata"]["resourceVersion"]


def an_address_is_taken_as_it_is_written_and_compared_without_regard_to_case(stage: Stage) -> None:
    mixed = f"Ann@{stage.domain.upper()}"
    assert stage.make(emailAddress=mixed).status["emailAddress"] in {mixed, mixed.lower()}
    stage.apply("other", emailAddress=mixed.lower())
    stage.shows("other", Ready="False AddressConflict")
