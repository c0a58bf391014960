"""Storm: workers that die, hang and are cut off at random while frames arrive."""

import signal
import time
from contextlib import closing
from dataclasses import dataclass
from random import Random

import psycopg

from ledger.tablelog import TableLog
from tests.crash.ground import Ground
from tests.crash.nursery import STEPS, Child, Plan

SCENARIOS = 6
"""Different scenarios; the storms on one differ as well."""

CUT = """
SELECT count(pg_terminate_backend(pid)) FROM (
    SELECT pid FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = 'warnloop'
    ORDER BY random() LIMIT %s
) AS chosen
"""


@dataclass(slots=True)
class Damage:
    """What was done to workers."""

    lives: int = 0
    deaths: int = 0
    hangs: int = 0
    cuts: int = 0
    fenced: int = 0
    troubles: int = 0

    def __add__(self, other: "Damage") -> "Damage":
        return Damage(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))


class _Storm:
    def __init__(self, ground: Ground, seed: int, url: str, sabotage: str) -> None:
        self.ground, self.random, self.url, self.sabotage = ground, Random(f"storm {seed}"), url, sabotage
        self.damage = Damage()
        self.alive: list[Child] = []
        self.hanging: set[Child] = set()

    def spawn(self) -> None:
        random = self.random
        die = (random.choice(STEPS), random.randint(1, 12)) if random.random() < 0.6 else None
        plan = Plan(
            self.url, die=die, frames=random.choice((1, 2, 3, 9)), checkpoint_s=random.choice((0, 0, 0.03, 1e6)),
            silence_s=0.3, idle_s=0.5, sabotage=self.sabotage,
        )  # fmt: skip
        self.alive.append(self.ground.nursery.spawn(plan))
        self.damage.lives += 1

    def sweep(self) -> None:
        """Note who has died."""
        for child in [child for child in self.alive if child.ended()]:
            self.note(child)

    def note(self, child: Child) -> None:
        told = child.wait()
        self.alive.remove(child)
        self.hanging.discard(child)
        self.damage.deaths += told.code != 0
        self.damage.fenced += int(told.metrics.get("warnloop_fenced", 0))
        self.damage.troubles += int(told.metrics.get("warnloop_troubles", 0))

    def strike(self) -> None:
        """Do something to one of them."""
        random = self.random
        child, what = random.choice(self.alive), random.random()
        if what < 0.3:
            child.send(signal.SIGKILL)
            child.ended(5.0)
        elif what < 0.6:
            if child in self.hanging:
                self.hanging.remove(child)
                child.send(signal.SIGCONT)
            else:
                self.hanging.add(child)
                child.send(signal.SIGSTOP)
                self.damage.hangs += 1
        elif what < 0.75:
            with psycopg.connect(self.url, autocommit=True) as connection:
                row = connection.execute(CUT, (random.randint(1, 3),)).fetchone()
                self.damage.cuts += int(row[0]) if row else 0

    def blow(self, rounds: int) -> None:
        for _ in range(rounds):
            self.sweep()
            while len(self.alive) < 3 and (not self.alive or self.random.random() < 0.6):
                self.spawn()
            time.sleep(self.random.choice((0.01, 0.05, 0.1, 0.2)))
            self.strike()

    def calm(self) -> None:
        """Let those who live come to their end."""
        for child in list(self.alive):
            child.send(signal.SIGCONT)
        for child in list(self.alive):
            self.note(child)


def storm(ground: Ground, seed: int, *, rounds: int = 12, sabotage: str = "") -> Damage:
    """Let a storm go over a scenario, and hold what is left against the undisturbed run.

    Half of the frames lie ready, the others arrive meanwhile.
    """
    random, own = Random(f"arrivals {seed}"), seed % SCENARIOS
    scenario = ground.scenario(own)
    truth_first = ground.undisturbed(own)
    assert truth_first
    with ground.empty() as url:
        at = len(scenario.frames) // 2
        scenario.lay(url, at)
        over = _Storm(ground, seed, url, sabotage)
        while at < len(scenario.frames):
            over.blow(rounds // 4)
            end = at + random.randint(1, len(scenario.frames) // 4)
            with closing(TableLog(url)) as log:
                log.append(scenario.frames[at:end])
            at = end
        over.blow(rounds // 4)
        over.calm()
        ground.drain(Plan(url, sabotage=sabotage))
        ground.check(url, own)
    return over.damage
