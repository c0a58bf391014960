"""The whole product by one command: it starts, can be used, stops, goes on, and leaves nothing behind."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


class Product:
    """``warnloop run`` in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.ports = folder, [free_port() for _ in range(3)]
        self.process: subprocess.Popen[bytes] | None = None
        self.said = ""

    def command(self, *more: str, vehicles: int = 40) -> list[str]:
        ports = zip(("--port", "--gateway-port", "--receiver-port"), map(str, self.ports), strict=True)
        words = [word for pair in ports for word in pair]
        return [sys.executable, "-m", "api.cli", "run", "--vehicles", str(vehicles), *words, *more]

    def start(self, vehicles: int = 40) -> None:
        output = self.folder / "said"
        with output.open("wb") as file:
            self.process = subprocess.Popen(
                self.command("--data", str(self.folder / "data"), vehicles=vehicles), stderr=file
            )
        self.until(lambda: "demo logins" in output.read_text(encoding="utf-8"))
        self.until(lambda: len(re.findall(r"^  \w+ +\S+ +\S+$", output.read_text(encoding="utf-8"), re.MULTILINE)) == 4)
        self.said = output.read_text(encoding="utf-8")

    def until(self, true: Callable[[], bool], within_s: float = 60.0) -> None:
        end = time.monotonic() + within_s
        while not true():
            assert self.process is not None
            assert self.process.poll() is None or true(), (self.folder / "said").read_text(encoding="utf-8")
            assert time.monotonic() < end, (self.folder / "said").read_text(encoding="utf-8")
            time.sleep(0.05)

    def children(self) -> set[int]:
        """Processes that work for this data folder, the database's among them."""
        found = set()
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) != os.getpid():
                try:
                    words = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
                except OSError:
                    continue
                if os.fsencode(self.folder / "data") in words:
                    found.add(int(entry.name))
        return found

    def logins(self) -> dict[str, str]:
        return dict(re.findall(r"^  (\w+) +(\S+) +\S+$", self.said, re.MULTILINE))

    def get(self, who: str, path: str) -> Any:
        """Log in and ask."""
        base = f"http://127.0.0.1:{self.ports[0]}/api/v1"
        body = json.dumps({"login": who, "password": self.logins()[who]})
        opened = urllib3.request("POST", f"{base}/session", body=body, headers={"Content-Type": "application/json"})
        assert opened.status == 200, opened.data
        cookie = opened.headers["Set-Cookie"].split(";")[0]
        return urllib3.request("GET", f"{base}{path}", headers={"Cookie": cookie}).json()

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(60)


@pytest.fixture
def product(tmp_path: Path) -> Iterator[Product]:
    one = Product(tmp_path)
    yield one
    if one.process is not None and one.process.poll() is None:
        one.process.kill()
        one.process.wait()
    for pid in one.children():
        os.kill(pid, signal.SIGKILL)


def test_a_newcomers_first_day(product: Product) -> None:
    product.start()
    logins = product.logins()
    assert set(logins) == {"centre", "operator", "county", "company"}
    product.until(lambda: product.get("centre", "/summary")["online"] > 0)
    product.until(lambda: len(product.get("company", "/violations")["items"]) > 0)
    listened = product.folder / "data" / "log" / "listen.log"
    product.until(lambda: "违规新增" in listened.read_text(encoding="utf-8"))
    kept = (product.folder / "data" / "demo" / "demo.json").stat()
    assert kept.st_mode & 0o077 == 0, "passwords are for their owner only"
    for log in (product.folder / "data" / "log").glob("*.log"):
        text = log.read_text(encoding="utf-8", errors="replace")
        assert not [word for word in (*logins.values(), "wl_", "whsec_") if word in text], log

    before = {one["id"] for one in product.get("centre", "/violations?limit=200")["items"]}
    assert product.stop() == 0
    assert "stopped; the next start goes on from here" in (product.folder / "said").read_text(encoding="utf-8")
    product.until(lambda: not product.children(), 10)

    product.start()
    assert product.logins() == logins, "a second start finds what the first made"
    assert before <= {one["id"] for one in product.get("centre", "/violations?limit=200")["items"]}
    product.until(lambda: product.get("centre", "/summary")["online"] > 0)
    product.stop(signal.SIGKILL)
    end = time.monotonic() + 40
    while any("api.cli" in command(pid) for pid in product.children()):
        assert time.monotonic() < end, "they die with their parent"
        time.sleep(0.1)


def command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def refused(words: list[str]) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    return done.stderr


def test_what_cannot_run_is_told_before_anything_starts(product: Product) -> None:
    data = product.folder / "data"
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", product.ports[1]))
        taken.listen()
        said = refused(product.command("--data", str(data)))
        assert f"port {product.ports[1]} of 127.0.0.1 cannot be used" in said
        assert "--gateway-port" in said
    assert "the demo has known logins" in refused(product.command("--data", str(data), "--host", "192.0.2.1"))
    assert not data.exists()
