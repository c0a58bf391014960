"""warnloop account and warnloop serve as commands."""

import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from ingest.registry import read_source
from ledger import registries
from ledger.database import connect
from tests.api.world import API, RIGHT


def command(url: str, *arguments: str, typed: str = "") -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "api.cli", *arguments, "--database", url],
        input=typed,
        capture_output=True,
        text=True,
        check=False,
    )


def test_accounts_are_made_listed_changed_and_disabled(database_url: str, tmp_path: Path) -> None:
    county = ("account", "add", "li", "--role", "county", "--tenant", "652301", "--password-file", "-")
    unknown = command(database_url, *county, typed=f"{RIGHT}\n")
    assert (unknown.returncode, "the registry knows no county 652301" in unknown.stderr) == (1, True)
    (tmp_path / "vehicles.csv").write_text("plate,class,company,county\n测A0001,L,652301-L001,652301\n")
    with connect(database_url) as connection:
        registries.store(connection, read_source(tmp_path), "test")
    file = tmp_path / "password"
    file.write_text(f"{RIGHT}\n")
    made = command(database_url, "account", "add", "zhang", "--password-file", str(file))
    assert made.returncode == 0, made.stderr
    assert command(database_url, *county, typed=f"{RIGHT}\n").returncode == 0
    again = command(database_url, *county, typed=f"{RIGHT}\n")
    assert (again.returncode, again.stderr.strip()) == (1, "账号已存在 there is an account li already")
    assert (
        command(database_url, "account", "password", "li", "--password-file", "-", typed="another one\n").returncode
        == 0
    )
    assert command(database_url, "account", "disable", "li").returncode == 0
    last = command(database_url, "account", "disable", "zhang")
    assert (last.returncode, "last" in last.stderr) == (1, True)
    listed = command(database_url, "account", "list").stdout.splitlines()
    assert [line.split("\t")[:3] for line in listed] == [["li", "county", "652301"], ["zhang", "centre", ""]]
    assert ["disabled" in line for line in listed] == [True, False]
    assert RIGHT not in "".join(listed)


@pytest.mark.parametrize(
    "arguments",
    [("--role", "king"), ("--role", "county"), ("--role", "centre", "--tenant", "652301")],
)
def test_an_account_of_nobody(arguments: tuple[str, ...]) -> None:
    refused = command("postgresql://nowhere/none", "account", "add", "x", *arguments, "--password-file", "-", typed="x")
    assert refused.returncode == 2
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_stops_in_order(database_url: str, number: signal.Signals) -> None:
    """With a stream open it ends within a moment, with success."""
    command(database_url, "account", "add", "zhang", "--password-file", "-", typed=f"{RIGHT}\n")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    arguments = [sys.executable, "-m", "api.cli", "serve", "--port", str(port), "--database", database_url]
    with subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True) as process:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10) as client:
            until = time.monotonic() + 30
            while True:
                try:
                    if client.get("/healthz").status_code == 200:
                        break
                except httpx.TransportError:
                    assert process.poll() is None
                    assert time.monotonic() < until
            assert client.post(f"{API}/session", json={"login": "zhang", "password": RIGHT}).status_code == 200
            with client.stream("GET", f"{API}/stream") as stream:
                lines = stream.iter_lines()
                assert next(lines) == "retry: 2000"
                process.send_signal(number)
                began = time.monotonic()
                list(lines)
        assert process.wait(15) == 0
        assert time.monotonic() - began < 10
        assert process.stderr is not None
        assert not re.search("Traceback|ERROR", process.stderr.read())


def test_a_port_that_is_taken(database_url: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        refused = command(database_url, "serve", "--port", str(taken.getsockname()[1]))
    assert refused.returncode == 1
    assert "Address already in use" in refused.stderr
    assert "Traceback" not in refused.stderr
