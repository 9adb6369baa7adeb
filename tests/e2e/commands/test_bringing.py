"""Coming in: a workspace, or a spreadsheet, becomes manifests that are applied and become Ready."""

import csv
import io
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.e2e.commands.person import Person
from tests.e2e.commands.place import SALES, Place
from tests.e2e.support.api_server import named
from tests.e2e.support.tenant import eventually
from tests.e2e.support.world import MARKER

KEY = f"cs_live_{MARKER}_of_a_workspace_of_old"
WORKSPACE = "of-old"
IMPORT = (
    *("import", "sheet.csv", "-n", SALES, "--name", "sheet"),
    *("--type", "google_workspace", "--map", "email=E-Mail"),
)
SENDERS = 105  # more than a page
SHEET = [
    {"E-Mail": f"{name}@sheet.com", "Password": f"{MARKER} {name} pass", "First Name": name.title(), "Limit": "40"}
    for name in ("uma", "una", "uwe")
]


@pytest.fixture(scope="module")
def of_old(here: Place) -> Iterator[str]:
    """A workspace with inboxes of three types, whose key stands in a Secret."""
    emulator, server = here.world.emulator, here.world.server
    emulator.add_key(KEY, workspace=WORKSPACE)
    emulator.add_domain("mail.old.com", workspace=WORKSPACE)
    emulator.seed(
        *(
            {"email_address": f"s{n}@old.com", "inbox_type": "GOOGLE_WORKSPACE", "daily_limit": 50}
            for n in range(SENDERS)
        ),
        {"email_address": "zed@custom.com", "inbox_type": "CUSTOM_SMTP", "display_name": "Zed", "daily_limit": 20},
        {"email_address": "john@mail.old.com", "inbox_type": "COLDSEND", "display_name": "John"},
        workspace=WORKSPACE,
    )
    server.apply(named("Secret", SALES, "of-old", stringData={"apiKey": f"{KEY}\n"}))
    yield "of-old"
    server.kubectl("delete", "senderbatch", "-n", SALES, "-l", "of=old", "--wait=false")


@pytest.mark.parametrize("shape", ["batches", "accounts"])
def test_an_export_is_applied_becomes_ready_by_list_pages_alone_and_is_exported_again_as_it_was(
    here: Place, person: Person, of_old: str, shape: str
) -> None:
    emulator, server = here.world.emulator, here.world.server
    before = len(asked_of(here))
    line = ("export", "-n", SALES, "--as", shape, "--api-key-secret", of_old, "-d", shape)
    person.succeeds(*line)
    first = contents(person.folder / shape)
    person.succeeds("validate", "-f", shape)

    server.kubectl("apply", "--server-side", "-f", str(person.folder / shape))
    eventually(lambda: ready_of_old(here) == SENDERS + 2, "all inboxes Ready")
    person.succeeds(*line, "--force")
    unmanaged = person.succeeds("export", "-n", SALES, "--unmanaged", "--api-key-secret", of_old)

    assert contents(person.folder / shape) == first
    assert unmanaged.out == ""
    asked = asked_of(here)[before:]
    assert {(each["method"], each["operation"]) for each in asked} == {("GET", "listSenderAccounts")}
    assert emulator.history(event="deleted") == [
        each for each in emulator.history(event="deleted") if "old" not in str(each)
    ]
    server.kubectl("delete", "--wait=false", "-f", str(person.folder / shape))
    eventually(lambda: ready_of_old(here) == 0, "the end of the objects")
    assert len(emulator.inboxes(workspace=WORKSPACE)) == SENDERS + 2


def asked_of(here: Place) -> list[dict[str, object]]:
    return [each for each in here.world.emulator.requests() if each["workspace"] == WORKSPACE]


def ready_of_old(here: Place) -> int:
    found = here.world.server.items("SenderAccount", SALES)
    old = [each for each in found if each["spec"].get("apiKeySecretRef", {}).get("name") == "of-old"]
    return sum(
        condition["type"] == "Ready" and condition["status"] == "True"
        for each in old
        for condition in each.get("status", {}).get("conditions", ())
    )


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_an_export_that_manages_names_the_keys_of_passwords_and_holds_none(person: Person, of_old: str) -> None:
    hosts = ("--smtp-host", "mail.custom.com", "--imap-host", "mail.custom.com")
    person.succeeds("export", "-n", SALES, "--api-key-secret", of_old, "--manage", *hosts, "-d", "managed")
    todo = yaml.safe_load_all((person.folder / "managed" / "secrets.todo.yaml").read_text(encoding="utf-8"))
    values = [value for secret in todo for value in secret["stringData"].values()]
    assert len(values) == SENDERS + 1
    assert set(values) == {""}
    person.succeeds("validate", "-f", "managed")


def test_a_spreadsheet_becomes_a_ready_batch(here: Place, person: Person) -> None:
    sheet(person)
    person.secret_files |= {"passwords.yaml"}
    person.succeeds(*IMPORT, "--secrets", "passwords.yaml", "-d", "inboxes")
    assert stat.S_IMODE((person.folder / "passwords.yaml").stat().st_mode) == 0o600
    person.succeeds("validate", "-f", "inboxes")
    for name in ("passwords.yaml", "inboxes"):
        here.world.server.kubectl("apply", "--server-side", "-f", str(person.folder / name))

    person.succeeds("wait", "senderbatch/sheet", "--timeout", "90s")

    assert here.world.emulator.has_passwords("uma@sheet.com", f"{MARKER} uma pass")
    again = person.fails(*IMPORT, "--secrets", "passwords.yaml", "-d", "again")
    assert "--force" in again.err
    here.world.server.delete("SenderAccountBatch", SALES, "sheet")
    person.succeeds("wait", "senderbatch/sheet", "--for", "deleted", "--timeout", "90s")


def test_an_import_that_brings_up_to_date_tells_what_it_removes(person: Person) -> None:
    sheet(person, rows=2)
    run = person.run(*IMPORT, "--update", "inboxes")
    assert "uwe@sheet.com" in run.out + run.err
    here = yaml.safe_load((person.folder / "inboxes" / "sheet.yaml").read_text(encoding="utf-8"))
    assert [each["emailAddress"] for each in here["spec"]["inboxes"]] == ["uma@sheet.com", "una@sheet.com"]


def sheet(person: Person, rows: int = len(SHEET)) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(SHEET[0]), delimiter=";")
    writer.writeheader()
    writer.writerows(SHEET[:rows])
    person.secret_files.add("sheet.csv")
    (person.folder / "sheet.csv").write_text(text.getvalue(), encoding="utf-16")
