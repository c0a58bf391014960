"""The fleet that drives now: it sends what is due, each line once, and goes on where it was."""

import json
import threading
import time
from pathlib import Path

import pytest

from api import simulate
from api.simulate import WINDOW_MS, Fleet, Place, Simulation, SimulationError, due
from ledger.database import connect
from tests.api.posting import Running


def received(line: bytes) -> int:
    return int(json.loads(line)["received"])


def test_what_is_due(tmp_path: Path) -> None:
    path = tmp_path / "positions.ndjson"
    lines = [b'{"received":%d,"plate":"x"}\n' % moment for moment in (5, 6, 6, 9)]
    path.write_bytes(b"".join(lines))
    assert due(path, 0, 4) == b""
    assert due(path, 0, 6) == b"".join(lines[:3])
    assert due(path, len(lines[0]), 6, most=1) == lines[1], "at least one line, however little is asked for"
    assert due(path, sum(map(len, lines)), 99) == b""


def test_each_line_once_across_a_stop(running: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulate, "BODY_BYTES", 4_000)
    fleet = Fleet(tmp_path, vehicles=20, seed=1)
    begin_ms = fleet.place.begin_ms
    assert begin_ms % 86_400_000 == 16 * 3_600_000, "a Beijing midnight"
    path = fleet.positions(fleet.place)
    for _ in range(3):  # it is stopped in the middle, twice, and started anew
        simulation = Simulation(Fleet(tmp_path, 20, 1), f"http://127.0.0.1:{running.port}", running.key)
        before, caught_up = fleet.place.sent, threading.Event()
        thread = threading.Thread(target=simulation.run, args=(lambda _, e=caught_up: e.set(),))
        thread.start()
        while fleet.place.sent - before < 40_000 and not caught_up.is_set():
            time.sleep(0.01)
        simulation.stop.set()
        thread.join()
    assert fleet.place.begin_ms == begin_ms, "it is still in its first day"
    sent = path.read_bytes()[: fleet.place.sent]
    with connect(running.url) as connection:
        frames = connection.execute("SELECT content FROM log_frames").fetchall()
    held = [line for (content,) in frames for line in bytes(content).split(b"\n")]
    assert sorted(held) == sorted(sent.splitlines())
    assert len(held) == len(set(held)) > 100


def test_a_window_follows_another(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path, vehicles=2, seed=1)
    first = fleet.place
    registry = (fleet.registry / "vehicles.csv").read_bytes()
    end = received(fleet.positions(first).read_bytes().splitlines()[-1])
    then = fleet.move(Place(first.begin_ms + WINDOW_MS))
    assert (fleet.registry / "vehicles.csv").read_bytes() == registry, "the fleet stays the same"
    assert received(fleet.positions(then).read_bytes().split(b"\n", 1)[0]) >= then.begin_ms > end - 60_000
    assert len(list(tmp_path.glob("window-*"))) == 1


def test_a_gateway_that_refuses(running: Running, tmp_path: Path) -> None:
    simulation = Simulation(Fleet(tmp_path, 1, 1), f"http://127.0.0.1:{running.port}", "wl_forged")
    with pytest.raises(SimulationError, match="401"):
        simulation.run(lambda _: None)
    assert running.lines() == 0
