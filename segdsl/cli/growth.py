"""How segments grew, as a chart in the terminal."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from itertools import pairwise

from segdsl.cli.common import colored
from segdsl.core.time import local_day
from segdsl.history.tally import Tally

BARS = " ▁▂▃▄▅▆▇█"
WIDEST = 100  # bars of a line
NUMBERS = 34  # columns for what stands around the bars


def show(tally: Tally, titles: Mapping[str, str], zone: str) -> None:
    """Print size, entered and left over time of each segment, on standard output.

    titles: of each segment, or "". zone: the time zone in which days are told.
    """
    from rich.console import Console

    console = Console(no_color=not colored(sys.stdout), highlight=False)
    bars = max(10, min(WIDEST, console.width - NUMBERS))
    ends = [f"{local_day(tally.bounds[i], zone):%Y-%m-%d}" for i in (0, -1)]
    for name, course in tally.courses.items():
        sizes = course.sizes
        console.print(f"[bold]{_plain(name)}[/bold]" + (f"  {_plain(titles[name])}" if titles[name] else ""))
        change = f"{sizes[0]:,} → {sizes[-1]:,}, most {max(sizes):,}"
        for label, style, line, told in (
            ("size", "cyan", bars_of(folded(sizes[1:], bars, largest=True)), change),
            ("entered", "green", bars_of(folded(course.entered, bars)), f"{sum(course.entered):,}"),
            ("left", "red", bars_of(folded(course.left, bars)), f"{sum(course.left):,}"),
        ):
            console.print(f"  {label:<8}[{style}]{line}[/{style}] {told}", no_wrap=True, crop=False)
        drawn = min(bars, tally.parts)
        console.print(f"  {'':<8}[dim]{ends[0]}{ends[1]:>{max(drawn - 10, 11)}}[/dim]\n")


def folded(numbers: Sequence[int], parts: int, largest: bool = False) -> list[int]:
    """Numbers in at most so many equal parts: the sum of each, or its largest."""
    count = min(parts, len(numbers))
    ends = [len(numbers) * i // count for i in range(count + 1)]
    return [(max if largest else sum)(numbers[a:b]) for a, b in pairwise(ends)]


def bars_of(numbers: Sequence[int]) -> str:
    """A bar for each number, as high as its part of the largest: what is more than none can be seen."""
    most = max(numbers, default=0)
    return "".join(BARS[0] if n <= 0 else BARS[max(1, round(n * (len(BARS) - 1) / most))] for n in numbers)


def _plain(text: str) -> str:
    from rich.markup import escape

    from segdsl.text.render import printable

    return escape(printable(text))
