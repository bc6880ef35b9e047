"""Every fact of the shared data sets on every database: whether it is told, and in what time.

python benchmarks/facts.py [DATABASE...]
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.support.databases import DATABASES
from tests.support.facts import KINDS, facts, stored, told


def main() -> int:
    wrong = 0
    for name in sys.argv[1:] or [each for each in DATABASES if each != "duckdb"]:  # that one reads the files themselves
        for dataset in KINDS:
            started = time.perf_counter()
            catalog = stored(name, dataset)
            print(f"{name}: {dataset} loaded in {time.perf_counter() - started:.1f} s", flush=True)
            for fact in (fact for fact in facts() if fact["dataset"] == dataset):
                started = time.perf_counter()
                right = told(catalog, fact) == (fact["count"], fact["ids_md5"])
                wrong += not right
                seconds = time.perf_counter() - started
                print(f"{name:10} {fact['id']:4} {'equal' if right else 'DIFFERENT'} {seconds:8.2f} s", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
