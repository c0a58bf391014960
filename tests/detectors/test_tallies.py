"""Tallies against a plain reading of their docstring; what they say of papers; reminders."""

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from detectors.catalogue import CATALOGUE
from detectors.engine import Engine
from detectors.enrich import Enriched
from detectors.found import Fact, Found
from detectors.kind import Example
from detectors.limits import Limits
from detectors.packing import from_bytes, pack, to_bytes, unpack
from detectors.reminders import KEPT, REMINDED, remind
from detectors.tallies import TALLY, tally
from ingest.registry import read_registry
from tests.detectors.rows import facts, joined, values
from tests.drives import PLATE, Course, batch_of, register
from tests.plain import interpret

DAY = 86_400_000
MIDNIGHT = 1_772_380_800_000
"""2026-03-02T00:00:00+08:00."""

SETS = (
    {"gap_ms": 300_000, "drive_kmh": 5.0, "open_ms": 900_000, "open_dm": 30_000, "second_ms": 600_000,
     "second_dm": 20_000, "share_percent": 20},
    {"gap_ms": 60_000, "drive_kmh": 30.0, "open_ms": 500_000, "open_dm": 90_000, "second_ms": 300_000,
     "second_dm": 5_000, "share_percent": 50},
)  # fmt: skip


@dataclass
class Stream:
    """Fixes of vehicles as columns, by vehicle, then time."""

    columns: dict[str, Any]
    asked: dict[str, Any]
    index: Any

    def part(self, rows: Any) -> tuple[Enriched, dict[str, Any], Limits]:
        n = len(rows)
        given = {name: column[rows] for name, column in self.columns.items()}
        batch = Enriched(**{one.name: given.get(one.name, np.zeros(n)) for one in fields(Enriched)})
        dtype = [(name, "f8" if name == "drive_kmh" else "i8") for name in SETS[0]]
        table = np.array([tuple(one.values()) for one in SETS], dtype)
        slot = np.where(batch.vehicle == 2, -1, batch.vehicle).astype(np.int32)
        limits = Limits(table, self.index[rows], np.ones(n, np.bool_), slot)
        return batch, {name: column[rows] for name, column in self.asked.items()}, limits


def stream(seed: int, n: int = 1600, top: int = 3) -> Stream:
    random = np.random.default_rng(seed)
    vehicle = np.repeat(np.arange(4, dtype=np.int32), n)
    dt = random.choice([10_000, 30_000, 60_000, 60_001, 300_000, 300_001, 3_000_000], 4 * n, p=[0.1, 0.4, 0.3, 0.05, 0.05, 0.06, 0.04])  # fmt: skip  # noqa: E501
    first = np.arange(4 * n) % n == 0
    time = MIDNIGHT + np.concatenate([np.cumsum(np.where(first[k * n :][:n], 0, dt[k * n :][:n])) for k in range(4)])
    spell = np.repeat(random.choice([0, 0, 1, 2, top], 4 * n // 8), 8).astype(np.uint8)
    columns = {
        "vehicle": vehicle,
        "time_ms": time,
        "dt_ms": np.where(first, -1, dt),
        "distance_dm": random.integers(0, 8_000, 4 * n),
        "jump": random.random(4 * n) < 0.02,
        "before_speed_kmh": random.choice([0.0, 4.9, 5.0, 30.0, 60.0], 4 * n),
        "before_lon": random.random(4 * n),
        "before_lat": random.random(4 * n),
    }
    asked = {
        "what": np.where(random.random(4 * n) < 0.03, 0, spell).astype(np.uint8),
        "grade": random.choice([3, 4], 4 * n, p=[0.99, 0.01]).astype(np.uint8),
        "code": random.integers(0, 9, 4 * n).astype(np.uint8),
        "detail": random.integers(0, 9, 4 * n).astype(np.uint8),
        "ended_ms": random.integers(1, 1 << 40, 4 * n),
        "whose": random.integers(1, 1 << 60, 4 * n),
    }
    return Stream(columns, asked, np.repeat(random.integers(0, 2, 4 * n // 20), 20).astype(np.int32))


@dataclass
class Plain:
    """One vehicle, as the docstring of `tally` reads."""

    share: bool
    day: int = -1
    numbers: dict[str, float] = field(default_factory=dict)
    pairs: list[dict[str, Any]] = field(default_factory=list)
    raised: dict[str, Any] | None = None
    before: int = 0

    def ends_of_day(self) -> dict[str, Any] | None:
        """What the day raises only when it is over."""
        outside = sum(pair["dm"] for pair in self.pairs if pair["channel"] == 2)
        total = outside + sum(pair["dm"] for pair in self.pairs if pair["channel"] == 3)
        if not self.share or self.raised or outside <= self.numbers.get("second_dm", 0):
            return None
        if outside * 100 <= self.numbers["share_percent"] * total:
            return None
        return {"raised_ms": (self.day + 1) * DAY - 28_800_000, "channel": 2, "lead": 0}

    def take(self, fix: dict[str, Any], numbers: dict[str, float]) -> Iterator[tuple[str, dict[str, Any]]]:
        day = (fix["time_ms"] + 28_800_000) // DAY
        if self.pairs and day != self.day:
            late = self.ends_of_day()
            if late:
                self.raised = late
                yield "RAISED", self.told()
            if self.raised:
                yield "ENDED", self.told()
            self.pairs, self.raised = [], None
        before, self.before = self.before, fix["what"]
        rules = self.numbers if self.pairs else numbers
        counts = 0 < fix["dt_ms"] <= rules["gap_ms"] and fix["before_speed_kmh"] >= rules["drive_kmh"]
        if not (counts and before and fix["what"] and not fix["jump"]):
            return
        grade = self.told()["severity"] if self.raised else 0
        self.day, self.numbers = day, rules
        self.pairs.append(fix | {"channel": max(before, fix["what"]), "dm": fix["distance_dm"], "ms": fix["dt_ms"]})

        def passed(channel: int, ms: str, dm: str) -> bool:
            own = [pair for pair in self.pairs if pair["channel"] == channel]
            return bool(sum(pair["ms"] for pair in own) > rules[ms] or sum(pair["dm"] for pair in own) > rules[dm])

        if self.pairs[-1]["channel"] == 3:
            return
        if not self.raised:
            if passed(1, "open_ms", "open_dm"):
                self.raised = {"raised_ms": fix["time_ms"], "channel": 1, "lead": 0}
            elif not self.share and passed(2, "second_ms", "second_dm"):
                self.raised = {"raised_ms": fix["time_ms"], "channel": 2, "lead": 1}
            if self.raised:
                yield "RAISED", self.told()
        elif self.told()["severity"] > grade:
            yield "RISEN", self.told()

    def told(self) -> dict[str, Any]:
        assert self.raised
        own = [pair for pair in self.pairs if pair["channel"] != 3]
        highest = max(pair["grade"] for pair in own)
        said = next(pair for pair in own if pair["grade"] == highest)
        channel = [pair for pair in own if pair["channel"] == self.raised["channel"]]
        return self.raised | {
            "begins_ms": max(own[0]["time_ms"] - own[0]["dt_ms"], self.day * DAY - 28_800_000),
            "ends_ms": own[-1]["time_ms"],
            "lon": own[0]["before_lon"],
            "lat": own[0]["before_lat"],
            "severity": min(highest, 2) if self.raised["lead"] else highest,
            "drive_ms": sum(pair["ms"] for pair in channel),
            "distance_dm": sum(pair["dm"] for pair in channel),
            "third_dm": sum(pair["dm"] for pair in self.pairs if pair["channel"] == 3),
            "code": said["code"],
            "detail": said["detail"],
            "ended_ms": said["ended_ms"],
            "who": said["whose"],
        }


def read(own: Stream, *, share: bool) -> list[dict[str, Any]]:
    columns = own.columns | own.asked
    vehicles = {vehicle: Plain(share) for vehicle in range(4)}
    found = []
    for row in range(len(own.index)):
        fix = {name: column[row].item() for name, column in columns.items()}
        if fix["vehicle"] != 2:
            for fact, told in vehicles[fix["vehicle"]].take(fix, SETS[own.index[row]]):
                found.append({"vehicle": fix["vehicle"], "fact": fact, **told})
    return found


def run(own: Stream, cuts: list[int], *, share: bool) -> Found:
    """The stream in batches: each vehicle's rows are cut at the same places."""
    state, parts = np.zeros(4, TALLY), []
    place = np.arange(len(own.index)) % (len(own.index) // 4)
    for begin, end in zip([0, *cuts], [*cuts, len(place)], strict=True):
        batch, asked, limits = own.part(np.flatnonzero((place >= begin) & (place < end)))
        parts.append(tally(batch, asked.pop("what"), limits, state, share=share, **asked).found)
    return joined(parts)


@pytest.mark.parametrize("share", [False, True])
@pytest.mark.parametrize("seed", range(8))
def test_the_plain_reading_tells_the_same(seed: int, share: bool) -> None:
    own = stream(seed)
    expected = read(own, share=share)
    assert len({one["fact"] for one in expected}) >= 2
    assert len(expected) > 5
    rows = facts(run(own, [], share=share))
    told = [{name: row[name].item() for name in expected[0] if name != "fact"} for row in rows]
    assert [row | {"fact": Fact(fact).name} for row, fact in zip(told, rows["fact"], strict=True)] == expected


@pytest.mark.parametrize("share", [False, True])
def test_cuts_and_interpreter_change_nothing(monkeypatch: pytest.MonkeyPatch, share: bool) -> None:
    own, random = stream(9), Random(9)

    def by_vehicle(found: Found) -> list[Any]:
        rows = facts(found)
        ordered: list[Any] = rows[np.argsort(rows["vehicle"], kind="stable")].tolist()
        return ordered

    whole = run(own, [], share=share)
    for _ in range(20):
        cut = run(own, sorted(random.sample(range(1601), random.randrange(1, 9))), share=share)
        assert (by_vehicle(cut), values(cut)) == (by_vehicle(whole), values(whole))
    interpret(monkeypatch)
    plain = run(own, [57, 200], share=share)
    assert (by_vehicle(plain), values(plain)) == (by_vehicle(whole), values(whole))


def test_a_reminder_is_told_once_an_end_and_once_a_fix() -> None:
    own = stream(1)
    state = np.zeros(4, REMINDED)
    batch, _, limits = own.part(np.arange(40))

    def told(row: list[int], whose: list[int], until_s: list[int]) -> list[tuple[int, int]]:
        found = remind(
            batch,
            np.array(row, np.int64),
            np.array(whose, np.int64),
            np.array(until_s, np.int64) * 1000 + 999,
            limits.slot,
            state,
            code=np.array(whose, np.int64).astype(np.uint8),
        )
        assert (found.found["fact"] == Fact.WARNED).all()
        assert (found.found["begins_ms"] == batch.time_ms[found.at]).all()
        return list(zip(found.at.tolist(), found.found["code"].tolist(), strict=True))

    assert told([3, 3, 4, 4, 5, 5], [1, 2] * 3, [50, 60] * 3) == [(3, 1), (4, 2)]
    assert told([6, 7], [1, 2], [50, 61]) == [(7, 2)]
    assert told([8, 9, 10, 11], [3, 4, 5, 6], [1] * 4) == [(8, 3), (9, 4), (10, 5), (11, 6)]
    assert KEPT == 5
    assert told([12, 13], [2, 1], [61, 50]) == [(13, 1)], "the sixth took the place of the first"


def judged(folder: Path, code: str, title: str) -> tuple[Course, Found]:
    example: Example = next(one for one in CATALOGUE[code].examples if one.title == title)
    course = Course(folder, CATALOGUE[code], example)
    return course, course.judge(0, len(course.batch))


def test_the_document_that_is_named(tmp_path: Path) -> None:
    kind = CATALOGUE["V29"]
    _, found = judged(tmp_path / "1", "V29", "an inspection that ended long ago, and a permit")
    raised = found[found["fact"] == Fact.RAISED][0]
    assert int(raised["severity"]) == 4
    assert kind.measures(raised) == {
        "distance_m": pytest.approx(5500, abs=2),
        "drive_s": 330.0,
        "number": "2",
        "ended": "2026-01-21 00:00:00",
        "paper": "inspection",
        "expired": 2,
    }
    _, found = judged(tmp_path / "2", "V29", "the inspection is thirty days old while it drives")
    told = [(Fact(row["fact"]).name, int(row["severity"])) for row in facts(found)]
    assert told == [("RAISED", 3), ("RISEN", 4)]


def test_documents_that_end_soon(tmp_path: Path) -> None:
    _, found = judged(tmp_path, "V29", "ends in a week, told once")
    assert [(Fact(row["fact"]).name, row["number"], int(row["severity"])) for row in found] == [
        ("WARNED", "1", 0),
        ("WARNED", "2", 0),
    ]
    assert [CATALOGUE["V29"].measures(row)["ended"] for row in found] == ["2026-03-09 00:00:00", "2026-03-10 00:00:00"]
    assert len(set(found["begins_ms"].tolist())) == 2


def test_the_qualification_that_is_named(tmp_path: Path) -> None:
    kind = CATALOGUE["V30"]
    _, found = judged(tmp_path / "1", "V30", "ended on the day before")
    measures = kind.measures(found[0])
    assert (measures["reason"], measures["number"], measures["ended"]) == ("lapsed", "1", "2026-03-02 00:00:00")
    _, found = judged(tmp_path / "2", "V30", "full, with an escort whose qualification ended")
    assert (kind.measures(found[0])["reason"], int(found[0]["severity"])) == ("no_escort", 4)
    _, found = judged(tmp_path / "3", "V30", "ends in a week, told once")
    assert [(Fact(row["fact"]).name, row["number"]) for row in found] == [("WARNED", "1")]


def test_a_guess_is_a_lead(tmp_path: Path) -> None:
    _, found = judged(tmp_path / "1", "V27", "from a shipper, by a road around the consignee")
    assert {(int(row["lead"]), int(row["severity"])) for row in found} == {(1, 2)}
    _, found = judged(tmp_path / "2", "V27", "full, without a waybill")
    assert {(int(row["lead"]), int(row["severity"])) for row in found} == {(0, 3)}
    _, found = judged(tmp_path / "3", "V31", "a card that is taken out for more than ten minutes")
    assert {(int(row["lead"]), int(row["severity"])) for row in found} == {(1, 2)}


def test_a_share_is_raised_at_the_end_of_its_day(tmp_path: Path) -> None:
    _, found = judged(tmp_path, "V26", "most of the way outside the sheet's county, judged on the next day")
    told = [(Fact(row["fact"]).name, int(row["raised_ms"])) for row in facts(found)]
    assert told == [("RAISED", MIDNIGHT + DAY), ("ENDED", MIDNIGHT + DAY)]
    measures = CATALOGUE["V26"].measures(found[0])
    assert measures["reason"] == "off_route"
    assert measures["inside_m"] == pytest.approx(3_000, abs=2)
    assert measures["distance_m"] == pytest.approx(27_000, abs=2)


@pytest.mark.parametrize(
    ("code", "title"),
    [
        ("V29", "ends in a week, told once"),
        ("V29", "an inspection that ended long ago, and a permit"),
        ("V30", "ends in a week, told once"),
        ("V27", "full, without a waybill"),
        ("V31", "a card that is taken out for more than ten minutes"),
        ("V26", "most of the way outside the sheet's county, judged on the next day"),
    ],
)
def test_state_goes_on_in_another_process(tmp_path: Path, code: str, title: str) -> None:
    kind = CATALOGUE[code]
    example = next(one for one in kind.examples if one.title == title)
    register(tmp_path, kind, {PLATE: example})
    fixes, first = batch_of(example), batch_of(example).take(slice(0, 1))
    first.time_ms[:] -= 60_000  # the first after an absence is not yet believed

    def start() -> Engine:
        return Engine(read_registry(tmp_path), kinds={code: kind})

    whole = start()
    whole.detect(first)
    expected = whole.detect(fixes).found[code]
    assert len(expected)
    for cut in range(1, len(fixes)):
        before, after = start(), start()
        before.detect(first)
        parts = [before.detect(fixes.take(slice(0, cut))).found[code]]
        row = np.zeros(1, np.int64)
        assert not unpack(after, row, from_bytes(to_bytes(pack(before, row))))
        parts.append(after.detect(fixes.take(slice(cut, None))).found[code])
        assert facts(joined(parts)).tolist() == facts(expected).tolist()
