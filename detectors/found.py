"""Found: episodes as columns, and how a verb writes one."""

from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.kernel import kernel
from ingest.registry import Registry

EPISODE = [
    ("begins_ms", "i8"),
    ("raised_ms", "i8"),
    ("ends_ms", "i8"),
    ("lon", "f8"),
    ("lat", "f8"),
    ("severity", "u1"),
    ("lead", "u1"),
]
"""What a state remembers of its episode, and every found episode shows: times [ms], where it began
[deg], severity, and whether it is a lead."""

SHOWN = [("vehicle", "i4"), ("fact", "u1"), *EPISODE]
"""Columns of every found episode."""

Found = NDArray[np.void]
"""Episodes as they stood at some fix of a batch, (m,): by vehicle, then time. The last row of an
episode is how it stands after the batch; rows with a fact do not depend on where batches are cut."""


class Fact(IntEnum):
    """Why a row was written.

    STANDS : the batch is over, and since its last row the episode has changed
    RAISED : at this fix it was confirmed
    RISEN : at this fix, after the one that raised it, it became graver
    ENDED : at this fix it was over; it goes on, and ends once more, only where a counter is taken up
        again or another registry merges from farther apart
    WARNED : at this fix it could be seen coming; no episode but a warning before one, told once: begins_ms is
        that of the episode it may become, or of the warning, severity is 0, the measures are what there is so far
    """

    STANDS = 0
    RAISED = 1
    RISEN = 2
    ENDED = 3
    WARNED = 4


STANDS, RAISED, RISEN, ENDED, WARNED = map(int, Fact)
"""`Fact`, as kernels write it."""


PLACES = {"fence": "fences", "road": "roads", "route": "routes"}
"""What a column of this name refers to: a row of this list of the registry; -1 for none."""


def places(row: Any, registry: Registry) -> dict[str, object]:
    """Ids of the fence, the road and the route that a row of `Found` names, where it names one."""
    named = [name for name in PLACES if name in (row.dtype.names or ()) and row.dtype[name].kind == "i"]
    named = [name for name in named if row[name] >= 0]
    return {name: getattr(registry, PLACES[name])[row[name]].id for name in named}


@kernel
def show(found: Any, vehicle: int, own: Any) -> None:
    """Write what every episode has from a vehicle's state into a row of `Found`; its fact is the caller's."""
    found.vehicle = vehicle
    found.begins_ms = own.begins_ms
    found.raised_ms = own.raised_ms
    found.ends_ms = own.ends_ms
    found.lon = own.lon
    found.lat = own.lat
    found.severity = own.severity
    found.lead = own.lead
