"""Rows, lists, search."""

from collections.abc import Callable
from typing import Any

from tests.emulator.client import EmulatorClient

Story = Callable[[EmulatorClient], Any]


def limits_out_of_range(client: EmulatorClient) -> Any:
    answers = [client.create("a@company.com", daily_limit=100_001), client.create("b@company.com", daily_limit=0)]
    return [answer.json().get("daily_limit", answer.status_code) for answer in answers]


def low_limits(client: EmulatorClient) -> Any:
    return [client.create(f"u{n}@company.com", daily_limit=n).status_code for n in (0, 1, 10)]


def pending_filter(client: EmulatorClient) -> Any:
    return client.http.get("/sender-accounts", params={"status": "PENDING"}).status_code


def row_words(client: EmulatorClient) -> Any:
    client.create()
    row = client.row()
    return row["overall_status"], row["inbox_type"]


def search(text: str) -> Story:
    def story(client: EmulatorClient) -> list[str]:
        client.seed("ann+x@company.com", "JoAnn@company.com", "ann x@company.com", "a_n@company.com", display_name="-")
        client.seed("b@company.com", display_name="Ann")
        return [address.partition("@")[0] for address in client.addresses(search=text, sort_by="email_address")]

    return story


def seen_in_list(client: EmulatorClient) -> Any:
    inbox_id = client.create().json()["inbox_id"]
    seen = [client.get(inbox_id).status_code, len(client.rows())]
    client.emulator.advance(31)
    return [*seen, len(client.rows())]


def unseen_in_list(client: EmulatorClient) -> Any:
    inbox_id = client.seed("a@company.com")[0]
    client.delete(inbox_id)
    seen = [client.get(inbox_id).status_code, len(client.rows())]
    client.emulator.advance(31)
    return [*seen, len(client.rows())]


def order_holds(client: EmulatorClient) -> Any:
    """Whether ten looks give one order: without a wish, and by address."""
    client.emulator.seed_many(30, "u{n}@company.com")
    wishes: list[dict[str, Any]] = [{"limit": 30}, {"limit": 30, "sort_by": "email_address"}]
    return [len({tuple(client.addresses(**wish)) for _ in range(10)}) == 1 for wish in wishes]


def total(client: EmulatorClient) -> Any:
    client.delete(client.seed("a@company.com", "b@company.com")[0])
    return client.http.get("/sender-accounts").json()["pagination"]["total"]


def default_order(**query: str) -> Story:
    def story(client: EmulatorClient) -> str:
        for place, name in enumerate("bca"):
            client.seed(f"{name}@company.com", created_at=1_700_000_000 + place)
        return "".join(address[0] for address in client.addresses(**query))

    return story


def envelope(client: EmulatorClient) -> Any:
    body = client.get(client.create().json()["inbox_id"]).json()
    shown = body.get("sender_account") or body.get("data") or body
    return sorted(set(body) - set(shown)), "smtp_host" in shown


def health(client: EmulatorClient) -> Any:
    client.seed("a@company.com", health_score=95.5)
    return client.row().get("health_score", "-")


def kept_address(client: EmulatorClient) -> Any:
    return client.create("Ann@Company.COM").json()["email_address"]


def reason_of_disabled(client: EmulatorClient) -> Any:
    inbox_id = client.seed("a@company.com", overall_status="DISABLED", status_reason="login refused")[0]
    return client.get(inbox_id).json().get("status_reason", "-")
