"""Children: real processes that end, refuse to, are started again, and die with their parent."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from api.children import MOST_STARTS, Child, Children, GivenUpError


def until(true: Callable[[], bool], within_s: float = 20.0) -> None:
    end = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def child(folder: Path, name: str = "simulate", *options: str) -> Child:
    """One that waits for a gateway that is not there."""
    options = options or ("--to", "http://127.0.0.1:9", "--vehicles", "1", "--data", str(folder))
    return Child(name, options, folder / f"{name}.log", {"WARNLOOP_KEY": "wl_secret"})


def test_one_that_is_killed_is_started_again_and_stopped_in_order(tmp_path: Path) -> None:
    told: list[str] = []
    children, one = Children(told.append), child(tmp_path)
    children.add(one)
    assert one.process is not None
    first = one.process.pid
    until(lambda: "out of reach" in one.last_words())
    os.kill(first, signal.SIGKILL)
    one.process.wait()
    before = one.last_words(100).count("out of reach")
    children.watch()
    assert one.is_alive
    assert one.process.pid != first
    assert "exit code -9" in told[0]
    children.watch()
    assert len(told) == 1
    until(lambda: one.last_words(100).count("out of reach") > before)
    children.stop()
    assert one.process.returncode == 0, "it ends in order"
    assert "wl_secret" not in one.last_words(1000)
    command = Path(f"/proc/{first}/cmdline")
    assert not command.exists()


def test_one_that_ends_again_and_again_is_given_up(tmp_path: Path) -> None:
    told: list[str] = []
    children, one = Children(told.append), child(tmp_path, "detect", "--no-such-option")
    children.add(one)

    def until_given_up() -> None:
        while True:
            assert one.process is not None
            one.process.wait()
            children.watch()

    with pytest.raises(GivenUpError, match=r"detect .*again and again(.|\n)*no-such-option"):
        until_given_up()
    assert len(told) == MOST_STARTS - 1
    children.stop()


def test_they_die_with_their_parent(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from tests.api.test_children import child; from api.children "
        "import Children; c = Children(print); one = child(Path(sys.argv[1])); c.add(one); "
        "print(one.process.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()
    until(lambda: not Path(f"/proc/{pid}").exists() or "Z" in Path(f"/proc/{pid}/stat").read_text().split()[2])
