"""Where fixes are to be copied."""

from ledger.migrations import run

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Apply ``0006_chunks.sql``."""
    run("0006_chunks.sql")
