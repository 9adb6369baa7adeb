"""A client of the emulator's public side with words for what tests do often."""

import re
from typing import Any

import httpx

from coldsend_emulator.running import RunningEmulator

KEY = "cs_live_demo"
SLOW_SECONDS = 1000  # how long jobs and domains take, so that a slow machine does not finish one unasked
NOBODY = "00000000-0000-4000-8000-000000000000"


def smtp_item(address: str, **changes: Any) -> dict[str, Any]:
    return {
        "email_address": address,
        "display_name": "Ann",
        "inbox_type": "CUSTOM_SMTP",
        "smtp_host": "smtp.company.com",
        "smtp_port": 587,
        "smtp_username": address,
        "smtp_password": "s3cret-smtp",
        "imap_host": "imap.company.com",
        "imap_port": 993,
        "imap_username": address,
        "imap_password": "s3cret-imap",
        **changes,
    }


class EmulatorClient:
    def __init__(self, emulator: RunningEmulator) -> None:
        self.emulator = emulator
        self.http = httpx.Client(base_url=emulator.api_url, headers={"X-API-Key": KEY}, trust_env=False)

    def with_key(self, key: str | None) -> httpx.Client:
        headers = {"X-API-Key": key} if key else {}
        return httpx.Client(base_url=self.emulator.api_url, headers=headers, trust_env=False)

    def wait_for_jobs(self) -> None:
        """Let the time pass that jobs and domains take."""
        self.emulator.advance(SLOW_SECONDS)

    # Single inboxes

    def create(self, address: str = "a@company.com", **changes: Any) -> httpx.Response:
        return self.http.post("/sender-accounts/smtp", json=smtp_item(address, **changes))

    def get(self, inbox_id: str) -> httpx.Response:
        return self.http.get(f"/sender-accounts/{inbox_id}")

    def delete(self, inbox_id: str) -> httpx.Response:
        return self.http.delete(f"/sender-accounts/{inbox_id}")

    def send_test(self, inbox_id: str, recipient: str = "ops@company.com") -> httpx.Response:
        return self.http.post(f"/sender-accounts/{inbox_id}/test-email", json={"recipient_email": recipient})

    def rows(self, **query: Any) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.http.get("/sender-accounts", params=query).json()["sender_accounts"]
        return rows

    def addresses(self, **query: Any) -> list[str]:
        return [row["email_address"] for row in self.rows(**query)]

    def row(self, **query: Any) -> dict[str, Any]:
        return self.rows(**query)[0]

    def seed(self, *addresses: str, **values: Any) -> list[str]:
        return self.emulator.seed(*({"email_address": address, **values} for address in addresses))

    # Bulks

    def bulk(self, *addresses: str, **changes: Any) -> httpx.Response:
        items = [smtp_item(address, **changes) for address in addresses]
        return self.http.post("/sender-accounts/smtp/bulk", json={"inboxes": items})

    def bulk_delete(self, *inbox_ids: str) -> httpx.Response:
        body = {"inbox_ids": list(inbox_ids), "confirm_deletion": True}
        return self.http.post("/sender-accounts/bulk/delete", json=body)

    def progress(self, answer: httpx.Response, *, deleting: bool = False) -> httpx.Response:
        kind = "bulk/delete" if deleting else "smtp/bulk"
        return self.http.get(f"/sender-accounts/{kind}/{answer.json()['job_id']}/progress")

    def finished(self, answer: httpx.Response, *, deleting: bool = False) -> dict[str, Any]:
        """The job once all its time is over."""
        self.wait_for_jobs()
        job: dict[str, Any] = self.progress(answer, deleting=deleting).json()["job"]
        return job

    def outcomes(self, job: dict[str, Any]) -> list[str]:
        return [row["status"] for row in job["results"]]

    # Native inboxes

    def domain(self, name: str = "mail.example.com", **values: Any) -> str:
        return self.emulator.add_domain(name, **values)

    def native(self, domain_id: str, prefix: str = "john", **changes: Any) -> httpx.Response:
        body = {"domain_id": domain_id, "email_prefix": prefix, "display_name": "John", **changes}
        return self.http.post("/sender-accounts/coldsend-native", json=body)

    def native_bulk(self, domain_id: str, *prefixes: str) -> httpx.Response:
        inboxes = [{"email_prefix": prefix, "display_name": "John"} for prefix in prefixes]
        return self.http.post(
            "/sender-accounts/coldsend-native/bulk", json={"domain_id": domain_id, "inboxes": inboxes}
        )


def number_in(sentence: object) -> int | None:
    found = re.search(r"\d+", str(sentence))
    return int(found.group()) if found else None
