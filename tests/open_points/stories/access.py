"""Scopes, test mails, and what is only looked at."""

from tests.open_points.place import Place
from tests.open_points.stories import living

RECIPIENT = "ops@company.com"
SCOPES = ["sender_accounts:create", "sender_accounts:read", "sender_accounts:delete"]


def three_scopes_are_enough_for_accounts(place: Place) -> None:
    place.emulator.change_key(place.key, scopes=SCOPES)
    living.several_are_made_once_and_deleted_once(place)


def a_native_one_needs_no_domain_scope_when_its_domain_is_given_by_id(place: Place) -> None:
    place.emulator.change_key(place.key, scopes=SCOPES)
    place.apply("ann", "COLDSEND", native={"domainName": None, "domainID": place.domain_id})
    place.ready()
    assert place.happened() == ["created"]


def domains_that_may_not_be_read_are_told(place: Place) -> None:
    place.emulator.change_key(place.key, scopes=SCOPES)
    place.apply("ann", "COLDSEND")
    shown = place.shows(Ready="False MissingScopes")
    assert "domains:read" in shown.message("Ready")
    assert "domainID" in shown.message("Ready")
    place.make("ben")
    place.emulator.change_key(place.key, scopes=["*"])
    place.annotate("ann", reconcile="it may be read")
    place.ready()


def a_key_without_read_cannot_even_look(place: Place) -> None:
    place.emulator.change_key(place.key, scopes=["sender_accounts:create", "sender_accounts:delete"])
    place.apply()
    shown = place.shows(Ready="False MissingScopes")
    assert "sender_accounts:read" in shown.message("Ready")
    assert place.creates == 0
    place.emulator.change_key(place.key, scopes=SCOPES)
    place.ready()


def a_test_mail_is_sent_once(place: Place) -> None:
    mail = _ask_for_a_mail(place)
    assert "sentAt" in mail
    assert len(place.emulator.mails(_recipient(place))) == 1
    place.after_sweeps()
    assert place.count("sendTestEmail") == 1


def a_test_mail_that_fails_is_told_and_not_sent_again(place: Place) -> None:
    mail = _ask_for_a_mail(place)
    assert "Failed to send" in mail["error"]
    place.after_sweeps()
    assert place.count("sendTestEmail") == 1
    assert place.emulator.mails(_recipient(place)) == []


def a_test_mail_of_uncertain_fate_is_not_sent_again(place: Place) -> None:
    """The mail left, and the answer says that it did not."""
    mail = _ask_for_a_mail(place)
    assert mail["error"]
    place.after_sweeps()
    assert place.count("sendTestEmail") == 1
    assert len(place.emulator.mails(_recipient(place))) == 1


def a_test_mail_goes_with_the_usual_scopes(place: Place) -> None:
    place.emulator.change_key(place.key, scopes=SCOPES)
    a_test_mail_is_sent_once(place)


def a_test_mail_without_its_scope_is_told(place: Place) -> None:
    place.emulator.change_key(place.key, scopes=SCOPES)
    mail = _ask_for_a_mail(place)
    assert "sender_accounts:all" in mail["error"]
    place.ready()
    place.emulator.change_key(place.key, scopes=["*"])
    place.edit(testEmail={"recipient": _recipient(place), "requestID": "2"})
    place.until("ann", lambda shown: "sentAt" in shown.status["testEmail"], "the mail")
    assert len(place.emulator.mails(_recipient(place))) == 1


def _ask_for_a_mail(place: Place) -> dict[str, str]:
    place.make()
    place.edit(testEmail={"recipient": _recipient(place), "requestID": "1"})
    shown = place.until("ann", lambda shown: _is_told(shown.status.get("testEmail", {})), "what became of the mail")
    mail: dict[str, str] = shown.status["testEmail"]
    return mail


def _is_told(mail: dict[str, str]) -> bool:
    return "sentAt" in mail or "error" in mail


def _recipient(place: Place) -> str:
    return f"ops@{place.domain}"


def an_unknown_status_is_shown_and_not_ready(place: Place) -> None:
    place.apply()
    shown = place.shows(Ready="False UnknownStatus")
    assert shown.status["overallStatus"] == "WARMING_UP"
    assert "WARMING_UP" in shown.message("Ready")
    place.after_sweeps()
    assert place.creates == 1
    place.remove()
    assert place.all_ours() == []


def an_unknown_type_is_shown_as_it_is(place: Place) -> None:
    place.apply()
    shown = place.until("ann", lambda shown: shown.status.get("inboxType") == "GMAIL_API", "the type")
    assert shown.condition("Ready") == "True Active"
    place.after_sweeps()
    assert place.happened() == ["created"]
    place.remove()
    assert place.all_ours() == []


def a_health_score_is_shown_as_it_comes(place: Place) -> None:
    place.apply()
    shown = place.known()
    assert shown.status["healthScore"] == 100
    place.shows(Healthy="True HealthScoreGood")
    place.emulator.change(place.address(), health_score=50)
    place.shows(Healthy="False HealthScoreLow")
    place.ready()


def a_health_score_that_nobody_tells_is_unknown(place: Place) -> None:
    place.make()
    place.shows(Healthy="Unknown HealthScoreUnknown")


def a_health_score_of_one_is_no_scale_of_ours(place: Place) -> None:
    """A score of 1.0 means 1, not 100 %: no scale is assumed, and the thresholds are settings."""
    place.apply()
    shown = place.known()
    assert shown.status["healthScore"] == 1
    place.shows(Healthy="False HealthScoreLow", Ready="True Active")


def details_are_read_under_any_wrapper(place: Place) -> None:
    place.apply()
    place.known()
    place.emulator.change(place.address(), health_score=50)
    place.annotate("ann", reconcile="now")
    place.value("lastReconcileRequest", "now")
    place.value("healthScore", 50)
    assert place.count("getSenderAccount") >= 1
    place.remove()


def every_list_names_its_order(place: Place) -> None:
    place.emulator.seed_many(150, f"u{{n}}@{place.domain}", workspace=place.workspace)
    living.several_are_made_once_and_deleted_once(place)
    lists = [each["query"] for each in place.asked("listSenderAccounts")]
    assert [query for query in lists if "sort_by=" not in query or "sort_order=" not in query] == []
