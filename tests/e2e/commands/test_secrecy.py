"""No password and no key in any output, also when things go wrong. `Person.run` searches each run of this folder."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.commands.person import Canaries, Person
from tests.e2e.commands.place import PASSWORD, SALES, Place
from tests.e2e.support.api_server import named
from tests.e2e.support.world import MARKER
from tests.support.http_server import Request, Response, serving

EXPORT = ("export", "-n", SALES)
ASKING = [EXPORT, ("inventory", "--live"), ("plan", "--live"), ("doctor",)]
WRONG = f"cs_live_{MARKER}_that_nobody_knows"


@pytest.fixture
def echoing() -> Iterator[str]:
    """A ColdSend that repeats the key in every answer, as a proxy or a debugging page does. Path: the code."""

    def answer(request: Request) -> Response:
        key = request.headers.get("Authorization", "") + request.headers.get("X-API-Key", "")
        said = {"detail": f"refused: {key}", "error": {"message": key, "input": key}}
        json_type = {"Content-Type": "application/json"}
        return Response(int(request.path.split("/")[1]), said, json_type, reason=f"No {key}"[:200])

    with serving(answer) as url:
        yield url


def test_the_search_finds_a_secret_however_it_is_spelled() -> None:
    canaries = Canaries(PASSWORD)
    for text in (
        f"x{PASSWORD}x",
        json.dumps({"a": PASSWORD}),
        repr({"a": PASSWORD}),
        base64.b64encode(PASSWORD.encode()).decode(),
        base64.b64encode(f'{{"password": "{PASSWORD}"}}'.encode()).decode(),
    ):
        assert canaries.found_in(text)
    assert not canaries.found_in("nothing of it")


def test_the_search_sees_output_files_and_command_lines(person: Person, tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text('#!/bin/sh\neval "$1"\n', encoding="utf-8")
    program.chmod(0o755)
    careless = Person(program, tmp_path, {"PATH": "/bin:/usr/bin", "SECRET": PASSWORD}, person.canaries)
    for does in ('echo "$SECRET"', 'echo "$SECRET" >&2', 'sh -c "sleep 1; true" "$SECRET"', 'echo "$SECRET" > file'):
        with pytest.raises(AssertionError, match="a secret stands in"):
            careless.run(does)


@pytest.mark.parametrize("line", ASKING, ids=[line[0] for line in ASKING])
def test_a_wrong_key_is_told_and_not_shown(person: Person, echoing: str, line: tuple[str, ...]) -> None:
    run = person.fails(*line, environment={"COLDSEND_API_KEY": WRONG})
    assert "key" in run.err + run.out
    person.fails(*line, environment={"COLDSEND_API_URL": f"{echoing}/422"})


@pytest.mark.parametrize("code", [200, 302, 401, 403, 404, 429, 500])
def test_a_key_that_coldsend_repeats_is_not_shown(person: Person, echoing: str, code: int) -> None:
    person.fails(*EXPORT, environment={"COLDSEND_API_URL": f"{echoing}/{code}"})


@pytest.mark.parametrize("key", [f"{WRONG}\n{MARKER}", f"{WRONG} ä"])
def test_a_key_that_cannot_be_a_header_is_not_shown(person: Person, key: str) -> None:
    person.fails(*EXPORT, code=2, environment={"COLDSEND_API_KEY": key})


def test_a_key_of_a_file_or_a_secret_is_not_shown(here: Place, person: Person) -> None:
    person.secret_files |= {"key", "broken"}
    (person.folder / "key").write_text(f"{WRONG}\n", encoding="utf-8")
    (person.folder / "broken").write_bytes(f"{MARKER}\xff".encode("latin-1"))
    here.world.server.apply(named("Secret", SALES, "keys", stringData={"wrong": WRONG, "empty": ""}))
    nothing = {"COLDSEND_API_KEY": ""}
    for key in ("key", "broken", "none"):
        person.fails(*EXPORT, "--api-key-file", key, environment=nothing)
    for key in ("keys/wrong", "keys/empty", "nobody"):
        person.fails(*EXPORT, "--api-key-secret", key, environment=nothing)
    person.fails(*EXPORT, code=2, environment=nothing)


SECRET = f"""apiVersion: v1
kind: Secret
metadata: {{name: mail, namespace: {SALES}}}
stringData: {{password: "{MARKER} in a file"}}
"""


@pytest.mark.parametrize("command", ["plan", "validate"])
def test_a_secret_among_the_manifests_is_passed_over(person: Person, command: str) -> None:
    person.secret_files.add("secret.yaml")
    (person.folder / "secret.yaml").write_text(SECRET, encoding="utf-8")
    for place in ("secret.yaml", "-"):
        assert person.run(command, "-f", place, given=SECRET).code in {0, 1}


@pytest.mark.parametrize(
    "text", [SECRET.replace("stringData: {", "stringData: {{{"), SECRET + f"stringData: {{password: {MARKER}}}\n"]
)
def test_a_secret_that_is_no_yaml_is_told_without_its_text(person: Person, text: str) -> None:
    person.secret_files |= {"secret.yaml", "old/secret.yaml"}
    (person.folder / "old").mkdir(exist_ok=True)
    for name in ("secret.yaml", "old/secret.yaml"):
        (person.folder / name).write_text(text, encoding="utf-8")
    (person.folder / "sheet.csv").write_text("email,password\n", encoding="utf-8")
    update = ("import", "sheet.csv", "-n", SALES, "--name", "sheet", "--update", "old")
    for line in (("plan", "-f", "secret.yaml"), ("validate", "-f", "secret.yaml"), ("plan", "-k", "."), update):
        person.fails(*line)


def test_a_bad_row_is_told_without_its_password(person: Person) -> None:
    rows = (
        "email,from_name,password",
        f"ann@company.com,Ann,{MARKER} is long,extra,{MARKER}",
        f"no address,Nobody,{MARKER} one",
        f"{MARKER} two",
        f"bob@company.com,Bob,{MARKER}\u200b three",
        f"cid@company.com,Cid,{MARKER} four",
        f"cid@company.com,Cid,{MARKER} five",
        f'dan@company.com,Dan,"{MARKER} six',
    )
    person.secret_files |= {"bad.csv", "made.yaml"}
    (person.folder / "bad.csv").write_text("\n".join(rows), encoding="utf-8")
    line = ("import", "bad.csv", "-n", SALES, "--name", "bad", "--type", "GOOGLE_WORKSPACE", "--secrets", "made.yaml")
    person.fails(*line)
    person.run(*line, "--skip-bad", "-d", "bad")


def test_passwords_on_standard_output_are_there_alone(person: Person) -> None:
    """Where the person asked for them; `run` would find them, so this looks with other eyes."""
    person.secret_files.add("good.csv")
    sheet = f"email,password,from_name\nann@company.com,{MARKER} one,Ann\n"
    (person.folder / "good.csv").write_text(sheet, encoding="utf-8")
    blind = Person(person.program, person.folder, person.environment, Canaries(), person.secret_files)
    line = ("import", "good.csv", "-n", SALES, "--name", "good", "--type", "GOOGLE_WORKSPACE")
    run = blind.succeeds(*line, "--secrets", "-", "-d", "good")
    assert MARKER in run.out
    assert MARKER not in run.err
    assert MARKER not in (person.folder / "good" / "good.yaml").read_text(encoding="utf-8")


def test_nothing_that_the_operator_or_the_objects_said_shows_a_secret(here: Place) -> None:
    here.world.search(SALES)
    assert here.world.leaks() == []
