"""Zones: which fences hold each fix, decided once per batch.

A grid over the fences says for most places which fences hold them entirely; fixes in a cell that a
boundary crosses are compared with its edges, and where rounding could decide, with the shape itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from detectors.edges import INSIDE, UNSURE, edges_of, sides
from ingest.batch import Float64, Int8, Int32, Int64
from ingest.fences import Fence
from ingest.kernel import kernel
from ingest.registry import CLASSES

MOST_CELLS = 1 << 9
"""Cells along each side of a grid, at most; always a power of two."""

MOST_MEMBERS = 1 << 23
"""Pairs of fence and cell that a grid may hold, roughly: many large fences get larger cells."""

EDGE_DEG = 1e-9
"""Cells are tested this much larger than they are, so that rounding never loses a fence [deg]."""


@dataclass(frozen=True, slots=True)
class Least:
    """The least limit among the fences that hold each fix, (n,), and the first fence that sets it.

    Attributes
    ----------
    limit_kmh : float64
        Infinite where no fence holds the fix, 0 for fences without a limit [km/h].
    fence : int32
        Index into the fences; -1 where none holds the fix.
    """

    limit_kmh: Float64
    fence: Int32


class Grid:
    """Fences by grid cell, for one kind of fence or a few."""

    def __init__(self, fences: Sequence[Fence], chosen: Sequence[int]) -> None:
        self.chosen = np.array([*chosen, -1], np.int32)
        self.shapes = [fences[at].shape for at in chosen]
        shapely.prepare(self.shapes)
        self.edges = edges_of(self.shapes)
        self.from_ms = np.array([fences[at].from_ms for at in chosen], np.int64)
        self.to_ms = np.array([fences[at].to_ms for at in chosen], np.int64)
        limit = np.array([fences[at].limit_kmh for at in chosen], np.float64)
        self.limit_kmh = np.where(np.isnan(limit), 0.0, limit)
        self.classes = np.array(
            [sum(1 << CLASSES.index(letter) for letter in fences[at].classes) for at in chosen], np.uint8
        )
        west, south, east, north = shapely.total_bounds(self.shapes)
        self.west, self.south = float(west), float(south)
        self.cells = self._finest(max(float(east - west) * float(north - south), 1e-12))
        self.per_lon = self.cells / max(float(east - west) * (1 + 1e-9), 1e-6)
        self.per_lat = self.cells / max(float(north - south) * (1 + 1e-9), 1e-6)
        self._fill()

    def _finest(self, area: float) -> int:
        """Cells along a side, so that the fences' boxes [deg²] do not take too many of them in all."""
        bounds = shapely.bounds(self.shapes)
        share = float(((bounds[:, 2] - bounds[:, 0]) * (bounds[:, 3] - bounds[:, 1])).sum()) / area
        cells = MOST_CELLS
        while cells > 16 and share * cells**2 > MOST_MEMBERS:
            cells //= 2
        return cells

    def _boxes(self, column: Int64, row: Int64, size: int) -> NDArray[np.object_]:
        west, south = self.west + column / self.per_lon, self.south + row / self.per_lat
        east, north = west + size / self.per_lon, south + size / self.per_lat
        return np.asarray(shapely.box(west - EDGE_DEG, south - EDGE_DEG, east + EDGE_DEG, north + EDGE_DEG))

    def _cells(self, shape: object) -> tuple[Int64, NDArray[np.bool_]]:
        """Cells that a shape touches, and whether it covers them, found by halving squares."""
        cells, covered = [], []
        column, row, size = np.zeros(1, np.int64), np.zeros(1, np.int64), self.cells
        while len(column):
            boxes = self._boxes(column, row, size)
            touched = shapely.intersects(shape, boxes)
            inside = np.zeros(len(boxes), np.bool_)
            inside[touched] = shapely.covers(shape, boxes[touched])
            done = touched & (inside | (size == 1))
            if done.any():
                spread = np.arange(size)
                at = (row[done, None, None] + spread[:, None]) * self.cells + column[done, None, None] + spread
                cells.append(at.ravel())
                covered.append(np.repeat(inside[done], size * size))
            split = touched & ~done
            size //= 2
            column = (column[split, None] + np.array([0, size, 0, size])).ravel()
            row = (row[split, None] + np.array([0, 0, size, size])).ravel()
        return np.concatenate(cells), np.concatenate(covered)

    def _fill(self) -> None:
        found = [self._cells(shape) for shape in self.shapes]
        cell = np.concatenate([cells for cells, _ in found])
        member = np.repeat(np.arange(len(found)), [len(cells) for cells, _ in found])
        sure = np.concatenate([covered for _, covered in found])
        order = np.argsort(cell, kind="stable")
        self.member = np.where(sure, member, ~member)[order].astype(np.int32)
        self.start = np.searchsorted(cell[order], np.arange(self.cells**2 + 1)).astype(np.int32)

    def least(self, lon: Float64, lat: Float64, time_ms: Int64, kind: Int8) -> Least:
        """Find the least limit among the fences that hold each fix.

        Parameters
        ----------
        lon, lat : float64, (n,)
            [deg].
        time_ms : int64, (n,)
            Fences are dated [ms].
        kind : uint8, (n,)
            Class index; a fix without a class is in no fence.
        """
        n = len(lon)
        limit, fence = np.full(n, np.inf), np.full(n, -1, np.int32)
        doubtful = _scan(
            lon,
            lat,
            time_ms,
            kind,
            self.west,
            self.south,
            self.per_lon,
            self.per_lat,
            self.cells,
            self.start,
            self.member,
            self.from_ms,
            self.to_ms,
            self.classes,
            self.limit_kmh,
            limit,
            fence,
        )
        if len(doubtful):
            self._settle(doubtful, lon, lat, limit, fence)
        return Least(limit, self.chosen.take(fence))

    def _settle(self, doubtful: Int32, lon: Float64, lat: Float64, limit: Float64, fence: Int32) -> None:
        """Test exactly the pairs of fix and fence that the grid leaves open."""
        side = sides(self.edges, doubtful, lon, lat)
        inside = side == INSIDE
        for at in np.flatnonzero(side == UNSURE):
            row, member = doubtful[at]
            inside[at] = shapely.intersects_xy(self.shapes[member], lon[row], lat[row])
        _lower(doubtful[inside, 0], doubtful[inside, 1], self.limit_kmh, limit, fence)


@kernel
def _scan(
    lon: Float64,
    lat: Float64,
    time_ms: Int64,
    kind: Int8,
    west: float,
    south: float,
    per_lon: float,
    per_lat: float,
    cells: int,
    start: Int32,
    member: Int32,
    from_ms: Int64,
    to_ms: Int64,
    classes: Int8,
    fence_kmh: Float64,
    limit: Float64,
    fence: Int32,
) -> Int32:
    """Settle the fences that cover a fix's cell; return the (fix, fence) pairs to be tested, (p, 2)."""
    cell = np.full(len(lon), -1, np.int32)
    doubtful = 0
    for row in range(len(lon)):
        column, line = (lon[row] - west) * per_lon, (lat[row] - south) * per_lat
        if 0.0 <= column < cells and 0.0 <= line < cells:
            cell[row] = int(line) * cells + int(column)
            for at in range(start[cell[row]], start[cell[row] + 1]):
                doubtful += member[at] < 0
    pairs = np.empty((doubtful, 2), np.int32)
    doubtful = 0
    for row in range(len(cell)):
        if cell[row] < 0:
            continue
        for at in range(start[cell[row]], start[cell[row] + 1]):
            which = member[at] if member[at] >= 0 else ~member[at]
            if not (classes[which] >> kind[row]) & 1 or not from_ms[which] <= time_ms[row] < to_ms[which]:
                continue
            if member[at] < 0:
                pairs[doubtful, 0] = row
                pairs[doubtful, 1] = which
                doubtful += 1
            elif fence_kmh[which] < limit[row] or (fence_kmh[which] == limit[row] and which < fence[row]):
                limit[row] = fence_kmh[which]
                fence[row] = which
    return pairs[:doubtful]


@kernel
def _lower(rows: Int32, members: Int32, fence_kmh: Float64, limit: Float64, fence: Int32) -> None:
    """Let fences that hold a fix lower its limit; of equal limits the first fence sets it."""
    for at in range(len(rows)):
        row, which = rows[at], members[at]
        if fence_kmh[which] < limit[row] or (fence_kmh[which] == limit[row] and which < fence[row]):
            limit[row] = fence_kmh[which]
            fence[row] = which


class Zones:
    """All fences of a registry, each kind of fence with a grid of its own.

    Attributes
    ----------
    begins_ms : int64, (fences,)
        From when each holds [ms].
    """

    def __init__(self, fences: Sequence[Fence]) -> None:
        self.fences = fences
        self.begins_ms: Int64 = np.array([fence.from_ms for fence in fences], np.int64)
        self._grids: dict[str, Grid | None] = {}
        self._ids: dict[str, frozenset[str]] = {}

    def ids(self, kind: str) -> frozenset[str]:
        """Ids of the fences of a kind."""
        if kind not in self._ids:
            self._ids[kind] = frozenset(fence.id for fence in self.fences if fence.kind == kind)
        return self._ids[kind]

    def grid(self, kind: str) -> Grid | None:
        """Grid of the fences of a kind, built when first asked for; None where there are none."""
        if kind not in self._grids:
            chosen = [at for at, fence in enumerate(self.fences) if fence.kind == kind]
            self._grids[kind] = Grid(self.fences, chosen) if chosen else None
        return self._grids[kind]

    def least(self, kind: str, lon: Float64, lat: Float64, time_ms: Int64, classes: Int8) -> Least:
        """Least limit of the fences of a kind at each fix, (n,); see `Grid.least`."""
        grid = self.grid(kind)
        if grid is None:
            return Least(np.full(len(lon), np.inf), np.full(len(lon), -1, np.int32))
        return grid.least(lon, lat, time_ms, classes)
