"""How segments grew, as a picture: a panel for each, SVG or PNG by the file's name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from itertools import pairwise
from math import ceil, sqrt
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segdsl.cli.common import Stop
from segdsl.core.time import to_zoned
from segdsl.text.diagnostic import Diagnostic, Errors

if TYPE_CHECKING:
    from segdsl.history.tally import Course, Tally

Draw = Callable[["Tally", Mapping[str, str], str], None]  # (numbers, titles of segments, time zone)

KINDS = ("svg", "png")
ACROSS = 3  # panels beside each other
WIDTH, HEIGHT, MARGIN = 4.4, 2.4, 0.25  # inches: of a panel, and below all of them
LONGEST = 38  # letters of a title
INSTANT = timedelta(seconds=1)  # how wide a stretch of time without length is drawn
EARLIEST, LATEST = datetime(2, 1, 1), datetime(9998, 12, 31)  # what is beyond leaves matplotlib no room for its axis
INK, GRID, SIZE, CAME, GONE = "#1f2933", "#e4e7eb", "#2563eb", "#059669", "#dc2626"
LOOK: dict[Any, Any] = {
    "font.size": 8, "text.color": INK, "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK,
    "svg.hashsalt": "segdsl", "text.parse_math": False,
}  # fmt: skip


def drawing(file: Path) -> Draw:
    """What draws to a file; to be asked for before the long work, as it fails early.

    Stop for a name that is neither `.svg` nor `.png`, or in no folder; `Errors` (SEG0718) without matplotlib.
    """
    kind = file.suffix.lower().removeprefix(".")
    if kind not in KINDS:
        raise Stop(f"a chart is SVG or PNG, and {file} is neither", "name the file growth.svg or growth.png")
    if not file.resolve().parent.is_dir():
        raise Stop(f"no such folder: {file.parent}", "make it first, or name a file in another one")
    try:
        import matplotlib
    except ImportError as error:
        help = 'pip install "segdsl[charts]"'
        raise Errors([Diagnostic("SEG0718", "charts need the package `matplotlib`", help=help)]) from error
    matplotlib.use("agg")

    def draw(tally: Tally, titles: Mapping[str, str], zone: str) -> None:
        from matplotlib import rc_context

        from segdsl.cli.files import replacing

        with rc_context(LOOK), replacing(file) as opened:
            # Without the date, and with names out of `svg.hashsalt`, the same numbers give the same file.
            metadata = {"Date": None} if kind == "svg" else {}
            _figure(tally, titles, zone).savefig(opened, format=kind, dpi=150, metadata=metadata)

    return draw


def _figure(tally: Tally, titles: Mapping[str, str], zone: str) -> Any:
    from matplotlib.figure import Figure

    count = len(tally.courses)
    columns = 1 if count == 1 else min(ACROSS, ceil(sqrt(count)))
    rows = ceil(count / columns)
    shown = [to_zoned(bound, zone).replace(tzinfo=None) for bound in tally.bounds]
    times = [min(max(time, EARLIEST), LATEST) for time in shown]
    if tally.bounds[0] == tally.bounds[-1]:
        times[-1] += INSTANT
    width, height = (WIDTH * (2 if count == 1 else columns), HEIGHT * rows)
    figure = Figure(figsize=(width, height + MARGIN))
    outer = figure.add_gridspec(
        rows, columns, left=0.45 / width, right=1 - 0.15 / width, top=1 - 0.28 / (height + MARGIN),
        bottom=(MARGIN + 0.35) / (height + MARGIN), hspace=0.42, wspace=0.14,
    )  # fmt: skip
    for number, (name, course) in enumerate(tally.courses.items()):
        inner = outer[divmod(number, columns)].subgridspec(2, 1, height_ratios=(3, 1), hspace=0.08)
        _panel(figure, inner, titles[name] or name, course, times)
    legend = f"line: contacts in the segment; bars: entered (green) and left (red); times of {zone}"
    figure.text(0.5, 0.08 / (height + MARGIN), legend, ha="center", fontsize=7, color="#6b7280")
    return figure


def _panel(figure: Any, places: Any, title: str, course: Course, times: list[datetime]) -> None:
    """One segment: its size above, and below who entered and left."""
    from matplotlib import dates
    from matplotlib.ticker import MaxNLocator

    sizes = course.sizes
    above = figure.add_subplot(places[0])
    below = figure.add_subplot(places[1], sharex=above)
    above.plot(times, sizes, color=SIZE, linewidth=1.4, drawstyle="steps-post")
    above.fill_between(times, sizes, step="post", color=SIZE, alpha=0.12, linewidth=0)
    above.set_title(_short(title), loc="left", fontsize=9, fontweight="bold")
    above.set_title(f"{sizes[0]:,} → {sizes[-1]:,}", loc="right", fontsize=8, color=SIZE)
    above.set_ylim(0, max(1, *sizes) * 1.12)
    widths = [after - before for before, after in pairwise(times)]
    below.bar(times[:-1], course.entered, widths, align="edge", color=CAME, linewidth=0)
    below.bar(times[:-1], [-n for n in course.left], widths, align="edge", color=GONE, linewidth=0)
    most = max(1, *course.entered, *course.left)
    below.set_ylim(-most * 1.1, most * 1.1)
    below.axhline(0, color=INK, linewidth=0.5)
    below.yaxis.set_major_locator(MaxNLocator(2, integer=True))
    below.yaxis.set_major_formatter(lambda value, _: f"{abs(value):,.0f}")
    above.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    above.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    if times[0] < times[-1]:
        below.set_xlim(times[0], times[-1])
    locator = dates.AutoDateLocator(minticks=3, maxticks=6)  # type: ignore[no-untyped-call]
    below.xaxis.set_major_locator(locator)
    below.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    above.tick_params(labelbottom=False)
    for axes in (above, below):
        axes.grid(axis="y", color=GRID, linewidth=0.6)
        axes.set_axisbelow(True)
        axes.tick_params(length=2, labelsize=7)
        for side in ("top", "right", "left"):
            axes.spines[side].set_visible(False)


def _short(title: str) -> str:
    title = " ".join("".join(c if c.isprintable() else " " for c in title).split())
    return title if len(title) <= LONGEST else title[: LONGEST - 1] + "…"
