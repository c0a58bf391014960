"""Places: what rules about places ask of a batch: passes, routes, fences nearby or ahead."""

from collections.abc import Callable

import numpy as np
import shapely

from detectors.enrich import Enriched
from detectors.ways import from_routes, look_ahead, no_fence_ahead
from ingest.batch import Bool, Int32, Int64
from ingest.registry import CLASSES

Keep = Callable[[Int64, Int32], Bool]
"""Whether a fence counts for a fix: of rows of the batch, (m,), and of ``registry.fences``, (m,)."""

SURE_DM = 1_000
"""Nobody asks how far a fix is from its route when it is not farther than this [dm]."""


def kept(batch: Enriched, kind: str, keep: Keep) -> Int32:
    """Fence of a kind that holds each fix, for its class and at its time, and counts, (n,); -1 where none does.

    An index into ``registry.fences``; of several the one with the least limit, of equal ones the first.
    """
    found = batch.inside(kind)
    rows = np.flatnonzero(found >= 0)
    left = rows[~keep(rows, found[rows])]
    if not len(left):
        return found
    found = found.copy()
    found[left] = -1
    fences = batch.around.registry.fences
    chosen = [at for at, fence in enumerate(fences) if fence.kind == kind]
    chosen.sort(key=lambda at: (limit if (limit := fences[at].limit_kmh) == limit else 0.0, at))
    lon, lat = batch.lon[left], batch.lat[left]
    for at in chosen if len(chosen) > 1 else ():
        fence = fences[at]
        west, south, east, north = fence.shape.bounds
        near = np.flatnonzero((west <= lon) & (lon <= east) & (south <= lat) & (lat <= north))
        near = near[found[left[near]] < 0]
        if not len(near):
            continue
        row = left[near]
        holds = (fence.from_ms <= batch.time_ms[row]) & (batch.time_ms[row] < fence.to_ms)
        holds &= np.array([letter in fence.classes for letter in CLASSES] + [False])[batch.kind[row]]
        holds &= shapely.intersects_xy(fence.shape, batch.lon[row], batch.lat[row])
        holds &= keep(row, np.full(len(row), at, np.int32))
        found[row[holds]] = at
    return found


def passed(batch: Enriched, permit: str) -> Keep:
    """Where a vehicle has no permit of this sort for a fence: one that names it, or names none."""
    papers = batch.around.registry.papers["permits"]
    names, fences = papers.texts("fence"), batch.around.registry.fences

    def keep(rows: Int64, which: Int32) -> Bool:
        counts = np.ones(len(rows), np.bool_)
        if not len(papers) or not len(rows):
            return counts
        ids = np.array([fences[at].id for at in which], np.object_)
        for row in papers.every(batch.vehicle[rows], batch.time_ms[rows], permit):
            counts &= ~((row >= 0) & ((names[row] == "") | (names[row] == ids)))
        return counts

    return keep


def unpassed(batch: Enriched, kind: str, permit: str) -> Int32:
    """Fence of a kind that holds each fix and that no permit of the vehicle is for, (n,); -1 where none does."""
    return batch.once(("unpassed", kind, permit), lambda: kept(batch, kind, passed(batch, permit)))


def off_route(batch: Enriched, sure_dm: int = SURE_DM) -> tuple[Int64, Int32]:
    """Distance of each fix from the nearest route that its vehicle is assigned to, (n,) [dm], and which that is, (n,).

    0 stands for `sure_dm` or less; -1 where nothing is known: it is assigned to none, or to one without a line at the
    time. Only for L, B and H. The row of ``registry.routes`` (of equally near ones the first) counts beyond `sure_dm`.
    """

    def ask() -> tuple[Int64, Int32]:
        found, route = np.full(len(batch), -1, np.int64), np.full(len(batch), -1, np.int32)
        ways, rows = batch.around.ways, np.flatnonzero(batch.of_class("LBH"))
        place = batch.vehicle, batch.time_ms, batch.lon, batch.lat
        from_routes(rows, *place, sure_dm, ways.assigned, ways.routes, ways.hint(), found, route)
        return found, route

    return batch.once(("off_route", str(sure_dm)), ask)


def ahead(batch: Enriched, kind: str, when: Bool, reach_dm: Int64, gap_ms: Int64, keep: Keep) -> tuple[Int32, Int64]:
    """Nearest fence of a kind ahead on a route that the vehicle is assigned to, (n,), and how far along it (n,) [dm].

    A direction is known at a fix at 5 km/h or more whose pair lasts no longer than `gap_ms`, begins and ends within
    500 m of the route and moves 10 m or more along it. Of several routes the nearest fence counts; where that
    one does not count by `keep`, nothing is ahead.

    Parameters
    ----------
    when : bool, (n,)
        Where to look.
    reach_dm, gap_ms : int64, (n,)
        How far to look along the route [dm], how long a pair may last [ms].
    keep : callable
        Whether a fence counts.

    Returns
    -------
    fence : int32, (n,)
        -1 where none is ahead, -2 where that is not known.
    ahead_dm : int64, (n,)
        Meaningless without a fence.
    """
    fence, apart_dm = no_fence_ahead(len(batch))
    ways = batch.around.ways
    inside = ways.stretches(kind)
    looks = when & (batch.speed_kmh >= 5.0) & (batch.dt_ms > 0) & (batch.dt_ms <= gap_ms) & (len(inside.fence) > 0)
    look_ahead(
        np.flatnonzero(looks),
        batch.vehicle,
        batch.time_ms,
        batch.kind,
        batch.lon,
        batch.lat,
        batch.before_lon,
        batch.before_lat,
        reach_dm,
        ways.assigned,
        ways.routes,
        ways.hint(),
        inside,
        fence,
        apart_dm,
    )
    rows = np.flatnonzero(fence >= 0)
    fence[rows[~keep(rows, fence[rows])]] = -1
    return fence, apart_dm


def near_fence(batch: Enriched, kinds: tuple[str, ...], where: Bool, near_dm: Int64) -> Bool:
    """Whether a fence of these kinds, for the class, holds a fix or lies not farther than this, (n,); False elsewhere.

    Parameters
    ----------
    where : bool, (n,)
        Which fixes to look at.
    near_dm : int64, (n,)
        Distance from the boundary that still counts [dm].
    """
    found = np.zeros(len(batch), np.bool_)
    rows = np.flatnonzero(where)
    place = batch.lon[rows], batch.lat[rows], batch.time_ms[rows], batch.kind[rows]
    found[rows] = batch.around.ways.near(kinds, *place, near_dm[rows])
    return found


def holds(batch: Enriched, where: Bool, table: str, sort: str = "") -> Bool:
    """Where a paper of the vehicle holds, (n,); False elsewhere than asked: papers cost time."""
    found = np.zeros(len(batch), np.bool_)
    rows = np.flatnonzero(where)
    papers = batch.around.registry.papers[table]
    if len(rows) and len(papers):
        found[rows] = papers.holding(batch.vehicle[rows], batch.time_ms[rows], sort) >= 0
    return found
