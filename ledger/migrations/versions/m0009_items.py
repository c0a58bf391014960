"""What terminals tell of beside the position."""

from ledger.migrations import run

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Apply ``0009_items.sql``."""
    run("0009_items.sql")
