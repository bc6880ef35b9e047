"""A follower that is killed again and again: `python -m tests.support.killing FOLDER TIMES SEED ARGUMENTS…`.

Forks `segdsl follow` in the folder and kills it (SIGKILL) after a random while, so many times or until it is done; then
lets it finish. A process of its own, since only one without threads may fork safely. Prints how often it was killed.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from importlib import import_module

from segdsl.cli.main import run

ARGUMENTS = ["follow", "--state", "state.db", "-o", "changes.jsonl", "--batch", "7"]


def child() -> int:
    process = os.fork()
    if process == 0:
        devnull = os.open(os.devnull, os.O_WRONLY)
        os.dup2(devnull, 2)
        os._exit(run([*ARGUMENTS, *sys.argv[4:]]))
    return process


def main() -> int:
    folder, times, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    os.chdir(folder)
    chance = random.Random(seed)
    # So that a child has little to do before it begins.
    for module in ("segdsl.cli.commands.follow", "segdsl.project", "segdsl.stream.stream", "duckdb", "psycopg"):
        import_module(module)

    killed = 0
    for _ in range(times):
        process = child()
        time.sleep(chance.choice([0.02, 0.05, 0.1, 0.2]) * (0.5 + chance.random()))
        os.kill(process, signal.SIGKILL)
        _, status = os.waitpid(process, 0)
        killed += os.WIFSIGNALED(status)
    _, status = os.waitpid(child(), 0)
    print(killed)
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main())
