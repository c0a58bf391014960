"""Second pass: rulebook §7, how a day is judged once more when it is closed; fix by fix."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone

from .gate import BACKFILL, DRIFT, LATE, NO_FIX, UNCONFIRMED, Accepted, Gate, qualified
from .metric import HOUR
from .online import Clock
from .positions import Fix
from .registry import Registry
from .replay import Vehicle

BEIJING = timezone(timedelta(hours=8))


def day_number(t: int) -> int:
    """Beijing day, counted."""
    return datetime.fromtimestamp(t // 1000, BEIJING).date().toordinal()


class Sure(Gate):
    """The gate without steps 3 and 4: what it is given is located."""

    def against_last(self, t: int) -> str | None:  # noqa: ARG002
        """Nothing is held against any."""
        return None


@dataclass(slots=True)
class Heard:
    """A fix as it arrived, with its place in the order of arrival."""

    fix: Fix
    said: Accepted | str
    at: int
    arrived: int


def located(said: Accepted | str) -> bool:
    """Passed steps 1 to 4."""
    return said == DRIFT or not isinstance(said, str)


def confirmed(heard: list[Heard], row: int) -> bool:
    """Whether the fix after an unconfirmed one "was confirmed by it"."""
    t = heard[row].fix.time
    for after in heard[row + 1 :]:
        if located(after.said) or after.said == UNCONFIRMED:
            assert t is not None
            assert after.fix.time is not None
            return located(after.said) and 0 < after.fix.time - t <= HOUR
    return False


def chosen(heard: list[Heard]) -> list[Heard]:
    """What enters, of one vehicle, in order (time, arrival); first of equal times wins."""
    enters = []
    for row, one in enumerate(heard):
        if one.said in (LATE, BACKFILL):
            assert one.fix.time is not None
            if day_number(one.arrived) - day_number(one.fix.time) <= 7:
                enters.append(one)
        elif located(one.said) or one.said == NO_FIX or (one.said == UNCONFIRMED and confirmed(heard, row)):
            enters.append(one)
    taken: dict[int, Heard] = {}
    for one in [*(e for e in enters if e.said != NO_FIX), *(e for e in enters if e.said == NO_FIX)]:
        assert one.fix.time is not None
        taken.setdefault(one.fix.time, one)
    return list(taken.values())


def closed_fixes(fixes: Iterable[Fix]) -> list[Fix]:
    """All that enters, in order (time, arrival)."""
    gates: dict[tuple[str, int], Gate] = {}
    heard: dict[tuple[str, int], list[Heard]] = {}
    for at, fix in enumerate(fixes):
        key = fix.plate, fix.plate_color
        gate = gates.setdefault(key, Gate())
        said = gate.take(fix)
        if qualified(fix) is None:
            continue
        assert fix.time is not None
        known = fix.time if gate.last is None else gate.last
        heard.setdefault(key, []).append(Heard(fix, said, at, known if fix.received is None else fix.received))
    every = [one for own in heard.values() for one in chosen(own)]
    every.sort(key=lambda one: (one.fix.time, one.at))
    return [replace(one.fix, backfill=False, received=None) for one in every]


def close_fixes(fixes: Iterable[Fix], registry: Registry) -> list[dict[str, object]]:
    """Episodes of the second pass of a whole input, of the kinds that judge vehicles fix by fix."""
    vehicles: dict[tuple[str, int], Vehicle] = {}
    clock = Clock()
    for fix in closed_fixes(fixes):
        key = fix.plate, fix.plate_color
        vehicle = vehicles.get(key)
        if vehicle is None:
            vehicle = vehicles[key] = Vehicle(registry, key)
            vehicle.gate = Sure()
        found = vehicle.gate.take(fix)
        clock.hear(fix, found, (one.online for one in vehicles.values()))
        vehicle.take(fix, found, Counter())
    episodes = [episode for key in sorted(vehicles) for episode in vehicles[key].episodes]
    for episode in episodes:
        if episode.kind == "V12":  # "the closing of the day confirms it"
            episode.measures["provisional"] = False
    return [episode.shown() for episode in episodes]
