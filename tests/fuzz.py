"""`make fuzz CASES=20000`: the agreement tests in rounds, each in a process and with a seed of its own.

So many cases (a rule over a world) are run by Python and on every database that is executed.

Rounds, because Hypothesis remembers every choice of a run to avoid repeating it: one run of 100,000 cases
would fill the memory. Prints a line a round; stops at the first disagreement, whose output it shows.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

ROUND = 3000
FILES = ["tests/test_agreement.py", "tests/test_engines.py"]
TESTS = ["python_and_duckdb_agree", "text_columns", "typed_columns", "a_database_and_python_agree"]


def run(seed: int) -> tuple[int, int, str]:
    """One round: its seed, exit code and output."""
    command = [sys.executable, "-m", "pytest", *FILES, "-x", "-q", f"--hypothesis-seed={seed}"]
    environment = {**os.environ, "SEGDSL_CASES": str(ROUND)}
    done = subprocess.run([*command, "-k", " or ".join(TESTS)], capture_output=True, text=True, env=environment)
    return seed, done.returncode, done.stdout


def main() -> int:
    cases = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    first = random.randrange(2**31)
    seeds = range(first, first + -(-cases // ROUND))
    started = time.monotonic()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for count, (seed, code, output) in enumerate(pool.map(run, seeds), 1):
            if code:
                print(output)
                print(f"seed {seed} found a disagreement")
                pool.shutdown(cancel_futures=True)
                return 1
            print(f"{count * ROUND} cases agree, {time.monotonic() - started:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
