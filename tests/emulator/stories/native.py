"""Native inboxes."""

from collections.abc import Callable
from typing import Any

from tests.emulator.desk import Desk

Story = Callable[[Desk], Any]


def native_answer(desk: Desk) -> Any:
    body = desk.native(desk.domain()).json()
    return "inbox_id" in body, "inbox_id" in body.get("inbox", {}), "email_address" in body


def native_appears(desk: Desk) -> Any:
    answer = desk.native(desk.domain())
    at_once = len(desk.rows())
    desk.emulator.advance(31)
    return answer.status_code, at_once, len(desk.rows())


def first_status(create: Story) -> Story:
    def story(desk: Desk) -> Any:
        word = create(desk).json()["overall_status"]
        desk.emulator.advance(31)
        return word, desk.row()["overall_status"]

    return story


def native_bulk_answer(desk: Desk) -> Any:
    body = desk.native_bulk(desk.domain(), "a", "b").json()
    at_once = len(desk.rows())
    desk.wait_for_jobs()
    return bool(body.get("job_id")), body.get("success_count"), "results" in body, at_once, len(desk.rows())


def native_bulk_partial(desk: Desk) -> Any:
    domain = desk.domain()
    desk.native(domain, "taken")
    answer = desk.native_bulk(domain, "a", "taken")
    return answer.status_code, len(desk.rows())


def native_bulk_progress(desk: Desk) -> Any:
    return desk.progress(desk.native_bulk(desk.domain(), "a")).status_code


def native_on(**domain: Any) -> Story:
    return lambda desk: desk.native(desk.domain(**domain)).status_code


def prefixes(desk: Desk) -> Any:
    domain = desk.domain()
    tried = ("john", "j.o-h_n", "John+x", ".john", "jo..hn", "j@n")
    return [prefix for prefix in tried if desk.native(domain, prefix).is_success]


def native_name(length: int) -> Story:
    return lambda desk: desk.native(desk.domain(), display_name="x" * length).status_code


def kept_name(desk: Desk) -> Any:
    name: str = desk.create(display_name=f"  Ann   {'x' * 60} ").json()["display_name"]
    return name.replace("x" * 60, "...")


def native_limit(desk: Desk) -> Any:
    return desk.native(desk.domain()).json()["daily_limit"]


def native_limit_sent(desk: Desk) -> Any:
    answer = desk.native(desk.domain(), daily_limit=7)
    return answer.status_code, answer.json().get("daily_limit")
