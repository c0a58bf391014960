"""The command line, as it is installed: in a process of its own, by its name."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from detectors.catalogue import CATALOGUE

WARNLOOP = Path(sys.executable).with_name("warnloop")


def warnloop(*arguments: object, data: bytes | None = None) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([WARNLOOP, *map(str, arguments)], input=data, capture_output=True, check=False, timeout=120)
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("cli") / "demo"
    made = warnloop("fleet", "--vehicles", 40, "--hours", 3, "--seed", 7, "--out", out)
    assert made.returncode == 0, made.stderr
    assert "已埋违规 planted" in made.stderr
    return out


def test_replay_writes_episodes_and_tells_what_it_refused(demo: Path, tmp_path: Path) -> None:
    out = tmp_path / "episodes.ndjson"
    done = warnloop("replay", demo / "positions.ndjson", "--registry", demo / "registry", "--out", out)
    assert (done.returncode, done.stdout) == (0, "")
    assert "采信 accepted" in done.stderr
    assert "unconfirmed" in done.stderr
    episodes = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert f"违规事件 episodes {len(episodes)}" in done.stderr
    assert episodes
    needed = {
        "kind",
        "plate",
        "plate_color",
        "begins_ms",
        "raised_ms",
        "ends_ms",
        "severity",
        "lead",
        "company",
        "county",
    }
    assert all(needed <= set(episode) for episode in episodes)
    keys = [(e["plate"], e["plate_color"], e["kind"], e["begins_ms"]) for e in episodes]
    assert keys == sorted(keys)
    assert all(episode["place_county"] for episode in episodes)


def test_the_same_bytes_from_a_file_a_pipe_gzip_and_csv(demo: Path, tmp_path: Path) -> None:
    data = (demo / "positions.ndjson").read_bytes()
    packed = tmp_path / "positions.ndjson.gz"
    packed.write_bytes(gzip.compress(data))
    fixes = [json.loads(line) for line in data.splitlines()]
    names = list(dict.fromkeys(name for fix in fixes for name in fix))
    table = tmp_path / "positions.csv"
    cells = ([("" if fix.get(name) is None else str(fix[name])) for name in names] for fix in fixes)
    table.write_text("\n".join(",".join(row) for row in ([names, *cells])), encoding="utf-8")
    registry = ("--registry", demo / "registry")
    expected = warnloop("replay", demo / "positions.ndjson", *registry).stdout
    assert expected
    assert warnloop("replay", packed, *registry).stdout == expected
    assert warnloop("replay", "-", *registry, data=data).stdout == expected
    assert warnloop("replay", "-", *registry, data=packed.read_bytes()).stdout == expected
    assert warnloop("replay", table, *registry).stdout == expected


def test_rubbish_is_counted_and_the_exit_is_clean(demo: Path) -> None:
    good = (demo / "positions.ndjson").read_bytes().splitlines()[:50]
    rubbish = [b"{", b"\x00\xff\xfe", '{"plate":"测"}'.encode("gb18030"), b'{"plate":"P","lon":NaN}', b"x" * 3_000_000]
    done = warnloop("replay", "-", "--registry", demo / "registry", data=b"\n".join([*good[:25], *rubbish, *good[25:]]))
    assert done.returncode == 0
    assert "read 51 条" in done.stderr
    for reason, line in (("malformed", 26), ("encoding", 27), ("encoding", 28), ("unqualified", 29), ("oversize", 30)):
        assert f"line {line}: {reason}: " in done.stderr


@pytest.mark.parametrize("data", [b"", b"\n", b"\x1f\x8b", bytes(range(256)) * 50])
def test_an_input_without_a_fix(demo: Path, data: bytes) -> None:
    done = warnloop("replay", "-", "--registry", demo / "registry", data=data)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert "违规事件 episodes 0" in done.stderr


def test_unknown_vehicles_are_counted_and_raise_nothing(demo: Path, tmp_path: Path) -> None:
    (tmp_path / "vehicles.csv").write_text("plate,class\n", encoding="utf-8")
    done = warnloop("replay", demo / "positions.ndjson", "--registry", tmp_path)
    assert (done.returncode, done.stdout) == (0, "")
    assert "unknown_vehicle" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["replay", "nowhere.ndjson", "--registry", "{demo}/registry"], "cannot read nowhere.ndjson"),
        (["replay", "-", "--registry", "{demo}"], "vehicles.csv"),
        (["replay", "-", "--registry", "{demo}/registry", "--profile", "nobody"], "shipped are"),
        (["replay", "-", "--registry", "{demo}/registry", "--out", "{demo}/no/such/folder"], "cannot write"),
        (["replay", "-"], "--registry"),
        (["fleet", "--vehicles", "0", "--hours", "1", "--out", "{demo}/x"], "--vehicles"),
        (["fleet", "--vehicles", "9", "--hours", "1", "--out", "{demo}/x", "--start", "soon"], "--start"),
        (["fleet", "--vehicles", "9", "--hours", "1", "--out", "{demo}/labels.ndjson/x"], "cannot write"),
        (["kinds", "V99"], "there are V01"),
        (["rectify"], "No such command"),
    ],
)
def test_a_wrong_call_says_what_is_wrong(demo: Path, arguments: list[str], complaint: str) -> None:
    done = warnloop(*(argument.format(demo=demo) for argument in arguments), data=b"")
    assert done.returncode == 2
    assert complaint in " ".join(done.stderr.replace("│", " ").split())
    assert "Traceback" not in done.stderr


def test_a_broken_run_leaves_no_file_behind(demo: Path, tmp_path: Path) -> None:
    (tmp_path / "parameters.csv").write_text("group,name,value\nV01,points,x\n", encoding="utf-8")
    (tmp_path / "vehicles.csv").write_text("plate,class\n", encoding="utf-8")
    done = warnloop("replay", demo / "positions.ndjson", "--registry", tmp_path, "--out", tmp_path / "out.ndjson")
    assert done.returncode == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["parameters.csv", "vehicles.csv"]


def test_a_reader_that_has_seen_enough(demo: Path) -> None:
    command = f"{WARNLOOP} replay {demo}/positions.ndjson --registry {demo}/registry | head -n 1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, check=False, timeout=120)
    assert json.loads(done.stdout)
    assert b"Traceback" not in done.stderr


def test_kinds_in_both_languages_and_for_programs() -> None:
    listed = warnloop("kinds")
    assert listed.returncode == 0
    for kind in CATALOGUE.values():
        for text in (kind.code, kind.zh, kind.en, kind.clause, *(f"{k} {v}" for k, v in kind.limits.items())):
            assert text in listed.stdout
    records = [json.loads(line) for line in warnloop("kinds", "--json").stdout.splitlines()]
    assert [record["code"] for record in records] == list(CATALOGUE)
    one = warnloop("kinds", "v05").stdout
    assert "four hours and a minute" in one
    assert "More than 4 h of driving" in one


def test_help_teaches() -> None:
    for command in ([], ["replay"], ["fleet"], ["kinds"]):
        told = warnloop(*command, "--help")
        assert told.returncode == 0
        assert "warnloop" in told.stdout
    assert "Usage" in warnloop().stdout + warnloop().stderr


def test_what_out_may_be(demo: Path, tmp_path: Path) -> None:
    call = ("replay", demo / "positions.ndjson", "--registry", demo / "registry", "--out")
    expected = warnloop(*call[:-1]).stdout
    real, link, fifo = tmp_path / "real.ndjson", tmp_path / "link.ndjson", tmp_path / "fifo"
    link.symlink_to(real)
    assert warnloop(*call, link).returncode == 0
    assert link.is_symlink()
    assert real.read_text(encoding="utf-8") == expected
    os.mkfifo(fifo)
    reader = subprocess.Popen(["cat", fifo], stdout=subprocess.PIPE)
    assert warnloop(*call, fifo).returncode == 0
    assert reader.communicate(timeout=60)[0].decode() == expected
    assert fifo.is_fifo()
    for bad, complaint in ((tmp_path, "is a folder"), ("", "is a folder"), (demo / "positions.ndjson", "is the input")):
        done = warnloop(*call, bad)
        assert (done.returncode, complaint in " ".join(done.stderr.replace("│", " ").split())) == (2, True), done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fifo", "link.ndjson", "real.ndjson"]


def test_a_named_pipe_and_a_full_device(demo: Path) -> None:
    replay = f"{WARNLOOP} replay <(cat {demo}/positions.ndjson) --registry {demo}/registry"
    piped = subprocess.run(["bash", "-c", replay], capture_output=True, check=False, timeout=120)
    assert piped.returncode == 0, piped.stderr
    assert (
        piped.stdout.decode() == warnloop("replay", demo / "positions.ndjson", "--registry", demo / "registry").stdout
    )
    full = subprocess.run(["bash", "-c", f"{replay} > /dev/full"], capture_output=True, check=False, timeout=120)
    assert full.returncode == 1
    assert "No space left" in full.stderr.decode()
    assert "Traceback" not in full.stderr.decode()


def test_a_terminal_without_chinese() -> None:
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    for arguments in (["--help"], ["kinds"], ["replay", "--help"]):
        done = subprocess.run([WARNLOOP, *arguments], capture_output=True, check=False, env=environment, timeout=60)
        assert (done.returncode, b"Traceback" in done.stderr) == (0, False)
