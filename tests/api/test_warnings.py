"""Warnings before a violation, over HTTP and in the stream."""

import time
from typing import Any

from dispatch.router import route
from ingest.registry import Vehicle
from ledger import warned
from ledger.database import connect
from tests.api.test_stream import watching
from tests.api.world import COMPANIES, Web, now_ms, raise_violation
from tests.ledger.made import vehicle, warning

LEFT = {"driven_s": 12_600.0, "left_s": 1_800.0, "certain_s": 12_600.0, "basis": "driver"}
DAY_MS = 86_400_000


def warn(web: Web, company: str, **changes: Any) -> str:
    """A warning to a company's vehicle, just now."""
    name, at = Vehicle(f"测{company[-4:]}0", 2), now_ms()
    told = {
        "name": name, "company": company, "county": COMPANIES[company][0], "begins_ms": at - 12_600_000,
        "warned_ms": at, "due_ms": at + DAY_MS, "measures": LEFT,
    }  # fmt: skip
    with connect(web.world.url) as connection:
        with connection.transaction(), connection.cursor() as cursor:
            one = warning(vehicle(connection, *name), **(told | changes))
            warned.keep(cursor, [one])
        while route(connection):
            pass
    return str(one.id)


def test_everybody_lists_their_own(web: Web) -> None:
    ids = {company: warn(web, company) for company in COMPANIES}
    seen = {
        "centre": set(COMPANIES), "operator": set(COMPANIES), "county": {"652301-L001", "652301-F001"},
        "county2": {"652302-H001"}, "company": {"652301-L001"}, "company2": {"652302-H001"},
    }  # fmt: skip
    for login, companies in seen.items():
        items = web.people[login].get("/warnings")["items"]
        assert {item["id"] for item in items} >= {ids[company] for company in companies}
        assert {item["company"] for item in items} == companies, login
    item = next(item for item in web.people["company"].get("/warnings")["items"] if item["id"] == ids["652301-L001"])
    assert item["words"]["zh"].startswith("已连续驾驶 3小时30分，再驾驶 30分即达限值 4小时")
    assert item["words"]["en"].startswith("Driven on for 3 h 30 min: 30 min are left of 4 h.")
    assert (item["kind"], item["kind_zh"], item["plate"]) == ("V05", "连续驾驶超时", "测L0010")
    assert (item["company_name"], item["county_name"]) == ("示范L公司", "甲市")
    assert (item["rule_version"], item["registry_version"], item["measures"]) == (1, 1, LEFT)
    assert item["became"] is None


def test_filters_and_pages(web: Web) -> None:
    at = 1_795_825_865_000  # 2026-11-28, Beijing time
    mine = [warn(web, "652301-L001", kind="V06", begins_ms=at + one, warned_ms=at + one // 3) for one in range(7)]
    other = warn(web, "652301-L001", kind="V07", begins_ms=at - DAY_MS, warned_ms=at - DAY_MS)
    company = web.people["company"]
    found, after = [], None
    while True:
        page = company.get(
            "/warnings", params={"day": "2026-11-28", "kind": "V06", "limit": 3} | ({"after": after} if after else {})
        )
        found += [item["id"] for item in page["items"]]
        after = page["next"]
        if after is None:
            break
    assert sorted(found) == sorted(mine)
    assert other not in found

    def get(**params: str) -> list[str]:
        return [item["id"] for item in company.get("/warnings", params=params)["items"]]

    assert get(day="2026-11-27", kind="V07") == [other]
    assert get(plate="l0010", kind="V07") == [other]
    assert get(company="652302-H001") == []
    assert company("GET", "/warnings", params={"after": "nonsense"}).status_code == 422
    assert company("GET", "/warnings", params={"day": "28.11.2026"}).status_code == 422


def test_what_became_of_them_is_counted(web: Web) -> None:
    at = now_ms() - 3 * DAY_MS
    ids = {one: warn(web, "652301-F001", kind="V24", begins_ms=at + one, warned_ms=at + one, due_ms=at + one + 10)
           for one in (0, 100, 200)}  # fmt: skip
    warn(web, "652301-F001", kind="V24", begins_ms=now_ms(), warned_ms=now_ms())
    with connect(web.world.url) as connection:
        told = {"begins_ms": at + 104, "raised_ms": at + 105, "ends_ms": at + 105, "kind": "V24"}
        violation = raise_violation(connection, "652301-F001", **told)
    (outcome,) = web.people["centre"].get("/warnings/outcomes", params={"kind": "V24"})["items"]
    assert {name: outcome[name] for name in ("kind", "warnings", "happened", "averted", "pending")} == {
        "kind": "V24", "warnings": 4, "happened": 1, "averted": 2, "pending": 1,
    }  # fmt: skip
    assert outcome["averted_ratio"] == 2 / 3
    items = web.people["centre"].get("/warnings", params={"kind": "V24"})["items"]
    assert {item["id"]: item["became"] for item in items if item["became"]} == {ids[100]: str(violation)}
    assert web.people["company2"].get("/warnings/outcomes", params={"kind": "V24"})["items"] == []


def test_a_warning_is_told_live_and_counts_nowhere(web: Web) -> None:
    centre = web.people["centre"]
    listed = {item["id"] for item in centre.get("/violations", params={"limit": 200})["items"]}
    before = centre.get("/summary")["severity"]
    with watching(web.people["company"]) as mine, watching(web.people["company2"]) as others:
        assert next(mine).name == next(others).name == "hello"
        id_ = warn(web, "652301-L001", kind="V06")
        event = next(mine)
        assert (event.name, event.data["warning"]["id"]) == ("warning", id_)
        assert event.id == event.data["number"]
        assert event.data["warning"]["words"]["zh"].startswith("夜间已连续驾驶 3小时30分")
        theirs = warn(web, "652302-H001", kind="V06")
        assert next(others).data["warning"]["id"] == theirs
    time.sleep(2.1)  # a summary is kept so long
    assert centre.get("/summary")["severity"] == before
    assert {item["id"] for item in centre.get("/violations", params={"limit": 200})["items"]} == listed
