"""Ready accounts over time as a picture: measured, one call for each account, and the floor that the limits set."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

WIDTH, HEIGHT, MARGIN = 760, 400, 60
MINUTE, HOUR = 80, 800  # requests that are left of the limits by the default reserve
PER_CALL = 100

Points = list[tuple[float, float]]


@dataclass(frozen=True)
class Line:
    """One line of the picture: seconds and accounts."""

    name: str
    colour: str
    points: Points


def allowed(seconds: float) -> float:
    """Requests that both windows have let through after so many seconds, each spent as early as it may be."""
    by_minute = MINUTE * (1 + seconds // 60)
    by_hour = HOUR * (1 + seconds // 3600)
    return min(by_minute, by_hour)


def draw(timeline: Points, count: int, caption: str) -> str:
    """An SVG. `timeline` holds (seconds, Ready) as measured."""
    last = max(timeline[-1][0] * 1.5, 60.0)
    clock = [last * step / 200 for step in range(201)]
    lines = [
        Line("measured", "#1b7f3b", timeline),
        Line("one call for each account", "#b3261e", _line(clock, lambda at: min(count, allowed(at)))),
        # a create and a list page for each hundred: less cannot show that they are there
        Line("floor of the limits", "#777777", _line(clock, lambda at: min(count, allowed(at) * PER_CALL / 2))),
    ]
    body = "\n".join([*_axes(last, count), *(_path(line, last, count) for line in lines), *_legend(lines)])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        f'font-size="12">\n<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>\n{body}\n'
        f'<text x="{MARGIN}" y="{HEIGHT - 8}" fill="#555">{caption}</text>\n</svg>\n'
    )


def _line(clock: Iterable[float], value: Callable[[float], float]) -> Points:
    return [(at, value(at)) for at in clock]


def _at(seconds: float, accounts: float, last: float, count: int) -> tuple[float, float]:
    x = MARGIN + (WIDTH - 2 * MARGIN) * seconds / last
    y = HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * accounts / count
    return x, y


def _path(line: Line, last: float, count: int) -> str:
    points = " ".join("{:.1f},{:.1f}".format(*_at(seconds, ready, last, count)) for seconds, ready in line.points)
    return f'<polyline fill="none" stroke="{line.colour}" stroke-width="2" points="{points}"/>'


def _axes(last: float, count: int) -> Iterable[str]:
    for step in range(5):
        x, bottom = _at(last * step / 4, 0, last, count)
        left, y = _at(0, count * step / 4, last, count)
        yield f'<line x1="{left}" y1="{y:.1f}" x2="{WIDTH - MARGIN}" y2="{y:.1f}" stroke="#ddd"/>'
        yield f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{last * step / 4:.0f} s</text>'
        yield f'<text x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{count * step // 4:,}</text>'


def _legend(lines: list[Line]) -> Iterable[str]:
    for number, line in enumerate(lines):
        yield f'<text x="{MARGIN + 12}" y="{MARGIN + 18 * number}" fill="{line.colour}">{line.name}</text>'
