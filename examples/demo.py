"""Run every example project: each segment with its size and a few of its members.

A project's README tells the instant that its data is about.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

SHOWN = 4


def main() -> None:
    for project in sorted(Path(__file__).parent.glob("*/segdsl.yml")):
        now = re.search(r"--now (\S+)", (project.parent / "README.md").read_text(encoding="utf-8"))
        assert now, f"{project.parent.name}/README.md names no --now"
        command = [sys.executable, "-m", "segdsl", "run", "--format", "jsonl", "--now", now[1]]
        done = subprocess.run(command, cwd=project.parent, stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            sys.exit(f"segdsl run failed in {project.parent}")
        members: dict[str, list[str]] = {}
        for line in done.stdout.splitlines():
            row = json.loads(line)
            members.setdefault(row["segment"], []).append(str(row["contact"]))
        print(f"{project.parent.name}")
        wide = max(map(len, members), default=0)
        for segment, contacts in members.items():
            more = ", ..." if len(contacts) > SHOWN else ""
            print(f"  {segment.ljust(wide)}  {len(contacts):6}  {', '.join(contacts[:SHOWN])}{more}")
        print()


if __name__ == "__main__":
    main()
