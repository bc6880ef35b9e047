"""How long compiling takes, against the limits we set ourselves."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from batch import project_sql, segments
from data import PROJECT, folder

import segdsl


def show(what: str, seconds: float, limit: float) -> None:
    print(f"{what:<44} {seconds:8.3f} s   limit {limit:.2f} s   {seconds / limit:.2f} of it", flush=True)


def command(*arguments: str, cwd: Path) -> float:
    """The median wall clock seconds of a command, as a whole process."""
    seconds = []
    for _ in range(7):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-m", "segdsl", *arguments], cwd=cwd, capture_output=True, check=True)
        seconds.append(time.perf_counter() - started)
    return median(seconds)


def main() -> None:
    rules, _ = segments(1000)
    text = PROJECT.replace("events.duckdb", f"/{folder()}/events.duckdb")
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        (place / "segments").mkdir()
        (place / "segdsl.yml").write_text(text)
        (place / "segments" / "all.seg").write_text(rules)
        segdsl.load(place)  # imports and the grammar
        started = time.perf_counter()
        project_sql(segdsl.load(place))
        show("1,000 segments from text to SQL", time.perf_counter() - started, 2.0)
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        (place / "segments").mkdir()
        (place / "segdsl.yml").write_text(text)
        ten, _ = segments(50)
        declarations = ten.split("\n\n")
        for number in range(10):
            (place / "segments" / f"{number}.seg").write_text("\n\n".join(declarations[number * 5 : number * 5 + 5]))
        show("segdsl --help", command("--help", cwd=place), 0.15)
        show("segdsl check of 10 files", command("check", cwd=place), 0.4)


if __name__ == "__main__":
    main()
