"""What terminals tell of beside the position, where that is planted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ingest.fleet.columns import Ints, Mask, Rows
from ingest.fleet.motion import Moments
from ingest.fleet.shift import Span
from ingest.fleet.shifts import SHIFTS

ACC, DOOR = 0x1, 0x2000

MOMENT_S = 45.0
"""An alarm is told for so long, in three fixes at least [s]."""


@dataclass(frozen=True)
class Tell:
    """What is told of on the first leg, and when.

    Parameters
    ----------
    spans : tuple of (float, float)
        From, to [s into the leg].
    text : str
        Fields of the position's line, with a comma before them.
    door, off : bool
        A door is open; the ignition is off.
    """

    spans: tuple[Span, ...]
    text: str = ""
    door: bool = False
    off: bool = False


def _at(*begins: float) -> tuple[Span, ...]:
    """Moments that begin then."""
    return tuple((begin, begin + MOMENT_S) for begin in begins)


TELLS: dict[str, Tell] = {
    "crowded": Tell(((600.0, 1500.0),), ',"video_alarm":16,"passengers":66'),
    "full": Tell(((600.0, 1500.0),), ',"passengers":45'),
    "door": Tell(((600.0, 690.0),), door=True),
    "door_once": Tell(((600.0, 609.0),), door=True),
    "phone": Tell(_at(600.0), ',"dsm":[[2,1]]'),
    "phone_over": Tell(_at(600.0), ',"dsm":[[2,1,2]]'),
    "smoking": Tell(_at(600.0), ',"dsm":[[3,1]]'),
    "drowsy": Tell(_at(600.0), ',"dsm":[[1,2]]'),
    "yawns": Tell(_at(600.0, 1200.0), ',"dsm":[[1,1]]'),
    "distracted": Tell(_at(600.0, 780.0, 960.0), ',"dsm":[[4,1]]'),
    "seldom_distracted": Tell(_at(600.0, 900.0, 1300.0), ',"dsm":[[4,1]]'),
    "close": Tell(_at(600.0, 900.0, 1200.0, 1500.0, 1800.0), ',"adas":[[3,2]]'),
    "seldom_close": Tell(_at(600.0, 900.0, 1200.0, 1500.0), ',"adas":[[3,2]]'),
    "harsh": Tell(_at(600.0, 1200.0, 1800.0), ',"harsh":[[2,1]]'),
    "seldom_harsh": Tell(_at(600.0, 1500.0, 2450.0), ',"harsh":[[2,1]]'),
    "covered": Tell(((600.0, 1200.0),), ',"video_alarm":2'),
    "covered_briefly": Tell(((600.0, 890.0),), ',"video_alarm":2'),
    "power": Tell(((600.0, 1200.0),), ',"alarm":256'),
    "antenna": Tell(((600.0, 1200.0),), ',"alarm":32'),
    "antenna_briefly": Tell(((600.0, 880.0),), ',"alarm":32'),
    "ignition": Tell(_at(600.0), ',"alarm":134217728'),
    "towed": Tell(((600.0, 1200.0),), off=True),
    "off_briefly": Tell(((600.0, 619.0),), off=True),
}
"""By the name that a shift gives."""

_NAMES = tuple(TELLS)
TEXTS = ("", *(tell.text for tell in TELLS.values()))
"""What may stand in a line, by ``told`` of its row."""
_OF_SHIFT = np.asarray([_NAMES.index(shift.told) + 1 if shift.told else 0 for shift in SHIFTS], np.uint8)
_ALARM = np.asarray([',"alarm":' in text for text in TEXTS])


def _when(spans: tuple[Span, ...], since: Ints) -> Mask:
    """Where one of the spans holds."""
    found = np.zeros(len(since), bool)
    for begin, end in spans:
        found |= (since >= begin) & (since < end)
    return found


def tell(rows: Rows, shift: Ints, at: Moments, omit_alarm: int) -> None:
    """Let rows tell of what is planted; changed in place.

    Parameters
    ----------
    rows : ndarray of FIX, (m,)
    shift : ndarray, (m,)
        Of the vehicle of each row.
    at : Moments, (m,)
    omit_alarm : int
        Bit of ``omit`` that says that the alarm stands in what is told.
    """
    which = np.where((at.leg == 0) & at.driving, _OF_SHIFT[shift], 0)
    for number in np.unique(which[which > 0]).tolist():
        own = np.flatnonzero(which == number)
        spec = TELLS[_NAMES[number - 1]]
        own = own[_when(spec.spans, at.since[own])]
        rows["told"][own] = number if spec.text else 0
        rows["status"][own] |= DOOR if spec.door else 0
        rows["status"][own] &= ~ACC if spec.off else -1
        rows["omit"][own] |= omit_alarm if _ALARM[number] else 0
