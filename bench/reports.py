"""The daily report, measured on 100 000 violations: closing a day for all parties, and a county's files."""

import resource
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg

from bench.ledger import product
from dispatch.daily import close
from dispatch.reports.facts import beijing_day, span_ms, thawed
from dispatch.reports.formats import MAKERS
from dispatch.reports.paper import compose
from ingest.registry import read_source
from ledger import closing, registries
from ledger.database import connect
from ledger.migrate import migrate
from ledger.tablelog import TableLog

VIOLATIONS, VEHICLES, DAYS, COUNTIES, COMPANIES = 100_000, 20_000, 4, 8, 40
FIXES_A_VEHICLE = 100
BUDGET_S = 5.0
DAY = beijing_day(datetime.now(UTC)) - timedelta(days=2)


def register(connection: psycopg.Connection, folder: Path) -> None:
    """Vehicles of as many counties and companies, by turns; the first county has more than half of them."""
    folder.mkdir()
    rows = ["plate,plate_color,class,company,county"]
    for n in range(VEHICLES):
        county = 0 if n % 2 else n // 2 % COUNTIES
        rows.append(f"测{n:05},2,{'LCHBTF'[n % 6]},{652300 + county}-{n % COMPANIES:03},{652300 + county}")
    (folder / "vehicles.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    registries.store(connection, read_source(folder), "bench")


def fill(connection: psycopg.Connection) -> None:
    """Violations of some days, the newest of which is reported, each with a case; fixes of that day."""
    begin, _ = span_ms(DAY)
    connection.execute(
        "INSERT INTO vehicles (plate, plate_color) SELECT content ->> 'plate', 2 FROM registry_rows "
        "WHERE collection = 'vehicles' ORDER BY place"
    )
    connection.execute(
        "INSERT INTO violations SELECT gen_random_uuid(), v.id, kinds.kind, t - 60000, t, t + 60000, kinds.severity, "
        "n %% 20 = 0, 'ended', r.content ->> 'company', r.content ->> 'county', r.content ->> 'county', 87.3, 44.0, "
        '\'{"peak_kmh": 111.5, "limit_kmh": 80.0}\', 1, 1, 1 FROM generate_series(1, %s) AS n '
        "JOIN vehicles AS v ON v.id = 1 + n * 7919 %% %s "
        "JOIN registry_rows AS r ON r.collection = 'vehicles' AND r.place = v.id "
        "CROSS JOIN LATERAL (SELECT %s - 86400000 * (n / 5 %% %s)::bigint + n * 97 %% 86400000 AS t) AS at "
        "JOIN (VALUES (0, 'V01', 2), (1, 'V03', 2), (2, 'V05', 3), (3, 'V04', 4), (4, 'V01', 1)) "
        "AS kinds (at, kind, severity) ON kinds.at = n %% 5",
        (VIOLATIONS, VEHICLES, begin, DAYS),
    )
    connection.execute("INSERT INTO cases SELECT id, 'pushed', 1, now(), now() FROM violations WHERE severity > 1")
    connection.execute(
        "INSERT INTO case_moves SELECT violation_id, 1, 'open', '', state, 'bench', '', '', '', due_at, opened_at "
        "FROM cases"
    )
    connection.execute(
        "INSERT INTO fixes SELECT v.id, t, t, t, 87.3, 44, 60, 0, 0, 60, 0, -1, 3, 0, v.id, n, 0, "
        "CASE n %% 25 WHEN 0 THEN 2 ELSE 0 END, false FROM generate_series(1, %s) AS n CROSS JOIN vehicles AS v "
        "CROSS JOIN LATERAL (SELECT %s + n * 600000::bigint AS t) AS at",
        (FIXES_A_VEHICLE, begin),
    )
    connection.execute("ANALYZE")


def measure(connection: psycopg.Connection) -> None:
    """Print how long each part takes."""
    began = time.perf_counter()
    closed = close(connection, DAY, "bench")
    print(f"closing a day, facts of {len(closed)} parties: {time.perf_counter() - began:.2f} s")
    (county,) = [one for one in closing.editions(connection, DAY) if (one.county, one.company) == ("652300", "")]
    began = time.perf_counter()
    facts = thawed(county.facts)
    print(f"county of {facts.totals.registered:,} vehicles, {len(facts.violations):,} violations that day, ", end="")
    print(f"{len(county.facts) / 1e6:.1f} MB of facts, read in {time.perf_counter() - began:.2f} s")
    for name, make in MAKERS.items():
        began = time.perf_counter()
        made = make(compose(facts))
        took = time.perf_counter() - began
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"  {name:4} {took:5.2f} s  {len(made) / 1e6:5.2f} MB  (process peak {peak:.0f} MB)")
        assert name != "pdf" or took <= BUDGET_S, f"a county's PDF takes {took:.2f} s, the budget is {BUDGET_S} s"


def main() -> None:
    """Measure on the embedded database."""
    with tempfile.TemporaryDirectory(prefix="warnloop-") as name:
        server = product("postgres", Path(name) / "server")
        url = server.start()
        try:
            migrate(url)
            TableLog.create(url)
            with connect(url) as connection:
                register(connection, Path(name) / "registry")
                fill(connection)
                measure(connection)
        finally:
            server.stop()


if __name__ == "__main__":
    main()
