"""A gateway that listens, and how to post to it."""

import json
import threading
import time
from typing import Any

import urllib3
import uvicorn

from api.gateway import Gateway
from api.limits import BoundedProtocol
from ledger import keys
from ledger.database import connect
from ledger.principal import CENTRE
from ledger.tablelog import TableLog


class Running:
    """A gateway that listens, and how to post to it."""

    def __init__(self, url: str) -> None:
        self.url, self.log = url, TableLog(url)
        with connect(url) as connection:
            self.id, self.key = keys.create(connection, CENTRE, "feed", ("ingest",), "tester")
        config = uvicorn.Config(Gateway(self.log, url).app(), port=0, http=BoundedProtocol, log_level="error")
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run)
        self.thread.start()
        while not self.server.started:
            time.sleep(0.01)
        self.port = self.server.servers[0].sockets[0].getsockname()[1]
        self.pool = urllib3.PoolManager(retries=False)

    def post(self, body: Any, key: str = "", path: str = "/ingest", **headers: str) -> tuple[int, dict[str, Any]]:
        address = f"http://127.0.0.1:{self.port}{path}"
        all_ = {"Authorization": f"Bearer {key or self.key}", **headers}
        answer = self.pool.request("POST", address, body=body, headers=all_)
        self.headers = answer.headers
        return answer.status, json.loads(answer.data)

    def lines(self) -> int:
        """Lines that the log holds."""
        with connect(self.url) as connection:
            rows = connection.execute("SELECT content FROM log_frames").fetchall()
        return sum(len(bytes(content).splitlines()) for (content,) in rows)

    def stop(self) -> None:
        self.server.should_exit = True
        self.thread.join()
        self.log.close()
