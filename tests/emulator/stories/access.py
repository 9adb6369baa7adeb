"""Scopes, connection checks, bounds of a request, domains, time."""

from collections.abc import Callable
from typing import Any

from tests.emulator.desk import KEY, NOBODY, Desk

Story = Callable[[Desk], Any]


def scopes_that_open(ask: Story) -> Story:
    """The single scopes with which a call is not refused."""

    def story(desk: Desk) -> list[str]:
        opened = []
        for scope in ("create", "read", "delete"):
            desk.emulator.change_key(KEY, scopes=["*"])
            prepared = ask(desk)
            desk.emulator.change_key(KEY, scopes=[f"sender_accounts:{scope}"])
            if prepared().status_code != 403:
                opened.append(scope)
        return opened

    return story


def ask_progress(desk: Desk) -> Any:
    return lambda: desk.http.get("/sender-accounts/bulk/delete/x/progress")


def ask_test_mail(desk: Desk) -> Any:
    return lambda: desk.send_test(NOBODY)


def ask_domains(desk: Desk) -> Any:
    return lambda: desk.http.get("/domains")


def slow_check(desk: Desk) -> Any:
    code = desk.create().status_code
    desk.emulator.advance(10)
    return code, len(desk.rows())


def failed_check(desk: Desk) -> Any:
    desk.emulator.break_connections(hosts=["smtp.company.com"])
    answer = desk.create()
    return answer.status_code, [row["overall_status"] for row in desk.rows()]


def parallel_jobs(desk: Desk) -> Any:
    answers = [desk.bulk(f"u{n}@company.com").status_code for n in range(3)]
    return answers, desk.bulk_delete(NOBODY).status_code


def request_id(desk: Desk) -> Any:
    return "x-request-id" in desk.http.get("/sender-accounts").headers


def large_body(desk: Desk) -> Any:
    return desk.bulk(*(f"u{n}@company.com" for n in range(50))).status_code, desk.create().status_code


def plan_limit(desk: Desk) -> Any:
    return [desk.create(f"u{n}@company.com").status_code for n in range(3)]


def plan_limit_in_bulk(desk: Desk) -> Any:
    answer = desk.bulk("a@company.com", "b@company.com", "c@company.com")
    if answer.is_error:
        return answer.status_code
    return desk.outcomes(desk.finished(answer))


def password_of(length: int) -> Story:
    return lambda desk: desk.create(smtp_password="x" * length).status_code


def delete_domain(desk: Desk) -> Any:
    domain = desk.domain()
    desk.native(domain)
    return desk.http.delete(f"/domains/{domain}").status_code, len(desk.rows())


def unknown_field(desk: Desk) -> Any:
    answer = desk.create(label="x")
    return answer.status_code, answer.json().get("detail", [{"loc": None}])[0]["loc"]


def halfway(desk: Desk) -> Any:
    answer = desk.bulk("a@company.com", "b@company.com")
    desk.emulator.advance(10)
    return desk.progress(answer).json()["job"]["processed_count"]


def activated_domain(desk: Desk) -> Any:
    domain = desk.domain(status="DNS_PENDING")
    desk.http.post(f"/domains/{domain}/activate")
    desk.emulator.advance(10)
    return desk.http.get(f"/domains/{domain}").json()["status"]


def years_off(desk: Desk) -> Any:
    answer = desk.create()
    return answer.headers["date"][12:16] > "2050", answer.json()["created_at"] > "2050"
