"""Make a fleet and let it drive: positions, labels and registry in a folder."""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ingest.fleet.labels import label_line
from ingest.fleet.lines import Writer
from ingest.fleet.plants import Plants
from ingest.fleet.registry import write_registry
from ingest.fleet.run import Run

START_MS = 1_772_380_800_000
"""2026-03-02T00:00+08:00 [ms]."""


@dataclass(frozen=True)
class Summary:
    """What was made.

    Parameters
    ----------
    vehicles, fixes, labels, near : int
        How many vehicles, lines of positions, planted violations, near misses.
    kinds : dict of str to int
        Planted violations by kind.
    positions : Path
        The file of positions.
    """

    vehicles: int
    fixes: int
    labels: int
    near: int
    kinds: dict[str, int]
    positions: Path


def generate(
    out: Path,
    *,
    vehicles: int,
    hours: float,
    seed: int,
    start_ms: int = START_MS,
    plants: Plants | None = None,
    compress: bool = False,
    progress: Callable[[float], None] | None = None,
    ahead_days: int = 0,
    share: tuple[int, int] = (0, 1),
) -> Summary:
    """Write a synthetic fleet's traffic, byte for byte repeatable.

    Lawful traffic raises nothing; every line of ``labels.ndjson`` is a violation that an exact detector
    finds, beginning and ending within its ``tolerance_ms``, together with the kinds it ``implies``. What
    would not lie wholly within the run is not planted. Runs of less than a day plant V01, V02, V04 and V20
    only, and begin with them. Whole days are planted where the run holds a whole Beijing day.

    Parameters
    ----------
    out : Path
        Folder, made if need be: ``positions.ndjson`` (or ``.ndjson.gz``; in order of receipt),
        ``labels.ndjson``, ``near.ndjson`` (near misses, ``"lawful": true``), ``registry/``.
    vehicles : int
        Size of the fleet, at least 1.
    hours : float
        Length of the run [h].
    seed : int
        Equal seeds make equal files.
    start_ms : int
        When the run begins [ms], whole seconds.
    plants : Plants or None
        How much is planted; by default about one vehicle in twenty-five.
    compress : bool
        Write the positions gzipped.
    progress : callable or None
        Told the share that is done, 0 to 1, after every slice.
    ahead_days : int
        Papers are in order so much longer than the run [d].
    share : (int, int)
        Which part of how many drives: every so manieth vehicle, and its registry.

    Returns
    -------
    Summary

    Raises
    ------
    ValueError
        If there is no vehicle or no time to drive.
    """
    if vehicles < 1 or hours <= 0:
        raise ValueError("a fleet needs a vehicle and some time")
    run = Run(vehicles, hours, seed, start_ms, plants or Plants(), share)
    write_registry(out / "registry", run, ahead_days)
    path = out / ("positions.ndjson.gz" if compress else "positions.ndjson")
    writer = Writer(run.roster)
    fixes, near = 0, 0
    kinds: Counter[str] = Counter()
    with (
        path.open("wb") as raw,
        _file(raw, compress) as positions,
        (out / "labels.ndjson").open("w", encoding="utf-8") as labels,
        (out / "near.ndjson").open("w", encoding="utf-8") as nears,
    ):
        for part in run.drive():
            for label in part.labels:
                (nears if label.lawful else labels).write(label_line(label))
                near += label.lawful
                kinds[label.kind] += not label.lawful
            positions.write(writer.lines(part.rows))
            fixes += len(part.rows)
            if progress is not None:
                progress(part.done)
    found = {kind: count for kind, count in sorted(kinds.items()) if count}
    return Summary(vehicles, fixes, sum(found.values()), near, found, path)


def _file(raw: IO[bytes], compress: bool) -> AbstractContextManager[IO[bytes] | gzip.GzipFile]:
    """What the lines are written to; a gzip header without name and time."""
    return gzip.GzipFile("", "wb", 4, raw, mtime=0) if compress else nullcontext(raw)
