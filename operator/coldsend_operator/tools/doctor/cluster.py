"""The checks of the cluster, with the user's own permissions."""

import asyncio
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from coldsend_operator import __version__
from coldsend_operator.core.model.times import unix_of
from coldsend_operator.kube import paths
from coldsend_operator.kube.clock import unix_seconds
from coldsend_operator.kube.crds import Definitions, served
from coldsend_operator.kube.errors import Forbidden, KubeError, NotFound
from coldsend_operator.kube.lease import DURATION_SECONDS
from coldsend_operator.kube.reads import KubeReads
from coldsend_operator.kube.reviews import AccessReviews
from coldsend_operator.kube.secrets import SecretContent, read_secret
from coldsend_operator.resources.names import ACCOUNT_KIND, API_VERSION, BATCH_KIND, INSTALL_CRDS
from coldsend_operator.settings import Settings
from coldsend_operator.tools.cluster import objects
from coldsend_operator.tools.doctor import definitions, secrets
from coldsend_operator.tools.doctor.checks import Check, bad, doubtful, good
from coldsend_operator.tools.doctor.rights import Right, own_rights, work_rights
from coldsend_operator.tools.installation import Installation, installations
from coldsend_operator.tools.output import few
from coldsend_operator.tools.secret_references import references
from coldsend_operator.tools.terminal import Progress

MAX_NAMESPACES = 20  # maximum namespaces whose permissions are checked


@dataclass(frozen=True, slots=True)
class Cluster:
    """The connection to the cluster; `namespace` None: all namespaces."""

    kube: KubeReads
    reviews: AccessReviews
    settings: Settings
    namespace: str | None


async def check_cluster(cluster: Cluster) -> list[Check]:
    """All checks of the cluster."""
    version = await cluster.kube.get("/version")
    checks = [good("cluster", f"the API server answers (Kubernetes {version.get('gitVersion', 'of unknown version')})")]
    here = await _definitions(cluster, checks)
    found = await _installation(cluster, checks)
    checks += await _rights(cluster, found)
    checks.append(await _lease(cluster, found))
    if here.usable or here.deleting:
        checks += await _secrets(cluster)
    return checks


async def _definitions(cluster: Cluster, checks: list[Check]) -> Definitions:
    here = await served(cluster.kube)
    if here.missing:
        checks.append(bad(definitions.AREA, f"not installed: {few(here.missing)}; install them: {INSTALL_CRDS}"))
        return here
    if here.deleting:
        checks.append(bad(definitions.AREA, f"being deleted together with all their objects: {few(here.deleting)}"))
    published = await cluster.kube.get(f"/openapi/v3/apis/{API_VERSION}")
    checks += definitions.compared(published)
    return here


async def _installation(cluster: Cluster, checks: list[Check]) -> Installation | None:
    """The Deployment to check; one in the namespace of the Lease comes first."""
    area, own = "operator", cluster.settings.lease_namespace
    try:
        found = await installations(cluster.kube, own)
    except Forbidden:
        checks.append(doubtful(area, f"you may not list Deployments, not even in namespace {own}"))
        return None
    if not found:
        checks.append(doubtful(area, "no Deployment of the operator found; is it installed?"))
        return None
    one = next((each for each in found if each.namespace == own), found[0])
    others = f" (one of {len(found)}; COLDSEND_LEASE_NAMESPACE selects another)" if len(found) > 1 else ""
    said = f"Deployment {one.namespace}/{one.name} has version {one.version or 'unknown'}{others}"
    if one.version and one.version != __version__:
        checks.append(doubtful(area, f"{said}, this program {__version__}"))
    else:
        checks.append(good(area, said))
    return one


# -- rights


async def _rights(cluster: Cluster, found: Installation | None) -> list[Check]:
    area = "rights"
    in_pod = bool(os.environ.get("KUBERNETES_SERVICE_HOST")) and cluster.kube.connection.login.rotates
    if found is not None and not in_pod:
        who = f"ServiceAccount {found.namespace}/{found.service_account}"
        user = f"system:serviceaccount:{found.namespace}:{found.service_account}"
    else:
        who, user = "you" if not in_pod else "the operator", ""
    wanted = list(_wanted(cluster, found))
    try:
        answers = await asyncio.gather(*(cluster.reviews.allowed(each.attributes(), user) for each in wanted))
    except Forbidden:
        run = f"kubectl exec -n {found.namespace} deploy/{found.name} -- coldsend-operator doctor" if found else ""
        return [doubtful(area, f"you may not check the permissions of {who}; run the check there: {run}")]
    lacking = [each for each, allowed in zip(wanted, answers, strict=True) if not allowed]
    way = "grant it as the chart does (docs/how-to/restricted-clusters.md)"
    if user or in_pod:
        lines = [bad(area, f"{who} may not {each}; {way}") for each in lacking]
        return lines or [good(area, f"{who} has all {len(wanted)} rights that the operator needs")]
    if lacking:
        some = few([str(each) for each in lacking], 2)
        return [
            doubtful(
                area, f"an operator with your permissions would lack {len(lacking)} of {len(wanted)} rights: {some}"
            )
        ]
    return [good(area, f"an operator with your permissions would have all {len(wanted)} rights")]


def _wanted(cluster: Cluster, found: Installation | None) -> Iterator[Right]:
    told = found.setting("NAMESPACES") if found is not None else ""
    watched = tuple(filter(None, map(str.strip, told.split(",")))) or cluster.settings.namespaces or ("",)
    for namespace in watched[:MAX_NAMESPACES]:
        yield from work_rights(namespace)
    yield from own_rights(*_lease_of(cluster, found))


def _lease_of(cluster: Cluster, found: Installation | None) -> tuple[str, str]:
    """Namespace and name of the Lease."""
    if found is None:
        return cluster.settings.lease_namespace, cluster.settings.lease_name
    return found.setting("LEASE_NAMESPACE") or found.namespace, found.setting("LEASE_NAME") or found.name


# -- the Lease


async def _lease(cluster: Cluster, found: Installation | None) -> Check:
    area = "lease"
    namespace, name = _lease_of(cluster, found)
    place = f"Lease {namespace}/{name}"
    try:
        lease = await cluster.kube.get(f"{paths.leases(namespace)}/{name}")
    except Forbidden:
        return doubtful(area, f"you may not read {place}, which shows the leader")
    except NotFound:
        return doubtful(area, f"{place} does not exist: no operator with leader election has run yet")
    spec = lease.get("spec") or {}
    holder, renewed = spec.get("holderIdentity"), unix_of(str(spec.get("renewTime") or ""))
    if not holder or renewed is None:
        return doubtful(area, f"{place} is free: no operator is the leader")
    age = max(0.0, unix_seconds() + cluster.kube.clock_offset - renewed)
    if age > (spec.get("leaseDurationSeconds") or DURATION_SECONDS):
        return bad(area, f"{holder} holds {place} but last renewed it {age:,.0f} s ago: no leader; see its log")
    return good(area, f"{holder} is the leader and renewed {place} {age:.0f} s ago")


# -- Secrets


async def _secrets(cluster: Cluster) -> list[Check]:
    kube = cluster.kube
    try:
        accounts = await objects(kube, ACCOUNT_KIND, cluster.namespace)
        batches = await objects(kube, BATCH_KIND, cluster.namespace)
    except Forbidden as error:
        return [doubtful(secrets.AREA, f"the objects that name Secrets cannot be read: {error.message}")]
    spaces = sorted({raw["metadata"]["namespace"] for raw in (*accounts, *batches)})
    read = [await _namespace(kube, name) for name in spaces]
    wanted = references(accounts, batches, [raw for raw in read if raw is not None])
    if not wanted:
        where = f"namespace {cluster.namespace}" if cluster.namespace else "the cluster"
        return [good(secrets.AREA, f"no object of {where} names a Secret")]
    places = sorted({(each.namespace, each.name) for each in wanted})
    contents: dict[tuple[str, str], SecretContent | KubeError | None] = {}
    with Progress("Secrets") as progress:
        for position, place in enumerate(places, start=1):
            try:
                contents[place] = await read_secret(kube, *place)
            except KubeError as error:
                contents[place] = error
            progress.show(position, len(places))
    return secrets.judge(wanted, contents)


async def _namespace(kube: KubeReads, name: str) -> dict[str, Any] | None:
    """The Namespace; None if it does not exist, or may not be read."""
    try:
        return await kube.find(paths.namespace_path(name))
    except Forbidden:
        return None
