"""Days: a ledger with a day in it, planted row by row, and what its reports must therefore say."""

import csv
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import openpyxl
import psycopg
from pypdf import PdfReader

from dispatch.reports.facts import beijing_day, span_ms
from ingest.gate import Verdict
from ingest.registry import Vehicle, read_source
from ledger import fixes, registries
from ledger.casework import open_case
from ledger.violations import apply
from tests.ledger.made import batch, episode, origin, vehicle

DAY = beijing_day(datetime.now(UTC)) - timedelta(days=2)
"""A day that is over."""

FROM_MS, TO_MS = span_ms(DAY)

VEHICLES = (
    # plate, class, company, county
    ("测A00001", "L", "652301-L001", "652301"),
    ("测A00002", "C", "652301-C001", "652301"),
    ("测A00003", "H", "652301-C001", "652301"),
    ("测B00001", "F", "652302-F001", "652302"),
    ("测B00002", "B", "652301-C001", "652302"),
    ("测C00001", "T", "652301-L001", ""),
)
"""652301-C001 runs in two counties, a vehicle of 652301-L001 in none."""

PARTIES = {
    ("", ""), ("652301", ""), ("652302", ""), ("652301", "652301-L001"), ("652301", "652301-C001"),
    ("652302", "652302-F001"), ("652302", "652301-C001"), ("", "652301-L001"),
}  # fmt: skip


def registry(folder: Path, *, names: tuple[str, ...] = ("昌吉市", "阜康市")) -> Path:
    """A registry folder with these vehicles."""
    folder.mkdir()
    rows = "\n".join(f"{plate},2,{letter},{company},{county}" for plate, letter, company, county in VEHICLES)
    (folder / "vehicles.csv").write_text(f"plate,plate_color,class,company,county\n{rows}\n", encoding="utf-8")
    companies = sorted({(company, f"示范{company[-4:]}公司") for _, _, company, _ in VEHICLES})
    with (folder / "companies.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("company", "name"), *companies])
    codes = ("652301", "652302")
    with (folder / "counties.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("county", "name"), *zip(codes, names, strict=True)])
    return folder


@dataclass
class Days:
    """Plants what a day is made of."""

    connection: psycopg.Connection
    offset: int = 0
    ids: list[UUID] = field(default_factory=list)

    def register(self, folder: Path) -> None:
        registries.store(self.connection, read_source(registry(folder)), "test")

    def violation(self, at: int, kind: str = "V01", second: int = 3_600, **changes: Any) -> UUID:
        """A violation of the vehicle at this place of `VEHICLES`, with its case."""
        plate, _, company, county = VEHICLES[at]
        raised_ms = FROM_MS + 1_000 * second
        told = {
            "name": Vehicle(plate, 2), "company": company, "county": county, "place_county": "652302", "kind": kind,
            "begins_ms": raised_ms - 60_000, "raised_ms": raised_ms, "ends_ms": raised_ms + 30_000,
        } | changes  # fmt: skip
        one = episode(vehicle(self.connection, plate), **told)
        with self.connection.transaction(), self.connection.cursor() as cursor:
            (id_,) = [violation.id for violation in apply(cursor, [one]).changed.values()]
            if not one.lead:
                open_case(cursor, id_, one.severity)
        self.ids.append(id_)
        return id_

    def withdraw(self, id_: UUID, reason: str = "定位漂移") -> None:
        with self.connection.transaction():
            self.connection.execute(
                "UPDATE violations SET status = 'withdrawn', revision = revision + 1 WHERE id = %s", (id_,)
            )
            kept = "begins_ms, raised_ms, ends_ms, severity, lead, measures, rule_version, registry_version"
            self.connection.execute(
                f"INSERT INTO violation_revisions (violation_id, revision, fact, pass, reason, {kept}) "
                f"SELECT id, revision, 'withdrawn', 'online', %s, {kept} FROM violations WHERE id = %s".encode(),
                (reason, id_),
            )

    def fixes(
        self, plate: str, n: int, verdict: Verdict = Verdict.ACCEPTED, second: int = 7_200, *, logged_ms: int = 0,
        backfill: bool = False, **columns: Any,
    ) -> None:  # fmt: skip
        """Fixes of a vehicle, one a second from a second of the day on, received as they were made."""
        time_ms = FROM_MS + 1_000 * (second + np.arange(n))
        given = {"time_ms": time_ms, "received_ms": time_ms + 500, "backfill": np.full(n, backfill)} | columns
        some = batch(n, **given)
        stands = origin(n, first_offset=self.offset, logged_ms=0)
        self.offset += n
        stands.logged_ms[:] = logged_ms or some.received_ms
        number = np.full(n, vehicle(self.connection, plate), np.int32)
        with self.connection.transaction(), self.connection.cursor() as cursor:
            fixes.write(cursor, some, stands, number, np.full(n, verdict, np.uint8))

    def quarantined(self, n: int, reason: str = "malformed") -> None:
        for _ in range(n):
            self.offset += 1
            self.connection.execute(
                "INSERT INTO quarantine VALUES (0, %s, 0, %s, %s, '', '')", (self.offset, FROM_MS + 5_000, reason)
            )


# --- what files say ------------------------------------------------------------------------------------------------

Tables = dict[str, list[tuple[str, ...]]]
"""Title of a table to its rows; numbers without separators of thousands."""


def plain(cell: object) -> str:
    """A cell as it would read without the marks of its format."""
    text = "" if cell is None else str(cell).removeprefix("'")
    bare = text.replace(",", "")
    return bare if bare.isdigit() else text


class _Html(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tables: Tables = {}
        self.texts: list[str] = []
        self.outside: set[str] = set()
        self._title, self._open = "", ""
        self._row: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self._open = tag
        self.outside |= {value or "" for name, value in attributes if name in ("src", "href")}
        if tag == "tr":
            self._row = []
        elif tag in ("td", "th"):
            self._row.append("")
        elif tag == "h2":
            self._title = ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "tr":
            self.tables.setdefault(self._title, []).append(tuple(map(plain, self._row)))
        self._open = ""

    def handle_data(self, data: str) -> None:
        if self._open == "h2":
            self._title += data
        elif self._open in ("td", "th"):
            self._row[-1] += data
        elif self._open == "p":
            self.texts.append(data)


def of_html(content: bytes) -> tuple[Tables, list[str]]:
    """Tables (heads first) and paragraphs."""
    parser = _Html()
    parser.feed(content.decode())
    assert not parser.outside, "it needs no other file"
    return parser.tables, parser.texts


def of_csv(content: bytes) -> tuple[Tables, list[str]]:
    assert content.startswith(b"\xef\xbb\xbf")
    tables: Tables = {}
    for row in csv.reader(StringIO(content.decode("utf-8-sig"))):
        tables.setdefault(row[0], []).append(tuple(map(plain, row[1:])))
    said = [text for key in ("综述", "说明") for (text,) in tables.pop(key, [])]
    for key in ("标题", "编号", "编制单位", "编制日期", "更正说明"):
        tables.pop(key, None)
    return tables, said


def of_xlsx(content: bytes) -> tuple[Tables, list[str]]:
    book = openpyxl.load_workbook(BytesIO(content))
    assert book.sheetnames == ["汇总", "违规明细", "数据质量"]
    tables: Tables = {}
    said: list[str] = []
    for sheet in book:
        title = ""
        for cells in sheet.iter_rows():
            assert all(cell.data_type in "sn" for cell in cells), "no formula, no date"
            row = [cell.value for cell in cells]
            while row and row[-1] is None:
                row.pop()
            if not row:
                title = ""
            elif title:
                tables[title].append(tuple(map(plain, row)))
            elif sheet.title == "汇总" and not tables and len(row) == 2:
                said += [str(row[1])] if row[0] in ("综述", "说明") else []
            elif len(row) == 1 and not (sheet.title == "汇总" and cells[0].row == 1):
                title = str(row[0])
                tables[title] = []
    return tables, said


def of_pdf(content: bytes) -> str:
    """All text, without spaces."""
    pages = [page.extract_text() for page in PdfReader(BytesIO(content)).pages]
    return "".join("".join(page.split()) for page in pages).replace("\u200b", "")
