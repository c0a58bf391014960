"""Vehicles, registry, audit."""

from ledger.migrations import run

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Apply ``0002_registry.sql``."""
    run("0002_registry.sql")
