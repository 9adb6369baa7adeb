"""No spelling of a secret survives in a sentence."""

import base64
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from coldsend_operator.coldsend.masking import Mask

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
