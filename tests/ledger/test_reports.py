"""Reports as they are read: each to whom it concerns, its receipt once, its deliveries."""

import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime
from uuid import UUID

import psycopg
import pytest

from ledger import closing, reports
from ledger.closing import New
from ledger.database import connect
from ledger.principal import CENTRE, Principal, Role

DAY, NEXT = date(2026, 11, 20), date(2026, 11, 21)
PARTIES = (("", ""), ("652301", ""), ("652302", ""), ("652301", "甲"), ("652302", "甲"), ("652302", "乙"), ("", "乙"))
FILES = {"html": b"<p>", "pdf": b"%PDF", "xlsx": b"PK", "csv": b"\xef\xbb\xbf"}
FACTS = b'{"party": {"county": ""}, "totals": {"violations": 3}}'


@pytest.fixture
def connection(database_url: str) -> Iterator[psycopg.Connection]:
    with connect(database_url) as opened:
        yield opened


def close(connection: psycopg.Connection, day: date, edition: int = 1) -> None:
    """A report of each party, closed and rendered."""
    new = [New(f"{day}/{edition}/{at}", *party, edition, "", FACTS) for at, party in enumerate(PARTIES)]
    closing.keep(connection, day, datetime.now(UTC), new, "test")
    while (report := closing.unrendered(connection, day)) is not None:
        closing.keep_files(connection, report.id, FILES)


@pytest.fixture
def ids(connection: psycopg.Connection) -> dict[tuple[str, str], UUID]:
    """Issued reports of a day by party; the next day's are closed and not issued."""
    close(connection, DAY)
    close(connection, NEXT)
    issued = closing.issue(connection, DAY, "test")
    assert len(issued) == len(PARTIES)
    rows = connection.execute("SELECT county, company, id FROM reports WHERE issued_at IS NOT NULL").fetchall()
    return {(county, company): id_ for county, company, id_ in rows}


def principals() -> dict[Principal, set[tuple[str, str]]]:
    """Everybody, and whose reports each may see."""
    seen: dict[Principal, set[tuple[str, str]]] = {CENTRE: set(PARTIES), Principal(Role.OPERATOR): set(PARTIES)}
    for county in ("652301", "652302", "652399", "%", "甲"):
        seen[Principal(Role.COUNTY, county)] = {party for party in PARTIES if party[0] == county}
    for company in ("甲", "乙", "丙", "652301", "' OR true --"):
        seen[Principal(Role.COMPANY, company)] = {party for party in PARTIES if party[1] == company}
    return seen


def test_everybody_reads_exactly_their_own(connection: psycopg.Connection, ids: dict[tuple[str, str], UUID]) -> None:
    for principal, parties in principals().items():
        own = {ids[party] for party in parties}
        listed = reports.listed(connection, principal)
        assert {row["id"] for row in listed} == own, principal
        assert all(row["totals"] == {"violations": 3} and row["newest"] for row in listed)
        for id_ in [*ids.values(), uuid.uuid4()]:
            read = reports.read(connection, principal, id_)
            assert (read is not None) == (id_ in own), principal
            if read is not None:
                assert read["facts"]["totals"] == {"violations": 3}
                assert read["files"].keys() == FILES.keys()
            for form, content in FILES.items():
                file = reports.file(connection, principal, id_, form)
                assert (file is not None) == (id_ in own), principal
                assert file is None or bytes(file.content) == content
            assert reports.file(connection, principal, id_, "exe") is None


def test_what_is_not_issued_is_nobodys_to_read(
    connection: psycopg.Connection, ids: dict[tuple[str, str], UUID]
) -> None:
    (id_,) = connection.execute("SELECT id FROM reports WHERE issued_at IS NULL LIMIT 1").fetchone() or (None,)
    assert id_ is not None
    assert len(ids) == len(PARTIES)
    company = Principal(Role.COMPANY, "甲")
    for principal in (CENTRE, company, Principal(Role.COUNTY, "652301")):
        assert reports.read(connection, principal, id_) is None
        assert reports.file(connection, principal, id_, "pdf") is None
        assert not reports.receipt(connection, principal, "reader", id_)


def test_lists_go_on_page_by_page(connection: psycopg.Connection, ids: dict[tuple[str, str], UUID]) -> None:
    closing.issue(connection, NEXT, "test")
    close(connection, DAY, edition=2)
    closing.issue(connection, DAY, "test")
    found: list[UUID] = []
    after = None
    while page := reports.listed(connection, CENTRE, after=after, limit=4):
        found += [row["id"] for row in page]
        after = found[-1]
    assert len(found) == len(set(found)) == 3 * len(PARTIES)
    days = [row["day"] for row in reports.listed(connection, CENTRE)]
    assert days == sorted(days, reverse=True)
    assert days[0] == NEXT
    of_day = reports.listed(connection, CENTRE, day=DAY, of_county="652302", of_company="")
    assert [(row["edition"], row["newest"]) for row in of_day] == [(2, True), (1, False)]
    assert ids["652302", ""] == of_day[1]["id"]
    # nothing follows another's report: not even where it stands is told
    county = Principal(Role.COUNTY, "652301")
    newest = next(id_ for id_ in found if id_ not in {row["id"] for row in reports.listed(connection, county)})
    assert reports.listed(connection, county, after=newest) == []
    own = [row["id"] for row in reports.listed(connection, county)]
    assert [row["id"] for row in reports.listed(connection, county, after=own[0])] == own[1:]


def audited(connection: psycopg.Connection) -> list[tuple[str, str, str]]:
    return connection.execute(
        "SELECT actor, detail ->> 'role', subject FROM audit WHERE action = 'report.read' ORDER BY number"
    ).fetchall()


def test_the_first_reading_is_the_receipt(connection: psycopg.Connection, ids: dict[tuple[str, str], UUID]) -> None:
    company, county = Principal(Role.COMPANY, "甲"), Principal(Role.COUNTY, "652301")
    id_ = ids["652301", "甲"]
    assert not reports.receipt(connection, CENTRE, "boss", id_), "the centre's own reading is none"
    assert not reports.receipt(connection, Principal(Role.COMPANY, "乙"), "other", id_), "another's report"
    assert not reports.receipt(connection, company, "clerk", uuid.uuid4())
    assert audited(connection) == []
    assert reports.receipt(connection, company, "clerk", id_)
    assert not reports.receipt(connection, company, "clerk", id_), "once"
    assert reports.receipt(connection, county, "officer", id_)
    told = [(row["reader"], row["role"], row["tenant"]) for row in reports.receipts(connection, CENTRE, id_)]
    assert told == [("clerk", "company", "甲"), ("officer", "county", "652301")]
    assert [row[:2] for row in audited(connection)] == [("clerk", "company"), ("officer", "county")]
    (first,) = [row["first_read_at"] for row in reports.listed(connection, CENTRE) if row["id"] == id_]
    assert first is not None
    for principal, parties in principals().items():
        assert bool(reports.receipts(connection, principal, id_)) == (("652301", "甲") in parties), principal


def test_the_issuing_side_sees_who_got_it(connection: psycopg.Connection, ids: dict[tuple[str, str], UUID]) -> None:
    id_ = ids["652301", "甲"]
    connection.execute(
        "WITH s AS (INSERT INTO subscriptions (role, tenant, name, channel, target, secret, created_by) "
        "VALUES ('company', '甲', '值班室', 'webhook', 'https://secret.example/token', 'whsec_x', 'x') RETURNING id), "
        "d AS (INSERT INTO deliveries (id, subscription_id, outbox_id, type, payload, state, attempts, settled_at) "
        "SELECT gen_random_uuid(), s.id, outbox.id, 'report.issued', '{}', 'sent', 2, now() FROM s, outbox "
        "WHERE report_id = %s RETURNING id) "
        "INSERT INTO delivery_attempts (delivery_id, attempt, began_at, took_ms, outcome, status) SELECT "
        "id, n, now(), 5, CASE n WHEN 1 THEN 'later' ELSE 'sent' END, 498 + n FROM d, generate_series(1, 2) AS n",
        (id_,),
    )
    (row,) = reports.deliveries(connection, CENTRE, id_)
    assert (row["name"], row["state"], row["attempts"], row["outcome"], row["status"]) == (
        "值班室", "sent", 2, "sent", 500,
    )  # fmt: skip
    assert not [value for value in row.values() if "secret" in str(value)], "an address is its owner's to see"
    for principal, parties in principals().items():
        assert bool(reports.deliveries(connection, principal, id_)) == (("652301", "甲") in parties), principal
    assert reports.deliveries(connection, CENTRE, ids["", ""]) == []


def test_an_issued_report_is_owed_once(connection: psycopg.Connection, ids: dict[tuple[str, str], UUID]) -> None:
    assert closing.issue(connection, DAY, "test") == []
    rows = connection.execute("SELECT report_id FROM outbox WHERE event = 'issued'").fetchall()
    assert sorted(id_ for (id_,) in rows) == sorted(ids.values())


def test_what_is_not_rendered_is_not_issued(connection: psycopg.Connection) -> None:
    closing.keep(
        connection, DAY, datetime.now(UTC), [New("1", "", "", 1, "", FACTS), New("2", "1", "", 1, "", FACTS)], "test"
    )
    report = closing.unrendered(connection, DAY)
    assert report is not None
    closing.keep_files(connection, report.id, FILES)
    assert [number for _, number in closing.issue(connection, DAY, "test")] == [report.number]
    other = closing.unrendered(connection, DAY)
    assert other is not None
    assert other.number != report.number
