"""`export` against the emulator: what it writes of a workspace, and what it asks for."""

import json
import stat
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from coldsend_emulator.running import RunningEmulator
from coldsend_operator.core.model.answers import Row
from coldsend_operator.tools import manifests
from coldsend_operator.tools.allowance import Allowance
from coldsend_operator.tools.errors import CommandError
from coldsend_operator.tools.exports.objects import Form, groups
from coldsend_operator.tools.validation.checks import problems
from tests.tools.support import API_KEY, command, documents, inboxes

GOOGLE: dict[str, Any] = {"inbox_type": "GOOGLE_WORKSPACE", "display_name": "A Name", "daily_limit": 50}
CUSTOM: dict[str, Any] = {"inbox_type": "CUSTOM_SMTP", "display_name": "A Name", "daily_limit": 50}
NATIVE = {"inbox_type": "COLDSEND", "display_name": "A Name"}


def seed(emulator: RunningEmulator) -> None:
    emulator.add_domain("mail.one.com")
    emulator.seed(
        {"email_address": "bob@one.com", **GOOGLE},
        {"email_address": "ann@one.com", **GOOGLE},
        {"email_address": "eve@two.com", **GOOGLE},
        {"email_address": "zoe@two.com", **CUSTOM},
        {"email_address": "john@mail.one.com", **NATIVE},
    )


def export(*options: object) -> list[dict[str, Any]]:
    run = command("export", "-n", "sales", *options)
    assert run.exit_code == 0, run.stderr
    return documents(run.stdout)


def by_name(made: list[dict[str, Any]]) -> dict[str, list[str]]:
    return {
        each["metadata"]["name"]: [
            inbox.get("emailAddress") or inbox["emailPrefix"] for inbox in each["spec"]["inboxes"]
        ]
        for each in made
    }


def test_by_default_objects_only_observe_and_need_no_password(coldsend: RunningEmulator) -> None:
    seed(coldsend)

    made = export()

    assert {each["spec"]["template"]["managementPolicy"] for each in made} == {"Observe"}
    assert [each for each in made if "smtp" in each["spec"]["template"]] == []
    assert by_name(made) == {
        "google-one-com": ["ann@one.com", "bob@one.com"],
        "google-two-com": ["eve@two.com"],
        "native-mail-one-com": ["john"],
        "smtp-two-com": ["zoe@two.com"],
    }


@pytest.mark.parametrize("shape", ["accounts", "batches"])
@pytest.mark.parametrize("group_by", ["domain", "type", "none"])
@pytest.mark.parametrize("manage", [("--manage", "--smtp-host", "smtp.two.com", "--imap-host", "imap.two.com"), ()])
def test_every_form_is_taken_by_the_crd_and_holds_every_inbox(
    coldsend: RunningEmulator, shape: str, group_by: str, manage: tuple[str, ...]
) -> None:
    seed(coldsend)

    made = export("--as", shape, "--group-by", group_by, *manage)

    assert [problem for each in made for problem in problems(each)] == []
    assert (len(made) if shape == "accounts" else len(inboxes(made))) == 5


def test_the_same_workspace_gives_the_same_bytes_and_one_line_for_each_inbox(coldsend: RunningEmulator) -> None:
    seed(coldsend)

    first, second = command("export", "-n", "sales"), command("export", "-n", "sales")

    assert first.stdout == second.stdout
    assert first.stdout.count("\n  - {") == 5


def test_to_manage_is_to_adopt_and_to_leave_behind(coldsend: RunningEmulator, tmp_path: Path) -> None:
    seed(coldsend)

    run = command("export", "-n", "sales", "--manage", "--type", "GOOGLE_WORKSPACE", "-d", tmp_path)

    assert run.exit_code == 0, run.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "google-one-com.yaml",
        "google-two-com.yaml",
        "secrets.todo.yaml",
    ]
    (batch,) = documents((tmp_path / "google-one-com.yaml").read_text())
    assert batch["spec"]["template"] == {
        "inboxType": "GOOGLE_WORKSPACE",
        "adoptionPolicy": "Adopt",
        "deletionPolicy": "Orphan",
        "smtp": {"passwordSecretRef": {"name": "google-one-com"}},
    }
    assert batch["spec"]["inboxes"][0] == {
        "emailAddress": "ann@one.com",
        "displayName": "A Name",
        "dailyLimit": 50,
        "passwordKey": "ann_one.com",
    }
    todo = tmp_path / "secrets.todo.yaml"
    assert {each["metadata"]["name"]: each["stringData"] for each in documents(todo.read_text())} == {
        "google-one-com": {"ann_one.com": "", "bob_one.com": ""},
        "google-two-com": {"eve_two.com": ""},
    }
    assert stat.S_IMODE(todo.stat().st_mode) == 0o600
    for text in (run.stderr, todo.read_text()):  # `kubectl apply -f DIR` takes this file too
        assert "empty values would replace their passwords" in text


def test_one_secret_may_serve_all(coldsend: RunningEmulator, tmp_path: Path) -> None:
    seed(coldsend)
    hosts = ("--smtp-host", "smtp.two.com", "--imap-host", "imap.two.com")

    for shape in ("batches", "accounts"):
        command(
            "export", "-n", "sales", "--manage", "--as", shape, "--secret", "logins", *hosts, "-d", tmp_path / shape
        )
        (secret,) = documents((tmp_path / shape / "secrets.todo.yaml").read_text())
        assert secret["metadata"]["name"] == "logins"
        assert list(secret["stringData"]) == ["ann_one.com", "bob_one.com", "eve_two.com", "zoe_two.com"]


def test_passwords_that_someone_filled_in_are_not_overwritten(coldsend: RunningEmulator, tmp_path: Path) -> None:
    seed(coldsend)
    arguments = ("export", "-n", "sales", "--manage", "-d", tmp_path)
    command(*arguments)
    todo = tmp_path / "secrets.todo.yaml"
    filled = todo.read_text().replace('ann_one.com: ""', "ann_one.com: swordfish")
    todo.write_text(filled)

    refused = command(*arguments)

    assert refused.exit_code == 1
    assert todo.read_text() == filled
    assert "swordfish" not in refused.output
    assert command(*arguments, "--force").exit_code == 0


def test_manifests_that_someone_changed_are_not_overwritten(coldsend: RunningEmulator, tmp_path: Path) -> None:
    seed(coldsend)
    arguments = ("export", "-n", "sales", "-d", tmp_path)
    command(*arguments)
    changed = tmp_path / "google-two-com.yaml"
    changed.write_text(f"# by hand\n{changed.read_text()}")
    (tmp_path / "google-one-com.yaml").unlink()

    refused = command(*arguments)

    assert refused.exit_code == 1
    assert f"{changed} exists and differs; write to another folder to compare, or give --force" in refused.stderr
    assert list(tmp_path.glob("google-*")) == [changed]
    assert command(*arguments, "--force").exit_code == 0
    assert "by hand" not in changed.read_text()
    assert command(*arguments).exit_code == 0


def test_hosts_that_coldsend_does_not_tell_make_a_comment_and_nothing_invalid(coldsend: RunningEmulator) -> None:
    seed(coldsend)

    run = command("export", "-n", "sales", "--manage", "--type", "CUSTOM_SMTP")

    assert [each for each in documents(run.stdout) if each] == []
    assert run.stdout.startswith(
        "# ColdSend does not return the hosts of these inboxes; give --smtp-host and --imap-host"
    )
    assert "#   - {emailAddress: zoe@two.com" in run.stdout
    assert "smtp-two-com: written as a comment. ColdSend does not return the hosts of these inboxes;" in run.stderr


def test_json_is_a_list_of_the_same_objects_that_kubectl_applies(coldsend: RunningEmulator) -> None:
    seed(coldsend)

    run = command("export", "-n", "sales", "-o", "json")

    shown = json.loads(run.stdout)
    assert (shown["apiVersion"], shown["kind"], shown["items"]) == ("v1", "List", export())


def test_what_yaml_has_as_a_comment_is_refused_as_json(coldsend: RunningEmulator) -> None:
    seed(coldsend)

    run = command("export", "-n", "sales", "--manage", "--type", "CUSTOM_SMTP", "-o", "json")

    assert (run.exit_code, run.stdout) == (1, "")
    assert "smtp-two-com cannot be written as JSON. ColdSend does not return the hosts of these" in run.stderr


def test_json_is_refused_for_files(tmp_path: Path) -> None:
    run = command("export", "-n", "sales", "-d", tmp_path, "-o", "json")
    assert (run.exit_code, run.stderr.splitlines()[-1]) == (2, "-d writes YAML files; leave out -o json")


def test_filters_are_those_of_coldsend(coldsend: RunningEmulator) -> None:
    seed(coldsend)
    coldsend.change("eve@two.com", overall_status="DISABLED")

    assert by_name(export("--status", "DISABLED")) == {"google-two-com": ["eve@two.com"]}
    assert by_name(export("--search", "bob")) == {"google-one-com": ["bob@one.com"]}
    assert command("export", "-n", "sales", "--status", "PENDING").exit_code == 2


def test_objects_name_the_key_of_the_workspace_they_came_from() -> None:
    row = Row("1", "ann@one.com", "Ann", "GOOGLE_WORKSPACE")
    for accounts in (True, False):
        ((group,), _) = groups([row], Form("sales", accounts=accounts, api_key={"name": "workspace"}))
        assert "apiKeySecretRef:" in manifests.render(group.manifests)


def test_a_row_that_no_manifest_can_name_is_told_and_left_out() -> None:
    rows = [
        Row("1", "ann@one.com", None, "GOOGLE_WORKSPACE"),
        Row("2", "bob@one.com", "Bob", "CARRIER_PIGEON"),
        Row("3", "cat@one.com", "Cat", None),
        Row("4", "Dan+x@mail.one.com", "Dan", "COLDSEND"),
        Row("5", "eve@one.com", "Eve\nline two", "OUTLOOK_365"),
        Row("6", "fay@one.com", "Fay", "OUTLOOK_365", daily_limit=9_000),
    ]

    made, left = groups(rows, Form("sales", manage=True))

    assert by_name([each for group in made for each in group.manifests]) == {"outlook-one-com": ["fay@one.com"]}
    assert [(each.address, each.reason.partition(":")[0]) for each in left] == [
        ("ann@one.com", "spec.displayName"),
        ("bob@one.com", "its type CARRIER_PIGEON is not supported by this version"),
        ("cat@one.com", "its type (unknown) is not supported by this version"),
        ("Dan+x@mail.one.com", "spec.native.emailPrefix"),
        ("eve@one.com", "spec.displayName"),
    ]
    assert "dailyLimit" not in manifests.render(made[0].manifests)


def test_no_object_has_more_than_5000_inboxes_or_one_mebibyte() -> None:
    rows = [Row(str(n), f"a{n:05}@one.com", "N" * 250, "GOOGLE_WORKSPACE") for n in range(6_000)]
    short = [Row(str(n), f"a{n:05}@one.com", "N", "GOOGLE_WORKSPACE") for n in range(5_001)]

    ((group,), _) = groups(rows, Form("sales", manage=True))
    ((other,), _) = groups(short, Form("sales"))

    assert len(inboxes(group.manifests)) == 6_000
    assert max(len(manifests.render([each]).encode()) for each in group.manifests) <= manifests.MAX_BYTES
    assert by_name(list(other.manifests)).keys() == {"google-one-com", "google-one-com-2"}


# What it asks of ColdSend


def test_only_pages_of_the_list_are_asked_for(coldsend: RunningEmulator) -> None:
    coldsend.seed_many(250, "a{n}@one.com", **GOOGLE)

    assert len(inboxes(export())) == 250
    asked = Counter((entry["method"], entry["path"].rpartition("/")[2]) for entry in coldsend.requests())
    assert asked == {("GET", "sender-accounts"): 3}


def test_the_price_is_told_before_more_than_five_requests(coldsend: RunningEmulator) -> None:
    coldsend.seed_many(501, "a{n}@one.com", **GOOGLE)

    run = command("export", "-n", "sales")

    assert "This takes 6 of the 200 requests per hour that commands may send\n" in run.stderr


def test_what_takes_more_than_the_share_of_people_is_not_begun(
    coldsend: RunningEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    coldsend.seed_many(301, "a{n}@one.com", **GOOGLE)
    monkeypatch.setenv("COLDSEND_REQUESTS_PER_HOUR", "10")

    run = command("export", "-n", "sales")

    assert run.exit_code == 1
    assert "the list takes 4 requests, but commands may send 2 per hour" in run.stderr
    assert len(coldsend.requests()) == 1


def test_a_refusal_in_the_middle_leaves_what_was_read_and_ends_with_1(coldsend: RunningEmulator) -> None:
    coldsend.seed_many(250, "a{n}@one.com", **GOOGLE)
    coldsend.limit(per_minute=2)

    run = command("export", "-n", "sales")

    assert run.exit_code == 1
    assert len(inboxes(documents(run.stdout))) == 200
    assert "The export is incomplete: ColdSend allows no more requests at the moment" in run.stderr
    assert "2 of 3 pages were read" in run.stderr


def test_an_empty_workspace_gives_no_manifest(coldsend: RunningEmulator) -> None:
    run = command("export", "-n", "sales")
    assert (run.exit_code, run.stdout) == (0, "")


async def test_the_share_of_the_minute_is_waited_for() -> None:
    now = [0.0]

    async def sleep(seconds: float) -> None:
        now[0] += seconds

    allowance = Allowance(2, 5, clock=lambda: now[0], sleep=sleep)
    for _ in range(5):
        await allowance.take()

    assert now[0] == 120.0
    with pytest.raises(CommandError, match="more than the 5 requests per hour"):
        await allowance.take()


# Keys


def test_a_wrong_key_is_one_sentence_without_the_key(
    coldsend: RunningEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLDSEND_API_KEY", f"{API_KEY}_wrong")

    run = command("export", "-n", "sales")

    assert run.exit_code == 1
    assert len(run.stderr.splitlines()) == 1
    assert API_KEY not in run.output


def test_the_key_may_stand_in_a_file(
    coldsend: RunningEmulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("COLDSEND_API_KEY")
    file = tmp_path / "key"
    file.write_text(f"{API_KEY}\n")
    seed(coldsend)

    assert len(inboxes(export("--api-key-file", file))) == 5
    missing = command("export", "-n", "sales", "--api-key-file", tmp_path / "none")
    assert (missing.exit_code, missing.stderr) == (
        1,
        f"{tmp_path / 'none'} cannot be read: No such file or directory\n",
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("\n", "is empty"),
        ("\ufeffcs_live_1\n", "holds U+FEFF (BYTE ORDER MARK) at position 1; store it without that character"),
    ],
)
def test_a_file_whose_key_cannot_be_sent_is_named(tmp_path: Path, content: str, said: str) -> None:
    file = tmp_path / "key"
    file.write_text(content, encoding="utf-8")
    run = command("export", "-n", "sales", "--api-key-file", file)
    assert (run.exit_code, run.stderr) == (1, f"the API key of {file} {said}\n")


def test_a_file_named_on_the_command_line_comes_before_the_key_of_the_environment(
    coldsend: RunningEmulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("COLDSEND_API_KEY", "cs_live_of_another_workspace")
    (tmp_path / "key").write_text(API_KEY)
    seed(coldsend)
    assert len(inboxes(export("--api-key-file", tmp_path / "key"))) == 5


def test_without_a_key_the_ways_to_give_one_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    run = command("export", "-n", "sales")
    assert run.exit_code == 2
    assert "set COLDSEND_API_KEY, or give --api-key-file or --api-key-secret" in run.stderr


def test_a_key_is_no_argument() -> None:
    run = command("export", "-n", "sales", "--api-key", API_KEY)
    assert run.exit_code == 2
    assert API_KEY not in run.output


def test_a_coldsend_that_does_not_answer_is_not_said_to_have_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLDSEND_API_KEY", API_KEY)
    run = command("export", "-n", "sales", "--api-url", "http://127.0.0.1:1")
    assert run.exit_code == 1
    assert run.stderr.startswith("no connection to ColdSend: ")
