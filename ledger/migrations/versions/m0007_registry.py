"""Which collections a registry has is the program's to say; keys for the registry."""

from ledger.migrations import run

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Apply ``0007_registry.sql``."""
    run("0007_registry.sql")
