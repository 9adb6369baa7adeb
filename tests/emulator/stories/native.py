"""Native inboxes."""

from collections.abc import Callable
from typing import Any

from tests.emulator.client import EmulatorClient

Story = Callable[[EmulatorClient], Any]


def native_answer(client: EmulatorClient) -> Any:
    body = client.native(client.domain()).json()
    return "inbox_id" in body, "inbox_id" in body.get("inbox", {}), "email_address" in body


def native_appears(client: EmulatorClient) -> Any:
    answer = client.native(client.domain())
    at_once = len(client.rows())
    client.emulator.advance(31)
    return answer.status_code, at_once, len(client.rows())


def first_status(create: Story) -> Story:
    def story(client: EmulatorClient) -> Any:
        word = create(client).json()["overall_status"]
        client.emulator.advance(31)
        return word, client.row()["overall_status"]

    return story


def native_bulk_answer(client: EmulatorClient) -> Any:
    body = client.native_bulk(client.domain(), "a", "b").json()
    at_once = len(client.rows())
    client.wait_for_jobs()
    return bool(body.get("job_id")), body.get("success_count"), "results" in body, at_once, len(client.rows())


def native_bulk_partial(client: EmulatorClient) -> Any:
    domain = client.domain()
    client.native(domain, "taken")
    answer = client.native_bulk(domain, "a", "taken")
    return answer.status_code, len(client.rows())


def native_bulk_progress(client: EmulatorClient) -> Any:
    return client.progress(client.native_bulk(client.domain(), "a")).status_code


def native_on(**domain: Any) -> Story:
    return lambda client: client.native(client.domain(**domain)).status_code


def prefixes(client: EmulatorClient) -> Any:
    domain = client.domain()
    tried = ("john", "j.o-h_n", "John+x", ".john", "jo..hn", "j@n")
    return [prefix for prefix in tried if client.native(domain, prefix).is_success]


def native_name(length: int) -> Story:
    return lambda client: client.native(client.domain(), display_name="x" * length).status_code


def kept_name(client: EmulatorClient) -> Any:
    name: str = client.create(display_name=f"  Ann   {'x' * 60} ").json()["display_name"]
    return name.replace("x" * 60, "...")


def native_limit(client: EmulatorClient) -> Any:
    return client.native(client.domain()).json()["daily_limit"]


def native_limit_sent(client: EmulatorClient) -> Any:
    answer = client.native(client.domain(), daily_limit=7)
    return answer.status_code, answer.json().get("daily_limit")
