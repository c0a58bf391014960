"""Late: what papers handed in afterwards clear, by judging once more what led to a violation."""

from collections.abc import Mapping

import numpy as np
import psycopg

from api.judge import Judge
from detectors.engine import Engine
from detectors.found import WARNED
from detectors.kind import Kind
from ingest.batch import Batch
from ingest.log import partition_of
from ingest.moment import BEIJING_MS, DAY_MS
from ingest.registry import Registry
from ledger import fixes, late
from ledger.casebook import Withdrawal
from ledger.late import Candidate


class Again:
    """Judges violations once more, under the registry before a change and under the one after it.

    A violation is cleared where its fixes, from the day before it on, raise it under the former and nothing that
    overlaps it under the latter. What is not raised any more under the former, because its fixes are gone, stays;
    so does what is cleared in part.

    Parameters
    ----------
    before, after : Registry
    """

    def __init__(
        self, connection: psycopg.Connection, before: Registry, after: Registry, kinds: Mapping[str, Kind]
    ) -> None:
        self.connection, self.registries, self.kinds = connection, (before, after), kinds
        self._engines: dict[tuple[str, int], Engine] = {}

    def is_cleared(self, violation: Candidate) -> bool:
        """Whether a violation is none any more."""
        from_ms = (violation.begins_ms + BEIJING_MS) // DAY_MS * DAY_MS - BEIJING_MS - DAY_MS
        to_ms = max(violation.raised_ms, violation.ends_ms)
        batch = fixes.of_vehicle(self.connection, violation.vehicle_id, from_ms, to_ms)
        return self._raises(violation, batch, 0) and not self._raises(violation, batch, 1)

    def _raises(self, violation: Candidate, batch: Batch, which: int) -> bool:
        engine = self._engines.get((violation.kind, which))
        if engine is None:
            engine = Engine(self.registries[which], {violation.kind: self.kinds[violation.kind]})
            self._engines[violation.kind, which] = engine
        row = engine.registry.vehicles.row(violation.plate, violation.plate_color)
        batch.vehicle[:] = row
        found = engine.detect(batch).found[violation.kind]
        engine.states.forget(np.array([row]))
        begins, ends = found["begins_ms"] <= violation.ends_ms, found["ends_ms"] >= violation.begins_ms
        return bool(((found["fact"] != WARNED) & begins & ends).any())


def withdrawals(
    connection: psycopg.Connection, before: Judge, after: Judge, partition: int, partitions: int
) -> list[Withdrawal]:
    """Violations of a partition's vehicles that are none any more by what a newer version of the registry changes."""
    kinds, version = after.engine.kinds, after.version
    if version <= before.version:
        return []
    again = Again(connection, before.engine.registry, after.engine.registry, kinds)
    return [
        Withdrawal(violation.id, violation.reason(version), version)
        for violation in late.candidates(connection, kinds, before.version, version)
        if partition_of(violation.plate, violation.plate_color, partitions) == partition and again.is_cleared(violation)
    ]
