"""Settings: options of commands, environment variables, and a file that stands for these.

An option on the command line wins over the environment, the environment over the file. The file is named by
``WARNLOOP_SETTINGS`` and holds the same names without their prefix, in TOML: ``database = "postgresql://…"``.
"""

import os
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

Database = Annotated[
    str,
    typer.Option(
        "--database",
        envvar="WARNLOOP_DATABASE",
        metavar="URL",
        help="**postgresql://…**, PostgreSQL 17 or newer, with or without TimescaleDB. Left out: the embedded one.",
    ),
]
Data = Annotated[
    Path,
    typer.Option(
        "--data",
        envvar="WARNLOOP_DATA",
        metavar="FOLDER",
        help="Data folder of the embedded database; made if need be.",
    ),
]
Actor = Annotated[
    str,
    typer.Option("--by", envvar="WARNLOOP_ACTOR", metavar="NAME", help="Who does this: goes into the audit."),
]

WebhookAllow = Annotated[
    str,
    typer.Option(
        "--webhook-allow",
        envvar="WARNLOOP_WEBHOOK_ALLOW",
        metavar="NETWORKS",
        help="Networks that webhooks may go to although they are not public: **10.1.0.0/16,10.0.0.5/32:8443**.",
    ),
]
SmtpUrl = Annotated[
    str,
    typer.Option(
        "--smtp-url",
        envvar="WARNLOOP_SMTP_URL",
        metavar="URL",
        help="Mail server, **smtp://USER:PASSWORD@HOST:PORT** (STARTTLS where offered) or **smtps://…**.",
        show_default=False,
    ),
]
MailFrom = Annotated[
    str,
    typer.Option("--mail-from", envvar="WARNLOOP_MAIL_FROM", metavar="ADDRESS", help="Address that letters come from."),
]
FolderRoot = Annotated[
    Path | None,
    typer.Option(
        "--folder-root",
        envvar="WARNLOOP_FOLDER_ROOT",
        metavar="FOLDER",
        help="Where the folder channel writes; left out: there is no such channel.",
    ),
]
WebhookSecret = Annotated[
    str,
    typer.Option(
        "--secret",
        envvar="WARNLOOP_WEBHOOK_SECRET",
        metavar="WHSEC",
        help="Secret of the subscription, **whsec_…**; shown once, when it was made.",
    ),
]

DATABASE = ""
DATA = Path("warnloop-data")
ACTOR = "command line"

PREFIX = "WARNLOOP_"
FILE = f"{PREFIX}SETTINGS"


class SettingsError(Exception):
    """The settings cannot be used; the message says which, and what was expected."""


def known(command: Any) -> set[str]:
    """Environment variables that a command of typer's and the commands below it take."""
    below = getattr(command, "commands", {}).values()
    return set(_variables(command)).union(*map(known, below))


def _variables(command: Any) -> Iterator[str]:
    for parameter in command.params:
        names = parameter.envvar or ()
        yield from (names,) if isinstance(names, str) else names


def take_file(app: typer.Typer) -> None:
    """Let the settings file, if one is named, stand for the environment variables that are not set.

    Raises
    ------
    SettingsError
        It cannot be read, or names a setting that there is not.
    """
    taken = known(typer.main.get_command(app))
    for name in sorted(os.environ):
        if name.startswith(PREFIX) and name != FILE and name not in taken:
            raise SettingsError(f"没有此项设置 there is no setting {name}: there are {', '.join(sorted(taken))}")
    if not (path := os.environ.get(FILE, "")):
        return
    try:
        with Path(path).open("rb") as file:
            found = tomllib.load(file)
    except OSError as error:
        raise SettingsError(f"设置文件不可读 {FILE}={path}: {error.strerror}") from error
    except ValueError as error:
        raise SettingsError(f"设置文件无效 {path} is not TOML: {error}") from error
    for key, value in found.items():
        name = f"{PREFIX}{key.upper()}"
        if name not in taken or not isinstance(value, str | int | float):
            raise SettingsError(
                f"设置无效 {path}: {key!r} is no setting, or has no plain value; "
                f"there are {', '.join(sorted(one.removeprefix(PREFIX).lower() for one in taken))}"
            )
        os.environ.setdefault(name, str(value).lower() if isinstance(value, bool) else str(value))
