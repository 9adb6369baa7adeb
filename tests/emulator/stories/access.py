"""Scopes, connection checks, bounds of a request, domains, time."""

from collections.abc import Callable
from typing import Any

from tests.emulator.client import KEY, NOBODY, EmulatorClient

Story = Callable[[EmulatorClient], Any]


def scopes_that_open(ask: Story) -> Story:
    """The single scopes with which a call is not refused."""

    def story(client: EmulatorClient) -> list[str]:
        opened = []
        for scope in ("create", "read", "delete"):
            client.emulator.change_key(KEY, scopes=["*"])
            prepared = ask(client)
            client.emulator.change_key(KEY, scopes=[f"sender_accounts:{scope}"])
            if prepared().status_code != 403:
                opened.append(scope)
        return opened

    return story


def ask_progress(client: EmulatorClient) -> Any:
    return lambda: client.http.get("/sender-accounts/bulk/delete/x/progress")


def ask_test_mail(client: EmulatorClient) -> Any:
    return lambda: client.send_test(NOBODY)


def ask_domains(client: EmulatorClient) -> Any:
    return lambda: client.http.get("/domains")


def slow_check(client: EmulatorClient) -> Any:
    code = client.create().status_code
    client.emulator.advance(10)
    return code, len(client.rows())


def failed_check(client: EmulatorClient) -> Any:
    client.emulator.break_connections(hosts=["smtp.company.com"])
    answer = client.create()
    return answer.status_code, [row["overall_status"] for row in client.rows()]


def parallel_jobs(client: EmulatorClient) -> Any:
    answers = [client.bulk(f"u{n}@company.com").status_code for n in range(3)]
    return answers, client.bulk_delete(NOBODY).status_code


def request_id(client: EmulatorClient) -> Any:
    return "x-request-id" in client.http.get("/sender-accounts").headers


def large_body(client: EmulatorClient) -> Any:
    return client.bulk(*(f"u{n}@company.com" for n in range(50))).status_code, client.create().status_code


def plan_limit(client: EmulatorClient) -> Any:
    return [client.create(f"u{n}@company.com").status_code for n in range(3)]


def plan_limit_in_bulk(client: EmulatorClient) -> Any:
    answer = client.bulk("a@company.com", "b@company.com", "c@company.com")
    if answer.is_error:
        return answer.status_code
    return client.outcomes(client.finished(answer))


def password_of(length: int) -> Story:
    return lambda client: client.create(smtp_password="x" * length).status_code


def delete_domain(client: EmulatorClient) -> Any:
    domain = client.domain()
    client.native(domain)
    return client.http.delete(f"/domains/{domain}").status_code, len(client.rows())


def unknown_field(client: EmulatorClient) -> Any:
    answer = client.create(label="x")
    return answer.status_code, answer.json().get("detail", [{"loc": None}])[0]["loc"]


def halfway(client: EmulatorClient) -> Any:
    answer = client.bulk("a@company.com", "b@company.com")
    client.emulator.advance(10)
    return client.progress(answer).json()["job"]["processed_count"]


def activated_domain(client: EmulatorClient) -> Any:
    domain = client.domain(status="DNS_PENDING")
    client.http.post(f"/domains/{domain}/activate")
    client.emulator.advance(10)
    return client.http.get(f"/domains/{domain}").json()["status"]


def years_off(client: EmulatorClient) -> Any:
    answer = client.create()
    return answer.headers["date"][12:16] > "2050", answer.json()["created_at"] > "2050"
