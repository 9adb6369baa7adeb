"""One line for each value of each switch: what a client sees of it.

A story does something and returns what it saw; beside it stands what it must see under those switches.
"""

import time
from collections.abc import Callable
from typing import Any

from tests.emulator.desk import KEY, NOBODY, Desk, number_in, smtp_item

Story = Callable[[Desk], Any]
Case = tuple[dict[str, str | float | None], Story, Any]


# Jobs


def job_words(desk: Desk) -> list[str | None]:
    """Before, during and after a job of which one of two items fails."""
    desk.seed("taken@company.com")
    answer = desk.bulk("a@company.com", "taken@company.com")
    words = [desk.progress(answer).json()["job"]["status"]]
    desk.emulator.advance(0.5)
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
    desk.emulator.advance(10)
    return answer.json()["job_id"] is not None, at_once, len(desk.rows())


def old_job(desk: Desk) -> Any:
    answer = desk.bulk("a@company.com")
    desk.emulator.advance(10)
    young = desk.progress(answer).status_code
    desk.emulator.advance(100)
    return young, desk.progress(answer).status_code


# Validation, conflicts


def bad_item(desk: Desk) -> Any:
    items = [smtp_item("a@company.com"), smtp_item("b@company.com", smtp_port=0)]
    answer = desk.http.post("/sender-accounts/smtp/bulk", json={"inboxes": items})
    if answer.is_error:
        return answer.status_code, answer.json()["detail"][0]["loc"]
    return answer.status_code, desk.outcomes(desk.finished(answer))


def bad_native_item(desk: Desk) -> Any:
    answer = desk.native_bulk(desk.domain(), "good", "b@d")
    if answer.is_error:
        return answer.status_code, answer.json()["detail"][0]["loc"]
    return answer.status_code, desk.outcomes(answer.json())


def validation_detail(desk: Desk) -> Any:
    """Of two violations: how many are told, with which members, and whether what was sent comes back."""
    answer = desk.create(smtp_port=0, imap_port=70_001)
    detail = answer.json()["detail"]
    if isinstance(detail, str):
        return detail
    return len(detail), sorted(detail[0]), "70001" in answer.text


def duplicate(desk: Desk) -> Any:
    answer = desk.bulk("a@company.com", "A@company.com", "b@company.com")
    if answer.is_error:
        return answer.status_code
    job = desk.finished(answer)
    return job["total_rows"], job["success_count"], len(desk.rows())


def existing_in_bulk(desk: Desk) -> Any:
    desk.seed("b@company.com")
    answer = desk.bulk("a@company.com", "b@company.com")
    if answer.is_error:
        return answer.status_code, len(desk.rows())
    return desk.finished(answer)["success_count"], len(desk.rows())


def conflict_body(desk: Desk) -> Any:
    inbox_id = desk.seed("a@company.com")[0]
    body = desk.create().json()
    return {name: str(value).replace(inbox_id, "ID") for name, value in body.items()}


def address_scope(desk: Desk) -> Any:
    """An address in the own workspace, and one in another's."""
    desk.seed("a@company.com")
    desk.emulator.seed({"email_address": "b@company.com"}, workspace="workspace-2")
    return desk.create("a@company.com").status_code, desk.create("b@company.com").status_code


def existing_single(desk: Desk) -> Any:
    inbox_id = desk.seed("a@company.com")[0]
    answer = desk.create("a@company.com", smtp_password="new", imap_password="new")
    same = answer.json().get("inbox_id") == inbox_id
    return answer.status_code, same, desk.emulator.has_passwords(inbox_id, "new")


# Limits


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
    return detail if isinstance(detail, list) else number_in(detail)


def who_shares_a_pool(desk: Desk) -> Any:
    """A second key of the same workspace and a key of another, after one request of the first."""
    desk.emulator.add_key("cs_live_second", "default")
    desk.emulator.limit(1, None)
    clients = [desk.with_key(key) for key in (KEY, "cs_live_second", "cs_live_other")]
    return [client.get("/sender-accounts").status_code for client in clients]


def window_kind(desk: Desk) -> Any:
    """The same request after each second: a fixed minute starts anew at once, a sliding one lets one more in."""
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


# Success, deletion


def code_of_create(desk: Desk) -> Any:
    answer = desk.create()
    return answer.status_code, bool(answer.content), len(desk.rows())


def code_of_bulk(desk: Desk) -> Any:
    answer = desk.bulk("a@company.com")
    return answer.status_code, bool(answer.content)


def code_of_delete(desk: Desk) -> Any:
    answer = desk.delete(desk.seed("a@company.com")[0])
    return answer.status_code, bool(answer.content), len(desk.rows())


def code_of_test_mail(desk: Desk) -> Any:
    answer = desk.send_test(desk.seed("a@company.com")[0])
    return answer.status_code, bool(answer.content), len(desk.emulator.mails())


def success_false(desk: Desk) -> Any:
    """A create, and a second one of the same address: code and success."""
    answers = [desk.create(), desk.create()]
    return [(answer.status_code, answer.json().get("success")) for answer in answers]


def test_mail_outcome(desk: Desk) -> Any:
    answer = desk.send_test(desk.seed("a@company.com")[0])
    body = answer.json()
    return answer.status_code, body.get("success"), bool(body.get("message_id")), len(desk.emulator.mails())


def delete_in_use(desk: Desk) -> Any:
    inbox_id = desk.seed("a@company.com")[0]
    desk.emulator.hold(inbox_id)
    return desk.delete(inbox_id).status_code


def states_that_hold(desk: Desk) -> Any:
    states = ("DRAFT", "ACTIVE", "PAUSED", "COMPLETED", "FAILED")
    held = []
    for state in states:
        inbox_id = desk.seed(f"{state}@company.com")[0]
        desk.emulator.hold(inbox_id, state=state)
        if desk.delete(inbox_id).is_error:
            held.append(state)
    return held


def skipped(desk: Desk) -> Any:
    inbox_id = desk.seed("a@company.com")[0]
    desk.emulator.hold(inbox_id)
    job = desk.finished(desk.bulk_delete(inbox_id, NOBODY), deleting=True)
    return job["skipped_count"], [row["message"] for row in job["results"]]


def delete_takes_time(desk: Desk) -> Any:
    inbox_id = desk.seed("a@company.com")[0]
    codes = [desk.delete(inbox_id).status_code, desk.get(inbox_id).status_code, desk.create().status_code]
    desk.emulator.advance(31)
    return [*codes, desk.get(inbox_id).status_code]


def recreate(desk: Desk) -> Any:
    desk.delete(desk.seed("a@company.com")[0])
    soon = desk.create().status_code
    desk.emulator.advance(31)
    return soon, desk.create("a@company.com").status_code


# Native


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
    desk.emulator.advance(10)
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


# Rows and lists


def limits_out_of_range(desk: Desk) -> Any:
    answers = [desk.create("a@company.com", daily_limit=100_001), desk.create("b@company.com", daily_limit=0)]
    return [answer.json().get("daily_limit", answer.status_code) for answer in answers]


def low_limits(desk: Desk) -> Any:
    return [desk.create(f"u{n}@company.com", daily_limit=n).status_code for n in (0, 1, 10)]


def pending_filter(desk: Desk) -> Any:
    return desk.http.get("/sender-accounts", params={"status": "PENDING"}).status_code


def row_words(desk: Desk) -> Any:
    desk.create()
    row = desk.row()
    return row["overall_status"], row["inbox_type"]


def search(text: str) -> Story:
    def story(desk: Desk) -> list[str]:
        desk.seed("ann+x@company.com", "JoAnn@company.com", "ann x@company.com", "a_n@company.com", display_name="-")
        desk.seed("b@company.com", display_name="Ann")
        return [address.partition("@")[0] for address in desk.addresses(search=text, sort_by="email_address")]

    return story


def seen_in_list(desk: Desk) -> Any:
    inbox_id = desk.create().json()["inbox_id"]
    seen = [desk.get(inbox_id).status_code, len(desk.rows())]
    desk.emulator.advance(31)
    return [*seen, len(desk.rows())]


def unseen_in_list(desk: Desk) -> Any:
    inbox_id = desk.seed("a@company.com")[0]
    desk.delete(inbox_id)
    seen = [desk.get(inbox_id).status_code, len(desk.rows())]
    desk.emulator.advance(31)
    return [*seen, len(desk.rows())]


def order_holds(desk: Desk) -> Any:
    """Whether ten looks give one order: without a wish, and by address."""
    desk.emulator.seed_many(30, "u{n}@company.com")
    wishes: list[dict[str, Any]] = [{"limit": 30}, {"limit": 30, "sort_by": "email_address"}]
    return [len({tuple(desk.addresses(**wish)) for _ in range(10)}) == 1 for wish in wishes]


def total(desk: Desk) -> Any:
    desk.delete(desk.seed("a@company.com", "b@company.com")[0])
    return desk.http.get("/sender-accounts").json()["pagination"]["total"]


def default_order(**query: str) -> Story:
    def story(desk: Desk) -> str:
        for place, name in enumerate("bca"):
            desk.seed(f"{name}@company.com", created_at=1_700_000_000 + place)
        return "".join(address[0] for address in desk.addresses(**query))

    return story


def envelope(desk: Desk) -> Any:
    body = desk.get(desk.create().json()["inbox_id"]).json()
    shown = body.get("sender_account") or body.get("data") or body
    return sorted(set(body) - set(shown)), "smtp_host" in shown


def health(desk: Desk) -> Any:
    desk.seed("a@company.com", health_score=95.5)
    return desk.row().get("health_score", "-")


def kept_address(desk: Desk) -> Any:
    return desk.create("Ann@Company.COM").json()["email_address"]


def reason_of_disabled(desk: Desk) -> Any:
    inbox_id = desk.seed("a@company.com", overall_status="DISABLED", status_reason="login refused")[0]
    return desk.get(inbox_id).json().get("status_reason", "-")


# Scopes and the rest


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


def checked_for(desk: Desk) -> Any:
    began = time.monotonic()
    code = desk.create().status_code
    return code, time.monotonic() - began >= 0.2


def check_takes_too_long(desk: Desk) -> Any:
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


_ROWS = ["email_address", "error", "inbox_id", "message", "status", "success"]
_OTHER = ["email", "id", "ok", "reason", "state"]

CASES: list[Case] = [
    ({"job_words": "usual"}, job_words, ["PENDING", "IN_PROGRESS", "COMPLETED"]),
    ({"job_words": "lower_case"}, job_words, ["pending", "in_progress", "completed"]),
    ({"job_words": "complete"}, job_words, ["QUEUED", "PROCESSING", "COMPLETE"]),
    ({"job_words": "success"}, job_words, ["QUEUED", "PROCESSING", "SUCCESS"]),
    ({"job_words": "succeeded"}, job_words, ["QUEUED", "PROCESSING", "SUCCEEDED"]),
    ({"job_words": "done"}, job_words, ["QUEUED", "PROCESSING", "DONE"]),
    ({"job_words": "finished"}, job_words, ["QUEUED", "PROCESSING", "FINISHED"]),
    ({"job_words": "partial"}, job_words, ["PENDING", "VALIDATING", "PARTIAL"]),
    ({"job_words": "partially_completed"}, job_words, ["PENDING", "VALIDATING", "PARTIALLY_COMPLETED"]),
    ({"job_words": "completed_with_errors"}, job_words, ["PENDING", "PROCESSING", "COMPLETED_WITH_ERRORS"]),
    ({"job_words": "failed"}, job_words, ["PENDING", "IN_PROGRESS", "FAILED"]),
    ({"job_words": "error"}, job_words, ["PENDING", "IN_PROGRESS", "ERROR"]),
    ({"job_words": "canceled", "job_ending": "cancelled_halfway"}, how_a_job_ends, ["CANCELED", 2, True]),
    ({"job_words": "unknown"}, job_words, ["QUEUED", "IN_THE_OVEN", "WRAPPED_UP"]),
    ({"job_words": "absent"}, job_words, ["QUEUED", None, None]),
    ({"job_words": "always_running"}, job_words, ["QUEUED", "IN_PROGRESS", "IN_PROGRESS"]),
    ({"job_completed_at": "given"}, finished_job("completed_at"), [True]),
    ({"job_completed_at": "null"}, finished_job("completed_at"), [None]),
    ({"job_completed_at": "absent"}, finished_job("completed_at"), ["-"]),
    ({"job_counters": "full"}, finished_job("processed_count", "total_rows"), [2, 2]),
    ({"job_counters": "zero"}, finished_job("processed_count", "total_rows"), [0, 0]),
    ({"job_counters": "absent"}, finished_job("processed_count", "total_rows"), ["-", "-"]),
    ({"job_ending": "complete"}, how_a_job_ends, ["COMPLETED", 4, True]),
    ({"job_ending": "cancelled_halfway"}, how_a_job_ends, ["CANCELLED", 2, True]),
    ({"job_ending": "failed_halfway"}, how_a_job_ends, ["FAILED", 2, True]),
    ({"job_ending": "stuck_halfway"}, how_a_job_ends, ["IN_PROGRESS", 2, False]),
    ({"result_rows": "full"}, result_rows, ["a", "b", "c", "d"]),
    ({"result_rows": "empty"}, result_rows, []),
    ({"result_rows": "null"}, result_rows, None),
    ({"result_rows": "absent"}, result_rows, "-"),
    ({"result_rows": "shuffled"}, shuffled_rows, (True, 50)),
    ({"result_rows": "other_names"}, result_rows, [_OTHER] * 4),
    ({"result_rows": "doubled"}, result_rows, [*"abcdabcd"]),
    ({"result_rows": "gaps"}, result_rows, ["a", "c", "d"]),
    ({"result_rows": "failures_only"}, result_rows, ["b"]),
    ({"result_rows": "without_ids"}, rows_without_ids, False),
    (
        {"result_rows": "strings"},
        result_rows,
        ["a@company.com: created", "b@company.com: failed", "c@company.com: created", "d@company.com: created"],
    ),
    ({"results_where": "progress"}, where_results_are, (False, True)),
    ({"results_where": "first"}, where_results_are, (True, False)),
    ({"results_where": "both"}, where_results_are, (True, True)),
    ({"results_where": "neither"}, where_results_are, (False, False)),
    ({"bulk_first_counts": "zero"}, first_counts, 0),
    ({"bulk_first_counts": "accepted"}, first_counts, 2),
    ({"job_id": "given"}, job_id, (True, 0, 1)),
    ({"job_id": "given_done"}, job_id, (True, 1, 1)),
    ({"job_id": "null_done"}, job_id, (False, 1, 1)),
    ({"job_id": "null_later"}, job_id, (False, 0, 1)),
    ({"job_ttl_seconds": 60}, old_job, (200, 404)),
    ({"job_ttl_seconds": None}, old_job, (200, 200)),
    ({"bulk_bad_item": "whole_422"}, bad_item, (422, ["body", "inboxes", 1, "smtp_port"])),
    ({"bulk_bad_item": "whole_400"}, bad_item, (400, ["body", "inboxes", 1, "smtp_port"])),
    ({"bulk_bad_item": "row"}, bad_item, (200, ["created", "failed"])),
    ({"bulk_bad_item": "whole_422"}, bad_native_item, (422, ["body", "inboxes", 1, "email_prefix"])),
    ({"bulk_bad_item": "row"}, bad_native_item, (200, ["created", "failed"])),
    ({"validation_detail": "plain"}, validation_detail, (2, ["loc", "msg", "type"], False)),
    ({"validation_detail": "first_only"}, validation_detail, (1, ["loc", "msg", "type"], False)),
    ({"validation_detail": "without_loc"}, validation_detail, (2, ["msg", "type"], False)),
    (
        {"validation_detail": "sentence"},
        validation_detail,
        "Validation failed: Input should be greater than or equal to 1",
    ),
    ({"validation_detail": "with_input"}, validation_detail, (2, ["input", "loc", "msg", "type"], True)),
    ({"validation_detail": "value_in_msg"}, validation_detail, (2, ["loc", "msg", "type"], True)),
    ({"duplicate_in_bulk": "row"}, duplicate, (3, 2, 2)),
    ({"duplicate_in_bulk": "whole_409"}, duplicate, 409),
    ({"duplicate_in_bulk": "whole_422"}, duplicate, 422),
    ({"duplicate_in_bulk": "first_wins"}, duplicate, (2, 2, 2)),
    ({"duplicate_in_bulk": "both"}, duplicate, (3, 3, 3)),
    ({"existing_in_bulk": "row"}, existing_in_bulk, (1, 2)),
    ({"existing_in_bulk": "whole_409"}, existing_in_bulk, (409, 1)),
    ({"existing_in_bulk": "upsert"}, existing_in_bulk, (2, 2)),
    ({"conflict_body": "without_id"}, conflict_body, {"detail": "Email account a@company.com already exists"}),
    (
        {"conflict_body": "field"},
        conflict_body,
        {"detail": "Email account a@company.com already exists", "inbox_id": "ID"},
    ),
    (
        {"conflict_body": "sentence"},
        conflict_body,
        {"detail": "Email account a@company.com already exists (inbox ID)"},
    ),
    (
        {"conflict_body": "object"},
        conflict_body,
        {"detail": "{'message': 'Email account a@company.com already exists', 'inbox_id': 'ID'}"},
    ),
    ({"address_scope": "workspace"}, address_scope, (409, 201)),
    ({"address_scope": "platform"}, address_scope, (409, 409)),
    ({"address_scope": "nowhere"}, address_scope, (201, 201)),
    ({"existing_single": "409"}, existing_single, (409, False, False)),
    ({"existing_single": "400"}, existing_single, (400, False, False)),
    ({"existing_single": "422"}, existing_single, (422, False, False)),
    ({"existing_single": "upsert"}, existing_single, (201, True, True)),
    ({"retry_after": "absent"}, retry_after, None),
    ({"retry_after": "seconds"}, retry_after, "60"),
    ({"retry_after": "http_date"}, retry_after, "GMT"),
    ({"limit_detail": "sixty"}, limit_sentence, 60),
    ({"limit_detail": "seconds", "refused_requests": "free"}, limit_sentence, 40),
    ({"limit_detail": "wordless"}, limit_sentence, None),
    ({"limit_detail": "list"}, limit_sentence, [{"msg": "Rate limit exceeded", "type": "rate_limit"}]),
    ({"limit_scope": "workspace"}, who_shares_a_pool, [200, 429, 200]),
    ({"limit_scope": "key"}, who_shares_a_pool, [200, 200, 200]),
    ({"limit_scope": "address"}, who_shares_a_pool, [200, 429, 429]),
    ({"window_kind": "sliding"}, window_kind, 1),
    ({"refused_requests": "counted"}, refused_requests, 429),
    ({"refused_requests": "free"}, refused_requests, 200),
    ({"headers_window": "minute"}, headers_window, "100"),
    ({"headers_window": "hour"}, headers_window, "10"),
    ({"headers_window": "tighter"}, headers_window, "10"),
    ({"headers_window": "absent"}, headers_window, None),
    ({"repeated_create_seconds": 0}, repeated_create, (409, False, 409)),
    ({"repeated_create_seconds": 30}, repeated_create, (201, True, 409)),
    ({"create_code": "201"}, code_of_create, (201, True, 1)),
    ({"create_code": "200"}, code_of_create, (200, True, 1)),
    ({"create_code": "202"}, code_of_create, (202, True, 1)),
    ({"create_code": "204"}, code_of_create, (204, False, 1)),
    ({"bulk_code": "200"}, code_of_bulk, (200, True)),
    ({"bulk_code": "201"}, code_of_bulk, (201, True)),
    ({"bulk_code": "202"}, code_of_bulk, (202, True)),
    ({"bulk_code": "204"}, code_of_bulk, (204, False)),
    ({"delete_code": "200"}, code_of_delete, (200, True, 0)),
    ({"delete_code": "202"}, code_of_delete, (202, True, 0)),
    ({"delete_code": "204"}, code_of_delete, (204, False, 0)),
    ({"delete_code": "200_empty"}, code_of_delete, (200, False, 0)),
    ({"test_email_code": "200"}, code_of_test_mail, (200, True, 1)),
    ({"test_email_code": "201"}, code_of_test_mail, (201, True, 1)),
    ({"test_email_code": "202"}, code_of_test_mail, (202, True, 1)),
    ({"test_email_code": "204"}, code_of_test_mail, (204, False, 1)),
    ({"success_false": "never"}, success_false, [(201, True), (409, None)]),
    ({"success_false": "refusals"}, success_false, [(201, True), (200, False)]),
    ({"success_false": "although_done"}, success_false, [(201, False), (409, None)]),
    ({"test_mail_outcome": "sent"}, test_mail_outcome, (200, True, True, 1)),
    ({"test_mail_outcome": "sent_without_id"}, test_mail_outcome, (200, True, False, 1)),
    ({"test_mail_outcome": "failed_200"}, test_mail_outcome, (200, False, False, 0)),
    ({"test_mail_outcome": "failed_400"}, test_mail_outcome, (400, None, False, 0)),
    ({"in_use_code": "409"}, delete_in_use, 409),
    ({"in_use_code": "400"}, delete_in_use, 400),
    ({"in_use_code": "422"}, delete_in_use, 422),
    ({"in_use_states": "all"}, states_that_hold, ["DRAFT", "ACTIVE", "PAUSED", "COMPLETED", "FAILED"]),
    ({"in_use_states": "active_or_paused"}, states_that_hold, ["ACTIVE", "PAUSED"]),
    ({"in_use_states": "active"}, states_that_hold, ["ACTIVE"]),
    ({"skipped_rows": "reasoned"}, skipped, (2, ["Inbox is in use by a campaign", "Sender account not found"])),
    ({"skipped_rows": "unreasoned"}, skipped, (2, [None, None])),
    ({"skipped_rows": "absent"}, skipped, (2, [])),
    ({"delete_seconds": 0}, delete_takes_time, [200, 404, 201, 404]),
    ({"delete_seconds": 30}, delete_takes_time, [200, 200, 409, 404]),
    ({"recreate_refused_seconds": 0}, recreate, (201, 409)),
    ({"recreate_refused_seconds": 30}, recreate, (409, 201)),
    ({"native_answer": "full"}, native_answer, (True, False, True)),
    ({"native_answer": "without_id"}, native_answer, (False, False, True)),
    ({"native_answer": "wrapped"}, native_answer, (False, True, False)),
    ({"native_answer": "empty"}, native_answer, (False, False, False)),
    ({"native_seconds": 0}, native_appears, (201, 1, 1)),
    ({"native_seconds": 30}, native_appears, (201, 0, 1)),
    (
        {"native_first_status": "ACTIVE", "pending_seconds": 30},
        first_status(lambda desk: desk.native(desk.domain())),
        ("ACTIVE", "ACTIVE"),
    ),
    (
        {"native_first_status": "PENDING", "pending_seconds": 30},
        first_status(lambda desk: desk.native(desk.domain())),
        ("PENDING", "ACTIVE"),
    ),
    ({"native_bulk_answer": "results"}, native_bulk_answer, (False, 2, True, 2, 2)),
    ({"native_bulk_answer": "counts"}, native_bulk_answer, (False, 2, False, 2, 2)),
    ({"native_bulk_answer": "job"}, native_bulk_answer, (True, 0, False, 0, 2)),
    ({"native_bulk_answer": "empty"}, native_bulk_answer, (False, None, False, 2, 2)),
    ({"native_bulk_partial": "rows"}, native_bulk_partial, (200, 2)),
    ({"native_bulk_partial": "whole_409"}, native_bulk_partial, (409, 1)),
    ({"native_bulk_progress": "404", "native_bulk_answer": "job"}, native_bulk_progress, 404),
    ({"native_bulk_progress": "answered", "native_bulk_answer": "job"}, native_bulk_progress, 200),
    ({"domain_not_active": "400"}, native_on(status="DNS_PENDING"), 400),
    ({"domain_not_active": "409"}, native_on(status="FAILED"), 409),
    ({"domain_not_active": "422"}, native_on(status="PENDING"), 422),
    ({"domain_not_active": "accepted"}, native_on(status="PENDING"), 201),
    ({"domain_full": "400"}, native_on(max_inboxes=0), 400),
    ({"domain_full": "409"}, native_on(max_inboxes=0), 409),
    ({"domain_full": "422"}, native_on(max_inboxes=0), 422),
    ({"domain_full": "403"}, native_on(max_inboxes=0), 403),
    ({"prefix_rules": "cautious"}, prefixes, ["john", "j.o-h_n"]),
    ({"prefix_rules": "letters_digits"}, prefixes, ["john"]),
    ({"prefix_rules": "anything"}, prefixes, ["john", "j.o-h_n", "John+x", ".john", "jo..hn"]),
    ({"native_display_name_maximum": 255}, native_name(256), 422),
    ({"native_display_name_maximum": 300}, native_name(256), 201),
    ({"display_name_form": "as_sent"}, kept_name, "  Ann   ... "),
    ({"display_name_form": "trimmed"}, kept_name, "Ann ..."),
    ({"display_name_form": "cut_64"}, kept_name, "  Ann   " + "x" * 56),
    ({"native_daily_limit": 100}, native_limit, 100),
    ({"native_daily_limit": None}, native_limit, None),
    ({"native_limit_sent": "ignored"}, native_limit_sent, (201, 100)),
    ({"native_limit_sent": "taken"}, native_limit_sent, (201, 7)),
    ({"native_limit_sent": "refused"}, native_limit_sent, (422, None)),
    ({"limit_out_of_range": "refused"}, limits_out_of_range, [422, 422]),
    ({"limit_out_of_range": "clamped"}, limits_out_of_range, [100_000, 1]),
    ({"limit_minimum": 1}, low_limits, [422, 201, 201]),
    ({"limit_minimum": 10}, low_limits, [422, 422, 201]),
    ({"limit_minimum": 0}, low_limits, [201, 201, 201]),
    ({"pending_seconds": 0}, first_status(lambda desk: desk.create()), ("ACTIVE", "ACTIVE")),
    ({"pending_seconds": 30}, first_status(lambda desk: desk.create()), ("PENDING", "ACTIVE")),
    ({"pending_filter": "refused"}, pending_filter, 422),
    ({"pending_filter": "accepted"}, pending_filter, 200),
    ({"status_words": "usual", "type_words": "usual"}, row_words, ("ACTIVE", "CUSTOM_SMTP")),
    ({"status_words": "lower_case", "type_words": "lower_case"}, row_words, ("active", "custom_smtp")),
    ({"status_words": "unknown", "type_words": "unknown"}, row_words, ("WARMING_UP", "AMAZON_SES")),
    ({"search_match": "partial"}, search("ANN"), ["JoAnn", "ann x", "ann+x"]),
    ({"search_match": "partial_case"}, search("Ann"), ["JoAnn"]),
    ({"search_match": "exact"}, search("JOANN@company.com"), ["JoAnn"]),
    ({"search_match": "exact_case"}, search("JOANN@company.com"), []),
    ({"search_match": "prefix"}, search("Ann"), ["ann x", "ann+x"]),
    ({"search_match": "with_name"}, search("Ann"), ["JoAnn", "ann x", "ann+x", "b"]),
    ({"search_match": "sql_like"}, search("a_n@"), ["JoAnn", "a_n"]),
    ({"search_match": "ignored"}, search("Ann"), ["JoAnn", "a_n", "ann x", "ann+x", "b"]),
    ({"search_plus": "literal"}, search("ann+x"), ["ann+x"]),
    ({"search_plus": "space"}, search("ann+x"), ["ann x"]),
    ({"list_delay_seconds": 0}, seen_in_list, [200, 1, 1]),
    ({"list_delay_seconds": 30}, seen_in_list, [200, 0, 1]),
    ({"list_vanish_seconds": 0}, unseen_in_list, [404, 0, 0]),
    ({"list_vanish_seconds": 30}, unseen_in_list, [404, 1, 0]),
    ({"list_order": "stable"}, order_holds, [True, True]),
    ({"list_order": "unsorted_only"}, order_holds, [False, True]),
    ({"list_order": "unstable"}, order_holds, [False, False]),
    ({"list_total": "exact"}, total, 1),
    ({"list_total": "stale"}, total, 2),
    ({"default_sort": "created_at_desc"}, default_order(), "acb"),
    ({"default_sort": "created_at_asc"}, default_order(), "bca"),
    ({"default_sort": "email_address"}, default_order(), "abc"),
    ({"default_order": "asc"}, default_order(sort_by="email_address"), "abc"),
    ({"default_order": "desc"}, default_order(sort_by="email_address"), "cba"),
    ({"detail_envelope": "top_level"}, envelope, ([], True)),
    ({"detail_envelope": "sender_account"}, envelope, (["message", "sender_account", "success"], True)),
    ({"detail_envelope": "data"}, envelope, (["data", "message", "success"], True)),
    ({"detail_envelope": "row_only"}, envelope, ([], False)),
    ({"health_form": "float"}, health, 95.5),
    ({"health_form": "null"}, health, None),
    ({"health_form": "absent"}, health, "-"),
    ({"health_form": "fraction"}, health, 0.955),
    ({"health_form": "integer"}, health, 95),
    ({"address_case": "lower"}, kept_address, "ann@company.com"),
    ({"address_case": "lower_domain"}, kept_address, "Ann@company.com"),
    ({"address_case": "as_sent"}, kept_address, "Ann@Company.COM"),
    ({"disabled_reason": "absent"}, reason_of_disabled, "-"),
    ({"disabled_reason": "detail"}, reason_of_disabled, "login refused"),
    ({"progress_scope": "read"}, scopes_that_open(ask_progress), ["read"]),
    ({"progress_scope": "as_start"}, scopes_that_open(ask_progress), ["delete"]),
    ({"progress_scope": "none"}, scopes_that_open(ask_progress), ["create", "read", "delete"]),
    ({"test_email_scope": "read"}, scopes_that_open(ask_test_mail), ["read"]),
    ({"test_email_scope": "create"}, scopes_that_open(ask_test_mail), ["create"]),
    ({"test_email_scope": "all"}, scopes_that_open(ask_test_mail), []),
    ({"test_email_scope": "none"}, scopes_that_open(ask_test_mail), ["create", "read", "delete"]),
    ({"domain_scope": "none"}, scopes_that_open(ask_domains), ["create", "read", "delete"]),
    ({"domain_scope": "read"}, scopes_that_open(ask_domains), ["read"]),
    ({"domain_scope": "domains"}, scopes_that_open(ask_domains), []),
    ({"connection_check_seconds": 0}, checked_for, (201, False)),
    ({"connection_check_seconds": 0.2}, checked_for, (201, True)),
    (
        {
            "connection_check_limit_seconds": 0.05,
            "connection_check_seconds": 5,
            "connection_check_over": "nothing_done",
        },
        check_takes_too_long,
        (504, 0),
    ),
    (
        {"connection_check_limit_seconds": 0.05, "connection_check_seconds": 5, "connection_check_over": "done_later"},
        check_takes_too_long,
        (504, 1),
    ),
    ({"connection_failure": "refused"}, failed_check, (400, [])),
    ({"connection_failure": "disabled"}, failed_check, (201, ["DISABLED"])),
    ({"connection_failed_code": "400"}, failed_check, (400, [])),
    ({"connection_failed_code": "422"}, failed_check, (422, [])),
    ({"connection_failed_code": "424"}, failed_check, (424, [])),
    ({"connection_failed_code": "502"}, failed_check, (502, [])),
    ({"parallel_jobs": None}, parallel_jobs, ([200, 200, 200], 200)),
    ({"parallel_jobs": 1, "parallel_jobs_code": "429"}, parallel_jobs, ([200, 429, 429], 200)),
    ({"parallel_jobs": 2, "parallel_jobs_code": "409"}, parallel_jobs, ([200, 200, 409], 200)),
    ({"parallel_jobs": 1, "parallel_jobs_code": "400"}, parallel_jobs, ([200, 400, 400], 200)),
    ({"parallel_jobs": 1, "parallel_jobs_code": "503"}, parallel_jobs, ([200, 503, 503], 200)),
    ({"request_id": "absent"}, request_id, False),
    ({"request_id": "given"}, request_id, True),
    ({"body_limit_bytes": None}, large_body, (200, 201)),
    ({"body_limit_bytes": 5000}, large_body, (413, 201)),
    ({"plan_limit": None}, plan_limit, [201, 201, 201]),
    ({"plan_limit": 2, "plan_limit_code": "402"}, plan_limit, [201, 201, 402]),
    ({"plan_limit": 2, "plan_limit_code": "403"}, plan_limit, [201, 201, 403]),
    ({"plan_limit": 2, "plan_limit_code": "400"}, plan_limit, [201, 201, 400]),
    ({"plan_limit": 2, "plan_limit_code": "409"}, plan_limit, [201, 201, 409]),
    ({"plan_limit_in_bulk": "row", "plan_limit": 2}, plan_limit_in_bulk, ["created", "created", "failed"]),
    ({"plan_limit_in_bulk": "whole", "plan_limit": 2}, plan_limit_in_bulk, 402),
    ({"secret_minimum": 1}, password_of(3), 201),
    ({"secret_minimum": 8}, password_of(3), 422),
    ({"secret_maximum": 255}, password_of(256), 422),
    ({"secret_maximum": 300}, password_of(256), 201),
    ({"domain_delete": "deletes_inboxes"}, delete_domain, (200, 0)),
    ({"domain_delete": "keeps_inboxes"}, delete_domain, (200, 1)),
    ({"domain_delete": "refused"}, delete_domain, (409, 1)),
    ({"unknown_fields": "ignored"}, unknown_field, (201, None)),
    ({"unknown_fields": "refused"}, unknown_field, (422, ["body", "label"])),
    ({"job_seconds": 1}, halfway, 2),
    ({"job_seconds": 16}, halfway, 1),
    ({"domain_setup_seconds": 1}, activated_domain, "ACTIVE"),
    ({"domain_setup_seconds": 60}, activated_domain, "SERVICES_CONFIGURING"),
    ({"date_skew_seconds": 0}, years_off, (False, False)),
    ({"date_skew_seconds": 1e9}, years_off, (True, True)),
]
