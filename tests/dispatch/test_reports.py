"""Reports: what is planted is what is said, the same in every format, byte for byte the same again."""

import csv
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any, cast

import openpyxl
import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader
from pypdf.generic import DictionaryObject

from detectors.counted import Counted
from dispatch.daily import report
from dispatch.reports.draw import Drawer, Registered
from dispatch.reports.facts import Facts, Fixes, changes, frozen, thawed
from dispatch.reports.formats import MAKERS, MEDIA_TYPES, render
from dispatch.reports.number import number
from dispatch.reports.paper import compose
from dispatch.reports.pdf import MOST_ROWS
from dispatch.reports.words import lasting, share
from ingest.gate import Verdict
from ingest.moment import BEIJING
from ingest.registry import Source
from ledger.closing import Count, Day, editions
from ledger.database import connect
from ledger.reports import FORMATS
from tests.dispatch.days import (
    DAY,
    FROM_MS,
    PARTIES,
    TO_MS,
    Days,
    Tables,
    of_csv,
    of_html,
    of_pdf,
    of_xlsx,
)  # fmt: skip

CLOSED = datetime.fromtimestamp(TO_MS / 1000, BEIJING) + timedelta(hours=6)


@pytest.fixture
def connection(database_url: str) -> Iterator[psycopg.Connection]:
    with connect(database_url) as opened:
        yield opened


def facts_of(connection: psycopg.Connection) -> dict[tuple[str, str], Facts]:
    return {(one.county, one.company): thawed(one.facts) for one in editions(connection, DAY)}


def planted(connection: psycopg.Connection, folder: Path) -> Days:
    """A day with something of everything."""
    days = Days(connection)
    days.register(folder / "registry")
    days.violation(0, "V01", 3_600, severity=2)
    days.violation(0, "V05", 20_000, severity=3, measures={"excess_s": 1_812.0, "basis": "driver"})
    days.violation(1, "V04", 5_000, severity=4)
    days.violation(1, "V01", 5_010, severity=2)  # shares an instant with the V04: superseded
    days.violation(2, "V01", 9_000, severity=1)
    days.violation(3, "V02", 9_100, severity=2, lead=True)
    days.violation(3, "V03", 86_399, severity=2)
    days.violation(4, "V03", 40_000, severity=2)
    days.violation(5, "V01", 41_000, severity=2)
    days.violation(0, "V01", -1, severity=4)  # the day before
    days.violation(0, "V02", 86_400, severity=4)  # the day after
    days.withdraw(days.violation(2, "V02", 50_000, severity=3))
    days.fixes("测A00001", 100)
    days.fixes("测A00001", 7, Verdict.DRIFT, 8_000)
    days.fixes("测A00002", 40)
    days.fixes("测A00002", 5, Verdict.BACKFILL, 300, backfill=True, logged_ms=TO_MS + 3_600_000)
    days.fixes("测B00001", 3, Verdict.NO_FIX)
    days.fixes("测X00009", 11)  # nobody's
    days.fixes("测B00002", 4, second=-4)  # the day before
    days.fixes("测B00002", 2, second=86_400)  # the day after
    days.quarantined(6)
    return days


def test_facts_are_what_was_planted(connection: psycopg.Connection, tmp_path: Path) -> None:
    planted(connection, tmp_path)
    report(connection, DAY, "test")
    facts = facts_of(connection)
    assert facts.keys() == PARTIES
    whole = facts["", ""]
    assert whole.totals.by_severity == (1, 4, 1, 1)
    assert (whole.totals.violations, whole.totals.leads, whole.totals.superseded, whole.totals.withdrawn) == (
        7,
        1,
        1,
        1,
    )
    assert (whole.totals.registered, whole.totals.online, whole.totals.unregistered) == (6, 3, 1)
    assert whole.totals.states == {"": 1, "pushed": 6}
    assert whole.totals.unfinished == 6
    assert whole.fixes == Fixes(
        received=166, accepted=151, backfilled=5, after=5,
        rejected=dict.fromkeys(whole.fixes.rejected, 0) | {"drift": 7, "backfill": 5, "no_fix": 3},
    )  # fmt: skip
    assert whole.quarantined == {"malformed": 6}
    assert {kind.code: (kind.violations, kind.leads, kind.superseded) for kind in whole.kinds} == {
        "V01": (3, 0, 1), "V02": (0, 1, 0), "V03": (2, 0, 0), "V04": (1, 0, 0), "V05": (1, 0, 0),
    }  # fmt: skip
    assert {one.name: (one.registered, one.online, one.violations) for one in whole.modules} == {
        "客运班线": (1, 1, 2), "旅游包车": (1, 1, 1), "危险品货运": (1, 0, 1), "公共出行": (2, 0, 2),
        "普货重货": (1, 1, 1),
    }  # fmt: skip
    assert {one.code: (one.registered, one.online, one.violations, one.unfinished) for one in whole.members} == {
        "": (1, 0, 1, 1), "652301": (3, 2, 4, 3), "652302": (2, 1, 2, 2),
    }  # fmt: skip
    # each party its own and nothing else
    for (county, company), own in facts.items():
        rows = [row for row in whole.violations if county in ("", row.county) and company in ("", row.company)]
        if company and not county:
            rows = [row for row in rows if not row.county]
        assert own.violations == rows, (county, company)
        assert own.party.county_name == {"": "", "652301": "昌吉市", "652302": "阜康市"}[county]
        assert own.quarantined == ({"malformed": 6} if (county, company) == ("", "") else {})
        assert (own.totals.unregistered == 0) == bool(county or company)
    assert facts["652301", ""].fixes.received == 152
    assert facts["652302", "652301-C001"].fixes.received == 0
    assert [row.reason for row in facts["652301", "652301-C001"].withdrawn] == ["定位漂移"]
    assert facts["652302", ""].withdrawn == []
    # the gravest first
    assert [row.severity for row in whole.violations] == [4, 3, 2, 2, 2, 2, 2, 2, 1]


def test_files_are_made_from_stored_facts_alone(connection: psycopg.Connection, tmp_path: Path) -> None:
    planted(connection, tmp_path)
    report(connection, DAY, "test")
    stored: dict[str, dict[str, bytes]] = {}
    rows = connection.execute(
        "SELECT number, format, content, sha256 = sha256(content) FROM reports JOIN report_files ON report_id = id"
    )
    for named, form, content, hashed in rows:
        stored.setdefault(named, {})[form] = content
        assert hashed
    assert len(stored) == len(PARTIES)
    for facts in facts_of(connection).values():
        assert stored[facts.number].keys() == set(FORMATS)
        for form, again in render(facts).items():
            assert stored[facts.number][form] == again, form


def same_everywhere(facts: Facts) -> tuple[Tables, list[str]]:
    """See that all formats say the same; gives what they say."""
    files = render(facts)
    tables, texts = of_html(files["html"])
    said = [text for text in texts if text != facts.reason]
    for form, read in (("csv", of_csv), ("xlsx", of_xlsx)):
        others, told = read(files[form])
        assert sorted(told) == sorted(said), form
        assert others.keys() == tables.keys(), form
        for title, rows in tables.items():
            # the line that says that there is nothing is one cell in any format
            assert others[title] == rows, (form, title)
    text = of_pdf(files["pdf"])
    for words in [facts.number, *said]:
        assert "".join(words.split()) in text
    for title, rows in tables.items():
        assert title in text
        for row in rows[: MOST_ROWS + 1]:
            assert "".join("".join(row).split()) in text.replace(",", ""), (title, row)
    return tables, said


def test_all_formats_have_the_same_numbers(connection: psycopg.Connection, tmp_path: Path) -> None:
    planted(connection, tmp_path)
    report(connection, DAY, "test")
    for facts in facts_of(connection).values():
        tables, said = same_everywhere(facts)
        assert tables["违规行为分类统计"][0][:2] == ("代码", "违规类型")
        detail = tables["违规明细"][1:]
        if facts.violations:
            assert [int(row[0]) for row in detail] == list(range(1, len(facts.violations) + 1))
            assert int(tables["违规行为分类统计"][-1][6]) == facts.totals.violations
            assert f"全日共识别违规行为{facts.totals.violations}起" in said[1] or not facts.totals.violations
        else:
            assert detail == [("全日未识别到违规行为",)]
    whole, _ = same_everywhere(facts_of(connection)["", ""])
    assert whole["定位数据质量"][1:3] == [("接收", "166", "100.00%"), ("采信", "151", "90.96%")]
    assert whole["分县市情况"][1:] == [
        ("未登记", "1", "0", "0.00%", "1", "0", "0", "1", "0", "0", "1", "0"),
        ("昌吉市", "3", "2", "66.67%", "4", "1", "1", "1", "1", "0", "3", "0"),
        ("阜康市", "2", "1", "50.00%", "2", "0", "0", "2", "0", "1", "2", "0"),
        ("合计", "6", "3", "50.00%", "7", "1", "1", "4", "1", "1", "6", "0"),
    ]
    (superseded,) = [row for row in whole["违规明细"] if "并入" in row[-1]]
    assert superseded[-1] == "并入严重超速，不计数"


def test_an_empty_day_says_so(connection: psycopg.Connection, tmp_path: Path) -> None:
    days = Days(connection)
    days.register(tmp_path / "registry")
    report(connection, DAY, "test")
    tables, said = same_everywhere(facts_of(connection)["652301", ""])
    assert "全日未接收到定位记录" in said[0]
    assert "不能据此认定无违规" in said[1], "no data is no proof"
    assert tables["违规明细"][1:] == [("全日未识别到违规行为",)]
    days.fixes("测A00001", 5)
    report(connection, DAY, "test")
    _, said = same_everywhere(facts_of(connection)["652301", ""])
    assert said[1] == "全日未识别到违规行为。"


def drawn(**changes: Any) -> Facts:
    """Facts of a day of one vehicle with one violation, drawn without a database."""
    row: dict[str, Any] = {
        "id": "6f1c9b52-6a0e-5f0e-9d57-3a0b8c1f4e21", "kind": "V01", "plate": "测A00001", "plate_color": 2,
        "begins_ms": FROM_MS, "raised_ms": FROM_MS + 60_000, "ends_ms": FROM_MS + 90_000, "severity": 2, "lead": False,
        "status": "ended", "company": "甲", "county": "652301", "place_county": "652301", "superseded_by": None,
        "measures": {"peak_kmh": 111.5, "limit_kmh": 80.0}, "state": "pushed", "overdue": False,
    } | changes  # fmt: skip
    rows = [row] * changes.pop("times", 1)
    company = row["company"]
    drawer = Drawer(
        DAY, Day(rows, [], [Count(row["plate"], 2, 0, 9, 0, 0)], {}),
        {(row["plate"], 2): Registered("L", "652301", company)}, {"652301": "昌吉市"}, {company: company},
        {"r1": "示范路"}, Counted(Source().registry()), 1, CLOSED, CLOSED,
    )  # fmt: skip
    return drawer.facts("652301", "", number(DAY, "652301", "", 1), 1, "")


@pytest.mark.parametrize("evil", ["=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "＝1+1", " =1", "\r\n=1"])
def test_no_cell_is_a_formula(evil: str) -> None:
    files = render(drawn(plate=evil, company=evil, kind=evil))
    book = openpyxl.load_workbook(BytesIO(files["xlsx"]))
    texts = [cell.value for sheet in book for row in sheet.iter_rows() for cell in row if isinstance(cell.value, str)]
    texts += [cell for row in csv.reader(StringIO(files["csv"].decode("utf-8-sig"))) for cell in row]
    assert sum("1" in text or "cmd" in text or "SUM" in text for text in texts) > 2
    assert not [text for text in texts if text.lstrip().startswith(tuple("=+-@＝＋－＠"))]


@pytest.mark.parametrize(
    "evil",
    ["<script>alert(1)</script>", "#panic()", "$x$", "*粗* _斜_ `码`", "\u202e倒", "\\", "@ref <label>", "Ωж"],
)
def test_no_text_is_markup(evil: str) -> None:
    files = render(drawn(company=evil))
    assert b"<script" not in files["html"]
    shown = evil.replace("\u202e", "□")
    assert "".join(shown.split()) in of_pdf(files["pdf"])


def test_the_same_facts_give_the_same_bytes() -> None:
    facts = drawn(measures={"limit_kmh": 80.0, "peak_kmh": 111.5, "zeta": 1, "alpha": "x"})
    first = render(facts)
    assert render(thawed(frozen(facts))) == first
    assert render(drawn(measures={"alpha": "x", "peak_kmh": 111.5, "zeta": 1, "limit_kmh": 80.0})) == first
    assert first.keys() == set(FORMATS) == MAKERS.keys() == MEDIA_TYPES.keys()


def test_what_does_not_fit_on_paper_is_counted_and_pointed_to() -> None:
    facts = drawn(times=MOST_ROWS + 234)
    files = render(facts)
    text = of_pdf(files["pdf"])
    assert f"本表共{MOST_ROWS + 234:,}行，纸面列示前{MOST_ROWS:,}行" in text
    assert f"{MOST_ROWS:,}测A00001" in text
    assert f"{MOST_ROWS + 1:,}测A00001" not in text
    for read, form in ((of_html, "html"), (of_csv, "csv"), (of_xlsx, "xlsx")):
        assert len(read(files[form])[0]["违规明细"]) == 1 + MOST_ROWS + 234


def test_the_pdf_is_an_official_paper() -> None:
    reader = PdfReader(BytesIO(render(drawn(times=80))["pdf"]))
    assert reader.metadata is not None
    assert reader.metadata.title == "昌吉市道路运输车辆动态监控日报"
    resources = [cast(DictionaryObject, page["/Resources"]) for page in reader.pages]
    fonts = {font["/BaseFont"] for one in resources for font in cast(DictionaryObject, one["/Font"]).values()}
    assert len(fonts) == 2
    pages = ["".join(page.extract_text().split()) for page in reader.pages]
    for at, text in enumerate(pages, 1):
        assert f"—{at}—共{len(pages)}页" in text
    assert "（盖章）" in "".join(pages)
    wide = [page for page in reader.pages if page.mediabox.width > page.mediabox.height]
    assert len(wide) > 1
    for page in wide:
        assert "序号车牌违规类型" in "".join(page.extract_text().split()), "the head is repeated"


def test_an_unfinished_day_says_so() -> None:
    facts = drawn()
    early = Facts(**{name: getattr(facts, name) for name in facts.__struct_fields__} | {"closed_ms": TO_MS - 1})
    assert "数据截至" in compose(early).subtitle
    assert any("尚未结束" in words for words in compose(early).statement)
    assert "数据截至" not in compose(facts).subtitle


def test_changes_are_told_in_words() -> None:
    facts = drawn()
    assert changes(facts, facts) == ""
    assert changes(facts, drawn(state="closed", overdue=True)) == "", "casework goes on: no change"
    assert changes(facts, drawn(severity=3)) == "变更违规1起"
    assert changes(facts, drawn(id="0f1c9b52-6a0e-5f0e-9d57-3a0b8c1f4e21")) == "新增违规1起、撤销违规1起"


codes = st.text(st.sampled_from("甲652-·（"), max_size=6)


@given(st.sets(st.tuples(codes, codes), max_size=12))
def test_numbers_of_reports_are_unique(parties: set[tuple[str, str]]) -> None:
    numbers = {
        number(day, *party, edition) for day in (DAY, date(2030, 1, 2)) for party in parties for edition in (1, 2)
    }
    assert len(numbers) == 4 * len(parties)


def test_words() -> None:
    assert number(date(2026, 11, 27), "", "", 1) == "昌运监日报〔2026〕1127号"
    assert number(date(2026, 1, 2), "652301", "", 2) == "昌运监日报（652301）〔2026〕0102号（更正1）"
    assert number(date(2026, 1, 2), "652301", "652301-L001", 1) == "昌运监企日报（652301-L001）〔2026〕0102号"
    assert [share(*of) for of in ((42_293, 42_489), (99_999, 100_000), (1, 1), (0, 0), (0, 5))] == [
        "99.54%", "99.99%", "100.00%", "—", "0.00%",
    ]  # fmt: skip
    assert [lasting(s) for s in (0, 59.4, 185, 15_120)] == ["0秒", "59秒", "3分05秒", "4小时12分"]
