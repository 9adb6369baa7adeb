"""What came and went leaves nothing behind (rule 43)."""

from coldsend_operator.batches.child_index import ChildIndex
from coldsend_operator.batches.reading import MAX_SHARED_VALUES, ChildReader
from coldsend_operator.core.apply.deletes import accepted_delete
from coldsend_operator.core.model.answers import Failure, FailureKind, Page, Row
from coldsend_operator.core.model.calls import Lane, Operation
from coldsend_operator.core.model.decision import Action
from coldsend_operator.core.workspace.queues import CallKind
from coldsend_operator.kube.client import KubeClient
from coldsend_operator.kube.errors import KubeError
from coldsend_operator.kube.paths import Ref
from coldsend_operator.kube.set_aside import READ, SetAside
from coldsend_operator.resources.names import ACCOUNT_KIND
from tests.core.rules.watching import running
from tests.support.core_world import CoreWorld, asked_for, object_of
from tests.support.simulation import Simulation


def test_that_addresses_that_deletes_freed_are_forgotten_after_an_hour() -> None:
    core = CoreWorld()
    account = core.holder()
    for number in range(100):
        account.address = f"a{number}@company.com"
        accepted_delete(core.workspace, account, core.now)
        core.now += 60.0
    assert len(core.workspace.inventory._freed) == 60


def test_that_queues_of_domains_that_nobody_asks_for_any_more_are_forgotten() -> None:
    core, account = asked_for()
    for number in range(300):
        core.workspace.queues.put(
            account.uid, account.desired.namespace, CallKind(Action.CREATE, f"single:{number}"), core.now
        )
        core.workspace.queues.last_served[Lane.CREATE, f"single:{number}", ""] = core.now
        core.now += 60.0
    assert len(core.workspace.queues) < 10
    assert len(core.workspace.queues.last_served) <= 201


def test_that_nothing_is_due_any_more_for_an_account_that_is_gone() -> None:
    core, account = asked_for()
    core.answer(core.ask(Operation.CREATE_SMTP, account), Failure(FailureKind.REFUSED, "no such domain", 422))
    assert core.workspace.timers.first is not None
    core.workspace.depart(account.uid, core.now)
    assert core.workspace.timers.first is None


def test_that_a_search_of_several_pages_is_forgotten_if_its_account_leaves_meanwhile() -> None:
    core = CoreWorld()
    account = core.account()
    call = core.ask(Operation.SEARCH_ACCOUNTS, account, address=account.address)
    core.workspace.depart(account.uid, core.now)
    core.answer(call, Page((Row("inbox-2", "anna@company.com"),), 1, 200, 2, has_next=True))
    assert not core.workspace.searches


def test_that_names_of_batches_that_came_and_went_are_forgotten() -> None:
    children = ChildIndex(lambda work, name: None)
    for number in range(10):
        metadata = {"uid": f"batch-{number}", "namespace": "sales", "name": f"pool-{number}"}
        children.follow(metadata)
        owner = {"kind": "SenderAccountBatch", "apiVersion": "coldsend.pro/v1alpha1", **metadata}
        raw = object_of("a@company.com", f"uid-{number}", name=f"child-{number}")
        raw["metadata"]["ownerReferences"] = [owner]
        children.see_child(raw)
        children.forget(f"batch-{number}")
        children.remove_child("sales", f"child-{number}", f"uid-{number}")
    assert not children._names


def test_that_labels_that_came_and_went_are_not_kept() -> None:
    reader = ChildReader()
    for number in range(2 * MAX_SHARED_VALUES + 10):
        raw = object_of("a@company.com", "uid", status={"conditions": [{"type": "Ready", "reason": f"R{number}"}]})
        reader.read(raw, None)
    assert len(reader._shown) <= MAX_SHARED_VALUES


def test_that_a_secret_that_nobody_references_any_more_is_not_remembered() -> None:
    simulation = Simulation()
    running(simulation)
    for number in range(5):
        smtp = {"passwordSecretRef": {"name": f"gone-{number}"}}
        uid = simulation.apply("sales", f"a{number}", f"a{number}@company.com", smtp=smtp)
        simulation.wait(60.0)
        simulation.delete(uid)
        simulation.wait(60.0)
    assert simulation.process is not None
    watch = simulation.process.operator.controller.on_gone[0].__self__  # type: ignore[attr-defined] # a bound method
    assert not watch._tries
    assert not watch._in_trouble


async def test_that_failures_of_objects_that_are_gone_are_forgotten() -> None:
    set_aside = SetAside(KubeClient(lambda _kind, _verb: None), lambda: False)
    for number in range(3):
        ref = Ref(ACCOUNT_KIND, "sales", f"name-{number}", f"uid-{number}")
        set_aside.failed(ref, READ, KubeError("no answer"), lambda: None)
        set_aside.forget(ref.uid)
    assert not set_aside._troubles
