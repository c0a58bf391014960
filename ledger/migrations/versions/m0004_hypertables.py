"""Fixes as a hypertable where TimescaleDB is."""

from ledger.migrations import run

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Apply ``0004_hypertables.sql``."""
    run("0004_hypertables.sql")
