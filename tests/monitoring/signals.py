"""What goes wrong in ColdSend or in the cluster, and by which signals people hear of it."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.e2e.support.tenant import LOGIN, Tenant

INBOXES = ("ann", "bob")
LEADS = "and on (job, instance) coldsend_leader == 1"


@dataclass(frozen=True)
class Signal:
    """A row of the table.

    `condition` is what kubectl shows (type, and status with reason), None where no object says it. `metric` is a query
    with NAMESPACE and WORKSPACE in it that gives `value`; `alert` must be raised for the value of `label`.
    """

    title: str
    make: Callable[[Tenant], object]
    condition: tuple[str, str] | None
    says: str  # in the message of the condition
    metric: str
    value: float
    alert: str
    label: str = "namespace"

    def __str__(self) -> str:
        return self.title


def _all(tenant: Tenant, **values: object) -> None:
    for name in INBOXES:
        tenant.emulator.change(tenant.address(name), **values)


def _condition(kind: str, reason: str) -> str:
    return (
        f'sum(coldsend_account_conditions{{namespace="NAMESPACE", type="{kind}", status="False", reason="{reason}"}} '
        f"{LEADS})"
    )


SIGNALS = (
    Signal(
        "a_domain_burns",
        lambda tenant: _all(tenant, health_score=41.5),
        ("Healthy", "False HealthScoreLow"),
        "low since 20",
        'max(coldsend_domain_health_score{workspace="WORKSPACE", stat="mean"})',
        41.5,
        "ColdSendDomainBurning",
        "workspace",
    ),
    Signal(
        "a_password_is_renewed",
        lambda tenant: tenant.secret(LOGIN, password=f"{tenant.password}-renewed"),
        ("CredentialsCurrent", "False SecretChanged"),
        "credentials-current",
        _condition("CredentialsCurrent", "SecretChanged"),
        2,
        "ColdSendSecretNotApplied",
    ),
    Signal(
        "a_limit_is_changed_in_the_dashboard",
        lambda tenant: _all(tenant, daily_limit=7),
        ("Synced", "False Drifted"),
        "7",
        _condition("Synced", "Drifted"),
        2,
        "ColdSendNotAsGit",
    ),
    Signal(
        "inboxes_are_disabled",
        lambda tenant: _all(tenant, overall_status="DISABLED"),
        ("Ready", "False Disabled"),
        "ColdSend",
        f'sum(coldsend_domain_inboxes{{workspace="WORKSPACE", status="DISABLED"}} {LEADS})',
        2,
        "ColdSendAccountsFailing",
    ),
    Signal(
        "an_inbox_is_made_by_hand",
        lambda tenant: tenant.seed("zoe"),
        None,
        "",
        f'sum(coldsend_inboxes{{workspace="WORKSPACE", managed="false"}} {LEADS})',
        1,
        "ColdSendUnmanagedInboxes",
        "workspace",
    ),
)
