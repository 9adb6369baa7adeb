"""What comes in through values: rules 36, 37, 43 and 44."""

import json
from typing import Any

import pytest
from pydantic import SecretStr

from coldsend_operator.accounts.reading import read_object
from coldsend_operator.coldsend.errors import CallFailed
from coldsend_operator.core.model.answers import Failure, FailureKind, address_key
from coldsend_operator.core.model.decision import Action
from coldsend_operator.core.model.hashes import comparable, credentials_digest
from coldsend_operator.credentials.passwords import Hmac
from coldsend_operator.resources.names import RECONCILE_ANNOTATION
from coldsend_operator.resources.reading import read_account
from tests.core.rules.watching import play_until, running
from tests.support.core_world import CoreWorld, object_of, row
from tests.support.simulation import SECOND, SECRET, Simulation

ANN = "ann@company.com"
LOGIN_FAILED = Failure(FailureKind.REFUSED, "SMTP connection failed: 535 bad credentials", 400)


def an_account(simulation: Simulation, value: str | bytes, **fields: Any) -> str:
    """An account whose Secret has this value."""
    simulation.cluster.write_secret("sales", SECRET, {"password": value})
    return simulation.apply("sales", "ann", ANN, **fields)


def passwords_sent(simulation: Simulation, good: str | None = None) -> list[str]:
    """Start a process; the passwords that its creates send. ColdSend refuses every other than the `good` one."""
    process = running(simulation)
    play_until(simulation, lambda: process.loops)
    client: Any = next(iter(process.loops[0].keys.values())).client
    create, sent = client.create_smtp, []

    async def create_smtp(inbox: Any) -> Any:
        sent.append(inbox.smtp_password.get_secret_value())
        if good is not None and sent[-1] != good:
            raise CallFailed(LOGIN_FAILED)
        return await create(inbox)

    client.create_smtp = create_smtp
    return sent


UNCHANGED = [
    "p\u00e4ss w\u00f6rd",
    " spaces around ",
    "abcd efgh ijkl",
    "abcd efgh ijkl mno1",
    "\U0001f40e",
    "\u65e5\u672c",
    "e\u0301",
]
SENT = [
    *[(value, value) for value in UNCHANGED],
    ("abcdabcdabcdabcd\n", "abcdabcdabcdabcd"),
    ("abcdabcdabcdabcd\r\n", "abcdabcdabcdabcd"),
    ("abcd efgh ijkl mnop", "abcdefghijklmnop"),
    ("abcd efgh ijkl mnop\n", "abcdefghijklmnop"),
]


@pytest.mark.parametrize(("value", "sent"), SENT)
def test_rule_36_one_line_end_and_the_spaces_of_google_are_dropped_and_nothing_else(value: str, sent: str) -> None:
    simulation = Simulation()
    an_account(simulation, value)
    passwords = passwords_sent(simulation)
    simulation.wait(5.0)
    assert passwords == [sent]


def test_rule_36_four_groups_of_letters_are_sent_as_they_are_to_other_servers() -> None:
    simulation = Simulation()
    an_account(simulation, "abcd efgh ijkl mnop", inboxType="OUTLOOK_365")
    passwords = passwords_sent(simulation)
    simulation.wait(5.0)
    assert passwords == ["abcd efgh ijkl mnop"]


NEVER_SENT = [
    ("hunter\0wolf", "U+0000 (NUL) at position 7"),
    ("\ufeffhunterwolf", "U+FEFF (BYTE ORDER MARK) at position 1"),
    ("hunterwolf\n\n", "U+000A (LINE FEED) at position 11"),
    ("hunter\twolf", "U+0009 (TAB) at position 7"),
    ("hunter\x7fwolf", "U+007F (a control character) at position 7"),
    ("abcd\u00a0efgh\u00a0ijkl\u00a0mnop", "U+00A0 (NO-BREAK SPACE) at position 5"),
    ("hunter\u200bwolf", "U+200B (ZERO WIDTH SPACE) at position 7"),
    ("hunter\u202ewolf", "U+202E (RIGHT-TO-LEFT OVERRIDE) at position 7"),
    ("hunter\u2028wolf", "U+2028 (LINE SEPARATOR) at position 7"),
    ("hunterwolf".encode("utf-16-le"), "UTF-16"),
    ("hunterwolf".encode("utf-16"), "U+FEFF"),
    ("h\u00e4nter".encode("latin-1"), "is not UTF-8 text (from byte 2 on)"),
]


@pytest.mark.parametrize(("value", "named"), NEVER_SENT)
def test_rule_36_characters_that_nobody_sees_are_never_sent_and_named(value: str | bytes, named: str) -> None:
    simulation = Simulation()
    uid = an_account(simulation, value)
    passwords = passwords_sent(simulation)
    simulation.wait(5.0)
    assert passwords == []
    for kind in ("Ready", "Synced", "CredentialsCurrent"):
        _, reason, message = simulation.says(uid)[kind]
        assert reason == "SecretInvalid"
        assert named in message
        assert "Key password of Secret mail (spec.smtp.passwordSecretRef)" in message
        assert not any(part in message for part in ("hunter", "wolf", "abcd", "nter"))


def test_rule_36_a_value_of_nothing_but_a_line_end_is_empty() -> None:
    simulation = Simulation()
    uid = an_account(simulation, "\n")
    running(simulation, 5.0)
    assert simulation.ready(uid)[1] == "SecretKeyNotFound"


@pytest.mark.parametrize("broken", ["hunter\u200bwolf", "", "wrong"])
def test_rule_36_a_repaired_secret_is_noticed_by_itself_within_15_seconds(broken: str) -> None:
    simulation = Simulation()
    uid = an_account(simulation, broken)
    passwords = passwords_sent(simulation, good="right")
    simulation.wait(200.0)
    assert simulation.ready(uid)[1] in {"SecretInvalid", "SecretKeyNotFound", "ConnectionFailed"}
    simulation.cluster.write_secret("sales", SECRET, {"password": "right"})
    simulation.wait(15.0)
    assert passwords[-1] == "right"
    assert simulation.ready(uid)[1] == "Active"


def test_rule_36_a_line_end_that_comes_or_goes_is_no_change_of_the_password() -> None:
    simulation = Simulation(changes={"secret_check_seconds": 1.0})
    uid = an_account(simulation, "one")
    running(simulation, 10.0)
    simulation.cluster.write_secret("sales", SECRET, {"password": "one\n"})
    simulation.wait(30.0)
    assert simulation.says(uid)["CredentialsCurrent"][1] == "SecretUnchanged"


@pytest.mark.parametrize("value", ["\ufeffcs_live_0123", "cs_live\u200b_0123", "cs_live_0123\0", "cs_live_0123\u00a0"])
def test_rule_36_an_api_key_with_a_character_that_nobody_sees_is_named_and_never_sent(value: str) -> None:
    simulation = Simulation()
    simulation.cluster.write_secret("sales", SECOND, {"apiKey": value})
    uid = simulation.apply("sales", "ann", ANN, apiKeySecretRef={"name": SECOND})
    running(simulation, 5.0)
    _, reason, message = simulation.ready(uid)
    assert reason == "SecretInvalid"
    assert "U+" in message
    assert "cs_live" not in message


# -- addresses

HIDDEN = [
    ("\ufeffann@company.com", "U+FEFF (BYTE ORDER MARK) at position 1"),
    ("ann\u00a0@company.com", "U+00A0 (NO-BREAK SPACE) at position 4"),
    ("ann\u200b@company.com", "U+200B (ZERO WIDTH SPACE) at position 4"),
    ("a\u202enn@company.com", "U+202E (RIGHT-TO-LEFT OVERRIDE) at position 2"),
    ("ann@company.com\u00a0", "U+00A0 (NO-BREAK SPACE) at position 16"),
    (".ann@company.com", "dot at its start"),
    ("ann.@company.com", "before the @"),
    ("a..nn@company.com", "two dots in a row"),
    ("ann@m\u00fcller.de", "write it as xn--mller-kva.de"),
    ("ann@Stra\u00dfe.Beispiel.de", "write it as xn--strae-oqa.beispiel.de"),
    ("\u212aate@company.com", "not in the composed form of Unicode (NFC) up to position 1"),
]


@pytest.mark.parametrize(("address", "named"), HIDDEN)
def test_rule_37_an_address_that_no_server_takes_is_refused_by_the_operator_too(address: str, named: str) -> None:
    simulation = Simulation()
    uid = simulation.apply("sales", "ann", address)
    running(simulation, 5.0)
    _, reason, message = simulation.ready(uid)
    assert reason == "InvalidSpec"
    assert "spec.emailAddress: " in message
    assert named in message
    assert simulation.remote.inboxes == {}


@pytest.mark.parametrize(("address", "named"), HIDDEN)
def test_rule_37_in_a_batch_it_costs_that_entry_alone(address: str, named: str) -> None:
    simulation = Simulation()
    simulation.list_in_batch("sales", "pool", ["bob@company.com", address, "carl@company.com"])
    running(simulation, 30.0)
    assert {inbox.address for inbox in simulation.remote.inboxes.values()} == {"bob@company.com", "carl@company.com"}
    batch = simulation.raw(simulation.batches[0])
    (failure,) = batch["status"]["failures"]
    assert (failure["reason"], failure["emailAddress"]) == ("InvalidSpec", address)
    assert named in failure["message"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("displayName", "Ann\u200b"),
        ("displayName", "\u202eAnn"),
        ("smtp", {"username": "ann\u00a0", "passwordSecretRef": {"name": SECRET}}),
        ("smtp", {"host": "smtp\u200b.company.com", "passwordSecretRef": {"name": SECRET}}),
        ("smtp", {"host": f"{'x' * 64}.company.com", "passwordSecretRef": {"name": SECRET}}),
    ],
)
def test_rule_37_names_hosts_and_logins_hide_nothing_either(field: str, value: object) -> None:
    simulation = Simulation()
    uid = simulation.apply("sales", "ann", ANN, **{field: value})
    running(simulation, 5.0)
    assert simulation.ready(uid)[1] == "InvalidSpec"
    assert simulation.remote.inboxes == {}


def test_rule_37_a_name_may_have_the_joiners_that_its_script_needs() -> None:
    simulation = Simulation()
    simulation.apply("sales", "ann", ANN, displayName="\u0645\u06cc\u200c\u062e \U0001f469\u200d\U0001f4bb")
    running(simulation, 5.0)
    assert len(simulation.remote.inboxes) == 1


@pytest.mark.parametrize("shown", ["Zo\u00eb@company.com", "zoe\u0308@company.com", "ZO\u00cb@Company.com"])
def test_rule_37_an_address_is_known_again_however_coldsend_composes_it(shown: str) -> None:
    assert address_key(shown) == address_key("zo\u00eb@company.com")


@pytest.mark.parametrize(
    ("spec", "shown"),
    [
        ("zo\u00eb@company.com", "zoe\u0308@company.com"),
        ("a@xn--mller-kva.de", "a@m\u00fcller.de"),
        ("\u0130nfo@company.com", "i\u0307nfo@company.com"),
    ],
)
def test_rule_37_an_inbox_is_deleted_though_coldsend_writes_its_address_in_another_way(spec: str, shown: str) -> None:
    core = CoreWorld()
    account = core.holder(spec, deleting=True)
    core.sweep(row(shown))
    assert account.desired.problems == ()
    assert core.step(account).action is Action.DELETE


def test_rule_37_no_other_letter_or_space_makes_an_address_of_somebody_else() -> None:
    assert address_key("ann@company.com\u00a0") != ANN
    assert read_account({"inboxType": "GOOGLE_WORKSPACE", "emailAddress": "\u212aate@company.com"}).spec is None


# -- annotations


def test_rule_43_a_long_annotation_is_stored_as_a_digest_and_told() -> None:
    simulation = Simulation()
    uid = simulation.apply("sales", "ann", ANN)
    process = running(simulation, 5.0)
    simulation.annotate(uid, RECONCILE_ANNOTATION, "x" * 254_000)
    simulation.wait(5.0)
    raw = simulation.raw(uid)
    assert len(json.dumps(raw["status"])) < 5_000
    assert raw["status"]["lastReconcileRequest"].startswith("sha256:")
    assert "longer than 253 characters" in simulation.says(uid)["Synced"][2]
    account = process.operator.controller.accounts[uid]
    assert len(repr(account)) < 10_000
    before = len(simulation.cluster.history)
    simulation.wait(60.0)
    assert len(simulation.cluster.history) == before


@pytest.mark.parametrize("value", ["x" * 253, "2026-11-27"])
def test_rule_43_a_value_that_fits_is_acknowledged_as_it_is(value: str) -> None:
    simulation = Simulation()
    uid = simulation.apply("sales", "ann", ANN)
    running(simulation, 5.0)
    simulation.annotate(uid, RECONCILE_ANNOTATION, value)
    simulation.wait(5.0)
    assert simulation.status(uid)["lastReconcileRequest"] == value


# -- digests of credentials


def digest_of(simulation: Simulation, uid: str) -> str:
    raw = simulation.raw(uid)
    digest: str = raw["status"]["lastApplied"]["credentialsHash"]
    return digest


def as_before_the_salt(simulation: Simulation, uid: str) -> str:
    """The status as the first version wrote it: an HMAC of the values alone."""
    raw = simulation.raw(uid)
    old = "0011aabb-" + "7" * 32
    raw["status"]["lastApplied"]["credentialsHash"] = old
    return old


def writes_of_status(simulation: Simulation) -> int:
    return len(simulation.cluster.history)


def test_rule_44_equal_passwords_show_no_equal_digests() -> None:
    simulation = Simulation()
    uids = [simulation.apply("sales", f"one-{number}", f"{number}@company.com") for number in range(3)]
    running(simulation, 30.0)
    digests = [digest_of(simulation, uid).rpartition("-")[2] for uid in uids]
    assert len(set(digests)) == 3


def test_rule_44_a_guess_is_told_by_no_digest_of_another_object() -> None:
    simulation = Simulation()
    victim = simulation.apply("sales", "ann", ANN)
    guess = simulation.apply("support", "eve", "eve@company.com")
    running(simulation, 10.0)
    assert digest_of(simulation, victim).rpartition("-")[2] != digest_of(simulation, guess).rpartition("-")[2]


def test_rule_44_a_restart_makes_the_same_digest_and_writes_nothing() -> None:
    simulation = Simulation(changes={"secret_check_seconds": 1.0})
    uid = simulation.apply("sales", "ann", ANN)
    running(simulation, 30.0)
    before = writes_of_status(simulation)
    simulation.crash()
    running(simulation, 30.0)
    assert simulation.says(uid)["CredentialsCurrent"][1] == "SecretUnchanged"
    assert writes_of_status(simulation) == before


def test_rule_44_a_digest_of_the_version_before_counts_as_current_and_is_replaced_with_the_next_write() -> None:
    simulation = Simulation(changes={"secret_check_seconds": 1.0})
    uid = simulation.apply("sales", "ann", ANN, updatePolicy="Recreate")
    running(simulation, 30.0)
    simulation.crash()
    old = as_before_the_salt(simulation, uid)
    before, inboxes = writes_of_status(simulation), dict(simulation.remote.inboxes)
    running(simulation, 30.0)
    assert (digest_of(simulation, uid), writes_of_status(simulation)) == (old, before)
    assert simulation.remote.inboxes == inboxes
    simulation.annotate(uid, "coldsend.pro/reconcile", "now")
    simulation.wait(10.0)
    assert digest_of(simulation, uid) != old
    assert simulation.remote.inboxes == inboxes


def test_rule_44_a_secret_that_changes_after_the_upgrade_is_noticed() -> None:
    simulation = Simulation(changes={"secret_check_seconds": 1.0})
    uid = simulation.apply("sales", "ann", ANN)
    running(simulation, 30.0)
    simulation.crash()
    as_before_the_salt(simulation, uid)
    running(simulation, 30.0)
    simulation.rotate("sales", "two")
    simulation.wait(10.0)
    assert simulation.says(uid)["CredentialsCurrent"][1] == "SecretChanged"


def test_rule_44_an_inbox_that_another_object_took_over_keeps_its_digest() -> None:
    """A restored status, or a hand-over, brings the salt of the object before."""
    simulation = Simulation(changes={"secret_check_seconds": 1.0})
    first = simulation.apply("sales", "ann", ANN, updatePolicy="Recreate")
    running(simulation, 30.0)
    simulation.crash()
    restored = simulation.raw(first)
    restored["metadata"]["uid"] = "uid-after-the-restore"
    running(simulation, 30.0)
    assert len(simulation.remote.inboxes) == 1
    assert simulation.says("uid-after-the-restore")["CredentialsCurrent"][1] == "SecretUnchanged"


def test_rule_44_an_object_that_took_an_inbox_over_notices_the_next_value_of_the_secret() -> None:
    hmac = Hmac.of(SecretStr("a1b2c3d4.of-the-operator"))
    sent = hmac.digest(read_object(object_of(ANN, "uid-1")), ("one", "one"))
    status = {"lastApplied": {"credentialsHash": sent}}
    successor = read_object(object_of(ANN, "uid-2", status=status))
    assert hmac.digest(successor, ("one", "one")) == sent
    other = hmac.digest(successor, ("two", "two"))
    assert other != sent
    assert comparable(other, sent)


def test_rule_44_a_digest_tells_where_one_value_ends_and_the_next_begins() -> None:
    digests = {credentials_digest(b"key", "salt", values) for values in (("ab", "c"), ("a", "bc"), ("abc", ""))}
    assert len(digests) == 3


def test_rule_44_only_who_has_the_operators_key_makes_its_digests() -> None:
    assert credentials_digest(b"key", "salt", ("a", "b")) != credentials_digest(b"another", "salt", ("a", "b"))


def test_rule_44_digests_of_another_salt_or_key_tell_nothing_of_each_other() -> None:
    assert comparable("2.key.salt-one", "2.key.salt-two")
    assert not comparable("2.key.salt-one", "2.key.another-one")
    assert not comparable("2.key.salt-one", "2.new.salt-one")
