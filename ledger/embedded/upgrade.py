"""From one major version of PostgreSQL to the next."""

import os
import re
import shutil
from pathlib import Path
from urllib.parse import quote, urlsplit

import psycopg

from ledger.embedded import cluster
from ledger.embedded.account import Account, account_for
from ledger.embedded.binaries import major, shipped
from ledger.embedded.door import opened
from ledger.embedded.errors import EmbeddedError
from ledger.embedded.live import look
from ledger.embedded.places import Places, make_private
from ledger.embedded.server import Embedded

_FORGET_MARKS = r"""
UPDATE pg_attribute
SET attoptions = (SELECT array_agg(option) FROM unnest(attoptions) AS option WHERE option ~ '^n_distinct(_inherited)?=')
WHERE EXISTS (SELECT FROM unnest(attoptions) AS option WHERE option !~ '^n_distinct(_inherited)?=')
"""
"""The newest minor versions (17.12) mark columns with an option of their own, which servers of the next major version
from before that day refuse. Columns from before it have no mark, so none is missed."""


def upgrade(folder: Path, old_binaries: Path) -> Path:
    """Bring a data folder to the major version of the wheel, with pg_upgrade; nothing is lost if it fails half-way.

    Parameters
    ----------
    folder : Path
        The data folder; it needs room for a second copy.
    old_binaries : Path
        Folder of the programs of the version that made it.

    Returns
    -------
    Path
        What the old cluster is called now, such as ``FOLDER/cluster.pg17``; remove it when you trust the new one.

    Raises
    ------
    EmbeddedError
        If the folder is in use or is not of this version, or pg_upgrade refuses; the old cluster is then as it was.
    """
    places = Places(folder.expanduser().resolve())
    old_binaries, new_binaries = old_binaries.expanduser().resolve(), shipped()
    found, old, new = places.version(), major(old_binaries), major(new_binaries)
    kept = places.root / f"cluster.pg{found}"
    if found is None:
        raise EmbeddedError(f"there is nothing to upgrade in {places.root}: it has no cluster")
    if found >= new:
        raise EmbeddedError(f"there is nothing to upgrade: {places.root} is of PostgreSQL {found}, this is {new}")
    if found != old:
        raise EmbeddedError(f"{places.root} is of PostgreSQL {found}, but the programs in {old_binaries} are of {old}")
    if kept.exists():
        raise EmbeddedError(f"{kept} is in the way: it was kept by an earlier upgrade; move it away")
    with opened(places):
        if (live := look(places)) is not None:
            raise EmbeddedError(f"{places.root} is in use by a running server, pid {live.pid}: stop it first")
        shutil.rmtree(places.upgraded, ignore_errors=True)
        _convert(places, old_binaries, new_binaries, account_for(places.root))
        cluster.rename(places.half, places.upgraded)
        cluster.rename(places.cluster, kept)
        cluster.rename(places.upgraded, places.cluster)
    return kept


def _convert(places: Places, old_binaries: Path, new_binaries: Path, account: Account) -> None:
    """Make the half cluster the new version of the old one, from a copy of it."""
    shutil.rmtree(places.half, ignore_errors=True)
    work = places.root / "upgrade"
    if work.exists():
        Embedded(work, binaries=old_binaries).stop()  # an upgrade was interrupted
        shutil.rmtree(work)
    copy = _settled_copy(places, work, old_binaries, account)
    make_private(places.socket_folder(), account.uid)
    checksums = _has_checksums(copy, old_binaries, account)
    cluster.make(
        places.half,
        new_binaries,
        account,
        sync=True,
        more=("--data-checksums" if checksums else "--no-data-checksums",),
    )
    command = [
        str(new_binaries / "pg_upgrade"), "--link", "--username=postgres", f"--socketdir={places.socket_folder()}",
        f"--old-bindir={old_binaries}", f"--new-bindir={new_binaries}",
        f"--old-datadir={copy}", f"--new-datadir={places.half}",
    ]  # fmt: skip
    done = account.run(command, cwd=work)
    shutil.rmtree(work)
    if done.returncode:
        reports = [
            path.read_text(errors="replace") for path in sorted(places.half.rglob("pg_upgrade_output.d/**/*.txt"))
        ]
        shutil.rmtree(places.half)
        raise EmbeddedError(
            "\n".join(["pg_upgrade refused; the old cluster is as it was:", done.stdout.strip(), *reports])
        )


def _settled_copy(places: Places, work: Path, binaries: Path, account: Account) -> Path:
    """Copy the old cluster, and bring the copy into the state that pg_upgrade takes."""
    make_private(work, account.uid)
    copied = Places(work)
    shutil.copytree(places.cluster, copied.cluster, symlinks=True)
    for path in (copied.cluster, *copied.cluster.rglob("*")):
        os.chown(path, account.uid, -1, follow_symlinks=False)
    server = Embedded(work, binaries=binaries, settings={"allow_system_table_mods": "on"})
    url = server.start()  # one that was killed recovers
    try:
        with psycopg.connect(url, autocommit=True) as connection:
            names = connection.execute("SELECT datname FROM pg_database WHERE datallowconn").fetchall()
        for (name,) in names:
            with psycopg.connect(urlsplit(url)._replace(path=f"/{quote(name)}").geturl()) as connection:
                connection.execute(_FORGET_MARKS)
    finally:
        server.stop()
    return copied.cluster


def _has_checksums(data: Path, binaries: Path, account: Account) -> bool:
    """Whether the pages of a cluster carry checksums, since both sides of an upgrade must agree."""
    shown = account.run([str(binaries / "pg_controldata"), str(data)]).stdout
    version = re.search(r"^Data page checksum version:\s+(\d+)$", shown, re.MULTILINE)
    if version is None:
        raise EmbeddedError(f"{data} cannot be read by the programs in {binaries}:\n{shown.strip()}")
    return version[1] != "0"
