"""Rows, lists, search."""

from collections.abc import Callable
from typing import Any

from tests.emulator.desk import Desk

Story = Callable[[Desk], Any]


def limits_out_of_range(desk: Desk) -> Any:
    answers = [desk.create("a@company.com", daily_limit=100_001), desk.create("b@company.com", daily_limit=0)]
    return [answer.json().get("daily_limit", answer.status_code) for answer in answers]


def low_limits(desk: Desk) -> Any:
    return [desk.create(f"u{n}@company.com", daily_limit=n).status_code for n in (0, 1, 10)]


def pending_filter(desk: Desk) -> Any:
    return desk.http.get("/sender-accounts", params={"status": "PENDING"}).status_code


def row_words(desk: Desk) -> Any:
    desk.create()
    row = desk.row()
    return row["overall_status"], row["inbox_type"]


def search(text: str) -> Story:
    def story(desk: Desk) -> list[str]:
        desk.seed("ann+x@company.com", "JoAnn@company.com", "ann x@company.com", "a_n@company.com", display_name="-")
        desk.seed("b@company.com", display_name="Ann")
        return [address.partition("@")[0] for address in desk.addresses(search=text, sort_by="email_address")]

    return story


def seen_in_list(desk: Desk) -> Any:
    inbox_id = desk.create().json()["inbox_id"]
    seen = [desk.get(inbox_id).status_code, len(desk.rows())]
    desk.emulator.advance(31)
    return [*seen, len(desk.rows())]


def unseen_in_list(desk: Desk) -> Any:
    inbox_id = desk.seed("a@company.com")[0]
    desk.delete(inbox_id)
    seen = [desk.get(inbox_id).status_code, len(desk.rows())]
    desk.emulator.advance(31)
    return [*seen, len(desk.rows())]


def order_holds(desk: Desk) -> Any:
    """Whether ten looks give one order: without a wish, and by address."""
    desk.emulator.seed_many(30, "u{n}@company.com")
    wishes: list[dict[str, Any]] = [{"limit": 30}, {"limit": 30, "sort_by": "email_address"}]
    return [len({tuple(desk.addresses(**wish)) for _ in range(10)}) == 1 for wish in wishes]


def total(desk: Desk) -> Any:
    desk.delete(desk.seed("a@company.com", "b@company.com")[0])
    return desk.http.get("/sender-accounts").json()["pagination"]["total"]


def default_order(**query: str) -> Story:
    def story(desk: Desk) -> str:
        for place, name in enumerate("bca"):
            desk.seed(f"{name}@company.com", created_at=1_700_000_000 + place)
        return "".join(address[0] for address in desk.addresses(**query))

    return story


def envelope(desk: Desk) -> Any:
    body = desk.get(desk.create().json()["inbox_id"]).json()
    shown = body.get("sender_account") or body.get("data") or body
    return sorted(set(body) - set(shown)), "smtp_host" in shown


def health(desk: Desk) -> Any:
    desk.seed("a@company.com", health_score=95.5)
    return desk.row().get("health_score", "-")


def kept_address(desk: Desk) -> Any:
    return desk.create("Ann@Company.COM").json()["email_address"]


def reason_of_disabled(desk: Desk) -> Any:
    inbox_id = desk.seed("a@company.com", overall_status="DISABLED", status_reason="login refused")[0]
    return desk.get(inbox_id).json().get("status_reason", "-")
