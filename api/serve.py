"""Serve: the API and the screens as a process."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event

import uvicorn
from fastapi import FastAPI

from api.app import make_app
from api.limits import BoundedProtocol, raise_open_files
from api.signals import until_signalled

BACKLOG = 2048
"""Connections that may wait to be taken."""

GRACE_S = 10
"""How long requests may take to end [s]."""


class _Server(uvicorn.Server):
    """A server that ends its streams when it is asked to stop."""

    def __init__(self, config: uvicorn.Config, stop: Event) -> None:
        super().__init__(config)
        self._stop_asked = stop

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to us: the first one ends in order, the second at once."""
        with until_signalled(self._stop_asked):
            yield

    async def on_tick(self, counter: int) -> bool:
        """Whether to stop."""
        return self._stop_asked.is_set() or await super().on_tick(counter)


def config(app: FastAPI, host: str, port: int) -> uvicorn.Config:
    """How an application is served."""
    return uvicorn.Config(
        app,
        http=BoundedProtocol,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
        timeout_keep_alive=30,
        ws="none",
        h11_max_incomplete_event_size=64 << 10,
        proxy_headers=True,
        forwarded_allow_ips="127.0.0.1",
    )


def serve(url: str, host: str, port: int) -> bool:
    """Serve until a signal comes; whether it began at all.

    Parameters
    ----------
    url : str
        Of a migrated database.

    Raises
    ------
    OSError
        The address cannot be listened on.
    """
    try:
        listener = socket.create_server(
            (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=BACKLOG
        )
    except OSError as error:
        raise OSError(error.errno, error.strerror, f"http://{host}:{port}") from error
    raise_open_files()
    app = make_app(url)
    server = _Server(config(app, host, port), app.state.held.stopping)
    with listener:
        server.run([listener])
    return server.started
