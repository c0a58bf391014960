"""Closing: what came late revises, raises and withdraws, once; closed again, nothing changes."""

import json
import os
import signal
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from api.close import Closer, due
from ingest.log import POSITIONS, TICK, NewFrame
from ingest.registry import read_source
from ledger import closings, fixes, registries, violations
from ledger.database import connect
from ledger.tablelog import TableLog
from tests.effect.runs import ended, work
from tests.effect.scenario import picture
from tests.effect.test_late import FENCES, turn
from tests.servers import Servers
from tests.streams import START_MS

PLATE, PARTITIONS = "测H00001", 2
DAY = date(2026, 3, 2)
Fix = dict[str, Any]


def fix(second: int, **other: Any) -> Fix:
    """A fix of the day, so many seconds after its midnight, outside of the no-go area."""
    return {
        "plate": PLATE,
        "time": START_MS + second * 1000,
        "lon": 87.3105,
        "lat": 44.0,
        "speed_kmh": 3,
        "status": 3,
    } | other


def inside(second: int, **other: Any) -> Fix:
    return fix(second, lon=87.3095, **other)


def drive(first: int, last: int, step: int = 10) -> list[Fix]:
    return [fix(second) for second in range(first, last, step)]


def frame(fixes: list[Fix], partition: int = 0) -> NewFrame:
    content = b"\n".join(json.dumps(one).encode() for one in fixes)
    return NewFrame(partition, POSITIONS, START_MS + 86_400_000, content)


def load(url: str, folder: Path, frames: list[NewFrame]) -> None:
    folder.mkdir()
    (folder / "vehicles.csv").write_text(f"plate,class,company,county\n{PLATE},H,甲公司,652301\n", encoding="utf-8")
    (folder / "fences.geojson").write_text(json.dumps(FENCES), encoding="utf-8")
    TableLog.create(url, 1)
    with connect(url) as connection:
        registries.store(connection, read_source(folder), "test")
    log = TableLog(url)
    log.append([turn(1)[0], *frames])
    log.close()


def close(url: str, day: date = DAY) -> closings.Done:
    with connect(url) as connection:
        return Closer(connection).close(day)


def stand(url: str) -> list[tuple[Any, ...]]:
    """Kind, status, begin and end of the violations, from midnight on [s]."""
    with connect(url) as connection:
        rows = connection.execute(
            "SELECT kind, status, (begins_ms - %(at)s) / 1000, (ends_ms - %(at)s) / 1000 FROM violations ORDER BY 1, 3",
            {"at": START_MS},
        )
        return rows.fetchall()


def facts(url: str) -> list[tuple[str, str]]:
    with connect(url) as connection:
        return connection.execute(
            "SELECT fact, pass FROM violation_revisions ORDER BY violation_id, revision"
        ).fetchall()


def events(url: str) -> list[str]:
    with connect(url) as connection:
        rows = connection.execute("SELECT event FROM outbox ORDER BY violation_id, revision")
        return [event for (event,) in rows]


OUT, IN = 8 * 3600, 9 * 3600


def test_what_was_hidden_is_raised(database_url: str, tmp_path: Path) -> None:
    hidden = [inside(second, backfill=True) for second in range(IN, IN + 300, 10)]
    load(database_url, tmp_path / "r", [frame(drive(OUT, IN)), frame(drive(IN + 300, IN + 3600)), frame(hidden)])
    work(database_url)
    assert stand(database_url) == []
    assert close(database_url) == closings.Done(2, 0)
    assert stand(database_url) == [("V20", "ended", IN, IN + 290)]
    assert facts(database_url) == [("raised", "closed"), ("ended", "closed")]
    assert events(database_url) == ["raised", "ended"]


def test_what_does_not_hold_is_withdrawn(database_url: str, tmp_path: Path) -> None:
    """Two fixes inside, half a minute apart, count as inside between them; the fixes that came late say otherwise."""
    late = [fix(second, backfill=True) for second in range(IN + 2, IN + 30, 4)]
    seen = [inside(IN), inside(IN + 30)]
    load(database_url, tmp_path / "r", [frame([*drive(OUT, IN), *seen]), frame(drive(IN + 60, IN + 600)), frame(late)])
    work(database_url)
    assert stand(database_url) == [("V20", "ended", IN, IN + 30)]
    assert close(database_url) == closings.Done(1, 1)
    assert stand(database_url) == [("V20", "withdrawn", IN, IN + 30)]
    assert facts(database_url)[-1] == ("withdrawn", "closed")
    assert events(database_url)[-1] == "withdrawn"
    with connect(database_url) as connection:
        ((reason,),) = connection.execute("SELECT reason FROM violation_revisions WHERE reason <> ''").fetchall()
        audited = connection.execute("SELECT action, actor FROM audit WHERE actor = 'close' ORDER BY 1").fetchall()
    assert reason == closings.REASON
    assert audited == [("day.close", "close"), ("violation.withdraw", "close")]


def test_what_was_longer_is_revised_and_what_stands_is_left(database_url: str, tmp_path: Path) -> None:
    seen = [inside(second) for second in range(IN, IN + 120, 10)]
    late = [inside(second, backfill=True) for second in range(IN + 120, IN + 180, 10)]
    frames = [frame([*drive(OUT, IN), *seen]), frame(drive(IN + 180, IN + 600)), frame(late)]
    load(database_url, tmp_path / "r", frames)
    work(database_url)
    assert stand(database_url) == [("V20", "ended", IN, IN + 110)]
    assert close(database_url) == closings.Done(1, 0)
    assert stand(database_url) == [("V20", "ended", IN, IN + 170)]
    assert facts(database_url) == [("raised", "online"), ("ended", "online"), ("revised", "closed")]


def test_late_fixes_that_tell_nothing_new_change_nothing(database_url: str, tmp_path: Path) -> None:
    seen = [inside(second) for second in range(IN, IN + 120, 10)]
    late = [fix(IN - 5, backfill=True), fix(IN + 305, backfill=True)]
    load(database_url, tmp_path / "r", [frame([*drive(OUT, IN), *seen, *drive(IN + 120, IN + 600)]), frame(late)])
    work(database_url)
    before = facts(database_url), stand(database_url), events(database_url)
    assert close(database_url) == closings.Done(0, 0)
    assert (facts(database_url), stand(database_url), events(database_url)) == before


def test_silence_that_was_a_blind_area_is_withdrawn(database_url: str, tmp_path: Path) -> None:
    """V11: off line at speed, by ticks; the terminal sends later what it recorded meanwhile."""
    moving = [fix(OUT + at, lon=87.0 + at / 6000, speed_kmh=50) for at in range(0, 600, 10)]
    blind = [fix(OUT + at, lon=87.0 + at / 6000, speed_kmh=50, backfill=True) for at in range(600, 3600, 10)]
    after = [fix(OUT + at, lon=87.0 + at / 6000, speed_kmh=50) for at in range(3600, 3900, 10)]
    ticks = [NewFrame(0, TICK, 0, str(START_MS + (OUT + at) * 1000).encode()) for at in range(600, 3600, 60)]
    load(database_url, tmp_path / "r", [frame(moving), *ticks, frame(after), frame(blind)])
    work(database_url)
    assert [row[:2] for row in stand(database_url) if row[0] == "V11"] == [("V11", "ended")]
    assert close(database_url).withdrawn >= 1
    assert [row[:2] for row in stand(database_url) if row[0] == "V11"] == [("V11", "withdrawn")]


def test_two_that_turn_out_to_be_one_are_merged(database_url: str, tmp_path: Path) -> None:
    seen = [*range(IN, IN + 120, 10), *range(IN + 720, IN + 840, 10)]
    late = [inside(second, backfill=True) for second in range(IN + 120, IN + 720, 10)]
    first = [*drive(OUT, IN), *[inside(second) for second in seen], *drive(IN + 840, IN + 1500)]
    load(database_url, tmp_path / "r", [frame(first), frame(late)])
    work(database_url)
    assert [row[:2] for row in stand(database_url)] == [("V20", "ended"), ("V20", "ended")]
    assert close(database_url) == closings.Done(2, 1)
    assert stand(database_url) == [("V20", "ended", IN, IN + 830), ("V20", "withdrawn", IN + 720, IN + 830)]
    with connect(database_url) as connection:
        reasons = connection.execute("SELECT reason FROM violation_revisions WHERE reason <> ''").fetchall()
    assert reasons == [(closings.MERGED,)]


def test_what_is_decided_is_not_withdrawn(database_url: str, tmp_path: Path) -> None:
    """Its case is closed: the audit says what the closing found."""
    late = [fix(second, backfill=True) for second in range(IN + 2, IN + 30, 4)]
    seen = [inside(IN), inside(IN + 30)]
    load(database_url, tmp_path / "r", [frame([*drive(OUT, IN), *seen]), frame(drive(IN + 60, IN + 600)), frame(late)])
    work(database_url)
    with connect(database_url) as connection:
        connection.execute("INSERT INTO cases (violation_id, state, moves) SELECT id, 'closed', 6 FROM violations")
    assert close(database_url) == closings.Done(0, 0)
    assert stand(database_url) == [("V20", "ended", IN, IN + 30)]
    with connect(database_url) as connection:
        audited = connection.execute("SELECT action FROM audit WHERE actor = 'close' ORDER BY 1").fetchall()
    assert audited == [("day.close",), ("violation.keep",)]


def test_what_is_raised_while_it_judges_stands(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that is behind goes on with the day between the closing's reading and its effect."""
    hidden = [fix(second, backfill=True) for second in range(OUT + 605, OUT + 645, 10)]
    load(database_url, tmp_path / "r", [frame(drive(OUT, OUT + 900)), frame(hidden)])
    work(database_url)
    read = fixes.heard

    def then_work(*asked: Any) -> Any:
        found = read(*asked)
        log, seen = TableLog(database_url), [inside(second) for second in range(IN, IN + 120, 10)]
        log.append([frame([*drive(OUT + 900, IN), *seen, *drive(IN + 120, IN + 600)])])
        log.close()
        work(database_url)
        return found

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(fixes, "heard", then_work)
        assert close(database_url) == closings.Done(0, 0)
    assert stand(database_url) == [("V20", "ended", IN, IN + 110)]
    assert close(database_url) == closings.Done(0, 0)
    assert stand(database_url) == [("V20", "ended", IN, IN + 110)]


def test_a_displacement_is_confirmed(database_url: str, tmp_path: Path) -> None:
    """V12: what came late leaves the hole open; the violation is not provisional any more."""
    after = [fix(OUT + 3_000 + at, lon=87.6105 + at / 6000) for at in range(0, 600, 10)]
    late = [fix(OUT + 305, backfill=True)]
    load(database_url, tmp_path / "r", [frame(drive(OUT, OUT + 600)), frame(after), frame(late)])
    work(database_url)

    def provisional() -> list[tuple[Any, ...]]:
        with connect(database_url) as connection:
            rows = connection.execute("SELECT status, measures->'provisional' FROM violations WHERE kind = 'V12'")
            return rows.fetchall()

    assert provisional() == [("ended", True)]
    close(database_url)
    assert [one[-1] for one in provisional() if one[0] != "withdrawn"] == [False]


def planted() -> list[NewFrame]:
    seen = [inside(second) for second in range(IN, IN + 120, 10)]
    late = [inside(second, backfill=True) for second in range(IN + 120, IN + 180, 10)]
    hidden = [inside(second, backfill=True) for second in range(IN + 7200, IN + 7500, 10)]
    gone = [fix(second, backfill=True) for second in range(IN + 3602, IN + 3630, 4)]
    first = [*drive(OUT, IN), *seen, *drive(IN + 180, IN + 3600), inside(IN + 3600), inside(IN + 3630)]
    return [frame([*first, *drive(IN + 3660, IN + 7200), *drive(IN + 7500, IN + 9000)]), frame([*late, *hidden, *gone])]


def test_closed_twice_all_tables_are_equal(database_url: str, tmp_path: Path) -> None:
    load(database_url, tmp_path / "r", planted())
    work(database_url)
    assert close(database_url) == closings.Done(4, 1)
    once = picture(database_url)
    assert close(database_url) == closings.Done(0, 0)
    assert picture(database_url) == once
    with connect(database_url) as connection:
        connection.execute("UPDATE closings SET digest = 'changed'")  # as if it had been judged by other fixes
        connection.commit()
    assert close(database_url) == closings.Done(0, 0)
    assert picture(database_url) == once


def _die_after(name: str, url: str) -> None:
    """Close the day in this process, which dies as soon as a step is done, before anything is committed."""
    real = getattr(violations, name)

    def then_die(*args: Any, **more: Any) -> None:
        real(*args, **more)
        os.kill(os.getpid(), signal.SIGKILL)

    try:
        setattr(violations, name, then_die)
        close(url)
    finally:
        os._exit(1)


def test_killed_at_any_moment_it_has_its_effect_once(server_kind: str, servers: Servers, tmp_path: Path) -> None:
    with servers.database(server_kind, template=servers.migrated(server_kind)) as truth:
        load(truth, tmp_path / "truth", planted())
        work(truth)
        close(truth)
        expected = picture(truth)
    for number, name in enumerate(("settle", "withdraw")):
        with servers.database(server_kind, template=servers.migrated(server_kind)) as url:
            load(url, tmp_path / f"{number}", planted())
            work(url)

            if not (pid := os.fork()):
                _die_after(name, url)
            assert ended(pid) == -signal.SIGKILL
            assert close(url) == closings.Done(4, 1)
            assert picture(url) == expected


def test_which_days_are_due(database_url: str, tmp_path: Path) -> None:
    load(database_url, tmp_path / "r", planted())
    work(database_url)
    with connect(database_url) as connection:
        for day, hour, found in ((2, 15, []), (2, 16, [DAY]), (9, 12, [DAY]), (11, 12, [])):
            assert due(connection, datetime(2026, 3, day, hour, tzinfo=UTC)) == found, day
