"""Pauses between tries that double: what fails for days is tried more often than a float can double."""

DOUBLINGS = 30


def doubled(first: float, times: int, longest: float) -> float:
    """`first`, doubled so many times, and at most `longest`."""
    return min(first * 2.0 ** min(times, DOUBLINGS), longest)
