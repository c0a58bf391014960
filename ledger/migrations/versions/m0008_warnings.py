"""Warnings before a violation."""

from ledger.migrations import run

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Apply ``0008_warnings.sql``."""
    run("0008_warnings.sql")
