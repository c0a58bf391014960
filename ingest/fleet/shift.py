"""One way to spend a period of 24 hours."""

from __future__ import annotations

from dataclasses import dataclass

MINUTE, HOUR = 60.0, 3600.0
Span = tuple[float, float]


@dataclass(frozen=True)
class Shift:
    """One way of working.

    Parameters
    ----------
    name : str
        What labels call it.
    classes : str
        Letters of the classes that work so.
    start_h : (float, float)
        When it begins, hours after Beijing midnight of the period's first day.
    end_h : float
        No round trip is begun that would end later.
    drive_h : float
        Driving in the period at most [h].
    block_h : float
        From one rest to the next at most [h].
    turn_s, rest_s : (float, float)
        Length of a turn-round stop and of a rest [s].
    pace : (float, float)
        Speed as a share of the limit.
    leg_s : float
        Length of a leg [s]; 0 = the whole route.
    legs : int
        Number of legs; 0 = as many as fit.
    night : bool
        Leaves on the first day's evening: its period runs from noon to noon.
    kind : str
        The violation planted, or narrowly missed; empty for ordinary work.
    lawful : bool
        Whether it breaks nothing.
    need : str
        What the route must have: ``road``, ``severe``, ``zone``, ``core``, ``clip``, ``desert``, ``shut``,
        ``mountain``, ``express``, ``away`` or nothing.
    boost : (float, float)
        Speed as a share of the limit during a burst on the first leg; 0 = no burst.
    boost_s : (float, float)
        Length of the burst [s].
    ramp_s : float
        How long speeding up and slowing down take [s].
    plus_kmh : float
        In a near miss the burst is held at exactly the limit (`boost` of it where < 1) and so much [km/h].
    exact_s : float
        Driving that is measured to the second: so long, then a rest of exactly 20 minutes [s].
    exempt : bool or None
        Whether the vehicle must, or must not, be exempt in the small hours; none = either.
    drivers : int
        Number of drivers it needs; 0 = any.
    early : bool
        In runs of less than a day it begins at once, for `short` classes.
    short : str
        The classes that may begin at any hour.
    fault : str
        What is wrong with the terminal: ``silent``, ``lost``, ``drifting``, ``corrupt``, ``recorder``, ``absent``
        or nothing.
    implies : tuple of str
        Kinds that necessarily come with it.
    paper : str
        What is wrong with its papers, as `papers` and `service` name it, or nothing.
    timed : bool
        Runs by a timetable: one round a leg, at the same times every day.
    told : str
        What the terminal tells of, as `tells` names it, or nothing.
    calls : (float, float)
        Length of a cycle of driving and standing, and its standing part [s]; 0 = as its class does.
    """

    name: str
    classes: str
    start_h: Span
    end_h: float = 22.0
    drive_h: float = 7.0
    block_h: float = 3.6
    turn_s: Span = (8 * MINUTE, 18 * MINUTE)
    rest_s: Span = (30 * MINUTE, 60 * MINUTE)
    pace: Span = (0.84, 0.95)
    leg_s: float = 0.0
    legs: int = 0
    night: bool = False
    kind: str = ""
    lawful: bool = True
    need: str = ""
    boost: Span = (0.0, 0.0)
    boost_s: Span = (80.0, 220.0)
    ramp_s: float = 12.0
    plus_kmh: float = 0.0
    exact_s: float = 0.0
    exempt: bool | None = None
    drivers: int = 0
    early: bool = False
    short: str = ""
    fault: str = ""
    implies: tuple[str, ...] = ()
    paper: str = ""
    timed: bool = False
    told: str = ""
    calls: Span = (0.0, 0.0)
