"""The schema: every way to the newest version ends at the same, and nothing is lost on it."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from typing import Any

import pytest

from ledger.database import DatabaseError, connect
from ledger.migrate import check_version, migrate, version_of, versions
from tests.ledger.made import rows
from tests.servers import Servers

PICTURE = {
    "tables": """
        SELECT relname, relkind, reloptions, relpersistence, obj_description(pg_class.oid, 'pg_class')
        FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1""",
    "columns": """
        SELECT attrelid::regclass::text, attname, format_type(atttypid, atttypmod), attnotnull, attidentity,
               attstorage, pg_get_expr(adbin, adrelid), col_description(attrelid, attnum)
        FROM pg_attribute
        JOIN pg_class ON pg_class.oid = attrelid
        LEFT JOIN pg_attrdef ON (adrelid, adnum) = (attrelid, attnum)
        WHERE relnamespace = 'public'::regnamespace AND attnum > 0 AND NOT attisdropped ORDER BY 1, attnum""",
    "constraints": """
        SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2""",
    "indexes": "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1, 2",
    "triggers": """
        SELECT tgrelid::regclass::text, tgname, pg_get_triggerdef(pg_trigger.oid)
        FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
        WHERE NOT tgisinternal AND relnamespace = 'public'::regnamespace ORDER BY 1, 2""",
    "functions": """
        SELECT proname, md5(prosrc) FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace
          AND NOT EXISTS (SELECT FROM pg_depend WHERE pg_depend.objid = pg_proc.oid AND deptype = 'e') ORDER BY 1""",
}

SEEDS = {
    "0001": """
        INSERT INTO log_partitions (partition, next_offset, held_bytes) VALUES (0, 2, 6), (1, 0, 0);
        INSERT INTO log_frames VALUES (0, 0, 'csv', 5, 'abc'), (0, 1, 'tick', 6, '123');
        INSERT INTO log_leases (partition) VALUES (0), (1);
        INSERT INTO log_members DEFAULT VALUES;""",
    "0002": """
        INSERT INTO vehicles (plate, plate_color) VALUES ('测A00001', 2);
        INSERT INTO drivers VALUES (7, '张三');
        INSERT INTO audit (actor, action, subject) VALUES ('a', 'b', 'c');
        INSERT INTO registry_versions (version, imported_by) VALUES (1, 'a');
        INSERT INTO registry_rows VALUES ('vehicles', 1, '{"plate": "x"}', 0, 1, 1, NULL);""",
    "0003": """
        INSERT INTO positions VALUES (0, 2, 1, 5);
        INSERT INTO checkpoints (partition, next_offset, registry_version) VALUES (0, 2, 1);
        INSERT INTO state_slabs VALUES (0, 2, 0, '{1}', 'x');
        INSERT INTO fixes SELECT 0, 86400000 * day, 1, 2, 87, 44, 'NaN', 0, 0, 'NaN', 0, -1, 3, 0, 1, day, 0, 0, false
        FROM generate_series(0, 9) AS day;
        INSERT INTO quarantine VALUES (0, 1, 0, 5, 'malformed', 'x', 'y');
        INSERT INTO violations VALUES ('6f1c9b52-6a0e-5f0e-9d57-3a0b8c1f4e21', 1, 'V01', 0, 1, 2, 2, false, 'open',
                                       '甲', '652301', '', 87, 44, '{}', 1, 1, 1);
        INSERT INTO violation_episodes VALUES (1, 'V01', 'online', 0, '6f1c9b52-6a0e-5f0e-9d57-3a0b8c1f4e21');
        INSERT INTO violation_revisions VALUES ('6f1c9b52-6a0e-5f0e-9d57-3a0b8c1f4e21', 1, 'raised', 'online', '', 0, 1,
                                                2, 2, false, '{}', 1, 1);
        INSERT INTO outbox (id, violation_id, revision, event) VALUES ('6f1c9b52-6a0e-5f0e-9d57-3a0b8c1f4e22',
                            '6f1c9b52-6a0e-5f0e-9d57-3a0b8c1f4e21', 1, 'raised');""",
    "0005": """
        INSERT INTO accounts (login, password_hash, role) VALUES ('a', 'x', 'centre');
        INSERT INTO sessions SELECT 'x', id, now(), now() FROM accounts;
        INSERT INTO login_failures (login, address, count) VALUES ('a', '', 1);
        INSERT INTO api_keys (key_hash, name, role, scopes, created_by) VALUES ('x', 'a', 'centre', '{read}', 'a');
        INSERT INTO reports (number, day, county, company, edition, facts, closed_at)
            VALUES ('1', '2026-03-02', '', '', 1, '{}', now());
        INSERT INTO report_files SELECT id, 'csv', 'x', 'y' FROM reports;
        INSERT INTO report_receipts (report_id, reader, role, tenant) SELECT id, 'a', 'centre', '' FROM reports;
        INSERT INTO cases (violation_id, state, moves) VALUES ('6f1c9b52-6a0e-5f0e-9d57-3a0b8c1f4e21', 'pushed', 1);
        INSERT INTO case_moves (violation_id, number, move, from_state, to_state, actor, role, tenant)
            VALUES ('6f1c9b52-6a0e-5f0e-9d57-3a0b8c1f4e21', 1, 'open', '', 'pushed', 'system', 'centre', '');
        INSERT INTO attachments (sha256, media_type, content) VALUES (sha256('x'), 'image/png', 'x');
        INSERT INTO uploads (sha256, role, tenant, actor) VALUES (sha256('x'), 'company', '652301-L001', 'a');
        INSERT INTO case_attachments VALUES ('6f1c9b52-6a0e-5f0e-9d57-3a0b8c1f4e21', 1, 1, sha256('x'), 'x.png');
        INSERT INTO outbox (id, event, report_id) SELECT gen_random_uuid(), 'issued', id FROM reports;
        INSERT INTO outbox (id, event, violation_id, move)
            VALUES (gen_random_uuid(), 'moved', '6f1c9b52-6a0e-5f0e-9d57-3a0b8c1f4e21', 1);
        INSERT INTO subscriptions (role, name, channel, target, created_by) VALUES ('centre', 'a', 'folder', 'a', 'a');
        INSERT INTO deliveries (id, subscription_id, outbox_id, type, payload)
            SELECT gen_random_uuid(), subscriptions.id, outbox.id, 'report.issued', '{}' FROM subscriptions, outbox;
        INSERT INTO delivery_attempts (delivery_id, attempt, began_at, took_ms, outcome)
            SELECT id, 1, now(), 5, 'sent' FROM deliveries;""",
    "0008": """
        INSERT INTO warnings VALUES ('6f1c9b52-6a0e-5f0e-9d57-3a0b8c1f4e23', 1, 'V05', 0, 1, 2, '甲', '652301', '', 87,
                                     44, '{}', 1, 1);""",
    "0010": "INSERT INTO closings VALUES ('2026-03-02', 1, 'x', 1);",
}
"""Rows for the tables that each version brings."""


def picture(url: str) -> dict[str, list[tuple[Any, ...]]]:
    return {name: rows(url, query) for name, query in PICTURE.items()}


Columns = dict[str, list[str]]


def columns(url: str) -> Columns:
    """Columns of every table, but for that of the version."""
    found: Columns = {}
    for table, column in rows(url, "SELECT relname, attname FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid "
                                   "WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') "
                                   "AND relname <> 'alembic_version' AND attnum > 0 AND NOT attisdropped "
                                   "ORDER BY relname, attnum"):  # fmt: skip
        found.setdefault(table, []).append(column)
    return found


def held(url: str, of: Columns) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, in the columns that are asked for."""
    return {
        table: rows(url, f"SELECT ROW({', '.join(names)})::text FROM {table} ORDER BY 1") for table, names in of.items()
    }


def seed(url: str, upto: str) -> None:
    with connect(url) as connection:
        for version in versions():
            if version <= upto:
                connection.execute(SEEDS.get(version, "").encode())


@pytest.mark.parametrize("version", versions())
def test_every_earlier_version_becomes_the_newest_and_keeps_its_rows(
    empty_url: str, servers: Servers, server_kind: str, version: str
) -> None:
    later = versions()[versions().index(version) + 1 :]
    assert migrate(empty_url, version) == versions()[: -len(later) or None]
    seed(empty_url, version)
    of = columns(empty_url)
    before = held(empty_url, of)
    assert all(before.values()), "a table without a row proves nothing"
    assert migrate(empty_url) == later
    assert held(empty_url, of) == before
    with servers.database(server_kind, template=servers.migrated(server_kind)) as fresh:
        assert picture(empty_url) == picture(fresh)
    of = columns(empty_url)
    after = held(empty_url, of)
    assert migrate(empty_url) == []
    assert held(empty_url, of) == after


def test_versions_follow_one_another() -> None:
    assert versions() == sorted(set(versions()))
    assert set(SEEDS) <= set(versions())


def test_progress_tells_each_version(empty_url: str) -> None:
    told: list[str] = []
    migrate(empty_url, progress=told.append)
    assert told == versions()
    assert rows(empty_url, "SELECT version_num FROM alembic_version") == [(versions()[-1],)]


def test_two_at_once_wait_for_each_other(empty_url: str) -> None:
    ready = threading.Barrier(4)

    def one(_: int) -> list[str]:
        ready.wait()
        return migrate(empty_url)

    with ThreadPoolExecutor(4) as pool:
        applied = list(pool.map(one, range(4)))
    assert sorted(applied) == [[], [], [], versions()]


def test_killed_in_the_middle_leaves_whole_versions(empty_url: str, servers: Servers, server_kind: str) -> None:
    """The session is cut inside the third version: the second stays, of the third nothing does."""
    migrate(empty_url, "0001")
    # whoever makes a table of this name waits until it is clear whether there is one
    with connect(empty_url, autocommit=False) as other:
        other.execute("CREATE TABLE outbox (x int)")
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(migrate, empty_url)
            cut(empty_url, lambda: not running.done())
            with pytest.raises(DatabaseError) as caught:
                running.result(30)
        other.rollback()
    assert caught.value.passing
    with connect(empty_url) as connection:
        assert version_of(connection) == "0002"
        assert connection.execute("SELECT to_regclass('registry_rows'), to_regclass('positions')").fetchall() == [
            ("registry_rows", None)
        ]
    assert migrate(empty_url) == versions()[2:]
    with servers.database(server_kind, template=servers.migrated(server_kind)) as fresh:
        assert picture(empty_url) == picture(fresh)


def cut(url: str, going_on: Callable[[], bool]) -> None:
    """End the session that waits for a lock."""
    with connect(url) as connection:
        while going_on():
            done = connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() "
                "AND wait_event_type = 'Lock' AND wait_event <> 'advisory'"
            ).fetchall()
            if done:
                return


def test_a_newer_database_is_refused_and_left_alone(database_url: str) -> None:
    with connect(database_url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        before = picture(database_url)
        for refuse in (lambda: migrate(database_url), lambda: check_version(connection)):
            with pytest.raises(DatabaseError, match=r"9999.* is newer than this program") as caught:
                refuse()
            assert not caught.value.passing
        assert version_of(connection) == "9999"
    assert picture(database_url) == before


@pytest.mark.parametrize("found", ["", versions()[0]])
def test_an_older_database_is_told_what_to_do(empty_url: str, found: str) -> None:
    if found:
        migrate(empty_url, found)
    with connect(empty_url) as connection, pytest.raises(DatabaseError, match="run  warnloop migrate") as caught:
        check_version(connection)
    assert not caught.value.passing


def test_fixes_are_a_hypertable_where_timescaledb_is(database_url: str, server_kind: str) -> None:
    found = rows(database_url, "SELECT count(*) FROM pg_extension WHERE extname = 'timescaledb'")
    assert found == [(int(server_kind == "timescale"),)]
    if server_kind == "timescale":
        dimensions = "SELECT hypertable_name, column_name, integer_interval FROM timescaledb_information.dimensions"
        assert rows(database_url, dimensions) == [("fixes", "logged_ms", 86_400_000)]


def test_every_version_has_its_file_in_the_package() -> None:
    """What `importlib.resources` finds is what the wheel holds (see `tests/test_house.py`)."""
    folder = files("ledger.migrations") / "versions"
    assert sorted(entry.name[:4] for entry in folder.iterdir() if entry.name.endswith(".sql")) == versions()
    queries = files("ledger") / "queries"
    for room in ("inner", "shown"):
        found = [entry for entry in (queries / room).iterdir() if entry.name.endswith(".sql")]
        assert found
        assert all(entry.read_text(encoding="utf-8").startswith("-- ") for entry in found), "each says what it is"
