"""Items: what terminals tell of beside the position, all of a fix packed into one number.

Bits of ``Batch.items``, from the lowest; 0 where a fix tells of none, never negative:

=====  ===========  ====================================================================================
bits   field        entries
=====  ===========  ====================================================================================
0-6    video_alarm  0 signal lost, 1 covered, 2 storage fault, 3 other video fault, 4 overloaded,
                    5 abnormal driving, 6 special recordings full (JT/T 1078 item 0x14)
7-9    abnormal     0 fatigue, 1 phone, 2 smoking (JT/T 1078 item 0x18)
10-23  adas         types 1-7, two bits each: forward collision, lane departure, too close, pedestrian,
                    frequent lane change, road sign, obstacle (T/JSATL 12 item 0x64)
24-39  dsm          types 1-8, two bits each: fatigue, phone, smoking, distracted, driver abnormal (item
                    0x65); as regional lists add: 6 hands off, 7 no seat belt, 8 not looking ahead
40-42  bsd          types 1-3: rear, left rear, right rear approach (item 0x67)
43-46  tpms         0 over-pressure, 1 under-pressure, 2 over-temperature, 3 leak, on any tyre (item 0x66)
47-53  harsh        types 1-7: acceleration, braking, turn, idling, stall, coasting, engine overspeed
                    (item 0x70)
54-62  passengers   people on board plus 1, 255 of them at most; 0 where not known
=====  ===========  ====================================================================================

Of two bits the lower one says that an alarm of level 1 was raised, the upper one that one of level 2 or above was;
so alarms of one fix are put together by or. An alarm that ends (flag 2) raises nothing.

Source: JT/T 1078 items 0x14, 0x18; T/JSATL 12 items 0x64-0x67, 0x70.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ingest import values
from ingest.batch import Bool, Int64


class Field(NamedTuple):
    """Where a field stands: its first bit, how many entries it has, and of how many bits each."""

    shift: int
    entries: int
    each: int = 1

    @property
    def whole(self) -> int:
        """All its bits, from bit 0."""
        return (1 << self.entries * self.each) - 1


FIELDS = {
    "video_alarm": Field(0, 7),
    "abnormal": Field(7, 3),
    "adas": Field(10, 7, 2),
    "dsm": Field(24, 8, 2),
    "bsd": Field(40, 3),
    "tpms": Field(43, 4),
    "harsh": Field(47, 7),
    "passengers": Field(54, 1, 9),
}
"""The layout; also the names of the fields that positions carry."""

LISTS = ("adas", "dsm", "bsd", "harsh")
"""Fields that positions give as alarms, by type and level; their types are from 1 up, entries from 0."""

HANDS_OFF, SEAT_BELT, NOT_AHEAD = 6, 7, 8
"""Types of ``dsm`` beyond those of T/JSATL 12; a decoder of a regional list numbers its own so."""

MOST_PASSENGERS = 255
_ENDS = 2
_U16 = (1 << 16) - 1
_TYRE_BITS = (1, 2, 3, 6)
"""Bits of a tyre's alarm that are kept, in the order of the entries of ``tpms``."""


def mask(name: str, value: Int64) -> Int64:
    """Items of a field that is a mask of its entries, (n,); further bits are passed over; -1 where not given."""
    field = FIELDS[name]
    found: Int64 = (np.maximum(value, 0) & field.whole) << field.shift
    return found


def tyres(alarm: Int64) -> Int64:
    """Items of ``tpms`` from the alarm bits of all tyres, as T/JSATL 12 has them, (n,); -1 where not given."""
    given, found = np.maximum(alarm, 0), np.zeros(len(alarm), np.int64)
    for at, bit in enumerate(_TYRE_BITS):
        found |= ((given >> bit) & 1) << at
    return mask("tpms", found)


def alarms(name: str, kind: Int64, level: Int64, flag: Int64) -> Int64:
    """Items of alarms of a field of `LISTS`, (m,): 0 where one ends, or is of a type that is not kept.

    Parameters
    ----------
    kind : int64, (m,)
        Type, from 1.
    level : int64, (m,)
        0 is taken as 1, and above 2 as 2.
    flag : int64, (m,)
        0 at once, 1 begins, 2 ends.
    """
    field = FIELDS[name]
    known = (kind >= 1) & (kind <= field.entries) & (flag != _ENDS)
    upper = (level >= 2) if field.each == 2 else np.zeros(len(kind), np.bool_)
    place = field.shift + field.each * (np.where(known, kind, 1) - 1) + upper
    return np.where(known, np.left_shift(np.int64(1), place), 0)


def passengers(count: Int64) -> Int64:
    """Items of people on board, (n,); -1 where not known."""
    return np.where(count >= 0, np.minimum(count, MOST_PASSENGERS) + 1, 0) << FIELDS["passengers"].shift


def bits(name: str, *entries: int, least: int = 1) -> int:
    """Bits of some entries of a field (types, of a field of `LISTS`); of those with levels from this level up."""
    field, first = FIELDS[name], int(name in LISTS)
    one = 2 if field.each == 2 and least == 2 else (1 << field.each) - 1
    return sum(one << field.shift + field.each * (entry - first) for entry in entries)


def one(name: str, kind: int, level: int = 1) -> int:
    """Items of one alarm."""
    return int(alarms(name, *(np.array([number]) for number in (kind, level, 0)))[0])


def told(items: Int64, of: int) -> Bool:
    """Where one of these bits is set, (n,)."""
    found: Bool = (items & of) != 0
    return found


def on_board(items: Int64) -> Int64:
    """People on board, (n,); -1 where not known."""
    field = FIELDS["passengers"]
    found: Int64 = ((items >> field.shift) & field.whole) - 1
    return found


def _elements(value: object) -> Iterator[tuple[int, int, int]]:
    """Type, level and flag of each alarm of a list, or of a text such as ``1:2 3:1``, that can be read."""
    if isinstance(value, str):
        value = [element.split(":") for element in value.split()]
    for element in value if isinstance(value, list) else ():
        parts = [values.whole(part) for part in element] if isinstance(element, list) else []
        if 1 <= len(parts) <= 3 and None not in parts:
            kind, level, flag, *_ = (*(part or 0 for part in parts), *(0,) * 2)
            yield kind, level, flag


def pack(found: Mapping[str, Sequence[Any]], n: int) -> Int64:
    """Items of n fixes from what their records say, by field, (n,); what cannot be read is passed over.

    Parameters
    ----------
    found : mapping of sequence
        Field of `FIELDS` to values as they stand there; others are not looked at.

    Source: ``docs/formats.md`` §1.
    """
    items = np.zeros(n, np.int64)
    for name in FIELDS:
        column = found.get(name)
        if column is None or column.count(None) == n:
            continue
        if name in LISTS:
            listed = [(row, *one) for row, value in enumerate(column) for one in _elements(value)]
            row, kind, level, flag = np.array(listed, np.int64).reshape(-1, 4).T
            np.bitwise_or.at(items, row, alarms(name, kind, level, flag))
            continue
        most = _U16 if name in ("abnormal", "tpms") else values.U32
        whole = values.ints([values.whole(value, most) for value in column], -1)
        if name == "passengers":
            items |= passengers(whole)
        else:
            items |= tyres(whole) if name == "tpms" else mask(name, whole)
    return items
