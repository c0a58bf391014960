"""The embedded log."""

from ledger.migrations import run

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Apply ``0001_log.sql``."""
    run("0001_log.sql")
