"""Pauses between tries: they grow, up to a longest one."""

DOUBLINGS = 30  # what fails for days is tried more often than a float can double
PAUSES = (0.0, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)  # seconds between tries of what may succeed soon
FIRST_REWRITE = 2.0
# Seconds until a status is put right that somebody else wrote, by how often in a row. The first ones are a person who
# edits, a restore, or another version; without end go two operators that watch one namespace.
REWRITES = (0.0, 0.0, 0.0, 0.0, 0.0, FIRST_REWRITE, 4.0, 8.0, 15.0, 30.0, 60.0, 120.0, 300.0)
REWRITES_FORGOTTEN = 900.0  # seconds without one: the next is the first again
FIRST_PROBE = 1.0  # seconds after an answer to a write: what it does not tell a probe shows by then
POSTPONEMENTS = PAUSES[1:]  # of a call that did not leave


def doubled(first: float, times: int, longest: float) -> float:
    """`first` doubled `times` times, at most `longest`."""
    return min(first * 2.0 ** min(times, DOUBLINGS), longest)


def nth(pauses: tuple[float, ...], times: int) -> float:
    """The pause after so many tries; the last one stands for all that follow."""
    return pauses[min(times, len(pauses) - 1)]
