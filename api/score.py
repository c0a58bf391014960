"""Score: what was planted in a synthetic fleet against what is found in it."""

import json
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from api.replay import replay
from api.summary import lines
from detectors.catalogue import CATALOGUE
from detectors.engine import Engine
from ingest.fleet import generate
from ingest.moment import BEIJING
from ingest.registry import read_registry

Row = dict[str, Any]
"""A label or an episode."""

MARGIN_MS = 60_000
"""An implied kind may begin so much after what implies it is over, or end so much before it begins [ms]."""


@dataclass(slots=True)
class Score:
    """How a fleet was judged.

    Attributes
    ----------
    fixes : int
        Position records.
    planted, found : Counter
        Labels, and labels that an episode of the vehicle and kind answers, by kind.
    missed : list of Row
        Labels that none answers.
    extra : list of Row
        Episodes that answer no label and are implied by none.
    implied : Counter
        Episodes that are implied by a label, by kind.
    """

    fixes: int = 0
    planted: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    missed: list[Row] = field(default_factory=list)
    extra: list[Row] = field(default_factory=list)
    implied: Counter[str] = field(default_factory=Counter)

    @property
    def perfect(self) -> bool:
        """Whether all that is planted is found, and nothing else."""
        return not self.missed and not self.extra

    def add(self, other: "Score") -> None:
        """Take in another part of the fleet."""
        self.fixes += other.fixes
        for name in ("planted", "found", "implied"):
            getattr(self, name).update(getattr(other, name))
        self.missed += other.missed
        self.extra += other.extra


def _answers(label: Row, episode: Row) -> bool:
    """Whether an episode begins and ends when the label says, within its tolerance."""
    slack = label["tolerance_ms"]
    begins, ends = episode["begins_ms"] - label["begin_ms"], episode["ends_ms"] - label["end_ms"]
    return bool(abs(begins) <= slack and abs(ends) <= slack)


def _meets(label: Row, episode: Row) -> bool:
    """Whether an episode and a label share an instant, or nearly."""
    slack = label["tolerance_ms"] + MARGIN_MS
    return bool(episode["begins_ms"] <= label["end_ms"] + slack and episode["ends_ms"] >= label["begin_ms"] - slack)


def compare(labels: Iterable[Row], episodes: Iterable[Row]) -> Score:
    """Match labels and episodes of one fleet.

    A label is answered by one episode of its vehicle and kind that begins and ends within its tolerance; of several
    by the one that begins nearest, and the others are extra, as is whatever answers no label and is of no kind that a
    label of the vehicle implies at that time.
    """
    score = Score()
    left: dict[tuple[str, str], list[Row]] = {}
    for episode in episodes:
        left.setdefault((episode["plate"], episode["kind"]), []).append(episode)
    labels = list(labels)
    for label in labels:
        kind = label["kind"]
        score.planted[kind] += 1
        own = left.get((label["plate"], kind), [])
        near = [episode for episode in own if _answers(label, episode)]
        if near:
            own.remove(min(near, key=lambda episode: abs(episode["begins_ms"] - label["begin_ms"])))
            score.found[kind] += 1
        else:
            score.missed.append(label)
    for label in labels:
        for kind in label.get("implies", ()):
            own = left.get((label["plate"], kind), [])
            also = [episode for episode in own if _meets(label, episode)]
            score.implied[kind] += len(also)
            left[label["plate"], kind] = [episode for episode in own if episode not in also]
    score.extra = [episode for own in left.values() for episode in own]
    return score


def _rows(path: Path) -> list[Row]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def score_folder(folder: Path) -> Score:
    """Judge a folder that ``warnloop fleet`` wrote, and compare.

    Raises
    ------
    OSError
        There are no such files.
    RegistryError
        The registry cannot be read.
    """
    plain, packed = folder / "positions.ndjson", folder / "positions.ndjson.gz"
    path = packed if packed.exists() else plain
    labels = _rows(folder / "labels.ndjson")
    engine = Engine(read_registry(folder / "registry"), daily=True)
    with path.open("rb") as source:
        episodes, summary = replay(source, path.name, engine)
        score = compare(labels, episodes)
    score.fixes = summary.fixes
    return score


def _score_part(part: int, parts: int, folder: Path, fleet: dict[str, Any]) -> Score:
    """Let one part of a fleet drive, and judge it."""
    own = folder / str(part)
    try:
        generate(own, share=(part, parts), **fleet)
        return score_folder(own)
    finally:
        shutil.rmtree(own, ignore_errors=True)


def score_fleet(fleet: dict[str, Any], parts: int | None = None) -> Score:
    """Make a fleet, part by part on all cores, judge each part, and compare; nothing is left on disk.

    Parameters
    ----------
    fleet : dict
        What `generate` takes.
    parts : int or None
        As many as there are cores if left out.
    """
    count = parts or len(os.sched_getaffinity(0))
    whole = Score()
    with (
        tempfile.TemporaryDirectory() as name,
        ProcessPoolExecutor(count, mp_context=get_context("spawn")) as pool,
    ):
        judge = partial(_score_part, parts=count, folder=Path(name), fleet=fleet)
        for score in pool.map(judge, range(count)):
            whole.add(score)
    return whole


def table(score: Score) -> list[tuple[str, ...]]:
    """Head, a row a kind of the catalogue, and a row of all."""
    missed, extra = (Counter(row["kind"] for row in rows) for rows in (score.missed, score.extra))
    counted = (score.planted, score.found, missed, extra, score.implied)
    rows = [(code, *(f"{count[code]:,}" for count in counted), kind.zh, kind.en) for code, kind in CATALOGUE.items()]
    total = ("", *(f"{count.total():,}" for count in counted), "", "")
    return [("kind", "planted", "found", "missed", "extra", "implied", "", ""), *rows, total]


def _moment(time_ms: int) -> str:
    return f"{datetime.fromtimestamp(time_ms / 1000, BEIJING):%Y-%m-%d %H:%M:%S}"


def shown(score: Score) -> Iterator[str]:
    """What was missed and what is extra, a line each."""
    for row in score.missed:
        begins, ends = _moment(row["begin_ms"]), _moment(row["end_ms"])
        yield f"漏 missed  {row['kind']}  {row['plate']}  {begins} – {ends}  {row['detail']}"
    for row in score.extra:
        begins, ends = _moment(row["begins_ms"]), _moment(row["ends_ms"])
        lead = "  线索 lead" if row["lead"] else ""
        yield f"多 extra  {row['kind']}  {row['plate']}  {begins} – {ends}  Sev{row['severity']}{lead}"


def run_score(notes: Console, folder: Path | None, fleet: dict[str, Any], show: bool) -> bool:
    """Score a folder, or a fleet that is made for it, print the table; whether it is perfect."""
    with notes.status("评分 score"):
        score = score_fleet(fleet) if folder is None else score_folder(folder)
    for line in (*lines(table(score), right=(1, 2, 3, 4, 5)), *(shown(score) if show else ())):
        typer.echo(line)
    notes.print(
        f"定位 fixes {score.fixes:,} · 已埋 planted {score.planted.total():,} · 漏 missed {len(score.missed):,} · "
        f"多 extra {len(score.extra):,}",
        soft_wrap=True,
    )
    return score.perfect
