"""Online: V11-V17 of one vehicle, what is said of its terminal, and the clock of all of them."""

from collections.abc import Iterable, Mapping

from .days import Absence, Days
from .episode import Episode
from .gate import DRIFT, NO_FIX, Accepted, qualified
from .offline import MINUTE, Moved, Silence
from .positions import Fix
from .registry import Registry
from .sight import Pair, Sight, pair_of
from .signs import Signs


class Online:
    """One vehicle's terminal."""

    def __init__(self, registry: Registry, episodes: list[Episode], holder: tuple[str, int]) -> None:
        self.days = Days(registry, episodes, holder)
        self.moved, self.silence = Moved(registry, episodes), Silence(registry, episodes)
        self.signs = Signs(registry, episodes)
        self.previous: Sight | None = None
        self.recorder: float | None = None

    def hear(self, fix: Fix, found: Accepted | str) -> None:
        """One fix, and what the gate said of it; an accepted one is taken, too."""
        self.days.receive(fix)
        self.recorder = fix.recorder_speed_kmh
        known = qualified(fix)
        if known is None:
            return
        if found == DRIFT or not isinstance(found, str):
            self.days.locate(fix, known, found != DRIFT)
        if found in (DRIFT, NO_FIX):
            self.silence.online(known.t)
        if found == NO_FIX:
            self.signs.unlocated(known, self.recorder)
        elif found == DRIFT:
            self.signs.drift(known)

    def take(self, sight: Sight) -> None:
        """One accepted fix."""
        pair: Pair | None = None if self.previous is None else pair_of(self.previous, sight)
        self.previous = sight
        self.moved.take(pair)
        self.silence.accepted(sight)
        self.signs.accepted(sight, self.recorder)


class Clock:
    """ "A tick for each full minute that the clock passes", before the fix that passes it."""

    def __init__(self) -> None:
        self.minute: int | None = None

    def hear(self, fix: Fix, found: Accepted | str, vehicles: Iterable[Online]) -> None:
        """ "The latest moment so far that a located fix vouches for"; the first passes nothing."""
        moment = fix.time if fix.received is None else fix.received
        if moment is None or (isinstance(found, str) and found != DRIFT):
            return
        minute = moment // MINUTE
        if self.minute is not None and minute > self.minute:
            for vehicle in vehicles:
                vehicle.silence.ticks((self.minute + 1) * MINUTE, minute * MINUTE)
        self.minute = minute if self.minute is None else max(self.minute, minute)


def close_days(registry: Registry, vehicles: Mapping[tuple[str, int], Online]) -> None:
    """Every day of every vehicle, registered or heard."""
    absence = Absence(registry, [one.days for one in vehicles.values()])
    for one in vehicles.values():
        for day, sheet in sorted(one.days.sheets.items()):
            one.days.close(day, sheet)
        absence.close(one.days)
