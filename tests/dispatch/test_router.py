"""Router: every event once, in order, whoever routes it, wherever it is killed."""

import json
import os
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from psycopg.types.json import Jsonb

from detectors.found import Fact
from dispatch.payloads import Names
from dispatch.router import route
from dispatch.words import headline, letter
from ingest.registry import Vehicle
from ledger import warned
from ledger.database import DatabaseError, connect
from ledger.principal import CENTRE, Principal, Role
from ledger.violations import apply
from tests.dispatch.scene import at, change, happen, subscribe
from tests.ledger.made import episode, rows, vehicle, warning


def routed(url: str, most: int = 500) -> int:
    with connect(url) as connection:
        return route(connection, most)


def tell(url: str, number: int, plate: str, **changes: Any) -> uuid.UUID:
    with connect(url) as connection, connection.transaction(), connection.cursor() as cursor:
        told = episode(number, name=Vehicle(plate, 2), merge_ms=0, **changes)
        return next(iter(apply(cursor, [told]).changed))


def named(url: str, collection: str, **content: str) -> None:
    """Let a new version of the registry give something a name."""
    change(
        url, "INSERT INTO registry_versions (version, imported_by) SELECT count(*) + 1, 'test' FROM registry_versions"
    )
    change(
        url,
        "INSERT INTO registry_rows (collection, place, content, valid_from_ms, valid_to_ms, since_version) "
        "SELECT %s, max(version), %s, 0, 1, max(version) FROM registry_versions",
        collection,
        Jsonb(content),
    )


def cases(url: str) -> dict[uuid.UUID, str]:
    return dict(rows(url, "SELECT violation_id, state FROM cases"))


def test_nothing_to_do(database_url: str) -> None:
    assert routed(database_url) == 0
    assert rows(database_url, "SELECT number FROM feed_head") == [(0,)]


def test_an_event_becomes_deliveries_and_a_case(database_url: str) -> None:
    centre = subscribe(database_url, "http://a.example/")
    county = subscribe(database_url, "http://b.example/", Principal(Role.COUNTY, "652301"))
    company = subscribe(database_url, "http://c.example/", Principal(Role.COMPANY, "甲公司"))
    subscribe(database_url, "http://d.example/", Principal(Role.COUNTY, "652302"))  # where it was, not whose it is
    subscribe(database_url, "http://e.example/", kinds=("V09",))
    named(database_url, "counties", county="652301", name="昌吉市")
    (violation,) = happen(database_url)
    assert routed(database_url) == 1
    assert routed(database_url) == 0
    found = rows(
        database_url,
        "SELECT d.id, subscription_id, outbox_id, type, payload, state FROM deliveries AS d ORDER BY subscription_id",
    )
    assert {row[1] for row in found} == {centre, county, company}
    assert all(row[0] == uuid.uuid5(row[1], str(row[2])) for row in found)
    assert len({row[4] for row in found}) == 1
    event = json.loads(found[0][4])
    recorded = event.pop("timestamp")
    assert recorded.endswith("+08:00")
    assert event == {
        "type": "violation.raised",
        "data": {
            "violation": str(violation), "revision": 1, "kind": "V01", "kind_zh": "道路限速超速",
            "kind_en": "Speeding against the road's limit", "plate": "测A00000", "plate_color": 2, "company": "甲公司",
            "company_name": "甲公司", "county": "652301", "county_name": "昌吉市", "severity": 2,
            "place_county": "652302", "begins": "1970-01-01T08:16:40.000+08:00",
            "raised": "1970-01-01T08:17:20.000+08:00", "ends": "1970-01-01T08:17:20.000+08:00", "lead": False,
            "status": "open", "superseded_by": None, "measures": {"peak_kmh": 111.5}, "lon": 87.3, "lat": 44.0,
            "clause": "《道路交通安全法》第四十二条 (Road Traffic Safety Law art. 42)",
        },
    }  # fmt: skip
    assert cases(database_url) == {violation: "pushed"}


def test_names_are_read_again_when_the_registry_changes(database_url: str) -> None:
    subscribe(database_url, "http://a.example/")
    names = Names()
    told: list[str] = []
    with connect(database_url) as connection:
        for name in ("", "天山客运", "天山运输"):
            if name:
                named(database_url, "companies", company="甲公司", name=name)
            happen(database_url, first=len(told))
            assert route(connection, names=names) == 1
            ((payload,),) = rows(database_url, "SELECT payload FROM deliveries ORDER BY created_at DESC LIMIT 1")
            told.append(json.loads(payload)["data"]["company_name"])
    assert told == ["甲公司", "天山客运", "天山运输"]


def test_the_feed_is_contiguous_and_in_order(database_url: str) -> None:
    happen(database_url, 7)
    assert [routed(database_url, 3) for _ in range(4)] == [3, 3, 1, 0]
    happen(database_url, 2, first=7)
    assert routed(database_url) == 2
    found = rows(database_url, "SELECT feed_number, number FROM outbox ORDER BY number")
    assert [row[0] for row in found] == list(range(1, 10))
    assert rows(database_url, "SELECT number FROM feed_head") == [(9,)]


def test_many_at_once_route_each_event_once(database_url: str) -> None:
    subscribe(database_url, "http://a.example/")
    happen(database_url, 200)

    def work(_: int) -> int:
        with connect(database_url) as connection:
            total = 0
            while count := route(connection, 10):
                total += count
            return total

    with ThreadPoolExecutor(4) as pool:
        counts = list(pool.map(work, range(4)))
    assert sum(counts) == 200
    numbers = [row[0] for row in rows(database_url, "SELECT feed_number FROM outbox ORDER BY number")]
    assert sorted(numbers) == list(range(1, 201))
    assert rows(database_url, "SELECT count(*), count(DISTINCT outbox_id) FROM deliveries") == [(200, 200)]


@pytest.mark.parametrize("step", ["read", "cases", "deliveries", "numbers", "commit"])
def test_killed_anywhere_nothing_is_lost_or_doubled(database_url: str, step: str) -> None:
    subscribe(database_url, "http://a.example/")
    happen(database_url, 9)

    def die() -> None:
        os._exit(9)

    if (pid := os.fork()) == 0:
        try:
            with connect(database_url) as connection:
                hook = at(step, 2, die)
                while route(connection, 3, hook):
                    pass
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 9
    done = rows(database_url, "SELECT count(*) FROM outbox WHERE routed_at IS NOT NULL")[0][0]
    assert done == (6 if step == "commit" else 3)
    assert rows(database_url, "SELECT count(*) FROM deliveries") == [(done,)]
    assert rows(database_url, "SELECT count(*) FROM cases") == [(done,)]
    while routed(database_url, 3):
        pass
    assert rows(database_url, "SELECT count(*) FROM deliveries") == [(9,)]
    assert [row[0] for row in rows(database_url, "SELECT feed_number FROM outbox ORDER BY 1")] == list(range(1, 10))


def test_who_is_disabled_or_has_ended_is_owed_nothing_new(database_url: str) -> None:
    disabled, ended = (subscribe(database_url, "http://a.example/") for _ in range(2))
    change(database_url, "UPDATE subscriptions SET disabled_at = now() WHERE id = %s", disabled)
    change(database_url, "UPDATE subscriptions SET ended_at = now() WHERE id = %s", ended)
    happen(database_url)
    assert routed(database_url) == 1
    assert rows(database_url, "SELECT * FROM deliveries") == []


def test_a_notice_has_no_case_until_it_rises(database_url: str) -> None:
    (notice,) = happen(database_url, severity=1)
    routed(database_url)
    assert cases(database_url) == {}
    happen(database_url, severity=3, fact=Fact.RISEN)
    assert routed(database_url) == 1
    assert cases(database_url) == {notice: "pushed"}
    assert rows(database_url, "SELECT event FROM outbox ORDER BY number") == [("raised",), ("risen",)]


def test_a_graver_kind_takes_over_the_case_of_a_lesser_one(database_url: str) -> None:
    with connect(database_url) as connection:
        number = vehicle(connection, "测A00001")
    span = {"begins_ms": 1_000_000, "raised_ms": 1_040_000, "ends_ms": 1_100_000}
    lesser = tell(database_url, number, "测A00001", kind="V01", **span)
    apart = tell(
        database_url, number, "测A00001", kind="V02", begins_ms=9_000_000, raised_ms=9_000_001, ends_ms=9_000_002
    )
    routed(database_url)
    assert cases(database_url) == {lesser: "pushed", apart: "pushed"}
    graver = tell(database_url, number, "测A00001", kind="V04", severity=4, **span)
    routed(database_url)
    assert cases(database_url) == {lesser: "superseded", apart: "pushed", graver: "pushed"}
    later = tell(database_url, number, "测A00001", kind="V02", **span)
    subscription = subscribe(database_url, "http://a.example/", topics=("violation", "case"))
    while routed(database_url):
        pass
    assert later not in cases(database_url), "superseded from its first moment"
    told = [
        json.loads(row[0])
        for row in rows(database_url, "SELECT payload FROM deliveries WHERE subscription_id = %s", subscription)
    ]
    assert [event["data"]["superseded_by"] for event in told if event["type"] == "violation.raised"] == ["V04"]


def test_both_in_one_chunk(database_url: str) -> None:
    with connect(database_url) as connection:
        number = vehicle(connection, "测A00001")
    lesser = tell(database_url, number, "测A00001", kind="V01")
    graver = tell(database_url, number, "测A00001", kind="V04", severity=4)
    while routed(database_url):
        pass
    assert cases(database_url) == {graver: "pushed"}, f"{lesser} never had a case: it was superseded when it was routed"


def test_moves_and_reports_are_told(database_url: str) -> None:
    subscription = subscribe(database_url, "http://a.example/", topics=("case", "report"))
    county = subscribe(database_url, "http://b.example/", Principal(Role.COUNTY, "652301"), topics=("report",))
    with connect(database_url) as connection:
        number = vehicle(connection, "测A00001")
    tell(database_url, number, "测A00001", kind="V01")
    routed(database_url)
    tell(database_url, number, "测A00001", kind="V04", severity=4)
    change(
        database_url,
        "WITH made AS (INSERT INTO reports (number, day, county, company, edition, facts, closed_at, issued_at) "
        "VALUES ('日报1', '2026-03-02', '652301', '', 1, '{}', now(), now()) RETURNING id) "
        "INSERT INTO outbox (id, report_id, event) SELECT gen_random_uuid(), id, 'issued' FROM made",
    )
    while routed(database_url):
        pass
    found = rows(database_url, "SELECT subscription_id, payload FROM deliveries")
    told = {row[0]: json.loads(row[1]) for row in found}
    assert len(found) == 2
    move, report = told[subscription], told[county]
    assert (move["type"], move["data"]["from"], move["data"]["to"]) == ("case.moved", "pushed", "superseded")
    assert (move["data"]["by"], move["data"]["kind"], move["data"]["county"]) == ("system", "V01", "652301")
    assert (report["type"], report["data"]["number"], report["data"]["day"]) == ("report.issued", "日报1", "2026-03-02")


def test_a_withdrawn_violation_withdraws_its_case(database_url: str) -> None:
    (violation,) = happen(database_url)
    routed(database_url)
    change(
        database_url,
        "WITH v AS (UPDATE violations SET status = 'withdrawn', revision = 2 RETURNING *), r AS ("
        "INSERT INTO violation_revisions (violation_id, revision, fact, pass, begins_ms, raised_ms, ends_ms, severity, "
        "lead, measures, rule_version, registry_version) "
        "SELECT id, 2, 'withdrawn', 'day', begins_ms, raised_ms, ends_ms, severity, lead, measures, rule_version, "
        "registry_version FROM v) "
        "INSERT INTO outbox (id, violation_id, revision, event) SELECT gen_random_uuid(), id, 2, 'withdrawn' FROM v",
    )
    routed(database_url)
    assert cases(database_url) == {violation: "withdrawn"}


def test_an_error_leaves_everything_as_it_was(database_url: str) -> None:
    happen(database_url)
    change(database_url, "ALTER TABLE cases ADD CHECK (moves > 1)")
    with pytest.raises(DatabaseError):
        routed(database_url)
    assert rows(database_url, "SELECT count(*) FROM outbox WHERE routed_at IS NULL") == [(1,)]
    assert rows(database_url, "SELECT number FROM feed_head") == [(0,)]


def test_centre_only(database_url: str) -> None:
    subscription = subscribe(database_url, "http://a.example/", CENTRE)
    happen(database_url, county="", company="")
    routed(database_url)
    assert rows(database_url, "SELECT subscription_id FROM deliveries") == [(subscription,)]


def test_a_warning_is_told_and_has_no_case(database_url: str) -> None:
    company = Principal(Role.COMPANY, "甲公司")
    asked = subscribe(database_url, "http://a.example/", company, topics=("warning",), least_severity=4)
    subscribe(database_url, "http://b.example/", company)
    with connect(database_url) as connection, connection.transaction(), connection.cursor() as cursor:
        told = warning(
            vehicle(connection, "测A00001"), measures={"driven_s": 12_600.0, "left_s": 1_800.0, "limit_ms": 9}
        )
        warned.keep(cursor, [told])
    assert routed(database_url) == 1
    assert cases(database_url) == {}
    ((subscription, type_, text),) = rows(database_url, "SELECT subscription_id, type, payload FROM deliveries")
    assert (subscription, type_) == (asked, "violation.warned")
    event = json.loads(text)
    assert event["type"] == "violation.warned"
    data = event["data"]
    assert (data["warning"], data["kind"], data["plate"], data["company"]) == (
        str(told.id),
        "V05",
        "测A00001",
        "甲公司",
    )
    assert data["words_zh"].startswith("已连续驾驶 3小时30分，再驾驶 30分即达限值")
    assert data["words_en"].startswith("Driven on for 3 h 30 min: 30 min are left of")
    assert data["warned"] == "1970-01-01T11:46:40.000+08:00"
    assert not {"severity", "violation", "status"} & set(data)
    assert "违规预警 V05" in headline(event)
    assert "再驾驶 30分" in headline(event)
    assert "Warning before a violation V05" in letter(event, "en")
