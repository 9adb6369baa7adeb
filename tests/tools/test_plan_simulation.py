"""What `plan` says is what the operator then does: the same changes, announced and then made in the simulated world."""

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from coldsend_operator.accounts.policy import policy_of
from coldsend_operator.core.model.answers import Domain
from coldsend_operator.core.model.desired import OWN_KEY
from coldsend_operator.resources.names import ACCOUNT_KIND, API_VERSION, BATCH_KIND
from coldsend_operator.tools.manifests import Document
from coldsend_operator.tools.plan.decide import Manifests, decide
from coldsend_operator.tools.plan.objects import Key, world_of
from coldsend_operator.tools.plan.sources import Found
from coldsend_operator.tools.plan.workspaces import ListedWorkspace
from tests.core.conftest import failures_in_the_log, profile
from tests.support.remote import DOMAIN, row_of
from tests.support.simulation import Simulation, inboxes_of, spec_of, template_of

__all__ = ["failures_in_the_log"]  # a fixture

NAMESPACE = "sales"
LABELS = {"app": "pool"}
NAMES = ("ann", "bob", "cid", "dan")
ADDRESSES = ("ann@company.com", "bob@company.com", "cid@company.com", f"eve@{DOMAIN.domain_name}")
LISTED = tuple(f"p{number}@pool.com" for number in range(16))
LONG = 1_500.0  # seconds: more than the window of the brake, and time for every replacement

specs = st.builds(
    lambda address, fields: spec_of(address, **{key: value for key, value in fields.items() if value is not None}),
    st.sampled_from(ADDRESSES),
    st.fixed_dictionaries(
        {
            "displayName": st.sampled_from(["Jane", "Joe"]),
            "deletionPolicy": st.sampled_from([None, "Orphan"]),
            "updatePolicy": st.sampled_from([None, "Recreate"]),
            "adoptionPolicy": st.sampled_from([None, "Adopt"]),
            "managementPolicy": st.sampled_from([None, None, "Observe"]),
        }
    ),
)
lists = st.builds(
    lambda addresses, template: {
        "template": template_of(**{key: value for key, value in template.items() if value is not None}),
        "inboxes": inboxes_of(addresses),
    },
    st.lists(st.sampled_from(LISTED), unique=True, max_size=len(LISTED)),
    st.fixed_dictionaries(
        {"updatePolicy": st.sampled_from([None, "Recreate"]), "dailyLimit": st.sampled_from([None, 30])}
    ),
)
worlds = st.tuples(st.dictionaries(st.sampled_from(NAMES), specs, max_size=4), st.none() | lists)


def manifests(accounts: dict[str, Any], batch: Any) -> dict[Key, dict[str, Any]]:
    named = {(ACCOUNT_KIND, NAMESPACE, name): spec for name, spec in accounts.items()}
    named |= {} if batch is None else {(BATCH_KIND, NAMESPACE, "pool"): batch}
    return {
        (kind, namespace, name): {
            "apiVersion": API_VERSION,
            "kind": kind,
            "metadata": {"namespace": namespace, "name": name, "labels": LABELS},
            "spec": copy.deepcopy(spec),
        }
        for (kind, namespace, name), spec in named.items()
    }


def by_key(simulation: Simulation) -> dict[Key, dict[str, Any]]:
    return {
        (raw["kind"], raw["metadata"]["namespace"], raw["metadata"]["name"]): copy.deepcopy(raw)
        for raw in simulation.cluster.objects.values()
    }


def do(simulation: Simulation, wanted: dict[Key, dict[str, Any]]) -> None:
    """What `kubectl apply --prune` does."""
    there = by_key(simulation)
    for key, manifest in wanted.items():
        if key not in there:
            simulation.cluster.create(key[1], key[2], manifest["spec"], key[0], labels=LABELS)
        elif there[key]["spec"] != manifest["spec"]:
            uid = there[key]["metadata"]["uid"]
            removed = dict.fromkeys(there[key]["spec"].keys() - manifest["spec"].keys())
            simulation.cluster.change_spec(uid, **removed, **manifest["spec"])
    for key, raw in there.items():
        if key not in wanted and not raw["metadata"].get("ownerReferences"):
            simulation.cluster.delete(raw["metadata"]["uid"])


def ready(raw: dict[str, Any]) -> str:
    return str(next(each["reason"] for each in raw["status"]["conditions"] if each["type"] == "Ready"))


def held_by(raw: dict[str, Any] | None) -> str | None:
    status = (raw or {}).get("status") or {}
    return status.get("inboxID") if status.get("origin") in {"Created", "Adopted"} else None


def what_happened(before: Any, after: Any, held: set[str | None], inboxes: set[str]) -> str:
    """The word for what became of an object. `inboxes` are in ColdSend now, and objects hold those of `held`."""
    own = held_by(before)
    if after is None and own is None:
        return "none"
    if after is None:
        return "hand-over" if own in held else "orphan" if own in inboxes else "delete"
    new = after.get("status") or {}
    reason = ready(after) if new.get("conditions") else ""
    synced = {each["type"]: each["reason"] for each in new.get("conditions", ())}.get("Synced")
    if "DeletionHeld" in {reason, synced}:
        return "hold"
    mine = held_by(after)
    if own is not None and mine not in {own, None}:
        return "recreate"
    if own is None and mine is not None and "handedOverFrom" not in new:
        return "create" if new["origin"] == "Created" else "adopt"
    if {reason, synced} & {"AddressConflict", "AlreadyExists"}:
        return "conflict"
    if synced in {"Drifted", "UpdateNotSupported", "SecretChanged"}:
        return "drift"
    return "none" if {reason, synced} <= {"Active", "Adopted", "InSync"} else "wait"


def planned(simulation: Simulation, wanted: dict[Key, dict[str, Any]]) -> dict[Key, str]:
    listed = ListedWorkspace(
        OWN_KEY,
        tuple(row_of(inbox) for inbox in simulation.remote.live()),
        (Domain(DOMAIN.domain_id, DOMAIN.domain_name, DOMAIN.status),),
    )
    found = Found(world_of(copy.deepcopy(list(simulation.cluster.objects.values()))))
    documents = [Document("git", manifest) for manifest in copy.deepcopy(wanted).values()]
    asked = Manifests(documents, NAMESPACE, selector="app=pool")
    report = decide(found, asked, policy_of(simulation.settings), listed, simulation.clock())
    return {
        (change.kind, change.namespace, change.name): change.action.value
        for change in report.changes
        if change.kind == ACCOUNT_KIND
    }


@profile(60)
@given(worlds, worlds, st.sets(st.sampled_from(ADDRESSES)))
def test_what_the_plan_says_is_what_the_operator_then_does(first: Any, second: Any, by_hand: set[str]) -> None:
    check(first, second, by_hand)


def check(first: Any, second: Any, by_hand: set[str]) -> None:
    simulation = Simulation(per_minute=100, per_hour=1000, lag=0.0)
    for address in sorted(by_hand):
        simulation.remote.make_by_hand(address, inbox_type_of(address))
    simulation.start()
    do(simulation, manifests(*first))
    simulation.wait(LONG)
    second = (without_moves(first[0], second[0]), second[1])
    wanted = manifests(*second)

    said = planned(simulation, wanted)
    before = by_key(simulation)
    do(simulation, wanted)
    simulation.wait(LONG)

    after = by_key(simulation)
    inboxes = {inbox.inbox_id for inbox in simulation.remote.live()}
    held = {held_by(raw) for raw in after.values() if "handedOverFrom" in (raw.get("status") or {})}
    keys = {key for key in {*before, *after} if key[0] == ACCOUNT_KIND}
    happened = {key: what_happened(before.get(key), after.get(key), held, inboxes) for key in keys}
    expected = {key: in_the_end(said.get(key, "none"), held_by(before.get(key)), inboxes) for key in keys}
    wrong = {key: (expected[key], word) for key, word in happened.items() if expected[key] != word}
    assert not wrong, wrong


def in_the_end(word: str, held: str | None, inboxes: set[str]) -> str:
    """What can be told from the end alone: what was handed over may have been replaced by its new holder."""
    if word == "hand-over" and held not in inboxes:
        return "delete"
    return "create" if word == "recreate" and held is None else word


def inbox_type_of(address: str) -> str:
    return "COLDSEND" if address.endswith(DOMAIN.domain_name) else "GOOGLE_WORKSPACE"


def without_moves(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """The API server refuses another address for an object that is there: such edits keep what was."""
    return {name: before[name] if _moves(before.get(name), spec) else spec for name, spec in after.items()}


def _moves(before: Any, after: Any) -> bool:
    identity = ("inboxType", "emailAddress", "native")
    return before is not None and any(before.get(field) != after.get(field) for field in identity)
