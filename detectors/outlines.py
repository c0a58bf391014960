"""Outlines: the boundaries of fences, and which places they hold or are near to."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import shapely

from detectors.lines import Lines, around, lines_of, nearest
from detectors.state import letters_of
from ingest.batch import Bool, Float64, Int8, Int32, Int64
from ingest.fences import Fence
from ingest.kernel import kernel

WIDER_DEG = 0.02
"""How far around fences one looks at most: more than 1 km to the east up to 60 degrees north [deg]."""

MOST_NEAR_DM = 11_000
"""Distance from a fence up to which a place can be said to be near it [dm]."""

MOST_CELLS = 512
"""Cells along each side of a grid."""


class Outlines(NamedTuple):
    """Fences of some kinds as lines, their boundaries, under a grid.

    Attributes
    ----------
    lines : Lines
        Their boundaries, (f,) lines.
    box : float64, (f, 4)
        West, south, east, north [deg].
    from_ms, to_ms : int64, (f,)
        When they hold [ms].
    classes : uint8, (f,)
        Classes they are for, as bits by their place in ``registry.CLASSES``.
    corner : float64, (4,)
        West and south of the grid [deg], its cells per degree to the east and to the north.
    columns : int
        Cells of a row.
    first : int32, (cells + 1,)
        Where the fences of each cell begin.
    member : int32, (m,)
        Fences whose box, widened by `WIDER_DEG`, touches the cell.
    """

    lines: Lines
    box: Float64
    from_ms: Int64
    to_ms: Int64
    classes: Int8
    corner: Float64
    columns: int
    first: Int32
    member: Int32


def outlines_of(fences: Sequence[Fence]) -> Outlines:
    """Boundaries of fences, under a grid."""
    box = shapely.bounds([fence.shape for fence in fences]).reshape(-1, 4)
    wide = box + np.array([-1, -1, 1, 1]) * WIDER_DEG
    west, south, east, north = (
        (wide[:, :2].min(axis=0).tolist() + wide[:, 2:].max(axis=0).tolist()) if len(box) else (0.0, 0.0, 1.0, 1.0)
    )
    columns = min(MOST_CELLS, math.ceil((east - west) / WIDER_DEG))
    rows = min(MOST_CELLS, math.ceil((north - south) / WIDER_DEG))
    corner = np.array([west, south, columns / (east - west), rows / (north - south)])
    cells, members = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for at, own in enumerate(wide):
        span = (own - np.tile(corner[:2], 2)) * np.tile(corner[2:], 2)
        column = np.arange(math.floor(span[0]), min(math.floor(span[2]), columns - 1) + 1)
        row = np.arange(math.floor(span[1]), min(math.floor(span[3]), rows - 1) + 1)
        cells.append((row[:, None] * columns + column).ravel())
        members.append(np.full(len(row) * len(column), at))
    cell = np.concatenate(cells)
    order = np.argsort(cell, kind="stable")
    return Outlines(
        lines_of([fence.shape for fence in fences]),
        box,
        np.array([fence.from_ms for fence in fences], np.int64),
        np.array([fence.to_ms for fence in fences], np.int64),
        np.array([letters_of(fence.classes) for fence in fences], np.uint8),
        corner,
        columns,
        np.searchsorted(cell[order], np.arange(columns * rows + 1)).astype(np.int32),
        np.concatenate(members)[order].astype(np.int32),
    )


@kernel
def near_fences(
    lon: Float64, lat: Float64, time_ms: Int64, kind: Int8, near_dm: Int64, outlines: Any, found: Bool
) -> None:
    """Fill whether a fence holds each place or is not farther from it."""
    per_lon, per_lat = outlines.corner[2], outlines.corner[3]
    rows = (len(outlines.first) - 1) // outlines.columns
    for at in range(len(lon)):
        column = math.floor((lon[at] - outlines.corner[0]) * per_lon)
        row = math.floor((lat[at] - outlines.corner[1]) * per_lat)
        if not (0 <= column < outlines.columns and 0 <= row < rows):
            continue
        cell = row * outlines.columns + column
        for one in range(outlines.first[cell], outlines.first[cell + 1]):
            which = outlines.member[one]
            if not (outlines.classes[which] >> kind[at]) & 1:
                continue
            if not outlines.from_ms[which] <= time_ms[at] < outlines.to_ms[which]:
                continue
            if around(outlines.lines, which, lon[at], lat[at]):
                found[at] = True
                break
            if nearest(outlines.lines, which, lon[at], lat[at])[0] <= near_dm[at]:
                found[at] = True
                break
