"""The options of `import`, the file of passwords, and updates of what an earlier import wrote."""

import stat
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from coldsend_operator.tools import manifests
from coldsend_operator.tools.names import password_key
from coldsend_operator.tools.spreadsheet.mailboxes import read_mailboxes
from coldsend_operator.tools.spreadsheet.table import read_table
from tests.tools.support import SHEETS, command, documents, inboxes

BASE = ("-n", "sales", "--name", "pool")
SHEET = """\
email,from_name,password,provider
ann@one.com,Ann,secret-pw-1,google
bob@two.com,Bob,abcd efgh ijkl mnop,google
"""


def sheet(*rows: str, header: str = "email,from_name,password,provider") -> str:
    return "\n".join((header, *rows)) + "\n"


def rows(count: int) -> list[str]:
    return [f"a{number:04}@one.com,A {number},secret-pw-{number},google" for number in range(count)]


def test_columns_may_be_named_by_hand() -> None:
    text = "Wer;Wie;Was\nann@one.com;Ann;secret-pw-1\n"

    run = command("import", "-", *BASE, "--type", "google_workspace", "--map", "email=Wer,from_name=Wie", given=text)

    assert run.exit_code == 0, run.stderr
    assert inboxes(documents(run.stdout)) == [
        {"emailAddress": "ann@one.com", "displayName": "Ann", "passwordKey": "ann_one.com"}
    ]


@pytest.mark.parametrize(
    "options",
    [("--map", "e-mail=Wer"), ("--map", "email"), ("--map", "email=Nobody"), ("--type", "YAHOO"), ("--split-by", "x")],
    ids=" ".join,
)
def test_wrong_usage_ends_with_2(options: tuple[str, ...]) -> None:
    assert command("import", "-", *BASE, *options, given=SHEET).exit_code == 2


@pytest.mark.parametrize("name", ["Pool", "pool.one", "-pool", ""])
def test_a_name_that_no_object_may_have_is_wrong_usage(name: str) -> None:
    assert command("import", "-", "-n", "sales", "--name", name, given=SHEET).exit_code == 2


def test_a_batch_for_each_domain() -> None:
    run = command("import", "-", *BASE, "--split-by", "domain", given=SHEET)

    assert [manifest["metadata"]["name"] for manifest in documents(run.stdout)] == ["pool-one-com", "pool-two-com"]


def test_a_sheet_of_more_than_5000_becomes_several_batches() -> None:
    run = command("import", "-", *BASE, given=sheet(*rows(5001)))

    sizes = {each["metadata"]["name"]: len(each["spec"]["inboxes"]) for each in documents(run.stdout)}
    assert sizes == {"pool": 5000, "pool-2": 1}


def test_no_batch_is_larger_than_one_mebibyte() -> None:
    wide = [
        f"{'x' * 64}.{number:04}@{'d' * 60}.{'d' * 60}.com,{'N' * 200},pw-{number},google" for number in range(4000)
    ]

    run = command("import", "-", *BASE, given=sheet(*wide))

    parts = run.stdout.split("---\n")
    assert len(parts) > 1
    assert max(len(part.encode()) for part in parts) <= manifests.MAX_BYTES


# Passwords


def test_passwords_go_into_one_file_that_only_its_owner_can_read(tmp_path: Path) -> None:
    secrets = tmp_path / "secrets.yaml"

    run = command("import", "-", *BASE, "--secrets", secrets, given=SHEET)

    assert run.exit_code == 0, run.stderr
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o600
    (secret,) = documents(secrets.read_text())
    assert secret["metadata"] == {"name": "pool", "namespace": "sales"}
    assert secret["stringData"] == {"ann_one.com": "secret-pw-1", "bob_two.com": "abcdefghijklmnop"}
    assert "secret-pw-1" not in run.stdout + run.stderr


def test_every_password_that_a_manifest_names_is_in_the_file(tmp_path: Path) -> None:
    secrets = tmp_path / "secrets.yaml"

    run = command("import", SHEETS / "hosts-per-row.csv", *BASE, "--secrets", secrets)

    held = {each["metadata"]["name"]: each["stringData"] for each in documents(secrets.read_text())}
    assert held == {
        "pool": {"ann_one.com": "secret-pw-1", "ben_one.com": "secret-pw-2"},
        "pool-accounts": {"cat_two.com": "secret-pw-3", "dan_one.com": "secret-pw-4"},
    }
    for manifest in documents(run.stdout):
        if manifest["kind"] == "SenderAccount":
            reference = manifest["spec"]["smtp"]["passwordSecretRef"]
            assert reference["key"] in held[reference["name"]]


def test_a_file_that_may_hold_passwords_is_not_overwritten_without_force(tmp_path: Path) -> None:
    secrets = tmp_path / "secrets.yaml"
    secrets.write_text("precious")
    secrets.chmod(0o644)

    refused = command("import", "-", *BASE, "--secrets", secrets, "-d", tmp_path / "out", given=SHEET)

    assert refused.exit_code == 1
    assert secrets.read_text() == "precious"
    assert not (tmp_path / "out").exists()
    assert command("import", "-", *BASE, "--secrets", secrets, "--force", given=SHEET).exit_code == 0
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o600


def test_passwords_may_be_piped_when_the_manifests_go_elsewhere(tmp_path: Path) -> None:
    run = command("import", "-", *BASE, "--secrets", "-", "-d", tmp_path, given=SHEET)

    assert [each["kind"] for each in documents(run.stdout)] == ["Secret"]
    assert [path.name for path in tmp_path.iterdir()] == ["pool.yaml"]
    assert command("import", "-", *BASE, "--secrets", "-", given=SHEET).exit_code == 2


def test_a_sheet_without_passwords_still_gives_manifests_and_says_so() -> None:
    run = command("import", "-", *BASE, given="email,name,provider\nann@one.com,Ann,google\n")

    assert run.exit_code == 0
    assert "The sheet has no passwords: create the Secrets that the manifests name yourself" in run.stderr


def test_rows_show_no_password_when_they_are_printed() -> None:
    table = read_table(SHEET, {})
    reading = read_mailboxes(table.records, None, passwords=True)

    shown = f"{table!r} {reading!r}"
    assert "ann@one.com" in shown
    assert "secret-pw-1" not in shown
    assert "abcdefghijklmnop" not in shown


ADDRESSES = st.builds("{}@{}.com".format, st.text("abAB._-+%", min_size=1), st.text("ab-_", min_size=1))


@given(st.lists(ADDRESSES, unique_by=str.lower))
def test_no_two_addresses_share_a_key(addresses: list[str]) -> None:
    keys = [password_key(address) for address in addresses]
    assert len(set(keys)) == len(addresses)


def test_addresses_that_look_alike_have_keys_of_their_own() -> None:
    alike = ["a_b@c.com", "a@b_c.com", "a+b@c.com", "a-b@c.com", "a%b@c.com"]
    assert len({password_key(address) for address in alike}) == len(alike)


@given(st.text())
def test_any_text_is_read_back_as_it_was_written(text: str) -> None:
    written = manifests.render([{"spec": {"inboxes": [{"displayName": text}]}}])
    assert yaml.safe_load(written) == {"spec": {"inboxes": [{"displayName": text}]}}


@pytest.mark.parametrize("text", ["1e5", "12e34567", "0o17", "1_000", "y", "N", ".5", "+1", "0x1f", "-"])
def test_what_other_readers_of_yaml_take_for_a_number_or_truth_is_quoted(text: str) -> None:
    assert f'"{text}"' in manifests.render([{"stringData": {"key": text}}])


# Folders and updates


def test_a_folder_gets_a_file_for_each_batch_and_one_for_the_accounts(tmp_path: Path) -> None:
    command("import", SHEETS / "hosts-per-row.csv", *BASE, "-d", tmp_path)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["pool-accounts.yaml", "pool.yaml"]


def test_a_manifest_that_people_changed_is_not_overwritten(tmp_path: Path) -> None:
    command("import", "-", *BASE, "-d", tmp_path, given=SHEET)
    again = command("import", "-", *BASE, "-d", tmp_path, given=SHEET)
    changed = (tmp_path / "pool.yaml").read_text().replace("Ann", "Anna")
    (tmp_path / "pool.yaml").write_text(changed)

    refused = command("import", "-", *BASE, "-d", tmp_path, given=SHEET)

    assert again.exit_code == 0
    assert refused.exit_code == 1
    assert "exists and differs" in refused.stderr
    assert (tmp_path / "pool.yaml").read_text() == changed


def edited(folder: Path, **template: object) -> None:
    """As a person would: policies in the template."""
    path = folder / "pool.yaml"
    (batch,) = documents(path.read_text())
    batch["spec"]["template"].update(template)
    batch["metadata"]["labels"] = {"team": "sales"}
    path.write_text(manifests.render([batch]))


def test_an_update_tells_what_is_added_removed_and_changed_and_keeps_what_people_added(tmp_path: Path) -> None:
    first = ["ann@one.com,Ann,pw-1,google", "bob@one.com,Bob,pw-2,google", "cat@one.com,Cat,pw-3,google"]
    command("import", "-", *BASE, "-d", tmp_path, given=sheet(*first))
    edited(tmp_path, updatePolicy="Recreate")
    then = ["ann@one.com,Anna,pw-1,google", "cat@one.com,Cat,pw-3,google", "dan@one.com,Dan,pw-4,google"]

    run = command("import", "-", *BASE, "--update", tmp_path, given=sheet(*then))

    assert run.exit_code == 0, run.stderr
    assert run.stdout.splitlines() == [
        "1 added, 1 removed, 1 changed, 1 as before",
        "+ dan@one.com (pool)",
        "- bob@one.com (pool): its inbox is deleted",
        "~ ann@one.com (pool): displayName",
        (
            "The deletion brake would allow 1 deletion: its default for 3 inboxes is 10, together with other "
            "deletions within ten minutes"
        ),
    ]
    (batch,) = documents((tmp_path / "pool.yaml").read_text())
    assert batch["metadata"]["labels"] == {"team": "sales"}
    assert batch["spec"]["template"]["updatePolicy"] == "Recreate"
    assert [inbox["displayName"] for inbox in batch["spec"]["inboxes"]] == ["Anna", "Cat", "Dan"]


OWN_SERVER = "email,from_name,password,smtp_host,imap_host,username,smtp_port,imap_user,daily_limit"


def test_an_update_takes_out_what_the_sheet_no_longer_says(tmp_path: Path) -> None:
    row = "ann@one.com,Ann,pw-1,smtp.one.com,imap.one.com"
    own = (*BASE, "--type", "custom_smtp", "--update", tmp_path)
    command("import", "-", *own, given=sheet(f"{row},ann,2525,ann-in,50", header=OWN_SERVER))

    run = command("import", "-", *own, given=sheet(f"{row},,587,,", header=OWN_SERVER))

    assert run.stdout.splitlines()[0] == "0 added, 0 removed, 1 changed, 0 as before"
    assert run.stdout.splitlines()[1].endswith(": dailyLimit, imap.username, smtp.port, smtp.username")
    (account,) = documents((tmp_path / "pool-accounts.yaml").read_text())
    assert "dailyLimit" not in account["spec"]
    assert account["spec"]["smtp"].keys() == {"host", "passwordSecretRef"}
    assert account["spec"]["imap"] == {"host": "imap.one.com"}


def test_an_update_takes_a_limit_out_of_a_list_only_if_the_sheet_has_limits(tmp_path: Path) -> None:
    limits = "email,from_name,password,provider,daily_limit"
    command("import", "-", *BASE, "-d", tmp_path, given=sheet("ann@one.com,Ann,pw-1,google,50", header=limits))

    command("import", "-", *BASE, "--update", tmp_path, given=sheet("ann@one.com,Ann,pw-1,google"))
    without_column = inboxes(documents((tmp_path / "pool.yaml").read_text()))
    command("import", "-", *BASE, "--update", tmp_path, given=sheet("ann@one.com,Ann,pw-1,google,", header=limits))
    with_empty_cell = inboxes(documents((tmp_path / "pool.yaml").read_text()))

    assert without_column[0]["dailyLimit"] == 50
    assert "dailyLimit" not in with_empty_cell[0]


def test_columns_that_are_not_used_are_named() -> None:
    header = "email,from_name,password,provider,Tageslimit,,Tags"

    run = command("import", "-", *BASE, given=sheet("ann@one.com,Ann,pw-1,google,50,,x", header=header))

    assert "Columns that were not used: Tageslimit, Tags; to use one, give --map FIELD=COLUMN" in run.stderr


def test_an_update_says_when_the_brake_would_hold_the_deletions(tmp_path: Path) -> None:
    command("import", "-", *BASE, "-d", tmp_path, given=sheet(*rows(100)))

    run = command("import", "-", *BASE, "--update", tmp_path, given=sheet(*rows(40)))

    assert "0 added, 60 removed, 0 changed, 40 as before" in run.stdout
    assert "The deletion brake would hold 60 deletions for approval: its default for 100 inboxes is 50" in run.stdout


def test_inboxes_that_stay_in_coldsend_are_no_deletions(tmp_path: Path) -> None:
    command("import", "-", *BASE, "-d", tmp_path, given=SHEET)
    edited(tmp_path, deletionPolicy="Orphan")

    run = command("import", "-", *BASE, "--update", tmp_path, given=sheet("ann@one.com,Ann,secret-pw-1,google"))

    assert "- bob@two.com (pool): its inbox stays in ColdSend (deletionPolicy Orphan)" in run.stdout
    assert "brake" not in run.stdout


def test_an_update_with_the_same_sheet_changes_no_byte(tmp_path: Path) -> None:
    command("import", "-", *BASE, "-d", tmp_path, given=SHEET)
    path = tmp_path / "pool.yaml"
    path.write_text(f"# mine\n{path.read_text()}")
    before = path.read_bytes()

    run = command("import", "-", *BASE, "--update", tmp_path, given=SHEET)

    assert run.stdout.splitlines() == ["0 added, 0 removed, 0 changed, 2 as before"]
    assert path.read_bytes() == before


def test_a_batch_keeps_its_name_when_a_second_type_joins(tmp_path: Path) -> None:
    command("import", "-", *BASE, "-d", tmp_path, given=SHEET)

    run = command("import", "-", *BASE, "--update", tmp_path, given=f"{SHEET}cat@one.com,Cat,pw-3,outlook\n")

    assert run.stdout.splitlines() == ["1 added, 0 removed, 0 changed, 2 as before", "+ cat@one.com (pool-outlook)"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pool-outlook.yaml", "pool.yaml"]


def test_a_batch_whose_last_inbox_left_stays_and_is_empty(tmp_path: Path) -> None:
    command("import", "-", *BASE, "--split-by", "domain", "-d", tmp_path, given=SHEET)

    only_ann = sheet("ann@one.com,Ann,secret-pw-1,google")
    command("import", "-", *BASE, "--split-by", "domain", "--update", tmp_path, given=only_ann)

    (batch,) = documents((tmp_path / "pool-two-com.yaml").read_text())
    assert batch["spec"]["inboxes"] == []


def test_objects_of_other_imports_are_left_alone(tmp_path: Path) -> None:
    command("import", "-", "-n", "sales", "--name", "other", "-d", tmp_path, given=sheet("zoe@x.com,Zoe,pw,google"))

    run = command("import", "-", *BASE, "--update", tmp_path, given=SHEET)

    assert run.stdout.splitlines()[0] == "2 added, 0 removed, 0 changed, 0 as before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other.yaml", "pool.yaml"]


def test_other_objects_in_a_file_stay_where_they_are(tmp_path: Path) -> None:
    command("import", "-", *BASE, "-d", tmp_path, given=SHEET)
    path = tmp_path / "pool.yaml"
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "sales"}}
    (batch,) = documents(path.read_text())
    other = {**batch, "metadata": {"name": "other", "namespace": "sales"}}
    path.write_text(manifests.render([namespace, batch, other]))

    command("import", "-", *BASE, "--update", tmp_path, given=sheet("ann@one.com,Ann,secret-pw-1,google"))

    assert [each["metadata"]["name"] for each in documents(path.read_text())] == ["sales", "pool", "other"]
    assert documents(path.read_text())[2] == other


def test_a_long_list_keeps_its_names_in_an_update(tmp_path: Path) -> None:
    command("import", "-", *BASE, "-d", tmp_path, given=sheet(*rows(5002)))

    run = command("import", "-", *BASE, "--update", tmp_path, given=sheet(*rows(5003)))

    assert run.stdout.splitlines() == ["1 added, 0 removed, 0 changed, 5002 as before", "+ a5002@one.com (pool-2)"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pool-2.yaml", "pool.yaml"]


def test_an_update_writes_where_the_manifests_are(tmp_path: Path) -> None:
    assert command("import", "-", *BASE, "--update", tmp_path, "-d", tmp_path, given=SHEET).exit_code == 2
    assert command("import", "-", *BASE, "--update", tmp_path / "none", given=SHEET).exit_code == 2
