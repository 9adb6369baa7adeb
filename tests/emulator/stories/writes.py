"""Codes of success, deletion."""

from typing import Any

from tests.emulator.desk import NOBODY, Desk


def code_of_create(desk: Desk) -> Any:
    answer = desk.create()
    return answer.status_code, bool(answer.content), len(desk.rows())


def code_of_bulk(desk: Desk) -> Any:
    answer = desk.bulk("a@company.com")
    return answer.status_code, bool(answer.content)


def code_of_delete(desk: Desk) -> Any:
    answer = desk.delete(desk.seed("a@company.com")[0])
    return answer.status_code, bool(answer.content), len(desk.rows())


def code_of_test_mail(desk: Desk) -> Any:
    answer = desk.send_test(desk.seed("a@company.com")[0])
    return answer.status_code, bool(answer.content), len(desk.emulator.mails())


def success_false(desk: Desk) -> Any:
    """A create, and a second one of the same address: code and success."""
    answers = [desk.create(), desk.create()]
    return [(answer.status_code, answer.json().get("success")) for answer in answers]


def test_mail_outcome(desk: Desk) -> Any:
    answer = desk.send_test(desk.seed("a@company.com")[0])
    body = answer.json()
    return answer.status_code, body.get("success"), bool(body.get("message_id")), len(desk.emulator.mails())


def delete_in_use(desk: Desk) -> Any:
    inbox_id = desk.seed("a@company.com")[0]
    desk.emulator.hold(inbox_id)
    return desk.delete(inbox_id).status_code


def states_that_hold(desk: Desk) -> Any:
    states = ("DRAFT", "ACTIVE", "PAUSED", "COMPLETED", "FAILED")
    held = []
    for state in states:
        inbox_id = desk.seed(f"{state}@company.com")[0]
        desk.emulator.hold(inbox_id, state=state)
        if desk.delete(inbox_id).is_error:
            held.append(state)
    return held


def skipped(desk: Desk) -> Any:
    inbox_id = desk.seed("a@company.com")[0]
    desk.emulator.hold(inbox_id)
    job = desk.finished(desk.bulk_delete(inbox_id, NOBODY), deleting=True)
    return job["skipped_count"], [row["message"] for row in job["results"]]


def delete_takes_time(desk: Desk) -> Any:
    inbox_id = desk.seed("a@company.com")[0]
    codes = [desk.delete(inbox_id).status_code, desk.get(inbox_id).status_code, desk.create().status_code]
    desk.emulator.advance(31)
    return [*codes, desk.get(inbox_id).status_code]


def recreate(desk: Desk) -> Any:
    desk.delete(desk.seed("a@company.com")[0])
    soon = desk.create().status_code
    desk.emulator.advance(31)
    return soon, desk.create("a@company.com").status_code
