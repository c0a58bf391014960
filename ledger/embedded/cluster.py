"""A cluster on disk: made whole or not at all."""

import os
import shutil
from pathlib import Path

from ledger.embedded.account import Account
from ledger.embedded.errors import EmbeddedError
from ledger.embedded.places import Places, make_private

INITDB = ("--locale=C.UTF-8", "-E", "UTF8", "-A", "trust", "-U", "postgres", "--no-instructions")


def ensure(places: Places, binaries: Path, version: int, account: Account, *, sync: bool) -> None:
    """See that there is a cluster which these programs can serve; make one where there is none.

    Parameters
    ----------
    places : Places
        The data folder; its door is ours.
    binaries : Path
        Programs of PostgreSQL.
    version : int
        Their major version.
    account : Account
        To run them under.
    sync : bool
        Whether a new cluster is forced to disk before it counts as made.

    Raises
    ------
    EmbeddedError
        If the cluster is of another major version, or none can be made.
    """
    shutil.rmtree(places.half, ignore_errors=True)
    if not places.cluster.exists() and places.upgraded.exists():
        places.upgraded.rename(places.cluster)  # an upgrade was interrupted at its very last step
    if (places.root / "PG_VERSION").exists():
        raise EmbeddedError(
            f"{places.root} is a bare data directory of PostgreSQL: name another folder for the embedded server, "
            f"or start that one yourself and give warnloop its URL"
        )
    found = places.version()
    if found is None and places.cluster.exists():
        raise EmbeddedError(f"{places.cluster} has no PG_VERSION, so it is damaged: restore it from a backup")
    if found is None:
        make(places.half, binaries, account, sync=sync)
        rename(places.half, places.cluster)
    elif found < version:
        raise EmbeddedError(
            f"{places.root} was made by PostgreSQL {found}, this is {version}. Upgrade it (升级数据目录): "
            f"warnloop database upgrade {places.root} --old-bin DIR, DIR being the bin folder of a PostgreSQL {found}"
        )
    elif found > version:
        raise EmbeddedError(
            f"{places.root} was made by PostgreSQL {found}, this is {version}, which is older: "
            f"install the warnloop that made it, or name another data folder"
        )


def make(target: Path, binaries: Path, account: Account, *, sync: bool, more: tuple[str, ...] = ()) -> None:
    """Make a cluster with initdb.

    Parameters
    ----------
    target : Path
        New folder for it.
    binaries, account, sync
        As for `ensure`.
    more : tuple of str
        Further options of initdb.
    """
    make_private(target, account.uid)
    options = [*INITDB, *more, *(() if sync else ("--no-sync",))]
    try:
        done = account.run([str(binaries / "initdb"), "-D", str(target), *options])
    except OSError as error:
        raise EmbeddedError(f"cannot run {binaries / 'initdb'} as user {account.uid}: {error.strerror}") from error
    if done.returncode:
        shutil.rmtree(target, ignore_errors=True)
        said = done.stdout.strip()
        if "No space left on device" in said:
            raise EmbeddedError(f"the disk of {target.parent} is full (磁盘已满): free 100 MB and start again\n{said}")
        raise EmbeddedError(f"PostgreSQL could not make a cluster in {target.parent}:\n{said}")


def rename(old: Path, new: Path) -> None:
    """Give a folder its new name, durably."""
    old.rename(new)
    parent = os.open(new.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(parent)
    finally:
        os.close(parent)
