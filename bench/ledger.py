"""The ledger, measured on each kind of database server: COPY, the whole path, a restart."""

import sys
import tempfile
from pathlib import Path

from bench import copy, loop
from deploy.timescale.install import UnavailableError
from ledger.migrate import migrate
from ledger.tablelog import TableLog
from tests.servers import KINDS, Servers


def main() -> None:
    """Measure all, or the parts that are named: copy, sustained, restart."""
    wanted = sys.argv[1:] or ["copy", "sustained", "restart"]
    parts = {"copy": lambda url, _: copy.main(url), "sustained": loop.sustained, "restart": loop.restart}
    print(f"state {loop.state_bytes():,} B a vehicle")
    for kind in KINDS:
        for part in wanted:
            with tempfile.TemporaryDirectory(prefix="warnloop-") as name:
                folder = Path(name)
                server = Servers.server(kind, folder / "server")
                try:
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
