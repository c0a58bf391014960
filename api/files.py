"""Files that commands read and write, and the bar that shows how far they are."""

import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn, TransferSpeedColumn


@contextmanager
def opened_file(positions: str) -> Iterator[tuple[BufferedReader, int | None]]:
    """Open a file, or standard input for ``-``; also its size, where it has one [B]."""
    try:
        file = open(0, "rb", closefd=False) if positions == "-" else Path(positions).open("rb")  # noqa: SIM115
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise typer.BadParameter(f"cannot read {positions}: {reason}", param_hint="POSITIONS") from error
    with file:
        state = os.fstat(file.fileno())
        yield file, state.st_size if stat.S_ISREG(state.st_mode) else None


@contextmanager
def written(out: Path | None, source: BufferedReader) -> Iterator[BinaryIO]:
    """Open what episodes are written to; a regular file takes its name only when it is complete."""
    if out is None:
        if sys.stdout is None:
            raise typer.BadParameter("standard output is closed", param_hint="--out")
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    target = out.resolve()
    if target.is_dir():
        raise typer.BadParameter(f"{out} is a folder; a file is expected", param_hint="--out")
    if target.exists() and os.path.samestat(target.stat(), os.fstat(source.fileno())):
        raise typer.BadParameter(f"{out} is the input; it would be overwritten", param_hint="--out")
    whole = not target.exists() or target.is_file()
    part = target.with_name(f".{target.name}.{os.getpid()}.part") if whole else target
    try:
        file = part.open("xb" if whole else "wb")
    except OSError as error:
        raise typer.BadParameter(f"cannot write {out}: {error.strerror}", param_hint="--out") from error
    try:
        with file:
            yield file
        if whole:
            part.replace(target)
    finally:
        if whole:
            part.unlink(missing_ok=True)


@contextmanager
def bar(notes: Console, what: str, source: BufferedReader, size: int | None) -> Iterator[Callable[[int], None]]:
    """Progress on a terminal, by bytes read; nothing elsewhere."""
    columns = (
        TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeElapsedColumn(),
    )  # fmt: skip
    with Progress(*columns, console=notes, transient=True, disable=not notes.is_terminal) as progress:
        task = progress.add_task(what, total=size)

        def tell(fixes: int) -> None:
            progress.update(task, description=f"{what} {fixes:,} fixes")
            if size is not None:
                progress.update(task, completed=source.tell())

        yield tell
