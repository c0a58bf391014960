"""Picture: all that workers leave behind for others to see, so that two runs can be laid side by side."""

from collections import Counter
from typing import Any, LiteralString

import psycopg

_FIXES: LiteralString = """
SELECT log_partition, log_offset, log_row, plate, plate_color, logged_ms, time_ms, received_ms,
       array_to_string(ARRAY[lon, lat, speed_kmh, heading_deg, altitude_m, recorder_speed_kmh, mileage_km], ' '),
       alarm, status, driver, verdict, backfill
FROM fixes JOIN vehicles ON vehicles.id = vehicle_id ORDER BY 1, 2, 3, logged_ms
"""
_VIOLATION: LiteralString = (
    "violations.id::text, plate, plate_color, kind, begins_ms, raised_ms, ends_ms, severity, lead, status"
)
_TABLES: dict[str, LiteralString] = {
    "positions": "SELECT * FROM positions ORDER BY partition",
    "quarantine": "SELECT * FROM quarantine ORDER BY log_partition, log_offset, log_row",
    "violations": "SELECT "
    + _VIOLATION
    + """, company, county, place_county, lon, lat, measures::text, rule_version,
       violations.registry_version, revision
FROM violations JOIN vehicles ON vehicles.id = vehicle_id ORDER BY 1
""",
    "episodes": """
SELECT plate, plate_color, kind, pass, begins_ms, violation_id::text
FROM violation_episodes JOIN vehicles ON vehicles.id = vehicle_id ORDER BY 1, 2, 3, 4, 5
""",
    "revisions": """
SELECT violation_id::text, revision, fact, pass, reason, begins_ms, raised_ms, ends_ms, severity, lead, measures::text,
       rule_version, registry_version
FROM violation_revisions ORDER BY 1, 2
""",
    "outbox": "SELECT violation_id::text, revision, event, id::text FROM outbox ORDER BY 1, 2, 3",
    "told in order": """
SELECT violation_id::text, array_agg(revision ORDER BY number) FROM outbox GROUP BY 1 ORDER BY 1
""",
    "drivers": "SELECT * FROM drivers ORDER BY code",
    "fixes": _FIXES,
}

Picture = dict[str, list[tuple[Any, ...]]]


def picture(url: str) -> Picture:
    """The picture of a database; numbers of vehicles, clocks and the order of the outbox among violations left out."""
    with psycopg.connect(url) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        return {name: connection.execute(table).fetchall() for name, table in _TABLES.items()}


def differences(found: Picture, expected: Picture, most: int = 3) -> str:
    """What stands in one only, a few rows of each table; empty where the two are the same."""
    lines = []
    for name, rows in expected.items():
        if found[name] == rows:
            continue
        own, other = Counter(map(repr, found[name])), Counter(map(repr, rows))
        more, fewer = list(own - other), list(other - own)
        lines.append(f"{name}: {len(found[name])} rows, not {len(rows)}; too many {len(more)}, missing {len(fewer)}")
        lines += [f"  + {row}" for row in more[:most]] + [f"  - {row}" for row in fewer[:most]]
    return "\n".join(lines)


def is_drained(url: str) -> bool:
    """Whether every frame of the log has had its effect."""
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "SELECT bool_and(coalesce(positions.next_offset, 0) = log_partitions.next_offset) "
            "FROM log_partitions LEFT JOIN positions USING (partition)"
        ).fetchone()
    return row == (True,)
