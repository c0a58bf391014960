"""What each principal sees: exactly its own, by what the queries say and by what they give."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from ingest.gate import Verdict
from ingest.registry import Vehicle
from ledger import fixes, warned
from ledger.casework import open_case
from ledger.database import connect
from ledger.principal import CENTRE, Principal, Role
from ledger.shown import Shown, Wanted
from ledger.violations import apply
from ledger.warned import Asked
from tests.ledger.made import batch, episode, origin, vehicle, warning

HOUSE = Path(__file__).parents[2]
QUERIES = HOUSE / "ledger" / "queries"
SHOWN = sorted((QUERIES / "shown").glob("*.sql"))
OF_TENANTS = {
    "violations", "violation_revisions", "violation_episodes", "outbox", "fixes", "quarantine", "registry_rows",
    "state_slabs", "audit", "warnings",
}  # fmt: skip
SQL = re.compile(
    r"\b(SELECT\s.*\bFROM|INSERT INTO|UPDATE\s+\w+\s+SET|DELETE FROM|"
    r"CREATE TABLE|TRUNCATE\s+TABLE|COPY\s.*\b(FROM STDIN|TO STDOUT))\b",
    re.DOTALL,
)

TENANTS = {
    ("652301", "甲"): 2,
    ("652301", "乙"): 1,
    ("652302", "丙"): 3,
    ("652302", "丁"): 1,
    ("652302", ""): 1,
    ("", ""): 1,
}
"""County and company to how many violations it has; the last ones are vehicles of nobody."""


# --- what the texts say ------------------------------------------------------------------------------------------


def modules(*rooms: str) -> Iterator[tuple[Path, ast.Module]]:
    for room in rooms:
        for path in sorted((HOUSE / room).rglob("*.py")):
            yield path, ast.parse(path.read_text(encoding="utf-8"))


def texts(tree: ast.AST) -> Iterator[str]:
    """All texts of a module that are no docstring."""
    told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told:
            yield node.value


@pytest.mark.parametrize("path", SHOWN, ids=lambda path: path.stem)
def test_every_shown_query_is_bound_to_county_and_company(path: Path) -> None:
    words = " ".join(re.sub(r"--.*", "", path.read_text(encoding="utf-8")).split())
    for tenant in ("county", "company"):
        bound = rf"\(%\({tenant}\)s::text IS NULL OR (\w+)\.{tenant} = %\({tenant}\)s\)"
        (alias,) = re.findall(rf"(?:WHERE|AND) {bound}", words)
        assert re.search(rf"\bFROM \w+ AS {alias}\b", words), "it binds the table that it begins with"
    assert " UNION " not in words.upper(), "each part of a union would need a bound of its own"


def test_whoever_asks_for_what_is_shown_binds_it_to_a_principal() -> None:
    """A function that asks for a query of ``shown`` gives it a principal's scope; no query is left lying about."""
    named, asking = set(), []
    for path, tree in modules("ledger"):
        named |= {text.removeprefix("shown/") for text in texts(tree)}
        functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
        for function in functions:
            if any(text.startswith("shown/") for text in texts(function)):
                asking.append(f"{path.stem}.{function.name}")
                scopes = [
                    node for node in ast.walk(function) if isinstance(node, ast.Attribute) and node.attr == "scope"
                ]
                assert scopes, asking[-1]
    assert "shown.rows" in asking
    assert named >= {path.stem for path in SHOWN}


def test_only_the_ledger_speaks_sql() -> None:
    spoken = [
        (path.name, text)
        for path, tree in modules("ingest", "detectors", "dispatch", "api")
        for text in texts(tree)
        if SQL.search(text) or text.startswith("inner/") or "queries" in text
    ]
    assert spoken == []


def test_only_the_ledger_holds_cursors() -> None:
    calls = [
        (path.name, ast.unparse(node))
        for path, tree in modules("ingest", "detectors", "dispatch", "api")
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in ("execute", "executemany", "cursor", "copy_expert")
    ]
    assert calls == []


def test_what_is_shown_by_inner_queries_is_no_tenants() -> None:
    """Inner queries that read a tenant's table serve the program; those who do are known."""
    reading = {
        path.stem
        for path in (QUERIES / "inner").glob("*.sql")
        if OF_TENANTS & set(re.findall(r"(?:FROM|JOIN|INTO|UPDATE)\s+(\w+)", path.read_text(encoding="utf-8")))
    }
    assert reading == {
        "closings_days", "closings_gone", "closings_late", "deliveries_counts", "directory", "fixes_of",
        "fixes_read", "live_last", "live_open", "outbox_routed", "outbox_unrouted", "registry_begin",
        "registry_differs", "registry_end", "registry_load", "registry_page", "report_fixes", "report_names",
        "report_quarantine", "report_violations", "report_withdrawn", "violations_keep", "violations_late",
        "violations_of_episodes", "violations_revise", "violations_touched", "warnings_keep",
    }  # fmt: skip


# --- what they give ----------------------------------------------------------------------------------------------


def fill(connection: psycopg.Connection) -> dict[tuple[str, str], set[UUID]]:
    """A vehicle with its violations, and fixes around each, for every tenant."""
    ids: dict[tuple[str, str], set[UUID]] = {}
    for at, ((county, company), count) in enumerate(TENANTS.items()):
        name = Vehicle(f"测{at:05}", 2)
        number = vehicle(connection, *name)
        told = [
            episode(
                number, name=name, county=county, company=company, place_county="652301",
                begins_ms=10_000_000 * one, raised_ms=10_000_000 * one, ends_ms=10_000_000 * one + 60_000,
            )
            for one in range(1, count + 1)
        ]  # fmt: skip
        with connection.transaction(), connection.cursor() as cursor:
            ids[county, company] = {violation.id for violation in apply(cursor, told).changed.values()}
            told_of = [
                warning(number, name=name, county=county, company=company, begins_ms=one, warned_ms=one, due_ms=one)
                for one in range(count)
            ]
            warned.keep(cursor, told_of)
            n = 2 * count
            some = batch(n, time_ms=[10_000_000 * (one // 2 + 1) + one % 2 for one in range(n)])
            numbers = some.vehicle + number
            fixes.write(cursor, some, origin(n, first_offset=100 * at), numbers, some.backfill.astype("u1"))
    return ids


def tell(connection: psycopg.Connection, violations: set[UUID]) -> None:
    """A case of every violation, a report of every tenant, and all of it in the feed."""
    with connection.transaction(), connection.cursor() as cursor:
        for id_ in violations:
            open_case(cursor, id_, 2)
        for number, (county, company) in enumerate(TENANTS):
            values = (f"{number}", county, company)
            row = cursor.execute(
                "INSERT INTO reports (number, day, county, company, edition, facts, closed_at, issued_at) "
                "VALUES (%s, '2026-11-20', %s, %s, 1, '{}', now(), now()) RETURNING id",
                values,
            ).fetchone()
            assert row is not None
            cursor.execute("INSERT INTO outbox (id, event, report_id) VALUES (%s, 'issued', %s)", (uuid4(), row[0]))
        cursor.execute("UPDATE outbox SET feed_number = number, routed_at = now()")


def principals() -> dict[Principal, set[tuple[str, str]]]:
    """Everybody, and whose rows each may see."""
    seen = {CENTRE: set(TENANTS), Principal(Role.COUNTY, "652399"): set(), Principal(Role.COMPANY, "无"): set()}
    for county, company in TENANTS:
        if county:
            seen[Principal(Role.COUNTY, county)] = {tenant for tenant in TENANTS if tenant[0] == county}
        if company:
            seen[Principal(Role.COMPANY, company)] = {tenant for tenant in TENANTS if tenant[1] == company}
    # neither a name from the other column nor a pattern opens anything
    for tenant in ("652301", "%", "甲' OR true --", "null"):
        seen[Principal(Role.COMPANY, tenant)] = set()
    seen[Principal(Role.COUNTY, "甲")] = set()
    return seen


def test_everybody_sees_exactly_their_own(database_url: str) -> None:
    with connect(database_url) as connection:
        ids = fill(connection)
        everything = set().union(*ids.values())
        assert len(everything) == sum(TENANTS.values())
        tell(connection, everything)
        for principal, tenants in principals().items():
            shown = Shown(connection, principal)
            own = set().union(*(ids[tenant] for tenant in tenants)) if tenants else set()
            listed = list(shown.violations())
            assert {row["id"] for row in listed} == own, principal
            assert {row["id"] for row in shown.page(Wanted(), 1000)} == own, principal
            assert {row["id"] for row in shown.page(Wanted(ids=list(everything)), 1000)} == own, principal
            assert {row["id"] for row in shown.events(0, 1000)} == own, principal
            assert sum(row["violations"] for row in shown.counts(0, 1 << 40, [])) == len(own), principal
            assert sum(row["cases"] for row in shown.cases([])) == len(own), principal
            assert {(row["county"], row["company"]) for row in shown.issued(0, 1000)} == tenants, principal
            warnings = shown.warnings(Asked(), 1000)
            assert {(row["county"], row["company"]) for row in warnings} == {one for one in tenants if ids[one]}
            assert len(warnings) == len(own) == sum(row["warnings"] for row in shown.outcomes(Asked(), 0)), principal
            assert {row["id"] for row in shown.warned(0, 1000)} == {row["id"] for row in warnings}, principal
            assert {(row["county"], row["company"]) for row in listed} == {tenant for tenant in tenants if ids[tenant]}
            for id_ in everything:
                visible = id_ in own
                assert len(list(shown.revisions(id_))) == visible, principal
                track = list(shown.track(id_))
                assert len(track) == len(shown.fixes(id_, 600_000, 100, "test")) == 2 * visible, principal
            assert list(shown.revisions(uuid4())) == list(shown.track(uuid4())) == []


def test_every_query_is_in_the_matrix() -> None:
    here = {
        "violations", "revisions", "track", "violation_page", "violation_fixes", "violation_events", "violation_counts",
        "violation_cases", "report_events", "warning_page", "warning_events", "warning_outcomes",
    }  # fmt: skip
    elsewhere = {
        "attachment_read", "case_counts", "case_lock", "case_moves", "case_read",
        "report_deliveries", "report_file", "report_head", "report_list", "report_read", "report_receipts",
    }  # fmt: skip
    assert {path.stem for path in SHOWN} == here | elsewhere, (
        "add it to the test above, or test it in a matrix elsewhere"
    )


def test_a_parameter_cannot_widen_what_is_seen(database_url: str) -> None:
    with connect(database_url) as connection:
        ids = fill(connection)
        shown = Shown(connection, Principal(Role.COMPANY, "甲"))
        (other,) = ids["652301", "乙"]
        assert list(shown.rows("revisions", id=other, company=None, county=None)) == []
        assert list(shown.rows("revisions", id=other, company="乙")) == []


def test_a_company_is_known_by_its_name_alone(database_url: str) -> None:
    """§8 has one name for a company: one that runs in two counties sees both, each county only its own."""
    with connect(database_url) as connection:
        for county in ("652301", "652302"):
            name = Vehicle(f"测{county}", 2)
            told = episode(vehicle(connection, *name), name=name, county=county, company="双县")
            with connection.transaction(), connection.cursor() as cursor:
                apply(cursor, [told])
        of_company = Shown(connection, Principal(Role.COMPANY, "双县")).violations()
        of_county = Shown(connection, Principal(Role.COUNTY, "652301")).violations()
        assert sorted(row["county"] for row in of_company) == ["652301", "652302"]
        assert [row["county"] for row in of_county] == ["652301"]


@pytest.mark.parametrize(
    ("role", "tenant"),
    [
        (Role.CENTRE, "652301"), (Role.COUNTY, ""), (Role.COMPANY, ""), (Role.COUNTY, None), (Role.COMPANY, None),
        ("company", "甲"), ("county", "652301"), ("centre", ""), ("admin", "甲"), (None, "甲"), (Role.COMPANY, 7),
        (Role.COMPANY, " "), (Role.COUNTY, "652301 "),
    ],
)  # fmt: skip
def test_a_principal_that_is_none(role: Any, tenant: Any) -> None:
    with pytest.raises(ValueError, match="principal"):
        Principal(role, tenant)


def test_a_scope_always_names_the_tenant() -> None:
    assert CENTRE.scope == {"county": None, "company": None}
    assert Principal(Role.COUNTY, "652301").scope == {"county": "652301", "company": None}
    assert Principal(Role.COMPANY, "甲").scope == {"county": None, "company": "甲"}


# --- what supersedes (rulebook §6) ---------------------------------------------------------------------------------


def superseding(connection: psycopg.Connection, *told: Any) -> dict[tuple[str, int], str | None]:
    with connection.transaction(), connection.cursor() as cursor:
        apply(cursor, told)
    rows = list(Shown(connection, CENTRE).violations())
    keys = [(row["plate"], row["plate_color"], row["kind"], row["begins_ms"]) for row in rows]
    assert keys == sorted(keys)
    return {(row["kind"], row["begins_ms"]): row["superseded_by"] for row in rows}


def test_v04_supersedes_v01_and_v02_that_share_an_instant(database_url: str) -> None:
    with connect(database_url) as connection:
        one, other = vehicle(connection, "测A00001"), vehicle(connection, "测A00002")

        def lasts(number: int, kind: str, begins_ms: int, ends_ms: int) -> Any:
            name = Vehicle("测A00001" if number == one else "测A00002", 2)
            span = {"begins_ms": begins_ms, "raised_ms": ends_ms, "ends_ms": ends_ms, "merge_ms": 0}
            return episode(number, name=name, kind=kind, **span)

        found = superseding(
            connection,
            lasts(one, "V04", 2_000, 3_000),
            lasts(one, "V01", 1_000, 1_999),  # before
            lasts(one, "V02", 1_001, 2_000),  # up to its first instant
            lasts(one, "V01", 3_000, 4_000),  # from its last
            lasts(one, "V02", 3_001, 4_000),  # behind
            lasts(one, "V03", 2_000, 3_000),  # no kind that V04 supersedes
            lasts(other, "V01", 2_001, 3_000),  # another vehicle
        )
        assert found == {
            ("V04", 2_000): None, ("V01", 1_000): None, ("V02", 1_001): "V04", ("V01", 3_000): "V04",
            ("V02", 3_001): None, ("V03", 2_000): None, ("V01", 2_001): None,
        }  # fmt: skip
        connection.execute("UPDATE violations SET status = 'withdrawn' WHERE kind = 'V04'")
        assert set(superseding(connection).values()) == {None}


def test_the_track_shows_what_is_missing_as_none(database_url: str) -> None:
    with connect(database_url) as connection:
        number = vehicle(connection, "测A00001")
        some = batch(3, time_ms=[1_000_000 - 600_001, 1_000_000 - 600_000, 1_040_000 + 600_000])
        some.lon[1] = some.speed_kmh[2] = float("nan")
        with connection.transaction(), connection.cursor() as cursor:
            (id_,) = apply(cursor, [episode(number)]).changed
            verdict = some.backfill.astype("u1") + int(Verdict.DRIFT)
            fixes.write(cursor, some, origin(3), some.vehicle + number, verdict)
        early, late = Shown(connection, CENTRE).track(id_)
    assert (early["time_ms"], early["lon"], early["speed_kmh"]) == (400_000, None, 60.5)
    assert (late["time_ms"], late["speed_kmh"], late["verdict"]) == (1_640_000, None, int(Verdict.DRIFT))
