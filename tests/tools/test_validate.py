"""`validate` says what the API server says: the manifests are those that tests/e2e gives to a real one."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from coldsend_operator.tools.manifests import parse
from coldsend_operator.tools.validation.checks import problems
from coldsend_operator.tools.validation.schemas import schemas
from tests.e2e.manifests.accepted import ACCEPTED
from tests.e2e.manifests.builders import Manifest, account, batch, google, large_batch, native_batch
from tests.e2e.manifests.refused import REFUSED_ACCOUNTS, REFUSED_BATCHES, REFUSED_NAMES, Refusal
from tests.tools.support import SHEETS, command

ROOT = Path(__file__).parents[2]
REFUSED = (*REFUSED_ACCOUNTS, *REFUSED_BATCHES, *REFUSED_NAMES)


def case(refusal: Refusal) -> str:
    return refusal.case


def validated(*manifests: Manifest) -> tuple[int, dict[str, Any]]:
    run = command("validate", "-f", "-", "-o", "json", given=yaml.safe_dump_all(manifests))
    return run.exit_code, json.loads(run.stdout)


@pytest.mark.parametrize("name", ACCEPTED)
def test_what_the_api_server_takes_has_no_problem(name: str) -> None:
    assert problems(ACCEPTED[name]) == ()


@pytest.mark.parametrize("refusal", REFUSED, ids=case)
def test_what_the_api_server_refuses_is_a_problem_of_the_same_field(refusal: Refusal) -> None:
    assert any(
        refusal.field in problem.field or refusal.field in str(problem) for problem in problems(refusal.manifest)
    )


def test_a_field_that_the_crd_does_not_have_is_named() -> None:
    (problem,) = problems(google(dailylimit=50))
    assert str(problem) == "spec.dailylimit: is not a field of this kind; correct its spelling, or remove it"
    inboxes = [{"emailAddress": "a@b.co", "displayName": "A", "password": "x"}]
    assert [problem.field for problem in problems(batch(inboxes=inboxes))] == ["spec.inboxes[0].password"]


def test_a_fault_of_the_template_is_told_once() -> None:
    (problem,) = problems(
        large_batch(500) | {"spec": {**large_batch(500)["spec"], "template": {"inboxType": "OUTLOOK_365"}}}
    )
    assert problem.field == "spec.template.smtp"


def test_an_empty_batch_with_a_wrong_template_is_refused() -> None:
    assert [problem.field for problem in problems(native_batch(template={"dailyLimit": 5}, inboxes=[]))] == [
        "spec.template.dailyLimit"
    ]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"apiVersion": "coldsend.pro/v1"}, "apiVersion"),
        ({"kind": "SenderAcount"}, "kind"),
        ({"metadata": {}}, "metadata.name"),
        ({"metadata": None}, "metadata.name"),
        ({"metadata": {"name": "Ann"}}, "metadata.name"),
        ({"spec": None}, "spec"),
        ({"spec": "all of it"}, "spec"),
        ({"specs": {}}, "specs"),
    ],
    ids=str,
)
def test_the_frame_of_a_manifest_is_checked(changes: dict[str, Any], field: str) -> None:
    assert [problem.field for problem in problems(google() | changes)] == [field]


@pytest.mark.parametrize(
    ("dump", "limit"),
    [*((yaml.safe_dump, limit) for limit in ("50", "50.0", "5e1", "5.e+1")), (json.dumps, "50.0"), (json.dumps, "5e1")],
)
def test_a_whole_number_is_an_integer_in_any_notation_and_never_a_text(dump: Callable[[Any], str], limit: str) -> None:
    text = dump(google(dailyLimit=777)).replace("777", limit)
    assert command("validate", "-f", "-", given=text).exit_code == 0
    text = dump(google(displayName=777)).replace("777", limit)
    assert "spec.displayName: it should be a valid string" in command("validate", "-f", "-", given=text).stdout


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *(("=", "="), ("12:30", "12:30"), ("190:20:30.15", "190:20:30.15"), ("2024-01-01", "2024-01-01")),
        *(("0o17", 15), ("017", 15), ("0o8", "0o8"), ("08", 8), ("+.5", 0.5), ("1_000", 1000), ("0x1F", 31)),
        *(("y", True), ("N", False), ("off", False), ("tRUE", "tRUE"), ("+", "+"), ("0x", "0x"), ("~", None)),
    ],
)
def test_a_value_is_what_kubectl_reads(text: str, value: object) -> None:
    (document,) = parse("-", f"v: {text}")
    assert document.manifest["v"] == value
    assert type(document.manifest["v"]) is type(value)


def test_a_definition_of_others_with_an_equals_sign_is_passed_over() -> None:
    definition = "kind: CustomResourceDefinition\nenum: ['!=', =, =~, '!~']\n"
    run = command("validate", "-f", "-", given=f"{definition}---\n{yaml.safe_dump(google())}")
    assert run.exit_code == 0, run.stderr


def test_keys_are_strings_as_in_json() -> None:
    (document,) = parse("-", "{y: 1, on: 2, 8080: 3}")
    assert document.manifest == {"y": 1, "on": 2, "8080": 3}


def test_a_manifest_of_our_kinds_whose_version_is_misspelt_is_not_ignored() -> None:
    run = command("validate", "-f", "-", given=yaml.safe_dump(google()).replace("apiVersion", "apiversion"))
    assert (run.exit_code, "apiVersion: must be coldsend.pro/v1alpha1" in run.stdout) == (1, True)


def test_a_file_of_something_else_whose_kind_is_a_list_is_no_object_of_ours() -> None:
    run = command("validate", "-f", "-", given="kind: [a, b]\n")
    assert (run.exit_code, "0 objects" in run.stderr) == (0, True)


def test_a_manifest_from_powershell_is_read_or_told_how_to_write_it(tmp_path: Path) -> None:
    path = tmp_path / "google.json"
    path.write_text(json.dumps(google(displayName="\N{SLIGHTLY SMILING FACE}")), encoding="utf-8-sig")
    assert command("validate", "-f", path).exit_code == 0
    path.write_text(json.dumps(google()), encoding="utf-16")
    run = command("validate", "-f", path)
    assert run.exit_code == 1
    assert run.stderr == (
        f"{path} cannot be read: it is UTF-16, as `>` of Windows PowerShell writes it; write it again with "
        "`| Out-File -Encoding utf8`\n"
    )


def test_an_object_that_etcd_does_not_take_is_refused() -> None:
    wide = [{"emailAddress": f"a{n}@company.com", "displayName": "Ö" * 255} for n in range(5000)]
    assert "larger than 1.5 MiB" in str(problems(batch(inboxes=wide)))


def test_problems_are_told_by_file_object_and_field(tmp_path: Path) -> None:
    good, bad = tmp_path / "a" / "good.yaml", tmp_path / "bad.yml"
    good.parent.mkdir()
    good.write_text(yaml.safe_dump(google()))
    bad.write_text(yaml.safe_dump_all([google(dailyLimit=3000), {"apiVersion": "v1", "kind": "Namespace"}]))

    run = command("validate", "-f", tmp_path)

    assert run.exit_code == 1
    assert run.stdout == (
        f"{bad}: SenderAccount default/google: spec.dailyLimit: "
        "dailyLimit is above 2,000, the most that GOOGLE_WORKSPACE allows; lower it\n"
    )
    assert run.stderr == (
        f"Warning: {bad}: SenderAccount default/google: metadata.name: is also in {good}; the last one counts\n"
        f"Warning: {bad}: SenderAccount default/google: spec.emailAddress: google@company.com is already in google; "
        "one of the two would get AddressConflict\n"
        "1 of 2 objects would be refused; correct them\n"
    )


def test_json_has_its_version_and_every_problem() -> None:
    code, told = validated(google(dailyLimit=3000), batch())

    assert code == 1
    assert (told["apiVersion"], told["kind"]) == ("cli.coldsend.pro/v1", "Validation")
    assert (told["valid"], told["objects"], len(told["problems"])) == (False, 2, 1)
    assert told["problems"][0].keys() == {"file", "kind", "namespace", "name", "field", "message"}


def test_objects_of_two_workspaces_may_hold_one_address() -> None:
    other = account("other", google(apiKeySecretRef={"name": "workspace"})["spec"])

    assert validated(google(), other)[1]["warnings"] == []
    assert len(validated(google(), account("twin", google()["spec"]))[1]["warnings"]) == 1


def test_native_inboxes_of_one_address_are_told_and_observers_are_not() -> None:
    native = {"inboxType": "COLDSEND", "displayName": "J", "native": {"domainName": "one.com", "emailPrefix": "john"}}
    template = {"inboxType": "COLDSEND", "native": {"domainName": "One.com"}}
    pool = batch(template=template, inboxes=[{"emailPrefix": "john", "displayName": "John"}])
    observer = account("watching", {**native, "managementPolicy": "Observe"})

    assert validated(observer, account("john", native))[1]["warnings"] == []
    (warning,) = validated(account("john", native), pool)[1]["warnings"]
    assert warning["field"] == "spec.inboxes[0].emailPrefix"
    assert "john@one.com is already in john" in warning["message"]


FIELDS = st.sampled_from(["name", "inboxes", "template", "smtp", "x"])
SHAPES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(FIELDS, inner),
    max_leaves=8,
)


@settings(deadline=None)
@given(st.fixed_dictionaries({}, optional=dict.fromkeys(("kind", "metadata", "spec", "status"), SHAPES)), st.booleans())
def test_a_manifest_of_any_shape_is_checked_without_an_exception(shape: dict[str, Any], batch: bool) -> None:
    kind = "SenderAccountBatch" if batch else "SenderAccount"
    manifest = {"apiVersion": "coldsend.pro/v1alpha1", "kind": kind, **shape}

    run = command("validate", "-f", "-", "-o", "json", given=json.dumps({"kind": "List", "items": [manifest]}))

    assert run.exit_code == 1
    assert json.loads(run.stdout)["problems"]


def test_json_that_escapes_an_emoji_is_read_as_what_it_means() -> None:
    manifest = google(displayName="Ann \U0001f642")
    run = command("validate", "-f", "-", given=json.dumps(manifest))
    assert run.exit_code == 0, run.stdout


def test_a_list_counts_as_its_items() -> None:
    code, told = validated({"apiVersion": "v1", "kind": "List", "items": [google(), batch()]})
    assert (code, told["objects"]) == (0, 2)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a: [", "- is not YAML: "),
        ("spec: {a: 1, a: 2}", "- is not YAML: the key a appears twice (line 1)"),
        ("? [a, b]\n: 1", "- is not YAML: a key is not a string (line 1)"),
        ("a: \x01", "- is not YAML: it has characters that YAML does not allow"),
    ],
)
def test_what_is_no_yaml_ends_with_one_sentence(text: str, sentence: str) -> None:
    run = command("validate", "-f", "-", given=text)

    assert run.exit_code == 1
    (line,) = run.stderr.splitlines()
    assert line.startswith(sentence)


def test_a_template_of_helm_is_named_as_such() -> None:
    run = command("validate", "-f", "-", given="spec:\n{{ toYaml .Values | nindent 2 }}")
    assert run.stderr.endswith("; it looks like a template of Helm: render it first, with helm template\n")


def test_a_wrong_secret_is_not_quoted() -> None:
    run = command("validate", "-f", "-", given="stringData:\n  password: *swordfish\n")
    assert run.exit_code == 1
    assert "password" not in run.stderr


def test_a_file_that_is_not_there_is_named() -> None:
    run = command("validate", "-f", "tests/nowhere")
    assert (run.exit_code, run.stderr) == (1, "tests/nowhere: no such file or folder\n")


def test_the_examples_are_right() -> None:
    run = command("validate", "-f", ROOT / "examples/demo", "-f", ROOT / "examples/batch-smtp.yaml")
    assert (run.exit_code, run.stdout) == (0, "")


@pytest.mark.parametrize("sheet", sorted(SHEETS.iterdir()), ids=lambda path: path.name)
def test_what_import_makes_is_right(sheet: Path) -> None:
    made = command("import", sheet, "-n", "sales", "--name", "pool", "--skip-bad")
    if made.exit_code == 0:
        assert command("validate", "-f", "-", given=made.stdout).exit_code == 0
    else:
        assert sheet.name == "native.csv"  # its rows say nothing of a type


# Schemas

VALIDATORS = {
    "SenderAccount": jsonschema_rs.validator_for(schemas()["senderaccount_v1alpha1.json"]),
    "SenderAccountBatch": jsonschema_rs.validator_for(schemas()["senderaccountbatch_v1alpha1.json"]),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_the_schemas_take_what_the_api_server_takes(name: str) -> None:
    VALIDATORS[ACCEPTED[name]["kind"]].validate(ACCEPTED[name])


@pytest.mark.parametrize(
    "manifest",
    [
        google(dailylimit=50),
        google(dailyLimit="50"),
        google(emailAddress="jane doe@company.com"),
        google(inboxType="YAHOO"),
        google() | {"kind": "SenderAcount"},
        batch(maxUnavailable=True),
        batch(inboxes=[{"emailAddress": "a@b.co", "password": "x"}]),
    ],
    ids=range(7),
)
def test_the_schemas_refuse_what_an_editor_should_mark(manifest: Manifest) -> None:
    assert not any(validator.is_valid(manifest) for validator in VALIDATORS.values())


def test_schemas_are_written_where_kubeconform_looks(tmp_path: Path) -> None:
    run = command("schemas", tmp_path / "schemas")

    assert run.exit_code == 0
    assert sorted(path.name for path in (tmp_path / "schemas").iterdir()) == [
        "senderaccount_v1alpha1.json",
        "senderaccountbatch_v1alpha1.json",
    ]


def test_objects_that_the_api_server_will_name_are_not_the_same(tmp_path: Path) -> None:
    made = [google(emailAddress=f"{name}@company.com") for name in ("ann", "bob")]
    for each in made:
        each["metadata"] = {"generateName": "new-"}
    (tmp_path / "git.yaml").write_text(yaml.safe_dump_all(made), encoding="utf-8")
    run = command("validate", "-f", tmp_path / "git.yaml")
    assert (run.exit_code, run.stderr) == (0, "2 objects, none would be refused\n")
