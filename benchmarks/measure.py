"""Both sides of a comparison in one run: processor seconds, medians, and their ratio."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median


def both(ours: Callable[[], object], peer: Callable[[], object], runs: int = 3) -> tuple[float, float]:
    """The medians of processor seconds (of all threads), the sides taking turns after one warm-up each."""
    seconds: tuple[list[float], list[float]] = ([], [])
    for run in range(runs + 1):
        for side, found in zip((ours, peer), seconds, strict=True):
            started = time.process_time()
            side()
            if run:
                found.append(time.process_time() - started)
    return median(seconds[0]), median(seconds[1])


def row(what: str, ours: float, peer: float, called: str, target: str = "") -> None:
    """One line: how the two compare, and what was wanted."""
    ratio = f"{peer / ours:.2f} x faster" if ours <= peer else f"{ours / peer:.2f} x slower"
    wanted = f"   (wanted: {target})" if target else ""
    print(f"{what:<44} {ours:8.3f} s   {called} {peer:8.3f} s   {ratio}{wanted}", flush=True)
