"""The ledger, measured on each kind of database server: COPY, the whole path, a restart."""

import sys
import tempfile
from pathlib import Path

from bench import copy, loop
from deploy.timescale.install import UnavailableError, install
from ledger.embedded import Embedded
from ledger.migrate import migrate
from ledger.tablelog import TableLog
from tests.servers import KINDS, TIMESCALE_SETTINGS


def product(kind: str, folder: Path) -> Embedded:
    """A server with the settings of the product.

    Raises
    ------
    UnavailableError
    """
    if kind == "postgres":
        return Embedded(folder)
    return Embedded(folder, binaries=install(), settings=TIMESCALE_SETTINGS)


def main() -> None:
    """Measure all, or the parts that are named: copy, sustained, restart."""
    wanted = sys.argv[1:] or ["copy", "sustained", "restart"]
    parts = {"copy": lambda url, _: copy.main(url), "sustained": loop.sustained, "restart": loop.restart}
    for kind in KINDS:
        for part in wanted:
            with tempfile.TemporaryDirectory(prefix="warnloop-") as name:
                folder = Path(name)
                try:
                    server = product(kind, folder / "server")
                    url = server.start()
                except UnavailableError as reason:
                    print(f"{kind} LEFT OUT: {reason}")
                    continue
                try:
                    print(f"-- {part}, {kind}", flush=True)
                    migrate(url)
                    TableLog.create(url)
                    parts[part](url, folder / "fleet")
                finally:
                    server.stop()


if __name__ == "__main__":
    main()
