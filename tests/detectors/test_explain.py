"""Explanations: every kind's examples in words, in both languages, with their numbers."""

import re
from dataclasses import astuple, replace
from pathlib import Path
from typing import Any

import pytest

from detectors.activity import DRIVING
from detectors.catalogue import CATALOGUE
from detectors.counted import Counted
from detectors.explain import duration, explain, moment, show, warned
from detectors.found import PLACES, Fact
from detectors.kind import Example, Kind, kind
from detectors.why import Why, Words
from ingest.registry import Source
from ingest.table import Row
from tests.drives import Course

RAISING = [
    pytest.param(kind, example, id=f"{kind.code} {example.title}")
    for kind in CATALOGUE.values()
    for example in kind.examples
    if example.raised
]
BEGINS_MS = 1_795_825_865_000  # 2026-11-28 08:31:05 by Beijing clocks
SPAN: dict[str, Any] = {
    "begins_ms": BEGINS_MS, "raised_ms": BEGINS_MS + 40_000, "ends_ms": BEGINS_MS + 545_000,
    "severity": 2, "lead": False, "status": "ended",
}  # fmt: skip
CJK = re.compile("[一-鿿]")


def raised(folder: Path, entry: Kind, example: Example) -> dict[str, Any]:
    """The last episode of an example as the ledger keeps it."""
    course = Course(folder, entry, example)
    row = course.judge(0, len(course.batch))[-1]
    measures = entry.measures(row)
    told = [name for name in PLACES if name in (row.dtype.names or ()) and row.dtype[name].kind == "i"]
    named = [name for name in told if row[name] >= 0]
    measures |= dict.fromkeys(named, "F-17")
    common = {name: int(row[name]) for name in ("begins_ms", "raised_ms", "ends_ms", "severity")}
    return {**common, "lead": bool(row["lead"]), "measures": measures, "status": "open"}


@pytest.mark.parametrize(("entry", "example"), RAISING)
def test_every_example_is_explained_with_its_numbers(tmp_path: Path, entry: Kind, example: Example) -> None:
    violation = raised(tmp_path, entry, example)
    unfenced = {name: value for name, value in violation["measures"].items() if name != "fence"}
    for seen in (
        violation,
        {**violation, "lead": True, "severity": 2},
        {**violation, "status": "ended"},
        {**violation, "measures": unfenced} if entry.why.guessed else violation,
    ):
        explanation = explain(entry, seen)
        for language, texts in enumerate((explanation.zh, explanation.en)):
            told = " ".join(astuple(texts))
            assert all(text.strip() for text in astuple(texts))
            assert not set("{}") & set(told)
            assert "未记录" not in told
            assert "not recorded" not in told
            for name, value in seen["measures"].items():
                said = isinstance(value, bool) or show(name, value)[language] in told
                assert said, name
        assert all(CJK.search(text) for text in astuple(explanation.zh))
        english = "".join(astuple(replace(explanation.en, clause="")))
        for name in filter(lambda value: isinstance(value, str), seen["measures"].values()):
            english = english.replace(name, "")  # of a stop, of a trip: as the registry has it
        assert not CJK.search(english)
        assert explanation.zh.clause in explanation.en.clause
        assert "lead" in explanation.en.certainty or not seen["lead"]


@pytest.mark.parametrize("entry", CATALOGUE.values(), ids=str)
def test_every_place_is_a_number_that_there_is(tmp_path: Path, entry: Kind) -> None:
    example = next(example for example in entry.examples if example.raised)
    measures = raised(tmp_path, entry, example)["measures"]
    numbers = {**DRIVING, **entry.limits, **measures}
    known = {*numbers, *entry.why.facts(measures, numbers), *PLACES}
    for name, words in entry.why.sentences().items():
        assert words.places[0] <= known, name


@pytest.mark.parametrize("entry", [entry for entry in CATALOGUE.values() if entry.warns], ids=str)
def test_every_warning_says_what_it_warns_of(tmp_path: Path, entry: Kind) -> None:
    found = []
    for at, example in enumerate(entry.examples):
        course = Course(tmp_path / str(at), entry, example)
        rows = course.judge(0, len(course.batch))
        found += [entry.measures(row) for row in rows[rows["fact"] == Fact.WARNED]]
    assert entry.warns is not None
    assert found or not entry.warns.places[0], "an example should warn"
    for measures in found or [{}]:
        words = warned(entry, measures)
        assert not set("{}") & set("".join(words))
        assert "未记录" not in words.zh
        assert "not recorded" not in words.en
        assert CJK.search(words.zh)
        assert not CJK.search(words.en)


def test_a_warning_in_full() -> None:
    measures = {"driven_s": 12_600.0, "left_s": 1_800.0, "certain_s": 12_600.0, "basis": "driver"}
    words = warned(CATALOGUE["V05"], measures)
    assert words.zh == "已连续驾驶 3小时30分，再驾驶 30分即达限值 4小时：请停车休息不少于 20分，或更换驾驶员。"
    assert words.en == (
        "Driven on for 3 h 30 min: 30 min are left of 4 h. A rest of at least 20 min is due, or another driver."
    )
    assert "即达限值 3小时" in warned(CATALOGUE["V05"], {**measures, "limit_ms": 10_800_000}).zh
    assert warned(CATALOGUE["V01"], {}) == ("", "")


def test_a_speeding_in_full() -> None:
    measures = {"peak_kmh": 111.54, "limit_kmh": 100.0, "fence": "G30-12"}
    zh, en = astuple(explain(CATALOGUE["V01"], {**SPAN, "measures": measures, "fence_name": "连霍高速{peak_kmh}"}))
    assert zh[0] == "最高车速 111.5 km/h，该处限速 100.0 km/h，超出 11.5 km/h（11.5%）。"
    assert zh[1].startswith(
        "限速 100.0 km/h，取道路围栏连霍高速{peak_kmh} 的限速与本车型最高限速中较低者；高于 103.0 km/h"
    )
    assert zh[2] == "自11月28日 08:31:05起（北京时间），08:31:45判定成立，止于08:40:10，历时9分5秒。"
    assert zh[3] == "《道路交通安全法》第四十二条"
    assert zh[4] == "车速不高于 103.0 km/h；或连续高于该值不超过 30秒、不足 3 个定位点，即不构成。"
    assert zh[5] == "已判定，等级一般（2级）。至判定成立时，各定位点均匹配到道路，限速有据。"
    assert en[0] == "Highest speed 111.5 km/h where the limit is 100.0 km/h: 11.5 km/h above it (11.5%)."
    assert en[2] == "Since 28 Nov 08:31:05 (Beijing time), established at 08:31:45, over at 08:40:10, after 9 min 5 s."
    assert en[3] == "Road Traffic Safety Law art. 42 (《道路交通安全法》第四十二条)"


def test_papers_handed_in_later_and_the_versions_that_made_it_are_told_of() -> None:
    seen = {**SPAN, "measures": {"fence": "N1"}, "severity": 4}
    zh, en = astuple(explain(CATALOGUE["V20"], {**seen, "rule_version": 2, "registry_version": 17}))
    assert zh[4].endswith("只覆盖一部分的，可以申诉。")
    assert en[4].endswith("where it holds for a part only, an appeal is the way.")
    assert zh[5].endswith("按规则第2版、登记第17版判定。")
    assert en[5].endswith("Judged by version 2 of the rule and version 17 of the registry.")
    assert "登记第" not in explain(CATALOGUE["V20"], seen).zh.certainty
    assert (
        "申诉" not in explain(CATALOGUE["V01"], {**SPAN, "measures": {"peak_kmh": 130.0, "limit_kmh": 100.0}}).zh.clears
    )


def test_a_guessed_limit_is_said_to_be_a_guess() -> None:
    lead = {**SPAN, "lead": True, "measures": {"peak_kmh": 130.0, "limit_kmh": 100.0}}
    zh, en = astuple(explain(CATALOGUE["V01"], lead))
    assert "未匹配到道路" in zh[1]
    assert "推定" in zh[1]
    assert zh[5].startswith("线索，须核实后方可认定")
    assert "a guess" in en[1]
    assert en[5].startswith("A lead, to be checked")


def test_parameters_that_counted_take_the_place_of_defaults() -> None:
    measures = {"excess_s": 720.0, "basis": "driver", "certain_s": 9000.0}
    violation = {**SPAN, "severity": 3, "measures": measures}
    plain = explain(CATALOGUE["V05"], violation).zh
    assert plain.measured == (
        "自上次休息或更换驾驶员以来累计驾驶 4小时12分，超过限值 12分（按驾驶员计；数据中断按行驶理解）；"
        "若将数据中断理解为休息，则累计驾驶 2小时30分。"
    )
    assert "目录默认值" in plain.limit
    own = explain(CATALOGUE["V05"], {**violation, "parameters": {"limit_ms": 10_800_000}}).zh
    assert own.measured.startswith("自上次休息或更换驾驶员以来累计驾驶 3小时12分，")
    assert own.limit.startswith("连续驾驶不得超过 3小时；休息须连续停车不少于 20分")
    assert "目录默认值" not in own.limit


@pytest.mark.parametrize("code", CATALOGUE)
def test_a_row_without_measures_says_that_they_are_missing(code: str) -> None:
    zh, en = astuple(explain(CATALOGUE[code], {**SPAN, "measures": {}}))
    assert not set("{}") & set("".join((*zh, *en)))
    assert "（未记录）" in "".join(zh)
    assert "(not recorded)" in "".join(en)


def test_one_that_goes_on_past_midnight() -> None:
    begins = BEGINS_MS + 15 * 3_600_000
    span = {**SPAN, "begins_ms": begins, "raised_ms": begins + 40_000, "ends_ms": begins + 3_600_000, "status": "open"}
    zh, en = astuple(explain(CATALOGUE["V20"], {**span, "severity": 4, "measures": {"fence": "Z1"}}))
    assert (
        zh[2] == "自11月28日 23:31:05起（北京时间），23:31:45判定成立，"
        "最近一次见于11月29日 00:31:05，尚未结束，至今历时1小时。"
    )
    assert en[2].endswith("last seen at 29 Nov 00:31:05 and not over yet, 1 h so far.")
    assert zh[5].startswith("已判定，等级严重（4级）。")


@pytest.mark.parametrize(
    ("name", "value", "zh", "en"),
    [
        ("peak_kmh", 96, "96.0 km/h", "96.0 km/h"), ("over_ratio", 0.125, "12.5%", "12.5%"),
        ("ratio", 1.2, "120%", "120%"),
        ("hold_ms", 30_000, "30秒", "30 s"), ("excess_s", 15120.0, "4小时12分", "4 h 12 min"),
        ("drive_s", 0.4, "不足1秒", "less than 1 s"),
        ("drive_s", 3605, "1小时5秒", "1 h 5 s"), ("drive_s", 0, "0秒", "0 s"),
        ("distance_m", 850.5, "850.5米", "850.5 m"),
        ("open_dm", 50_000, "5公里", "5 km"), ("distance_m", 5349.0, "5.3公里", "5.3 km"), ("points", 3, "3", "3"),
        ("basis", "vehicle", "车辆", "the vehicle"), ("fence", "G30", "G30", "G30"),
        ("limit_kmh", float("nan"), "（未记录）", "(not recorded)"),
        ("limit_kmh", None, "（未记录）", "(not recorded)"),
    ],
)  # fmt: skip
def test_numbers_are_shown_with_their_units(name: str, value: Any, zh: str, en: str) -> None:
    assert show(name, value) == (zh, en)


def test_times() -> None:
    assert moment(BEGINS_MS) == ("11月28日 08:31:05", "28 Nov 08:31:05")
    assert moment(BEGINS_MS + 999, day=False) == ("08:31:05", "08:31:05")
    assert duration(15_120.9) == ("4小时12分", "4 h 12 min")


@pytest.mark.parametrize("words", [Words("{peak_kmh}", "peak"), Words("", ""), Words("甲", " ")])
def test_an_entry_that_says_different_things_is_refused(words: Words) -> None:
    known = CATALOGUE["V01"]
    names = ("code", "zh", "en", "classes", "severity", "clause", "limits", "state", "measures", "examples")
    given = {name: getattr(known, name) for name in names}
    with pytest.raises(ValueError, match="V01: clears says"):
        kind(**given, why=replace(known.why, clears=words))


def test_sentences_of_an_entry() -> None:
    said = Words("甲 {points}", "a {points}")
    assert set(Why(said, said, said, said).sentences()) == {"measured", "limit", "clears", "sure"}


def test_what_counted_is_what_the_registry_said_when_it_began() -> None:
    """A limit of one hour for class F from March on: what was driven is the limit that counted and the excess."""
    here = Path("registry")
    vehicle = Row(here, 1, {"plate": "测F00001", "class": "F"})
    dated = Row(
        here, 2, {"group": "V05", "name": "limit_ms", "value": "3600000", "class": "F", "valid_from": "2026-03-01"}
    )
    counted = Counted(Source({"vehicles": [vehicle], "parameters": [dated]}).registry())
    march, february = 1_772_380_800_000, 1_771_000_000_000
    assert counted.of(CATALOGUE["V05"], "测F00001", 2, march)["limit_ms"] == 3_600_000
    assert counted.of(CATALOGUE["V05"], "测F00001", 2, february)["limit_ms"] == 14_400_000
    assert counted.of(CATALOGUE["V05"], "测F00002", 2, march) == {}
    row = {
        "begins_ms": march, "raised_ms": march, "ends_ms": march, "severity": 3, "lead": False,
        "measures": {"basis": "vehicle", "excess_s": 1170.0},
        "parameters": counted.of(CATALOGUE["V05"], "测F00001", 2, march),
    }  # fmt: skip
    told = explain(CATALOGUE["V05"], row).zh
    assert "1小时19分30秒" in told.measured
    assert "4小时" not in told.measured + told.limit
