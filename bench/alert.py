"""From receipt to the screen, and the memory of it all: the product as ``warnloop run`` starts it, a real browser."""

import json
import os
import re
import signal
import statistics
import tempfile
import time
from pathlib import Path

import urllib3
from playwright.sync_api import Page, sync_playwright

from tests.api.test_run import Product
from tests.browser.stage import CHROMIUM, FLAGS

ROUNDS, WARM_S = 20, 30.0


def pss_mb(pids: set[int]) -> float:
    """Memory of processes, what they share counted once among them [MB]."""
    total = 0
    for pid in pids:
        try:
            found = re.search(r"^Pss:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
        except OSError:
            continue
        total += int(found[1]) if found else 0
    return total / 1024


def is_database(pid: int) -> bool:
    """Whether a process is PostgreSQL's."""
    return "postgres" in Path(f"/proc/{pid}/comm").read_text()


def sped(plate: str, color: int, lon: float, lat: float, now_ms: int) -> bytes:
    """Forty seconds northwards at 140 km/h from where a vehicle stood, just over; each fix 388.9 m behind the last."""
    lines = [
        {"plate": plate, "plate_color": color, "time": now_ms - 40_000 + 10_000 * at, "lon": lon,
         "lat": round(lat + 0.0034971 * at, 7), "speed_kmh": 140.0, "status": 3}
        for at in range(5)
    ]  # fmt: skip
    return b"\n".join(json.dumps(line).encode() for line in lines)


def colors(product: Product) -> dict[str, int]:
    """Plate colour of each vehicle of the demo's registry."""
    (registry,) = (product.folder / "data" / "demo").glob("window-*/registry/vehicles.csv")
    rows = [line.split(",") for line in registry.read_text(encoding="utf-8").splitlines()[1:]]
    return {row[0]: int(row[1]) for row in rows}


def seen_s(product: Product, page: Page, plate: str, body: bytes, key: str) -> float:
    """Seconds from posting a violation to its plate standing among the alerts."""
    address = f"http://127.0.0.1:{product.ports[1]}/ingest"
    began = time.monotonic()
    answer = urllib3.request("POST", address, body=body, headers={"Authorization": f"Bearer {key}"})
    assert answer.status == 200, answer.data
    page.wait_for_function("plate => document.body.innerText.includes(plate)", arg=plate, timeout=20_000, polling=20)
    return time.monotonic() - began


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="warnloop-") as name:
        product = Product(Path(name))
        began = time.monotonic()
        product.start(vehicles=300)
        print(f"run: address and logins printed after {time.monotonic() - began:.1f} s")
        try:
            product.until(lambda: product.get("centre", "/summary")["online"] > 0)
            time.sleep(WARM_S)  # the day so far is taken in
            database = {pid for pid in product.children() if is_database(pid)}
            others = (product.children() - database) | {product.process.pid if product.process else os.getpid()}
            print(f"memory of {len(others)} processes without the database: {pss_mb(others):.0f} MB (PSS)")
            _alerts(product)
        finally:
            product.stop(signal.SIGINT)


def _alerts(product: Product) -> None:
    """Take the simulated fleet off the road, let other coaches speed, and watch the screen."""
    pid = next(pid for pid in product.children() if b"simulate" in Path(f"/proc/{pid}/cmdline").read_bytes())
    key = json.loads((product.folder / "data" / "demo" / "demo.json").read_text())["ingest_key"]
    os.kill(pid, signal.SIGSTOP)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        page = browser.new_page(viewport={"width": 1920, "height": 1080})
        page.goto(f"http://127.0.0.1:{product.ports[0]}/")
        page.locator("input").first.fill("centre")
        page.locator("input[type=password]").fill(product.logins()["centre"])
        page.keyboard.press("Enter")
        page.wait_for_url("**/#/centre")
        page.wait_for_timeout(3_000)
        shown = page.inner_text("body")
        time.sleep(45)  # so that what comes now is later than all that came
        color = colors(product)
        stood = {row[1]: row for row in product.get("centre", "/positions")["vehicles"] if row[1] not in shown}
        took = [
            seen_s(product, page, plate, sped(plate, color[plate], row[5], row[6], time.time_ns() // 1_000_000), key)
            for plate, row in list(stood.items())[:ROUNDS]
        ]
        browser.close()
    os.kill(pid, signal.SIGCONT)
    took.sort()
    print(
        f"posted to on the screen, {len(took)} alerts: median {statistics.median(took):.2f} s, slowest {took[-1]:.2f} s"
    )


if __name__ == "__main__":
    main()
