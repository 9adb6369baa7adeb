"""The program itself: how it starts, says where it is, and ends."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

import coldsend_emulator
from coldsend_emulator.running import EmulatorError, running_emulator
from tests.emulator.client import KEY, EmulatorClient

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(coldsend_emulator.__file__).parent.parent), "NO_COLOR": "1"}
COMMAND = [sys.executable, "-m", "coldsend_emulator", "--port", "0"]


@contextmanager
def started(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
    )
    try:
        assert process.stdout
        yield process, process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe:
                pipe.close()


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_is_and_ends_at_once_when_told(sent: signal.Signals) -> None:
    with started("--api-key", KEY) as (process, line):
        url = line.removeprefix("listening on ")
        assert httpx.get(f"{url}/api/public/v1/sender-accounts", headers={"X-API-Key": KEY}).status_code == 200
        process.send_signal(sent)
        assert process.wait(5) == 0
        assert process.stdout
        assert process.stderr
        assert (process.stdout.read(), process.stderr.read()) == ("", "")


def test_it_ends_while_requests_are_held() -> None:
    with started("--api-key", KEY) as (process, line):
        url = line.removeprefix("listening on ")
        httpx.post(f"{url}/_emulator/faults", json={"kind": "pause"})
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(f"{url}/api/public/v1/sender-accounts", timeout=0.1)
        process.terminate()
        assert process.wait(5) == 0


def test_it_ends_with_the_standard_input_when_asked_to() -> None:
    with started("--api-key", KEY, "--until-stdin-closes") as (process, _):
        assert process.stdin
        process.stdin.close()
        assert process.wait(5) == 0


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--api-key", KEY, "--port", "70000"],
        ["--api-key", KEY, "--domain", "mail.example.com=many"],
        ["--api-key", KEY, "--switch", "nonsense=1"],
        ["--api-key", KEY, "--switch", "create_code=418"],
        ["--api-key", KEY, "--nonsense"],
    ],
)
def test_wrong_usage_ends_with_2(arguments: list[str]) -> None:
    ended = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, env=ENVIRONMENT, check=False)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "Traceback" not in ended.stderr


def test_a_port_that_is_taken_ends_with_1_and_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [*COMMAND, "--api-key", KEY, "--port", port]
        ended = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, check=False)
    assert (ended.returncode, ended.stderr) == (1, f"cannot listen on 127.0.0.1:{port}: Address already in use\n")


def test_each_key_has_its_own_workspace_unless_told_otherwise() -> None:
    keys = ["cs_live_a", "cs_live_b", "cs_live_c=shared", "cs_live_d=shared"]
    with running_emulator(keys, domains=["mail.example.com=7"]) as emulator:
        assert [key["workspace"] for key in emulator.call("GET", "/keys")["keys"]] == [
            *("default", "workspace-2", "shared", "shared")
        ]
        domain = emulator.call("GET", "/domains")["domains"][0]
        assert (domain["workspace"], domain["max_inboxes"], domain["status"]) == ("default", 7, "ACTIVE")


def test_limits_and_switches_are_set_from_the_start() -> None:
    with running_emulator([KEY], per_minute=7, per_hour=70, switches={"create_code": "200"}) as emulator:
        assert emulator.call("GET", "/limits") == {"per_minute": 7, "per_hour": 70}
        assert EmulatorClient(emulator).create().status_code == 200


def test_a_failed_start_is_told() -> None:
    with pytest.raises(EmulatorError, match="exit code 2"), running_emulator([KEY], switches={"nonsense": "1"}):
        pass


def test_it_dies_with_a_process_that_is_killed() -> None:
    script = (
        "import time\n"
        "from coldsend_emulator.running import running_emulator\n"
        "with running_emulator() as emulator:\n"
        "    print(emulator.pid, emulator.url, flush=True)\n"
        "    time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)
    assert parent.stdout
    url = parent.stdout.readline().split()[1]
    parent.kill()
    parent.wait()
    parent.stdout.close()
    with pytest.raises(httpx.TransportError):
        ask_until_nobody_answers(url)


def ask_until_nobody_answers(url: str) -> None:
    while True:
        httpx.get(f"{url}/_emulator/limits")
