"""Accounts and keys, what is told to whom, cases, reports."""

from ledger.migrations import run

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Apply ``0005_loop.sql``."""
    run("0005_loop.sql")
