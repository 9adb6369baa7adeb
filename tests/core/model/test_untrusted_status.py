"""Status and metadata are written by other versions and by people: whatever stands there harms nobody (rule 38)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldsend_operator.accounts.reading import read_object
from coldsend_operator.batches.reading import ChildReader
from coldsend_operator.core.model.calls import Operation
from coldsend_operator.core.model.stored_status import account_status, batch_status
from coldsend_operator.core.status.projection import project
from coldsend_operator.resources.account_status import SenderAccountStatus
from coldsend_operator.resources.batch import SenderAccountBatchStatus
from coldsend_operator.resources.names import BATCH_KIND, FINALIZER
from tests.core.conftest import profile
from tests.support.core_world import CoreWorld, asked_for, held, object_of, row
from tests.support.simulation import Simulation, inboxes_of, template_of

VICTIM = "victim@company.com"
TIMES = st.sampled_from(["2026-01-01T00:00:00Z", "0000-01-01T00:00:00Z", "soon", "9999-12-31T23:59:59+14:00"])
WORDS = st.sampled_from(["", "Created", "Adopted", "Observed", "Inherited", "Create", "Delete", "Running", "inbox-1"])
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8) | TIMES | WORDS
JSON = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3))
STAMP = "2026-01-01T00:00:00Z"
READY = {"type": "Ready", "status": "True", "reason": "Active", "message": "", "lastTransitionTime": STAMP}


def names_of(model: Any) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def status_like(model: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with the fields of a status, whatever they hold; conditions and jobs often nearly right."""
    condition = st.fixed_dictionaries({}, optional=dict.fromkeys(READY, LEAVES) | {"type": st.just("Ready")})
    conditions = st.lists(condition | st.just(READY) | LEAVES, max_size=3)
    job = st.fixed_dictionaries({}, optional=dict.fromkeys(("id", "operation", "state", "total", "processed"), LEAVES))
    likely = {"conditions": conditions, "job": job, "jobs": st.lists(job, max_size=3), "inboxID": st.just("inbox-1")}
    names = names_of(model)
    fields = {name: LEAVES | JSON | likely.get(name, LEAVES) for name in names}
    return st.fixed_dictionaries({}, optional=fields)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("attempts", True),
        ("attempts", 1.5),
        ("healthScore", float("inf")),
        ("healthScore", True),
        ("nextAttempt", "soon"),
        ("nextAttempt", "0000-01-01T00:00:00Z"),
        ("inboxID", 7),
        ("job", "job-1"),
        ("job", []),
        ("conditions", {}),
    ],
)
def test_that_a_value_of_another_type_counts_as_absent(name: str, value: object) -> None:
    assert account_status({name: value}) == {}


def test_that_a_condition_is_read_as_the_crd_takes_it_back() -> None:
    (read,) = account_status({"conditions": [{**READY, "status": "Perhaps"}, {"status": "True"}]})["conditions"]
    assert read == {**READY, "status": "Unknown"}


def test_that_the_reading_knows_every_field_of_both_statuses() -> None:
    examples: dict[str, Any] = {"conditions": [READY], "jobs": [{}], "failures": [{}], "domains": [{}]}
    for read, model in ((account_status, SenderAccountStatus), (batch_status, SenderAccountBatchStatus)):
        missing = []
        for name in names_of(model):
            values: list[Any] = [examples.get(name), STAMP, 1, {}]
            if not any(name in read({name: value}) for value in values):
                missing.append(name)
        assert not missing


@profile(150)
@given(status=status_like(SenderAccountStatus), deleting=st.booleans(), seen=st.booleans())
def test_that_any_status_of_an_account_is_read_decided_and_written_again(
    status: dict[str, Any], deleting: bool, seen: bool
) -> None:
    core = CoreWorld()
    raw = object_of("ann@company.com", "uid-1", status=status, deleting=deleting)
    raw["metadata"]["finalizers"] = [FINALIZER]
    account = read_object(raw)
    core.workspace.add(account, core.now)
    core.sweep(*([row()] if seen else []))
    for seconds in (0.0, 60.0, 3600.0):
        core.wait(seconds)
        core.calls()
        written = project(account, core.workspace, core.now)
        assert written is None or account_status(written) == written
    ChildReader().read(raw, None)


@profile(12)
@given(
    status=status_like(SenderAccountStatus),
    of_batch=status_like(SenderAccountBatchStatus),
    fields=JSON,
    deleting=st.booleans(),
)
def test_that_no_status_and_no_metadata_of_one_object_harms_another(
    status: dict[str, Any], of_batch: dict[str, Any], fields: Any, deleting: bool
) -> None:
    simulation = Simulation()
    simulation.cluster.on_status = lambda before, after: None  # what watches the rules reads good statuses only
    managed = [{"manager": "coldsend-operator-batch", "operation": "Update", "fieldsV1": fields}]
    evil = simulation.apply("support", "evil", "evil@company.com")
    batch = {"template": template_of(), "inboxes": inboxes_of(["b@company.com"])}
    pool = simulation.cluster.create("support", "pool", batch, BATCH_KIND, managedFields=managed)["metadata"]["uid"]
    tamper(simulation, evil, status, managedFields=managed, labels={"coldsend.pro/batch": "pool"})
    tamper(simulation, pool, of_batch)
    simulation.apply("sales", "victim", VICTIM)
    if deleting:
        simulation.delete(evil)
    simulation.start()
    simulation.wait(120.0)
    simulation.check()
    assert simulation.process is not None
    assert simulation.process.operator.alive
    assert len(simulation.remote.at(VICTIM)) == 1


def tamper(simulation: Simulation, uid: str, status: dict[str, Any], **metadata: Any) -> None:
    raw = simulation.raw(uid)
    simulation.cluster._update(raw | {"status": status, "metadata": raw["metadata"] | metadata})


@pytest.mark.parametrize("job", [{"id": None, "operation": "Create"}, {"operation": "Create"}, {"id": ""}])
def test_that_a_job_without_an_id_is_no_job(job: dict[str, Any]) -> None:
    core, account = asked_for(status={"job": job})
    assert not core.workspace.jobs
    assert core.calls()
    assert account.stored.job is None


def test_that_a_reason_of_a_newer_version_stands_until_the_secret_is_read() -> None:
    core = CoreWorld()
    said = {**READY, "type": "CredentialsCurrent", "reason": "SecretRenewed"}
    account = core.holder(status={"conditions": [said]})
    account.credentials = None
    core.sweep(row())
    assert core.says(account)["CredentialsCurrent"][1] == "SecretRenewed"


def test_that_an_inbox_of_an_unknown_origin_is_neither_deleted_nor_left_behind() -> None:
    core, account = held(origin="Inherited", deleting=True)
    assert core.calls() == ()
    assert core.patch(account) is None
    status, reason, message = core.says(account)["Ready"]
    assert (status, reason) == ("False", "UnknownStatus")
    assert "Inherited" in message


def test_that_an_inbox_of_an_unknown_origin_is_not_made_again() -> None:
    core = CoreWorld()
    account = core.holder(origin="Inherited")
    core.sweep()
    core.wait(3600.0)
    assert core.operations() == [Operation.LIST_ACCOUNTS]
    assert account.stored.inbox_id == "inbox-1"
