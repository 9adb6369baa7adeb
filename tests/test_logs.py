"""Logs: one line for each decision, and no secret in any of them."""

import ast
import base64
import errno
import html
import io
import json
import logging
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
import structlog
from pydantic import SecretStr

import coldsend_operator
from coldsend_operator.log_masks import KnownSecrets
from coldsend_operator.logs import Event, configure_logs, log, mask, masked_text, one_line, traceback_text

SECRET = 'hunt"er 2 ü'
KEY = "cs_live_0123456789-abc_DEF"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """Where the lines go; what was set up before comes back afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield io.StringIO()
    structlog.reset_defaults()
    logging.captureWarnings(capture=False)
    root.handlers, root.level = handlers, level


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_decision_is_one_line_of_json_with_its_event_first(stream: io.StringIO) -> None:
    configure_logs("json", "info", stream)
    log.info(Event.CALL, namespace="sales", name="outreach", workspace="0a1b2c", operation="create_smtp")
    (line,) = lines(stream)
    assert list(line) == ["time", "level", "event", "namespace", "name", "workspace", "operation"]
    assert line["event"] == "call"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", line["time"])


def test_on_a_terminal_lines_are_for_people_else_json(stream: io.StringIO) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    configure_logs(None, "info", terminal)
    log.info(Event.CALL, name="outreach")
    assert "name" in terminal.getvalue()
    assert not terminal.getvalue().startswith("{")
    configure_logs(None, "info", stream)
    log.info(Event.CALL)
    assert lines(stream)


@pytest.mark.parametrize("number", [errno.EPIPE, errno.ENOSPC, errno.EAGAIN])
def test_a_line_that_cannot_be_written_is_lost_and_costs_nothing_else(number: int, stream: io.StringIO) -> None:
    class Closed(io.StringIO):
        def write(self, _text: str) -> int:
            raise OSError(number, os.strerror(number))

    configure_logs("json", "info", Closed())
    log.info(Event.STARTED)
    logging.getLogger("kopf").warning("a library speaks")
    configure_logs("json", "info", stream)
    log.info(Event.STOPPED)
    assert [line["event"] for line in lines(stream)] == ["stopped"]


def test_lines_below_the_level_are_left_out(stream: io.StringIO) -> None:
    configure_logs("json", "warning", stream)
    log.info(Event.CALL)
    logging.getLogger("anything").info("chatter")
    log.warning(Event.CALL_FAILED)
    assert [line["event"] for line in lines(stream)] == ["call_failed"]


def test_what_kopf_tries_again_by_itself_is_a_warning(stream: io.StringIO) -> None:
    configure_logs("json", "info", stream)
    kopf = logging.getLogger("kopf._cogs.clients.watching")
    kopf.error("Request attempt #1/9 failed; will retry: GET /apis -> 429")
    kopf.error("Request attempt #9/9 failed; escalating: GET /apis -> 429")
    assert [line["level"] for line in lines(stream)] == ["warning", "error"]


@pytest.mark.parametrize(
    "library", ["kopf.objects", "httpx", "httpcore.connection", "kubernetes.aio", "aiohttp.access"]
)
@pytest.mark.parametrize("level", ["debug", "info"])
def test_libraries_are_heard_from_warnings_on(library: str, level: str, stream: io.StringIO) -> None:
    configure_logs("json", level, stream)
    logging.getLogger(library).info("GET /sender-accounts?search=ann@example.com")
    logging.getLogger(library).warning("connection lost to %s", "ColdSend")
    (line,) = lines(stream)
    assert (line["event"], line["library"]) == ("library", library)
    assert line["message"] == "connection lost to ColdSend"


SPELLINGS = {
    "plain": SECRET,
    "json": json.dumps({"a": SECRET}),
    "repr": repr([SECRET]),
    "url": f"https://example.com/?p={quote(SECRET, safe='')}",
    "base64": base64.b64encode(SECRET.encode()).decode(),
    "html": html.escape(SECRET),
    "query": quote_plus(SECRET),
    "login": base64.b64encode(f"\0jane\0{SECRET}".encode()).decode(),
}


@pytest.mark.parametrize("text", SPELLINGS.values(), ids=SPELLINGS)
def test_a_known_secret_is_masked_in_every_spelling(text: str, stream: io.StringIO) -> None:
    configure_logs("json", "info", stream)
    mask(SecretStr(SECRET))
    log.info(Event.CALL, message=f"before {text} after", nested={"list": [text]})
    logging.getLogger("library").warning("it said %s", text)
    for spelling in (SECRET, json.dumps(SECRET)[1:-1], quote(SECRET, safe=""), *list(SPELLINGS.values())[-4:]):
        assert spelling not in stream.getvalue()
    assert "before" in stream.getvalue()
    assert "after" in stream.getvalue()


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (f"key {KEY}, refused", "key ***, refused"),
        ('{"smtp_password": "a b\\"c", "port": 587}', '{"smtp_password": "***", "port": 587}'),
        ("SmtpInbox(smtp_password='abc', port=1)", "SmtpInbox(smtp_password='***', port=1)"),
        ("{'api_key': 'abc'}", "{'api_key': '***'}"),
        ("Authorization: Bearer abc.def", "Authorization: Bearer ***"),
        ("X-API-Key: abc", "X-API-Key: ***"),
        ("Secret sales/outreach has no key `password`: add it", "Secret sales/outreach has no key `password`: add it"),
    ],
)
def test_what_looks_like_a_secret_is_masked_without_being_known(text: str, masked: str) -> None:
    assert masked_text(text) == masked


@pytest.mark.parametrize(
    "name", ["password", "smtp_password", "imapPassword", "api_key", "apiKey", "Authorization", "X-API-Key"]
)
def test_a_value_under_the_name_of_a_secret_is_masked(name: str, stream: io.StringIO) -> None:
    configure_logs("json", "info", stream)
    log.info(Event.CALL, body={name: "swordfish"}, headers=[{name: ["swordfish"]}], **{name: 12345})
    assert "swordfish" not in stream.getvalue()
    assert "12345" not in stream.getvalue()


@pytest.mark.parametrize("secret", ["call_failed", "warning", "sales", "outreach", "0a1b2c3d4e5f", "create_smtp"])
def test_a_password_that_is_a_word_of_the_operator_blinds_no_line(secret: str, stream: io.StringIO) -> None:
    configure_logs("json", "info", stream)
    mask(SecretStr(secret))
    own = {"namespace": "sales", "name": "outreach", "workspace": "0a1b2c3d4e5f", "operation": "create_smtp"}
    log.warning(Event.CALL_FAILED, message=f"it said {secret}", **own)
    (line,) = lines(stream)
    del line["time"]
    assert line == {"level": "warning", "event": "call_failed", "message": "it said ***", **own}


@pytest.mark.parametrize("address", ["ann@company.com", "Ann.O'Hara+x@mail.company.com", "ann%40company.com"])
@pytest.mark.parametrize("level", ["info", "warning", "error"])
def test_no_address_stands_in_a_line_of_info_or_above(level: str, address: str, stream: io.StringIO) -> None:
    configure_logs("json", "debug", stream)
    getattr(log, level)(Event.CALL_FAILED, message=f"<{address}> exists: {address}.", faults=[{"of": address}])
    logging.getLogger("library").warning("it said %s", address)
    assert "company.com" not in stream.getvalue()
    assert "exists" in stream.getvalue()


def test_a_traceback_holds_no_address(stream: io.StringIO) -> None:
    configure_logs("json", "info", stream)
    log.error(Event.LOOP_FAILED, exc_info=ValueError("no inbox ann@company.com"))
    assert "no inbox (address)" in lines(stream)[0]["exception"]


def test_debug_lines_keep_addresses(stream: io.StringIO) -> None:
    configure_logs("json", "debug", stream)
    log.debug(Event.CALL, message="search ann@company.com")
    assert lines(stream)[0]["message"] == "search ann@company.com"


def fail() -> None:
    password = SECRET  # also in a local variable of the frame
    raise ValueError(f"cannot log in with {password} and {KEY}") from KeyError(password)


def raised() -> ValueError:
    with pytest.raises(ValueError, match="cannot log in") as caught:
        fail()
    return caught.value


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_traceback_shows_the_way_but_no_secret(log_format: Any, stream: io.StringIO) -> None:
    configure_logs(log_format, "info", stream)
    mask(SecretStr(SECRET))
    error = raised()
    log.error(Event.LOOP_FAILED, exc_info=error)
    logging.getLogger("asyncio").error("task failed", exc_info=error)
    text = stream.getvalue()
    assert text.count("The above exception was the direct cause") == 2
    assert "in fail" in text
    for spelling in (SECRET, repr(SECRET)[1:-1], json.dumps(SECRET)[1:-1], KEY):
        assert spelling not in text


def test_the_last_word_of_a_program_is_one_masked_line() -> None:
    mask(SecretStr(SECRET))
    assert one_line(raised()) == "ValueError: cannot log in with *** and ***"
    assert SECRET not in traceback_text(raised())


def test_the_newest_secrets_are_remembered_and_the_oldest_forgotten() -> None:
    known = KnownSecrets(remembered=2)
    for secret in ("first-one", "second-one", "first-one", "third-one"):
        known.add(SecretStr(secret))
    assert known.masked("first-one second-one third-one") == "*** second-one ***"


def test_of_two_secrets_that_begin_alike_the_longer_is_masked() -> None:
    known = KnownSecrets()
    known.add(SecretStr("swordfish"))
    known.add(SecretStr("swordfish-2026"))
    assert known.masked("swordfish-2026swordfish!") == "******!"


def events_of(source: Path) -> Iterator[tuple[str, int, str]]:
    """Texts that stand where a call of the logger expects its event."""
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
        ):
            first = node.args[0] if node.args else None
            if node.func.value.id in {"log", "logger", "_log"} and isinstance(first, ast.Constant):
                yield source.name, node.lineno, str(first.value)


def test_every_line_of_the_product_has_an_event_of_the_closed_list() -> None:
    sources = Path(coldsend_operator.__file__).parent.rglob("*.py")
    assert [found for source in sources for found in events_of(source) if found[2] not in {*Event}] == []


def test_every_event_of_the_list_is_said_somewhere() -> None:
    product = [path.read_text(encoding="utf-8") for path in Path(coldsend_operator.__file__).parent.rglob("*.py")]
    assert [each.name for each in Event if not any(f"Event.{each.name}" in text for text in product)] == []


def test_nothing_else_is_printed_when_the_logs_are_set_up() -> None:
    script = "from coldsend_operator.logs import *; configure_logs('json', 'info'); log.info(Event.STARTED)"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout == ""
    assert json.loads(run.stderr)["event"] == "started"
