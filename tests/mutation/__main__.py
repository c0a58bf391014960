"""Mutation testing of the gate and the verbs: ``python -m tests.mutation [FILE ...]``.

Prints what survives, line by line, then a table; see ``docs/mutation.md``.
"""

import argparse
import sys
import tempfile
from collections import Counter
from importlib import import_module
from pathlib import Path

from tests.mutation.operators import mutants
from tests.mutation.run import BROKEN, SURVIVED, TIMED_OUT, judge

GATE = "tests/ingest/test_gate.py"
VERBS, ACTIVITY, COUNTERS, TOTALS = (
    f"tests/detectors/test_{name}.py" for name in ("verbs", "activity", "counters", "totals")
)
FILES = {
    "ingest/gate.py": GATE,
    "ingest/geodesy.py": GATE,
    "detectors/verbs.py": VERBS,
    "detectors/activity.py": ACTIVITY,
    "detectors/counters.py": COUNTERS,
    "detectors/totals.py": TOTALS,
    "detectors/found.py": VERBS,
}
"""What is changed, and the tests that know it best and are asked first."""
UNIT = (GATE, VERBS, ACTIVITY, COUNTERS, TOTALS)
LAWS = "tests/laws/test_laws.py"
WIDE = (
    *(f"{LAWS}::{test}" for test in ("test_examples_hold", "test_vehicles_do_not_see_each_other")),
    *(f"tests/test_truth.py::test_random_streams_with_all_the_dirt[{seed}]" for seed in range(4)),
)
PRELOADED = ("numba", "numpy", "shapely", "msgspec", "tests.reading.replay", "tests.streams", "_pytest.monkeypatch")


def main() -> int:
    """Judge every mutant of the files; the answer is 1 where one survives."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("files", nargs="*", default=[*FILES], metavar="FILE")
    parser.add_argument("--unit", action="store_true", help="only the unit tests, without laws and streams")
    parser.add_argument("--lines", default="", help="only these lines, as 10 or 10-25")
    options = parser.parse_args()
    first, _, last = options.lines.partition("-")
    for name in PRELOADED:
        import_module(name)
    tests = UNIT if options.unit else (*UNIT, *WIDE)
    table: dict[str, Counter[str]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "pytest"
        healthy = judge(None, None, tests, folder)
        if healthy != SURVIVED:
            print(f"the tests fail without any change: {healthy}")
            return 2
        for file in options.files:
            counts = table[file] = Counter()
            for mutant in mutants(Path(file).read_text(encoding="utf-8")):
                if first and not int(first) <= mutant.line <= int(last or first):
                    continue
                killer = judge(Path(file), mutant, sorted(tests, key=lambda test: test != FILES.get(file)), folder)
                counts["mutants"] += 1
                counts[_class(killer)] += 1
                if killer == SURVIVED:
                    print(f"{file}:{mutant.line}: {mutant.before}  ->  {mutant.after}", flush=True)
    columns = ("mutants", "unit", "wide", TIMED_OUT, SURVIVED)
    print("| file | " + " | ".join(columns) + " |")
    for file, counts in table.items():
        print(f"| {file} | " + " | ".join(str(counts[column]) for column in columns) + " |")
    return int(any(counts[SURVIVED] for counts in table.values()))


def _class(killer: str) -> str:
    """Column of the table."""
    if killer in (SURVIVED, TIMED_OUT):
        return killer
    return "unit" if killer == BROKEN or killer.startswith(UNIT) else "wide"


if __name__ == "__main__":
    sys.exit(main())
