"""Nursery: workers that cost next to nothing, forked from a process in which everything is compiled already.

As a program it takes orders on its input, one a line: a `Plan` in JSON to fork a worker, whose number it
answers, or a number, whose end it awaits and tells. It opens no connection and no thread, so that the
fork is sound. When its input ends it kills whom it has made.
"""

import json
import logging
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

PROJECT = Path(__file__).parents[2]
STEPS = (
    "restore", "detect", "fence", "copy", "fixes", "quarantine", "pipeline", "violations", "commit", "pack", "slabs", "checkpoint",
    "trim",
)  # fmt: skip
"""What a worker tells of; and within ``fixes`` ``copy``, when half is sent, within ``violations`` ``pipeline``."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a worker is to do.

    Attributes
    ----------
    log, database : str
        URLs; of the database if left out the log's.
    die, freeze : (str, int) or None
        Step, and at which of its occurrences, at which it kills or stops itself.
    frames : int
        Most frames that a poll takes from a partition.
    silence_s, idle_s, lock_s : float
        After how long its log takes another reader for dead; the database ends its pause in a transaction,
        and its waiting for a lock [s].
    without, newer : tuple of str
        Kinds that its program does not have; that it has in another version.
    sabotage : str
        What is broken on purpose, see `tests.crash.sabotage`.
    """

    log: str
    database: str = ""
    die: tuple[str, int] | None = None
    freeze: tuple[str, int] | None = None
    drain: bool = True
    frames: int = 4
    checkpoint_s: float = 0.0
    warm_up_s: float = 1e9
    patience_s: float = 60.0
    silence_s: float = 30.0
    beat_s: float = 0.02
    idle_s: float = 20.0
    lock_s: float = 30.0
    statement_s: int = 60
    without: tuple[str, ...] = ()
    newer: tuple[str, ...] = ()
    sabotage: str = ""
    notes: str = ""


@dataclass(slots=True)
class Told:
    """How a worker ended.

    Attributes
    ----------
    code : int
        Exit code; minus the signal that killed it.
    metrics : dict
        Totals of its counters, where it came to its end in order.
    """

    code: int
    metrics: dict[str, float] = field(default_factory=dict)


def work(plan: Plan) -> None:
    """Be a worker."""
    import api.pauses
    import api.worker
    import ledger.database
    import ledger.tablelog
    from api.metrics import Metrics
    from detectors.catalogue import CATALOGUE

    logging.basicConfig(filename=plan.notes, level=logging.INFO, force=True)
    api.pauses.SHORTEST_S, api.pauses.LONGEST_S, api.worker.POLL_S = 0.02, 0.2, 0.02
    ledger.tablelog._POLL_FRAMES = plan.frames
    ledger.database._SESSION["lock_timeout"] = f"{int(plan.lock_s * 1000)}ms"
    ledger.database._SESSION["idle_in_transaction_session_timeout"] = f"{int(plan.idle_s * 1000)}ms"
    if plan.sabotage:
        from tests.crash import sabotage

        getattr(sabotage, plan.sabotage)()
    kinds = {code: kind for code, kind in CATALOGUE.items() if code not in plan.without}
    kinds |= {code: replace(kinds[code], version=kinds[code].version + 1) for code in plan.newer}
    passed: dict[str, int] = {}

    def step(name: str) -> None:
        passed[name] = passed.get(name, 0) + 1
        if plan.die and (name, passed[name]) == tuple(plan.die):
            os.kill(os.getpid(), signal.SIGKILL)
        if plan.freeze and (name, passed[name]) == tuple(plan.freeze):
            os.kill(os.getpid(), signal.SIGSTOP)

    settings = api.worker.Settings(
        plan.database or plan.log, pace_s=0.0, checkpoint_s=plan.checkpoint_s, tick_s=0.0, patience_s=plan.patience_s,
        statement_s=plan.statement_s, warm_up_s=plan.warm_up_s, drain=plan.drain, kinds=kinds,
    )  # fmt: skip
    metrics = Metrics()
    pauses = api.pauses.Pauses(plan.patience_s)
    while True:
        try:
            log = ledger.tablelog.TableLog(plan.log, patience_s=plan.silence_s, beat_s=plan.beat_s)
            break
        except ledger.database.DatabaseError as error:
            pauses.bear(error)
    worker = api.worker.Worker(log, settings, metrics, step)
    midst = {name for name, _ in filter(None, (plan.die, plan.freeze))}
    if "copy" in midst:
        _halve_copies(step)
    if "pipeline" in midst:
        _halve_pipelines(step)
    worker.run()
    told = {
        "_".join([sample.name.removesuffix("_total"), *sample.labels.values()]): sample.value
        for family in metrics.registry.collect()
        if family.type == "counter"
        for sample in family.samples
        if sample.name.endswith("_total")
    }
    Path(plan.notes).with_suffix(".json").write_text(
        json.dumps(told | {f"step_{name}": n for name, n in passed.items()})
    )


def _halve_copies(step: Callable[[str], None]) -> None:
    """Tell of each copy when half of it has been sent."""
    import psycopg

    whole = psycopg.Copy.write

    def write(self: "psycopg.Copy", buffer: memoryview) -> None:
        whole(self, buffer[: len(buffer) // 2])
        step("copy")
        whole(self, buffer[len(buffer) // 2 :])

    psycopg.Copy.write = write  # type: ignore[method-assign, assignment]


def _halve_pipelines(step: Callable[[str], None]) -> None:
    """Tell of each pipeline when all is sent but the request for an answer."""
    import psycopg

    whole = psycopg.Pipeline._sync_gen

    def sync(self: "psycopg.Pipeline") -> Any:
        if self.level == 1 and self.pgconn.transaction_status == psycopg.pq.TransactionStatus.ACTIVE:
            yield from self._communicate_gen()
            step("pipeline")
        yield from whole(self)

    psycopg.Pipeline._sync_gen = sync  # type: ignore[method-assign]


def _compile() -> None:
    """Let every kernel be compiled, and every module be there, before the first fork."""
    from io import BytesIO

    import api.replay
    import api.worker
    from detectors.engine import Engine
    from tests.crash.scenario import file_of, scenario

    one = scenario(1, fixes=300, versions=1)
    episodes, _ = api.replay.replay(BytesIO(file_of(one)), "x.ndjson", Engine(one.sources[0].registry()))
    list(episodes)


def _main() -> None:
    _compile()
    print("ready", flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        if isinstance(order, int):
            _, status = os.waitpid(order, 0)
            print(os.waitstatus_to_exitcode(status), flush=True)
            continue
        child = os.fork()
        if child == 0:
            code = 1
            try:
                os.setpgid(0, 0)
                work(Plan(**order))
                code = 0
            except BaseException:
                logging.exception("worker gave up")
            finally:
                logging.shutdown()
                os._exit(code)
        print(child, flush=True)


class Child:
    """A worker that a nursery has forked."""

    def __init__(self, nursery: "Nursery", pid: int, plan: Plan) -> None:
        self.nursery, self.pid, self.plan = nursery, pid, plan
        self._handle = os.pidfd_open(pid)
        self.told: Told | None = None

    def ended(self, within_s: float = 0.0) -> bool:
        """Whether it has come to its end, waiting for it a while."""
        if self.told is not None:
            return True
        if not select.select([self._handle], [], [], within_s)[0]:
            return False
        os.close(self._handle)
        code = int(self.nursery.order(self.pid))
        path = Path(self.plan.notes).with_suffix(".json")
        self.told = Told(code, json.loads(path.read_text()) if path.exists() else {})
        self.nursery.children.discard(self)
        return True

    def wait(self, within_s: float = 60.0, *, gives_up: bool = False) -> Told:
        """How it ended; in order or killed, unless it is to give up."""
        if not self.ended(within_s):
            self.send(signal.SIGCONT)
            self.send(signal.SIGKILL)
            self.ended(5.0)
            raise AssertionError(f"worker did not end in {within_s} s: {self.notes()[-3000:]}")
        assert self.told is not None
        assert self.told.code in ((1,) if gives_up else (0, -signal.SIGKILL)), self.notes()[-6000:]
        return self.told

    def send(self, number: signal.Signals) -> None:
        if self.told is None:
            signal.pidfd_send_signal(self._handle, number)

    def frozen(self, within_s: float = 20.0) -> bool:
        """Whether it has stopped itself; not if it came to its end before."""
        until = time.monotonic() + within_s
        while not self.ended():
            if Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T":
                return True
            assert time.monotonic() < until, f"neither stopped nor ended: {self.notes()[-3000:]}"
            time.sleep(0.002)
        return False

    def notes(self) -> str:
        path = Path(self.plan.notes)
        return path.read_text() if path.exists() else ""


class Nursery:
    """A process that forks workers, as seen from outside."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._count = folder, 0
        self.children: set[Child] = set()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.nursery"], cwd=PROJECT, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        assert self._answer() == "ready"

    def _answer(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def order(self, order: Any) -> str:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def spawn(self, plan: Plan) -> Child:
        """Let a worker begin."""
        self._count += 1
        plan = replace(plan, notes=str(self.folder / f"worker{self._count}.log"))
        child = Child(self, int(self.order(asdict(plan))), plan)
        self.children.add(child)
        return child

    def live(self, plan: Plan, within_s: float = 60.0) -> Told:
        """Let a worker live its whole life."""
        return self.spawn(plan).wait(within_s)

    @contextmanager
    def cared(self) -> Iterator[None]:
        """See that nobody is left behind."""
        try:
            yield
        finally:
            for child in list(self.children):
                child.send(signal.SIGKILL)
                child.ended(5.0)

    def close(self) -> None:
        with self.cared():
            pass
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()


if __name__ == "__main__":
    _main()
