"""Bad items, and addresses that exist already."""

from typing import Any

from tests.emulator.desk import Desk, smtp_item


def bad_item(desk: Desk) -> Any:
    items = [smtp_item("a@company.com"), smtp_item("b@company.com", smtp_port=0)]
    answer = desk.http.post("/sender-accounts/smtp/bulk", json={"inboxes": items})
    if answer.is_error:
        return answer.status_code, answer.json()["detail"][0]["loc"]
    return answer.status_code, desk.outcomes(desk.finished(answer))


def bad_native_item(desk: Desk) -> Any:
    answer = desk.native_bulk(desk.domain(), "good", "b@d")
    if answer.is_error:
        return answer.status_code, answer.json()["detail"][0]["loc"]
    return answer.status_code, desk.outcomes(answer.json())


def validation_detail(desk: Desk) -> Any:
    """Of two violations: how many are told, with which members, and whether what was sent comes back."""
    answer = desk.create(smtp_port=0, imap_port=70_001)
    detail = answer.json()["detail"]
    if isinstance(detail, str):
        return detail
    return len(detail), sorted(detail[0]), "70001" in answer.text


def duplicate(desk: Desk) -> Any:
    answer = desk.bulk("a@company.com", "A@company.com", "b@company.com")
    if answer.is_error:
        return answer.status_code
    job = desk.finished(answer)
    return job["total_rows"], job["success_count"], len(desk.rows())


def existing_in_bulk(desk: Desk) -> Any:
    desk.seed("b@company.com")
    answer = desk.bulk("a@company.com", "b@company.com")
    if answer.is_error:
        return answer.status_code, len(desk.rows())
    return desk.finished(answer)["success_count"], len(desk.rows())


def conflict_body(desk: Desk) -> Any:
    inbox_id = desk.seed("a@company.com")[0]
    body = desk.create().json()
    return {name: str(value).replace(inbox_id, "ID") for name, value in body.items()}


def address_scope(desk: Desk) -> Any:
    """An address in the own workspace, and one in another's."""
    desk.seed("a@company.com")
    desk.emulator.seed({"email_address": "b@company.com"}, workspace="workspace-2")
    return desk.create("a@company.com").status_code, desk.create("b@company.com").status_code


def existing_single(desk: Desk) -> Any:
    inbox_id = desk.seed("a@company.com")[0]
    answer = desk.create("a@company.com", smtp_password="new", imap_password="new")
    same = answer.json().get("inbox_id") == inbox_id
    return answer.status_code, same, desk.emulator.has_passwords(inbox_id, "new")
