"""Settings that several commands share; the only place that names environment variables."""

from pathlib import Path
from typing import Annotated

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

DATABASE = ""
DATA = Path("warnloop-data")
ACTOR = "command line"
