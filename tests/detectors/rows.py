"""Rows of `Found`, as tests look at them."""

import numpy as np

from detectors.found import Fact, Found


def latest(found: Found) -> Found:
    """The last row of each episode, by vehicle, then begin: how it stands."""
    last = {(int(row["vehicle"]), int(row["begins_ms"])): at for at, row in enumerate(found)}
    return found[[last[episode] for episode in sorted(last)]] if last else found[:0]


def facts(found: Found) -> Found:
    """The rows that do not depend on where batches are cut."""
    kept: Found = found[found["fact"] != Fact.STANDS]
    return kept


def told(found: Found, *columns: str) -> list[tuple[object, ...]]:
    """Name of the fact and these columns of each row."""
    return [(Fact(row["fact"]).name, *(row[name].item() for name in columns)) for row in found]


def values(found: Found) -> list[tuple[object, ...]]:
    """All columns but the fact, by vehicle and begin: what an episode is, whenever it was written."""
    names = [name for name in found.dtype.names or () if name != "fact"]
    return [tuple(row[name].item() for name in names) for row in latest(found)]


def joined(parts: list[Found]) -> Found:
    """Rows of batches, one behind another."""
    return np.concatenate(parts)
