"""What stands in the way of one request too many."""

import math
from typing import Any

from tests.emulator.client import KEY, EmulatorClient, number_in


def retry_after(client: EmulatorClient) -> Any:
    value = too_many(client).headers.get("retry-after")
    return value if value is None or value.isdigit() else value[-3:]


def too_many(client: EmulatorClient) -> Any:
    client.emulator.limit(1, 1000)
    client.rows()
    return client.http.get("/sender-accounts")


def limit_sentence(client: EmulatorClient) -> Any:
    client.emulator.limit(1, None)
    client.rows()
    client.emulator.advance(20)
    detail = client.http.get("/sender-accounts").json()["detail"]
    seconds = number_in(detail)
    return detail if isinstance(detail, list) else seconds and math.ceil(seconds / 10) * 10


def who_shares_a_pool(client: EmulatorClient) -> Any:
    """A second key of the same workspace and a key of another, after one request of the first."""
    client.emulator.add_key("cs_live_second", "default")
    client.emulator.limit(1, None)
    clients = [client.with_key(key) for key in (KEY, "cs_live_second", "cs_live_other")]
    return [client.get("/sender-accounts").status_code for client in clients]


def window_kind(client: EmulatorClient) -> Any:
    """The same request after each second: a fixed minute starts again at once, a sliding one lets one more in."""
    client.emulator.limit(3, None)
    for _ in range(3):
        client.rows()
        client.emulator.advance(20)
    client.emulator.advance(0.5)
    return [client.http.get("/sender-accounts").status_code for _ in range(3)].count(200)


def refused_requests(client: EmulatorClient) -> Any:
    """Whether a request is let in 61 s after the last good one when refused ones came between."""
    client.emulator.limit(1, None)
    client.rows()
    client.emulator.advance(30)
    client.http.get("/sender-accounts")
    client.emulator.advance(31)
    return client.http.get("/sender-accounts").status_code


def headers_window(client: EmulatorClient) -> Any:
    client.emulator.limit(100, 10)
    return client.http.get("/sender-accounts").headers.get("x-ratelimit-limit")


def repeated_create(client: EmulatorClient) -> Any:
    first, second = client.create(), client.create()
    client.emulator.advance(31)
    third = client.create()
    return second.status_code, first.json()["inbox_id"] == second.json().get("inbox_id"), third.status_code
