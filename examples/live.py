"""A contact enters on an event and leaves by the clock, while you watch: about ten seconds."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

PROJECT = """\
version: 1
rules: ["*.seg"]
contacts: {table: contacts, key: id}
events:
  visited: {table: visits, time: at, object: path, properties: {path: string}}
  purchased: {table: orders, time: at}
"""
RULES = """\
segment keen "Looks at prices right now":
    visited "/pricing" >= 2 in 5s

segment hesitating "Filled a cart and did not buy within 3 seconds":
    visited "/cart" then not purchased within 3s in 1h
"""
NEWS = [  # seconds, contact, event, path
    (0.5, "ada", "visited", "/pricing"),
    (0.5, "ada", "visited", "/pricing"),
    (0.5, "bob", "visited", "/cart"),
    (0.5, "ada", "visited", "/cart"),
    (1.0, "ada", "purchased", None),
    (6.0, None, None, None),
]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "segdsl.yml").write_text(PROJECT, encoding="utf-8")
        (Path(folder) / "live.seg").write_text(RULES, encoding="utf-8")
        print(RULES)
        command = [sys.executable, "-m", "segdsl", "follow", "--live", "--state", "state.db"]
        with subprocess.Popen(command, cwd=folder, stdin=subprocess.PIPE, text=True) as follower:
            assert follower.stdin is not None
            for pause, contact, event, path in NEWS:
                time.sleep(pause)
                if contact is None:
                    continue
                line = {"contact": contact, "event": event, "at": datetime.now(UTC).isoformat()}
                if path is not None:
                    line["properties"] = {"path": path}
                print(f"  {contact} {event} {path or ''}".rstrip(), flush=True)
                follower.stdin.write(json.dumps(line) + "\n")
                follower.stdin.flush()
            follower.stdin.close()
        sys.exit(follower.returncode)


if __name__ == "__main__":
    main()
