"""The legs of a period: when each vehicle drives, how fast, and where it turns."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from ingest.fleet.columns import Ints, Mask

LEGS = 13
"""Room for twelve legs; the last column stays empty."""
NEVER = np.int32(2**31 - 1)
DAY_S = 86400


@dataclass
class Plan:
    """Legs of the present period; (k, n) by leg and vehicle, or (n,) by vehicle.

    Parameters
    ----------
    begin, end : ndarray of int32, (k, n)
        When a leg is driven [s since the run's first Beijing midnight]; NEVER = no such leg.
    pace : ndarray of float32, (k, n)
        Unit time per second at full speed.
    cycles : ndarray of int16, (k, n)
        How often the vehicle gets up to speed and stops again.
    done : ndarray of float32, (k, n)
        Metres driven in the period before the leg.
    home, far : ndarray of float32, (n,)
        Where the way begins and turns, in unit time of its track [s].
    dwell, ramp : ndarray of float32, (n,)
        Standing time of a cycle; time to get up to speed [s].
    fast_begin, fast_end, fast_by, fast_ramp : ndarray of float32, (n,)
        Burst on the first leg: from, to [s into the leg], what it adds to the pace, ramp [s].
    """

    begin: NDArray[np.int32]
    end: NDArray[np.int32]
    pace: NDArray[np.float32]
    cycles: NDArray[np.int16]
    done: NDArray[np.float32]
    home: NDArray[np.float32]
    far: NDArray[np.float32]
    dwell: NDArray[np.float32]
    ramp: NDArray[np.float32]
    fast_begin: NDArray[np.float32]
    fast_end: NDArray[np.float32]
    fast_by: NDArray[np.float32]
    fast_ramp: NDArray[np.float32]

    @classmethod
    def empty(cls, vehicles: int) -> Plan:
        """A plan in which nobody drives."""
        full, flat = (LEGS, vehicles), (vehicles,)
        return cls(
            np.full(full, NEVER, np.int32),
            np.full(full, NEVER, np.int32),
            np.zeros(full, np.float32),
            np.ones(full, np.int16),
            np.zeros(full, np.float32),
            *(np.zeros(flat, np.float32) for _ in range(8)),
        )

    def put(self, who: Ints, part: Plan) -> None:
        """Take over the plan of some vehicles."""
        for field in fields(self):
            getattr(self, field.name)[..., who] = getattr(part, field.name)

    def cancel(self, who: Mask | Ints) -> None:
        """These vehicles stay at home."""
        self.begin[:, who] = NEVER
        self.end[:, who] = NEVER
        self.done[:, who] = 0.0
        self.fast_by[who] = 0.0
