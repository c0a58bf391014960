"""Codes: what of a kind's sub-codes a fix tells of, as bits of one byte, and their names."""

from collections.abc import Sequence

import numpy as np

from ingest.batch import Int8, Int64

SEVERAL = ", "
"""What stands between the names of several codes."""


def coded(words: Int64, *masks: int) -> Int8:
    """Codes of words of bits, (n,): bit k where a bit of the k-th mask is set; none where not given, -1."""
    found = np.zeros(len(words), np.uint8)
    some = np.flatnonzero(words > 0)
    if len(some):
        told = words[some]
        for bit, mask in enumerate(masks):
            found[some] |= ((told & mask) != 0).astype(np.uint8) << bit
    return found


def named(codes: int, names: Sequence[str]) -> str:
    """Names of the codes that are set, in the order of their bits; an empty name is of none."""
    return SEVERAL.join(name for bit, name in enumerate(names) if name and codes >> bit & 1)
