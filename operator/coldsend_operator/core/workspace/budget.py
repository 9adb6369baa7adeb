"""The request budget of one workspace: sliding windows, bookings, backoff after 429.

ColdSend grants 100 requests a minute and 1,000 an hour over all endpoints (reference/rate-limits). Whether windows are
fixed or sliding and whether refused requests count is not documented (contract row 15): sliding, and they count.
"""

from functools import partial
from typing import Any

from coldsend_operator.core.model.answers import RateHeaders
from coldsend_operator.core.model.calls import Lane
from coldsend_operator.core.model.policy import Limits
from coldsend_operator.core.workspace.shares import HourShares, MailBudget
from coldsend_operator.core.workspace.windows import HOUR, MINUTE, Window, stored

BLOCK = 20
FALLBACK_WAIT = 60.0
MAX_DOUBLED_WAIT = 600.0
PROBE_PAUSE = 0.5


class Budget:
    """The requests that may still be sent. All times are Unix seconds of one steady clock."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._minute = Window(MINUTE, 0.5)
        self._hour = Window(HOUR, 60.0)
        self.mails = MailBudget()
        self.shares = HourShares()
        self.in_flight = 0
        self.booked = 0  # requests that the stored state already counts
        self.granted_minute: int | None = None
        self.granted_hour: int | None = None
        self._server_left: tuple[float, int] | None = None  # until when, how many
        self.refused_until = 0.0
        self.refusals = 0
        self.crowded = False  # other clients spend more than the reserve

    # -- asking

    def available(self, now: float, reserved: float = 0.0, probe_share: float = 1.0) -> int:
        """How many requests may leave now.

        `reserved` is the share of the minute kept for more urgent lanes, `probe_share` that of the hour for calls
        that only read.
        """
        if now < self.refused_until:
            return 0
        minute = self.minute_limit
        free = min(
            int(minute * (1 - reserved)) - self._minute.used(now) - self.in_flight,
            self.hour_limit - self._hour.used(now) - self.in_flight,
        )
        if self._server_left and now < self._server_left[0]:
            free = min(free, self._server_left[1] - self.in_flight)
        if self.refusals:
            free = min(free, 1 - self.in_flight)
        if probe_share < 1.0:
            free = min(free, self.shares.probes_left_at(now, self.hour_limit, probe_share))
        return max(0, free)

    def exhausted_by(self, now: float, *, probes: bool) -> frozenset[str]:
        """Namespaces that have used their part of the hour, for probes or for all calls (rule 42)."""
        return self.shares.exhausted_by(now, self.hour_limit, self._hour_left_at(now, probes=probes))

    def share_free_at(self, namespace: str, now: float, *, probes: bool) -> float:
        """When a namespace that has used its part of the hour may call again, if nobody calls until then."""
        return self.shares.free_at(namespace, now, partial(self._hour_left_at, probes=probes), self._hour.ends)

    def _hour_left_at(self, when: float, *, probes: bool) -> int:
        left = self.hour_limit - self._hour.used_at(when) - self.in_flight
        if probes:
            left = min(left, self.shares.probes_left_at(when, self.hour_limit, Lane.PROBE.hour_share))
        return max(0, left)

    def free_at(self, now: float, reserved: float = 0.0, probe_share: float = 1.0) -> float:
        """When the next request may leave; `now` when it may at once."""
        if self.available(now, reserved, probe_share) > 0:
            return now
        if self.refusals and self.in_flight and now >= self.refused_until:
            return now + PROBE_PAUSE  # a probe is under way; its response tells more than time does
        minute = self._minute.free_at(now, int(self.minute_limit * (1 - reserved)) - self.in_flight)
        hour = self._hour.free_at(now, self.hour_limit - self.in_flight)
        if probe_share < 1.0:
            hour = max(hour, self.shares.probes_free_at(now, self.hour_limit, probe_share))
        server = self._server_left[0] if self._server_left and self._server_left[1] <= self.in_flight else now
        return max(minute, hour, self.refused_until, server, now + 0.02)

    def done_at(self, now: float, requests: int) -> float:
        """When `requests` more will have left, at the rate that both windows allow."""
        if requests <= self.available(now):
            return now
        minute = self._finish(self._minute, now, requests, self.minute_limit)
        hour = self._finish(self._hour, now, requests, self.hour_limit)
        return max(minute, hour, self.refused_until)

    @staticmethod
    def _finish(window: Window, now: float, requests: int, limit: int) -> float:
        rounds, rest = divmod(max(0, requests - 1), limit)
        return window.free_at(now, limit, rest + 1) + rounds * window.length

    @property
    def minute_limit(self) -> int:
        return self.limits.minute(self.granted_minute)

    @property
    def hour_limit(self) -> int:
        return self.limits.hour(self.granted_hour)

    def remaining(self, now: float) -> tuple[int, int]:
        """Requests left in the minute and in the hour, for metrics."""
        minute = max(0, self.minute_limit - self._minute.used(now) - self.in_flight)
        return minute, self._hour_left_at(now, probes=False)

    # -- spending

    @property
    def block(self) -> int:
        """The number of requests that one write of the state ConfigMap books ahead."""
        return max(BLOCK, self.minute_limit // 10)

    def start(self, *, probe: bool = False) -> None:
        self.in_flight += 1
        self.shares.in_flight += probe
        self.booked = max(0, self.booked - 1)

    def end(self, now: float, *, probe: bool = False) -> None:
        self.in_flight -= 1
        self._minute.add(now)
        self._hour.add(now)
        if probe:
            self.shares.end_probe(now)
        if self._server_left:
            self._server_left = (self._server_left[0], self._server_left[1] - 1)

    def cancel(self, *, probe: bool = False) -> None:
        """The request that `start` announced did not leave."""
        self.in_flight -= 1
        self.shares.in_flight -= probe
        self.booked += 1

    def answered(self, now: float) -> None:
        """A response other than 429: waiting calls may follow. A call that left before the refusal does not count."""
        if now >= self.refused_until:
            self.refusals = 0

    def refuse(self, now: float, retry_after: float | None) -> float:
        """A 429: wait as stated, then send one call alone; the wait doubles with each refusal in a row.

        If no wait is stated it is 1, 2, 4, 8, 10 minutes. A wait that ColdSend states is never shortened.
        """
        if now < self.refused_until:  # a response to a call that left before the first refusal
            return self.refused_until
        stated = max(retry_after if retry_after is not None else FALLBACK_WAIT, 0.05)
        wait = max(stated, min(stated * 2 ** min(self.refusals, 20), MAX_DOUBLED_WAIT))
        self.refusals += 1
        self.refused_until = now + wait
        return self.refused_until

    def see(self, headers: RateHeaders, now: float, server_offset: float = 0.0) -> None:
        """Server headers take precedence if they are lower than the settings (contract row 16).

        `server_offset` is ColdSend's clock minus ours, in seconds.
        """
        if headers.limit is None or headers.limit <= 0:
            return
        hourly = headers.limit >= self.limits.per_hour or headers.limit > 5 * self.limits.per_minute
        if hourly:
            self.granted_hour = headers.limit
        else:
            self.granted_minute = headers.limit
        if headers.remaining is None:
            return
        self._see_others(headers.limit, headers.remaining, now, hourly=hourly)
        kept = int(headers.limit * self.limits.reserve + 1e-9)
        longest = HOUR if hourly else MINUTE
        reset = now + longest if headers.reset is None else headers.reset - server_offset
        until = min(max(reset, now), now + longest)
        self._server_left = (until, headers.remaining - kept) if until > now else None

    def _see_others(self, limit: int, remaining: int, now: float, *, hourly: bool) -> None:
        """Requests that ColdSend counts and we did not send come from people or another operator with the same key."""
        window, ours = (self._hour, self.hour_limit) if hourly else (self._minute, self.minute_limit)
        others = limit - remaining - window.used(now) - self.in_flight
        if others > limit - ours:
            self.crowded = True

    # -- surviving a restart

    def book(self, block: int) -> None:
        """This many requests are stored as booked: they may leave."""
        self.booked += block

    def to_json(self, now: float, *, block: int) -> dict[str, Any]:
        """The state to store; `block` of its requests have not left yet but count as spent after a crash."""
        state: dict[str, Any] = {
            "minute": self._minute.to_json(now),
            "hour": self._hour.to_json(now),
            "open": block + self.in_flight,
        }
        if mails := self.mails.to_json(now):
            state["mails"] = mails
        if self.refusals:
            state["refusedUntil"] = stored(self.refused_until)
            state["refusals"] = self.refusals
        return state

    def load(self, state: dict[str, Any], now: float, ahead: float = 0.0) -> None:
        """Add the stored state of an earlier run or another process. Its open block may have been spent until now.

        `ahead`: the seconds to add to its times, as the clock that wrote them was behind. A time in the future was
        written by a clock that was ahead: it counts as now.
        """
        ahead = max(ahead, 0.0)  # moved back, an entry could leave its window too early
        self._minute.load(state.get("minute", ()), now, ahead)
        self._hour.load(state.get("hour", ()), now, ahead)
        left_open = int(state.get("open", 0))
        if left_open > 0:
            self._minute.add(now, left_open)
            self._hour.add(now, left_open)
        self.mails.load(state.get("mails", ()), now, ahead)
        until = min(float(state.get("refusedUntil", 0.0)) + ahead, now + HOUR)
        self.heed(until, int(state.get("refusals", 0)))

    def heed(self, until: float, refusals: int) -> None:
        """A refusal of an earlier run or another key holds here too; a wait that ColdSend stated is never shortened."""
        self.refused_until = max(self.refused_until, until)
        self.refusals = max(self.refusals, refusals)

    def absorb(self, other: "Budget", now: float) -> None:
        """Two keys lead to one workspace: merge the other's counts (rule 13)."""
        self.load(other.to_json(now, block=0) | {"open": 0, "mails": []}, now)
        self.mails.absorb(other.mails, now)
        self.in_flight += other.in_flight
        self.booked += other.booked
        self.shares.absorb(other.shares, now)
