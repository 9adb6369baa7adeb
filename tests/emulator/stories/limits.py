"""What stands in the way of one request too many."""

import math
from typing import Any

from tests.emulator.desk import KEY, Desk, number_in


def retry_after(desk: Desk) -> Any:
    value = too_many(desk).headers.get("retry-after")
    return value if value is None or value.isdigit() else value[-3:]


def too_many(desk: Desk) -> Any:
    desk.emulator.limit(1, 1000)
    desk.rows()
    return desk.http.get("/sender-accounts")


def limit_sentence(desk: Desk) -> Any:
    desk.emulator.limit(1, None)
    desk.rows()
    desk.emulator.advance(20)
    detail = desk.http.get("/sender-accounts").json()["detail"]
    seconds = number_in(detail)
    return detail if isinstance(detail, list) else seconds and math.ceil(seconds / 10) * 10


def who_shares_a_pool(desk: Desk) -> Any:
    """A second key of the same workspace and a key of another, after one request of the first."""
    desk.emulator.add_key("cs_live_second", "default")
    desk.emulator.limit(1, None)
    clients = [desk.with_key(key) for key in (KEY, "cs_live_second", "cs_live_other")]
    return [client.get("/sender-accounts").status_code for client in clients]


def window_kind(desk: Desk) -> Any:
    """The same request after each second: a fixed minute starts again at once, a sliding one lets one more in."""
    desk.emulator.limit(3, None)
    for _ in range(3):
        desk.rows()
        desk.emulator.advance(20)
    desk.emulator.advance(0.5)
    return [desk.http.get("/sender-accounts").status_code for _ in range(3)].count(200)


def refused_requests(desk: Desk) -> Any:
    """Whether a request is let in 61 s after the last good one when refused ones came between."""
    desk.emulator.limit(1, None)
    desk.rows()
    desk.emulator.advance(30)
    desk.http.get("/sender-accounts")
    desk.emulator.advance(31)
    return desk.http.get("/sender-accounts").status_code


def headers_window(desk: Desk) -> Any:
    desk.emulator.limit(100, 10)
    return desk.http.get("/sender-accounts").headers.get("x-ratelimit-limit")


def repeated_create(desk: Desk) -> Any:
    first, second = desk.create(), desk.create()
    desk.emulator.advance(31)
    third = desk.create()
    return second.status_code, first.json()["inbox_id"] == second.json().get("inbox_id"), third.status_code
