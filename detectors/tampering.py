"""Tampering: signs that a position is jammed, shielded or made up, over accepted and refused fixes.

Source: regulation §4, V16.
"""

from typing import Any

import numpy as np

from detectors.enrich import Enriched
from detectors.found import ENDED, EPISODE, RAISED, SHOWN, STANDS, Found, show
from detectors.heard import heard
from detectors.kind import State
from detectors.limits import Limits
from ingest.batch import Bool, Float64, Int8, Int32, Int64
from ingest.geodesy import distance_dm, jumps
from ingest.kernel import kernel
from ingest.status import IGNITION_BIT, told

SIGNS = {1: "no_position", 2: "speeds_differ", 4: "frozen", 8: "two_places"}
"""Names of signs by their bits."""

SIGNED = np.dtype(
    [
        *EPISODE,
        ("known", "u1"),
        ("over", "u1"),
        ("sign", "u1"),
        ("signs", "u1"),
        ("on", "u1"),
        ("running", "u1"),
        ("sure", "u1"),
        ("points", "u1"),
        ("returns", "u1"),
        ("back", "u1"),
        ("set", "i4"),
        ("blind_first_ms", "i8"),
        ("blind_last_ms", "i8"),
        ("differ_first_ms", "i8"),
        ("frozen_first_ms", "i8"),
        ("twice_first_ms", "i8"),
        ("twice_last_ms", "i8"),
        ("before_ms", "i8"),
        ("lon_now", "f8"),
        ("lat_now", "f8"),
        ("twice_lon", "f8"),
        ("twice_lat", "f8"),
        ("before_lon", "f8"),
        ("before_lat", "f8"),
    ],
    align=True,
)
"""The latest episode (if `known`; whether it was told to be `over`) with its first `sign` and all its `signs`; the
last accepted fix (`on`, its place `_now`, its `set`); runs by bits: `running`, and of them those that are `sure`;
`points` of the differing speeds; of the second track its last place, the `returns` to it, and whether the first was
heard since (`back`); begin and place of the blind run `before` (`before_ms` 0: there was none)."""

TAMPERED = np.dtype([*SHOWN, ("sign", "u1"), ("signs", "u1")], align=True)
"""An episode with the sign that raised it, and all of its signs."""


@kernel
def _tell(own: Any, vehicle: int, fact: int, found: Any) -> None:
    show(found, vehicle, own)
    found.sign = own.sign
    found.signs = own.signs
    found.fact = fact


@kernel
def _join(own: Any, bit: int, first_ms: int, now_ms: int, merge_ms: int, vehicle: int, found: Found, count: int) -> int:
    """Let a sign that is sure raise an episode, or extend the latest; returns how many rows were written by then."""
    if own.known and first_ms - own.ends_ms <= merge_ms:
        own.over = 0
        own.signs |= bit
        own.ends_ms = max(own.ends_ms, now_ms)
        return count
    if own.known and not own.over:
        _tell(own, vehicle, ENDED, found[count])
        count += 1
    own.known = 1
    own.over = 0
    own.sign = bit
    own.signs = bit
    own.begins_ms = first_ms
    own.raised_ms = now_ms
    own.ends_ms = now_ms
    own.lon = own.lon_now
    own.lat = own.lat_now
    own.severity = 2
    own.lead = 1
    _tell(own, vehicle, RAISED, found[count])
    return count + 1


@kernel
def _tampering(
    event: Int64,
    event_vehicle: Int32,
    slot: Int32,
    time_ms: Int64,
    lon: Float64,
    lat: Float64,
    speed_kmh: Float64,
    recorder_kmh: Float64,
    on: Int8,
    dt_ms: Int64,
    same_place: Bool,
    sets: Int32,
    refused_ms: Int64,
    refused_lon: Float64,
    refused_lat: Float64,
    refused_recorder_kmh: Float64,
    ignition: Bool,
    drift: Bool,
    gap_ms: Int64,
    merge_ms: Int64,
    merge_most_ms: int,
    moving_kmh: Float64,
    blind_ms: Int64,
    repeat_ms: Int64,
    away_dm: Int64,
    differ_kmh: Float64,
    differ_points: Int64,
    differ_ms: Int64,
    frozen_ms: Int64,
    apart_dm: Int64,
    return_ms: Int64,
    return_points: Int64,
    twice_ms: Int64,
    state: State,
    found: Found,
) -> int:
    """Carry signs through events, (e,); returns how many rows of `found` it wrote, three an event at most.

    Columns from ``time_ms`` to ``sets`` are by accepted fix, those behind them by refused one.
    """
    count = 0
    changed = False
    for position in range(len(event)):
        if slot[position] < 0:
            continue
        own = state[slot[position]]
        who = event_vehicle[position]
        row = event[position]
        other = -1 - row
        now = time_ms[row] if row >= 0 else refused_ms[other]
        if position == 0 or event_vehicle[position - 1] != who:
            changed = False
        written = count
        ends = own.ends_ms
        signs = own.signs
        if row >= 0:
            own.running &= 254
            own.sure &= 254
            own.back = 1
            own.on = on[row]
            own.set = sets[row]
            own.lon_now = lon[row]
            own.lat_now = lat[row]
            s = own.set
            applies = own.on & 1 != 0
            if not applies:
                own.running = 0
                own.sure = 0
            if dt_ms[row] > gap_ms[s]:
                own.running &= 249
                own.sure &= 249
            if applies and abs(speed_kmh[row] - recorder_kmh[row]) > differ_kmh[s]:
                if own.running & 2 == 0:
                    own.running |= 2
                    own.points = 0
                    own.differ_first_ms = now
                if own.points < 255:
                    own.points += 1
                if own.points >= differ_points[s] and now - own.differ_first_ms >= differ_ms[s]:
                    own.sure |= 2
                if own.sure & 2 != 0:
                    count = _join(own, 2, own.differ_first_ms, now, merge_ms[s], who, found, count)
            else:
                own.running &= 253
                own.sure &= 253
            if applies and recorder_kmh[row] > moving_kmh[s]:
                if own.running & 4 == 0 or not same_place[row]:
                    own.running |= 4
                    own.sure &= 251
                    own.frozen_first_ms = now
                if now - own.frozen_first_ms >= frozen_ms[s]:
                    own.sure |= 4
                if own.sure & 4 != 0:
                    count = _join(own, 4, own.frozen_first_ms, now, merge_ms[s], who, found, count)
            else:
                own.running &= 251
                own.sure &= 251
            reach = False
            if own.running & 2 != 0 and own.differ_first_ms - own.ends_ms <= merge_ms[s]:
                reach = True
            if own.running & 4 != 0 and own.frozen_first_ms - own.ends_ms <= merge_ms[s]:
                reach = True
            if own.running & 8 != 0 and now - own.twice_last_ms <= return_ms[s]:
                reach |= own.twice_first_ms - own.ends_ms <= merge_ms[s]
            if own.known and not own.over and not reach and now - own.ends_ms > merge_most_ms:
                own.over = 1
                _tell(own, who, ENDED, found[count])
                count += 1
        elif drift[other]:
            s = own.set
            own.running &= 254
            own.sure &= 254
            far = distance_dm(own.lon_now, own.lat_now, refused_lon[other], refused_lat[other]) >= apart_dm[s]
            if own.on & 1 != 0 and far:
                step = now - own.twice_last_ms
                near = not jumps(
                    distance_dm(own.twice_lon, own.twice_lat, refused_lon[other], refused_lat[other]), step
                )
                if own.running & 8 == 0 or step > return_ms[s] or not near:
                    own.running |= 8
                    own.sure &= 247
                    own.returns = 0
                    own.twice_first_ms = now
                elif own.back and own.returns < 255:
                    own.returns += 1
                own.back = 0
                own.twice_last_ms = now
                own.twice_lon = refused_lon[other]
                own.twice_lat = refused_lat[other]
                if own.returns >= return_points[s] and now - own.twice_first_ms >= twice_ms[s]:
                    own.sure |= 8
                if own.sure & 8 != 0:
                    count = _join(own, 8, own.twice_first_ms, now, merge_ms[s], who, found, count)
        elif own.on == 3 and (own.running & 1 == 0 or now > own.blind_last_ms):
            s = own.set
            if own.running & 1 != 0 and now - own.blind_last_ms > gap_ms[s]:
                own.running &= 254
                own.sure &= 254
            if ignition[other] and refused_recorder_kmh[other] > moving_kmh[s]:
                if own.running & 1 == 0:
                    own.running |= 1
                    own.blind_first_ms = now
                own.blind_last_ms = now
                if own.sure & 1 == 0 and now - own.blind_first_ms > blind_ms[s] and own.before_ms != own.blind_first_ms:
                    again = own.before_ms != 0 and own.blind_first_ms - own.before_ms <= repeat_ms[s]
                    if again:
                        apart = distance_dm(own.before_lon, own.before_lat, own.lon_now, own.lat_now)
                        if apart >= away_dm[s]:
                            own.sure |= 1
                    own.before_ms = own.blind_first_ms
                    own.before_lon = own.lon_now
                    own.before_lat = own.lat_now
                if own.sure & 1 != 0:
                    count = _join(own, 1, own.blind_first_ms, now, merge_ms[s], who, found, count)
            else:
                own.running &= 254
                own.sure &= 254
        if count > written:
            changed = False
        elif own.ends_ms != ends or own.signs != signs:
            changed = True
        if changed and (position + 1 == len(event) or event_vehicle[position + 1] != who):
            _tell(own, who, STANDS, found[count])
            count += 1
    return count


def tampering(batch: Enriched, limits: Limits, state: State) -> Found:
    """Carry the signs of a batch's vehicles; see ``kinds.track.gnss_tampering_suspected``.

    Parameters
    ----------
    batch : Enriched, (n,)
        With what arrived meanwhile.
    limits : Limits
    state : structured array of ``SIGNED``
        Changed in place.

    Returns
    -------
    Found of ``TAMPERED``, (m,)
    """
    both = heard(batch)
    row, vehicle, _ = both.events
    refused = both.refused
    on = limits.applies.astype(np.uint8)
    on[batch.inside("coverage_hole") < 0] |= 2
    same_place = (batch.lon == batch.before_lon) & (batch.lat == batch.before_lat)
    merge_ms = limits.parameter("merge_ms")
    found: Found = np.empty(3 * len(row), TAMPERED)
    count = _tampering(
        row,
        vehicle,
        limits.slot_of(vehicle) if len(refused) else limits.slot,
        batch.time_ms,
        batch.lon,
        batch.lat,
        batch.speed_kmh,
        batch.recorder_speed_kmh,
        on,
        batch.dt_ms,
        same_place,
        limits.index,
        refused.time_ms,
        refused.lon,
        refused.lat,
        refused.recorder_speed_kmh,
        told(refused.status, IGNITION_BIT),
        both.drift,
        limits.parameter("gap_ms"),
        merge_ms,
        int(merge_ms.max()),
        limits.parameter("moving_kmh"),
        limits.parameter("blind_ms"),
        limits.parameter("repeat_ms"),
        limits.parameter("away_dm"),
        limits.parameter("differ_kmh"),
        limits.parameter("differ_points"),
        limits.parameter("differ_ms"),
        limits.parameter("frozen_ms"),
        limits.parameter("apart_dm"),
        limits.parameter("return_ms"),
        limits.parameter("return_points"),
        limits.parameter("twice_ms"),
        state,
        found,
    )
    return found[:count]


def tampering_measures(row: Any) -> dict[str, object]:
    """The sign that raised it, and all signs that joined."""
    signs = [name for bit, name in SIGNS.items() if row["signs"] & bit]
    return {"sign": SIGNS[int(row["sign"])], "signs": ", ".join(signs)}
