"""Live: where vehicles are and what has just happened; one thread looks for all who watch."""

import logging
import time
from dataclasses import dataclass, field
from threading import Event, Lock, Thread
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.batch import MISSING_MS, Bool, Float64, Int8, Int32, Int64
from ingest.registry import Party, Vehicle
from ingest.table import RegistryError
from ledger import registries
from ledger.database import DatabaseError, connect, in_words
from ledger.directory import EMPTY, Directory, load
from ledger.principal import Principal, Role
from ledger.tail import BACK_MS, Tail, feed_number

log = logging.getLogger("warnloop.live")

FEED_S, FIXES_S, REGISTRY_S = 0.2, 1.0, 10.0
"""How often the feed, fixes and the registry are looked at [s]."""

STALE_MS = 60_000
"""Without a fix for longer, the picture is stale [ms]."""

ONLINE_MS = 600_000
"""A vehicle that was heard of within this is online [ms]."""

STATEMENT_S = 30
"""How long a look may take [s]."""


@dataclass(slots=True)
class Columns:
    """Last position of every vehicle; place in the columns is the vehicle's number.

    Attributes
    ----------
    time_ms, received_ms : int64, (n,)
        `MISSING_MS` where nothing is known [ms].
    severity : uint8, (n,)
        Of the gravest open violation, 0 for none.
    party : int32, (n,)
        Whose it is: place in the registry's parties.
    changed : int64, (n,)
        Round of the last change.
    """

    time_ms: Int64
    received_ms: Int64
    lon: Float64
    lat: Float64
    speed_kmh: Float64
    heading_deg: Float64
    severity: Int8
    party: Int32
    changed: Int64

    @classmethod
    def empty(cls, n: int) -> "Columns":
        """N vehicles of which nothing is known."""
        missing = np.full(n, MISSING_MS, np.int64)
        unknown = np.full(n, np.nan)
        return cls(
            missing, missing.copy(), unknown, unknown.copy(), unknown.copy(), unknown.copy(),
            np.zeros(n, np.uint8), np.zeros(n, np.int32), np.zeros(n, np.int64),
        )  # fmt: skip

    def grown(self, n: int) -> "Columns":
        """The same with room for n vehicles."""
        more = Columns.empty(n - len(self.time_ms))
        return Columns(*(np.concatenate([getattr(self, name), getattr(more, name)]) for name in self.__slots__))


@dataclass(frozen=True, slots=True)
class Picture:
    """Vehicles of a principal, as they were at one moment.

    Attributes
    ----------
    round : int
        To ask for what changes after it.
    vehicles : list
        Rows as ``docs/api.md`` describes them.
    feed_age_s : float or None
        Since the newest fix of anybody was received [s].
    """

    round: int
    time_ms: int
    feed_age_s: float | None
    vehicles: list[list[Any]]

    def told(self) -> dict[str, Any]:
        """As the API tells it."""
        return {
            "time_ms": self.time_ms,
            "stale": Live.is_stale(self.feed_age_s),
            "feed_age_s": self.feed_age_s,
            "vehicles": self.vehicles,
        }


@dataclass(slots=True)
class Live:
    """What this process knows of the present.

    Attributes
    ----------
    url : str
        Of the database.
    directory : Directory
        Of the newest registry; replaced, never changed.
    feed_number : int
        Last number of the feed.
    """

    url: str
    directory: Directory = EMPTY
    feed_number: int = 0
    _columns: Columns = field(default_factory=lambda: Columns.empty(1))
    _names: list[Vehicle] = field(default_factory=lambda: [Vehicle("", 0)])  # numbers begin at 1
    _round: int = 0
    _lock: Lock = field(default_factory=Lock)
    _stop: Event = field(default_factory=Event)
    _ready: Event = field(default_factory=Event)
    _thread: Thread | None = None

    def start(self) -> None:
        """Begin to look."""
        self._thread = Thread(target=self._run, name="live", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End looking."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(STATEMENT_S)

    def wait(self, timeout_s: float) -> bool:
        """Wait for the first look; whether there was one."""
        return self._ready.wait(timeout_s)

    # --- what is asked ----------------------------------------------------------------------------------------------

    def _mine(self, principal: Principal) -> Bool:
        """Which parties of the registry a principal may see the vehicles of, (parties,)."""
        parties = self.directory.registry.parties
        if principal.role in (Role.CENTRE, Role.OPERATOR):
            return np.ones(len(parties), np.bool_)
        if principal.role is Role.COUNTY:
            return np.array([party.county == principal.tenant for party in parties], np.bool_)
        return np.array([party.company == principal.tenant for party in parties], np.bool_)

    def seen(self, principal: Principal) -> Bool:
        """Which vehicles a principal may see, (n,); number 0 is nobody's. The lock must be held."""
        seen: Bool = self._mine(principal)[self._columns.party]
        seen[0] = False
        return seen

    @property
    def age_s(self) -> float | None:
        """How long ago the newest fix of the whole feed was received; None where there was none [s].

        Of all vehicles, whoever asks: those of a small company may all be parked, which is no fault of the feed.
        """
        with self._lock:
            newest = int(self._columns.received_ms.max(initial=MISSING_MS))
        return None if newest == MISSING_MS else max(0.0, round(time.time() - newest / 1000, 1))

    @staticmethod
    def is_stale(age_s: float | None) -> bool:
        """Whether nothing has come for too long."""
        return age_s is None or age_s * 1000 > STALE_MS

    def picture(self, principal: Principal, after: int = -1) -> Picture:
        """Vehicles of a principal that have changed after a round, and were heard of in the last day."""
        now_ms, age_s = time.time_ns() // 1_000_000, self.age_s
        with self._lock:
            seen, columns = self.seen(principal), self._columns
            chosen = np.flatnonzero(seen & (columns.changed > after) & (columns.time_ms >= now_ms - BACK_MS))
            return Picture(self._round, now_ms, age_s, self._rows(chosen))

    def _rows(self, chosen: NDArray[np.intp]) -> list[list[Any]]:
        columns, parties = self._columns, self.directory.registry.parties
        numbers = [
            np.round(columns.lon[chosen], 6).tolist(),
            np.round(columns.lat[chosen], 6).tolist(),
            _known(columns.speed_kmh[chosen]),
            _known(columns.heading_deg[chosen]),
            columns.time_ms[chosen].tolist(),
            columns.severity[chosen].tolist(),
        ]
        owners = [parties[party] for party in columns.party[chosen].tolist()]
        return [
            [number, self._names[number].plate, owner.kind, owner.company, owner.county, *rest]
            for number, owner, *rest in zip(chosen.tolist(), owners, *numbers, strict=True)
        ]

    def classes(self) -> dict[int, str]:
        """Class letter of every vehicle that is registered now, by number."""
        with self._lock:
            letters = [party.kind for party in self.directory.registry.parties]
            return {
                number: letters[party] for number, party in enumerate(self._columns.party.tolist()) if letters[party]
            }

    def vehicles_of(self, classes: str) -> list[int]:
        """Numbers of the vehicles of some classes."""
        with self._lock:
            parties = self.directory.registry.parties
            wanted = np.array([bool(party.kind) and party.kind in classes for party in parties], np.bool_)
            return [int(number) for number in np.flatnonzero(wanted[self._columns.party])]

    def standing(self, principal: Principal) -> list[tuple[str, str, bool, bool]]:
        """Class, county, whether online, whether at a station, of every vehicle of a principal that is registered."""
        now_ms = time.time_ns() // 1_000_000
        with self._lock:
            columns, directory = self._columns, self.directory
            chosen = np.flatnonzero(self.seen(principal))
            online = (columns.received_ms[chosen] >= now_ms - ONLINE_MS).tolist()
            parked = directory.at_station(columns.lon[chosen], columns.lat[chosen]).tolist()
            owners = [directory.registry.parties[party] for party in columns.party[chosen].tolist()]
            silent = self._silent(principal, now_ms)
        return [
            (owner.kind, owner.county, is_online, is_parked and is_online)
            for owner, is_online, is_parked in zip(owners, online, parked, strict=True)
            if owner.kind
        ] + [(owner.kind, owner.county, False, False) for owner in silent]

    def _silent(self, principal: Principal, now_ms: int) -> list[Party]:
        """Whose the vehicles are that are registered now and were never heard of. The lock must be held."""
        registry, mine, heard = self.directory.registry, self._mine(principal), set(self._names)
        rows = np.arange(len(registry.vehicles), dtype=np.int32)
        party = registry.entries.party[registry.entry(rows, np.full(len(rows), now_ms, np.int64))]
        names = registry.vehicles.names
        return [registry.parties[party[row]] for row in np.flatnonzero(mine[party]) if names[row] not in heard
                and registry.parties[party[row]].kind]  # fmt: skip

    # --- how it comes to know -----------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with connect(self.url, statement_s=STATEMENT_S) as connection, in_words():
                    self._look(Tail(connection), connection)
            except (DatabaseError, RegistryError) as error:
                log.warning("%s", error)
                self._stop.wait(1.0)

    def _look(self, tail: Tail, connection: Any) -> None:
        """Look until it is time to stop.

        Raises
        ------
        DatabaseError, RegistryError
        """
        now_ms = time.time_ns() // 1_000_000
        last = tail.begin(now_ms)
        self._take_names(tail)
        self._take_registry(connection)
        self._take(last)
        fixes_at = registry_at = time.monotonic()
        while not self._stop.is_set():
            self.feed_number = feed_number(connection)
            now = time.monotonic()
            if now >= fixes_at:
                for rows in tail.poll(time.time_ns() // 1_000_000):
                    self._take_names(tail)
                    self._take(rows)
                self._take_severities(tail)
                fixes_at = now + FIXES_S
            if now >= registry_at:
                self._take_registry(connection)
                registry_at = now + REGISTRY_S
            self._ready.set()
            self._stop.wait(FEED_S)

    def _take_names(self, tail: Tail) -> None:
        found = tail.vehicles(len(self._names) - 1)
        if not found:
            return
        most = found[-1][0]
        with self._lock:
            known = len(self._names)
            self._names.extend([Vehicle("", 0)] * (most + 1 - known))
            for number, name in found:
                self._names[number] = name
            if most >= len(self._columns.time_ms):
                self._columns = self._columns.grown(2 * most + 2)
            self._columns.party[known:] = len(self.directory.registry.parties) - 1
            self._place(known)

    def _take_registry(self, connection: Any) -> None:
        version, _ = registries.latest(connection)
        directory = self.directory if version == self.directory.version else load(connection, version)
        with self._lock:
            before = [self.directory.registry.parties[party] for party in self._columns.party.tolist()]
            self.directory = directory
            self._columns.party[:] = len(directory.registry.parties) - 1
            self._place(1)
            after = [directory.registry.parties[party] for party in self._columns.party.tolist()]
            moved = np.array([old != new for old, new in zip(before, after, strict=True)])
            if moved.any():
                self._round += 1
                self._columns.changed[moved] = self._round

    def _place(self, first: int) -> None:
        """Look up whose the vehicles from a number on are now."""
        found = self.directory.parties(self._names[first:], time.time_ns() // 1_000_000)
        self._columns.party[first : first + len(found)] = found

    def _take(self, rows: NDArray[np.void]) -> None:
        """Let fixes, in the order of the log, move their vehicles."""
        if not len(rows):
            return
        vehicle = rows["vehicle_id"].astype(np.int64)
        order = np.lexsort((np.arange(len(rows)), rows["time_ms"].astype(np.int64), vehicle))
        last = order[np.append(vehicle[order][1:] != vehicle[order][:-1], True)]
        rows, vehicle = rows[last], vehicle[last]
        with self._lock:
            columns = self._columns
            newer = rows["time_ms"] >= columns.time_ms[vehicle]
            rows, vehicle = rows[newer], vehicle[newer]
            self._round += 1
            for name in ("time_ms", "received_ms", "lon", "lat", "speed_kmh", "heading_deg"):
                getattr(columns, name)[vehicle] = rows[name]
            columns.changed[vehicle] = self._round

    def _take_severities(self, tail: Tail) -> None:
        severity = np.zeros(len(self._columns.severity), np.uint8)
        for vehicle, gravest in tail.open_severities():
            if vehicle < len(severity):
                severity[vehicle] = gravest
        with self._lock:
            changed = severity != self._columns.severity
            if changed.any():
                self._round += 1
                self._columns.severity[:] = severity
                self._columns.changed[changed] = self._round


def _known(column: Float64) -> list[float | None]:
    """Values of a column, (n,), rounded; None for those that are no finite number."""
    return [round(value, 1) if np.isfinite(value) else None for value in column.tolist()]
