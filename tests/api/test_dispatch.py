"""Dispatch as a command: it delivers, stops in order, waits for its database, and refuses settings it cannot use."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

import psycopg
import pytest

from api.dispatch import Dispatch, Job, borne
from api.settings import SettingsError
from api.wiring import channel_settings
from ledger.database import DatabaseError, connect
from tests.dispatch.made import receiver, status, until
from tests.dispatch.scene import change, dispatching, happen, settings, subscribe, waiting


@contextmanager
def command(url: str, *words: str, **environment: str) -> Iterator["subprocess.Popen[str]"]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("WARNLOOP_")}
    with subprocess.Popen(
        [sys.executable, "-m", "api.cli", "dispatch", "--database", url, *words], env={**clean, **environment},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.kill()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_it_delivers_measures_and_ends_in_order(database_url: str) -> None:
    port = free_port()
    with receiver() as here:
        subscribe(database_url, here.url)
        happen(database_url, 3)
        words = ("--metrics-port", str(port))
        with command(database_url, *words, WARNLOOP_WEBHOOK_ALLOW="127.0.0.0/8, ::1/128") as process:
            until(lambda: not waiting(database_url) and len(here.got) == 3)
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
                text = answer.read().decode()
            assert 'warnloop_deliveries_total{channel="webhook",outcome="sent"} 3.0' in text
            assert "warnloop_outbox_unrouted" in text
            process.send_signal(signal.SIGTERM)
            _, told = process.communicate(timeout=30)
        assert process.returncode == 0
        assert "推送 deliveries attempted 3: sent 3" in told


def test_without_permission_nothing_goes_to_this_machine(database_url: str) -> None:
    with receiver() as here:
        subscribe(database_url, here.url)
        happen(database_url)
        with command(database_url), connect(database_url) as connection:
            until(lambda: connection.execute("SELECT FROM delivery_attempts").rowcount == 1)
            row = connection.execute("SELECT outcome, detail FROM delivery_attempts").fetchone()
    assert row is not None
    assert row[0] == "later"
    assert "not of the public internet" in row[1]
    assert here.got == []


def test_a_second_signal_ends_it_at_once(database_url: str) -> None:
    def hang(_: BaseHTTPRequestHandler) -> None:
        time.sleep(8)

    with receiver(hang) as here:
        subscribe(database_url, here.url)
        happen(database_url)
        with command(database_url, WARNLOOP_WEBHOOK_ALLOW="127.0.0.1/32") as process:
            until(lambda: here.got)
            process.send_signal(signal.SIGINT)
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(1)
            began = time.monotonic()
            process.send_signal(signal.SIGINT)
            assert process.wait(5) == 130
            assert time.monotonic() - began < 3
    assert waiting(database_url) == 1, "its lease brings it back"


def test_no_database() -> None:
    with command("postgresql://warnloop:geheim@127.0.0.1:9/warnloop", "--patience-s", "0") as process:
        _, told = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "连不上数据库" in told
    assert "geheim" not in told
    assert "Traceback" not in told


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"WARNLOOP_WEBHOOK_ALLOW": "10.0.0.0/8,local"}, "WARNLOOP_WEBHOOK_ALLOW"),
        ({"WARNLOOP_SMTP_URL": "smtp://u:geheim@:25"}, "WARNLOOP_SMTP_URL"),
        ({"WARNLOOP_SMTP_URL": "smtp://mail"}, "WARNLOOP_MAIL_FROM"),
    ],
)
def test_settings_that_cannot_be_used(environment: dict[str, str], named: str) -> None:
    with command("postgresql://127.0.0.1:9/x", **environment) as process:
        _, told = process.communicate(timeout=30)
    assert process.returncode == 2
    assert named in told
    assert "geheim" not in told
    assert "Traceback" not in told


def test_settings_of_channels() -> None:
    found = channel_settings("10.0.0.0/8,::1/128:8443", "smtp://mail:25", "警示 <warnloop@example.org>", None)
    assert [(str(one.network), one.port) for one in found.webhook_allow] == [("10.0.0.0/8", None), ("::1/128", 8443)]
    assert found.smtp is not None
    assert found.smtp.port == 25
    assert channel_settings("", "", "", None).webhook_allow == ()
    with pytest.raises(SettingsError):
        channel_settings("", "", "nobody", None)


def test_a_database_that_goes_away_is_waited_for(database_url: str) -> None:
    """Every session is cut, again and again; in the end all is told, and each once in the tables."""
    with receiver() as here, dispatching(settings(database_url)):
        subscribe(database_url, here.url)
        for at in range(4):
            happen(database_url, 10, first=10 * at)
            until(lambda at=at: len(here.got) > 5 * at)  # type: ignore[misc]
            change(
                database_url,
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND application_name = 'warnloop' AND pid <> pg_backend_pid()",
            )
        until(lambda: not waiting(database_url), 30)
        ids = {got.headers["webhook-id"] for got in here.got}
    assert len(ids) == 40


def test_jobs_are_called_again_and_again_and_their_troubles_are_borne(database_url: str) -> None:
    calls: list[int] = []

    def job(connection: psycopg.Connection) -> None:
        assert connection.execute("SELECT 1").fetchone() == (1,)
        calls.append(len(calls))
        if len(calls) == 1:
            raise DatabaseError("trouble", passing=True)

    with dispatching(settings(database_url), jobs=[Job("daily", job, 0.01)]):
        until(lambda: len(calls) > 3)


def test_what_is_borne_is_the_jobs_own_fault_only() -> None:
    raised: list[Exception] = [ZeroDivisionError("a defect"), DatabaseError("trouble", passing=True)]

    def job(_: Any) -> None:
        raise raised.pop(0)

    call: Any = borne(job)
    call(None)
    with pytest.raises(DatabaseError):
        call(None)
    assert raised == []


@pytest.mark.parametrize("error", [DatabaseError("final", passing=False), ZeroDivisionError("a defect")])
def test_what_waiting_does_not_help_ends_it(database_url: str, error: Exception) -> None:
    def job(_: Any) -> None:
        raise error

    part = Dispatch(settings(database_url), jobs=[Job("daily", job, 1.0)])
    with pytest.raises(type(error), match=str(error)):
        part.run()
    assert part.stop.is_set()


def test_a_slow_answer_is_awaited_at_the_end(database_url: str) -> None:
    def slowly(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(1)
        status(204)(handler)

    with receiver(slowly) as here:
        subscribe(database_url, here.url)
        happen(database_url)
        with dispatching(settings(database_url)):
            until(lambda: here.got)
    assert not waiting(database_url)
