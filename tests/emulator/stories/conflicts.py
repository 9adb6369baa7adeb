"""Bad items, and addresses that exist already."""

from typing import Any

from tests.emulator.client import EmulatorClient, smtp_item


def bad_item(client: EmulatorClient) -> Any:
    items = [smtp_item("a@company.com"), smtp_item("b@company.com", smtp_port=0)]
    answer = client.http.post("/sender-accounts/smtp/bulk", json={"inboxes": items})
    if answer.is_error:
        return answer.status_code, answer.json()["detail"][0]["loc"]
    return answer.status_code, client.outcomes(client.finished(answer))


def bad_native_item(client: EmulatorClient) -> Any:
    answer = client.native_bulk(client.domain(), "good", "b@d")
    if answer.is_error:
        return answer.status_code, answer.json()["detail"][0]["loc"]
    return answer.status_code, client.outcomes(answer.json())


def validation_detail(client: EmulatorClient) -> Any:
    """Of two violations: how many are told, with which members, and whether what was sent comes back."""
    answer = client.create(smtp_port=0, imap_port=70_001)
    detail = answer.json()["detail"]
    if isinstance(detail, str):
        return detail
    return len(detail), sorted(detail[0]), "70001" in answer.text


def duplicate(client: EmulatorClient) -> Any:
    answer = client.bulk("a@company.com", "A@company.com", "b@company.com")
    if answer.is_error:
        return answer.status_code
    job = client.finished(answer)
    return job["total_rows"], job["success_count"], len(client.rows())


def existing_in_bulk(client: EmulatorClient) -> Any:
    client.seed("b@company.com")
    answer = client.bulk("a@company.com", "b@company.com")
    if answer.is_error:
        return answer.status_code, len(client.rows())
    return client.finished(answer)["success_count"], len(client.rows())


def conflict_body(client: EmulatorClient) -> Any:
    inbox_id = client.seed("a@company.com")[0]
    body = client.create().json()
    return {name: str(value).replace(inbox_id, "ID") for name, value in body.items()}


def address_scope(client: EmulatorClient) -> Any:
    """An address in the own workspace, and one in another's."""
    client.seed("a@company.com")
    client.emulator.seed({"email_address": "b@company.com"}, workspace="workspace-2")
    return client.create("a@company.com").status_code, client.create("b@company.com").status_code


def existing_single(client: EmulatorClient) -> Any:
    inbox_id = client.seed("a@company.com")[0]
    answer = client.create("a@company.com", smtp_password="new", imap_password="new")
    same = answer.json().get("inbox_id") == inbox_id
    return answer.status_code, same, client.emulator.has_passwords(inbox_id, "new")
