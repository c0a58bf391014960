"""Enrich: what the registry and the map say of each accepted fix, looked up once per batch."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from detectors.activity import DRIVING, Pieces, drive
from detectors.limits import ROAD_LIMIT, Parameters
from detectors.meanwhile import NOTHING, Meanwhile
from detectors.roads import ROAD_MATCH, Roads
from detectors.ways import Ways
from detectors.zones import Least, Zones
from ingest.batch import Bool, Float64, Int8, Int32, Int64
from ingest.gate import Accepted
from ingest.moment import BEIJING_MS, DAY_MS, HOUR_MS
from ingest.registry import CLASSES, Registry
from ingest.table import RegistryError

T = TypeVar("T")

NIGHT_FROM_MS = 22 * HOUR_MS
NIGHT_TO_MS = 6 * HOUR_MS


@dataclass(frozen=True, slots=True)
class Around:
    """Registry and map of a batch, for what not every batch is asked; each question is answered once."""

    registry: Registry
    zones: Zones
    ways: Ways
    roads: Roads
    answers: dict[tuple[str, ...], Any]
    meanwhile: Meanwhile = NOTHING


@dataclass(frozen=True, slots=True)
class Enriched(Accepted):
    """Accepted fixes with what rules ask of them, shape (n,).

    Attributes
    ----------
    entry : int32
        Registry row that holds at the fix's time; -1 where the vehicle is not registered then.
    kind : uint8
        Index of the class letter in ``registry.CLASSES``; ``NO_CLASS`` where not registered.
    crew : int32
        Drivers the vehicle is registered with; 0 where not registered.
    exempt : bool
        Exempt from the rule of the small hours.
    limit_kmh : float64
        The road's limit, or the class default where no road is known; NaN without a class [km/h].
    limit_fence : int32
        The ``road`` fence that holds the fix with the least limit; -1 where none does.
    limit_road : int32
        The road line that set the limit, a row of ``registry.roads``; -1 where none did. Where neither a fence nor
        a road did, the fix is unmatched.
    road : int32
        The road line that the fix is on, whatever set its limit; -1 where it is on none. See `roads`.
    pieces : Pieces
        Driving, as told by the pairs that end at these fixes.
    around : Around
        What `inside`, `paper` and `driver_paper` are answered from.
    """

    entry: Int32
    kind: Int8
    crew: Int32
    exempt: Bool
    limit_kmh: Float64
    limit_fence: Int32
    limit_road: Int32
    road: Int32
    pieces: Pieces
    around: Around

    def once(self, key: tuple[str, ...], ask: Callable[[], T]) -> T:
        """The answer to a question, worked out when it is first asked of the batch."""
        answers = self.around.answers
        if key not in answers:
            answers[key] = ask()
        found: T = answers[key]
        return found

    def least(self, fence: str) -> Least:
        """Least limit of the fences of this kind that hold each fix at its time, for the vehicle's class, (n,).

        Without a limit a fence's is 0; of equal ones the first sets it.
        """
        zones, place = self.around.zones, (self.lon, self.lat, self.time_ms, self.kind)
        return self.once(("least", fence), lambda: zones.least(fence, *place))

    def inside(self, fence: str) -> Int32:
        """The fence of `least`, (n,), an index into ``registry.fences``; -1 where none holds the fix."""
        return self.least(fence).fence

    def paper(self, table: str, sort: str = "") -> Int32:
        """Row of ``registry.papers[table]`` that holds for the vehicle at each fix, (n,); -1 where none does."""
        papers = self.around.registry.papers[table]
        return self.once(("paper", table, sort), lambda: papers.holding(self.vehicle, self.time_ms, sort))

    def driver_paper(self, table: str, sort: str = "") -> Int32:
        """Row of a table of the staff that holds for each fix's driver, (n,); -1 where none does, or without driver."""
        papers = self.around.registry.papers[table]
        return self.once(("driver_paper", table, sort), lambda: papers.holding(self.driver, self.time_ms, sort))

    def columns(self) -> dict[str, Any]:
        """Columns by name, and the pieces."""
        return {name: column for name, column in Accepted.columns(self).items() if name != "around"}

    def part(self, rows: Int64) -> "Enriched":
        """Some rows, all of a vehicle or none, and their pieces; nothing has been asked of it yet."""
        columns = self.columns()
        pieces = columns.pop("pieces")
        place = np.full(len(self), -1)
        place[rows] = np.arange(len(rows))
        row = place.take(pieces["row"])
        pieces = pieces[row >= 0]
        pieces["row"] = row[row >= 0]
        columns = {name: column.take(rows) for name, column in columns.items()}
        return Enriched(**columns, pieces=pieces, around=replace(self.around, answers={}))

    def of_class(self, letters: str) -> Bool:
        """Where the vehicle is of one of these classes, (n,)."""
        wanted = np.array([letter in letters for letter in CLASSES] + [False])
        return wanted.take(self.kind)

    def at_night(self) -> Bool:
        """Where Beijing clocks show 22:00 to before 06:00, (n,)."""
        clock = (self.time_ms + BEIJING_MS) % DAY_MS
        return (clock >= NIGHT_FROM_MS) | (clock < NIGHT_TO_MS)


class Lookup:
    """Registry, zones and shared parameters, ready to be asked for columns.

    Attributes
    ----------
    letters : uint8, (registered vehicles,)
        Classes that a vehicle is registered with at any time, as bits by their place in ``registry.CLASSES``.
    """

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.letters: Int8 = np.zeros(len(registry.first) - 1, np.uint8)
        entries = registry.entries
        np.bitwise_or.at(self.letters, entries.vehicle[:-1], np.left_shift(1, entries.kind[:-1]).astype(np.uint8))
        self.zones = Zones(registry.fences)
        self.ways = Ways(registry)
        self.road_limit = Parameters("road_limit", ROAD_LIMIT, registry)
        self.road_match = Parameters("road_match", ROAD_MATCH, registry)
        self.roads = Roads(registry.roads, self.road_match.sets)
        self.driving = Parameters("driving", DRIVING, registry)
        for numbers in self.driving.sets:
            if numbers["near_dm"] <= numbers["yard_dm"]:
                source = next(row.row for row in registry.overrides if row.group == "driving")
                expected = f"driving near_dm above yard_dm ({numbers['yard_dm']}): a yard move hides in no gap"
                raise RegistryError(source.path, source.line, "value", expected, int(numbers["near_dm"]))

    def enrich(
        self, accepted: Accepted, activity: NDArray[np.void], matching: NDArray[np.void], meanwhile: Meanwhile = NOTHING
    ) -> Enriched:
        """Look everything up for a batch.

        Parameters
        ----------
        accepted : Accepted, (n,)
        activity, matching : structured array of ``ACTIVITY``, of ``MATCH``, (vehicles,)
            The states of `activity.drive` and of `Roads.match`, changed in place.
        meanwhile : Meanwhile
            The batch itself.
        """
        registry, entries = self.registry, self.registry.entries
        time_ms = accepted.time_ms
        entry = registry.entry(accepted.vehicle, time_ms)
        kind = entries.kind.take(entry)
        place = accepted.lon, accepted.lat, time_ms, kind
        fenced = self.zones.least("road", *place)
        road = self.roads.match(accepted, kind, self.road_match.index(entry, time_ms), matching)
        limit_road = np.where(fenced.fence >= 0, np.int32(-1), road)
        limit_kmh = np.where(fenced.fence >= 0, fenced.limit_kmh, self.roads.limit_kmh.take(road))
        number = self.road_limit.index(entry, time_ms)
        cap_kmh, default_kmh = (self.road_limit.sets[name].take(number) for name in ("cap_kmh", "default_kmh"))
        known = (fenced.fence >= 0) | (road >= 0)
        limit_kmh = np.where(known, np.minimum(cap_kmh, limit_kmh), default_kmh)
        return Enriched(
            **accepted.columns(),
            entry=entry,
            kind=kind,
            crew=entries.drivers.take(entry),
            exempt=entries.small_hours_exempt.take(entry),
            limit_kmh=limit_kmh,
            limit_fence=fenced.fence,
            limit_road=limit_road,
            road=road,
            around=Around(registry, self.zones, self.ways, self.roads, {}, meanwhile),
            pieces=drive(accepted, self.driving.sets, self.driving.index(entry, time_ms), activity),
        )
