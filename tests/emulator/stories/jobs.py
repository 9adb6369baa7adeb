"""Jobs and their results."""

from collections.abc import Callable
from typing import Any

from tests.emulator.client import SLOW_SECONDS, EmulatorClient

Story = Callable[[EmulatorClient], Any]


def job_words(client: EmulatorClient) -> list[str | None]:
    """Before, during and after a job of which one of two items fails."""
    client.seed("taken@company.com")
    answer = client.bulk("a@company.com", "taken@company.com")
    words = [client.progress(answer).json()["job"]["status"]]
    client.emulator.advance(SLOW_SECONDS / 2)
    words.append(client.progress(answer).json()["job"]["status"])
    return [*words, client.finished(answer)["status"]]


def finished_job(*names: str) -> Story:
    def story(client: EmulatorClient) -> list[Any]:
        job = client.finished(client.bulk("a@company.com", "b@company.com"))
        return [bool(job[name]) if name == "completed_at" and job.get(name) else job.get(name, "-") for name in names]

    return story


def how_a_job_ends(client: EmulatorClient) -> list[Any]:
    job = client.finished(client.bulk(*(f"u{n}@company.com" for n in range(4))))
    return [job["status"], job["processed_count"], job["completed_at"] is not None]


def result_rows(client: EmulatorClient) -> Any:
    """Rows of a job: good, bad, good, good."""
    client.seed("b@company.com")
    job = client.finished(client.bulk("a@company.com", "b@company.com", "c@company.com", "d@company.com"))
    rows = job.get("results", "-")
    if not isinstance(rows, list):
        return rows
    return [row if isinstance(row, str) else sorted(row) if "ok" in row else row["email_address"][0] for row in rows]


def shuffled_rows(client: EmulatorClient) -> Any:
    job = client.finished(client.bulk(*(f"u{n:02}@company.com" for n in range(50))))
    rows = [row["email_address"] for row in job["results"]]
    return rows != sorted(rows), len(set(rows))


def rows_without_ids(client: EmulatorClient) -> Any:
    row = client.finished(client.bulk("a@company.com"))["results"][0]
    return "inbox_id" in row


def where_results_are(client: EmulatorClient) -> Any:
    answer = client.bulk("a@company.com")
    return "results" in answer.json(), "results" in client.finished(answer)


def first_counts(client: EmulatorClient) -> Any:
    return client.bulk("a@company.com", "b@company.com").json()["success_count"]


def job_id(client: EmulatorClient) -> Any:
    """Whether there is an id, whether the work is done at once, whether it is done in the end."""
    answer = client.bulk("a@company.com")
    at_once = len(client.rows())
    client.wait_for_jobs()
    return answer.json()["job_id"] is not None, at_once, len(client.rows())


def old_job(client: EmulatorClient) -> Any:
    answer = client.bulk("a@company.com")
    client.wait_for_jobs()
    young = client.progress(answer).status_code
    client.emulator.advance(100)
    return young, client.progress(answer).status_code
