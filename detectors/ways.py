"""Ways: where vehicles are assigned to go, and what lies along it. Worked out once per registry, when first asked.

The route of an assignment is every line of ``routes.geojson`` with its id that holds at the time; a route's classes
do not count. See `lines` for distances.
"""

import math
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import shapely

from detectors.lines import Lines, close_by, lines_of, nearest, stretches
from detectors.outlines import MOST_NEAR_DM, Outlines, near_fences, outlines_of
from detectors.state import letters_of
from ingest.batch import Bool, Float64, Int8, Int32, Int64
from ingest.kernel import kernel
from ingest.registry import Registry

ON_ROUTE_DM = 5_000
"""A fix is on a route when it is not farther from it than this [dm]."""

MOVED_DM = 100
"""A vehicle has a direction along a route when its last pair took it this far along it [dm]."""

FAR_DM = (1 << 31) - 1
"""Distances are told up to here [dm]."""

NONE_AHEAD, NOT_KNOWN = -1, -2
"""Along a route with a direction, but no fence within reach; on no such route, or without a direction."""


class Assigned(NamedTuple):
    """Assignments by vehicle, then begin, (r,), with their routes.

    Attributes
    ----------
    first : int32, (vehicles + 1,)
        Where the rows of each vehicle begin.
    from_ms, to_ms, until_ms : int64, (r,)
        When each holds, and the latest end among the vehicle's rows up to it [ms].
    first_route : int32, (r + 1,)
        Where the routes of each row begin.
    route : int32, (w,)
        Row of ``registry.routes``.
    route_from_ms, route_to_ms : int64, (routes,)
        When each route holds [ms].
    """

    first: Int32
    from_ms: Int64
    to_ms: Int64
    until_ms: Int64
    first_route: Int32
    route: Int32
    route_from_ms: Int64
    route_to_ms: Int64


class Stretches(NamedTuple):
    """Where routes lie inside fences of some kind, by route.

    Attributes
    ----------
    first : int32, (routes + 1,)
        Where the stretches of each route begin.
    from_dm, to_dm : int64, (t,)
        Along the route [dm].
    fence : int32, (t,)
        Row of ``registry.fences``.
    from_ms, to_ms : int64, (t,)
        When the fence holds [ms].
    classes : uint8, (t,)
        Classes it is for, as bits by their place in ``registry.CLASSES``.
    """

    first: Int32
    from_dm: Int64
    to_dm: Int64
    fence: Int32
    from_ms: Int64
    to_ms: Int64
    classes: Int8


class Ways:
    """Routes, assignments and boundaries of a registry, ready to be asked for distances."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self._stretches: dict[str, Stretches] = {}
        self._outlines: dict[tuple[str, ...], Outlines] = {}
        self._hint: Int32 = np.zeros(0, np.int32)

    @cached_property
    def routes(self) -> Lines:
        """Lines of ``registry.routes``."""
        return lines_of([route.shape for route in self.registry.routes])

    @cached_property
    def assigned(self) -> Assigned:
        """Assignments with their routes."""
        papers, routes = self.registry.papers["assignments"], self.registry.routes
        by_id: dict[str, list[int]] = {}
        for at, route in enumerate(routes):
            if route.shape is not None:  # one that is gone is not drawn
                by_id.setdefault(route.id, []).append(at)
        order = np.lexsort((papers.from_ms, papers.holder))
        holder, to_ms = papers.holder[order], papers.to_ms[order]
        first = np.searchsorted(holder, np.arange(len(self.registry.vehicles) + 1)).astype(np.int32)
        until_ms = to_ms.copy()
        for one in np.flatnonzero(np.diff(first) > 1):
            several = slice(first[one], first[one + 1])
            until_ms[several] = np.maximum.accumulate(until_ms[several])
        names = papers.texts("route")
        chosen = [by_id.get(names[row], []) for row in order]
        return Assigned(
            first,
            papers.from_ms[order],
            to_ms,
            until_ms,
            np.cumsum([0, *map(len, chosen)]).astype(np.int32),
            np.array([at for some in chosen for at in some], np.int32),
            np.array([route.from_ms for route in routes], np.int64),
            np.array([route.to_ms for route in routes], np.int64),
        )

    def stretches(self, kind: str) -> Stretches:
        """Where routes lie inside fences of a kind."""
        if kind not in self._stretches:
            self._stretches[kind] = self._crossed(kind)
        return self._stretches[kind]

    def _crossed(self, kind: str) -> Stretches:
        fences, routes = self.registry.fences, self.registry.routes
        chosen = [at for at, fence in enumerate(fences) if fence.kind == kind]
        near: dict[int, list[int]] = {}
        if chosen and routes:
            tree = shapely.STRtree([fences[at].shape for at in chosen])
            pairs = tree.query([route.shape for route in routes], predicate="intersects")
            for route, which in sorted(pairs.T.tolist()):
                near.setdefault(route, []).append(chosen[which])
        first, found = [0], list[tuple[int, int, int]]()
        for route in range(len(routes)):
            those = near.get(route, [])
            inside = stretches(self.routes, route, [fences[at].shape for at in those]) if those else []
            found += [(low, high, those[which]) for low, high, which in inside]
            first.append(len(found))
        table = np.array(found, np.int64).reshape(-1, 3)
        held = [fences[at] for at in table[:, 2]]
        return Stretches(
            np.array(first, np.int32),
            table[:, 0].copy(),
            table[:, 1].copy(),
            table[:, 2].astype(np.int32),
            np.array([fence.from_ms for fence in held], np.int64),
            np.array([fence.to_ms for fence in held], np.int64),
            np.array([letters_of(fence.classes) for fence in held], np.uint8),
        )

    def hint(self) -> Int32:
        """Segment of `routes` that each vehicle was last seen at, (vehicles,): what is found does not depend on it."""
        if len(self._hint) < len(self.registry.vehicles):
            self._hint = np.concatenate(
                [self._hint, np.full(len(self.registry.vehicles) - len(self._hint), -1, np.int32)]
            )
        return self._hint

    @cached_property
    def licensed(self) -> tuple[Int32, Bool]:
        """Of each fence the number of its county, (fences + 1,), 0 for none; and whether an area has it, (areas, c)."""
        fences, areas = self.registry.fences, self.registry.entries.areas
        counties = sorted({fence.id for fence in fences if fence.kind == "county"})
        number = {county: at for at, county in enumerate(counties, 1)}
        county = [number[fence.id] if fence.kind == "county" else 0 for fence in fences]
        table = np.zeros((len(areas), len(counties) + 1), np.bool_)
        for at, area in enumerate(areas):
            table[at, [number[name] for name in area if name in number]] = True
        return np.array([*county, 0], np.int32), table

    @cached_property
    def mapped(self) -> Bool:
        """Areas that are not empty and whose counties all have a fence, (areas,)."""
        counties = {fence.id for fence in self.registry.fences if fence.kind == "county"}
        return np.array([bool(area) and area <= counties for area in self.registry.entries.areas], np.bool_)

    def outlines(self, kinds: tuple[str, ...]) -> Outlines:
        """Boundaries of the fences of some kinds."""
        if kinds not in self._outlines:
            self._outlines[kinds] = outlines_of([fence for fence in self.registry.fences if fence.kind in kinds])
        return self._outlines[kinds]

    def near(
        self, kinds: tuple[str, ...], lon: Float64, lat: Float64, time_ms: Int64, kind: Int8, near_dm: Int64
    ) -> Bool:
        """Whether a fence of these kinds, for the class, holds each place or is not farther from it, (n,).

        Parameters
        ----------
        near_dm : int64, (n,)
            Distance from the fence's boundary that still counts, up to `MOST_NEAR_DM` [dm].
        """
        found = np.zeros(len(lon), np.bool_)
        near_fences(lon, lat, time_ms, kind, np.minimum(near_dm, MOST_NEAR_DM), self.outlines(kinds), found)
        return found


@kernel
def from_routes(
    rows: Int64,
    vehicle: Int32,
    time_ms: Int64,
    lon: Float64,
    lat: Float64,
    sure_dm: int,
    assigned: Any,
    lines: Any,
    hint: Int32,
    found: Int64,
    found_route: Int32,
) -> None:
    """Fill the distance of these fixes from the nearest route that their vehicle is assigned to [dm], and which it is.

    0 stands for `sure_dm` or less; -1 where it is assigned to none, or to one that has no line at the time: nothing
    is known then.
    """
    for row in rows:
        if vehicle[row] + 1 >= len(assigned.first):
            continue
        now, least, known, which = time_ms[row], FAR_DM, True, -1
        at = assigned.first[vehicle[row] + 1] - 1
        begin = assigned.first[vehicle[row]]
        some = False
        while at >= begin and assigned.until_ms[at] > now:
            if assigned.from_ms[at] <= now < assigned.to_ms[at]:
                some = True
                lined = False
                for way in range(assigned.first_route[at], assigned.first_route[at + 1]):
                    route = assigned.route[way]
                    if assigned.route_from_ms[route] <= now < assigned.route_to_ms[route]:
                        lined = True
                        last = hint[vehicle[row]]
                        close = close_by(lines, route, lon[row], lat[row], last, sure_dm)
                        if close >= 0:
                            hint[vehicle[row]] = close
                            least, which = 0, route
                        elif least > sure_dm:
                            off, _, close = nearest(lines, route, lon[row], lat[row], last)
                            if off < least or (off == least and route < which):
                                least, which = 0 if off <= sure_dm else off, route
                                hint[vehicle[row]] = close
                known = known and lined
            at -= 1
        if some and known:
            found[row] = least
            found_route[row] = which


@kernel
def look_ahead(
    rows: Int64,
    vehicle: Int32,
    time_ms: Int64,
    kind: Int8,
    lon: Float64,
    lat: Float64,
    before_lon: Float64,
    before_lat: Float64,
    reach_dm: Int64,
    assigned: Any,
    lines: Any,
    hint: Int32,
    inside: Any,
    fence: Int32,
    ahead_dm: Int64,
) -> None:
    """Fill the nearest fence ahead of these fixes on a route of their vehicle, and how far along it is [dm]."""
    for row in rows:
        if vehicle[row] + 1 >= len(assigned.first):
            continue
        now = time_ms[row]
        at = assigned.first[vehicle[row] + 1] - 1
        begin = assigned.first[vehicle[row]]
        while at >= begin and assigned.until_ms[at] > now:
            if assigned.from_ms[at] <= now < assigned.to_ms[at]:
                for way in range(assigned.first_route[at], assigned.first_route[at + 1]):
                    route = assigned.route[way]
                    if inside.first[route] == inside.first[route + 1]:
                        continue
                    if not assigned.route_from_ms[route] <= now < assigned.route_to_ms[route]:
                        continue
                    off, place, last = nearest(lines, route, lon[row], lat[row], hint[vehicle[row]])
                    hint[vehicle[row]] = last
                    if off > ON_ROUTE_DM:
                        continue
                    was_off, was, _ = nearest(lines, route, before_lon[row], before_lat[row], last)
                    if was_off > ON_ROUTE_DM or abs(place - was) < MOVED_DM:
                        continue
                    fence[row] = max(fence[row], NONE_AHEAD)
                    for one in range(inside.first[route], inside.first[route + 1]):
                        apart = inside.from_dm[one] - place if place > was else place - inside.to_dm[one]
                        holds = (
                            inside.from_ms[one] <= now < inside.to_ms[one] and (inside.classes[one] >> kind[row]) & 1
                        )
                        if holds and 0 < apart <= min(reach_dm[row], ahead_dm[row] - 1):
                            fence[row], ahead_dm[row] = inside.fence[one], apart
            at -= 1


def no_fence_ahead(n: int) -> tuple[Int32, Int64]:
    """What `look_ahead` fills: nothing known."""
    return np.full(n, NOT_KNOWN, np.int32), np.full(n, math.floor(FAR_DM), np.int64)
