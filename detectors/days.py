"""Days: what is tallied of each vehicle and Beijing day, from all fixes received, whatever the gate said of them.

The stream keeps them while it runs; a day that is closed later makes them anew of its stored fixes, by the same
functions. Kinds of scope ``day`` and assessment read the same sheets.

Source: rulebook §2 (track accounting), §5.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.found import Found
from detectors.passages import Passages
from ingest.batch import MISSING_MS, Batch, Bool, Float64, Int8, Int32, Int64
from ingest.gate import Accepted, Verdict, flaws
from ingest.geodesy import distance_dm, jumps
from ingest.kernel import kernel
from ingest.moment import BEIJING_MS, DAY_MS, HOUR_MS
from ingest.registry import CLASSES, Registry
from ingest.timetable import Timetable

CONTINUOUS, INCOMPLETE, JUMPING = 1, 2, 3
"""Classes of a pair of consecutive located fixes; 0 for none."""

SILENT_MS = 300_000
FAR_DM = 20_000
"""A pair that is farther apart than this, in time [ms] and in distance [dm], is incomplete."""

FAST_KMH = 160.0
"""Above this a fix that the gate lets pass is no qualified record [km/h]."""

FLAWS = ("time", "place", "speed", "heading", "altitude")
"""What can be wrong with a record, in the order of the bits of `gate.flaws`."""

SHEET = np.dtype(
    [
        ("day_ms", "i8"),
        ("continuous_dm", "i8"),
        ("incomplete_dm", "i8"),
        ("driven_dm", "i8"),
        ("lon", "f8"),
        ("lat", "f8"),
        ("vehicle", "i4"),
        ("received", "i4"),
        ("accepted", "i4"),
        ("unqualified", "i4"),
        ("drift", "i4"),
        *((f"{flaw}_flaws", "i4") for flaw in FLAWS),
    ],
    align=True,
)
"""One vehicle's Beijing day.

day_ms : its 00:00
received : fixes, whatever became of them
accepted : those that passed the gate
unqualified : those that its step 1 refused, or above `FAST_KMH`
..._flaws : unqualified ones that have this flaw; one may have several
drift : jumping pairs of located fixes
continuous_dm, incomplete_dm : distance of the other pairs of located fixes
driven_dm : distance of the pairs of accepted fixes
lon, lat : where its first located fix was; NaN where none was
"""

TRACK = ("continuous_dm", "incomplete_dm", "driven_dm", "lon", "lat", "accepted", "drift")
"""Columns of a sheet that a second pass settles anew."""

PLACE = np.dtype([("time_ms", "i8"), ("lon", "f8"), ("lat", "f8"), ("known", "u1")], align=True)
"""A vehicle's last located fix."""


@kernel
def _pairs(
    order: Int64,
    vehicle: Int32,
    time_ms: Int64,
    received_ms: Int64,
    lon: Float64,
    lat: Float64,
    verdict: Int8,
    last: NDArray[np.void],
    day: Int64,
    pair: Int8,
    pair_dm: Int64,
) -> None:
    """Tell each fix's day, and the class and distance of the pair of located fixes that it ends; in arrival order."""
    for position in range(len(order)):
        row = order[position]
        own = last[vehicle[row]]
        moment = time_ms[row]
        if moment == MISSING_MS:
            moment = received_ms[row]
        if moment == MISSING_MS and own.known:
            moment = own.time_ms
        day[row] = moment if moment == MISSING_MS else moment - (moment + BEIJING_MS) % DAY_MS
        if verdict[row] != 0 and verdict[row] != 7:
            continue
        if own.known:
            apart = distance_dm(own.lon, own.lat, lon[row], lat[row])
            gap = time_ms[row] - own.time_ms
            pair_dm[row] = apart
            if jumps(apart, gap):
                pair[row] = 3
            elif gap > SILENT_MS and apart > FAR_DM:
                pair[row] = 2
            else:
                pair[row] = 1
        own.known = 1
        own.time_ms = time_ms[row]
        own.lon = lon[row]
        own.lat = lat[row]


@dataclass(frozen=True, slots=True)
class Day:
    """A Beijing day that is closed, over vehicles, (v,).

    Attributes
    ----------
    day_ms : int
        Its 00:00.
    vehicle : int32, (v,)
        Rows of the vehicles, ascending: all that are registered or were heard of, where the day is whole and some fix
        was accepted; on other days those of which something was received.
    sheets : structured array of ``SHEET``, (v,)
        Counts are zero for a vehicle of which nothing was received, its place is NaN.
    entry : int32, (v,)
        Registry row that holds in the day's last millisecond; -1 where none does.
    first_entry : int32, (v,)
        The one that holds in its first.
    whole : bool
        Somebody was heard before its 01:00, and somebody from its 23:00 on, that day or on other days.
    heard_ratio : float
        Vehicles of which a fix was accepted on this day, among those of which one was on any day of the input.
    registry : Registry
    passages : Passages
        When vehicles were at the stops of their trips, of all days.
    """

    day_ms: int
    vehicle: Int32
    sheets: NDArray[np.void]
    entry: Int32
    first_entry: Int32
    whole: bool
    heard_ratio: float
    registry: Registry
    passages: Passages

    def __len__(self) -> int:
        return len(self.sheets)

    @property
    def end_ms(self) -> int:
        """Its 24:00."""
        return self.day_ms + DAY_MS

    @property
    def time_ms(self) -> Int64:
        """When parameters, classes and exemptions are looked up: the day's last millisecond, (v,)."""
        return np.full(len(self), self.end_ms - 1)

    def of_class(self, letters: str, entry: Int32 | None = None) -> Bool:
        """Where the vehicle is of one of these classes, at the day's end unless other rows are given, (v,)."""
        wanted = np.array([letter in letters for letter in CLASSES] + [False])
        found: Bool = wanted[self.registry.entries.kind[self.entry if entry is None else entry]]
        return found

    def papers(self, table: str, least_ms: Int64) -> Bool:
        """Whether some row of a table of vehicles holds for this long within the day, (v,)."""
        papers, longest = self.registry.papers[table], np.zeros(len(self.registry.vehicles), np.int64)
        inside = np.minimum(papers.to_ms, self.end_ms) - np.maximum(papers.from_ms, self.day_ms)
        held = inside > 0
        np.maximum.at(longest, papers.holder[held], inside[held])
        found: Bool = (longest[self.vehicle] > 0) & (longest[self.vehicle] >= least_ms)
        return found


def whole_day(day: Day, rows: Int64, severity: int | Int8, dtype: np.dtype[np.void]) -> Found:
    """Episodes that are a whole day: they begin at 00:00, are raised and end at 24:00.

    Parameters
    ----------
    rows : int64, (m,)
        Of the day, of vehicles that have one, ascending.
    severity : int or uint8, (m,)

    Returns
    -------
    Found of the dtype, (m,)
        Columns that the sheet has as well are its; others are the caller's to fill. The place is that of the day's
        first located fix.
    """
    found: Found = np.zeros(len(rows), dtype)
    found["vehicle"], found["severity"] = day.vehicle[rows], severity
    found["begins_ms"], found["raised_ms"], found["ends_ms"] = day.day_ms, day.end_ms, day.end_ms
    for name in set(found.dtype.names or ()) & set(SHEET.names or ()) - {"vehicle"}:
        found[name] = day.sheets[name][rows]
    return found


class Days:
    """Sheets of vehicles and days, as fixes come.

    Attributes
    ----------
    sheets : structured array of ``SHEET``, (s,)
        In the order in which vehicles and days were first met.
    passages : Passages
        Of the timetable that is given.
    """

    def __init__(self, timetable: Timetable | None = None) -> None:
        self.passages = Passages(timetable or Timetable())
        self.sheets: NDArray[np.void] = np.zeros(0, SHEET)
        self._rows: dict[tuple[int, int], int] = {}
        self._last: NDArray[np.void] = np.zeros(0, PLACE)
        self._first_ms, self._last_ms = np.iinfo(np.int64).max, MISSING_MS

    def add(self, batch: Batch, verdict: Int8, accepted: Accepted) -> None:
        """Tally a batch.

        Parameters
        ----------
        batch : Batch, (n,)
            In arrival order.
        verdict : uint8, (n,)
            What the gate said of each.
        accepted : Accepted, (m,)
            What it let pass.
        """
        self.passages.add(accepted)
        n = len(batch)
        most = int(batch.vehicle.max(initial=-1)) + 1
        if most > len(self._last):
            grown = np.zeros(max(most, len(self._last) * 3 // 2), PLACE)
            grown[: len(self._last)] = self._last
            self._last = grown
        day, pair, pair_dm = np.full(n, MISSING_MS), np.zeros(n, np.uint8), np.zeros(n, np.int64)
        _pairs(
            batch.by_vehicle(),
            batch.vehicle,
            batch.time_ms,
            batch.received_ms,
            batch.lon,
            batch.lat,
            verdict,
            self._last,
            day,
            pair,
            pair_dm,
        )
        rows = np.flatnonzero(day != MISSING_MS)
        if not len(rows):
            return
        driven_dm = np.zeros(n, np.int64)
        driven_dm[accepted.at] = accepted.distance_dm
        sheet = self._sheet(batch.vehicle[rows].astype(np.int64), day[rows])
        self._tally(sheet, batch.take(rows), verdict[rows], pair[rows], pair_dm[rows], driven_dm[rows])

    def _sheet(self, vehicle: Int64, day: Int64) -> Int64:
        """Row of each fix's sheet, new ones where there was none, (n,)."""
        order = np.lexsort((day, vehicle))
        fresh = np.ones(len(order), np.bool_)
        fresh[1:] = (np.diff(vehicle[order]) != 0) | (np.diff(day[order]) != 0)
        first, rows = order[fresh], self._rows
        keys = zip(vehicle[first].tolist(), day[first].tolist(), strict=True)
        found = np.array([rows.setdefault(key, len(rows)) for key in keys], np.int64)
        old = len(self.sheets)
        if len(rows) > old:
            self.sheets = np.concatenate([self.sheets, np.zeros(len(rows) - old, SHEET)])
            new = found >= old
            self.sheets["vehicle"][found[new]] = vehicle[first[new]]
            self.sheets["day_ms"][found[new]] = day[first[new]]
            for name in ("lon", "lat"):
                self.sheets[name][old:] = np.nan
        sheet = np.empty(len(order), np.int64)
        sheet[order] = found[np.cumsum(fresh) - 1]
        return sheet

    def _tally(self, sheet: Int64, batch: Batch, verdict: Int8, pair: Int8, pair_dm: Int64, driven_dm: Int64) -> None:
        """Add fixes to their sheets; all (n,)."""
        sheets = self.sheets

        def count(name: str, where: Bool) -> None:
            np.add.at(sheets[name], sheet[where], 1)

        def sum_up(name: str, dm: Int64, where: Bool) -> None:
            np.add.at(sheets[name], sheet[where], dm[where])

        flaw = flaws(batch)
        flaw[batch.speed_kmh > FAST_KMH] |= 1 << FLAWS.index("speed")
        count("received", np.ones(len(sheet), np.bool_))
        count("accepted", verdict == Verdict.ACCEPTED)
        count("unqualified", flaw != 0)
        for bit, name in enumerate(FLAWS):
            count(f"{name}_flaws", (flaw >> bit & 1) != 0)
        count("drift", pair == JUMPING)
        sum_up("continuous_dm", pair_dm, pair == CONTINUOUS)
        sum_up("incomplete_dm", pair_dm, pair == INCOMPLETE)
        sum_up("driven_dm", driven_dm, driven_dm > 0)
        located = np.flatnonzero((verdict == Verdict.ACCEPTED) | (verdict == Verdict.DRIFT))
        if not len(located):
            return
        first, at = np.unique(sheet[located], return_index=True)
        unplaced = np.isnan(sheets["lon"][first])
        first, at = first[unplaced], located[at[unplaced]]
        sheets["lon"][first], sheets["lat"][first] = batch.lon[at], batch.lat[at]
        received = batch.received_ms[located]
        moment = np.where(received != MISSING_MS, received, batch.time_ms[located])
        self._first_ms, self._last_ms = min(self._first_ms, int(moment.min())), max(self._last_ms, int(moment.max()))

    def tracked(self, second: "Days") -> "Days":
        """The same days, their tracks being those of a second pass over their fixes; see `second`."""
        found = Days()
        found.passages, found._rows = second.passages, self._rows
        found._first_ms, found._last_ms = self._first_ms, self._last_ms
        found.sheets = self.sheets.copy()
        keys = zip(second.sheets["vehicle"].tolist(), second.sheets["day_ms"].tolist(), strict=True)
        rows = np.array([self._rows[key] for key in keys], np.int64)
        for name in TRACK:
            found.sheets[name] = np.nan if name in ("lon", "lat") else 0
            found.sheets[name][rows] = second.sheets[name]
        return found

    def close(self, registry: Registry) -> Iterator[Day]:
        """All days on which anything was received, in order."""
        order = np.argsort(self.sheets["day_ms"], kind="stable")
        days, begin = np.unique(self.sheets["day_ms"][order], return_index=True)
        ever = self._ever()
        for day_ms, rows in zip(days.tolist(), np.split(order, begin)[1:], strict=True):
            yield self._day(registry, day_ms, rows, ever)

    def day(self, registry: Registry, day_ms: int) -> Day:
        """One day, by its 00:00."""
        return self._day(registry, day_ms, np.flatnonzero(self.sheets["day_ms"] == day_ms), self._ever())

    def _ever(self) -> int:
        """Of how many vehicles a fix was accepted."""
        return len(np.unique(self.sheets["vehicle"][self.sheets["accepted"] > 0]))

    def _day(self, registry: Registry, day_ms: int, rows: Int64, ever: int) -> Day:
        own = self.sheets[rows]
        heard = int((own["accepted"] > 0).sum())
        whole = self._first_ms < day_ms + HOUR_MS and self._last_ms >= day_ms + 23 * HOUR_MS
        absent = heard > 0 and whole
        vehicle = np.arange(len(registry.vehicles)) if absent else np.sort(own["vehicle"])
        sheets = np.zeros(len(vehicle), SHEET)
        sheets["vehicle"], sheets["day_ms"] = vehicle, day_ms
        sheets["lon"] = sheets["lat"] = np.nan
        sheets[np.searchsorted(vehicle, own["vehicle"])] = own
        return Day(
            day_ms=day_ms,
            vehicle=sheets["vehicle"],
            sheets=sheets,
            entry=registry.entry(sheets["vehicle"], np.full(len(vehicle), day_ms + DAY_MS - 1)),
            first_entry=registry.entry(sheets["vehicle"], np.full(len(vehicle), day_ms)),
            whole=whole,
            heard_ratio=heard / max(1, ever),
            registry=registry,
            passages=self.passages,
        )
