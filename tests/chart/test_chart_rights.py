"""The operator under the chart's ServiceAccount: all that it asks for is granted, and all that is granted is asked for.

Taking any verb of any rule away would so refuse a request that is played here.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from tests.chart.installed import QUICK, Release, install
from tests.chart.rights import Request, Right, asked, rights_of, unneeded
from tests.chart.support import RELEASE, Helm, Object
from tests.e2e.batches.pool import ANN, BOB, FINALIZER, Pool
from tests.e2e.stage.operators import OperatorRun
from tests.e2e.stage.stage import CUSTOM, GOOGLE, OUTLOOK, Stage, eventually, staged
from tests.e2e.stage.world import World

MANY = tuple(f"seller-{number:02}" for number in range(12))  # more than the brake ever lets go
OTHER = "example.com/other"
SETTINGS = {**QUICK, "deleteBrake": 10}


@dataclass(frozen=True)
class Played:
    """What the release grants, and what its operators asked for."""

    release: Release
    rights: list[Right]
    requests: set[Request]


@pytest.fixture(scope="module", params=["everywhere", "in_some_namespaces"])
def played(request: pytest.FixtureRequest, world: World, helm: Helm) -> Iterator[Played]:
    with ExitStack() as stack:
        home = stack.enter_context(staged(world, "home"))
        labels = {"played-by": home.namespace}
        stages = [stack.enter_context(staged(world, "rights", labels)) for _ in range(2)]
        release = install(world, helm, home.namespace, _values(world, stages, labels, request.param))
        stack.callback(release.helm, "uninstall", RELEASE, "--namespace", home.namespace)
        _play(release, home, stages)
        account = release.account
        yield Played(release, rights_of(release.made, account), asked(world.cluster, home.namespace, account))


def _values(world: World, stages: list[Stage], labels: dict[str, str], where: str) -> Object:
    selector = ",".join(f"{key}={value}" for key, value in labels.items())
    return {
        "crds": {"install": False},
        "apiKey": {"existingSecret": "workspace"},
        "namespaces": [stage.namespace for stage in stages] if where == "in_some_namespaces" else [],
        "settings": {**SETTINGS, "apiUrl": world.emulator.api_url, "labelSelector": selector},
    }


def _play(release: Release, home: Stage, stages: list[Stage]) -> None:
    """Twice: the second operator finds what the first one made in the release's namespace."""
    key = release.world.folder / f"{home.namespace}.key"
    key.write_text(stages[0].key)
    with release.operator(key) as first:
        _accounts(stages[0], stages[1])
        _batches(stages[1])
        assert first.stop() == 0
    with release.operator(key) as second:
        _deletions(stages[0], stages[1])
        _prove_content(second)
        assert second.stop() == 0


def _accounts(stage: Stage, other: Stage) -> None:
    """One of every type, one of them with the key of the release and a test mail."""
    for name, inbox_type in (("google", GOOGLE), ("outlook", OUTLOOK), ("custom", CUSTOM), ("native", "COLDSEND")):
        stage.apply(name, inbox_type)
    stage.apply("own", apiKeySecretRef=None, testEmail={"recipient": f"ops@{stage.domain}", "requestID": "1"})
    other.apply("waits", smtp={"passwordSecretRef": {"name": "not-there"}})
    for name in ("google", "outlook", "custom", "native", "own"):
        stage.ready(name)
    stage.until("own", lambda shown: "sentAt" in shown.status.get("testEmail", {}), "a mail that was sent")
    other.shows("waits", Ready="False SecretNotFound")
    eventually(lambda: "Normal Active" in stage.events("native"), "an Event")


def _batches(stage: Stage) -> None:
    pool = Pool(stage)
    pool.make(*MANY, ANN, BOB)
    stage.edit(pool.child(ANN), displayName="By Hand")
    pool.until_account(ANN, lambda shown: shown.raw["spec"]["displayName"] == "Ann", "the name of the list")
    pool.apply(*MANY, ANN)
    stage.gone(pool.child(BOB))
    pool.ready()


def _deletions(stage: Stage, other: Stage) -> None:
    pool = Pool(other)
    _share_finalizers(other, "SenderAccountBatch", pool.name)
    _share_finalizers(stage, "SenderAccount", "google")
    pool.delete()
    held = "False DeletionHeld"
    eventually(lambda: held in {each.condition("Ready") for each in pool.accounts().values()}, held)
    other.annotate_namespace(approve_deletion="true")
    _let_go(other, "SenderAccountBatch", pool.name)
    pool.gone()
    assert other.emulator.inboxes(workspace=other.workspace) == []
    for name in ("google", "outlook", "custom", "native", "own"):
        stage.delete(name)
        if name == "google":
            _let_go(stage, "SenderAccount", name)
        stage.gone(name)


def _share_finalizers(stage: Stage, kind: str, name: str) -> None:
    """Another controller's finalizer stands beside ours, so the list must be read before ours can be taken off."""
    stage.server.merge(kind, stage.namespace, name, {"metadata": {"finalizers": [FINALIZER, OTHER]}})


def _let_go(stage: Stage, kind: str, name: str) -> None:
    """The operator has taken its finalizer off, and the other controller does so too."""

    def left() -> bool:
        found = stage.server.get(kind, stage.namespace, name)
        return found is not None and found["metadata"].get("finalizers") == [OTHER]

    eventually(left, f"the finalizer of another controller alone on {name}")
    stage.server.merge(kind, stage.namespace, name, {"metadata": {"finalizers": None}})


def _prove_content(operator: OperatorRun) -> None:
    assert operator.figure("coldsend_leader") == 1
    assert "orbidden" not in operator.lines()


def test_no_request_is_refused(played: Played) -> None:
    assert [request for request in played.requests if not request.allowed] == []


def test_every_right_is_needed(played: Played) -> None:
    assert unneeded(played.rights, played.requests) == []


def test_no_request_is_granted_by_another_role_than_those_of_the_release(played: Played) -> None:
    granted = [request for request in played.requests if any(right.allows(request) for right in played.rights)]
    assert set(granted) == played.requests


def test_secrets_are_read_by_name_only(played: Played) -> None:
    about = {request for request in played.requests if request.resource == "secrets"}
    assert {request.verb for request in about} == {"get", "create"}
    assert all(request.name for request in about if request.verb == "get")


def test_outside_the_watched_namespaces_only_the_own_one_is_touched(played: Played) -> None:
    watched = {right.namespace for right in played.rights if right.resource == "senderaccounts"}
    if watched != {""}:
        assert {request.namespace for request in played.requests} == watched | {played.release.namespace}
