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
from tests.e2e.support.operators import OperatorRun
from tests.e2e.support.tenant import CUSTOM, GOOGLE, OUTLOOK, Tenant, eventually, opened_tenant
from tests.e2e.support.world import World

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
        home = stack.enter_context(opened_tenant(world, "home"))
        labels = {"played-by": home.namespace}
        tenants = [stack.enter_context(opened_tenant(world, "rights", labels)) for _ in range(2)]
        release = install(world, helm, home.namespace, _values(world, tenants, labels, request.param))
        stack.callback(release.helm, "uninstall", RELEASE, "--namespace", home.namespace)
        _play(release, home, tenants)
        account = release.account
        yield Played(release, rights_of(release.made, account), asked(world.cluster, home.namespace, account))


def _values(world: World, tenants: list[Tenant], labels: dict[str, str], where: str) -> Object:
    selector = ",".join(f"{key}={value}" for key, value in labels.items())
    return {
        "crds": {"install": False},
        "apiKey": {"existingSecret": "workspace"},
        "namespaces": [tenant.namespace for tenant in tenants] if where == "in_some_namespaces" else [],
        "settings": {**SETTINGS, "apiUrl": world.emulator.api_url, "labelSelector": selector},
    }


def _play(release: Release, home: Tenant, tenants: list[Tenant]) -> None:
    """Twice: the second operator finds what the first one made in the release's namespace."""
    key = release.world.folder / f"{home.namespace}.key"
    key.write_text(tenants[0].key)
    with release.operator(key) as first:
        _accounts(tenants[0], tenants[1])
        _batches(tenants[1])
        assert first.stop() == 0
    with release.operator(key) as second:
        _deletions(tenants[0], tenants[1])
        _prove_content(second)
        assert second.stop() == 0


def _accounts(tenant: Tenant, other: Tenant) -> None:
    """One of every type, one of them with the key of the release and a test mail."""
    for name, inbox_type in (("google", GOOGLE), ("outlook", OUTLOOK), ("custom", CUSTOM), ("native", "COLDSEND")):
        tenant.apply(name, inbox_type)
    tenant.apply("own", apiKeySecretRef=None, testEmail={"recipient": f"ops@{tenant.domain}", "requestID": "1"})
    other.apply("waits", smtp={"passwordSecretRef": {"name": "not-there"}})
    for name in ("google", "outlook", "custom", "native", "own"):
        tenant.ready(name)
    tenant.until("own", lambda shown: "sentAt" in shown.status.get("testEmail", {}), "a mail that was sent")
    other.shows("waits", Ready="False SecretNotFound")
    eventually(lambda: "Normal Active" in tenant.events("native"), "an Event")


def _batches(tenant: Tenant) -> None:
    pool = Pool(tenant)
    pool.make(*MANY, ANN, BOB)
    tenant.edit(pool.child(ANN), displayName="By Hand")
    pool.until_account(ANN, lambda shown: shown.raw["spec"]["displayName"] == "Ann", "the name of the list")
    pool.apply(*MANY, ANN)
    tenant.gone(pool.child(BOB))
    pool.ready()


def _deletions(tenant: Tenant, other: Tenant) -> None:
    pool = Pool(other)
    _share_finalizers(other, "SenderAccountBatch", pool.name)
    _share_finalizers(tenant, "SenderAccount", "google")
    pool.delete()
    held = "False DeletionHeld"
    eventually(lambda: held in {each.condition("Ready") for each in pool.accounts().values()}, held)
    other.annotate_namespace(approve_deletion="true")
    _let_go(other, "SenderAccountBatch", pool.name)
    pool.gone()
    assert other.emulator.inboxes(workspace=other.workspace) == []
    for name in ("google", "outlook", "custom", "native", "own"):
        tenant.delete(name)
        if name == "google":
            _let_go(tenant, "SenderAccount", name)
        tenant.gone(name)


def _share_finalizers(tenant: Tenant, kind: str, name: str) -> None:
    """Another controller's finalizer stands beside ours, so the list must be read before ours can be taken off."""
    tenant.server.merge(kind, tenant.namespace, name, {"metadata": {"finalizers": [FINALIZER, OTHER]}})


def _let_go(tenant: Tenant, kind: str, name: str) -> None:
    """The operator has taken its finalizer off, and the other controller does so too."""

    def left() -> bool:
        found = tenant.server.get(kind, tenant.namespace, name)
        return found is not None and found["metadata"].get("finalizers") == [OTHER]

    eventually(left, f"the finalizer of another controller alone on {name}")
    tenant.server.merge(kind, tenant.namespace, name, {"metadata": {"finalizers": None}})


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
