"""Positions, state, fixes, violations, outbox."""

from ledger.migrations import run

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Apply ``0003_ledger.sql``."""
    run("0003_ledger.sql")
