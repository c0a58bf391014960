"""Replay: a file of positions through gate and detectors to episodes, without a database."""

import gc
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from detectors.engine import Engine
from detectors.episodes import Episodes
from detectors.second import close
from ingest.batch import Batch, Int8, Int64, concat
from ingest.formats import Positions, read_positions
from ingest.gate import Verdict, explain
from ingest.profile import DEFAULT, Profile
from ingest.rejects import SHOWN_PER_REASON, Rejects
from ingest.ticks import Clock
from ingest.unzip import Source

BATCH_FIXES = 100_000
"""Fixes that are gathered before they are judged; no result depends on it."""

UNKNOWN_VEHICLE = "unknown_vehicle"


@dataclass(slots=True)
class Summary:
    """What a replay read and what became of it.

    Attributes
    ----------
    fixes, accepted : int
        Position records read, and those that passed the gate.
    unregistered : int
        Accepted fixes of vehicles that are not registered at that time: kept, but they raise nothing.
    rejects : Rejects
        Lines that are no fix and fixes that the gate refused, by reason.
    """

    fixes: int = 0
    accepted: int = 0
    unregistered: int = 0
    rejects: Rejects = field(default_factory=Rejects)


@contextmanager
def seldom_collecting() -> Iterator[None]:
    """Look for reference cycles seldom: decoding makes many short-lived objects and no cycles."""
    before = gc.get_threshold()
    gc.set_threshold(500_000, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _gathered(parts: Iterator[Positions]) -> Iterator[tuple[Batch, Int64]]:
    """Gather the small batches of a reader into large ones, with the line of each fix."""
    waiting: list[Positions] = []
    size = 0
    for part in parts:
        waiting.append(part)
        size += len(part.batch)
        if size >= BATCH_FIXES:
            yield concat([one.batch for one in waiting]), np.concatenate([one.line for one in waiting])
            waiting, size = [], 0
    if waiting:
        yield concat([one.batch for one in waiting]), np.concatenate([one.line for one in waiting])


def _note(batch: Batch, line: Int64, verdict: np.ndarray, rejects: Rejects) -> None:
    """Count what the gate refused; explain the first few of each reason."""
    counts = Counter(dict(enumerate(np.bincount(verdict, minlength=len(Verdict)).tolist())))
    for reason in Verdict:
        if reason is Verdict.ACCEPTED or not counts[reason]:
            continue
        name = reason.name.lower()
        for row in np.flatnonzero(verdict == reason)[: max(0, SHOWN_PER_REASON - rejects.counts[name])]:
            rejects.add(int(line[row]), name, explain(batch, int(row), reason))
            counts[reason] -= 1
        rejects.counts[name] += counts[reason]


def replay(
    source: Source,
    name: str,
    engine: Engine,
    *,
    profile: Profile = DEFAULT,
    closed: bool = False,
    progress: Callable[[int], None] = lambda _: None,
) -> tuple[Iterator[dict[str, object]], Summary]:
    """Judge a stream of positions.

    Parameters
    ----------
    source : binary stream
        NDJSON or CSV, plain or gzipped; read to its end.
    name : str
        The file's name, whose suffix may tell the format.
    engine : Engine
        Fresh; it keeps what it has seen. Where it keeps days, all of them are closed at the end of the input.
    closed : bool
        Episodes are those that the closing of all days finds, by late and back-filled fixes as well, instead of those
        found online; all fixes are held in memory.
    progress : callable
        Is told how many fixes have been judged, after each batch.

    Returns
    -------
    iterator of dict
        Episodes as ``docs/formats.md`` §3 orders and names them.
    Summary
        What was read, and what was refused and why.
    """
    episodes, summary = Episodes(engine.kinds), Summary()
    kept: list[tuple[Batch, Int8]] = []
    clock = Clock()
    parts = read_positions(source, name, engine.registry.vehicles, summary.rejects, profile)
    with seldom_collecting():
        for batch, line in _gathered(parts):
            result = engine.detect(batch, clock)
            if closed:
                kept.append((batch, result.verdict))
            else:
                episodes.add(result.found)
            summary.fixes += len(batch)
            summary.accepted += int((result.verdict == Verdict.ACCEPTED).sum())
            summary.unregistered += result.unregistered
            _note(batch, line, result.verdict, summary.rejects)
            progress(summary.fixes)
    if kept:
        for found in close(engine, concat([batch for batch, _ in kept]), np.concatenate([said for _, said in kept])):
            episodes.add(found)
    elif not closed:
        episodes.add(engine.close())
    return episodes.records(engine), summary
