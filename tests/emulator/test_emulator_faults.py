"""Faults on demand: what a client sees, and whether the work was done."""

import threading
import time
from typing import Any

import httpx
import pytest

from tests.emulator.desk import Desk

LIST = "/sender-accounts"


@pytest.mark.parametrize("status", [429, 500, 503, 402, 418])
def test_a_status_comes_in_place_of_the_work(desk: Desk, status: int) -> None:
    desk.emulator.fault("status", status=status, operation="createSmtpAccount", count=1)
    answer = desk.create()
    assert (answer.status_code, answer.json(), desk.rows()) == (status, {"detail": "The platform has a problem"}, [])
    assert desk.create().status_code == 201


def test_a_status_can_come_after_the_work(desk: Desk) -> None:
    desk.emulator.fault("status", when="after", method="POST", body={"detail": "late"}, headers={"Retry-After": "7"})
    answer = desk.create()
    assert (answer.status_code, answer.json(), answer.headers["retry-after"]) == (503, {"detail": "late"}, "7")
    assert desk.addresses() == ["a@company.com"]


@pytest.mark.parametrize(("when", "done"), [("before", []), ("after", ["a@company.com"])])
def test_a_connection_is_cut_before_or_after_the_work(desk: Desk, when: str, done: list[str]) -> None:
    desk.emulator.fault("cut", when=when, path="/smtp$", count=1)
    with pytest.raises(httpx.TransportError):
        desk.create()
    assert desk.addresses() == done


def test_a_body_that_is_no_json_comes_after_the_work(desk: Desk) -> None:
    desk.emulator.fault("not_json", operation="createSmtpAccount")
    answer = desk.create()
    assert (answer.status_code, answer.headers["content-type"]) == (201, "text/html")
    assert (answer.text[:6], desk.addresses()) == ("<html>", ["a@company.com"])


def test_a_truncated_body_ends_in_the_middle(desk: Desk) -> None:
    desk.emulator.fault("truncated", operation="createSmtpAccount", count=1)
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
        desk.create()
    assert desk.addresses() == ["a@company.com"]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_delay_lets_a_client_give_up_while_the_work_is_done(desk: Desk, when: str) -> None:
    fault = desk.emulator.fault("delay", when=when, seconds=0.3, operation="createSmtpAccount")
    desk.http.timeout = httpx.Timeout(0.1)
    with pytest.raises(httpx.ReadTimeout):
        desk.create()
    desk.http.timeout = httpx.Timeout(5)
    desk.emulator.remove_fault(fault)
    while not desk.rows():
        time.sleep(0.02)
    assert desk.addresses() == ["a@company.com"]


@pytest.mark.parametrize(("when", "done"), [("before", []), ("after", ["a@company.com"])])
def test_a_pause_holds_a_request_until_it_is_released(desk: Desk, when: str, done: list[str]) -> None:
    fault = desk.emulator.fault("pause", when=when, operation="createSmtpAccount")
    answers: list[httpx.Response] = []
    client = threading.Thread(target=lambda: answers.append(desk.create()))
    client.start()
    assert desk.emulator.wait_for_fault(fault)["waiting"] == 1
    assert [inbox["email_address"] for inbox in desk.emulator.inboxes()] == done
    desk.emulator.release(fault)
    client.join()
    assert answers[0].status_code == 201


def test_removing_a_pause_releases_what_it_holds(desk: Desk) -> None:
    fault = desk.emulator.fault("pause", operation="listSenderAccounts")
    client = threading.Thread(target=desk.rows)
    client.start()
    desk.emulator.wait_for_fault(fault)
    desk.emulator.clear_faults()
    client.join()
    assert desk.rows() == []


def test_waiting_for_a_fault_ends_when_nothing_comes(desk: Desk) -> None:
    fault = desk.emulator.fault("cut", operation="addDomain")
    with pytest.raises(Exception, match=r"was hit 0 times in 0\.05 s, not 1"):
        desk.emulator.wait_for_fault(fault, seconds=0.05)


@pytest.mark.parametrize(
    ("parts", "hit"),
    [
        ({"count": 2}, [0, 1]),
        ({"every": 3}, [2, 5]),
        ({"skip": 4}, [4, 5]),
        ({"skip": 1, "every": 2, "count": 1}, [2]),
        ({"operation": "listDomains"}, []),
        ({"method": "POST"}, []),
        ({"path": "sender-accounts$"}, [0, 1, 2, 3, 4, 5]),
        ({"workspace": "workspace-2"}, []),
    ],
)
def test_a_fault_hits_only_what_it_names(desk: Desk, parts: dict[str, Any], hit: list[int]) -> None:
    desk.emulator.fault("status", status=500, **parts)
    codes = [desk.http.get(LIST).status_code for _ in range(6)]
    assert [place for place, code in enumerate(codes) if code == 500] == hit


def test_a_fault_can_name_what_stands_in_the_body(desk: Desk) -> None:
    desk.emulator.fault("status", body_contains='"b@company.com"')
    assert [desk.create(f"{name}@company.com").status_code for name in "abc"] == [201, 503, 201]


@pytest.mark.parametrize(
    "parts", [{"kind": "nonsense"}, {"kind": "cut", "operation": "nonsense"}, {"kind": "cut", "every": 0}]
)
def test_a_fault_that_makes_no_sense_is_refused(desk: Desk, parts: dict[str, Any]) -> None:
    with pytest.raises(Exception, match="422"):
        desk.emulator.fault(**parts)


def test_the_log_tells_cut_and_faulty_requests(desk: Desk) -> None:
    fault = desk.emulator.fault("cut", operation="createSmtpAccount", count=1)
    with pytest.raises(httpx.TransportError):
        desk.create()
    entry = desk.emulator.requests(status="cut")[0]
    assert (entry["operation"], entry["fault"], entry["status"]) == ("createSmtpAccount", fault, None)
