"""The command `warnloop report`: what it says, and the files that it writes."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.cli import app
from ledger.closing import snapshot
from ledger.database import connect
from tests.dispatch.days import DAY, PARTIES, Days


def run(url: str, *words: str, code: int = 0) -> str:
    done = CliRunner().invoke(app, ["report", "--database", url, *words], env={"COLUMNS": "200"})
    assert done.exit_code == code, done.output
    return done.output


def test_report_closes_issues_corrects_and_writes(database_url: str, tmp_path: Path) -> None:
    day, out = DAY.isoformat(), tmp_path / "out"
    with connect(database_url) as connection:
        days = Days(connection)
        days.register(tmp_path / "registry")
        said = run(database_url, "--day", day, "--out", str(out), "--by", "tester")
        assert f"issued {len(PARTIES)} reports of {day}, 0 of them corrections" in said
        assert len(list(out.iterdir())) == 4 * len(PARTIES)
        pdf = out / f"昌运监日报〔{DAY.year}〕{DAY:%m%d}号.pdf"
        assert pdf.read_bytes().startswith(b"%PDF-")
        assert "nothing has changed" in run(database_url, "--day", day)
        days.violation(0)
        said = run(database_url, "--day", day)
        assert "issued 3 reports" in said
        assert "3 of them corrections" in said
        actors = connection.execute("SELECT DISTINCT actor FROM audit WHERE action LIKE 'report.%%'").fetchall()
        assert sorted(actors) == [("command line",), ("tester",)]


@pytest.mark.parametrize(("day", "why"), [("2199-01-01", "has not begun"), ("11/27", "such as 2026-11-27")])
def test_an_impossible_day_is_refused(database_url: str, day: str, why: str) -> None:
    assert why in re.sub(r"\s+", " ", run(database_url, "--day", day, code=2))


def test_a_large_day_may_take_its_time(database_url: str) -> None:
    with connect(database_url, statement_s=1) as connection:
        with snapshot(connection):
            connection.execute("SELECT pg_sleep(2.5)")
        assert connection.execute("SHOW statement_timeout").fetchone() == ("1s",)
