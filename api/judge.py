"""Judge: the engine under one version of the registry, with what it takes to read frames and name names."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import psycopg

from detectors.catalogue import CATALOGUE
from detectors.counted import Counted
from detectors.engine import Engine, Result
from detectors.found import WARNED, Fact, Found, places
from detectors.kind import Kind
from detectors.packing import from_bytes, pack, to_bytes, unpack
from ingest.batch import Int32, Int64
from ingest.frames import Decoded, Decoder
from ingest.log import Frame
from ingest.moment import DAY_MS
from ingest.profile import Profile
from ingest.registry import Registry
from ledger import fixes, vehicles
from ledger.casebook import Episode
from ledger.checkpoints import Checkpoint, Slab
from ledger.fixes import Origin
from ledger.warned import Warned

SLAB_VEHICLES = 1_000
"""Vehicles whose state is packed together."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What frames held, and what was found in it."""

    decoded: Decoded
    origin: Origin
    vehicle_id: Int32
    result: Result


class Judge:
    """Engine, decoder and numbers of vehicles under one version of the registry."""

    def __init__(
        self,
        connection: psycopg.Connection,
        version: int,
        registry: Registry,
        partitions: int,
        profiles: Mapping[str, Profile],
        kinds: Mapping[str, Kind] = CATALOGUE,
        *,
        second: bool = False,
    ) -> None:
        self.connection, self.version = connection, version
        self.engine = Engine(registry, kinds, second=second)
        self.decoder = Decoder(registry.vehicles, partitions, profiles)
        self._number = np.zeros(0, np.int32)
        self._counted = Counted(registry)

    def judge(self, frames: Sequence[Frame]) -> Judged:
        """Read frames and carry all state through them."""
        decoded = self.decoder.decode(frames)
        offset = np.array([frame.offset for frame in frames], np.int64)[decoded.frame]
        partition = np.array([frame.partition for frame in frames], np.int32)[decoded.frame]
        logged_ms = np.array([frame.received_ms for frame in frames], np.int64)[decoded.frame]
        number = self._numbers(decoded.batch.vehicle)
        result = self.engine.detect(decoded.batch, decoded.among)
        return Judged(decoded, Origin(partition, offset, decoded.row, logged_ms), number, result)

    def _numbers(self, vehicle: Int32) -> Int32:
        """Permanent numbers of vehicle rows, (n,)."""
        self._make_room()
        names = self.engine.registry.vehicles.names
        unknown = np.unique(vehicle[self._number[vehicle] == 0])
        if len(unknown):
            self._number[unknown] = vehicles.numbers(self.connection, [names[row] for row in unknown])
        found: Int32 = self._number[vehicle]
        return found

    def _make_room(self) -> None:
        """Let there be a number, and state, for every vehicle."""
        more = len(self.engine.registry.vehicles) - len(self._number)
        if more > 0:
            self._number = np.concatenate([self._number, np.zeros(more, np.int32)])
        self.engine.states.reserve(len(self._number))

    def heard(self, partition: int) -> Int64:
        """Rows of the vehicles of a partition that have been heard of, (m,)."""
        number = self._number
        return np.flatnonzero((number > 0) & (self.decoder.home()[: len(number)] == partition))

    def slabs(self, partition: int) -> list[Slab]:
        """State of a partition, packed."""
        rows = self.heard(partition)
        parts = [rows[at : at + SLAB_VEHICLES] for at in range(0, len(rows), SLAB_VEHICLES)]
        return [Slab(self._number[part].tolist(), to_bytes(pack(self.engine, part))) for part in parts]

    def restore(self, checkpoint: Checkpoint) -> frozenset[str]:
        """Take up the state of a checkpoint; names the tables that it does not have, or not as they are now."""
        missing: frozenset[str] = frozenset()
        for slab in checkpoint.slabs:
            rows = self.rows(slab.vehicles)
            missing |= unpack(self.engine, rows, from_bytes(slab.content))
        return missing & frozenset(self.engine.states)

    def rows(self, numbers: Sequence[int]) -> Int64:
        """Rows of vehicles by their permanent numbers, (m,); they count as heard of."""
        table = self.engine.registry.vehicles
        rows = np.array([table.row(*name) for name in vehicles.names(self.connection, numbers)], np.int64)
        self._make_room()
        self._number[rows] = numbers
        return rows

    def take_over(self, partition: int, other: "Judge") -> None:
        """Let a partition's vehicles come over from another version of the registry, state and all."""
        theirs = other.heard(partition)
        if len(theirs):
            rows = self.rows(other._number[theirs].tolist())
            unpack(self.engine, rows, pack(other.engine, theirs))

    def forget(self, partition: int) -> None:
        """Drop the state of a partition."""
        rows = self.heard(partition)
        self.engine.states.forget(rows)
        self._number[rows] = 0

    @property
    def vehicles(self) -> int:
        """How many vehicles have been heard of."""
        return int((self._number > 0).sum())

    @property
    def state_bytes(self) -> int:
        """Size of the state of all vehicles, heard of or registered [B]."""
        return self.engine.states.bytes_held(len(self.engine.registry.vehicles))

    def warm_up(self, partition: int, missing: frozenset[str], window_s: float, offset: int) -> int:
        """Work out state that no checkpoint holds from the fixes that are stored; returns how many there were.

        A second engine runs through the partition's fixes of a window that ends at an offset; of its
        state the missing tables are taken, what it finds is dropped.
        """
        since_ms = fixes.last_logged_ms(self.connection, partition, offset) - int(window_s * 1000)
        engine = Engine(self.engine.registry, self.engine.kinds)
        count = 0
        for batch, number, _ in fixes.read(self.connection, partition, since_ms, offset):
            known, inverse = np.unique(number, return_inverse=True)
            batch.vehicle[:] = self.rows(known.tolist())[inverse]
            engine.detect(batch)
            count += len(batch)
        rows = self.heard(partition)
        engine.states.reserve(len(self._number))
        for name in missing & set(engine.states):
            self.engine.states.put(name, rows, engine.states.rows(name, rows))
        return count

    def episodes(self, judged: Judged) -> list[Episode]:
        """What was found, in the ledger's words, in the order in which it was found."""
        return [
            episode
            for code, rows in judged.result.found.items()
            if len(rows)
            for episode in self.told(code, rows[rows["fact"] != WARNED])
        ]

    def warnings(self, judged: Judged) -> list[Warned]:
        """What could be seen coming, in the ledger's words, in the order in which it was seen."""
        return [
            warning
            for code, rows in judged.result.found.items()
            if (rows["fact"] == WARNED).any()
            for warning in self._warned(code, rows[rows["fact"] == WARNED])
        ]

    def told(self, code: str, rows: Found) -> Iterator[Episode]:
        """Rows that a kind found, in the ledger's words."""
        kind = self.engine.kinds[code]
        merge_ms = self._merge_ms(code, rows)
        for at, (row, common) in enumerate(self._common(code, rows)):
            yield Episode(
                **common,
                fact=Fact(int(row["fact"])),
                begins_ms=int(row["begins_ms"]),
                raised_ms=int(row["raised_ms"]),
                ends_ms=int(row["ends_ms"]),
                severity=int(row["severity"]),
                lead=bool(row["lead"]),
                measures=kind.measures(row) | places(row, self.engine.registry),
                merge_ms=int(merge_ms[at]),
            )

    def _warned(self, code: str, rows: Found) -> Iterator[Warned]:
        kind = self.engine.kinds[code]
        named: frozenset[str] = frozenset() if kind.warns is None else kind.warns.places[0]
        for row, common in self._common(code, rows):
            begins_ms, warned_ms = int(row["begins_ms"]), int(row["raised_ms"])
            measures = kind.measures(row) | places(row, self.engine.registry)
            name, fence = common["name"], str(measures.get("fence", ""))
            counted = self._counted.of(kind, name.plate, name.color, begins_ms, fence)
            ends_ms = int(row["ended_ms"]) if "ended_ms" in (row.dtype.names or ()) else 0
            yield Warned(
                **common,
                begins_ms=begins_ms,
                warned_ms=warned_ms,
                due_ms=max(warned_ms, ends_ms) + DAY_MS,
                measures={name: value for name, value in counted.items() if name in named} | measures,
            )

    def _common(self, code: str, rows: Found) -> Iterator[tuple[Any, dict[str, Any]]]:
        """Each row with what the ledger keeps of an episode and of a warning alike: whose, where, by which rule."""
        engine, kind, registry = self.engine, self.engine.kinds[code], self.engine.registry
        party = registry.entries.party[registry.entry(rows["vehicle"], rows["raised_ms"])]
        place = (rows["lon"], rows["lat"], rows["begins_ms"], np.zeros(len(rows), np.uint8))
        county = engine.lookup.zones.least("county", *place).fence
        for at, row in enumerate(rows):
            yield (
                row,
                {
                    "vehicle_id": int(self._number[row["vehicle"]]),
                    "name": registry.vehicles.names[row["vehicle"]],
                    "kind": code,
                    "lon": float(row["lon"]),
                    "lat": float(row["lat"]),
                    "company": registry.parties[party[at]].company,
                    "county": registry.parties[party[at]].county,
                    "place_county": registry.fences[county[at]].id if county[at] >= 0 else "",
                    "rule_version": kind.version,
                    "registry_version": self.version,
                },
            )

    def _merge_ms(self, code: str, rows: Found) -> Int64:
        """How far apart episodes of a kind may lie to be one violation, by the parameters of their begin, (m,) [ms]."""
        parameters = self.engine.parameters[code]
        if "merge_ms" not in (parameters.sets.dtype.names or ()):
            return np.zeros(len(rows), np.int64)
        entry = self.engine.registry.entry(rows["vehicle"], rows["begins_ms"])
        fence = rows["fence"] if parameters.fenced and "fence" in (rows.dtype.names or ()) else None
        found: Int64 = parameters.columns(entry, rows["begins_ms"], fence)["merge_ms"]
        return found
