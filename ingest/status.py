"""Status bits of JT/T 808, and where they are set."""

from ingest.batch import Bool, Int64

IGNITION_BIT = 0x1
"""Bit 0: the ignition is on."""

FIXED_BIT = 0x2
"""Bit 1: the receiver has a fix."""

LOADED_BIT = 0x100
"""Bit 8: set where the vehicle is half (01) or fully (11) loaded, by bits 8 and 9."""

DOOR_BITS = 0x3E000
"""Bits 13 to 17: a door is open."""


def told(status: Int64, bits: int) -> Bool:
    """Where a status is given and one of these bits is set, (n,)."""
    found: Bool = (status != -1) & ((status & bits) != 0)
    return found
