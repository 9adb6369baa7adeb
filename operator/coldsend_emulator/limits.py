"""The rate limits: 100 requests per minute and 1,000 per hour, over all endpoints."""

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import formatdate

from coldsend_emulator.clock import Clock
from coldsend_emulator.refusals import Refusal
from coldsend_emulator.switches import Switches

MINUTE, HOUR = 60.0, 3600.0


class Window:
    """One window of one pool. It keeps only the latest `limit` requests, as older ones do not matter."""

    def __init__(self, seconds: float, limit: int, *, fixed: bool) -> None:
        self.seconds = seconds
        self.limit = limit
        self._fixed = fixed
        self._stamps: deque[float] = deque(maxlen=max(limit, 1))

    def spent(self, now: float) -> int:
        opened = now - now % self.seconds if self._fixed else now - self.seconds
        while self._stamps and self._stamps[0] <= opened:
            self._stamps.popleft()
        return len(self._stamps)

    def take(self, now: float) -> None:
        self._stamps.append(now)

    def remaining(self, now: float) -> int:
        return self.limit - self.spent(now)

    def resets_in(self, now: float) -> float:
        """Seconds until a request leaves the window, or a fixed window starts again."""
        if self._fixed:
            return self.seconds - now % self.seconds
        return self._stamps[0] + self.seconds - now if self._stamps else self.seconds


@dataclass(slots=True)
class Limits:
    """The limits of each pool; None: no limit."""

    per_minute: int | None = 100
    per_hour: int | None = 1000


@dataclass(frozen=True, slots=True)
class Pool:
    """The requests that share one limit, by key, workspace or address."""

    name: str
    workspace: str | None


class RateLimiter:
    def __init__(self, switches_of: Callable[[str | None], Switches], clock: Clock) -> None:
        self.limits = Limits()  # of all workspaces without their own
        self._own_limits: dict[str, Limits] = {}
        self._switches_of = switches_of
        self._clock = clock
        self._pools: dict[
            str, tuple[str | None, tuple[Window, ...]]
        ] = {}  # each with the workspace of its first request

    def set(self, limits: Limits, workspace: str | None = None) -> None:
        """Set the limits of one workspace or of all, and clear their windows."""
        if workspace is None:
            self.limits = limits
            self._own_limits.clear()
        else:
            self._own_limits[workspace] = limits
        self.forget(workspace)

    def forget(self, workspace: str | None = None) -> None:
        """Clear the windows of one workspace or of all; a changed kind of window takes effect only then."""
        self._pools = {
            name: found for name, found in self._pools.items() if workspace is not None and found[0] != workspace
        }

    def pool(self, workspace: str | None, key: str | None, address: str) -> Pool:
        """The pool of a request; without a known key that of its address."""
        scope = self._switches_of(workspace).choice("limit_scope")
        name = {"workspace": workspace, "key": key}.get(scope)
        return Pool(f"{scope} {name}" if name else f"address {address}", workspace)

    def _windows(self, pool: Pool) -> tuple[Window, ...]:
        found = self._pools.get(pool.name)
        if found is None:
            found = pool.workspace, self._new_windows(pool.workspace)
            self._pools[pool.name] = found
        return found[1]

    def _new_windows(self, workspace: str | None) -> tuple[Window, ...]:
        limits = self._own_limits.get(workspace or "", self.limits)
        fixed = self._switches_of(workspace).choice("window_kind") == "fixed"
        sizes = ((MINUTE, limits.per_minute), (HOUR, limits.per_hour))
        return tuple(Window(seconds, limit, fixed=fixed) for seconds, limit in sizes if limit is not None)

    def admit(self, pool: Pool) -> Refusal | None:
        """Count one request. Returns a refusal if a limit is exceeded."""
        now = self._clock.now()
        windows = self._windows(pool)
        spent = [window for window in windows if window.remaining(now) <= 0]
        if not spent or self._switches_of(pool.workspace).choice("refused_requests") == "counted":
            for window in windows:
                window.take(now)
        if not spent:
            return None
        return self._too_many(max(window.resets_in(now) for window in spent), self._switches_of(pool.workspace))

    def headers(self, pool: Pool) -> dict[str, str]:
        now = self._clock.now()
        windows = self._windows(pool)
        described = self._switches_of(pool.workspace).choice("headers_window")
        if not windows or described == "absent":
            return {}
        if described == "tighter":
            window = min(windows, key=lambda each: each.remaining(now))
        else:
            window = windows[0] if described == "minute" else windows[-1]
        return {
            "X-RateLimit-Limit": str(window.limit),
            "X-RateLimit-Remaining": str(max(window.remaining(now), 0)),
            "X-RateLimit-Reset": str(math.ceil(self._clock.wall() + window.resets_in(now))),
        }

    def _too_many(self, wait: float, switches: Switches) -> Refusal:
        seconds = math.ceil(wait)
        header = switches.choice("retry_after")
        headers = {}
        if header == "seconds":
            headers["Retry-After"] = str(seconds)
        elif header == "http_date":
            headers["Retry-After"] = formatdate(self._clock.wall() + seconds, usegmt=True)
        return Refusal(429, _sentence(seconds, switches), headers=headers)


def _sentence(seconds: int, switches: Switches) -> str | list[dict[str, str]]:
    form = switches.choice("limit_detail")
    if form == "list":
        return [{"msg": "Rate limit exceeded", "type": "rate_limit"}]
    return {
        "sixty": "Rate limit exceeded. Please retry after 60 seconds.",
        "seconds": f"Rate limit exceeded. Please retry after {seconds} seconds.",
        "wordless": "Too Many Requests",
    }[form]
