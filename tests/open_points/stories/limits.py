"""Both windows, however ColdSend counts them: everything is done in the end, and refusals stay few."""

from tests.open_points.place import Place

FLOOD = tuple(f"u{number}" for number in range(30))


def a_refusal_says_how_long_to_wait(place: Place) -> None:
    """A limit that no header announces."""
    less_is_granted_than_the_settings_say(place)
    assert _refused(place) >= 1


def less_is_granted_than_the_settings_say(place: Place) -> None:
    """A minute of 10 requests where the settings say 100."""
    place.limit(per_minute=10, per_hour=500)
    _do_all_there_is_to_do(place)
    assert _refused(place) <= 12


def an_hour_is_spent_by_others(place: Place) -> None:
    """The hour has 40 requests, of which a person spends 30; nothing but a refusal tells."""
    place.limit(per_minute=100, per_hour=40)
    with place.as_client() as http:
        for _ in range(30):
            http.get("/sender-accounts")
    mark = _refused(place)
    _do_all_there_is_to_do(place)
    assert _refused(place) - mark <= 60


def two_keys_share_one_account(place: Place) -> None:
    """Keys of one workspace: together they stay within what ColdSend grants."""
    second = f"{place.key}_second"
    place.emulator.add_key(second, workspace=place.workspace)
    place.secret("second", apiKey=second)
    place.limit(per_minute=20, per_hour=500)
    for number, name in enumerate(FLOOD):
        place.apply(name, apiKeySecretRef={"name": "second" if number % 2 else "workspace"})
    place.all_ready(FLOOD)
    assert place.histories(FLOOD) == {("created",)}
    assert _refused(place) <= 20


def _do_all_there_is_to_do(place: Place) -> None:
    for start in range(0, len(FLOOD), 5):
        names = FLOOD[start : start + 5]
        place.make_all(names=names)
    place.annotate_namespace(approve_deletion="true")
    place.remove_all(FLOOD)
    assert place.histories(FLOOD) == {("created", "deleted")}


def _refused(place: Place) -> int:
    return sum(each["status"] == 429 for each in place.asked())


def one_job_too_many_is_refused_and_repeated(place: Place) -> None:
    """ColdSend accepts one job of a kind at a time. The operator still creates all three bulks."""
    three_bulks_are_made(place)
    for operation in ("bulkCreateSmtpAccounts", "bulkDeleteSenderAccounts"):
        assert any(each["status"] >= 400 for each in place.asked(operation))


def three_bulks_are_made(place: Place) -> None:
    """After the first job has ended, several go on at once."""
    names = tuple(f"u{number}" for number in range(210))
    place.make_all(names=names)
    assert place.histories(names) == {("created",)}
    place.annotate_namespace(approve_deletion="true")
    place.remove_all(names)
    assert place.histories(names) == {("created", "deleted")}
    assert place.creates <= 40
    assert place.deletes <= 40
