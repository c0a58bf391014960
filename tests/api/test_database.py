"""The commands for the embedded database."""

from pathlib import Path

import psycopg
from typer.testing import CliRunner

from api.database import database
from ledger.embedded import Embedded


def test_start_status_stop(tmp_path: Path) -> None:
    run, data = CliRunner().invoke, ["--data", str(tmp_path / "data")]
    try:
        assert run(database, ["status", *data]).exit_code == 3
        started = run(database, ["start", *data])
        assert started.exit_code == 0
        with psycopg.connect(started.stdout.strip()) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        assert run(database, ["start", *data]).stdout == started.stdout
        shown = run(database, ["status", *data])
        assert shown.exit_code == 0
        assert "running, pid" in shown.stdout
        assert "PostgreSQL 18" in shown.stdout
        assert started.stdout.strip() in shown.stdout
        assert "stopped, pid" in run(database, ["stop", *data]).stderr
        assert "not running" in run(database, ["stop", *data]).stderr
    finally:
        Embedded(tmp_path / "data").stop()


def test_errors_are_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "cluster").mkdir()
    (tmp_path / "cluster" / "PG_VERSION").write_text("17\n")
    refused = CliRunner().invoke(database, ["start", "--data", str(tmp_path)])
    assert refused.exit_code == 1
    assert f"warnloop database upgrade {tmp_path} --old-bin" in refused.stderr
    refused = CliRunner().invoke(database, ["upgrade", str(tmp_path), "--old-bin", str(tmp_path)])
    assert refused.exit_code == 1
    assert "name the bin folder of a PostgreSQL" in refused.stderr
