"""Wiring: what commands are made of, from their settings."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import parseaddr
from pathlib import Path

from rich.console import Console

from api.pauses import Pauses
from api.settings import SettingsError
from dispatch import channels
from dispatch.channels.addresses import Allowed
from dispatch.channels.mail import Smtp, is_address
from ingest.log import LogError
from ingest.table import RegistryError
from ledger.database import DatabaseError, check_writable, connect
from ledger.embedded import EmbeddedError, join, leave
from ledger.migrate import check_version
from ledger.tablelog import TableLog


@contextmanager
def reached(database: str, data: Path) -> Iterator[str]:
    """URL of the database that is meant; the embedded one runs meanwhile.

    Raises
    ------
    EmbeddedError
        It cannot be started.
    """
    if database:
        yield database
        return
    url = join(data)
    try:
        yield url
    finally:
        leave(data)


@contextmanager
def opened(url: str, patience_s: float = 0.0) -> Iterator[TableLog]:
    """The log of a migrated, writable database.

    Parameters
    ----------
    patience_s : float
        How long a database that is out of reach is waited for [s].

    Raises
    ------
    DatabaseError
        The database is out of reach, not migrated, or read-only.
    """
    pauses = Pauses(patience_s)
    while True:
        try:
            with connect(url) as connection:
                check_version(connection)
                check_writable(connection)
            log = TableLog(url)
            break
        except DatabaseError as error:
            pauses.bear(error)
    try:
        yield log
    finally:
        log.close()


def channel_settings(webhook_allow: str, smtp_url: str, mail_from: str, folder_root: Path | None) -> channels.Settings:
    """Read the settings of channels as the environment gives them.

    Raises
    ------
    SettingsError
    """
    allowed = []
    for text in filter(None, (part.strip() for part in webhook_allow.split(","))):
        try:
            allowed.append(Allowed.of(text))
        except ValueError as error:
            raise SettingsError(
                f"设置无效 WARNLOOP_WEBHOOK_ALLOW: {text!r}: expected 10.1.0.0/16, 10.0.0.5/32:8443 or so"
            ) from error
    try:
        smtp = Smtp.of(smtp_url) if smtp_url else None
    except ValueError as error:
        raise SettingsError(f"设置无效 WARNLOOP_SMTP_URL: {error}") from error
    address = parseaddr(mail_from)[1]
    if (smtp or mail_from) and not is_address(address):
        raise SettingsError("设置无效 WARNLOOP_MAIL_FROM: expected a mail address, such as warnloop@example.org")
    return channels.Settings(tuple(allowed), smtp, mail_from, folder_root)


@contextmanager
def told(notes: Console) -> Iterator[None]:
    """What goes wrong outside this program is told in one line; the exit code is then 1."""
    try:
        yield
    except (EmbeddedError, DatabaseError, LogError, RegistryError) as error:
        notes.print(str(error), style="red", soft_wrap=True, markup=False)
        sys.exit(1)
