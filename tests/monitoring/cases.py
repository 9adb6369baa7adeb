"""For each alert what Prometheus sees, and whether it fires then: series in the notation of promtool."""

from collections.abc import Iterator
from dataclasses import dataclass, field

TARGET = 'job="coldsend-operator", namespace="coldsend"'
LEADER, STANDBY = (f'{TARGET}, instance="10.0.0.{number}:8080"' for number in (1, 2))
LEADING = {f"coldsend_leader{{{LEADER}}}": "1x200", f"coldsend_leader{{{STANDBY}}}": "0x200"}
OF_TARGET = {"job": "coldsend-operator", "namespace": "coldsend"}
OF_LEADER = {**OF_TARGET, "instance": "10.0.0.1:8080"}


@dataclass(frozen=True)
class Fired:
    """An alert with its labels beside the severity; texts without templates are those of the rule."""

    labels: dict[str, str] = field(default_factory=dict)
    summary: str | None = None
    description: str | None = None


@dataclass(frozen=True)
class Case:
    """A row of the table; samples are `interval` apart."""

    alert: str
    when: str
    series: dict[str, str]
    at: str
    fires: Fired | None = None
    interval: str = "1m"


def _of(metric: str, values: str, labels: str = "", target: str = LEADER) -> dict[str, str]:
    return {f"{metric}{{{', '.join(part for part in (target, labels) if part)}}}": values}


def _both(metric: str, values: str, labels: str) -> dict[str, str]:
    """The leader's series beside a standby that knows nothing, and says so."""
    return _of(metric, values, labels) | _of(metric, "0x200", labels, STANDBY) | LEADING


def _only_standby(metric: str, values: str, labels: str) -> dict[str, str]:
    return _of(metric, "0x200", labels) | _of(metric, values, labels, STANDBY) | LEADING


WORKSPACE = 'workspace="default"'
OF_WORKSPACE = {**OF_LEADER, "workspace": "default"}


def _operator() -> Iterator[Case]:
    down = "ColdSendOperatorDown"
    yield Case(down, "no replica was ever seen", {}, "5m", Fired())
    yield Case(down, "the last replica has gone", _of("coldsend_leader", "1x10 stale"), "20m", Fired())
    yield Case(down, "a replica stands by", _of("coldsend_leader", "0x60", target=STANDBY), "30m")

    none = "ColdSendNoLeader"
    standing_by = _of("coldsend_leader", "0x60") | _of("coldsend_leader", "0x60", target=STANDBY)
    summary = "No replica of coldsend-operator is the leader."
    yield Case(none, "all replicas stand by", standing_by, "3m", Fired(OF_TARGET, summary))
    yield Case(none, "one of two leads", LEADING, "30m")
    changing = _of("coldsend_leader", "1x9 0x50") | _of("coldsend_leader", "0x11 1x50", target=STANDBY)
    yield Case(none, "the lead passes on within three minutes", changing, "12m")

    restarting, start = "ColdSendOperatorRestarting", "process_start_time_seconds"
    info = _of("coldsend_build_info", "1x60", 'version="0.1.0", commit="abc"')
    often = Fired(
        OF_LEADER,
        "10.0.0.1:8080 restarts repeatedly.",
        "A replica of coldsend-operator has restarted 4 times within an hour.",
    )
    yield Case(restarting, "it restarted four times", _of(start, "1x5 2x5 3x5 4x5 5x50") | info, "30m", often)
    yield Case(restarting, "it restarted three times", _of(start, "1x5 2x5 3x5 4x50") | info, "30m")
    yield Case(restarting, "another program restarts", _of(start, "1x5 2x5 3x5 4x5 5x50") | LEADING, "30m")


def _access() -> Iterator[Case]:
    refused = "ColdSendKeyRefused"
    metric = "coldsend_api_key_refused"
    summary = "ColdSend refuses the API key of default."
    yield Case(
        refused, "the leader's key is refused", _both(metric, "1x60", WORKSPACE), "2m", Fired(OF_WORKSPACE, summary)
    )
    yield Case(refused, "the key was refused just once", _both(metric, "1 0x60", WORKSPACE), "2m")
    yield Case(refused, "only a standby remembers it", _only_standby(metric, "1x60", WORKSPACE), "30m")

    scopes = "ColdSendScopesMissing"
    requests = "coldsend_api_requests_total"

    def forbidden(operation: str, values: str) -> dict[str, str]:
        return _of(requests, values, f'{WORKSPACE}, operation="{operation}", code="403"')

    labels = {**OF_TARGET, "workspace": "default", "operation": "create_smtp"}
    summary = "The API key of default may not create_smtp."
    yield Case(scopes, "a probe is answered 403 too", forbidden("create_smtp", "1 2x60"), "10m", Fired(labels, summary))
    yield Case(scopes, "403 was long ago", forbidden("create_smtp", "1 2x200"), "90m")
    yield Case(scopes, "only the domains are refused", forbidden("list_domains", "0+1x60"), "30m")

    implausible = "ColdSendInventoryImplausible"
    metric = "coldsend_inventory_implausible"
    summary = "The inboxes that the API key of default shows are implausible."
    yield Case(
        implausible,
        "the leader finds it implausible",
        _both(metric, "1x60", WORKSPACE),
        "5m",
        Fired(OF_WORKSPACE, summary),
    )
    yield Case(implausible, "a list was incomplete once", _both(metric, "1x3 0x60", WORKSPACE), "6m")
    yield Case(implausible, "only a standby trusts it not", _only_standby(metric, "1x60", WORKSPACE), "30m")

    outdated, metric = "ColdSendCRDOutdated", "coldsend_crd_outdated"
    summary = "A CRD is older than coldsend-operator."
    yield Case(outdated, "the leader's writes lose fields", _both(metric, "1x60", ""), "15m", Fired(OF_TARGET, summary))
    yield Case(outdated, "it was upgraded in time", _both(metric, "1x5 0x60", ""), "20m")

    unmanaged, metric, kind = "ColdSendUnmanagedInboxes", "coldsend_inboxes", f'{WORKSPACE}, managed="false"'
    summary = "4 inboxes of default belong to no object."
    shown = Fired({**OF_WORKSPACE, "managed": "false"}, summary)
    days = _of(metric, "4x120", kind) | _of("coldsend_leader", "1x120")
    yield Case(unmanaged, "somebody made inboxes by hand", days, "25h", shown, "30m")
    yield Case(
        unmanaged, "they were adopted within a day", _of(metric, "4x20 0x60", kind) | LEADING, "26h", interval="30m"
    )

    set_aside, kind = "ColdSendObjectsSetAside", 'kind="SenderAccount"'
    metric = "coldsend_objects_set_aside"
    summary = "The operator fails to process 1 objects of kind SenderAccount."
    yield Case(
        set_aside,
        "one is set aside",
        _both(metric, "1x60", kind),
        "15m",
        Fired({**OF_LEADER, "kind": "SenderAccount"}, summary),
    )
    yield Case(set_aside, "it passed by itself", _both(metric, "1x5 0x60", kind), "20m")

    silent, metric = "ColdSendWatchSilent", "coldsend_watch_silence_seconds"
    fired = Fired({**OF_LEADER, "kind": "SenderAccount"}, "The watch of SenderAccount is silent.")
    yield Case(silent, "nothing comes", _of(metric, "0+60x60", kind), "12m", fired)
    yield Case(silent, "a bookmark comes each minute", _of(metric, "60x60", kind), "30m")
    again = _of("coldsend_watches_silent_total", "0+1x60", kind)
    yield Case(silent, "it is opened again each minute", again, "30m", fired)


def _requests() -> Iterator[Case]:
    spent = "ColdSendBudgetSpent"
    fired = Fired({**OF_WORKSPACE, "window": "hour"}, "The hourly requests of default are spent, and work waits.")
    yield Case(spent, "work waits for the hour", _budget("hour", "10x60", "5x60"), "30m", fired)
    yield Case(spent, "nothing waits", _budget("hour", "10x60", "0x60"), "45m")
    yield Case(spent, "only the minute is spent", _budget("minute", "0x60", "5x60"), "45m")
    yield Case(spent, "the hour has room", _budget("hour", "100x60", "5x60"), "45m")
    yield Case(spent, "a flood passes in 20 minutes", _budget("hour", "10x20 400x60", "5x60"), "45m")

    small, summary = "ColdSendBudgetTooSmall", "The requests of default are too few for its inboxes."
    fired = Fired(OF_WORKSPACE, summary)
    yield Case(small, "looks come too rarely", _periods("300x90", "1500x90") | LEADING, "15m", fired)
    yield Case(small, "looks come as rarely as people want", _periods("3600x90", "3600x90") | LEADING, "45m")
    yield Case(
        small, "a creation waits for an hour", _budget("hour", "10x90", "5x90") | _oldest("3601+60x90"), "15m", fired
    )
    yield Case(
        small, "it waits for what is not the budget", _budget("hour", "400x90", "5x90") | _oldest("3601+60x90"), "45m"
    )
    yield Case(small, "a flood is done within the hour", _budget("hour", "10x90", "5x90") | _oldest("0+60x50"), "45m")
    yield Case(small, "only a standby remembers", _periods("300x90", "1500x90", STANDBY) | LEADING, "45m")

    limited = "ColdSendRateLimited"
    labels = {**OF_TARGET, "workspace": "default"}
    summary = "ColdSend refuses requests of default as too many."
    yield Case(limited, "429 comes again and again", _answers("429", "0+1x60"), "10m", Fired(labels, summary))
    yield Case(limited, "429 came once", _answers("429", "0 1x60"), "10m")

    errors = "ColdSendApiErrors"
    good = _answers("200", "0+10x60")
    half = Fired(labels, "50% of the calls of default fail.")
    yield Case(errors, "half of the calls end with 503", good | _answers("503", "0+10x60"), "30m", half)
    yield Case(errors, "half of the calls get no answer", good | _answers("none", "0+10x60"), "30m", half)
    yield Case(errors, "one of ten fails", good | _answers("503", "0+1x60"), "30m")
    yield Case(errors, "what users got wrong is refused", good | _answers("422", "0+10x60"), "30m")

    yield from _jobs()
    stale, metric = "ColdSendSweepStale", "coldsend_sweep_age_seconds"
    old = Fired(OF_WORKSPACE, "The inboxes of default were last seen 2h 10m 1s ago.")
    yield Case(stale, "nobody looks any more", _both(metric, "7201+60x60", WORKSPACE), "10m", old)
    yield Case(stale, "each look comes after an hour", _both(metric, "0+60x60 0+60x60", WORKSPACE), "2h")
    yield Case(stale, "only a standby shows an old one", _only_standby(metric, "9000x60", WORKSPACE), "30m")

    held, metric = "ColdSendDeletionsHeld", "coldsend_deletions_held"
    waiting = Fired(OF_WORKSPACE, "12 deletions of inboxes of default wait for approval.")
    yield Case(held, "twelve wait", _both(metric, "12x60", WORKSPACE), "1m", waiting)
    yield Case(held, "they were approved", _both(metric, "12x3 0x60", WORKSPACE), "5m")
    yield Case(held, "only a standby remembers them", _only_standby(metric, "12x60", WORKSPACE), "30m")

    frozen, metric = "ColdSendFrozen", "coldsend_frozen"
    yield Case(frozen, "it is on for a day", _both(metric, "1x1500", "") | _leading(1500), "24h1m", Fired(OF_LEADER))
    yield Case(frozen, "it was switched off in time", _both(metric, "1x1000 0x500", "") | _leading(1500), "24h1m")


def _leading(minutes: int) -> dict[str, str]:
    return {series: f"{values[0]}x{minutes}" for series, values in LEADING.items()}


def _jobs() -> Iterator[Case]:
    stuck = "ColdSendJobStuck"
    for state in ("Failed", "Lost"):
        labels = {**OF_TARGET, "operation": "Create", "state": state}
        summary = f"Bulk jobs of ColdSend do not finish (Create, {state})."
        series = _of("coldsend_jobs_finished_total", "0x5 1x60", f'operation="Create", state="{state}"')
        yield Case(stuck, f"a job ends as {state}", series, "10m", Fired(labels, summary))
    done = _of("coldsend_jobs_finished_total", "0+1x60", 'operation="Create", state="Completed"')
    yield Case(stuck, "all jobs are completed", done, "30m")


def _accounts() -> Iterator[Case]:
    failing = "ColdSendAccountsFailing"
    labels = {"namespace": "sales", "state": "ConnectionFailed"}
    fired = Fired(labels, "3 accounts in sales are not Ready (ConnectionFailed).")
    bad = _state("ConnectionFailed", "GOOGLE_WORKSPACE", "2x90") | _state("ConnectionFailed", "OUTLOOK_365", "1x90")
    yield Case(failing, "three accounts cannot connect for an hour", bad, "1h", fired)
    yield Case(failing, "they could not connect for half an hour", bad, "30m")
    fired = Fired({"namespace": "sales", "state": "Unauthorized"}, "4 accounts in sales are not Ready (Unauthorized).")
    yield Case(failing, "the namespace may not use any key", _state("Unauthorized", "COLDSEND", "4x90"), "1h", fired)
    fine = _state("Active", "COLDSEND", "9x90") | _state("Provisioning", "COLDSEND", "1x90")
    yield Case(failing, "accounts are made", fine, "80m")

    changed = "ColdSendSecretNotApplied"
    fired = Fired({"namespace": "sales"}, "2 accounts in sales use another password than their Secret holds.")
    unapplied = _condition("CredentialsCurrent", "SecretChanged", "2x90")
    yield Case(changed, "a password was renewed an hour ago", unapplied, "1h", fired)
    yield Case(changed, "it was renewed half an hour ago", unapplied, "30m")
    yield Case(changed, "the Secret is not there", _condition("CredentialsCurrent", "SecretNotFound", "2x90"), "80m")

    other = "ColdSendNotAsGit"
    labels = {"namespace": "sales", "reason": "Drifted"}
    fired = Fired(labels, "3 accounts in sales do not match their manifests (Drifted).")
    yield Case(other, "values differ for a day", _condition("Synced", "Drifted", "3x60"), "25h", fired, "30m")
    yield Case(other, "values differ for an hour", _condition("Synced", "Drifted", "0x20 3x40"), "12h", interval="30m")
    yield Case(other, "work waits", _condition("Synced", "RateLimited", "3x60"), "25h", interval="30m")

    low = "ColdSendHealthLow"
    fired = Fired({"namespace": "sales"}, "50% of the inboxes in sales have a health score below 70.")
    yield Case(low, "half of the inboxes are ill", _health(*["60x90"] * 2, *["95x90"] * 2), "1h", fired)
    yield Case(low, "one of eleven is ill", _health("10x90", *["95x90"] * 10), "80m")
    yield Case(low, "all are well", _health("70x90", "95x90"), "80m")

    burning, metric = "ColdSendDomainBurning", "coldsend_domain_health_score"
    mean = f'{WORKSPACE}, domain="mail.example.com", stat="mean"'
    labels = {**OF_TARGET, "workspace": "default", "domain": "mail.example.com"}
    fired = Fired(
        labels,
        "The mean health score of mail.example.com is 61.5.",
        "The inboxes of this domain of default have been below 70 on average for an hour. What they send may end as "
        "spam, and the reputation of a domain is hard to repair.",
    )
    yield Case(burning, "the mean is low for an hour", _of(metric, "61.5x90", mean) | LEADING, "1h", fired)
    yield Case(burning, "it was low for half an hour", _of(metric, "61.5x30 71x60", mean) | LEADING, "80m")
    lowest = mean.replace("mean", "min")
    yield Case(burning, "one inbox alone is ill", _of(metric, "10x90", lowest) | LEADING, "80m")
    yield Case(burning, "only a standby remembers it", _of(metric, "61.5x90", mean, STANDBY) | LEADING, "80m")

    falling = "ColdSendHealthFalling"
    day, later = "15m", "1d2h"
    fired = Fired(
        {"namespace": "sales"},
        "The health of the inboxes in sales is falling.",
        "Health scores are on average -10.0 against a day ago.",
    )
    yield Case(falling, "all lose ten points in a day", _health("90x96 80x20", "95x96 85x20"), later, fired, day)
    yield Case(falling, "one of three loses ten", _health("90x96 80x20", "95x120", "95x120"), later, interval=day)
    yield Case(falling, "a new inbox begins low", _health("90x120", "_x97 10x20"), later, interval=day)


def _budget(window: str, left: str, waiting: str) -> dict[str, str]:
    labels = f'{WORKSPACE}, window="{window}"'
    return {
        **_of("coldsend_api_budget_remaining", left, labels),
        **_of("coldsend_api_budget_limit", "800x100", labels),
        **_of("coldsend_queue_length", waiting, f'{WORKSPACE}, lane="create"'),
        **LEADING,
    }


def _periods(wanted: str, allowed: str, target: str = LEADER) -> dict[str, str]:
    each = {"wanted": wanted, "allowed": allowed}
    metric = "coldsend_sweep_period_seconds"
    return {
        series: values
        for period, value in each.items()
        for series, values in _of(metric, value, f'{WORKSPACE}, period="{period}"', target).items()
    }


def _oldest(values: str) -> dict[str, str]:
    return _of("coldsend_queue_oldest_seconds", values, f'{WORKSPACE}, lane="create"')


def _answers(code: str, values: str) -> dict[str, str]:
    return _of("coldsend_api_requests_total", values, f'{WORKSPACE}, operation="list_accounts", code="{code}"')


def _state(state: str, inbox_type: str, values: str) -> dict[str, str]:
    """Both replicas know of the objects; they count once. `namespace` is that of the accounts."""
    labels = f'namespace="sales", inbox_type="{inbox_type}", state="{state}"'
    job = 'job="coldsend-operator"'
    return {
        **_of("coldsend_accounts", values, labels, f'{job}, instance="10.0.0.1:8080"'),
        **_of("coldsend_accounts", values, labels, f'{job}, instance="10.0.0.2:8080"'),
        **LEADING,
    }


def _condition(kind: str, reason: str, values: str) -> dict[str, str]:
    """Both replicas know of the objects; they count once."""
    labels = f'namespace="sales", type="{kind}", status="False", reason="{reason}"'
    job = 'job="coldsend-operator"'
    return {
        **_of("coldsend_account_conditions", values, labels, f'{job}, instance="10.0.0.1:8080"'),
        **_of("coldsend_account_conditions", values, labels, f'{job}, instance="10.0.0.2:8080"'),
        **LEADING,
    }


def _health(*scores: str) -> dict[str, str]:
    job = 'job="coldsend-operator", instance="10.0.0.1:8080"'
    return {
        series: values
        for number, score in enumerate(scores)
        for series, values in _of(
            "coldsend_account_health_score", score, f'namespace="sales", name="inbox-{number}"', job
        ).items()
    }


CASES = (*_operator(), *_access(), *_requests(), *_accounts())
