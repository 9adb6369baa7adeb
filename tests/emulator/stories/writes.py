"""Codes of success, deletion."""

from typing import Any

from tests.emulator.client import NOBODY, EmulatorClient


def code_of_create(client: EmulatorClient) -> Any:
    answer = client.create()
    return answer.status_code, bool(answer.content), len(client.rows())


def code_of_bulk(client: EmulatorClient) -> Any:
    answer = client.bulk("a@company.com")
    return answer.status_code, bool(answer.content)


def code_of_delete(client: EmulatorClient) -> Any:
    answer = client.delete(client.seed("a@company.com")[0])
    return answer.status_code, bool(answer.content), len(client.rows())


def code_of_test_mail(client: EmulatorClient) -> Any:
    answer = client.send_test(client.seed("a@company.com")[0])
    return answer.status_code, bool(answer.content), len(client.emulator.mails())


def success_false(client: EmulatorClient) -> Any:
    """A create, and a second one of the same address: code and success."""
    answers = [client.create(), client.create()]
    return [(answer.status_code, answer.json().get("success")) for answer in answers]


def test_mail_outcome(client: EmulatorClient) -> Any:
    answer = client.send_test(client.seed("a@company.com")[0])
    body = answer.json()
    return answer.status_code, body.get("success"), bool(body.get("message_id")), len(client.emulator.mails())


def delete_in_use(client: EmulatorClient) -> Any:
    inbox_id = client.seed("a@company.com")[0]
    client.emulator.hold(inbox_id)
    return client.delete(inbox_id).status_code


def states_that_hold(client: EmulatorClient) -> Any:
    states = ("DRAFT", "ACTIVE", "PAUSED", "COMPLETED", "FAILED")
    held = []
    for state in states:
        inbox_id = client.seed(f"{state}@company.com")[0]
        client.emulator.hold(inbox_id, state=state)
        if client.delete(inbox_id).is_error:
            held.append(state)
    return held


def skipped(client: EmulatorClient) -> Any:
    inbox_id = client.seed("a@company.com")[0]
    client.emulator.hold(inbox_id)
    job = client.finished(client.bulk_delete(inbox_id, NOBODY), deleting=True)
    return job["skipped_count"], [row["message"] for row in job["results"]]


def delete_takes_time(client: EmulatorClient) -> Any:
    inbox_id = client.seed("a@company.com")[0]
    codes = [client.delete(inbox_id).status_code, client.get(inbox_id).status_code, client.create().status_code]
    client.emulator.advance(31)
    return [*codes, client.get(inbox_id).status_code]


def recreate(client: EmulatorClient) -> Any:
    client.delete(client.seed("a@company.com")[0])
    soon = client.create().status_code
    client.emulator.advance(31)
    return soon, client.create("a@company.com").status_code
