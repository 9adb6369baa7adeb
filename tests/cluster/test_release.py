"""The chart as people install it: in a cluster whose pods run, from the first install to the last uninstall.

The tests share one release and leave it as they found it: two Ready pods, and the four accounts of the demo.
"""

from time import monotonic

import pytest

from coldsend_emulator.running import RunningEmulator
from tests.cluster.conftest import KEY
from tests.cluster.figures import Figures
from tests.cluster.operator_release import DOMAIN, NAMESPACE, SALES, Release, native_accounts, until
from tests.e2e.support.api_server import Refused

ANY_USER = 1000720000  # of the range that OpenShift gives to a namespace
CROWD = [f"crowd-{number:03d}" for number in range(60)]


def test_that_both_pods_run_under_the_restricted_pod_security_standard(demo: Release, figures: Figures) -> None:
    pods = demo.pods()

    assert [(pod.ready, pod.restarts) for pod in pods] == [(True, 0), (True, 0)]
    figures.add("image, as it lies on a node", f"{demo.image_megabytes()} MB")
    figures.add("start of a pod's process", " and ".join(f"{demo.start_seconds(pod):.1f} s" for pod in pods))
    figures.add("memory of both pods", " and ".join(f"{demo.memory(pod)} MB" for pod in pods))


def test_that_the_namespace_takes_no_pod_that_asks_for_more(demo: Release) -> None:
    greedy = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "greedy"},
        "spec": {"containers": [{"name": "one", "image": demo.place.image, "imagePullPolicy": "Never"}]},
    }

    with pytest.raises(Refused, match="violates PodSecurity"):
        demo.server.ask("POST", f"/api/v1/namespaces/{NAMESPACE}/pods", greedy)


def test_that_helm_test_reaches_a_pod_by_the_name_of_its_service(demo: Release, emulator: RunningEmulator) -> None:
    made = demo.created()

    assert "Succeeded" in demo.test()
    assert demo.created() == made


def test_that_a_key_changed_in_the_secret_is_used_without_a_restart(
    demo: Release, emulator: RunningEmulator, figures: Figures
) -> None:
    before = {pod.uid for pod in demo.pods()}
    new = "cs_live_second"
    emulator.add_key(new)
    emulator.change_key(KEY, revoked=True)
    until(lambda: emulator.requests(status=401), "a refused call")

    demo.give_key(new)
    began = monotonic()
    demo.server.apply(*native_accounts(SALES, "rotated"))
    until(lambda: demo.all_ready(5), "a Ready account", demo.story)

    figures.seconds("a changed key, from the Secret to the next Ready account", monotonic() - began)
    assert {pod.uid for pod in demo.pods()} == before
    assert all(pod.restarts == 0 for pod in demo.pods())
    demo.kubectl("delete", "senderaccount", "rotated", "--namespace", SALES)


def test_that_the_standby_goes_on_when_the_leader_is_killed_and_makes_nothing_twice(
    demo: Release, emulator: RunningEmulator, figures: Figures
) -> None:
    before = demo.leader()
    holder = demo.holder()
    made = demo.created()
    fault = emulator.fault("delay", operation="bulkCreateNativeInboxes", seconds=1)
    demo.server.apply(*native_accounts(SALES, *CROWD, label="crowd"))
    emulator.wait_for_fault(fault)  # creations are under way

    demo.crashed(before)
    began = monotonic()
    until(lambda: demo.holder() not in {"", holder}, "another holder of the Lease", demo.story)
    figures.seconds("failover after SIGKILL of the leader", monotonic() - began)
    emulator.clear_faults()
    until(lambda: demo.all_ready(4 + len(CROWD)), "a Ready crowd", demo.story)

    assert sorted(demo.created()[len(made) :]) == sorted(f"{name}@{DOMAIN}" for name in CROWD)
    assert emulator.doubled() == []
    until(demo.both_ready, "two Ready pods", demo.story)


def test_that_the_standby_goes_on_at_once_when_the_leader_leaves(demo: Release, figures: Figures) -> None:
    before = demo.leader()
    holder = demo.holder()
    made = demo.created()

    demo.deleted(before)
    until(lambda: demo.holder() != holder, "the end of the lease", demo.story)
    began = monotonic()
    until(lambda: demo.holder() not in {"", holder}, "another holder of the Lease", demo.story)
    figures.seconds("failover after the Lease was given back", monotonic() - began)
    until(demo.both_ready, "two Ready pods", demo.story)

    assert demo.created() == made


def test_that_the_brake_holds_most_inboxes_of_a_deleted_crowd_until_it_is_approved(
    demo: Release, emulator: RunningEmulator
) -> None:
    demo.delete_labelled("crowd")
    until(lambda: set(demo.reasons_of(CROWD)) == {"False DeletionHeld"}, "a held crowd", demo.story)

    held = demo.reasons_of(CROWD)
    left = len(CROWD) - len(held)
    there = {each["email_address"] for each in emulator.inboxes()}
    assert left <= 10  # the first ones, before there were too many
    assert len(there & {f"{name}@{DOMAIN}" for name in CROWD}) == len(held)

    demo.kubectl("annotate", "namespace", SALES, "coldsend.pro/approve-deletion=true")
    until(lambda: demo.all_ready(4), "the end of the crowd", demo.story)
    demo.kubectl("annotate", "namespace", SALES, "coldsend.pro/approve-deletion-")


def test_that_an_upgrade_rolls_both_pods_and_writes_nothing_to_coldsend(
    demo: Release, emulator: RunningEmulator, figures: Figures
) -> None:
    before = {pod.uid for pod in demo.pods()}
    history = emulator.history()
    emulator.clear_request_log()

    with figures.timed("helm upgrade, until both pods are new and Ready"):
        demo.upgrade({"podAnnotations": {"example.com/changed": "yes"}})
        until(lambda: before.isdisjoint(pod.uid for pod in demo.pods()), "new pods", demo.story)
        until(demo.both_ready, "two Ready pods", demo.story)
    emulator.clear_request_log()
    until(lambda: emulator.requests(operation="listSenderAccounts"), "a look of the new leader", demo.story)

    assert emulator.history() == history
    assert set(emulator.request_counts()["by_method"]) == {"GET"}


def test_that_the_image_runs_as_any_user_of_group_0_as_openshift_runs_it(demo: Release) -> None:
    before = {pod.uid for pod in demo.pods()}
    history = demo.emulator.history()

    demo.upgrade({"podSecurityContext": {"runAsUser": ANY_USER, "runAsGroup": 0, "fsGroup": ANY_USER}})
    until(lambda: before.isdisjoint(pod.uid for pod in demo.pods()), "new pods", demo.story)
    until(demo.both_ready, "two Ready pods", demo.story)
    ids = demo.kubectl("exec", "--namespace", NAMESPACE, demo.leader().name, "--", "id").split()

    assert ids[:2] == [f"uid={ANY_USER}", "gid=0(root)"]
    assert demo.all_ready(4)
    assert demo.emulator.history() == history


def test_that_an_uninstall_keeps_the_inboxes_and_an_install_takes_them_up_again(
    demo: Release, emulator: RunningEmulator
) -> None:
    inboxes = {each["inbox_id"] for each in emulator.inboxes()}
    accounts = demo.accounts()
    history = emulator.history()

    demo.uninstall()
    assert demo.accounts() == accounts
    assert {each["inbox_id"] for each in emulator.inboxes()} == inboxes

    demo.install()
    emulator.clear_request_log()
    until(lambda: emulator.requests(operation="listSenderAccounts"), "a look of the new leader", demo.story)
    until(lambda: demo.all_ready(len(accounts)), "the same accounts Ready", demo.story)
    assert emulator.history() == history
