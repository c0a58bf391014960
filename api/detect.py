"""Detect: a worker as a process: signals, metrics, a line of log for what happens."""

import logging

from prometheus_client import start_http_server
from rich.console import Console
from rich.logging import RichHandler

from api.metrics import Metrics
from api.signals import until_signalled
from api.worker import Settings, Worker
from ledger.tablelog import TableLog


def log_to(notes: Console) -> None:
    """Write log lines to standard error: plain ones, or with colours where it is a terminal."""
    handler: logging.Handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    if notes.is_terminal:
        handler = RichHandler(console=notes, show_path=False, omit_repeated_times=False)
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)


def detect(log: TableLog, settings: Settings, metrics_port: int, notes: Console) -> None:
    """Work until a signal comes, or the log is drained where that is asked for; tell what was done.

    Raises
    ------
    DatabaseError, LogError
        See `Worker.run`.
    """
    metrics = Metrics()
    server = start_http_server(metrics_port, addr="127.0.0.1", registry=metrics.registry) if metrics_port else None
    worker = Worker(log, settings, metrics)
    try:
        with until_signalled(worker.stop):
            worker.run()
        for line in metrics.words():
            notes.print(line, soft_wrap=True, markup=False)
    finally:
        if server is not None:
            server[0].shutdown()
            server[0].server_close()
            server[1].join()
