"""Stage: a real server over a real database with a small fleet of planted violations, and browsers to look at it."""

import os
import socket
import struct
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path

import msgspec
from playwright.sync_api import Browser, BrowserContext, Page, Playwright

from dispatch.router import route
from ledger import accounts
from ledger.database import connect
from ledger.principal import CENTRE, Principal, Role
from tests.dispatch import scene
from tests.ledger.made import rows

CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--ignore-gpu-blocklist", "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
)  # fmt: skip
BEIJING = timezone(timedelta(hours=8))
PASSWORD = "loop-of-trust-7"  # noqa: S105 - of accounts that live as long as a test
HOURS = 1


def command(*words: str) -> list[str]:
    """The product's command, as a process of its own."""
    return [sys.executable, "-m", "api.cli", *words]


def run(*words: str) -> None:
    """Run a command of the product to its end."""
    done = subprocess.run(command(*words), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@dataclass
class Server:
    """`warnloop serve`, which can be stopped and started again at the same address."""

    database: str
    folder: Path
    port: int = 0
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])

    @property
    def url(self) -> str:
        """Address of the screens."""
        return f"http://127.0.0.1:{self.port}"

    def start(self, within_s: float = 40.0) -> None:
        """Start it and wait until it answers."""
        words = ("serve", "--host", "127.0.0.1", "--port", str(self.port), "--database", self.database)
        with (self.folder / "serve.log").open("ab") as log:
            self.process = subprocess.Popen(command(*words), stdout=log, stderr=log, env=os.environ | {"TZ": "UTC"})
        end = time.monotonic() + within_s
        while True:
            try:
                with urllib.request.urlopen(f"{self.url}/healthz", timeout=2):  # noqa: S310 - our own
                    return
            except (OSError, urllib.error.URLError):
                assert self.process.poll() is None, (self.folder / "serve.log").read_text()[-2000:]
                assert time.monotonic() < end, "warnloop serve does not answer"
                time.sleep(0.1)

    def stop(self) -> None:
        """Stop it in order."""
        if self.process is not None:
            self.process.terminate()
            assert self.process.wait(20) is not None
            self.process = None


@dataclass
class Stage:
    """What the browsers look at.

    Attributes
    ----------
    violation, county, company : str
        Of a case that nobody has answered, and whose it is.
    errors : list of str
        What any page has complained of, with the page's name.
    """

    server: Server
    browser: Browser
    database: str
    violation: str = ""
    county: str = ""
    company: str = ""
    errors: list[str] = field(default_factory=list)

    def context(self, width: int = 1366, height: int = 768) -> BrowserContext:
        """A browser of somebody who has never been here."""
        context = self.browser.new_context(viewport={"width": width, "height": height}, locale="zh-CN")
        context.set_default_timeout(15_000)
        return context

    def page(self, login: str = "", path: str = "", width: int = 1366, height: int = 768) -> Page:
        """A page in a browser of its own, logged in, if a login is named."""
        page = self.context(width, height).new_page()
        page.on("pageerror", lambda error: self.errors.append(f"{login}: {error}"))
        page.on("console", lambda told: self._hear(login, told.type, told.text))
        page.goto(f"{self.server.url}/#{path}")
        if login:
            self.log_in(page, login)
        return page

    def log_in(self, page: Page, login: str) -> None:
        """Fill the form."""
        page.fill("input[name=login]", login)
        page.fill("input[name=password]", PASSWORD)
        page.click("button[type=submit]")
        page.wait_for_selector("header.bar")

    def _hear(self, login: str, kind: str, words: str) -> None:
        if kind == "error" and "Failed to load resource" not in words and "net::ERR" not in words:
            self.errors.append(f"{login}: {words}")


def png(side: int = 24) -> bytes:
    """A picture, really PNG."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    lines = b"".join(b"\0" + bytes((40, 160, 220)) * side for _ in range(side))
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")


def plant(url: str, folder: Path, vehicles: int, ahead_s: float = 0.0) -> int:
    """Let a fleet drive up to this moment, and be judged.

    Its file of positions may go on for `ahead_s` [s]; what is received from the moment returned [ms] on is not fed.
    """
    begin = datetime.now(BEIJING).replace(second=0, microsecond=0) - timedelta(hours=HOURS, minutes=1)
    hours = str(HOURS + ahead_s / 3600)
    drive = ("--vehicles", str(vehicles), "--hours", hours, "--seed", "1", "--start", f"{begin:%Y-%m-%dT%H:%M:%S}")
    run("fleet", *drive, "--out", str(folder))
    until_ms = int((begin + timedelta(hours=HOURS)).timestamp() * 1000)
    past = folder / "past.ndjson"
    with (folder / "positions.ndjson").open("rb") as all_lines, past.open("wb") as kept:
        kept.writelines(line for line in all_lines if msgspec.json.decode(line)["received"] < until_ms)
    run("migrate", "--database", url, "--partitions", "2")
    run("import", str(folder / "registry"), "--database", url)
    run("feed", str(past), "--database", url)
    run("detect", "--drain", "--database", url)
    with connect(url) as connection:
        while route(connection):
            pass
    return until_ms


def people(url: str) -> tuple[str, str, str]:
    """Accounts for every role; id, county and company of the case they are about."""
    case = rows(
        url,
        "SELECT v.id::text, v.county, v.company FROM violations v JOIN cases c ON c.violation_id = v.id "
        "WHERE c.state = 'pushed' AND v.county <> '' AND v.company <> '' "
        "ORDER BY count(*) OVER (PARTITION BY v.county) DESC, v.county, v.raised_ms DESC, v.id LIMIT 1",
    )
    violation, county, company = map(str, case[0])
    with connect(url) as connection:
        for login, principal in (
            ("centre", CENTRE), ("county", Principal(Role.COUNTY, county)),
            ("company", Principal(Role.COMPANY, company)), ("nobody", Principal(Role.COMPANY, "000000-X999")),
        ):  # fmt: skip
            accounts.create(connection, login, PASSWORD, principal, "test")
    return violation, county, company


@contextmanager
def staged(url: str, folder: Path, playwright: Playwright) -> Iterator[Stage]:
    """All of it, over a database where a fleet was planted, for the length of a block."""
    violation, county, company = people(url)
    server = Server(url, folder)
    server.start()
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
    try:
        with scene.dispatching(scene.settings(url, folder / "pushed")):
            yield Stage(server, browser, url, violation, county, company)
    finally:
        browser.close()
        server.stop()
