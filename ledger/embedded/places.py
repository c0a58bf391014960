"""Where things lie in a data folder."""

import hashlib
import os
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ledger.embedded.errors import EmbeddedError

SOCKET = ".s.PGSQL.5432"
LONGEST = 107
"""Bytes the kernel has for the path of a socket and the zero at its end [B], less one."""


@dataclass(frozen=True)
class Places:
    """The parts of one data folder.

    Everything lies inside the folder, so that it may be a mount point and every rename stays in one file system.

    Parameters
    ----------
    root : Path
        The data folder, absolute.
    """

    root: Path

    @property
    def cluster(self) -> Path:
        """What PostgreSQL calls the data directory; it has this name only when it is complete."""
        return self.root / "cluster"

    @property
    def half(self) -> Path:
        """A cluster that is being made; whoever finds one with nobody at work removes it."""
        return self.root / "cluster.half"

    @property
    def upgraded(self) -> Path:
        """A complete cluster that waits to take the place of the old one."""
        return self.root / "cluster.upgraded"

    @property
    def log(self) -> Path:
        """Folder of the server's log, one file a weekday."""
        return self.root / "log"

    @property
    def door(self) -> Path:
        """Lock file: whoever starts, stops or upgrades holds it meanwhile."""
        return self.root / "door.lock"

    @property
    def guests(self) -> Path:
        """Lock file: every process that has joined holds a share."""
        return self.root / "guests.lock"

    @property
    def kept(self) -> Path:
        """Number of the server that shall run until it is stopped, whoever leaves."""
        return self.root / "kept"

    @property
    def alive(self) -> Path:
        """Lock file: the server and all its children hold it as long as any of them lives."""
        return self.root / "alive.lock"

    @property
    def pid_file(self) -> Path:
        """Where the server writes who it is, where it listens and whether it is ready."""
        return self.cluster / "postmaster.pid"

    def version(self) -> int | None:
        """Major version that the cluster was made by; None where there is no cluster."""
        try:
            return int((self.cluster / "PG_VERSION").read_text())
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise EmbeddedError(
                f"{self.cluster / 'PG_VERSION'} is damaged: restore the folder from a backup"
            ) from error

    def socket_folder(self) -> Path:
        """Folder for the socket: inside, or in the temporary folder where the path would be too long for a socket."""
        inside = self.root / "socket"
        text = os.fsencode(inside / SOCKET)
        if len(text) < LONGEST and b"," not in text:  # libpq takes a comma for the next host
            return inside
        name = hashlib.sha256(os.fsencode(self.root)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"warnloop-{name}"


def make_private(folder: Path, uid: int) -> None:
    """Make a folder that only one user can enter, or see that it is one.

    Parameters
    ----------
    folder : Path
        Its parent must exist.
    uid : int
        Whose it shall be.

    Raises
    ------
    EmbeddedError
        If somebody else's folder, a link or a file has the name.
    """
    try:
        folder.mkdir(mode=0o700)
        os.chown(folder, uid, -1)
    except FileExistsError:
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != uid:
            raise EmbeddedError(f"{folder} is not a folder of ours: remove it, or name another data folder") from None
        folder.chmod(0o700)
