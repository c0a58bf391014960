"""Migrations: the schema's versions, forward only; each runs a .sql file."""

from importlib.resources import files

from alembic import op


def run(name: str) -> None:
    """Execute the statements of a .sql file beside the versions, as they stand."""
    text = (files("ledger.migrations") / "versions" / name).read_text(encoding="utf-8")
    driver = op.get_bind().connection.driver_connection
    assert driver is not None, "migrations run on a live connection"  # noqa: S101
    driver.execute(text)
