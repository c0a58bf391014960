"""Limits: what a process that listens grants to those who connect, before anything is known of them."""

import asyncio
import resource

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_S = 10.0
"""How long the head of a request may take to arrive [s]."""


def raise_open_files() -> int:
    """Let this process open as many files, connections among them, as it may; how many that is."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most


class BoundedProtocol(HttpToolsProtocol):
    """HTTP/1.1, where whoever connects must ask for something in time; for `uvicorn.Config` (``http=``).

    Between two requests of a connection uvicorn's own `timeout_keep_alive` holds, until something arrives.
    """

    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        """Wait for the first head."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Take what arrives; where no request is at hand it must become one in time."""
        super().data_received(data)
        idle = getattr(self.cycle, "response_complete", True)  # there is none before the first request
        if idle and self.timeout_keep_alive_task is None:
            self._wait()

    def on_message_begin(self) -> None:
        """Wait for the rest of a head."""
        super().on_message_begin()
        self._wait()

    def on_headers_complete(self) -> None:
        """Wait no longer."""
        self._wait_no_longer()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._wait_no_longer()
        super().connection_lost(exc)

    def _wait(self) -> None:
        if self._late is None and not self.transport.is_closing():
            self._late = self.loop.call_later(HEAD_S, self.transport.close)

    def _wait_no_longer(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None
