"""Under which account the programs of PostgreSQL run, since they refuse root."""

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, Any

from ledger.embedded.errors import EmbeddedError

UNSHARE = ("unshare", "--user", "--map-user=1000", "--map-group=1000")
"""A user namespace in which root is user 1000: files stay root's, and the process stays the child that was started."""


@dataclass(frozen=True)
class Account:
    """How to run a program of PostgreSQL.

    Parameters
    ----------
    uid : int
        Whose the files are, as seen from outside.
    prefix : tuple of str
        What stands before each command.
    switch : bool
        Whether the child has to become `uid`.
    """

    uid: int
    prefix: tuple[str, ...] = ()
    switch: bool = False

    def _as_user(self) -> dict[str, Any]:
        if not self.switch:
            return {}
        return {"user": self.uid, "group": pwd.getpwuid(self.uid).pw_gid, "extra_groups": []}

    def spawn(self, command: list[str], *, log: IO[bytes], keep: int) -> subprocess.Popen[bytes]:
        """Start a server that outlives this process.

        Parameters
        ----------
        command : list of str
            Program and arguments.
        log : file
            For both outputs.
        keep : int
            File descriptor that the child inherits.

        Returns
        -------
        Popen
            The server itself.
        """
        return subprocess.Popen(  # noqa: S603 - our own commands
            [*self.prefix, *command],
            cwd="/",
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            pass_fds=(keep,),
            **self._as_user(),
        )

    def run(self, command: list[str], *, cwd: Path = Path("/")) -> subprocess.CompletedProcess[str]:
        """Run a program to its end; its two outputs are one text, `stdout`."""
        return subprocess.run(  # noqa: S603 - our own commands
            [*self.prefix, *command],
            cwd=cwd,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
            **self._as_user(),
        )


def environment() -> dict[str, str]:
    """Environment of the caller without what would redirect PostgreSQL, in one known locale."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PG", "LC_", "LANG"))}
    return {**kept, "LC_ALL": "C.UTF-8"}


@cache
def _namespaces_work() -> bool:
    """Whether this kernel lets us make user namespaces."""
    if shutil.which(UNSHARE[0]) is None:
        return False
    return subprocess.run([*UNSHARE, "true"], capture_output=True, check=False).returncode == 0  # noqa: S603


def account_for(root: Path) -> Account:
    """Choose the account for a data folder.

    Parameters
    ----------
    root : Path
        The data folder; where root has no other way, it is given to ``nobody``.

    Returns
    -------
    Account
        Ourselves, if we are not root; else the owner of the folder, a user namespace, or ``nobody``.

    Raises
    ------
    EmbeddedError
        If the folder is another user's, or root finds no account to run under.
    """
    owner, me = root.stat().st_uid, os.geteuid()
    if me != 0:
        if owner != me:
            raise EmbeddedError(
                f"{root} belongs to user {owner}, not to {me}: run as its owner, or name another folder"
            )
        return Account(me)
    if owner != 0:
        return Account(owner, switch=True)
    if _namespaces_work():
        return Account(0, UNSHARE)
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise EmbeddedError(
            "PostgreSQL does not run as root, user namespaces are forbidden here and there is no user nobody: "
            "run warnloop as an ordinary user (请用普通用户运行)"
        ) from None
    for path in (root, *root.rglob("*")):
        os.chown(path, nobody.pw_uid, nobody.pw_gid, follow_symlinks=False)
    return Account(nobody.pw_uid, switch=True)
