"""What `doctor` says of a ColdSend and how it asks; a real cluster is in tests/e2e/test_e2e_doctor.py."""

import copy
import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import SecretStr

from coldsend_emulator.running import RunningEmulator
from coldsend_operator.coldsend.client import ColdSendClient
from coldsend_operator.coldsend.headers import Meta
from coldsend_operator.credentials.passwords import HMAC_SECRET
from coldsend_operator.kube.errors import Forbidden, KubeError
from coldsend_operator.kube.secrets import SecretContent
from coldsend_operator.resources.crd import account_crd, batch_crd
from coldsend_operator.tools.allowance import Allowance
from coldsend_operator.tools.doctor.checks import Check, Result
from coldsend_operator.tools.doctor.definitions import compared
from coldsend_operator.tools.doctor.rights import Right, own_rights, work_rights
from coldsend_operator.tools.doctor.secrets import judge
from coldsend_operator.tools.errors import CommandError
from coldsend_operator.tools.secret_references import Reference, references
from coldsend_operator.tools.write_test import DISPLAY_NAME, WriteTest
from tests.tools.pages import commands
from tests.tools.support import API_KEY, command, held
from tests.tools.test_pages import WORKSPACE

ANN = {
    "inbox_type": "GOOGLE_WORKSPACE",
    "email_address": "ann@company.com",
    "display_name": "Ann",
    "health_score": 97.0,
}
RULES = Path(__file__).parents[2] / "charts/coldsend-operator/templates/_rules.tpl"


@pytest.fixture(autouse=True)
def no_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", "/nowhere")


def doctor(*arguments: str) -> tuple[int, list[str], str]:
    """Exit code, lines, and what was told beside them."""
    result = command("doctor", *arguments)
    assert API_KEY not in result.stdout + result.stderr
    return result.exit_code, result.stdout.splitlines(), result.stderr


def said(lines: list[str], row: int) -> list[str]:
    return [line for line in lines if line.endswith(f"[row {row}]")]


# -- ColdSend


def test_four_gets_tell_all_that_reading_tells(coldsend: RunningEmulator) -> None:
    coldsend.add_domain("mail.company.com")
    coldsend.seed(ANN)
    coldsend.limit(100, 1000)
    coldsend.clear_request_log()
    code, lines, told = doctor()
    assert code == 0
    assert [entry["method"] for entry in coldsend.requests()] == ["GET"] * 4
    assert sorted(int(number) for line in lines for number in re.findall(r"\[row (\d+)\]$", line)) == [
        *(16, 33, 34, 37, 38, 39, 41)
    ]
    assert {line[0] for line in lines if not line.startswith("! cluster")} == {"✔"}
    assert told.splitlines()[0] == "10 good, 1 warning, 0 failed"


@pytest.mark.parametrize(
    ("switches", "row", "line"),
    [
        ({"headers_window": "absent"}, 16, "! limits: the response has no headers for the rate limit"),
        ({"status_words": "unknown"}, 33, "! words: unknown values of status or type: 'WARMING_UP'"),
        ({"search_match": "exact"}, 34, "! search: search does not find an address by a part of it"),
        ({"search_match": "ignored"}, 34, "! search: search returns inboxes whose addresses do not contain"),
        ({"detail_envelope": "data"}, 37, "✔ details: the details of an inbox are under data"),
        ({"health_form": "fraction"}, 38, "! health: health scores are fractions (0.97 to 0.97)"),
        ({"domain_scope": "domains"}, 41, "! domains: the key lacks the scope of the domains (domains:read)"),
    ],
)
def test_what_coldsend_does_otherwise_settles_its_row(
    coldsend: RunningEmulator, switches: dict[str, str], row: int, line: str
) -> None:
    coldsend.seed(ANN, {**ANN, "email_address": "zoe@other.com"})
    coldsend.change_key(API_KEY, scopes=["sender_accounts:read"])
    coldsend.switch(**switches)
    try:
        code, lines, _ = doctor()
    finally:
        coldsend.change_key(API_KEY, scopes=["*"])
    assert code == 0
    assert [each[: len(line)] for each in said(lines, row)] == [line]


@pytest.mark.parametrize(
    ("request_number", "line"),
    [
        (2, "! domains: the domains cannot be read: slow down"),
        (3, "! details: the details of an inbox cannot be read: slow down [row 37]"),
        (4, "! search: the search failed: slow down [row 34]"),
    ],
)
def test_a_check_that_coldsend_refuses_for_now_is_a_warning(
    coldsend: RunningEmulator, request_number: int, line: str
) -> None:
    coldsend.seed(ANN)
    coldsend.fault("status", skip=request_number - 1, count=1, status=429, body={"detail": "slow down"})
    code, lines, _ = doctor()
    assert (code, line in lines) == (0, True), lines


def test_the_window_of_the_headers_is_told_from_their_limit(coldsend: RunningEmulator) -> None:
    for limits, switches, line in (
        ((100, 1000), {}, "✔ limits: the headers describe the minute: 100 requests, 99 left"),
        ((100, 1000), {"headers_window": "hour"}, "✔ limits: the headers describe the hour: 1,000 requests,"),
        (
            (30, 1000),
            {"headers_window": "minute"},
            "! limits: the headers describe the minute: 30 requests, 29 left; 100 are",
        ),
    ):
        coldsend.limit(*limits)
        coldsend.switch(**switches)
        _, lines, _ = doctor()
        assert [each[: len(line)] for each in said(lines, 16)] == [line]


def test_fields_that_nobody_documented_are_named_and_their_values_are_not(coldsend: RunningEmulator) -> None:
    pages = {"page": 1, "limit": 100, "total": 1, "pages": 1, "has_next": False, "has_prev": False, "cursor": "c"}
    row = {"inbox_id": "1", "email_address": "a@b.de", "warmup": "canary"}
    coldsend.fault(
        "status", operation="listSenderAccounts", status=200, body={"sender_accounts": [row], "pagination": pages}
    )
    _, lines, _ = doctor()
    assert "! list: unknown fields, which the operator ignores: cursor, warmup" in lines
    assert "canary" not in "".join(lines)


@pytest.mark.parametrize(
    ("fault", "line"),
    [
        (
            {"kind": "status", "status": 401, "body": {"detail": "no"}},
            "✘ key: ColdSend refuses the API key",
        ),
        ({"kind": "status", "status": 429, "body": {"detail": "slow"}}, "! limits: ColdSend allows no more requests"),
        (
            {"kind": "status", "status": 404, "body": "nginx"},
            "✘ connection: ColdSend answered with an error: the 404 did",
        ),
        ({"kind": "status", "status": 503, "body": {}}, "✘ connection: ColdSend answered with an error"),
        ({"kind": "not_json"}, "✘ list: the list does not have the documented shape"),
        ({"kind": "cut"}, "✘ connection: "),
    ],
)
def test_one_answer_is_enough_where_the_rest_would_say_the_same(
    coldsend: RunningEmulator, fault: dict[str, Any], line: str
) -> None:
    coldsend.fault(**fault)
    code, lines, _ = doctor()
    assert code == 1
    assert lines[-1].startswith(line)
    assert len(coldsend.requests()) == 1


def test_without_a_key_and_without_a_cluster_it_says_so(
    coldsend: RunningEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLDSEND_API_KEY", "")
    code, lines, told = doctor()
    assert code == 1
    assert [line.partition(":")[0] for line in lines] == ["! cluster", "! coldsend"]
    assert told.splitlines()[-1] == "nothing could be checked: provide a kubeconfig or an API key"
    assert coldsend.requests() == []


def test_json_is_for_a_report(coldsend: RunningEmulator) -> None:
    result = command("doctor", "-o", "json")
    told = json.loads(result.stdout)
    assert (told["apiVersion"], told["kind"]) == ("cli.coldsend.pro/v1", "Doctor")
    assert told["summary"] == {"ok": 4, "warning": 3, "failed": 0}
    assert {tuple(check) for check in told["checks"]} == {("area", "result", "message", "assumption")}


# -- the write test


def write_test(emulator: RunningEmulator, prefix: str = "probe") -> WriteTest:
    """One whose pauses let the emulator's clock go on."""
    answers: dict[str, Meta] = {}
    client = ColdSendClient(emulator.api_url, SecretStr(API_KEY), on_answer=answers.__setitem__, timeout=5)
    now = [0.0]

    async def pause(seconds: float) -> None:
        now[0] += seconds
        if seconds:
            emulator.advance(seconds)

    return WriteTest(client, Allowance(1000, 1000), answers, prefix, "mail.company.com", pause, lambda: now[0])


@pytest.fixture
def domain(coldsend: RunningEmulator) -> RunningEmulator:
    coldsend.add_domain("mail.company.com")
    coldsend.clear_request_log()
    return coldsend


def test_a_write_test_makes_one_inbox_and_leaves_none(domain: RunningEmulator) -> None:
    code, lines, told = doctor("--write-test", "probe@mail.company.com", "--yes")
    assert code == 0
    assert [line for line in lines if line.startswith("✘")] == []
    assert [re.sub(r"\d+\.\d s", "0.0 s", line) for line in said(lines, 18)] == [
        "✔ write test: a native create takes 0.0 s and is answered with 201 [row 18]",
        "✔ write test: the delete is answered with 200 [row 18]",
    ]
    assert domain.inboxes() == []
    assert [(each["event"], each["email_address"]) for each in domain.history()] == [
        ("created", "probe@mail.company.com"),
        ("deleted", "probe@mail.company.com"),
    ]
    assert "Attention" not in told


@pytest.mark.parametrize("arguments", [("probe@mail.company.com",), ("Probe @x", "--yes"), ("probe", "--yes")])
def test_a_write_test_that_nobody_confirms_or_that_cannot_be_is_wrong_usage(
    domain: RunningEmulator, arguments: tuple[str, ...]
) -> None:
    code, lines, _ = doctor("--write-test", *arguments)
    assert (code, lines) == (2, [])
    assert domain.requests() == []


def test_an_inbox_that_is_there_is_never_touched(domain: RunningEmulator) -> None:
    domain.seed({**ANN, "email_address": "probe@mail.company.com", "inbox_type": "COLDSEND"})
    code, lines, told = doctor("--write-test", "probe@mail.company.com", "--yes")
    assert code == 1
    assert lines  # what was seen before is shown all the same
    assert told.splitlines()[-1].endswith("probe@mail.company.com already exists in ColdSend; give another prefix")
    assert {entry["method"] for entry in domain.requests()} == {"GET"}


async def test_an_inbox_that_was_made_though_no_answer_came_is_found_and_removed(domain: RunningEmulator) -> None:
    domain.fault("cut", when="after", operation="createNativeInbox")
    test = write_test(domain)
    checks = await test.run(await test.prepare())
    assert "but the inbox was created" in checks[0].message
    assert domain.inboxes() == []


async def test_an_unknown_outcome_is_told_with_the_way_to_clean_up(
    domain: RunningEmulator, capsys: pytest.CaptureFixture[str]
) -> None:
    domain.fault("cut", operation="createNativeInbox")
    test = write_test(domain)
    (check,) = await test.run(await test.prepare())
    assert (check.result, check.assumption) == (Result.FAILED, 17)
    assert "Attention: probe@mail.company.com may exist in ColdSend now or appear later." in capsys.readouterr().err


async def test_another_inbox_of_the_address_that_appears_meanwhile_is_left_alone(domain: RunningEmulator) -> None:
    test = write_test(domain)
    target = await test.prepare()
    domain.fault("cut", operation="createNativeInbox")
    domain.seed({**ANN, "email_address": "probe@mail.company.com", "inbox_type": "COLDSEND"})
    (check,) = await test.run(target)
    assert "exists as another inbox" in check.message
    assert len(domain.inboxes()) == 1
    assert ANN["display_name"] != DISPLAY_NAME


async def test_a_delete_that_takes_its_time_is_waited_for(domain: RunningEmulator) -> None:
    domain.switch(delete_seconds=20, list_delay_seconds=3, native_answer="empty")
    test = write_test(domain)
    checks = await test.run(await test.prepare())
    told = {check.message for check in checks}
    assert "the new inbox appears in the list after 0.0 s, as ACTIVE" in told
    assert any(message.startswith("the inbox is gone 26.5 s after") for message in told)
    assert domain.inboxes() == []


async def test_a_delete_that_is_refused_says_which_inbox_is_left(
    domain: RunningEmulator, capsys: pytest.CaptureFixture[str]
) -> None:
    domain.fault("status", operation="deleteSenderAccount", status=403, body={"required": ["sender_accounts:delete"]})
    test = write_test(domain)
    checks = await test.run(await test.prepare())
    (inbox,) = domain.inboxes()
    assert checks[-1].result is Result.FAILED
    assert f"probe@mail.company.com (id {inbox['inbox_id']}) may exist in ColdSend now" in capsys.readouterr().err


async def test_a_create_that_is_refused_made_nothing(
    domain: RunningEmulator, capsys: pytest.CaptureFixture[str]
) -> None:
    domain.change_domain("mail.company.com", status="PENDING")
    test = write_test(domain)
    (check,) = await test.run(await test.prepare())
    assert (check.assumption, "nothing was created" in check.message) == (27, True)
    assert capsys.readouterr().err == ""
    other = write_test(domain)
    other.domain = "other.com"
    with pytest.raises(CommandError, match=r"other\.com is not a domain"):
        await other.prepare()


# -- the definitions


def published(account: dict[str, Any], batch: dict[str, Any]) -> dict[str, Any]:
    schemas = {
        f"pro.coldsend.v1alpha1.{kind}": definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        for kind, definition in (("SenderAccount", account), ("SenderAccountBatch", batch))
    }
    return {"components": {"schemas": schemas}}


def fields_of(definition: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
    return found


def test_definitions_are_compared_field_by_field() -> None:
    batch = batch_crd()

    def first(account: dict[str, Any]) -> str:
        return str(next(iter(compared(published(account, batch)))))

    same, older, newer, other = (copy.deepcopy(account_crd()) for _ in range(4))
    del fields_of(older)["status"]["properties"]["healthScore"]
    fields_of(newer)["spec"]["properties"]["colour"] = {"type": "string"}
    fields_of(other)["spec"]["properties"]["dailyLimit"]["maximum"] = 7
    assert first(same).startswith("✔ definitions: SenderAccount is served")
    assert "older than this program: it lacks status.healthScore;" in first(older)
    assert "newer than this program: it also has spec.colour" in first(newer)
    assert "has another version: spec.dailyLimit differ" in first(other)
    assert [check.result for check in compared({})] == [Result.WARNING, Result.WARNING]


# -- rights


def chart_rules(name: str, *, lease: str) -> set[Right]:
    """The rights of a block of the chart's rules, as they are for namespace `own`."""
    block = re.search(rf'define "{name}" -}}}}\n(.*?){{{{- end', RULES.read_text(encoding="utf-8"), re.DOTALL)
    assert block is not None
    text = re.sub(r'\{\{ include "coldsend.fullname" \.( \| quote)? \}\}', lease, block[1])
    return {
        Right(group, resource.partition("/")[0], verb, resource.partition("/")[2], "own", named)
        for rule in yaml.safe_load(text)
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
        for named in rule.get("resourceNames", [""])
    }


def test_the_rights_are_those_that_the_chart_grants() -> None:
    work = set(work_rights("own"))
    named = {each for each in work if each.resource == "namespaces"}
    assert {each.name for each in named} == {"own"}
    unnamed = {Right(each.group, each.resource, each.verb, each.subresource, each.namespace) for each in work}
    assert unnamed == chart_rules("coldsend.workRules", lease="lease")
    own = chart_rules("coldsend.ownRules", lease="lease") | chart_rules("coldsend.ownSecretRule", lease="lease")
    assert set(own_rights("own", "lease")) == own
    assert Right("", "secrets", "get", namespace="own", name=HMAC_SECRET) in own


# -- Secrets


def smtp(name: str, key: str | None = None) -> dict[str, Any]:
    return {"passwordSecretRef": {"name": name} | ({"key": key} if key else {})}


def test_secrets_are_those_of_accounts_batches_and_namespaces() -> None:
    ann = held("ann", smtp=smtp("login"), apiKeySecretRef={"name": "workspace"})
    template = {"inboxType": "GOOGLE_WORKSPACE", "smtp": smtp("pool")}
    listed = [{"emailAddress": "a@b.com", "displayName": "A", "passwordKey": "a"}]
    batch = {"metadata": {"namespace": "sales", "name": "pool"}, "spec": {"template": template, "inboxes": listed}}
    broken = {"metadata": {"namespace": "sales", "name": "bad"}, "spec": ["?"]}
    space = {"metadata": {"name": "sales", "annotations": {"coldsend.pro/api-key-secret": "other/key"}}}
    assert {(each.name, each.key, each.is_api_key) for each in references([ann, broken], [batch, broken], [space])} == {
        ("login", "password", False),
        ("workspace", "apiKey", True),
        ("pool", "a", False),
        ("other", "key", True),
    }


def secret(**values: str) -> SecretContent:
    return SecretContent("1", {key: SecretStr(value) for key, value in values.items()}, {"utf16": "is not UTF-8 text"})


@pytest.mark.parametrize(
    ("reference", "content", "line"),
    [
        ({}, None, "✘ secrets: Secret sales/login does not exist; create it"),
        ({}, secret(), "✘ secrets: Secret sales/login has no key password; it has utf16"),
        ({}, secret(password=""), "✘ secrets: key password of Secret sales/login is empty"),
        ({}, secret(password="canary\n"), "! secrets: key password of Secret sales/login ends with a line break;"),
        ({}, secret(password=" canary"), "! secrets: key password of Secret sales/login has a space at its start"),
        ({}, secret(password="can\u200bary"), "✘ secrets: key password of Secret sales/login holds U+200B"),
        ({"key": "utf16"}, secret(), "✘ secrets: key utf16 of Secret sales/login is not UTF-8 text"),
        ({"is_api_key": True}, secret(password="canary\n"), "! secrets: key password of Secret sales/login ends with"),
        (
            {"is_api_key": True},
            secret(password="can ary"),
            "✘ secrets: key password of Secret sales/login holds a",
        ),
        ({"google": True}, secret(password="abcd efgh ijkl mnop"), "✔ secrets: 1 of 1 keys of Secrets"),
        ({}, Forbidden("no", status=403), "! secrets: these cannot be read and were not checked: Secret sales/login"),
    ],
)
def test_a_value_is_judged_and_never_shown(
    reference: dict[str, Any], content: SecretContent | KubeError | None, line: str
) -> None:
    wanted = Reference(**{"namespace": "sales", "name": "login", "key": "password", **reference})
    (check,) = judge([wanted], {("sales", "login"): content})
    assert str(check).startswith(line)
    assert not re.search("canary|can.?ary|mnop", str(check))


def test_a_line_says_its_row() -> None:
    assert str(Check("area", Result.OK, "said", 16)) == "✔ area: said [row 16]"


def test_the_page_will_it_work_here_shows_what_the_command_prints(domain: RunningEmulator) -> None:
    domain.seed(*WORKSPACE)
    domain.limit(100, 1000)
    read_only, with_write_test = commands("will-it-work.md")
    for line, expected in (read_only, with_write_test):
        program, *arguments = shlex.split(line)
        assert program == "coldsend-operator"
        printed = command(*arguments).output.replace(domain.api_url, "https://api.coldsend.pro/api/public/v1")
        assert re.sub(r"\d+\.\d s", "0.0 s", printed) == expected
