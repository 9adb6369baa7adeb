"""The headers of a response: rate limit, server time, time to wait."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from coldsend_operator.core.model.answers import RateHeaders

MAX_WAIT = 86_400.0  # a longer wait than a day is a wrong clock or unit, not a rate limit


@dataclass(frozen=True, slots=True)
class Meta:
    """Metadata of one call.

    `server_time` is the Date header in Unix seconds, `seconds` the duration of the call. `status` is None without
    a response.
    """

    rate: RateHeaders | None
    server_time: float | None
    seconds: float
    status: int | None


def read_rate(headers: Mapping[str, str]) -> RateHeaders | None:
    limit, remaining, reset = (
        _number(headers.get(f"x-ratelimit-{name}", "")) for name in ("limit", "remaining", "reset")
    )
    if limit is None and remaining is None and reset is None:
        return None
    return RateHeaders(
        limit=None if limit is None else int(limit),
        remaining=None if remaining is None else int(remaining),
        reset=reset,
    )


def read_server_time(headers: Mapping[str, str]) -> float | None:
    return _unix_seconds(headers.get("date", ""))


def _retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds to wait by Retry-After: a number, or a date relative to the Date header (else to `now`)."""
    text = headers.get("retry-after", "")
    seconds = _number(text)
    if seconds is None:
        until = _unix_seconds(text)
        seconds = None if until is None else max(until - _server_time(headers, now), 0.0)
    return _plausible(seconds)


def read_wait(headers: Mapping[str, str], sentence: str, now: float) -> float | None:
    """Seconds to wait after a 429 (contract row 13): Retry-After, else the reset header, else the message."""
    wait = _retry_after(headers, now)
    if wait is not None:
        return wait
    rate = read_rate(headers)
    if rate is not None and rate.reset is not None:
        until_reset = rate.reset - _server_time(headers, now)
        if 0 < until_reset <= MAX_WAIT:  # a time in the past is ignored
            return until_reset
    return _plausible(_seconds_in(sentence))


_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}
_SPAN = re.compile(
    r"(\b(?:in|after|for|wait)\s+)?(\d{1,6}(?:\.\d{1,3})?)\s*(s|m|h)(?:ec|ecs|econds?|in|ins|inutes?|ours?)?\b"
)


def _seconds_in(sentence: str) -> float | None:
    """The wait in a message; a number after "in", "after", "for" or "wait" rather than the size of the window."""
    spans = [(bool(lead), float(number) * _UNITS[unit]) for lead, number, unit in _SPAN.findall(sentence.lower())]
    waits = [seconds for led, seconds in spans if led] or [seconds for _, seconds in spans]
    return max(waits, default=None)


def _server_time(headers: Mapping[str, str], now: float) -> float:
    server_time = read_server_time(headers)
    return now if server_time is None else server_time


def _plausible(seconds: float | None) -> float | None:
    return seconds if seconds is not None and 0 <= seconds <= MAX_WAIT else None


def _number(text: str) -> float | None:
    """The first number of a header: proxies append more (`100, 100;w=60`)."""
    found = re.match(r"\s*(\d{1,15}(?:\.\d{1,6})?)\s*(?:[,;]|$)", text)
    return float(found[1]) if found else None


def _unix_seconds(date: str) -> float | None:
    if not date:
        return None
    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, OverflowError):
        return None
