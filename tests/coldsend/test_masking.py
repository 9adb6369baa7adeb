"""No spelling of a secret survives in a message."""

import base64
import html
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from coldsend_operator.coldsend.masking import MAX_TEXT, Mask, Member
from coldsend_operator.spellings import spellings

AWKWARD = 'pa"ss\\wörd &+/%=\tÄΣ'

SPELLINGS = {
    "as it is": AWKWARD,
    "upper case": AWKWARD.upper(),
    "in JSON": json.dumps(AWKWARD)[1:-1],
    "in JSON, other letters kept": json.dumps(AWKWARD, ensure_ascii=False)[1:-1],
    "in Python": repr(AWKWARD)[1:-1],
    "in a URL": quote(AWKWARD, safe=""),
    "in a path": quote(AWKWARD),
    "in a query": quote_plus(AWKWARD),
    "in a URL, lower case": quote(AWKWARD, safe="").lower(),
    "in HTML": html.escape(AWKWARD),
    "in HTML, quotation marks kept": html.escape(AWKWARD, quote=False),
    "in base64": base64.b64encode(AWKWARD.encode()).decode(),
    "in base64 for URLs": base64.urlsafe_b64encode(AWKWARD.encode()).decode(),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_secret_is_masked_in_every_spelling(spelling: str) -> None:
    masked = Mask([SecretStr(AWKWARD)]).sentence(f"<{SPELLINGS[spelling]}>")
    assert masked.startswith("<***")
    assert masked.endswith(">")
    assert set(masked[4:-1]) <= {"="}


@pytest.mark.parametrize("username", ["", "j", "jo", "jane@company.com"])
def test_the_password_inside_an_smtp_login_is_masked(username: str) -> None:
    login = base64.b64encode(f"\0{username}\0correct horse".encode()).decode()
    masked = Mask([SecretStr("correct horse")]).sentence(f"AUTH PLAIN {login}")
    for part in (login[start : start + 12] for start in range(len(login) - 12)):
        if b"correct" in base64.b64decode(part, validate=False):
            assert part not in masked
    assert "***" in masked


@pytest.mark.parametrize("username", ["", "j", "jo", "joe"])
def test_a_password_within_a_longer_text_in_base64_is_known_by_the_part_that_is_the_same_in_each(username: str) -> None:
    basic = base64.b64encode(f"{username}:correct horse battery".encode()).decode()
    longest = max((form for form in spellings("correct horse battery") if form in basic), key=len, default="")
    assert len(longest) >= len("correct horse battery") * 4 // 3 - 3


def test_of_a_short_password_no_few_letters_of_base64_are_masked() -> None:
    forms = spellings("cat")
    assert {"cat", "Y2F0"} <= forms
    assert all(form.lower() == "cat" or len(form) >= 4 for form in forms)


def test_percent_signs_of_urls_are_known_in_both_cases() -> None:
    assert {"%C3%84%20x", "%c3%84%20x"} <= spellings("Ä x")


CASES: list[tuple[list[str], str, str]] = [
    (["hunter"], "hunter hunter", "*** ***"),
    (["hunt", "hunter"], "hunter", "***"),
    (["a\nb"], "before a\nb after", "before *** after"),
    (["a\nb"], "before a b after", "before *** after"),
    ([" padded "], "is padded!", "is ***!"),
    ([""], "nothing", "nothing"),
    (["x"], "axb", "a***b"),
    ([".*"], "a.*b", "a***b"),
    ([], "key cs_live_AbC-123_x.", "key ***."),
    ([], "key CS_LIVE_abc", "key ***"),
    (["secret" * 50], "is " + "secret" * 50, "is ***"),
    (["end"], "x" * 198 + " end", "x" * 198 + " …"),
]


@pytest.mark.parametrize(("secrets", "text", "masked"), CASES)
def test_masked_sentences(secrets: list[str], text: str, masked: str) -> None:
    assert Mask(map(SecretStr, secrets)).sentence(text) == masked


@given(st.text(min_size=1, max_size=40), st.text(max_size=60), st.text(max_size=60))
def test_no_secret_is_left_in_any_text(secret: str, before: str, after: str) -> None:
    masked = Mask([SecretStr(secret)]).sentence(before + secret + after)
    assert secret not in masked.replace("***", "") or secret in before + after + "…"
    assert len(masked) <= 200
    assert masked.isprintable()


def test_a_secret_at_the_cut_leaves_no_part_of_itself() -> None:
    masked = Mask([SecretStr("correct-horse-battery")]).sentence("x" * 190 + "correct-horse-battery" * 3)
    assert "corr" not in masked


@pytest.mark.parametrize("end", ["", "…", "... failed", "'"])
@pytest.mark.parametrize("length", [6, 12, 20])
def test_a_quote_that_was_cut_short_is_masked(length: int, end: str) -> None:
    said = "login with correct-horse-battery"[: len("login with ") + length] + end
    masked = Mask([SecretStr("correct-horse-battery")]).sentence(said)
    assert masked == f"login with ***{end}"


def two_tenants(password: str) -> Mask:
    """The first member is about to read what is said of it, the second has this password."""
    first = Member("ann@company.com", (SecretStr("own-secret-1"),), ("ann-login-2026", "Ann"))
    return Mask([SecretStr("cs_test_key")], [first, Member("bob@company.com", (SecretStr(password),))])


@pytest.mark.parametrize("password", ["e", "login", "password", "connection", "login failed"])
def test_a_common_password_of_another_garbles_no_message(password: str) -> None:
    said = "connection refused: login failed, check the password"
    assert two_tenants(password).sentence(said, 0) == said


@pytest.mark.parametrize("guess", ["ann-login-2026", "login-2026", "ann@company.com", "ANN-LOGIN-2026"])
def test_stars_do_not_tell_that_a_user_name_is_the_password_of_another(guess: str) -> None:
    said = "login failed for ann-login-2026, mailbox ann@company.com"
    assert two_tenants(guess).sentence(said, 0) == said


@pytest.mark.parametrize("password", ["hunter2-hunter2", "abcdefghijklmnop", "x7$kw!zz"])
def test_a_password_of_another_shows_nowhere_if_no_words_look_like_it(password: str) -> None:
    assert two_tenants(password).sentence(f"login with {password} failed", 0) == "login with *** failed"


@pytest.mark.parametrize("member", [0, None])
def test_its_own_password_and_the_api_key_show_to_nobody(member: int | None) -> None:
    assert two_tenants("e").sentence("own-secret-1 or cs_test_key", member) == "*** or ***"


def test_what_is_said_of_a_whole_call_shows_no_password_and_stays_readable() -> None:
    assert two_tenants("e").sentence("the key e is refused") == "the key *** is refused"


def test_a_member_is_known_by_its_address() -> None:
    mask = two_tenants("two")
    assert [mask.member_at(address) for address in (" Bob@company.com", "carl@company.com", None)] == [1, None, None]


def test_no_more_text_of_one_answer_is_searched_than_a_bulk_may_say() -> None:
    members = [Member(f"{at}@company.com", (SecretStr(f"password-{at}"),)) for at in range(100)]
    mask = Mask([], members)
    rows = 3 * MAX_TEXT // 10_000
    said = [mask.sentence("x" * 10_000, at) for at in range(rows)]
    assert [text for text in said if not text.startswith("xxx")] == ["(a text of 10000 characters)"] * (rows * 2 // 3)
