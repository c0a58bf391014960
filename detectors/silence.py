"""Silence: a vehicle that moved and is not heard any more, measured against ticks.

Source: rulebook §1.4.
"""

from typing import Any

import numpy as np

from detectors.enrich import Enriched
from detectors.found import ENDED, EPISODE, RAISED, SHOWN, Found, show
from detectors.heard import heard
from detectors.kind import State
from detectors.limits import Limits
from ingest.batch import Bool, Float64, Int32, Int64
from ingest.kernel import kernel
from ingest.ticks import first_tick

SILENCE = np.dtype([*EPISODE, ("stage", "u1"), ("hazmat", "u1"), ("set", "i4")], align=True)
"""The silence that may have begun at the last accepted fix: `stage` 0 where it would be none, 1 while it is watched
for, 2 once it is raised; `hazmat`: of a vehicle of class H."""

SILENT = np.dtype([*SHOWN, ("limit_ms", "i8")], align=True)
"""A silence, and how long it may last [ms]."""


@kernel
def _tell(own: Any, vehicle: int, fact: int, limit_ms: int, found: Any) -> None:
    """Write the silence as it stands."""
    show(found, vehicle, own)
    found.limit_ms = limit_ms
    found.fact = fact


@kernel
def _silence(
    event: Int64,
    event_vehicle: Int32,
    event_at: Int64,
    slot: Int32,
    time_ms: Int64,
    refused_ms: Int64,
    when: Bool,
    lon: Float64,
    lat: Float64,
    hazmat: Bool,
    sets: Int32,
    limit_ms: Int64,
    slots: Int32,
    begin: Int64,
    end: Int64,
    tick_at: Int64,
    first_ms: Int64,
    last_ms: Int64,
    upto: int,
    state: State,
    found: Found,
) -> int:
    """Carry silences through events, (e,), by vehicle, and through ticks, which ``begin`` and ``end`` bound by vehicle.

    ``slot`` is by event; ``slots``, ``begin`` and ``end`` by vehicle, empty where there are no ticks.
    Returns how many rows of `found` it wrote: two an event and one a vehicle at most.
    """
    count = 0
    ticking = len(slots) > 0
    heard = np.zeros(len(slots), np.bool_)
    since = 0
    for position in range(len(event)):
        who = event_vehicle[position]
        if position == 0 or event_vehicle[position - 1] != who:
            since = 0
        if slot[position] < 0:
            continue
        own = state[slot[position]]
        row = event[position]
        if ticking and own.stage == 1:
            limit = limit_ms[own.hazmat, own.set]
            place = event_at[position]
            tick = first_tick(tick_at, first_ms, last_ms, begin[who], end[who], since, place, own.begins_ms + limit)
            if tick >= 0:
                own.stage = 2
                own.raised_ms = tick
                _tell(own, who, RAISED, limit, found[count])
                count += 1
        since = event_at[position] + 1
        if row < 0:
            if own.stage == 1 and refused_ms[-1 - row] > own.begins_ms:
                own.stage = 0
        else:
            if own.stage == 2:
                own.ends_ms = time_ms[row]
                _tell(own, who, ENDED, limit_ms[own.hazmat, own.set], found[count])
                count += 1
            own.stage = 0
            if when[row]:
                own.stage = 1
                own.set = sets[row]
                own.begins_ms = time_ms[row]
                own.ends_ms = time_ms[row]
                own.lon = lon[row]
                own.lat = lat[row]
                own.hazmat = hazmat[row]
                own.severity = 3 if hazmat[row] else 2
        if ticking and (position + 1 == len(event) or event_vehicle[position + 1] != who):
            heard[who] = True
            if own.stage == 1:
                limit = limit_ms[own.hazmat, own.set]
                tick = first_tick(tick_at, first_ms, last_ms, begin[who], end[who], since, upto, own.begins_ms + limit)
                if tick >= 0:
                    own.stage = 2
                    own.raised_ms = tick
                    _tell(own, who, RAISED, limit, found[count])
                    count += 1
    for who in range(len(slots)):
        if slots[who] < 0 or heard[who] or end[who] == begin[who] or state[slots[who]].stage != 1:
            continue
        own = state[slots[who]]
        limit = limit_ms[own.hazmat, own.set]
        tick = first_tick(tick_at, first_ms, last_ms, begin[who], end[who], 0, upto, own.begins_ms + limit)
        if tick >= 0:
            own.stage = 2
            own.raised_ms = tick
            _tell(own, who, RAISED, limit, found[count])
            count += 1
    return count


def silence(batch: Enriched, when: Bool, limits: Limits, state: State) -> Found:
    """Nothing is heard of a vehicle after an accepted fix, for longer than a limit, by the ticks of its partition.

    Parameters
    ----------
    batch : Enriched, (n,)
        With what arrived meanwhile.
    when : bool, (n,)
        After which fixes silence counts.
    limits : Limits
        ``silence_ms``; ``hazmat_silence_ms`` for vehicles of class H.
    state : structured array of ``SILENCE``

    Returns
    -------
    Found of ``SILENT``, (m,)
        Raised at the first tick, after the fix in arrival order, that is later than the fix by more than the limit; at
        a fix that the gate refused for want of a position or as drift, later than the accepted one, it is watched for
        no longer. Over at the vehicle's next accepted fix.
    """
    meanwhile, vehicles = batch.around.meanwhile, len(batch.around.registry.vehicles)
    both = heard(batch)
    row, vehicle, event_at = both.events
    ticks = meanwhile.ticks
    every = np.arange(vehicles if len(ticks) else 0, dtype=np.int32)
    begin, end = ticks.spans(ticks.homes(len(every)))
    found: Found = np.empty(2 * len(row) + len(every), SILENT)
    count = _silence(
        row,
        vehicle,
        event_at,
        limits.slot_of(vehicle) if len(both.refused) else limits.slot,
        batch.time_ms,
        both.refused.time_ms,
        when,
        batch.lon,
        batch.lat,
        batch.of_class("H"),
        limits.index,
        np.stack([limits.parameter("silence_ms"), limits.parameter("hazmat_silence_ms")]),
        limits.slot_of(every),
        begin,
        end,
        ticks.at,
        ticks.first_ms,
        ticks.last_ms,
        len(meanwhile.batch),
        state,
        found,
    )
    found = found[:count]
    return found[np.argsort(found["vehicle"], kind="stable")] if len(every) else found
