"""Checks of values are pure; the rules that they serve are tested in tests/core/rules/test_rules_values.py."""

import pytest

from coldsend_operator.addresses import ascii_domain
from coldsend_operator.resources.values import (
    address_fault,
    api_key_fault,
    api_key_of,
    first_unseen,
    form_of,
    password_of,
)


@pytest.mark.parametrize(
    ("value", "google", "sent"),
    [
        ("one\n\n", False, "one\n"),
        ("one\r", False, "one\r"),
        ("\n", True, ""),
        ("abcd efgh ijkl mnop", False, "abcd efgh ijkl mnop"),
        ("abcd  efgh ijkl mnop", True, "abcd  efgh ijkl mnop"),
        ("abcd efgh ijkl mnop ", True, "abcd efgh ijkl mnop "),
        ("ABCD efgh ijkl mnop\r\n", True, "ABCDefghijklmnop"),
    ],
)
def test_a_password_changes_in_two_ways_only(value: str, google: bool, sent: str) -> None:
    assert password_of(value, google=google) == sent


@pytest.mark.parametrize("text", ["", "plain", "Zoë 🙂", "a\u2003b", "נועה", "e\u0301"])
def test_what_people_see_is_not_hidden(text: str) -> None:
    assert first_unseen(text) is None


@pytest.mark.parametrize(("key", "good"), [("cs_live_a-b_C1", True), ("cs live", False), ("cs_live_ä", False)])
def test_an_api_key_is_printable_ascii(key: str, good: bool) -> None:
    assert (api_key_fault(key) == "") is good


@pytest.mark.parametrize(
    ("key", "fault"),
    [
        ('"cs_live_1"', "is in quotation marks; store it without them"),
        ("cs_live_1'", "is in quotation marks; store it without them"),
        ("Bearer cs_live_1", "begins with the word Bearer; store the key alone"),
        ("<your-key>", "has the form of a placeholder that no tool has replaced; store the key itself"),
        ("${COLDSEND_API_KEY}", "has the form of a placeholder that no tool has replaced; store the key itself"),
        ("cs_live_1 2", "holds a space at position 10; correct it"),
        ("cs_live_ä", "holds a character that no API key has at position 9; correct it"),
    ],
)
def test_what_is_wrong_with_an_api_key_is_told_without_its_value(key: str, fault: str) -> None:
    assert api_key_fault(key) == fault


def test_white_space_around_an_api_key_is_dropped_but_nothing_hidden() -> None:
    assert api_key_of(" cs_live_1\r\n\n") == "cs_live_1"
    assert api_key_of("\u00a0cs_live_1") == "\u00a0cs_live_1"


@pytest.mark.parametrize(
    ("domain", "form"),
    [("Müller.de", "xn--mller-kva.de"), ("mu\u0308ller.de", "xn--mller-kva.de"), ("例え。jp", "xn--r8jz45g.jp")],
)
def test_a_domain_has_its_form_for_mail_servers(domain: str, form: str) -> None:
    assert ascii_domain(domain) == form


@pytest.mark.parametrize("address", ["zoë@company.com", "a.b+c_d%e@mail.company.com", "o'hara@company.com"])
def test_usual_addresses_have_no_fault(address: str) -> None:
    assert address_fault(address) == ""


@pytest.mark.parametrize(
    ("value", "sent", "form"),
    [
        ("one\n", "one", "a line end, which is not sent"),
        ("a b", "a b", "spaces"),
        ("a b", "ab", "spaces, which are not sent"),
        ("ab", "ab", "no line end and no spaces"),
        ("a<b>c${d}", "a<b>c${d}", "no line end and no spaces"),
        ("abcdabcdabcdab=", "abcdabcdabcdab=", "no line end and no spaces"),
    ],
)
def test_of_a_password_only_its_blanks_are_told(value: str, sent: str, form: str) -> None:
    assert form_of(value, sent) == form


@pytest.mark.parametrize(
    ("value", "tool"),
    [
        ("ENC[AES256_GCM,data:cm9v,iv:Cg==,tag:Cg==,type:str]", "SOPS"),
        ("<path:secret/data/mail#password>", "placeholder"),
        ("<password>", "placeholder"),
        ("${SMTP_PASSWORD}", "placeholder"),
        ("{{ .Values.password }}", "placeholder"),
        ("YWJjZGFiY2RhYmNkYWJjZA==", "encoded twice"),
        ("c2VjcmV0LXZhbHVlLTE=", "encoded twice"),
    ],
)
def test_what_a_tool_has_left_in_place_of_a_password_is_told_without_the_value(value: str, tool: str) -> None:
    said = form_of(value, value)
    assert tool in said
    assert value not in said
