"""Screens: pictures of every screen, in docs/screens, of a fleet that drives while they are taken.

``python -m tests.browser.screens [NAME ...]``; pngquant, where there is one, makes the pictures small.
"""

import io
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from threading import Event, Thread

import msgspec
from playwright.sync_api import Page, sync_playwright

from api.feed import Feeder
from ledger import subscriptions
from ledger.casework import make_move
from ledger.database import connect
from ledger.principal import CENTRE, Principal, Role
from ledger.tablelog import TableLog
from tests.browser.stage import BEIJING, Stage, command, plant, run, staged
from tests.ledger.made import rows
from tests.servers import Servers, swept_folder

OUT = Path(__file__).parents[2] / "docs" / "screens"
VEHICLES = 1500
AHEAD_S = 600.0
"""How long the fleet drives on after it was planted [s]."""

ANSWERS = (
    ("acknowledge", ""),
    ("submit", "已约谈驾驶员，停班学习三天；限速装置重新标定，每周抽查一次。"),
    ("return", "缺少驾驶员签字的约谈记录，请补齐后重新提交。"),
    ("submit", "已补齐签字记录和装置标定照片。"),
    ("accept", ""),
    ("close", ""),
)


@contextmanager
def driving(url: str, positions: Path, begun_ms: int) -> Iterator[None]:
    """Let what the fleet sends from now on arrive when it is sent, and be judged, for the length of a block."""
    with positions.open("rb") as file:
        later = [(msgspec.json.decode(line)["received"], line) for line in file]
    later = [(received, line) for received, line in sorted(later) if received >= begun_ms]
    stop = Event()

    def drive() -> None:
        feeder, at = Feeder(TableLog(url)), 0
        while not stop.wait(0.5):
            upto = at
            while upto < len(later) and later[upto][0] <= time.time() * 1000:
                upto += 1
            if upto > at:
                feeder.feed(io.BytesIO(b"".join(line for _, line in later[at:upto])), "later.ndjson")
            at = upto

    thread = Thread(target=drive)
    with subprocess.Popen(command("detect", "--database", url), stderr=subprocess.DEVNULL) as detect:
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
            detect.terminate()


def answer(url: str, stage: Stage) -> None:
    """Let some cases have been answered, each a little further than the last."""
    found = rows(
        url,
        "SELECT v.id::text, v.county, v.company FROM violations v JOIN cases c ON c.violation_id = v.id "
        "WHERE v.id <> %s ORDER BY v.raised_ms",
        stage.violation,
    )
    with connect(url) as connection:
        for at, (violation, county, company) in enumerate(found):
            far = at % (len(ANSWERS) + 1) if county != stage.county else 2 + 2 * (at % 2)
            for move, words in ANSWERS[:far]:
                county_moves = move in ("return", "accept", "close")
                principal = Principal(Role.COUNTY, county) if county_moves else Principal(Role.COMPANY, company)
                make_move(
                    connection, principal, "值班员" if county_moves else "安全员", uuid.UUID(violation), move, words
                )
        for principal, name, channel, target in (
            (Principal(Role.COUNTY, stage.county), "县级监管平台", "webhook", "http://127.0.0.1:9/hooks/warnloop"),
            (Principal(Role.COUNTY, stage.county), "日报归档", "folder", "archive"),
            (CENTRE, "州级归档", "folder", "prefecture"),
        ):
            given = {"name": name, "channel": channel, "target": target, "topics": ("violation", "case", "report")}
            subscriptions.create(connection, principal, "county", **given)  # type: ignore[arg-type]


def still(page: Page, ready: str, wait_s: float = 1.0) -> None:
    """Wait until something is there and nothing is being loaded."""
    page.wait_for_selector(ready)
    page.wait_for_selector(".bones", state="detached")
    page.wait_for_selector(".waiting", state="detached")
    page.wait_for_timeout(1000 * wait_s)


def centre(stage: Stage) -> Page:
    page = stage.page("centre", "/centre", 1920, 1080)
    still(page, ".alerts li", 25)
    return page


def centre_desk(stage: Stage) -> Page:
    page = stage.page("centre", "/centre", 1366, 768)
    page.click("text=English")
    still(page, ".alerts li", 12)
    return page


def violation(stage: Stage) -> Page:
    page = stage.page("centre", "/violations?list=all", 1920, 1080)
    page.goto(f"{stage.server.url}/#/violations/{_answered(stage, 'submitted')}")
    still(page, ".track canvas", 3)
    return page


def inbox(stage: Stage) -> Page:
    page = stage.page("county", "/violations?list=open")
    still(page, ".rows .row")
    return page


def review(stage: Stage) -> Page:
    page = stage.page("county", f"/violations/{_answered(stage, 'submitted', stage.county)}")
    still(page, ".track canvas", 3)
    page.click("[data-move=return]")
    page.fill("textarea", ANSWERS[2][1])
    return page


def company_phone(stage: Stage) -> Page:
    page = stage.page("company", f"/violations/{stage.violation}", 390, 844)
    still(page, ".track canvas", 3)
    return page


def reports(stage: Stage) -> Page:
    page = stage.page("centre", "/reports")
    still(page, ".rows .row")
    return page


def report(stage: Stage) -> Page:
    page = stage.page("county", "/reports")
    page.click(".rows .row .what")
    still(page, "table")
    return page


def pushes(stage: Stage) -> Page:
    page = stage.page("county", "/pushes")
    page.click(".subscriptions .one >> nth=0")
    still(page, ".deliveries li")
    page.click(".deliveries summary >> nth=0")
    still(page, ".tries li")
    return page


def login(stage: Stage) -> Page:
    page = stage.page()
    still(page, "form")
    return page


def empty(stage: Stage) -> Page:
    page = stage.page("nobody")
    still(page, ".blank")
    return page


PICTURES: tuple[Callable[[Stage], Page], ...] = (
    centre, centre_desk, violation, inbox, review, company_phone, reports, report, pushes, login, empty,
)  # fmt: skip


def _answered(stage: Stage, state: str, county: str = "") -> str:
    found = rows(
        stage.database,
        "SELECT v.id::text FROM violations v JOIN cases c ON c.violation_id = v.id "
        "WHERE c.state = %s AND %s IN ('', v.county) ORDER BY c.moves DESC, v.severity DESC LIMIT 1",
        state,
        county,
    )
    return str(found[0][0]) if found else stage.violation


def take(stage: Stage, names: list[str]) -> None:
    """Take the pictures of those names, or all."""
    OUT.mkdir(parents=True, exist_ok=True)
    for picture in PICTURES:
        if names and picture.__name__ not in names:
            continue
        page = picture(stage)
        file = OUT / f"{picture.__name__}.png"
        page.screenshot(path=file)
        page.context.close()
        if quant := shutil.which("pngquant"):
            subprocess.run([quant, "--force", "--skip-if-larger", "--output", file, "128", file], check=False)
        print(f"{file.name} {file.stat().st_size // 1024} KB", *stage.errors)
        stage.errors.clear()


def main() -> None:
    """Set the stage and take the pictures."""
    with (
        swept_folder() as folder,
        tempfile.TemporaryDirectory() as kept,
        sync_playwright() as playwright,
    ):
        servers = Servers(folder)
        with servers.database("postgres", template=servers.migrated("postgres")) as url:
            begun_ms = plant(url, Path(kept) / "fleet", VEHICLES, AHEAD_S)
            with (
                staged(url, Path(kept), playwright) as stage,
                driving(url, Path(kept) / "fleet" / "positions.ndjson", begun_ms),
            ):
                answer(url, stage)
                run("report", "--day", f"{datetime.now(BEIJING):%Y-%m-%d}", "--database", url)
                take(stage, sys.argv[1:])


if __name__ == "__main__":
    main()
