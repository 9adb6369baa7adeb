"""Faults on demand: what a client sees, and whether the work was done."""

import threading
import time
from typing import Any

import httpx
import pytest

from tests.emulator.client import EmulatorClient

LIST = "/sender-accounts"


@pytest.mark.parametrize("status", [429, 500, 503, 402, 418])
def test_a_status_comes_in_place_of_the_work(client: EmulatorClient, status: int) -> None:
    client.emulator.fault("status", status=status, operation="createSmtpAccount", count=1)
    answer = client.create()
    assert (answer.status_code, answer.json(), client.rows()) == (status, {"detail": "The platform has a problem"}, [])
    assert client.create().status_code == 201


def test_a_status_can_come_after_the_work(client: EmulatorClient) -> None:
    client.emulator.fault("status", when="after", method="POST", body={"detail": "late"}, headers={"Retry-After": "7"})
    answer = client.create()
    assert (answer.status_code, answer.json(), answer.headers["retry-after"]) == (503, {"detail": "late"}, "7")
    assert client.addresses() == ["a@company.com"]


@pytest.mark.parametrize(("when", "done"), [("before", []), ("after", ["a@company.com"])])
def test_a_connection_is_cut_before_or_after_the_work(client: EmulatorClient, when: str, done: list[str]) -> None:
    client.emulator.fault("cut", when=when, path="/smtp$", count=1)
    with pytest.raises(httpx.TransportError):
        client.create()
    assert client.addresses() == done


def test_a_body_that_is_no_json_comes_after_the_work(client: EmulatorClient) -> None:
    client.emulator.fault("not_json", operation="createSmtpAccount")
    answer = client.create()
    assert (answer.status_code, answer.headers["content-type"]) == (201, "text/html")
    assert (answer.text[:6], client.addresses()) == ("<html>", ["a@company.com"])


def test_a_truncated_body_ends_in_the_middle(client: EmulatorClient) -> None:
    client.emulator.fault("truncated", operation="createSmtpAccount", count=1)
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
        client.create()
    assert client.addresses() == ["a@company.com"]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_delay_lets_a_client_give_up_while_the_work_is_done(client: EmulatorClient, when: str) -> None:
    fault = client.emulator.fault("delay", when=when, seconds=0.3, operation="createSmtpAccount")
    client.http.timeout = httpx.Timeout(0.1)
    with pytest.raises(httpx.ReadTimeout):
        client.create()
    client.http.timeout = httpx.Timeout(5)
    client.emulator.remove_fault(fault)
    while not client.rows():
        time.sleep(0.02)
    assert client.addresses() == ["a@company.com"]


@pytest.mark.parametrize(("when", "done"), [("before", []), ("after", ["a@company.com"])])
def test_a_pause_holds_a_request_until_it_is_released(client: EmulatorClient, when: str, done: list[str]) -> None:
    fault = client.emulator.fault("pause", when=when, operation="createSmtpAccount")
    answers: list[httpx.Response] = []
    caller = threading.Thread(target=lambda: answers.append(client.create()))
    caller.start()
    assert client.emulator.wait_for_fault(fault)["waiting"] == 1
    assert [inbox["email_address"] for inbox in client.emulator.inboxes()] == done
    client.emulator.release(fault)
    caller.join()
    assert answers[0].status_code == 201


def test_removing_a_pause_releases_what_it_holds(client: EmulatorClient) -> None:
    fault = client.emulator.fault("pause", operation="listSenderAccounts")
    caller = threading.Thread(target=client.rows)
    caller.start()
    client.emulator.wait_for_fault(fault)
    client.emulator.clear_faults()
    caller.join()
    assert client.rows() == []


def test_waiting_for_a_fault_ends_when_nothing_comes(client: EmulatorClient) -> None:
    fault = client.emulator.fault("cut", operation="addDomain")
    with pytest.raises(Exception, match=r"was hit 0 times in 0\.05 s, not 1"):
        client.emulator.wait_for_fault(fault, seconds=0.05)


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
def test_a_fault_hits_only_what_it_names(client: EmulatorClient, parts: dict[str, Any], hit: list[int]) -> None:
    client.emulator.fault("status", status=500, **parts)
    codes = [client.http.get(LIST).status_code for _ in range(6)]
    assert [place for place, code in enumerate(codes) if code == 500] == hit


def test_a_fault_can_name_what_stands_in_the_body(client: EmulatorClient) -> None:
    client.emulator.fault("status", body_contains='"b@company.com"')
    assert [client.create(f"{name}@company.com").status_code for name in "abc"] == [201, 503, 201]


@pytest.mark.parametrize(
    "parts", [{"kind": "nonsense"}, {"kind": "cut", "operation": "nonsense"}, {"kind": "cut", "every": 0}]
)
def test_a_fault_that_makes_no_sense_is_refused(client: EmulatorClient, parts: dict[str, Any]) -> None:
    with pytest.raises(Exception, match="422"):
        client.emulator.fault(**parts)


def test_the_log_tells_cut_and_faulty_requests(client: EmulatorClient) -> None:
    fault = client.emulator.fault("cut", operation="createSmtpAccount", count=1)
    with pytest.raises(httpx.TransportError):
        client.create()
    entry = client.emulator.requests(status="cut")[0]
    assert (entry["operation"], entry["fault"], entry["status"]) == ("createSmtpAccount", fault, None)
