"""Times: Unix seconds inside, RFC 3339 in JSON."""

from datetime import UTC, datetime


def rfc3339(now: float) -> str:
    """Unix seconds as the Kubernetes API writes times."""
    return datetime.fromtimestamp(int(now), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def unix_of(text: str | None) -> float | None:
    """Unix seconds of a time as ColdSend sends it; None if absent or invalid."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
