"""Keys, scopes and both rate windows."""

import time

import pytest

from coldsend_emulator.limits import Window
from tests.emulator.client import KEY, EmulatorClient

LIST = "/sender-accounts"


@pytest.mark.parametrize("key", [None, "cs_live_nobody", ""])
def test_a_missing_or_wrong_key_is_401_on_every_path(client: EmulatorClient, key: str | None) -> None:
    with client.with_key(key) as other:
        answers = [other.get(LIST), other.post("/sender-accounts/smtp", json={}), other.get("/nothing")]
    assert [answer.status_code for answer in answers] == [401, 401, 401]
    assert answers[0].json() == {"detail": "Invalid or missing API key"}


def test_a_revoked_key_is_401_until_it_is_given_back(client: EmulatorClient) -> None:
    client.emulator.change_key(KEY, revoked=True)
    assert client.http.get(LIST).status_code == 401
    client.emulator.change_key(KEY, revoked=False)
    assert client.http.get(LIST).status_code == 200


@pytest.mark.parametrize(
    ("scopes", "opened"),
    [
        (["sender_accounts:read"], ["GET"]),
        (["sender_accounts:create"], ["POST"]),
        (["sender_accounts:delete"], ["DELETE"]),
        (["sender_accounts:read", "sender_accounts:delete"], ["GET", "DELETE"]),
        (["sender_accounts:all"], ["GET", "POST", "DELETE"]),
        (["*"], ["GET", "POST", "DELETE"]),
        (["sender_accounts:write"], []),
    ],
)
def test_a_scope_opens_what_it_names(client: EmulatorClient, scopes: list[str], opened: list[str]) -> None:
    inbox_id = client.seed("seed@company.com")[0]
    client.emulator.change_key(KEY, scopes=scopes)
    answers = {"GET": client.get(inbox_id), "POST": client.create(), "DELETE": client.delete(inbox_id)}
    assert [method for method, answer in answers.items() if answer.status_code != 403] == opened


def test_a_missing_scope_is_named(client: EmulatorClient) -> None:
    client.emulator.change_key(KEY, scopes=["sender_accounts:read"])
    assert client.create().json() == {
        "detail": "Insufficient permissions for this operation",
        "error": "insufficient_scopes",
        "required": ["sender_accounts:create"],
        "granted": ["sender_accounts:read"],
    }


def test_every_answer_tells_the_window(client: EmulatorClient) -> None:
    client.emulator.limit(100, 1000)
    with client.with_key("cs_live_nobody") as stranger:
        answers = [client.http.get(LIST), client.create(smtp_port=0), client.http.get("/nothing"), stranger.get(LIST)]
    assert [answer.headers["x-ratelimit-limit"] for answer in answers] == ["100"] * 4
    assert [answer.headers["x-ratelimit-remaining"] for answer in answers] == ["99", "98", "97", "99"]
    assert 0 < int(answers[0].headers["x-ratelimit-reset"]) - time.time() <= 61


def test_the_101st_request_of_a_minute_is_refused(client: EmulatorClient) -> None:
    client.emulator.limit(100, 1000)
    codes = [client.http.get("/domains").status_code for _ in range(101)]
    assert codes == [200] * 100 + [429]


def test_the_hour_is_refused_too(client: EmulatorClient) -> None:
    client.emulator.limit(None, 3)
    codes = [client.http.get("/domains").status_code for _ in range(4)]
    client.emulator.advance(3590)
    late = client.http.get("/domains").status_code
    client.emulator.advance(3601)
    assert [*codes, late, client.http.get("/domains").status_code] == [200, 200, 200, 429, 429, 200]


def test_a_fixed_window_starts_again_where_a_sliding_one_would_not(client: EmulatorClient) -> None:
    client.emulator.switch(window_kind="fixed")
    client.emulator.limit(2, None)
    reset = int(client.http.get(LIST).headers["x-ratelimit-reset"])
    client.emulator.advance(max(reset - time.time(), 0) + 40)
    codes = [client.http.get(LIST).status_code for _ in range(3)]
    client.emulator.advance(20)
    assert [*codes, *(client.http.get(LIST).status_code for _ in range(2))] == [200, 200, 429, 200, 200]


def test_no_limits_means_no_headers(client: EmulatorClient) -> None:
    assert "x-ratelimit-limit" not in client.http.get(LIST).headers


def test_the_log_knows_the_busiest_minute_and_hour(client: EmulatorClient) -> None:
    for _ in range(3):
        client.http.get(LIST)
    client.emulator.advance(120)
    client.http.get(LIST)
    assert client.emulator.request_counts()["peaks"]["workspace default"] == {"minute": 3, "hour": 4}


def test_the_control_side_costs_nothing(client: EmulatorClient) -> None:
    client.emulator.limit(1, 1)
    for _ in range(5):
        client.emulator.inboxes()
    assert client.http.get(LIST).status_code == 200


def test_a_sliding_window_frees_each_request_on_its_own() -> None:
    window = Window(60, 2, fixed=False)
    window.take(100)
    window.take(130)
    assert (window.remaining(159), window.resets_in(159)) == (0, 1)
    assert (window.remaining(160), window.remaining(190)) == (1, 2)


def test_a_fixed_window_frees_all_at_once() -> None:
    window = Window(60, 2, fixed=True)
    window.take(121)
    window.take(179)
    assert (window.remaining(179.5), window.resets_in(170), window.remaining(180.5)) == (0, 10, 2)
