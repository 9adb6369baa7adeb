"""Settings of `run`: defaults, what they accept, and the one line about what they do not."""

import os
from pathlib import Path

import pytest
from pydantic import SecretStr

from coldsend_operator.setting_texts import shown, variable
from coldsend_operator.setting_values import Address, DeleteBrake, to_delete_brake
from coldsend_operator.settings import SettingError, Settings, load_settings, notices
from tests.support.tls import CA

KEY = "cs_live_0123456789abcdef"


@pytest.fixture(autouse=True)
def _no_settings_around(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [*os.environ]:
        if name.startswith(("COLDSEND_", "KUBERNETES_")):
            monkeypatch.delenv(name)


def lines_of(**environment: str) -> tuple[str, ...]:
    """What is said about settings that are refused."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        with pytest.raises(SettingError) as refused:
            load_settings()
    return refused.value.lines


@pytest.mark.parametrize(
    ("name", "default"),
    [
        ("api_url", "https://api.coldsend.pro/api/public/v1"),
        ("api_key", None),
        ("api_key_file", None),
        ("requests_per_minute", 100),
        ("requests_per_hour", 1000),
        ("reserve", 0.2),
        ("sweep_seconds", 300),
        ("poll_seconds", 2),
        ("lost_call_seconds", 120),
        ("counter_seconds", 900),
        ("adoption_default", "Refuse"),
        ("deletion_default", "Delete"),
        ("freeze", False),
        ("health_low", 70),
        ("health_good", 75),
        ("operator_key_namespaces", ()),
        ("adopt_namespaces", ()),
        ("secret_check_seconds", 600),
        ("delete_brake", DeleteBrake(percent=50)),
        ("namespaces", ()),
        ("label_selector", ""),
        ("metrics_address", Address("", 8080)),
        ("account_metrics", True),
        ("domain_metrics", False),
        ("probes_address", Address("", 8081)),
        ("leader_election", False),
        ("lease_name", "coldsend-operator"),
        ("lease_namespace", "default"),
        ("audit_log", "stdout"),
        ("log_format", None),
        ("log_level", "info"),
    ],
)
def test_the_default_is_the_one_of_the_interface(name: str, default: object) -> None:
    assert getattr(load_settings(), name) == default


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("COLDSEND_API_URL", "http://127.0.0.1:8580/api/public/v1/", "http://127.0.0.1:8580/api/public/v1"),
        ("COLDSEND_API_KEY", f" {KEY}\n", SecretStr(KEY)),
        ("COLDSEND_API_KEY_FILE", "/etc/coldsend/apiKey", Path("/etc/coldsend/apiKey")),
        ("COLDSEND_REQUESTS_PER_MINUTE", "1000000", 1_000_000),
        ("COLDSEND_REQUESTS_PER_HOUR", "60000000", 60_000_000),
        ("COLDSEND_AUDIT_LOG", "/var/log/coldsend/audit.log", "/var/log/coldsend/audit.log"),
        ("COLDSEND_AUDIT_LOG", "Off", "off"),
        ("COLDSEND_RESERVE", "0", 0.0),
        ("COLDSEND_RESERVE", "0.9", 0.9),
        ("COLDSEND_SWEEP_SECONDS", "1", 1.0),
        ("COLDSEND_POLL_SECONDS", "0.2", 0.2),
        ("COLDSEND_SECRET_CHECK_SECONDS", "1", 1.0),
        ("COLDSEND_LOST_CALL_SECONDS", "1.5", 1.5),
        ("COLDSEND_COUNTER_SECONDS", "0", 0.0),
        ("COLDSEND_ADOPTION_DEFAULT", "Adopt", "Adopt"),
        ("COLDSEND_DELETION_DEFAULT", "Orphan", "Orphan"),
        ("COLDSEND_FREEZE", "on", True),
        ("COLDSEND_HEALTH_LOW", "-1", -1.0),
        ("COLDSEND_DELETE_BRAKE", "25", DeleteBrake(number=25)),
        ("COLDSEND_DELETE_BRAKE", "0", DeleteBrake(number=0)),
        ("COLDSEND_DELETE_BRAKE", "12.5%", DeleteBrake(percent=12.5)),
        ("COLDSEND_NAMESPACES", "sales, support,,sales", ("sales", "support")),
        ("COLDSEND_NAMESPACES", "", ()),
        ("COLDSEND_LABEL_SELECTOR", "shard=a", "shard=a"),
        ("COLDSEND_LABEL_SELECTOR", "a in (b, c),!d,x.y/e!=f,g", "a in (b, c),!d,x.y/e!=f,g"),
        ("COLDSEND_METRICS_ADDRESS", "off", None),
        ("COLDSEND_METRICS_ADDRESS", ":9090", Address("", 9090)),
        ("COLDSEND_PROBES_ADDRESS", "[::1]:0", Address("::1", 0)),
        ("COLDSEND_LEADER_ELECTION", "on", True),
        ("COLDSEND_ACCOUNT_METRICS", "off", False),
        ("COLDSEND_LEASE_NAME", "shard-a.coldsend", "shard-a.coldsend"),
        ("COLDSEND_LEASE_NAMESPACE", "ops", "ops"),
        ("COLDSEND_LOG_FORMAT", "json", "json"),
        ("COLDSEND_LOG_LEVEL", "debug", "debug"),
    ],
)
def test_a_variable_is_read(name: str, text: str, value: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, text)
    assert getattr(load_settings(), name.removeprefix("COLDSEND_").lower()) == value


@pytest.mark.parametrize(
    ("name", "text", "allowed"),
    [
        ("COLDSEND_API_URL", "api.coldsend.pro", "an `http` or `https` URL"),
        ("COLDSEND_API_URL", "ftp://api.coldsend.pro", "an `http` or `https` URL"),
        ("COLDSEND_API_URL", "https://api.coldsend.pro/v1?key=1", "without credentials, query or fragment"),
        ("COLDSEND_API_URL", "https://api.coldsend.pro:99999/", "an `http` or `https` URL"),
        ("COLDSEND_API_URL", "https://a b/", "an `http` or `https` URL"),
        ("COLDSEND_REQUESTS_PER_MINUTE", "0", "a whole number from 1 to 1000000"),
        ("COLDSEND_REQUESTS_PER_MINUTE", "1.5", "a whole number from 1 to 1000000"),
        ("COLDSEND_REQUESTS_PER_HOUR", "many", "a whole number from 1 to 60000000"),
        ("COLDSEND_RESERVE", "0.95", "a number from 0 to 0.9"),
        ("COLDSEND_RESERVE", "20%", "a number from 0 to 0.9"),
        ("COLDSEND_SWEEP_SECONDS", "0.5", "a number from 1 to 86400"),
        ("COLDSEND_SWEEP_SECONDS", "5m", "a number from 1 to 86400"),
        ("COLDSEND_POLL_SECONDS", "0.1", "a number from 0.2 to 600"),
        ("COLDSEND_POLL_SECONDS", "nan", "a number from 0.2 to 600"),
        ("COLDSEND_SECRET_CHECK_SECONDS", "0", "a number from 1 to 86400"),
        ("COLDSEND_LOST_CALL_SECONDS", "0", "a number from 1 to 3600"),
        ("COLDSEND_COUNTER_SECONDS", "-1", "a number from 0 to 86400"),
        ("COLDSEND_ADOPTION_DEFAULT", "adopt", "`Refuse` or `Adopt`"),
        ("COLDSEND_DELETION_DEFAULT", "Keep", "`Delete` or `Orphan`"),
        ("COLDSEND_FREEZE", "maybe", "`on` or `off`"),
        ("COLDSEND_HEALTH_LOW", "inf", "a number"),
        ("COLDSEND_HEALTH_GOOD", "60", "a number not below COLDSEND_HEALTH_LOW, which is 70"),
        ("COLDSEND_DELETE_BRAKE", "200%", "a percentage from `0%` to `100%`"),
        ("COLDSEND_DELETE_BRAKE", "-5", "a whole number, or a percentage"),
        ("COLDSEND_DELETE_BRAKE", "half", "a whole number, or a percentage"),
        ("COLDSEND_NAMESPACES", "Sales", "names of namespaces, separated by commas"),
        ("COLDSEND_ADOPT_NAMESPACES", "a b", "names of namespaces, separated by commas"),
        ("COLDSEND_OPERATOR_KEY_NAMESPACES", "*", "names of namespaces, separated by commas"),
        ("COLDSEND_LABEL_SELECTOR", "a=b=c", "a label selector"),
        ("COLDSEND_LABEL_SELECTOR", "a in (b", "a label selector"),
        ("COLDSEND_LABEL_SELECTOR", "a,,b", "a label selector"),
        ("COLDSEND_METRICS_ADDRESS", "8080", "`host:port` or `off`"),
        ("COLDSEND_METRICS_ADDRESS", "localhost:http", "`host:port` or `off`"),
        ("COLDSEND_PROBES_ADDRESS", "::1:8081", "`host:port` or `off`"),
        ("COLDSEND_PROBES_ADDRESS", "localhost:65536", "`host:port` or `off`"),
        ("COLDSEND_LEADER_ELECTION", "maybe", "`on` or `off`"),
        ("COLDSEND_LEASE_NAME", "Operator", "the name of an object"),
        ("COLDSEND_LEASE_NAME", "x" * 248, "at most 247 characters"),
        ("COLDSEND_LEASE_NAMESPACE", "a.b", "the name of a namespace"),
        ("COLDSEND_AUDIT_LOG", "audit.log", "`stdout`, `off` or the absolute path of a file"),
        ("COLDSEND_LOG_FORMAT", "xml", "`console` or `json`"),
        ("COLDSEND_LOG_LEVEL", "trace", "`debug`, `info`, `warning` or `error`"),
    ],
)
def test_a_wrong_value_costs_one_line_that_names_variable_value_and_what_is_allowed(
    name: str, text: str, allowed: str
) -> None:
    (line,) = lines_of(**{name: text})
    assert line.startswith(f"{name}={text[:80]}")
    assert allowed in line
    assert "\n" not in line


def test_every_wrong_value_has_its_line() -> None:
    lines = lines_of(COLDSEND_RESERVE="x", COLDSEND_LOG_LEVEL="loud")
    assert [line.split("=")[0] for line in lines] == ["COLDSEND_RESERVE", "COLDSEND_LOG_LEVEL"]


@pytest.mark.parametrize("value", [f"{KEY} and more", f'"{KEY}"', f"<{KEY}>"])
def test_a_wrong_api_key_is_never_shown(value: str) -> None:
    (line,) = lines_of(COLDSEND_API_KEY=value)
    assert line.startswith("COLDSEND_API_KEY=(not shown) is not allowed; give printable ASCII")
    assert KEY not in line


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("COLDSEND_LOG_LEVEL", KEY),
        ("COLDSEND_API_URL", f"https://user:hunter2@api.coldsend.pro/{KEY}"),
    ],
)
def test_a_key_or_a_password_in_the_wrong_variable_is_not_shown(name: str, text: str) -> None:
    (line,) = lines_of(**{name: text})
    assert KEY not in line
    assert "hunter2" not in line


def test_a_value_with_line_ends_stays_on_one_line() -> None:
    (line,) = lines_of(COLDSEND_LOG_LEVEL="info\nspoofed: yes\x1b[31m")
    assert line.isprintable()


def test_the_key_and_its_file_together_are_refused() -> None:
    (line,) = lines_of(COLDSEND_API_KEY=KEY, COLDSEND_API_KEY_FILE="/key")
    assert line == "COLDSEND_API_KEY_FILE=/key is not allowed while COLDSEND_API_KEY is set; set only one of them"


def test_the_settings_and_their_errors_hold_no_key_as_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLDSEND_API_KEY", KEY)
    assert KEY not in repr(load_settings())
    monkeypatch.setenv("COLDSEND_API_KEY_FILE", "/key")
    with pytest.raises(SettingError) as refused:
        load_settings()
    assert refused.value.__context__ is None
    assert KEY not in str(refused.value)


def test_a_flag_wins_over_the_variable_and_an_empty_one_counts_as_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLDSEND_SWEEP_SECONDS", "20")
    assert load_settings({"sweep_seconds": "10"}).sweep_seconds == 10
    assert load_settings({"sweep_seconds": ""}).sweep_seconds == 20


def test_an_unknown_variable_is_named_with_the_one_it_resembles() -> None:
    said = list(notices(load_settings(), {"COLDSEND_SWEEP": KEY, "COLDSEND_X": "1", "PATH": "/bin"}))
    assert said == [
        "COLDSEND_SWEEP is not a setting and has no effect; did you mean COLDSEND_SWEEP_SECONDS?",
        "COLDSEND_X is not a setting and has no effect",
    ]


def test_variables_that_kubernetes_makes_of_a_service_are_not_taken_for_settings() -> None:
    links = [
        "COLDSEND_OPERATOR_SERVICE_HOST",
        "COLDSEND_OPERATOR_SERVICE_PORT_METRICS",
        "COLDSEND_OPERATOR_PORT",
        "COLDSEND_OPERATOR_PORT_8080_TCP_ADDR",
    ]
    assert not list(notices(load_settings(), dict.fromkeys(links, "10.0.0.1")))


def test_a_plain_http_url_to_another_machine_is_remarked_on() -> None:
    (said,) = notices(load_settings({"api_url": "http://coldsend.example"}), {})
    assert "unencrypted" in said
    assert not list(notices(load_settings({"api_url": "http://127.0.0.1:8580"}), {}))


def test_a_key_file_that_is_not_there_yet_is_remarked_on(tmp_path: Path) -> None:
    (said,) = notices(load_settings({"api_key_file": str(tmp_path / "key")}), {})
    assert "does not exist yet" in said
    (tmp_path / "key").write_text(KEY)
    assert not list(notices(load_settings({"api_key_file": str(tmp_path / "key")}), {}))


def test_a_shard_is_told_that_shards_of_one_key_share_its_limits() -> None:
    (said,) = notices(load_settings({"label_selector": "shard=a"}), {})
    assert said.startswith("COLDSEND_LABEL_SELECTOR set: ")
    assert "COLDSEND_REQUESTS_PER_MINUTE and COLDSEND_REQUESTS_PER_HOUR" in said
    shared = {"label_selector": "shard=a", "namespaces": "sales", "requests_per_minute": "50"}
    assert not list(notices(load_settings(shared), {}))


def test_every_setting_says_what_it_means() -> None:
    assert [variable(name) for name, field in Settings.model_fields.items() if not field.description] == []


@pytest.mark.parametrize("text", ["100%", "12.5%", "7", "0"])
def test_the_brake_is_shown_as_it_is_set(text: str) -> None:
    assert str(to_delete_brake(text)) == text


def test_certificates_of_the_environment_that_cannot_be_read_are_refused_before_anything_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing, empty = tmp_path / "missing.pem", tmp_path / "empty.pem"
    empty.touch()
    for file in (missing, empty):
        said = f"SSL_CERT_FILE={shown(file)} is not a file with CA certificates; correct or unset it"
        assert lines_of(SSL_CERT_FILE=str(file)) == (said,)
    monkeypatch.setenv("SSL_CERT_FILE", str(missing))
    load_settings({"api_url": "http://localhost:8080"})
    load_settings({"ca_file": str(CA)})
