"""Jobs and their results."""

from collections.abc import Callable
from typing import Any

from tests.emulator.desk import SLOW_SECONDS, Desk

Story = Callable[[Desk], Any]


def job_words(desk: Desk) -> list[str | None]:
    """Before, during and after a job of which one of two items fails."""
    desk.seed("taken@company.com")
    answer = desk.bulk("a@company.com", "taken@company.com")
    words = [desk.progress(answer).json()["job"]["status"]]
    desk.emulator.advance(SLOW_SECONDS / 2)
    words.append(desk.progress(answer).json()["job"]["status"])
    return [*words, desk.finished(answer)["status"]]


def finished_job(*names: str) -> Story:
    def story(desk: Desk) -> list[Any]:
        job = desk.finished(desk.bulk("a@company.com", "b@company.com"))
        return [bool(job[name]) if name == "completed_at" and job.get(name) else job.get(name, "-") for name in names]

    return story


def how_a_job_ends(desk: Desk) -> list[Any]:
    job = desk.finished(desk.bulk(*(f"u{n}@company.com" for n in range(4))))
    return [job["status"], job["processed_count"], job["completed_at"] is not None]


def result_rows(desk: Desk) -> Any:
    """Rows of a job: good, bad, good, good."""
    desk.seed("b@company.com")
    job = desk.finished(desk.bulk("a@company.com", "b@company.com", "c@company.com", "d@company.com"))
    rows = job.get("results", "-")
    if not isinstance(rows, list):
        return rows
    return [row if isinstance(row, str) else sorted(row) if "ok" in row else row["email_address"][0] for row in rows]


def shuffled_rows(desk: Desk) -> Any:
    job = desk.finished(desk.bulk(*(f"u{n:02}@company.com" for n in range(50))))
    rows = [row["email_address"] for row in job["results"]]
    return rows != sorted(rows), len(set(rows))


def rows_without_ids(desk: Desk) -> Any:
    row = desk.finished(desk.bulk("a@company.com"))["results"][0]
    return "inbox_id" in row


def where_results_are(desk: Desk) -> Any:
    answer = desk.bulk("a@company.com")
    return "results" in answer.json(), "results" in desk.finished(answer)


def first_counts(desk: Desk) -> Any:
    return desk.bulk("a@company.com", "b@company.com").json()["success_count"]


def job_id(desk: Desk) -> Any:
    """Whether there is an id, whether the work is done at once, whether it is done in the end."""
    answer = desk.bulk("a@company.com")
    at_once = len(desk.rows())
    desk.wait_for_jobs()
    return answer.json()["job_id"] is not None, at_once, len(desk.rows())


def old_job(desk: Desk) -> Any:
    answer = desk.bulk("a@company.com")
    desk.wait_for_jobs()
    young = desk.progress(answer).status_code
    desk.emulator.advance(100)
    return young, desk.progress(answer).status_code
