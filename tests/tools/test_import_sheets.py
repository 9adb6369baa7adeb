"""Sheets in the forms that the trade has: what `import` makes of each file."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import Result

from tests.tools.support import SHEETS, command, documents, inboxes, problems


@dataclass(frozen=True)
class Sheet:
    """A file, and the objects that it becomes: names of batches with their inboxes, and addresses of accounts."""

    file: str
    batches: dict[str, list[tuple[str, str]]]
    accounts: tuple[str, ...] = ()
    options: tuple[str, ...] = ()


ANN_AND_BOB = [("ann@company.com", "Ann"), ("bob@company.com", "Bob")]
SHEETS_OF_THE_TRADE = (
    Sheet("google-export.csv", {"pool": [("ann@company.com", "Ann Arbor"), ("bob@company.com", "Bob Brown")]}),
    Sheet("utf8-bom.csv", {"pool": [("ann@company.com", "Ann"), ("zoe@company.com", "Zoë Müller")]}),
    Sheet("semicolons-windows-1252.csv", {"pool": [("joerg@firma.de", "Jörg Groß"), ("ute@firma.de", "Ute Klein")]}),
    Sheet("utf16-tabs.txt", {"pool": [("ann@company.com", "Ann “A” Arbor"), ("bob@company.com", "Bob")]}),
    Sheet("utf16-big-endian-without-mark.csv", {"pool": [("ann@company.com", "Ann")]}),
    Sheet("titles-above-the-header.csv", {"pool": ANN_AND_BOB}),
    Sheet("header-in-the-middle.csv", {"pool": ANN_AND_BOB}),
    Sheet("padded-and-blank.csv", {"pool": [("ann@company.com", "Ann"), ("bob@company.com", "Bob Brown")]}),
    Sheet(
        "carriage-returns.csv", {"pool": [("ann@company.com", "Ann, the first"), ("bob@company.com", 'Bob "B" Brown')]}
    ),
    Sheet(
        "hosts-per-row.csv",
        {"pool": [("ann@one.com", "Ann"), ("ben@one.com", "Ben")]},
        accounts=("cat@two.com", "dan@one.com"),
    ),
    Sheet("imap-of-its-own.csv", {}, accounts=("ann@one.com", "bob@two.com")),
    Sheet("mx-names.csv", {"pool-google": [("ann@company.com", "Ann")], "pool-outlook": [("bob@firm.com", "Bob")]}),
    Sheet(
        "native.csv",
        {
            "pool-mail-company-com": [("john", "John Smith"), ("sales", "Sales Team")],
            "pool-mail-other-com": [("hello", "Hello")],
        },
        options=("--type", "COLDSEND"),
    ),
    Sheet("duplicates.csv", {"pool": ANN_AND_BOB}, options=("--skip-bad",)),
    Sheet("bad-rows.csv", {"pool": [("ann@company.com", "Ann"), ("max@company.com", "Max")]}, options=("--skip-bad",)),
)


@pytest.mark.parametrize("sheet", SHEETS_OF_THE_TRADE, ids=lambda sheet: sheet.file)
def test_a_sheet_becomes_batches_and_accounts_that_the_crd_takes(sheet: Sheet) -> None:
    run = command("import", SHEETS / sheet.file, "-n", "sales", "--name", "pool", *sheet.options)

    assert run.exit_code == 0, run.stderr
    made = documents(run.stdout)
    assert [problem for manifest in made for problem in problems(manifest)] == []
    batches = [manifest for manifest in made if manifest["kind"] == "SenderAccountBatch"]
    accounts = [manifest for manifest in made if manifest["kind"] == "SenderAccount"]
    assert {
        batch["metadata"]["name"]: [
            (inbox.get("emailAddress") or inbox["emailPrefix"], inbox["displayName"])
            for inbox in batch["spec"]["inboxes"]
        ]
        for batch in batches
    } == sheet.batches
    assert tuple(account["spec"]["emailAddress"] for account in accounts) == sheet.accounts
    assert {manifest["metadata"]["namespace"] for manifest in made} == {"sales"}


@pytest.mark.parametrize("sheet", SHEETS_OF_THE_TRADE, ids=lambda sheet: sheet.file)
def test_the_same_sheet_gives_the_same_bytes_and_one_line_for_each_inbox(sheet: Sheet) -> None:
    arguments = ("import", SHEETS / sheet.file, "-n", "sales", "--name", "pool", *sheet.options)

    first, second = command(*arguments), command(*arguments)

    assert first.stdout == second.stdout
    lines = [line for line in first.stdout.splitlines() if line.startswith("  - {")]
    assert len(lines) == len(inboxes(documents(first.stdout)))


def test_a_host_that_the_provider_has_anyway_is_left_out() -> None:
    run = command("import", SHEETS / "titles-above-the-header.csv", "-n", "sales", "--name", "pool")

    (batch,) = documents(run.stdout)
    assert batch["spec"]["template"] == {"inboxType": "OUTLOOK_365", "smtp": {"passwordSecretRef": {"name": "pool"}}}


def test_a_row_with_servers_and_a_user_name_of_its_own_becomes_an_account_that_says_so() -> None:
    run = command("import", SHEETS / "imap-of-its-own.csv", "-n", "sales", "--name", "pool")

    ann = documents(run.stdout)[0]["spec"]
    assert ann["dailyLimit"] == 25
    assert ann["smtp"] == {
        "host": "smtp.one.com",
        "username": "ann-out",
        "passwordSecretRef": {"name": "pool-accounts", "key": "ann_one.com"},
    }
    assert ann["imap"] == {
        "host": "imap.one.com",
        "username": "ann-in",
        "passwordSecretRef": {"name": "pool-accounts", "key": "ann_one.com.imap"},
    }


BAD_ROWS = """\
line 3: emailAddress: must be one plain e-mail address such as jane@company.com
line 4: cat@company.com: it has no password
line 5: dan@company.com: dailyLimit: dailyLimit is above 2,000
line 6: eve@company.com: it has no name for recipients to see
line 7: fay@company.com: its type is unclear
line 8: gus@company.com: it has more cells than the header
line 9: hal@company.com: its daily_limit is not a whole number
line 10: it has no e-mail address
line 11: emailAddress: must be one plain e-mail address
line 12: kim@company.com: its password holds U+200B (ZERO WIDTH SPACE) at position 7
line 13: lea@company.com: displayName: holds U+000A (LINE FEED) at position 4
""".splitlines()


def test_every_bad_row_is_told_with_line_address_and_reason_and_stops_the_import() -> None:
    run = command("import", SHEETS / "bad-rows.csv", "-n", "sales", "--name", "pool")

    assert run.exit_code == 1
    assert run.stdout == ""
    *told, end = run.stderr.splitlines()
    assert len(told) == len(BAD_ROWS)
    for line, beginning in zip(told, BAD_ROWS, strict=True):
        assert line.startswith(beginning)
    assert end.startswith("11 of 13 rows are bad and nothing was written; correct them, or skip them")


def test_an_address_named_twice_is_told_with_both_lines() -> None:
    run = command("import", SHEETS / "duplicates.csv", "-n", "sales", "--name", "pool")

    assert run.exit_code == 1
    assert run.stderr.splitlines()[:2] == [
        "line 4: Ann@Company.com: the address is listed twice (line 2); keep one of them",
        "line 5: bob@company.com: the address is listed twice (line 3); keep one of them",
    ]


@pytest.mark.parametrize("sheet", sorted(SHEETS.iterdir()), ids=lambda path: path.name)
def test_no_password_is_printed(sheet: object) -> None:
    words = ("secret-", "secret\u200b", "geheim", "pässword", "pw-ann", "abcd", "ijkl", "qrst", "pw-7")

    run = command("import", sheet, "-n", "sales", "--name", "pool", "--skip-bad")

    assert [word for word in words if word in run.stdout + run.stderr] == []


OPEN = 'email,name,password,type,notes\na@x.example.com,Ann,pw,google,"call\nb@x.example.com,Bob,pw,google,\n'


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (b"PK\x03\x04rest of a workbook", "the file is a workbook, not text; save the sheet as CSV"),
        (b"email,password\nann@company.com,pw\x81", "the file is neither UTF-8, UTF-16 nor Windows-1252 text"),
        (b"who,what\nann@company.com,x", "no row names a column with the e-mail address"),
        (b"email,name\n", "the sheet has no row that can become an inbox"),
        (OPEN.encode(), "line 2: the row cannot be read; is a quotation mark missing"),
        (OPEN.encode() + b'c@x.example.com,Cat,pw,google,"x"', "line 2: the row cannot be read; is a quotation mark"),
        (b'email,name,password\na@x.example.com,Ann,"pw"-1', "line 2: the row cannot be read; is a quotation mark"),
        (b'"Report" 2024,,\nemail,name,password\n', "line 1: the row cannot be read; is a quotation mark missing"),
    ],
    ids=[
        *("workbook", "bytes", "no header", "no rows", "open quotation mark", "closed by a later row", "one too many"),
        "in a title",
    ],
)
def test_what_is_no_sheet_ends_with_one_sentence(given: bytes, sentence: str) -> None:
    run = command("import", "-", "-n", "sales", "--name", "pool", given=given)

    assert run.exit_code == 1
    (line,) = run.stderr.splitlines()
    assert line.startswith(sentence)


HEADER = "email;name;passwort;limit;smtp_tls;type"


def imported(folder: Path, row: str, header: str = HEADER) -> Result:
    """The import of one row. Its passwords go to the file `secrets` of the folder."""
    return command(
        *("import", "-", "-n", "sales", "--name", "pool", "--secrets", folder / "secrets"), given=f"{header}\n{row}\n"
    )


def passwords(folder: Path) -> list[str]:
    return [value for secret in documents((folder / "secrets").read_text()) for value in secret["stringData"].values()]


@pytest.mark.parametrize("limit", ["50", "50,0", "50.00", "50,00", '="50"'])
def test_a_number_with_decimals_in_any_language_is_that_number(tmp_path: Path, limit: str) -> None:
    (made,) = documents(imported(tmp_path, f"a@x.example.com;Ann;pw;{limit};FALSCH;google").stdout)
    assert (made["spec"]["dailyLimit"], made["spec"]["smtp"]["useTLS"]) == (50, False)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("a@x.example.com;Ann;pw;1.000;;google", "its daily_limit is not a whole number"),
        ("a@x.example.com;Ann;pw;1,000;;google", "its daily_limit is not a whole number"),
        ("a@x.example.com;#NV;pw;50;;google", "its from_name is an error of the spreadsheet (#NV)"),
        ("a@x.example.com;Ann;#NAME?;50;;google", "its password is an error of the spreadsheet (#NAME?)"),
        ("a@x.example.com;Ann;########;50;;google", "its password is an error of the spreadsheet (########)"),
        ("a@x.example.com;Ann;1,23457E+15;50;;google", "its password was rounded by the spreadsheet"),
        ("'a@x.example.com;Ann;pw;50;;google", "its e-mail address begins with the apostrophe"),
    ],
)
def test_what_a_spreadsheet_made_of_a_value_is_not_taken_for_the_value(tmp_path: Path, row: str, said: str) -> None:
    run = imported(tmp_path, row)
    assert (run.exit_code, run.stdout) == (1, "")
    assert said in run.stderr


def test_a_password_that_programs_wrapped_as_text_is_unwrapped(tmp_path: Path) -> None:
    imported(tmp_path, 'a@x.example.com;Ann;"=""0123""";50;WAHR;google')
    assert passwords(tmp_path) == ["0123"]


TWICE = "email;name;password;password;limit;type"


def test_of_two_columns_with_one_name_the_filled_one_counts(tmp_path: Path) -> None:
    imported(tmp_path, "a@x.example.com;Ann;;pw-2;50;google", TWICE)
    assert passwords(tmp_path) == ["pw-2"]


def test_two_columns_with_one_name_that_differ_make_a_row_unclear(tmp_path: Path) -> None:
    run = imported(tmp_path, "a@x.example.com;Ann;pw-1;pw-2;50;google", TWICE)
    assert run.exit_code == 1
    assert "its columns for password have one name and differ" in run.stderr
    assert "pw-" not in run.stderr


def test_quotation_marks_may_be_padded_and_may_stand_inside_a_cell(tmp_path: Path) -> None:
    run = imported(tmp_path, '"a@x.example.com" ; "Ann ""A""" ; p"w ;50; ; "google" ')
    assert (run.exit_code, passwords(tmp_path)) == (0, ['p"w'])
    assert inboxes(documents(run.stdout))[0]["displayName"] == 'Ann "A"'


@pytest.mark.parametrize("password", ['" ;x', '" |y', '"" ,', 'a" "b'])
def test_a_password_with_quotation_marks_and_spaces_stays_as_it_is(tmp_path: Path, password: str) -> None:
    quoted = password.replace('"', '""')
    run = imported(tmp_path, f'a@x.example.com;"Ann" ;"{quoted}" ;50;"" ;"google"\u00a0')
    assert (run.exit_code, passwords(tmp_path)) == (0, [password])
