"""Days that were closed again by what came late."""

from ledger.migrations import run

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Apply ``0010_closings.sql``."""
    run("0010_closings.sql")
