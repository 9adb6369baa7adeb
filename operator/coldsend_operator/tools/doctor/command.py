"""The steps of `doctor`, in order."""

import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from coldsend_operator.kube.errors import KubeError, NotConfigured
from coldsend_operator.kube.reads import KubeReads
from coldsend_operator.kube.reviews import AccessReviews
from coldsend_operator.logs import configure_logs
from coldsend_operator.tools.clients import (
    ReadingConnection,
    ReviewingConnection,
    coldsend_reader,
    has_key,
    settings_of,
)
from coldsend_operator.tools.doctor.checks import STYLES, Check, Result, bad, doubtful, summary
from coldsend_operator.tools.doctor.cluster import Cluster, check_cluster
from coldsend_operator.tools.doctor.coldsend import check_coldsend
from coldsend_operator.tools.errors import CommandError
from coldsend_operator.tools.options import Access
from coldsend_operator.tools.output import Color, counted, remark, write_json, write_styled

WriteTest = Callable[[], Awaitable[list[Check]]]


@dataclass(frozen=True, slots=True)
class DoctorOptions:
    """The options of `doctor`. `namespace` None: all namespaces; `write_test` creates and deletes an inbox."""

    access: Access
    namespace: str | None
    default_namespace: str
    output: str
    color: Color
    write_test: WriteTest | None = None


async def run(options: DoctorOptions) -> None:
    """Raises CommandError if a check failed."""
    checks = [*await _cluster(options), *await _coldsend(options)]
    _show_lines(checks, options)
    if options.write_test is not None:
        more = await options.write_test()
        _show_lines(more, options)
        checks += more
    _show_sum(checks, options)
    failed = summary(checks)[Result.FAILED]
    if failed:
        raise CommandError(f"{counted(failed, 'check', 'checks')} failed")
    if not any(check.result is Result.OK for check in checks):
        raise CommandError("nothing could be checked: provide a kubeconfig or an API key")


async def _cluster(options: DoctorOptions) -> list[Check]:
    settings = settings_of(options.access)
    try:
        configure_logs("console", "critical")
        async with (
            KubeReads(ReadingConnection(options.access)) as client,
            AccessReviews(ReviewingConnection(options.access)) as reviews,
        ):
            return await check_cluster(Cluster(client, reviews, settings, options.namespace))
    except NotConfigured as error:
        return [doubtful("cluster", f"not checked: {error.message}")]
    except KubeError as error:
        return [bad("cluster", error.message)]


async def _coldsend(options: DoctorOptions) -> list[Check]:
    settings = settings_of(options.access)
    if not has_key(options.access, settings):
        way = "set COLDSEND_API_KEY, or give --api-key-file or --api-key-secret"
        return [doubtful("coldsend", f"not checked, as no API key is given: {way}")]
    try:
        async with coldsend_reader(options.access, options.default_namespace) as reader:
            return await check_coldsend(reader, settings)
    except CommandError as error:
        if error.exit_code != 1:
            raise
        return [bad("key", str(error))]


def _show_lines(checks: Sequence[Check], options: DoctorOptions) -> None:
    if options.output == "table":
        write_styled([(str(check), STYLES[check.result]) for check in checks], options.color)
        sys.stdout.flush()  # before the question to the user


def _show_sum(checks: Sequence[Check], options: DoctorOptions) -> None:
    if options.output == "json":
        write_json("Doctor", summary=summary(checks), checks=[check.to_json() for check in checks])
        return
    counts = summary(checks)
    warnings = counted(counts[Result.WARNING], "warning", "warnings")
    remark(f"{counts[Result.OK]} good, {warnings}, {counts[Result.FAILED]} failed")
    if any(check.assumption is not None for check in checks):
        remark("Row numbers refer to docs/contributing/api-assumptions.md")
