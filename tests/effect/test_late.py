"""Papers handed in later: what they cover is withdrawn, once, and stays so; the rest stands."""

import json
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from dispatch.router import route
from ingest.log import POSITIONS, REGISTRY, NewFrame, partition_of
from ingest.registry import read_source
from ledger import registries
from ledger.database import connect
from ledger.tablelog import TableLog
from tests.effect.runs import STEPS, at, die, ended, fork, work
from tests.effect.scenario import picture
from tests.servers import Servers
from tests.streams import START_MS

PARTITIONS = 2
PLATES = ("测H00001", "测H00002")
AREA = [[87.29, 43.99], [87.31, 43.99], [87.31, 44.01], [87.29, 44.01], [87.29, 43.99]]
FENCES = {
    "type": "FeatureCollection",
    "features": [
        {"type": "Feature", "properties": {"id": "N1", "kind": "hazmat_no_go", "name": "城区"},
         "geometry": {"type": "Polygon", "coordinates": [AREA]}},
    ],
}  # fmt: skip
HOUR_S = 3_600
ENTERS_S, LEAVES_S = 8 * HOUR_S, 8 * HOUR_S + 600
"""When the vehicles are inside, from midnight on [s]."""


def moment(second: int) -> str:
    """A time of the first day, as a paper writes it."""
    return f"2026-03-02T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}+08:00"


def registry(folder: Path, permits: Sequence[tuple[str, ...]] = (), name: str = "甲公司") -> Path:
    """A registry of the two vehicles, one area, and passes: plate, permit, number, valid from, valid to."""
    folder.mkdir()
    vehicles = "".join(f"{plate},H,{name},652301\n" for plate in PLATES)
    (folder / "vehicles.csv").write_text("plate,class,company,county\n" + vehicles, encoding="utf-8")
    (folder / "fences.geojson").write_text(json.dumps(FENCES), encoding="utf-8")
    rows = "".join(",".join(row) + "\n" for row in permits)
    (folder / "permits.csv").write_text("plate,permit,number,valid_from,valid_to\n" + rows, encoding="utf-8")
    return folder


def fixes(first_s: int, last_s: int) -> list[NewFrame]:
    """Fixes every 10 s of both vehicles, who are inside between `ENTERS_S` and `LEAVES_S`; six a frame."""
    frames = []
    for plate in PLATES:
        lines = []
        for second in range(first_s, last_s, 10):
            inside = ENTERS_S <= second <= LEAVES_S
            fix = {"plate": plate, "time": START_MS + second * 1000, "lon": 87.3095 if inside else 87.3105, "lat": 44.0}
            lines.append(json.dumps(fix | {"speed_kmh": 3, "status": 3}).encode())
        for begin in range(0, len(lines), 6):
            content = b"\n".join(lines[begin : begin + 6])
            partition = partition_of(plate, 2, PARTITIONS)
            frames.append(NewFrame(partition, POSITIONS, START_MS + last_s * 1000, content))
    return frames


def turn(version: int) -> list[NewFrame]:
    return [NewFrame(partition, REGISTRY, START_MS, str(version).encode()) for partition in range(PARTITIONS)]


def load(url: str, folders: Sequence[Path], frames: Sequence[NewFrame]) -> None:
    TableLog.create(url, PARTITIONS)
    with connect(url) as connection:
        for folder in folders:
            registries.store(connection, read_source(folder), "test")
    log = TableLog(url)
    log.append(list(frames))
    log.close()


def stand(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """Plate to status, begin and end of its violations from midnight on [s]."""
    found: dict[str, list[tuple[Any, ...]]] = {plate: [] for plate in PLATES}
    with connect(url) as connection:
        for plate, status, begins_ms, ends_ms in connection.execute(
            "SELECT plate, status, begins_ms, ends_ms FROM violations JOIN vehicles ON vehicles.id = vehicle_id "
            "WHERE kind = 'V20' ORDER BY begins_ms, ends_ms"
        ):
            found[plate].append((status, (begins_ms - START_MS) // 1000, (ends_ms - START_MS) // 1000))
    return found


def reasons(url: str) -> list[tuple[str, str, int]]:
    with connect(url) as connection:
        return connection.execute(
            "SELECT fact, reason, registry_version FROM violation_revisions WHERE reason <> '' ORDER BY 2"
        ).fetchall()


WHOLE = (PLATES[0], "hazmat_pass", "通字1号", "2026-03-02", "2026-03-02")


def test_a_paper_that_covers_it_withdraws_it_and_only_it(database_url: str, tmp_path: Path) -> None:
    folders = [registry(tmp_path / "1"), registry(tmp_path / "2", [WHOLE])]
    load(database_url, folders, [*turn(1), *fixes(7 * HOUR_S, 9 * HOUR_S), *turn(2), *fixes(9 * HOUR_S, 10 * HOUR_S)])
    work(database_url)
    assert stand(database_url) == {
        PLATES[0]: [("withdrawn", ENTERS_S, LEAVES_S)],
        PLATES[1]: [("ended", ENTERS_S, LEAVES_S)],
    }
    ((fact, reason, version),) = reasons(database_url)
    assert (fact, version) == ("withdrawn", 2)
    assert reason == "补录许可 通字1号（登记第2版） handed in later: Permits 通字1号 (registry version 2)"
    with connect(database_url) as connection:
        while route(connection):
            pass
        events = connection.execute("SELECT event, count(*) FROM outbox WHERE violation_id IS NOT NULL GROUP BY 1")
        assert dict(events.fetchall()) == {"raised": 2, "ended": 2, "withdrawn": 1, "moved": 1}
        states = connection.execute(
            "SELECT state, words FROM cases JOIN case_moves USING (violation_id) WHERE move = 'withdraw'"
        )
        ((state, words),) = states.fetchall()
        assert state == "withdrawn"
        assert "通字1号" in words
        audited = connection.execute("SELECT actor, detail->>'reason' FROM audit WHERE action = 'violation.withdraw'")
        assert audited.fetchall() == [("detect", reason)]


@pytest.mark.parametrize(
    ("permits", "status"),
    [
        ([(PLATES[0], "hazmat_pass", "1", moment(ENTERS_S), moment(LEAVES_S + 1))], "withdrawn"),
        ([(PLATES[0], "hazmat_pass", "1", moment(ENTERS_S), moment(ENTERS_S + 300)),
          (PLATES[0], "hazmat_pass", "2", moment(ENTERS_S + 300), moment(LEAVES_S + 1))], "withdrawn"),
        ([(PLATES[0], "hazmat_pass", "1", moment(ENTERS_S + 120), moment(LEAVES_S + 1))], "ended"),
        ([(PLATES[0], "hazmat_pass", "1", moment(ENTERS_S), moment(LEAVES_S - 120))], "ended"),
        ([(PLATES[0], "relay", "1", "2026-03-02", "2026-03-02")], "ended"),
        ([(PLATES[1], "hazmat_pass", "1", "2026-03-02", "2026-03-02")], "ended"),
    ],
    ids=["all of it", "two that join", "but its begin", "but its end", "another sort", "another vehicle"],
)  # fmt: skip
def test_it_must_be_the_right_paper_for_all_of_it(
    database_url: str, tmp_path: Path, permits: list[tuple[str, ...]], status: str
) -> None:
    folders = [registry(tmp_path / "1"), registry(tmp_path / "2", permits)]
    load(database_url, folders, [*turn(1), *fixes(7 * HOUR_S, 9 * HOUR_S), *turn(2)])
    work(database_url)
    assert stand(database_url)[PLATES[0]] == [(status, ENTERS_S, LEAVES_S)]
    other = "withdrawn" if permits[0][0] == PLATES[1] else "ended"
    assert stand(database_url)[PLATES[1]] == [(other, ENTERS_S, LEAVES_S)]


def test_another_change_of_the_registry_withdraws_nothing(database_url: str, tmp_path: Path) -> None:
    folders = [registry(tmp_path / "1"), registry(tmp_path / "2", name="乙公司")]
    load(database_url, folders, [*turn(1), *fixes(7 * HOUR_S, 9 * HOUR_S), *turn(2)])
    work(database_url)
    assert stand(database_url) == {plate: [("ended", ENTERS_S, LEAVES_S)] for plate in PLATES}


def test_an_open_one_is_withdrawn_and_not_reopened(database_url: str, tmp_path: Path) -> None:
    """The pass comes while the vehicle is inside: what follows under it changes nothing."""
    now_s = ENTERS_S + 300
    folders = [registry(tmp_path / "1"), registry(tmp_path / "2", [WHOLE])]
    load(database_url, folders, [*turn(1), *fixes(7 * HOUR_S, now_s), *turn(2), *fixes(now_s, 9 * HOUR_S)])
    work(database_url)
    assert stand(database_url) == {
        PLATES[0]: [("withdrawn", ENTERS_S, now_s - 10)],
        PLATES[1]: [("ended", ENTERS_S, LEAVES_S)],
    }


@pytest.mark.parametrize("frames", [1, 500])
def test_what_goes_on_behind_the_paper_is_another_violation(database_url: str, tmp_path: Path, frames: int) -> None:
    """The pass covers what there is of it, and ends soon: the episode goes on, the violation stays withdrawn."""
    now_s = ENTERS_S + 300
    short = (PLATES[0], "hazmat_pass", "1", moment(ENTERS_S), moment(now_s + 20))
    folders = [registry(tmp_path / "1"), registry(tmp_path / "2", [short])]
    load(database_url, folders, [*turn(1), *fixes(7 * HOUR_S, now_s), *turn(2), *fixes(now_s, 9 * HOUR_S)])
    work(database_url, frames=frames)
    first, second = stand(database_url)[PLATES[0]]
    assert first == ("withdrawn", ENTERS_S, now_s - 10)
    assert second[0] == "ended"
    assert now_s - 10 <= second[1] <= now_s + 20
    assert second[2] == LEAVES_S
    assert stand(database_url)[PLATES[1]] == [("ended", ENTERS_S, LEAVES_S)]


@pytest.mark.parametrize("step", STEPS)
def test_kill_at_every_step(server_kind: str, servers: Servers, tmp_path: Path, step: str) -> None:
    now_s = ENTERS_S + 300
    short = (PLATES[1], "hazmat_pass", "1", moment(ENTERS_S), moment(now_s + 20))
    folders = [registry(tmp_path / "1"), registry(tmp_path / "2", [WHOLE, short])]
    frames = [*turn(1), *fixes(7 * HOUR_S, now_s), *turn(2), *fixes(now_s, 9 * HOUR_S)]
    with servers.database(server_kind, template=servers.migrated(server_kind)) as truth:
        load(truth, folders, frames)
        work(truth, frames=30)
        expected = picture(truth)
    with servers.database(server_kind, template=servers.migrated(server_kind)) as url:
        load(url, folders, frames)
        for count in (1, 2, 4, 9):
            assert ended(fork(url, at(step, count, die))) in (-signal.SIGKILL, 0)
        assert ended(fork(url)) == 0
        for table, held in picture(url).items():
            assert held == expected[table], table
    assert {row[0]["fact"] for row in expected["revisions"]} == {"raised", "ended", "withdrawn"}
