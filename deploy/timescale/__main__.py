"""`python -m deploy.timescale`: fetch TimescaleDB, start it on a data folder, stop it."""

import argparse
import sys
from pathlib import Path

from deploy.timescale.install import FOLDER, MIRROR, UnavailableError, install
from ledger.embedded import Embedded, EmbeddedError

SETTINGS = {"shared_preload_libraries": "timescaledb", "timescaledb.telemetry_level": "off", "jit": "off"}


def main() -> None:
    """Run one command; what it prints is a path or a URL."""
    parser = argparse.ArgumentParser(prog="python -m deploy.timescale", description=__doc__)
    parser.add_argument("command", choices=("install", "start", "stop"))
    parser.add_argument("--into", type=Path, default=FOLDER, help="folder of the installation (%(default)s)")
    parser.add_argument("--data", type=Path, default=Path("timescale-data"), help="data folder (%(default)s)")
    parser.add_argument("--mirror", default=MIRROR, help="a mirror of Debian (%(default)s)")
    chosen = parser.parse_args()
    try:
        programs = install(chosen.into, mirror=chosen.mirror)
        server = Embedded(chosen.data, binaries=programs, settings=SETTINGS)
        if chosen.command == "install":
            print(programs)  # noqa: T201
        elif chosen.command == "start":
            print(server.keep())  # noqa: T201
        else:
            server.stop()
    except (UnavailableError, EmbeddedError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
