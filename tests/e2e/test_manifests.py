"""What a real API server makes of manifests: refused with words that help, accepted, and stable when applied again."""

import json
import subprocess
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from time import sleep
from typing import Any, TypeAlias

import pytest
import yaml
from kubernetes import client, config

import devcluster
from coldsend_operator.resources.account import SenderAccountSpec
from coldsend_operator.resources.account_status import SenderAccountStatus
from coldsend_operator.resources.batch import SenderAccountBatchSpec, SenderAccountBatchStatus
from coldsend_operator.resources.common import InboxType
from coldsend_operator.resources.crd import account_crd
from coldsend_operator.resources.reading import read_account
from coldsend_operator.resources.schema import structural
from coldsend_operator.tools.validation.checks import problems
from tests.e2e.manifests.accepted import ACCEPTED, ALLOWED_CHANGES, FORBIDDEN_CHANGES, Change
from tests.e2e.manifests.builders import Manifest, account, batch, google, large_batch
from tests.e2e.manifests.refused import REFUSED_ACCOUNTS, REFUSED_BATCHES, REFUSED_NAMES, Refusal

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(  # beside templates, and objects of Argo CD itself
    path for path in (ROOT / "examples").rglob("*.yaml") if "helm" not in path.parts and path.parent.name != "argocd"
)
NAMESPACE = "manifests"
PLURALS = {"SenderAccount": "senderaccounts", "SenderAccountBatch": "senderaccountbatches"}
WHERE: dict[str, Any] = {"group": "coldsend.pro", "version": "v1alpha1", "namespace": NAMESPACE}

# client.CustomObjectsApi, whose answers are declared as `object` although they are JSON.
Objects: TypeAlias = Any
Kubectl: TypeAlias = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def kubectl(cluster: devcluster.Cluster, crds: None) -> Kubectl:
    def run(*arguments: str, manifest: object = None) -> subprocess.CompletedProcess[str]:
        command = [str(cluster.kubectl), "--kubeconfig", str(cluster.kubeconfig), *arguments]
        text = None if manifest is None else json.dumps(manifest)
        return subprocess.run(command, input=text, capture_output=True, text=True, check=False)

    return run


@pytest.fixture(scope="module")
def objects(cluster: devcluster.Cluster, kubectl: Kubectl) -> Iterator[Objects]:
    """The API in a namespace of its own, which goes in the end."""
    kubectl("create", "namespace", NAMESPACE)
    api = config.new_client_from_config(str(cluster.kubeconfig))  # type: ignore[no-untyped-call]
    yield client.CustomObjectsApi(api)
    kubectl("delete", "namespace", NAMESPACE, "--wait=false")


def in_namespace(manifest: Manifest) -> Manifest:
    return {**manifest, "metadata": {**manifest["metadata"], "namespace": NAMESPACE}}


def message_of(refusal: client.ApiException) -> str:
    return str(json.loads(refusal.body or "{}").get("message", refusal))


def answer_to_create(objects: Objects, manifest: Manifest) -> str:
    """What `kubectl create --dry-run=server` would print; empty when the manifest is taken."""
    try:
        objects.create_namespaced_custom_object(
            **WHERE,
            plural=PLURALS[manifest["kind"]],
            body=in_namespace(manifest),
            dry_run="All",
            field_validation="Strict",
        )
    except client.ApiException as refusal:
        return message_of(refusal)
    return ""


def answer_to_change(objects: Objects, change: Change) -> str:
    """What is said to `after` when `before` is there."""
    plural, name = PLURALS[change.before["kind"]], change.before["metadata"]["name"]
    there = objects.create_namespaced_custom_object(**WHERE, plural=plural, body=in_namespace(change.before))
    try:
        body = {**change.after, "metadata": there["metadata"]}
        objects.replace_namespaced_custom_object(**WHERE, plural=plural, name=name, body=body)
    except client.ApiException as refusal:
        return message_of(refusal)
    finally:
        objects.delete_namespaced_custom_object(**WHERE, plural=plural, name=name)
    return ""


def wait_until(holds: Callable[[], bool]) -> None:
    """A changed CRD serves a moment after its change was accepted."""
    for _ in range(100):
        if holds():
            return
        sleep(0.1)
    pytest.fail("the API server never took the changed CRD up")


def as_list(items: list[Manifest]) -> Manifest:
    return {"apiVersion": "v1", "kind": "List", "items": items}


def case(row: Refusal | Change) -> str:
    return row.case


@pytest.mark.parametrize("refusal", [*REFUSED_ACCOUNTS, *REFUSED_BATCHES, *REFUSED_NAMES], ids=case)
def test_it_is_refused_with_the_field_and_the_way_out(objects: Objects, refusal: Refusal) -> None:
    answer = answer_to_create(objects, refusal.manifest)

    assert refusal.field in answer
    assert refusal.message in answer


@pytest.mark.parametrize("name", ACCEPTED)
def test_it_is_accepted(objects: Objects, name: str) -> None:
    assert answer_to_create(objects, ACCEPTED[name]) == ""


@pytest.mark.parametrize("address", ["a\u200b@b.de", "\ufeffa@b.de", ".a@b.de", "a@m\u00fcller.de"])
def test_a_batch_is_taken_though_one_address_is_bad(objects: Objects, address: str) -> None:
    """It costs that entry alone (rule 37): the operator tells it in status.failures."""
    rows = [{"emailAddress": each, "displayName": "A"} for each in ("a@b.de", address)]
    assert answer_to_create(objects, batch(inboxes=rows)) == ""


@pytest.mark.parametrize("change", FORBIDDEN_CHANGES, ids=case)
def test_a_change_of_identity_is_refused(objects: Objects, change: Change) -> None:
    answer = answer_to_change(objects, change)

    assert change.field in answer
    assert change.message in answer


@pytest.mark.parametrize("change", ALLOWED_CHANGES, ids=case)
def test_every_other_field_may_change(objects: Objects, change: Change) -> None:
    assert answer_to_change(objects, change) == ""


def combinations() -> list[Manifest]:
    """Every fifth of all ways to give and leave out the blocks, with and without Observe."""
    reference = {"passwordSecretRef": {"name": "login"}}
    choices: list[list[Manifest]] = [
        [{"inboxType": kind} for kind in InboxType],
        [{}, {"managementPolicy": "Observe"}],
        [{}, {"emailAddress": "jane@company.com"}],
        [{}, {"displayName": "Jane"}],
        [{}, {"native": {"domainName": "mail.company.com", "emailPrefix": "jane"}}],
        [{}, {"smtp": reference}, {"smtp": {"host": "smtp.company.com", **reference}}],
        [{}, {"imap": {"port": 993}}, {"imap": {"host": "imap.company.com"}}],
        [{}, {"dailyLimit": 2000}, {"dailyLimit": 5000}],
    ]
    specs = [{key: value for part in parts for key, value in part.items()} for parts in product(*choices)]
    return [account("combination", spec) for spec in specs[::5]]


def test_the_operator_and_the_api_server_refuse_the_same(objects: Objects) -> None:
    disagreements = [
        manifest["spec"]
        for manifest in combinations()
        if bool(read_account(manifest["spec"]).problems) != bool(answer_to_create(objects, manifest))
    ]

    assert disagreements == []


def batch_combinations() -> list[Manifest]:
    """Batches with everything right, and each way to spoil template, list and fields of an inbox together."""
    templates: list[Manifest] = [
        {},
        {"displayName": "Team"},
        {"managementPolicy": "Observe", "smtp": None},
        {"inboxType": "CUSTOM_SMTP", "imap": {"host": "imap.company.com"}},
        {"inboxType": "COLDSEND", "smtp": None, "native": {"domainName": "mail.company.com"}},
        {"dailyLimit": None, "updatePolicy": "Recreate", "colour": "red"},
    ]
    inboxes: list[list[Manifest]] = [
        [],
        [{"emailAddress": "ann@company.com", "displayName": "Ann", "passwordKey": "ann"}],
        [{"emailPrefix": "ann", "displayName": "Ann"}],
        [{"emailAddress": "ann@company.com"}],
        [{"emailPrefix": "ann", "displayName": None, "dailyLimit": 3000}],
        [{"emailAddress": "ann@company.com", "displayName": "Ann", "password": "x"}],
    ]
    return [batch(template=template, inboxes=listed) for template in templates for listed in inboxes]


def test_validate_and_the_api_server_refuse_the_same(objects: Objects) -> None:
    manifests = [
        *combinations(),
        *batch_combinations(),
        google(dailylimit=50),
        batch("B"),
        batch("b.c"),
        batch("b" * 64),
    ]
    disagreements = [
        manifest for manifest in manifests if bool(problems(manifest)) != bool(answer_to_create(objects, manifest))
    ]

    assert disagreements == []


def without_rules(schema: Any) -> Any:
    """The schema as an older version may have been: the same fields, no rules."""
    if isinstance(schema, dict):
        return {key: without_rules(value) for key, value in schema.items() if key != "x-kubernetes-validations"}
    return [without_rules(item) for item in schema] if isinstance(schema, list) else schema


def test_what_an_older_crd_let_in_can_still_be_marked_and_let_go(kubectl: Kubectl, objects: Objects) -> None:
    bad = in_namespace(google(smtp=None, dailyLimit=3000))
    where = {**WHERE, "plural": "senderaccounts", "name": "google"}
    try:
        assert kubectl("replace", "-f", "-", manifest=without_rules(account_crd())).returncode == 0
        wait_until(lambda: answer_to_create(objects, bad) == "")
        objects.create_namespaced_custom_object(**WHERE, plural="senderaccounts", body=bad)
    finally:
        assert kubectl("replace", "-f", "-", manifest=account_crd()).returncode == 0
    wait_until(lambda: answer_to_create(objects, {**bad, "metadata": {"name": "other"}}) != "")

    for finalizers in (["coldsend.pro/finalizer"], []):
        marked = objects.patch_namespaced_custom_object(**where, body={"metadata": {"finalizers": finalizers}})
        assert marked["metadata"].get("finalizers", []) == finalizers
    told = objects.patch_namespaced_custom_object_status(**where, body={"status": {"observedGeneration": 1}})
    assert told["status"] == {"observedGeneration": 1}
    assert kubectl("delete", "sender", "google", "-n", NAMESPACE, "--timeout=60s").returncode == 0


def test_a_misspelt_field_is_refused_by_name(objects: Objects) -> None:
    assert 'unknown field "spec.dailylimit"' in answer_to_create(objects, google(dailylimit=50))


def test_kubectl_prints_the_way_out_to_people(kubectl: Kubectl, objects: Objects) -> None:
    answer = kubectl("apply", "-f", "-", manifest=in_namespace(google(dailyLimit=2001)))

    assert answer.returncode == 1
    assert "spec.dailyLimit" in answer.stderr
    assert "dailyLimit is above 2,000, the most that GOOGLE_WORKSPACE allows; lower it" in answer.stderr


@pytest.mark.parametrize("way", [["--server-side"], []], ids=["server-side", "client-side"])
def test_applying_the_examples_again_changes_nothing(kubectl: Kubectl, way: list[str]) -> None:
    everything = [document for path in EXAMPLES for document in yaml.safe_load_all(path.read_text())]
    everything.sort(key=lambda document: document["kind"] != "Namespace")

    def apply() -> dict[str, str]:
        answer = kubectl("apply", *way, "-f", "-", "-o", "json", manifest=as_list(everything))
        assert answer.returncode == 0, answer.stderr
        return {
            item["metadata"]["uid"]: item["metadata"]["resourceVersion"] for item in json.loads(answer.stdout)["items"]
        }

    apply()
    first = apply()  # stores the default of status, as no operator writes one here
    second = apply()
    inside = [document for document in everything if document["kind"] != "Namespace"]
    kubectl("delete", "-f", "-", manifest=as_list(inside))

    assert len(first) == len(everything)
    assert second == first


def test_nothing_is_stored_that_the_manifest_does_not_say(objects: Objects) -> None:
    for manifest in ACCEPTED.values():
        stored = objects.create_namespaced_custom_object(
            **WHERE, plural=PLURALS[manifest["kind"]], body=in_namespace(manifest), dry_run="All"
        )
        assert stored["spec"] == manifest["spec"]


def test_a_batch_of_5000_is_applied_and_applied_again_server_side(kubectl: Kubectl, objects: Objects) -> None:
    manifest = in_namespace(large_batch(5_000))

    def apply() -> str:
        version = "jsonpath={.metadata.resourceVersion}"
        answer = kubectl("apply", "--server-side", "-f", "-", "-o", version, manifest=manifest)
        assert answer.returncode == 0, answer.stderr
        return answer.stdout

    apply()
    first = apply()  # stores the default of status, as no operator writes one here
    stored = objects.get_namespaced_custom_object(**WHERE, plural="senderaccountbatches", name="large")
    assert len(stored["spec"]["inboxes"]) == 5_000
    assert apply() == first


def test_a_batch_above_5000_is_refused_with_the_number_allowed(kubectl: Kubectl, objects: Objects) -> None:
    answer = kubectl("apply", "--server-side", "-f", "-", manifest=in_namespace(large_batch(5_001)))

    assert answer.returncode == 1
    assert "spec.inboxes: Too many: 5001: must have at most 5000 items" in answer.stderr


def test_client_side_apply_ends_at_the_size_of_its_annotation(kubectl: Kubectl, objects: Objects) -> None:
    manifest = in_namespace(large_batch(5_000))
    manifest["metadata"]["name"] = "client-side"

    answer = kubectl("apply", "-f", "-", manifest=manifest)

    assert "metadata.annotations: Too long: may not be more than 262144 bytes" in answer.stderr


MODELS = {
    "senderaccount.spec": structural(SenderAccountSpec),
    "senderaccount.status": structural(SenderAccountStatus),
    "senderaccountbatch.spec": structural(SenderAccountBatchSpec),
    "senderaccountbatch.status": structural(SenderAccountBatchStatus),
}


def objects_in(path: str, schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every level of the schema on which `kubectl explain` lists fields."""
    schema = schema.get("items", schema)
    if "properties" in schema:
        yield path, schema["properties"]
        for name, field in schema["properties"].items():
            yield from objects_in(f"{path}.{name}", field)


LEVELS = dict(level for path, schema in MODELS.items() for level in objects_in(path, schema))


@pytest.mark.parametrize("path", LEVELS)
def test_kubectl_explain_describes_every_field(kubectl: Kubectl, path: str) -> None:
    explained = " ".join(kubectl("explain", path).stdout.split())

    assert "<no description>" not in explained
    for name, field in LEVELS[path].items():
        assert f" {name} <" in explained
        assert field["description"] in explained


STATUS = {
    "inboxID": "750e8400-e29b-41d4-a716-446655440000",
    "emailAddress": "google@company.com",
    "domain": "company.com",
    "overallStatus": "SOME_NEW_WORD",
    "healthScore": None,
    "emailsSentToday": 12,
    "dailyLimit": 50,
    "conditions": [
        {
            "type": kind,
            "status": status,
            "reason": reason,
            "message": f"About {kind}.",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        }
        for kind, status, reason in [("Ready", "True", "Active"), ("Synced", "False", "Drifted")]
    ],
}


def test_kubectl_get_shows_the_columns_and_the_first_thing_that_is_wrong(kubectl: Kubectl, objects: Objects) -> None:
    manifest = in_namespace(google())
    objects.create_namespaced_custom_object(**WHERE, plural="senderaccounts", body=manifest)
    objects.patch_namespaced_custom_object_status(
        **WHERE, plural="senderaccounts", name="google", body={"status": STATUS}
    )

    head, row = kubectl("get", "sender", "google", "-n", NAMESPACE, "-o", "wide").stdout.splitlines()
    selected = kubectl(
        "get",
        "sender",
        "-n",
        NAMESPACE,
        "-o",
        "name",
        "--field-selector",
        "status.overallStatus=SOME_NEW_WORD,status.domain=company.com",
    )
    kubectl("delete", "sender", "google", "-n", NAMESPACE)

    assert head.split() == [
        *("NAME", "EMAIL", "TYPE", "STATUS", "HEALTH", "SENT", "LIMIT", "READY", "REASON"),
        *("DOMAIN", "INBOX-ID", "SYNCED", "MESSAGE", "AGE"),
    ]
    assert row.split()[:-1] == [
        *("google", "google@company.com", "GOOGLE_WORKSPACE", "SOME_NEW_WORD", "12", "50", "True", "Active"),
        *("company.com", "750e8400-e29b-41d4-a716-446655440000", "False", "About", "Synced."),
    ]
    assert selected.stdout.split() == ["senderaccount.coldsend.pro/google"]


def test_both_kinds_are_found_by_category_and_short_names(kubectl: Kubectl) -> None:
    listed = kubectl("api-resources", "--api-group=coldsend.pro", "-o", "wide", "--no-headers").stdout

    assert [line.split()[:2] for line in listed.splitlines()] == [
        ["senderaccountbatches", "senderbatch"],
        ["senderaccounts", "sender"],
    ]
    assert listed.count(" coldsend\n") == 2
