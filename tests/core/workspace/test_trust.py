"""Trust by itself: what is stored of it, and what is forgotten."""

import json

import pytest

from coldsend_operator.accounts.bookings import Bookings
from coldsend_operator.core.model.desired import OWN_KEY, KeyRef, SecretRef
from coldsend_operator.core.workspace.trust import Trust
from tests.support.clock import FakeClock

TEAM = KeyRef("support", SecretRef("key", "apiKey"))
OLD, NEW, OTHER = (frozenset({name}) for name in ("digest-old", "digest-new", "digest-other"))


@pytest.mark.parametrize("ref", [OWN_KEY, TEAM])
def test_a_reference_is_read_back_as_it_was_written(ref: KeyRef) -> None:
    assert KeyRef.parse(str(ref)) == ref


def test_the_workspaces_of_references_survive_a_restart() -> None:
    trust, later = Trust(), Trust()
    trust.settle(OWN_KEY, OLD)
    trust.settle(TEAM, OTHER)
    later.load(trust.to_json())
    later.place("uid-1", OWN_KEY, "digest-old")
    assert later.trusts(OWN_KEY, OLD)
    assert not later.trusts(OWN_KEY, NEW)


def test_an_inbox_of_elsewhere_raises_no_doubt_of_a_reference_that_is_not_in_the_record() -> None:
    trust = Trust()
    trust.load({str(TEAM): ["digest-other"]})
    trust.place("uid-1", OWN_KEY, "digest-other")
    assert trust.trusts(OWN_KEY, NEW)


def test_without_any_record_the_inboxes_of_a_reference_tell_its_workspace_from_then_on() -> None:
    trust, later = Trust(), Trust()
    trust.place("uid-1", OWN_KEY, "digest-old")
    trust.settle(OWN_KEY, NEW)
    trust.settle(TEAM, OTHER)
    trust.settle_unrecorded()
    later.load(trust.to_json())
    later.place("uid-1", OWN_KEY, "digest-old")
    assert not later.trusts(OWN_KEY, NEW)
    assert later.trusts(OWN_KEY, OLD)


def test_a_key_is_trusted_again_when_the_last_inbox_that_contradicts_it_is_gone() -> None:
    trust = Trust()
    trust.settle(OWN_KEY, OLD)
    trust.place("uid-1", OWN_KEY, "digest-old")
    assert not trust.trusts(OWN_KEY, NEW)
    trust.place("uid-1", OWN_KEY, None)
    assert trust.trusts(OWN_KEY, NEW)


def test_an_inbox_that_a_former_key_showed_proves_the_new_one() -> None:
    trust = Trust()
    trust.settle(OWN_KEY, OLD)
    for uid in ("uid-1", "uid-2"):
        trust.place(uid, OWN_KEY, "digest-old")
    trust.prove(OWN_KEY, "digest-other", "digest-new")
    assert not trust.trusts(OWN_KEY, NEW)
    trust.prove(OWN_KEY, "digest-old", "digest-new")
    assert trust.trusts(OWN_KEY, NEW)
    assert trust.former(OWN_KEY) == OLD | NEW


def test_what_nobody_uses_is_forgotten_but_for_the_workspace_of_the_operators_own_key() -> None:
    trust = Trust()
    trust.settle(OWN_KEY, OLD | OTHER)
    trust.settle(TEAM, OTHER)
    trust.forget(frozenset(), OLD)
    assert trust.to_json() == {"default": ["digest-old"]}
    trust.forget(frozenset(), NEW)
    assert trust.to_json() == {"default": ["digest-old"]}


def test_an_object_that_comes_from_elsewhere_makes_no_key_trusted_against_the_inboxes_of_others() -> None:
    trust = Trust()
    trust.place("uid-1", OWN_KEY, "digest-old")  # known from its status only: an older version stored no workspace
    trust.begin(OWN_KEY, "digest-new", "uid-2")
    assert not trust.trusts(OWN_KEY, NEW)
    trust.place("uid-1", OWN_KEY, None)
    trust.place("uid-2", OWN_KEY, "digest-other")
    trust.begin(OWN_KEY, "digest-new", "uid-2")
    assert trust.trusts(OWN_KEY, NEW)


def test_a_workspace_that_is_known_is_not_replaced_by_the_key_that_an_object_from_elsewhere_finds() -> None:
    trust = Trust()
    trust.settle(OWN_KEY, OLD)
    trust.place("uid-1", OWN_KEY, "digest-old")
    trust.place("uid-1", OWN_KEY, None)
    trust.begin(OWN_KEY, "digest-new", "uid-2")
    assert trust.former(OWN_KEY) == OLD


class StoredState:
    """The state ConfigMap as a dict."""

    def __init__(self, **data: str) -> None:
        self.data = dict(data)

    async def load(self) -> dict[str, str]:
        return dict(self.data)

    async def save(self, key: str, text: str | None) -> None:
        if text is None:
            self.data.pop(key)
        else:
            self.data[key] = text

    def known(self, key: str) -> str | None:
        return self.data.get(key)


async def test_what_an_earlier_version_stored_under_another_name_is_read_and_renamed() -> None:
    before = Trust()
    before.settle(TEAM, OTHER)
    text = json.dumps(before.to_json())
    state, trust = StoredState(homes=text), Trust()
    store = Bookings(state, FakeClock(), lambda: 0.0)  # type: ignore[arg-type] # a map without an API server
    await store.load()
    store.restore_trust(trust)
    assert trust.to_json() == before.to_json()
    await store.save_trust(trust)
    assert list(state.data) == ["key-workspaces"]
    assert json.loads(state.data["key-workspaces"]) == before.to_json()
