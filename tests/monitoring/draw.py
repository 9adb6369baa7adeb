"""`python -m tests.monitoring.draw FILE.svg`: the dashboard with real figures, for people to look at.

Grafana itself cannot be had everywhere; this draws what its panels would ask a real Prometheus, in their places. With
ImageMagick a name that ends in .png works too.
"""

import math
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import devcluster
from devcluster.builder import build
from devcluster.modules import PROMETHEUS
from tests.e2e.support.operators import started_operator
from tests.e2e.support.tenant import Tenant, eventually, opened_tenant
from tests.e2e.support.world import OWN_KEY, opened_world
from tests.kube.support import install_crds
from tests.monitoring.dashboard import dashboard, filled
from tests.monitoring.prometheus import Prometheus, running_prometheus

CELL, ROW, PAD, LEFT = 60, 34, 8, 44  # pixels of a column and a row of the grid
COLOURS = ("#7eb26d", "#eab839", "#6ed0e0", "#ef843c", "#e24d42", "#1f78c1", "#ba43a9", "#705da0")
MAX_LINES = 8
NAMES = [f"inbox-{number}" for number in range(24)]


@contextmanager
def busy_scenario(folder: Path) -> Iterator[Prometheus]:
    """Two replicas that serve a team whose inboxes are made, fall ill, are disabled and deleted."""
    program = build(PROMETHEUS, ["prometheus"]) / "prometheus"
    with ExitStack() as stack:
        cluster = stack.enter_context(devcluster.control_plane())
        install_crds(cluster)
        world = stack.enter_context(opened_world(cluster, folder))
        given = {
            "COLDSEND_API_URL": world.emulator.api_url,
            "COLDSEND_API_KEY": OWN_KEY,
            "COLDSEND_LEADER_ELECTION": "on",
            "COLDSEND_DOMAIN_METRICS": "on",
            "COLDSEND_REQUESTS_PER_MINUTE": "600",
            "COLDSEND_REQUESTS_PER_HOUR": "6000",
        }
        replicas = [stack.enter_context(started_operator(cluster.kubeconfig, folder, **given)) for _ in range(2)]
        for replica in replicas:
            replica.wait_until_ready()
        targets = [replica.metrics_url.removeprefix("http://") for replica in replicas]
        prometheus = stack.enter_context(running_prometheus(program, folder, targets))
        eventually(lambda: prometheus.value("sum(coldsend_leader)") == 1, "a leader")
        for title, floor in (("sales", 88), ("support", 52)):
            _live(stack.enter_context(opened_tenant(world, title)), floor)
        eventually(lambda: prometheus.value("max(coldsend_domain_sent_today)"), "figures by domain")
        yield prometheus


def _live(tenant: Tenant, floor: int) -> None:
    tenant.make_each(*NAMES)
    for number, name in enumerate(NAMES[:18]):
        tenant.emulator.change(tenant.address(name), health_score=floor + number % 11, emails_sent_today=number * 2)
    tenant.emulator.change(tenant.address(NAMES[0]), overall_status="DISABLED")
    tenant.value("overallStatus", "DISABLED", NAMES[0])
    for name in NAMES[-2:]:
        tenant.delete(name)


def draw(prometheus: Prometheus) -> str:
    """The whole dashboard as one SVG."""
    panels = list(dashboard()["panels"])
    height = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in panels) * ROW
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{24 * CELL}" height="{height}" font-family="sans-serif">',
        f'<rect width="{24 * CELL}" height="{height}" fill="#f4f5f5"/>',
    ]
    for panel in panels:
        parts += _panel(panel, prometheus)
    return "\n".join([*parts, "</svg>"])


def _panel(panel: dict[str, Any], prometheus: Prometheus) -> Iterator[str]:
    place = panel["gridPos"]
    x, y, width, height = place["x"] * CELL, place["y"] * ROW, place["w"] * CELL, place["h"] * ROW
    if panel["type"] == "row":
        yield _text(x + PAD, y + 22, panel["title"], 16, bold=True)
        return
    yield f'<rect x="{x + 2}" y="{y + 2}" width="{width - 4}" height="{height - 4}" fill="#fff" stroke="#d8d9da"/>'
    yield _text(x + PAD, y + 18, panel["title"], 12, bold=True)
    unit = panel["fieldConfig"]["defaults"].get("unit", "")
    if panel["type"] == "timeseries":
        yield from _lines(panel, prometheus, (x + LEFT, y + 28, width - LEFT - PAD, height - 96), unit)
        return
    found = [each for target in panel["targets"] for each in prometheus.query(filled(target["expr"]))]
    if panel["type"] == "stat":
        value = _shown(float(found[0]["value"][1]), unit) if found else "no data"
        yield _text(x + PAD, y + height / 2 + 20, value, 34)
        return
    for position, each in enumerate(found[:7]):
        labels = "  ".join(value for name, value in sorted(each["metric"].items()) if name not in {"job", "__name__"})
        yield _text(x + PAD, y + 40 + 20 * position, f"{labels}   {_shown(float(each['value'][1]), unit)}", 11)


def _lines(
    panel: dict[str, Any], prometheus: Prometheus, box: tuple[float, float, float, float], unit: str
) -> Iterator[str]:
    x, y, width, height = box
    series = [
        (_legend(target, each["metric"]), [(float(at), float(value)) for at, value in each["values"]])
        for target in panel["targets"]
        for each in prometheus.range(filled(target["expr"]))
    ][:MAX_LINES]
    values = [value for _, points in series for _, value in points if math.isfinite(value)]
    if not values:
        yield _text(x, y + height / 2, "no data", 12)
        return
    limits = panel["fieldConfig"]["defaults"]
    low, high = limits.get("min", min(values)), limits.get("max", max(values))
    high = high if high > low else low + 1
    begin, end = prometheus.begun, max(at for _, points in series for at, _ in points)
    for share in (0.0, 0.5, 1.0):
        level = y + height * (1 - share)
        yield f'<line x1="{x}" x2="{x + width}" y1="{level}" y2="{level}" stroke="#e5e5e5"/>'
        yield _text(x - LEFT + 4, level + 4, _shown(low + share * (high - low), unit), 9)
    for number, (name, points) in enumerate(series):
        dots = " ".join(
            f"{x + width * (at - begin) / max(1.0, end - begin):.1f},"
            f"{y + height * (1 - (value - low) / (high - low)):.1f}"
            for at, value in points
            if math.isfinite(value)
        )
        colour = COLOURS[number % len(COLOURS)]
        yield f'<polyline points="{dots}" fill="none" stroke="{colour}" stroke-width="1.5"/>'
        column, line = number % 2, number // 2
        yield _text(x - LEFT + PAD + column * (width + LEFT) / 2, y + height + 18 + 12 * line, name, 9, colour)


def _legend(target: dict[str, Any], labels: dict[str, str]) -> str:
    text: str = target.get("legendFormat") or ""
    for name, value in labels.items():
        text = text.replace("{{" + name + "}}", value)
    return text


def _shown(value: float, unit: str) -> str:
    if unit == "percentunit":
        return f"{value:.0%}"
    if unit == "bytes":
        return f"{value / 2**20:.0f} MiB"
    return f"{value:.3g}{' s' if unit == 's' else ''}"


def _text(x: float, y: float, text: str, size: int, colour: str = "#333", *, bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return f'<text x="{x}" y="{y}" font-size="{size}" fill="{colour}"{weight}>{escape(text[:90])}</text>'


def main(target: Path) -> None:
    with TemporaryDirectory() as name, busy_scenario(Path(name)) as prometheus:
        until = time.monotonic() + 40  # some of the history that a panel shows
        while time.monotonic() < until:
            time.sleep(1)
        picture = draw(prometheus)
    svg = target.with_suffix(".svg")
    svg.write_text(picture, encoding="utf-8")
    if target.suffix == ".png":
        subprocess.run([shutil.which("convert") or "convert", str(svg), str(target)], check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
