"""Stops: whether vehicles may have stopped at the stops that they pass."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.enrich import Enriched
from detectors.found import SHOWN, Found
from detectors.instant import at_once
from detectors.kind import State
from detectors.limits import Limits
from detectors.passings import off_way, passings
from ingest.batch import Bool, Float64, Int32, Int64
from ingest.kernel import kernel
from ingest.status import DOOR_BITS, told
from ingest.timetable import AROUND_MS

SKIPS = np.dtype(
    [
        ("moving_ms", "i8"),
        ("from_lon", "f8"),
        ("from_lat", "f8"),
        ("to_lon", "f8"),
        ("to_lat", "f8"),
        ("halted", "u1"),
        ("pending", "u1"),
        ("lead", "u1"),
        ("set", "i4"),
        ("off_m", "f4"),
        ("speed_kmh", "f4"),
        ("stop", "i8"),
        ("trip", "i8"),
        ("stop_lon", "f8"),
        ("stop_lat", "f8"),
        ("at_ms", "i8"),
        ("due_ms", "i8"),
    ],
    align=True,
)
"""Where the vehicle may have stopped last, from one place to another, and the time of its last fix that moved; a stop
that it has passed and may yet serve (`pending`)."""

SKIPPED = np.dtype(
    [
        *SHOWN,
        ("stop", "i8"),
        ("trip", "i8"),
        ("due_ms", "i8"),
        ("off_m", "f8"),
        ("speed_kmh", "f8"),
    ],
    align=True,
)
"""A stop not served: codes of stop and trip, when it was due, how far off the way it lies, and the lesser of the speeds
before and behind it."""


@kernel
def _halt(own: Any, from_lon: float, from_lat: float, to_lon: float, to_lat: float) -> None:
    own.halted = 1
    own.from_lon = from_lon
    own.from_lat = from_lat
    own.to_lon = to_lon
    own.to_lat = to_lat


@kernel
def _may_serve(own: Any, lon: float, lat: float, serve_m: float) -> bool:
    """Whether the place where the vehicle may have stopped last lies at a stop."""
    if own.halted == 0:
        return False
    off_m, _ = off_way(lon, lat, own.from_lon, own.from_lat, own.to_lon, own.to_lat)
    return off_m <= serve_m


@kernel
def stop_takes_ms(
    before_kmh: float, behind_kmh: float, distance_dm: int, hold_ms: int, brake: float, pull: float, most_kmh: float
) -> float:
    """Least time that a way takes with a stop on it [ms]: brake, stand, pull away, and the rest at the highest speed.

    Parameters
    ----------
    before_kmh, behind_kmh : float
        Speeds at its ends [km/h].
    brake, pull : float
        [m/s²]; they count for 0.1 at least, the highest speed for 1 km/h.
    """
    before, behind = before_kmh / 3.6, behind_kmh / 3.6
    brake, pull = max(0.1, brake), max(0.1, pull)
    most = max(max(1.0, most_kmh) / 3.6, max(before, behind))
    rest_m = distance_dm / 10.0 - before * before / (2.0 * brake) - behind * behind / (2.0 * pull)
    return hold_ms + 1000.0 * (before / brake + behind / pull + max(0.0, rest_m) / most)


@kernel
def _raise(found: Any, vehicle: int, now_ms: int, own: Any) -> None:
    found.vehicle = vehicle
    found.begins_ms = own.at_ms
    found.raised_ms = now_ms
    found.ends_ms = own.at_ms
    found.lon = own.stop_lon
    found.lat = own.stop_lat
    found.severity = 2
    found.lead = own.lead
    found.stop = own.stop
    found.trip = own.trip
    found.due_ms = own.due_ms
    found.off_m = own.off_m
    found.speed_kmh = own.speed_kmh


@kernel
def _skip(
    vehicle: Int32,
    slot: Int32,
    applies: Bool,
    time_ms: Int64,
    dt_ms: Int64,
    distance_dm: Int64,
    jump: Bool,
    before_lon: Float64,
    before_lat: Float64,
    lon: Float64,
    lat: Float64,
    before_kmh: Float64,
    speed_kmh: Float64,
    door: Bool,
    sets: Int32,
    gap_ms: Int64,
    slow_kmh: Float64,
    hold_ms: Int64,
    sure_ms: Int64,
    sparse_ms: Int64,
    serve_m: Float64,
    brake_mps2: Float64,
    pull_mps2: Float64,
    most_kmh: Float64,
    passed: NDArray[np.void],
    stop: Int32,
    stop_codes: Int64,
    trip_codes: Int64,
    stop_lon: Float64,
    stop_lat: Float64,
    state: State,
    found: Found,
) -> int:
    """Carry what may have been stops through a batch; returns how many rows of `found` it wrote.

    They are one a passing and one a fix at most.
    """
    count = 0
    at = 0
    for row in range(len(vehicle)):
        begin = at
        while at < len(passed) and passed[at].row == row:
            at += 1
        if slot[row] < 0:
            continue
        own = state[slot[row]]
        if not applies[row]:
            own.moving_ms = 0
            own.halted = 0
            own.pending = 0
            own.stop = 0
            continue
        one = sets[row]
        now = time_ms[row]
        slow = speed_kmh[row] < slow_kmh[one]
        was_slow = before_kmh[row] < slow_kmh[one]
        stood = own.moving_ms == 0 or now - own.moving_ms >= hold_ms[one]
        halted = False
        if dt_ms[row] < 0 or dt_ms[row] > gap_ms[one] or jump[row]:
            own.pending = 0
            own.moving_ms = 0
            own.halted = 0
            if dt_ms[row] >= 0:
                _halt(own, before_lon[row], before_lat[row], lon[row], lat[row])
            stood = True
        elif slow or door[row]:
            pass
        elif was_slow:
            if stood:
                _halt(own, before_lon[row], before_lat[row], before_lon[row], before_lat[row])
                halted = True
        else:
            takes_ms = stop_takes_ms(
                before_kmh[row],
                speed_kmh[row],
                distance_dm[row],
                hold_ms[one],
                brake_mps2[one],
                pull_mps2[one],
                most_kmh[one],
            )
            if takes_ms <= dt_ms[row]:
                _halt(own, before_lon[row], before_lat[row], lon[row], lat[row])
                halted = True
        if door[row] or (slow and stood):
            _halt(own, lon[row], lat[row], lon[row], lat[row])
            halted = True
        if not slow:
            own.moving_ms = now
        if own.pending != 0:
            if halted and _may_serve(own, own.stop_lon, own.stop_lat, serve_m[own.set]):
                own.pending = 0
            else:
                off_m, _ = off_way(own.stop_lon, own.stop_lat, lon[row], lat[row], lon[row], lat[row])
                if off_m > serve_m[own.set]:
                    _raise(found[count], vehicle[row], now, own)
                    count += 1
                    own.pending = 0
        for which in range(begin, at):
            call = passed[which].call
            place = stop[call]
            code, trip, due_ms = stop_codes[place], trip_codes[passed[which].trip], passed[which].due_ms
            if own.stop == code and own.trip == trip and own.due_ms == due_ms:
                continue
            x, y = stop_lon[place], stop_lat[place]
            if _may_serve(own, x, y, serve_m[one]):
                own.pending = 0
                continue
            own.pending = 1
            own.set = one
            own.stop = code
            own.trip = trip
            own.stop_lon = x
            own.stop_lat = y
            own.at_ms = passed[which].at_ms
            own.due_ms = due_ms
            own.off_m = passed[which].off_m
            own.speed_kmh = min(before_kmh[row], speed_kmh[row])
            late = own.at_ms - own.due_ms
            own.lead = late > sure_ms[one] or -late > sure_ms[one] or dt_ms[row] > sparse_ms[one]
            off_m, _ = off_way(x, y, lon[row], lat[row], lon[row], lat[row])
            if off_m > serve_m[one]:
                _raise(found[count], vehicle[row], now, own)
                count += 1
                own.pending = 0
    return count


def skipped(batch: Enriched, when: Bool, limits: Limits, state: State) -> Found:
    """Stops that vehicles passed on their trips without having stopped at them.

    Parameters
    ----------
    batch : Enriched, (n,)
    when : bool, (n,)
        Fixes whose pairs may pass a stop.
    limits : Limits
        ``early_ms``, ``late_ms``, ``sure_ms``, ``sparse_ms``, ``pass_m``, ``serve_m``, ``gap_ms``, ``slow_kmh``,
        ``hold_ms``, ``brake_mps2``, ``pull_mps2``, ``most_kmh``.

    Returns
    -------
    Found of ``SKIPPED``, (m,)
        Two rows each, at one fix: raised and ended.
    """
    timetable, one = batch.around.registry.timetable, limits.index
    good = when & limits.applies & (limits.slot >= 0) & (batch.dt_ms > 0) & ~batch.jump & (batch.distance_dm > 0)
    good &= batch.dt_ms <= limits.parameter("gap_ms")[one]
    rows = np.flatnonzero(good)
    early_ms, late_ms = (np.minimum(limits.parameter(name)[one[rows]], AROUND_MS) for name in ("early_ms", "late_ms"))
    pass_m = limits.parameter("pass_m")[one[rows]]
    passed = passings(batch, timetable, rows, early_ms, late_ms, pass_m)
    found: NDArray[np.void] = np.empty(len(batch) + len(passed), SKIPPED)
    count = _skip(
        batch.vehicle,
        limits.slot,
        limits.applies,
        batch.time_ms,
        batch.dt_ms,
        batch.distance_dm,
        batch.jump,
        batch.before_lon,
        batch.before_lat,
        batch.lon,
        batch.lat,
        batch.before_speed_kmh,
        batch.speed_kmh,
        told(batch.status, DOOR_BITS),
        one,
        limits.parameter("gap_ms"),
        limits.parameter("slow_kmh"),
        limits.parameter("hold_ms"),
        limits.parameter("sure_ms"),
        limits.parameter("sparse_ms"),
        limits.parameter("serve_m"),
        limits.parameter("brake_mps2"),
        limits.parameter("pull_mps2"),
        limits.parameter("most_kmh"),
        passed,
        timetable.calls.stop,
        timetable.stop_codes,
        timetable.trip_codes,
        timetable.lon,
        timetable.lat,
        state,
        found,
    )
    return at_once(found[:count])
