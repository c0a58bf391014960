"""Close: days judged once more by what came late, for the vehicles of which something did.

What a second pass finds is the same however often it is made; what was judged by the same fixes and rules before is
passed over. It starts from an empty state three days before the day.
"""

import hashlib
import logging
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import psycopg

from api.judge import Judge
from detectors.catalogue import CATALOGUE
from detectors.found import WARNED, Found
from detectors.second import BACK_DAYS, LATER, entering
from dispatch.reports.facts import beijing_day, day_before
from ingest.batch import Int8, no_fixes
from ingest.moment import DAY_MS, midnight_ms
from ingest.ticks import NO_TICKS, TICK_MS, Clock, Ticks
from ledger import closings, fixes, positions, registries
from ledger.casebook import Episode
from ledger.closings import Closing, Done, Heard, Late
from ledger.database import in_words

WARM_UP_MS, BEHIND_MS = 3 * DAY_MS, DAY_MS
"""From how long before a day its fixes are judged, and until how long after it [ms]."""

REMEMBERS_LONGER = frozenset({"V07", "V27"})
"""Kinds that may hang on what was before the three days: where the last V07 began, what a terminal told of its load."""

EVERY_S = 1800.0
"""How often it is looked after days that are to be closed [s]."""

_log = logging.getLogger("warnloop.close")

KINDS = {code: kind for code, kind in CATALOGUE.items() if kind.scope == "vehicle" and code not in REMEMBERS_LONGER}


class Closer:
    """Closes days under the newest version of the registry."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self.connection = connection
        self.version, _ = registries.latest(connection)
        registry = registries.load(connection, self.version)
        self.judge = Judge(connection, self.version, registry, 1, {}, KINDS, second=True)
        rules = f"{self.version} {sorted((code, kind.version) for code, kind in KINDS.items())}"
        self._rules = rules.encode()

    def close(self, day: date) -> Done:
        """Judge a day once more of all vehicles of which something came late."""
        done = [self._close(day, one) for one in closings.late(self.connection, day)]
        return Done(sum(one.revisions for one in done), sum(one.withdrawn for one in done))

    def _close(self, day: date, late: Late) -> Done:
        begin_ms = midnight_ms(day)
        from_ms, to_ms = begin_ms - WARM_UP_MS, begin_ms + DAY_MS + BEHIND_MS
        until_ms = to_ms + BACK_DAYS * DAY_MS  # later ones tell when those of the day arrived
        batch, verdict, stored = fixes.heard(self.connection, late.vehicle_id, from_ms, until_ms)
        tick_ms = min(positions.read(self.connection, late.partition).tick_ms, to_ms)
        counts = batch.time_ms < to_ms
        digest = hashlib.sha256(self._rules + stored[counts].tobytes() + str(tick_ms).encode()).digest()
        if closings.is_closed(self.connection, day, late.vehicle_id, digest):
            return Done(0, 0)
        rows = entering(batch, verdict)
        rows = rows[counts[rows]]
        if not _is_new(batch.time_ms[rows], verdict[rows], begin_ms):
            return Done(0, 0)
        (row,) = self.judge.rows([late.vehicle_id])
        batch.vehicle[:] = row
        found = self._found(batch.take(rows), tick_ms)
        self.judge.engine.states.forget(np.array([row]))
        end_ms = begin_ms + DAY_MS
        episodes = [one for one in found if one.begins_ms < end_ms and one.ends_ms >= begin_ms]
        heard = Heard(late.partition, len(stored), from_ms, until_ms)
        return closings.keep(
            self.connection,
            Closing(day, late.vehicle_id, tuple(KINDS), begin_ms, end_ms, episodes, self.version, heard, digest),
        )

    def _found(self, batch: Any, tick_ms: int) -> list[Episode]:
        """Episodes as they are in the end; of a log without ticks, without those that only silence raises."""
        engine = self.judge.engine
        clock = Clock(own=True) if tick_ms > 0 else NO_TICKS
        parts = [engine.detect(batch, clock).found]
        last_ms = int(batch.time_ms[-1])
        first_ms = (last_ms // TICK_MS + 1) * TICK_MS
        if tick_ms >= first_ms:
            row = batch.vehicle[:1]
            after = Ticks(
                np.zeros(1, np.int64), np.array([first_ms]), np.array([tick_ms // TICK_MS * TICK_MS]),
                np.zeros(1, np.int32), np.zeros(int(row[0]) + 1, np.int32),
            )  # fmt: skip
            parts.append(engine.detect(no_fixes(), after).found)
        return [
            episode
            for code in KINDS
            for episode in self.judge.told(code, _last(np.concatenate([part[code] for part in parts])))
        ]


def _is_new(time_ms: Any, verdict: Int8, begin_ms: int) -> bool:
    """Whether something enters that came late, of this day."""
    of_day = (time_ms >= begin_ms) & (time_ms < begin_ms + DAY_MS)
    return bool((of_day & np.isin(verdict, LATER)).any())


def _last(rows: Found) -> Found:
    """The last row of each episode, in order."""
    rows = rows[rows["fact"] != WARNED]
    last = {int(begins_ms): at for at, begins_ms in enumerate(rows["begins_ms"])}
    return rows[sorted(last.values())]


def due(connection: psycopg.Connection, now: datetime) -> list[date]:
    """Days that are over, and of which something may have come late since they were closed: those of the last week."""
    newest = day_before(beijing_day(now))
    return [day for day in closings.days(connection) if newest - timedelta(days=BACK_DAYS) <= day <= newest]


def job(connection: psycopg.Connection) -> None:
    """Close what is due, the earliest day first.

    Raises
    ------
    DatabaseError
    """
    with in_words():
        if days := due(connection, datetime.now(UTC)):
            closer = Closer(connection)
            for day in days:
                done = closer.close(day)
                _log.info("closed %s: %d revisions, %d withdrawn", day, done.revisions, done.withdrawn)
