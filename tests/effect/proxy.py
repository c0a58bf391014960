"""Between a worker and its database: a proxy that cuts a connection at a certain word."""

import shutil
import socket
import tempfile
import threading
from pathlib import Path
from typing import Self
from urllib.parse import parse_qs, urlsplit


class Proxy:
    """Passes connections on; at the n-th time that a word is sent, cuts the one that sent it.

    Parameters
    ----------
    url : str
        Of a server on a socket.
    passed_on : bool
        Whether the word still reaches the server, whose answer is then lost.
    """

    def __init__(self, url: str, word: bytes, count: int, *, passed_on: bool) -> None:
        parts = urlsplit(url)
        self.target = str(Path(parse_qs(parts.query)["host"][0]) / ".s.PGSQL.5432")
        self.folder = tempfile.mkdtemp(prefix="wl-")
        self.url = parts._replace(query=f"host={self.folder}").geturl()
        self.word, self.left, self.passed_on, self.cuts = word, count, passed_on, 0
        self._lock = threading.Lock()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(f"{self.folder}/.s.PGSQL.5432")
        self._listener.listen()
        self._threads: list[threading.Thread] = []
        self._ends: list[socket.socket] = []

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for end in self._ends:
            _hang_up(end)
        for thread in self._threads:
            thread.join()
        for end in self._ends:
            end.close()
        shutil.rmtree(self.folder)

    def _start(self, run: object, *arguments: object) -> None:
        thread = threading.Thread(target=run, args=arguments)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(self.target)
            self._ends += [client, server]
            silent = threading.Event()
            self._start(self._up, client, server, silent)
            self._start(self._down, client, server, silent)

    def _up(self, client: socket.socket, server: socket.socket, silent: threading.Event) -> None:
        while data := _receive(client):
            if self.word in data:
                with self._lock:
                    self.left -= 1
                    cut = self.left == 0
                if cut:
                    self.cuts += 1
                    if not self.passed_on:
                        break
                    silent.set()
            try:
                server.sendall(data)
            except OSError:
                break
        if not silent.is_set():
            _hang_up(server)
        _hang_up(client) if not silent.is_set() else None

    def _down(self, client: socket.socket, server: socket.socket, silent: threading.Event) -> None:
        while data := _receive(server):
            if silent.is_set():
                break  # the server has answered: it has happened; nobody learns of it
            try:
                client.sendall(data)
            except OSError:
                break
        _hang_up(client)
        _hang_up(server)


def _receive(end: socket.socket) -> bytes:
    try:
        return end.recv(1 << 16)
    except OSError:
        return b""


def _hang_up(end: socket.socket) -> None:
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
