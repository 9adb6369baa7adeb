"""What the actions set, on which objects, and when they ask; what `wait` and `status` make of objects."""

from collections.abc import AsyncIterator
from typing import Any, cast

import pytest

from coldsend_operator.core.model.policy import Policy
from coldsend_operator.core.model.reasons import Reason
from coldsend_operator.kube.client import KubeClient
from coldsend_operator.kube.errors import Conflict, NotFound, Unreachable
from coldsend_operator.kube.reads import KubeReads
from coldsend_operator.resources.names import APPROVE_DELETION_ANNOTATION
from coldsend_operator.tools.actions.command import ANNOTATIONS, ActionOptions, act, check
from coldsend_operator.tools.app_cluster import read_seconds
from coldsend_operator.tools.editing import EditingConnection
from coldsend_operator.tools.errors import CommandError, UsageError
from coldsend_operator.tools.names import object_of
from coldsend_operator.tools.options import Access, Choice
from coldsend_operator.tools.senders import read_sender
from coldsend_operator.tools.status.overview import batch_lines, reason_lines, workspace_lines
from coldsend_operator.tools.status.waiting import judge, wait_for
from tests.tools.support import LABELS, WORKSPACE, command, held


class Cluster:
    """Two kinds of objects that can be read, and patched in place."""

    def __init__(self, *objects: dict[str, Any]) -> None:
        self.objects = {raw["metadata"]["name"]: raw for raw in objects}
        self.patches: list[tuple[str, dict[str, Any]]] = []
        self.answers = False  # an operator that runs answers a reconcile request at once
        self.restarts_at: int | None = None  # the number of the read at which the API server is away

    async def get(self, path: str) -> dict[str, Any]:
        name = path.rpartition("/")[2]
        if self.restarts_at is not None:
            self.restarts_at -= 1
            if self.restarts_at == 0:
                raise Unreachable("connection refused")
        if name not in self.objects:
            raise NotFound("not found", status=404, reason="NotFound")
        return self.objects[name]

    async def list_pages(self, path: str, params: None = None) -> AsyncIterator[dict[str, Any]]:
        yield {"items": [] if "batches" in path else list(self.objects.values())}

    async def patch(self, path: str, body: dict[str, Any], _type: str, _params: Any) -> None:
        raw = self.objects[path.rpartition("/")[2]]
        if raw["metadata"]["uid"] != body["metadata"]["uid"]:
            raise Conflict("another object", status=409, reason="Conflict")
        self.patches.append((raw["metadata"]["name"], body))
        if self.answers:
            asked = body["metadata"]["annotations"]["coldsend.pro/reconcile"]
            raw["status"]["lastReconcileRequest"] = asked


def options(action: str, *, value: str = "", wait: float | None = None, **chosen: Any) -> ActionOptions:
    return ActionOptions(Access(), action, "sales", Choice(**{"yes": True, **chosen}), value, wait)


async def do(cluster: Cluster, action: str, **given: Any) -> None:
    chosen = options(action, **given)
    check(chosen)
    await act(cast("KubeClient", cluster), chosen)


def annotations(cluster: Cluster) -> dict[str, dict[str, Any]]:
    return {name: body["metadata"]["annotations"] for name, body in cluster.patches}


@pytest.mark.parametrize("action", list(ANNOTATIONS))
async def test_an_action_sets_its_annotation_on_this_very_object(action: str) -> None:
    cluster = Cluster(held("ann"), held("bob"))
    await do(cluster, action, names=["sender/ann"])
    name, value = ANNOTATIONS[action]
    assert cluster.patches == [("ann", {"metadata": {"annotations": {name: value}, "uid": "uid-ann"}})]


async def test_hand_over_and_test_email_say_to_whom() -> None:
    cluster = Cluster(held("ann"))
    await do(cluster, "hand-over", names=["ann"], value="sales/new")
    assert annotations(cluster) == {"ann": {"coldsend.pro/hand-over-to": "sales/new"}}
    await do(cluster, "test-email", names=["ann"], value="ops@example.com")
    mail = cluster.patches[-1][1]["spec"]["testEmail"]
    assert (mail["recipient"], bool(mail["requestID"])) == ("ops@example.com", True)


async def test_objects_are_chosen_by_label_or_all_of_them() -> None:
    cluster = Cluster(held("ann"), held("bob", labels={"app": "other"}))
    await do(cluster, "pause", selector="app=pool")
    assert list(annotations(cluster)) == ["ann"]
    await do(cluster, "pause", everything=True)
    assert list(annotations(cluster)) == ["ann", "bob"]


async def test_an_object_that_is_named_twice_is_changed_once() -> None:
    cluster = Cluster(held("ann"))
    await do(cluster, "pause", names=["ann", "sender/ann"])
    assert [name for name, _ in cluster.patches] == ["ann"]


async def test_waiting_goes_on_while_the_api_server_restarts() -> None:
    cluster = Cluster(held("ann"))
    cluster.answers, cluster.restarts_at = True, 2
    await do(cluster, "reconcile", names=["ann"], wait=60.0)
    cluster.objects["ann"]["status"]["conditions"][0].update(status="False", reason="Provisioning")
    cluster.restarts_at = 2
    with pytest.raises(CommandError, match=r"sender/ann is not ready after 0\.01 s: Kubernetes: connection refused"):
        await wait_for(cast("KubeReads", cluster), "sales", "sender/ann", "ready", 0.01)


async def test_an_api_server_that_never_answered_ends_the_wait_at_once() -> None:
    cluster = Cluster(held("ann"))
    cluster.restarts_at = 1
    with pytest.raises(Unreachable):
        await wait_for(cast("KubeReads", cluster), "sales", "sender/ann", "ready", 60.0)


async def test_reconcile_waits_for_the_answer_in_status() -> None:
    cluster = Cluster(held("ann"))
    cluster.answers = True
    await do(cluster, "reconcile", everything=True, wait=0.0)
    cluster.answers = False
    with pytest.raises(CommandError, match=r"1 of 1 object not reconciled in time: ann$"):
        await do(cluster, "reconcile", everything=True, wait=0.0)
    cluster.objects["ann"]["status"]["conditions"][0]["reason"] = "ReconciliationPaused"
    with pytest.raises(CommandError, match="ann, which is paused"):
        await do(cluster, "reconcile", everything=True, wait=0.0)


async def test_a_dry_run_changes_nothing_and_shows_the_objects(capsys: pytest.CaptureFixture[str]) -> None:
    cluster = Cluster(held("ann"))
    await do(cluster, "force-orphan", everything=True, dry_run=True)
    assert cluster.patches == []
    assert capsys.readouterr().out == "SenderAccount sales/ann ann@company.com\n"


@pytest.mark.parametrize("action", ["approve-deletion", "force-orphan"])
async def test_an_annotation_for_deletions_on_an_object_that_is_not_deleted_is_noted(
    action: str, capsys: pytest.CaptureFixture[str]
) -> None:
    deleted, replaced = held("bob"), held("eve")
    deleted["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    replaced["status"]["conditions"] = said(Reason.DELETION_HELD)["status"]["conditions"]
    await do(Cluster(held("ann"), deleted, replaced), action, everything=True)
    assert (
        f"Note: {action} takes effect when the objects are deleted; these are not being deleted now: ann\n"
        in capsys.readouterr().err
    )


async def test_without_a_terminal_nothing_is_done_unasked() -> None:
    cluster = Cluster(held("ann"))
    with pytest.raises(UsageError, match="--yes"):
        await do(cluster, "force-orphan", everything=True, yes=False)
    assert cluster.patches == []


async def test_what_is_not_there_is_told() -> None:
    with pytest.raises(CommandError, match="SenderAccount sales/eve does not exist"):
        await do(Cluster(), "pause", names=["eve"])
    with pytest.raises(CommandError, match="nothing to do"):
        await do(Cluster(), "pause", everything=True)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"names": ["ann"], "everything": True},
        {"action": "hand-over", "names": ["ann"], "value": "new"},
        {"action": "hand-over", "names": ["ann"], "value": "sales/sender/new"},
        {"action": "test-email", "everything": True, "value": "ops@example.com"},
        {"action": "test-email", "names": ["ann"]},
        {"action": "reconcile", "names": ["senderbatch/pool"]},
        {"names": ["pod/ann"]},
    ],
)
async def test_objects_or_options_that_do_not_fit_are_wrong_usage(given: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        await do(Cluster(), **{"action": "pause", **given})


@pytest.mark.parametrize(
    ("method", "target", "allowed"),
    [
        ("GET", "/api/v1/namespaces/sales", True),
        ("PATCH", "/apis/coldsend.pro/v1alpha1/namespaces/sales/senderaccounts/ann", True),
        ("PATCH", "/api/v1/namespaces/sales/secrets/mail", False),
        ("DELETE", "/apis/coldsend.pro/v1alpha1/namespaces/sales/senderaccounts/ann", False),
        ("POST", "/apis/coldsend.pro/v1alpha1/namespaces/sales/senderaccounts", False),
    ],
)
def test_an_action_can_change_objects_of_the_two_kinds_alone(method: str, target: str, allowed: bool) -> None:
    assert EditingConnection(Access()).may_send(method, target) is allowed


def test_an_object_may_be_named_as_kubectl_names_it() -> None:
    assert object_of("ann") == ("SenderAccount", "ann")
    assert object_of("senderaccounts/ann") == ("SenderAccount", "ann")
    assert object_of("senderbatch/pool") == ("SenderAccountBatch", "pool")
    assert object_of("senderaccount.coldsend.pro/ann") == ("SenderAccount", "ann")
    assert object_of("senderaccountbatches.v1alpha1.coldsend.pro/pool") == ("SenderAccountBatch", "pool")


# -- wait

APPROVED = {APPROVE_DELETION_ANNOTATION: "true"}


def said(reason: Reason, status: str = "False", **around: Any) -> dict[str, Any]:
    raw = held("ann", **around)
    raw["status"] |= {"observedGeneration": 1}
    raw["status"]["conditions"] = [
        {"type": kind, "status": status, "reason": reason.value, "message": "so it is", "observedGeneration": 1}
        for kind in ("Ready", "Synced")
    ]
    return raw


def stalled(reason: Reason, **around: Any) -> dict[str, Any]:
    raw = said(reason, **around)
    told = {"status": "True", "reason": reason.value, "message": "so it is", "observedGeneration": 1}
    raw["status"]["conditions"].append({"type": "Stalled", **told})
    return raw


@pytest.mark.parametrize(
    ("raw", "goal", "done"),
    [
        (said(Reason.ACTIVE, "True"), "ready", True),
        (said(Reason.PROVISIONING), "ready", None),
        (said(Reason.RATE_LIMITED), "ready", None),
        (said(Reason.REJECTED), "ready", False),
        (said(Reason.RECONCILIATION_PAUSED), "ready", False),
        (said(Reason.REJECTED, generation=2), "ready", None),  # the operator has not seen the new spec yet
        (said(Reason.NOT_FOUND), "ready", None),
        (stalled(Reason.NOT_FOUND), "ready", False),  # of an object that observes
        (stalled(Reason.DOMAIN_FULL, generation=2), "ready", None),
        (said(Reason.DRIFTED), "synced", False),
        (said(Reason.DELETING, deleting=True), "ready", False),
        (said(Reason.DELETING, deleting=True), "deleted", None),
        (said(Reason.DELETION_HELD, deleting=True), "deleted", False),
        (said(Reason.DELETION_HELD, deleting=True, annotations=APPROVED), "deleted", None),
        (said(Reason.DELETION_HELD), "ready", False),  # an inbox that is to be replaced
        (said(Reason.DELETION_HELD, annotations=APPROVED), "ready", None),
        (said(Reason.ACTIVE, "True"), "deleted", False),
        (None, "deleted", True),
        (None, "ready", False),
    ],
)
def test_wait_knows_when_waiting_cannot_help(raw: Any, goal: Any, done: bool | None) -> None:
    assert judge(raw, "SenderAccount", goal).done is done


@pytest.mark.parametrize("goal", ["ready", "synced"])
def test_wait_says_that_the_operator_has_not_reported_yet(goal: Any) -> None:
    raw = held("ann")
    raw["status"] = {}
    assert judge(raw, "SenderAccount", goal).sentence.startswith("the operator has not reported on it yet")


@pytest.mark.parametrize(
    ("raw", "goal", "settles"),
    [
        (said(Reason.RECONCILIATION_PAUSED), "ready", True),  # `resume` may have come a moment ago
        (said(Reason.DELETION_HELD, deleting=True), "deleted", True),  # or `approve-deletion`
        (said(Reason.CONNECTION_FAILED), "ready", True),  # or another password
        (said(Reason.SECRET_NOT_FOUND), "ready", True),  # or the Secret
        (said(Reason.UNAUTHORIZED), "ready", True),  # or another API key
        (said(Reason.ADDRESS_CONFLICT), "ready", True),  # or the deletion of the other object, in a rename
        (said(Reason.SECRET_CHANGED), "synced", True),  # or `coldsend.pro/credentials-current`
        (said(Reason.REJECTED), "ready", False),
        (said(Reason.INVALID_SPEC), "ready", False),
        (said(Reason.ACTIVE, "True"), "deleted", False),
    ],
)
def test_wait_gives_the_operator_time_to_notice_what_is_not_in_the_spec(raw: Any, goal: Any, settles: bool) -> None:
    verdict = judge(raw, "SenderAccount", goal)
    assert (verdict.done, verdict.settles) == (False, settles)


@pytest.mark.parametrize(("text", "seconds"), [("90", 90.0), ("90s", 90.0), ("5m", 300.0), ("1h", 3600.0)])
def test_times_are_read_as_kubectl_reads_them(text: str, seconds: float) -> None:
    assert read_seconds(text) == seconds


def test_a_time_that_is_none_is_wrong_usage() -> None:
    assert command("wait", "ann", "--timeout", "soon").exit_code == 2


def test_a_time_is_checked_before_anything_is_done() -> None:
    run = command("reconcile", "ann", "--yes", "--timeout", "1x")
    assert (run.exit_code, run.stderr) == (2, "--timeout 1x: give a number and s, m or h, such as 300s\n")


# -- status


def test_a_workspace_is_shown_with_what_is_left_of_its_budget() -> None:
    objects = [held("ann"), said(Reason.PROVISIONING), said(Reason.DELETION_HELD, deleting=True)]
    (line,) = workspace_lines(objects, {WORKSPACE: {"budget": {}, "brake": {}}}, Policy(), 0.0)
    assert (line.workspace, line.key, line.inboxes) == (WORKSPACE, "operator's own", 3)
    assert (line.ready, line.creating, line.held) == (1, 1, 1)
    assert (line.minute_left, line.hour_left) == (80, 800)
    (line,) = workspace_lines(objects, {}, Policy(), 0.0)
    assert line.hour_left is None


def test_the_budget_is_that_of_the_operator_whatever_the_environment_of_the_person_says() -> None:
    report = {"workspaces": {WORKSPACE: {"minute": {"limit": 4000}, "hour": {"limit": 40_000}}}}
    state = {WORKSPACE: {"budget": {"open": 400}, "brake": {}}, "report": report}
    (line,) = workspace_lines([held("ann")], state, Policy(), 0.0)
    assert (line.minute_left, line.hour_left) == (3600, 39_600)


def new(name: str, **spec: Any) -> dict[str, Any]:
    """An object without an inbox, and so without a workspace in status."""
    raw = held(name, **spec)
    raw["status"] = {}
    return raw


def test_an_object_without_an_inbox_counts_in_the_workspace_of_its_key() -> None:
    other = {"name": "other"}
    lines = workspace_lines([held("ann"), new("bob"), new("eve", apiKeySecretRef=other)], {}, Policy(), 0.0)
    assert [(each.workspace, each.key, each.inboxes) for each in lines] == [
        ("-", "sales/other", 0),
        (WORKSPACE, "operator's own", 1),
    ]
    (line,) = workspace_lines([new("bob")], {}, Policy(), 0.0)
    assert line.workspace == "-"


def test_an_observed_inbox_counts_as_one_so_that_no_more_are_ready_than_there_are() -> None:
    observed = held("ann", managementPolicy="Observe")
    observed["status"]["origin"] = "Observed"
    (line,) = workspace_lines([observed, held("bob")], {}, Policy(), 0.0)
    assert (line.inboxes, line.ready) == (2, 2)


def test_before_the_first_inbox_the_report_tells_the_workspace_of_a_key() -> None:
    told = {WORKSPACE: {"key": "default"}, "of-others": {"key": "sales/other"}}
    state = {"report": {"workspaces": told}}
    objects = [new("bob"), new("eve", apiKeySecretRef={"name": "other"}), new("fay", apiKeySecretRef={"name": "third"})]
    lines = workspace_lines(objects, state, Policy(), 0.0)
    assert [(line.workspace, line.key) for line in lines] == [
        ("-", "sales/third"),
        (WORKSPACE, "operator's own"),
        ("of-others", "sales/other"),
    ]


def test_an_object_without_an_inbox_counts_in_no_workspace_if_its_key_led_to_two() -> None:
    moved = held("eve")
    moved["status"]["lastApplied"] = {**moved["status"]["lastApplied"], "workspace": "before"}
    lines = workspace_lines([held("ann"), moved, new("bob")], {}, Policy(), 0.0)
    assert [each.workspace for each in lines] == sorted(["-", "before", WORKSPACE])


def test_a_batch_is_shown_with_its_progress_and_first_failures() -> None:
    failure = {"emailAddress": "a@b.com", "reason": "Rejected", "message": "no"}
    status = {"ready": 3, "total": 4, "failed": 1, "completionPercentage": 75, "failures": [failure] * 5}
    raw = {"metadata": {"namespace": "sales", "name": "pool", "labels": LABELS}, "status": status}
    (line,) = batch_lines([raw])
    assert line.bar == "[###############.....]  75%"
    assert line.failures == (("a@b.com", "Rejected", "no"),) * 3


def test_reasons_are_counted_with_what_one_object_says() -> None:
    objects = [said(Reason.REJECTED), said(Reason.REJECTED), held("ann")]
    (line,) = reason_lines(map(read_sender, objects))
    assert (line.reason, line.count, line.message) == ("Rejected", 2, "so it is")


def test_a_batch_that_is_ready_shows_what_keeps_it_from_its_spec() -> None:
    ready = {"type": "Ready", "status": "True", "reason": "Active", "message": ""}
    synced = {"type": "Synced", "status": "False", "reason": "DeletionHeld", "message": ""}
    metadata = {"namespace": "sales", "name": "pool"}
    for conditions, reason in (([ready, synced], "DeletionHeld"), ([ready], "Active")):
        (line,) = batch_lines([{"metadata": metadata, "status": {"conditions": conditions}}])
        assert line.reason == reason
