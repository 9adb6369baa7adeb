"""Settings of `run`: environment variables with the prefix COLDSEND_, each also a flag (docs/reference/settings.md)."""

import difflib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from coldsend_operator.proxies import proxies_of
from coldsend_operator.setting_texts import PREFIX, Allowed, Unit, allowed, flag, shown, variable
from coldsend_operator.setting_values import (
    Address,
    DeleteBrake,
    to_address,
    to_api_key,
    to_audit_log,
    to_base_url,
    to_ca_file,
    to_delete_brake,
    to_label_selector,
    to_namespace,
    to_namespaces,
    to_object_name,
)

_NAMESPACE_FILE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
# Kubernetes sets these in every pod for a Service whose name begins with `coldsend-`.
_SERVICE_LINK = re.compile(r".*_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)")


class SettingError(Exception):
    """Invalid settings: one line for each, without secrets."""

    def __init__(self, lines: tuple[str, ...]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


def own_namespace() -> str:
    """The namespace of this pod, `default` outside a cluster."""
    if not os.environ.get("KUBERNETES_SERVICE_HOST"):
        return "default"
    try:
        return _NAMESPACE_FILE.read_text(encoding="ascii").strip() or "default"
    except (OSError, UnicodeDecodeError):
        return "default"


Switch = Annotated[bool, Allowed("`on` or `off`")]
AddressOrOff = Annotated[Address | None, NoDecode, BeforeValidator(to_address), Allowed("`host:port` or `off`")]
Namespaces = Annotated[
    tuple[str, ...], NoDecode, BeforeValidator(to_namespaces), Allowed("names of namespaces, separated by commas")
]
Seconds = Annotated[float, Unit("seconds"), Field(allow_inf_nan=False)]
Requests = Annotated[int, Unit("requests")]


class Settings(BaseSettings):
    """The settings of `run`. Load them with `load_settings`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", frozen=True, hide_input_in_errors=True
    )

    api_url: Annotated[
        str, AfterValidator(to_base_url), Allowed("an `http` or `https` URL without credentials, query or fragment")
    ] = Field("https://api.coldsend.pro/api/public/v1", description="Base URL of the ColdSend API.")
    api_key: Annotated[
        SecretStr | None, BeforeValidator(to_api_key), Allowed("printable ASCII without spaces and quotation marks")
    ] = Field(
        None,
        description="API key of the operator's own workspace. Without it and without `COLDSEND_API_KEY_FILE` only "
        "objects with `apiKeySecretRef` work; the others report it in their conditions. There is no flag for it: "
        "every user of the machine can read the arguments of a process.",
    )
    api_key_file: Annotated[Path | None, Allowed("the path of a file; not together with `COLDSEND_API_KEY`")] = Field(
        None,
        description="File that holds the API key; it is read again when it changes, so a rotation needs no restart.",
    )
    ca_file: Annotated[
        Path | None, AfterValidator(to_ca_file), Allowed("the path of a file with CA certificates in PEM form")
    ] = Field(
        None,
        description="CA certificates by which the operator verifies the ColdSend API, instead of the built-in ones: "
        "for example behind the proxy of a company. As in curl, a CA without a key usage is accepted, which Python's "
        "strict profile refuses. The file is read again when a certificate is not trusted.",
    )
    requests_per_minute: Requests = Field(
        100, ge=1, le=1_000_000, description="What ColdSend grants to each key in a minute."
    )
    requests_per_hour: Requests = Field(
        1000, ge=1, le=60_000_000, description="What ColdSend grants to each key in an hour."
    )
    reserve: Annotated[float, Unit("share")] = Field(
        0.2, ge=0, le=0.9, description="Share of both windows that is left to people and to other clients of the key."
    )
    sweep_seconds: Seconds = Field(
        300,
        ge=1,
        le=86_400,
        description="How old the values of ColdSend in status may become, as far as the request budget allows.",
    )
    poll_seconds: Seconds = Field(2, ge=0.2, le=600, description="Minimum time between two polls of one job.")
    lost_call_seconds: Seconds = Field(
        120,
        ge=1,
        le=3_600,
        description="How long the operator waits before it repeats a create whose response was lost, counted from the "
        "last inbox of that call that appeared. Set it to the longest time that a create may take.",
    )
    counter_seconds: Seconds = Field(
        900,
        ge=0,
        le=86_400,
        description="Minimum time between two writes of a status in which only `emailsSentToday` has changed.",
    )
    secret_check_seconds: Seconds = Field(
        600, ge=1, le=86_400, description="Maximum time between two reads of a Secret."
    )
    adoption_default: Annotated[Literal["Refuse", "Adopt"], Allowed("`Refuse` or `Adopt`")] = Field(
        "Refuse",
        description="What objects without `adoptionPolicy` do when their address exists in ColdSend already. Use "
        "`Adopt` to restore into a new cluster.",
    )
    deletion_default: Annotated[Literal["Delete", "Orphan"], Allowed("`Delete` or `Orphan`")] = Field(
        "Delete",
        description="What happens to the inbox when an object without `deletionPolicy` is deleted. With `Orphan` it "
        "stays in ColdSend.",
    )
    freeze: Switch = Field(
        default=False,
        description="While on, the operator reads ColdSend and updates status, but writes nothing to ColdSend: objects "
        "that need a creation, a deletion or a test mail wait with the reason `Frozen`. Bulk jobs that already run are "
        "followed to their end. Work continues when this is switched off.",
    )
    health_low: Annotated[float, Unit("health score")] = Field(
        70, allow_inf_nan=False, description="Below this score `Healthy` becomes False."
    )
    health_good: Annotated[float, Unit("health score"), Allowed("a number not below `COLDSEND_HEALTH_LOW`")] = Field(
        75, allow_inf_nan=False, description="From this score on `Healthy` becomes True again."
    )
    delete_brake: Annotated[
        DeleteBrake,
        NoDecode,
        BeforeValidator(to_delete_brake),
        Allowed("a whole number, or a percentage from `0%` to `100%`; `100%` switches the brake off"),
    ] = Field(
        DeleteBrake(),
        description="More deletions than this within ten minutes are put on hold (`DeletionHeld`) until the object, "
        'its batch or the namespace has the annotation `coldsend.pro/approve-deletion: "true"`. A percentage refers to '
        "the inboxes managed when the ten minutes began, and never holds ten or fewer.",
    )
    operator_key_namespaces: Namespaces = Field(
        (), description="Namespaces whose objects may use the operator's own key. Empty: all."
    )
    adopt_namespaces: Namespaces = Field(
        (), description="Namespaces whose objects may adopt or observe inboxes with the operator's own key. Empty: all."
    )
    namespaces: Namespaces = Field((), description="Namespaces to watch. Empty: all.")
    label_selector: Annotated[
        str, AfterValidator(to_label_selector), Allowed("a label selector such as `shard=a` or `tier in (a, b)`")
    ] = Field("", description="Only process objects that match: one shard. Empty: all.")
    metrics_address: AddressOrOff = Field(
        Address("", 8080),
        description="Where `/metrics` is served for Prometheus. Without a host: on every interface, IPv4 and IPv6.",
    )
    account_metrics: Switch = Field(
        default=True, description="Whether `coldsend_account_health_score`, one series for each account, is served."
    )
    domain_metrics: Switch = Field(
        default=False,
        description="Whether the metrics `coldsend_domain_...`, several series for each domain of each workspace, are "
        "served; the alert ColdSendDomainBurning needs them.",
    )
    probes_address: AddressOrOff = Field(
        Address("", 8081),
        description="Where `/healthz` (the loops are alive) and `/readyz` (the caches are filled) are served. Without "
        "a host: on every interface, IPv4 and IPv6.",
    )
    leader_election: Switch = Field(
        default=False, description="Whether the replicas elect a leader by a Lease. The chart switches it on."
    )
    lease_name: Annotated[
        str, AfterValidator(to_object_name), Allowed("the name of an object with at most 247 characters")
    ] = Field(
        "coldsend-operator",
        description="Name of the Lease, and with `-state` appended of the ConfigMap that keeps the budget over "
        "restarts. Each shard needs its own.",
    )
    lease_namespace: Annotated[str, AfterValidator(to_namespace), Allowed("the name of a namespace")] = Field(
        default_factory=own_namespace,
        description="Namespace of the Lease, of that ConfigMap and of the Secret `coldsend-operator-hmac`.",
        json_schema_extra={"default": "in a cluster the own namespace, else `default`"},
    )
    audit_log: Annotated[
        str, AfterValidator(to_audit_log), Allowed("`stdout`, `off` or the absolute path of a file")
    ] = Field(
        "stdout",
        description="Where each write to ColdSend is recorded: one JSON line for each inbox before the call is sent "
        "and one when its outcome is known (docs/operations/audit-log.md). No call is sent before its line is written.",
    )
    log_format: Annotated[Literal["console", "json"] | None, Allowed("`console` or `json`")] = Field(
        None,
        description="Lines for people, or one JSON object per line.",
        json_schema_extra={"default": "`console` on a terminal, else `json`"},
    )
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], Allowed("`debug`, `info`, `warning` or `error`")
    ] = Field("info", description="Minimum level of the lines to log.")

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        if self.api_key is not None and self.api_key_file is not None:
            raise ValueError(
                f"{PREFIX}API_KEY_FILE={shown(self.api_key_file)} is not allowed while {PREFIX}API_KEY is set; "
                "set only one of them"
            )
        if self.health_good < self.health_low:
            raise ValueError(
                f"{PREFIX}HEALTH_GOOD={self.health_good:g} is not allowed; give a number not below "
                f"{PREFIX}HEALTH_LOW, which is {self.health_low:g}"
            )
        usual = os.environ.get("SSL_CERT_FILE")  # without a file of its own the client of ColdSend reads this one
        if usual and self.ca_file is None and self.api_url.startswith("https:") and not _holds_certificates(usual):
            raise ValueError(f"SSL_CERT_FILE={shown(usual)} is not a file with CA certificates; correct or unset it")
        return self


def _holds_certificates(file: str) -> bool:
    try:
        to_ca_file(Path(file))
    except ValueError:
        return False
    return True


def load_settings(flags: Mapping[str, str] | None = None, *, without: Iterable[str] = ()) -> Settings:
    """Settings from flags (by field name; empty ones count as unset), else the environment, else the defaults.

    `without`: settings that the environment does not give either.

    Raises:
        SettingError: with one line for each wrong value.
    """
    given = {name: text for name, text in (flags or {}).items() if text}
    try:
        return Settings(**given, **dict.fromkeys(without))  # type: ignore[arg-type] # texts, which validation turns into values
    except ValidationError as error:
        lines = tuple(
            _wrong(str(entry["loc"][0]), entry["input"]) if entry["loc"] else entry["msg"].removeprefix("Value error, ")
            for entry in error.errors(include_url=False)
        )
    raise SettingError(lines)


def notices(settings: Settings, environment: Mapping[str, str]) -> Iterator[str]:
    """Warnings about settings that are valid but likely not intended."""
    for name in sorted(environment):
        field = name.upper().removeprefix(PREFIX).lower()
        if not name.upper().startswith(PREFIX) or field in Settings.model_fields or _SERVICE_LINK.fullmatch(name):
            continue
        likely = difflib.get_close_matches(field, Settings.model_fields, n=1, cutoff=0.5)
        yield f"{name} is not a setting and has no effect" + (
            f"; did you mean {variable(likely[0])}?" if likely else ""
        )
    for name, text in proxies_of(environment).ignored:
        yield f"{name}: {shown(text)} is not valid here and is ignored"
    url = urlsplit(settings.api_url)
    if url.scheme == "http" and url.hostname not in {"localhost", "127.0.0.1", "::1"}:
        yield f"{PREFIX}API_URL={settings.api_url} sends API keys and passwords unencrypted; use https"
    if settings.api_key_file is not None and not settings.api_key_file.is_file():
        yield f"{PREFIX}API_KEY_FILE={shown(settings.api_key_file)} does not exist yet; it is read as soon as it does"
    selects = [variable(name) for name in ("label_selector", "namespaces") if getattr(settings, name)]
    if selects and not {"requests_per_minute", "requests_per_hour"} & settings.model_fields_set:
        yield (
            f"{' and '.join(selects)} set: this operator is a shard; where another one uses the same API key, "
            f"give each its share by {PREFIX}REQUESTS_PER_MINUTE and {PREFIX}REQUESTS_PER_HOUR, and a "
            f"{PREFIX}LEASE_NAME of its own"
        )


def _wrong(name: str, value: object) -> str:
    field = Settings.model_fields[name]
    said = "(not shown)" if name == "api_key" else shown(value)
    spelled = flag(name)
    also = f" (flag {spelled})" if spelled else ""
    return f"{variable(name)}={said} is not allowed; give {allowed(field)}{also}"
