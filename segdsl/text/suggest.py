"""The nearest known word to a mistyped one, for `did you mean`."""

from __future__ import annotations

from collections.abc import Iterable

LONGEST = 64  # a longer word is not a slip of the finger, and comparing it would be slow


def nearest(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate that `word` most likely stands for, or None if none is close enough.

    Case, blanks and underscores count for nothing. A third of the letters may be wrong, missing or swapped
    with their neighbour; among equally close candidates the alphabetically first is taken.
    """
    wanted = _plain(word)
    if not wanted or len(wanted) > LONGEST:
        return None
    best: tuple[int, str] | None = None
    for candidate in candidates:
        plain = _plain(candidate)
        allowed = max(1, max(len(wanted), len(plain)) // 3)
        if abs(len(plain) - len(wanted)) > allowed or len(plain) > LONGEST:
            continue
        found = (distance(wanted, plain), candidate)
        # In a word of one or two letters one change leaves nothing in common.
        if found[0] <= allowed and found[0] < max(len(wanted), len(plain)) and (best is None or found < best):
            best = found
    return best[1] if best else None


def distance(a: str, b: str) -> int:
    """How many insertions, deletions, replacements and swaps of neighbours turn `a` into `b`."""
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, left in enumerate(a, 1):
        before, last, row = row, before, [i]
        for j, right in enumerate(b, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (left != right))
            if i > 1 and j > 1 and left == b[j - 2] and a[i - 2] == right:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return row[-1]


def _plain(word: str) -> str:
    return " ".join(word.lower().replace("_", " ").split())
