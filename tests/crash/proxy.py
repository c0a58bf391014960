"""Between a worker and its database: a proxy that loses a COMMIT, or the answer to it, or delivers it late."""

import selectors
import shutil
import socket
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self
from urllib.parse import parse_qs, urlsplit

How = Literal["lost", "unanswered", "late"]
LATE_S = 0.3
"""How long a late COMMIT is under way: the worker is back before it [s]."""

_SOCKET = ".s.PGSQL.5432"
_CHUNK = 1 << 16


@dataclass(eq=False, slots=True)
class _Pipe:
    """One session: both ends, and what its transaction has done so far."""

    client: socket.socket
    server: socket.socket
    keeps_state: bool = False
    unanswered: bool = False


class Proxy:
    """Passes sessions on until a COMMIT comes whose turn it is.

    Parameters
    ----------
    url : str
        Of a server on a socket.
    of : {"batch", "checkpoint"}
        Which transactions are meant.
    turns : collection of int
        Which of their COMMITs, counted from 1 over all sessions.
    how : {"lost", "unanswered", "late"}
        The COMMIT never arrives; or it does, and the answer is lost; or both sides lose each other at
        once and the COMMIT arrives a moment later, when the worker may be back already.
    """

    def __init__(self, url: str, of: str, turns: Collection[int], how: How) -> None:
        parts = urlsplit(url)
        self._target = str(Path(parse_qs(parts.query)["host"][0]) / _SOCKET)
        self._folder = tempfile.mkdtemp(prefix="wl-")
        self.url = parts._replace(query=f"host={self._folder}").geturl()
        self.of, self.turns, self.how = of, frozenset(turns), how
        self.commits: Counter[str] = Counter()
        self.cuts = 0
        self._late: list[tuple[float, socket.socket, bytes]] = []
        self._selector = selectors.DefaultSelector()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(f"{self._folder}/{_SOCKET}")
        self._listener.listen()
        self._stop, self._wake = socket.socketpair()
        self._selector.register(self._stop, selectors.EVENT_READ)
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._wake.close()
        self._thread.join()
        shutil.rmtree(self._folder)

    def _run(self) -> None:
        while True:
            self._deliver()
            for key, _ in self._selector.select(0.02):
                if key.fileobj is self._stop:
                    self._end()
                    return
                if key.fileobj is self._listener:
                    self._accept()
                elif key.fd in self._selector.get_map():
                    self._pass_on(key.data, key.fileobj is key.data.client)

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        server = socket.socket(socket.AF_UNIX)
        server.connect(self._target)
        pipe = _Pipe(client, server)
        for end in (client, server):
            self._selector.register(end, selectors.EVENT_READ, pipe)

    def _pass_on(self, pipe: _Pipe, upwards: bool) -> None:
        source, target = (pipe.client, pipe.server) if upwards else (pipe.server, pipe.client)
        try:
            data = source.recv(_CHUNK)
        except OSError:
            data = b""
        if not data:
            self._hang_up(pipe)
            return
        if upwards:
            pipe.keeps_state |= b"COPY state_slabs" in data
            if b"COMMIT\x00" in data and self._cuts(pipe, data):
                return
        elif pipe.unanswered:
            self._hang_up(pipe)  # the server has answered, so it has happened; nobody learns of it
            return
        try:
            target.sendall(data)
        except OSError:
            self._hang_up(pipe)

    def _cuts(self, pipe: _Pipe, data: bytes) -> bool:
        """Count a COMMIT; whether it is not passed on."""
        of = "checkpoint" if pipe.keeps_state else "batch"
        pipe.keeps_state = False
        self.commits[of] += 1
        if of != self.of or self.commits[of] not in self.turns:
            return False
        self.cuts += 1
        if self.how == "lost":
            self._hang_up(pipe)
        elif self.how == "late":
            self._late.append((time.monotonic() + LATE_S, pipe.server, data))
            for end in (pipe.client, pipe.server):
                self._selector.unregister(end)
            pipe.client.close()
        else:
            pipe.unanswered = True
        return self.how != "unanswered"

    def _deliver(self) -> None:
        while self._late and self._late[0][0] <= time.monotonic():
            _, server, data = self._late.pop(0)
            server.sendall(data)
            server.recv(_CHUNK)
            server.close()

    def _hang_up(self, pipe: _Pipe) -> None:
        for end in (pipe.client, pipe.server):
            self._selector.unregister(end)
            end.close()

    def _end(self) -> None:
        for key in list(self._selector.get_map().values()):
            assert isinstance(key.fileobj, socket.socket)
            key.fileobj.close()
        for _, server, _ in self._late:
            server.close()
        self._selector.close()
