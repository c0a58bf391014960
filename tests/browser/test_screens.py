"""The screens: empty, broken, small; who logs in and out; the stream over a restart."""

import re
import time
from pathlib import Path

import pytest
from playwright.sync_api import expect

from ledger import warned
from ledger.database import connect
from tests.browser.stage import Stage
from tests.dispatch.scene import happen
from tests.ledger.made import vehicle, warning

WEB = Path(__file__).parents[2] / "api" / "web"
RATIO = 4.5


def test_nobody_has_nothing_and_is_told_so(stage: Stage) -> None:
    page = stage.page("nobody")
    expect(page.locator("main .blank")).to_contain_text("没有待办事项")
    page.click("nav a[data-tab=reports]")
    expect(page.locator("main .blank")).to_contain_text("还没有日报")
    page.click("nav a[data-tab=pushes]")
    expect(page.locator(".subscriptions .blank")).to_contain_text("还没有订阅")


def test_a_wrong_password_is_refused_and_an_ended_session_comes_back_to_where_it_was(stage: Stage) -> None:
    page = stage.page()
    page.fill("input[name=login]", "centre")
    page.fill("input[name=password]", "wrong")
    page.click("button[type=submit]")
    expect(page.locator("form .note.bad")).to_contain_text("账号或密码不正确")
    stage.log_in(page, "centre")
    page.goto(f"{stage.server.url}/#/violations?list=all")
    expect(page.locator(".rows .row").nth(1)).to_be_visible()
    page.context.clear_cookies()
    page.click(".rows .row:not(.head) a >> nth=0")
    expect(page.locator("form .note.doubt")).to_contain_text("登录已过期")
    stage.log_in(page, "centre")
    expect(page.locator(".headline h1")).to_be_visible()
    assert "/violations/" in page.url


def test_the_stream_survives_a_restart_and_tells_nothing_twice(stage: Stage) -> None:
    page = stage.page("centre")
    expect(page.locator(".alerts .list li").first).to_be_visible()
    expect(page.locator(".feed[data-health=live], .feed[data-health=stale]")).to_be_visible()
    (before,) = happen(stage.database, company=stage.company, county=stage.county, kind="V03")
    expect(page.locator(f".alerts .list li[data-id='{before}'].new")).to_be_visible()
    stage.server.stop()
    expect(page.locator(".feed[data-health=broken]")).to_be_visible()
    expect(page.locator(".map .stopped")).to_contain_text("画面停在")
    (missed,) = happen(stage.database, first=1, company=stage.company, county=stage.county, kind="V03")
    stage.server.start()
    expect(page.locator(f".alerts .list li[data-id='{missed}']")).to_be_visible()
    (after,) = happen(stage.database, first=2, company=stage.company, county=stage.county, kind="V03")
    expect(page.locator(f".alerts .list li[data-id='{after}']")).to_be_visible()
    ids = page.eval_on_selector_all(".alerts .list li", "all => all.map(one => one.dataset.id)")
    assert len(ids) == len(set(ids))
    assert ids[:3] == [str(after), str(missed), str(before)]
    page.locator(".alerts .list li a").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(str(missed)))


def test_a_warning_is_seen_at_once_where_the_company_works_and_on_the_wall(stage: Stage) -> None:
    desk, wall = stage.page("company", "/violations"), stage.page("centre")
    expect(desk.locator(".warnings")).to_be_hidden()
    expect(wall.locator(".alerts header h2").first).to_be_visible()
    at = time.time_ns() // 1_000_000
    with connect(stage.database) as connection, connection.transaction(), connection.cursor() as cursor:
        told = warning(
            vehicle(connection, "测A00001"), company=stage.company, county=stage.county, warned_ms=at, due_ms=at + 1
        )
        warned.keep(cursor, [told])
    for page in (desk, wall):
        item = page.locator(f".warnings li[data-id='{told.id}']")
        expect(item).to_contain_text("再驾驶 30分即达限值 4小时")
        expect(item).to_contain_text("测A00001")
    expect(desk.locator(f".rows [data-id='{told.id}']")).to_have_count(0)
    desk.reload()
    expect(desk.locator(f".warnings li[data-id='{told.id}']")).to_be_visible()
    desk.click("text=English")
    expect(desk.locator(".warnings .words").first).to_contain_text("30 min are left of 4 h")


def test_the_map_shows_the_vehicles_of_the_fleet(stage: Stage) -> None:
    page = stage.page("centre")
    expect(page.locator(".county-name")).to_have_count(8)
    expect(page.locator(".module")).to_have_count(6)
    expect(page.locator(".canvas canvas")).to_be_visible()
    page.click("text=English")
    expect(page.locator(".alerts header h2")).to_have_text("Alerts")
    assert page.evaluate("document.documentElement.lang") == "en"


@pytest.mark.parametrize(("width", "height"), [(390, 844), (1366, 768), (1920, 1080)])
def test_nothing_is_wider_than_the_screen(stage: Stage, width: int, height: int) -> None:
    page = stage.page("county", "/violations?list=all", width, height)
    for path in ("/violations?list=all", f"/violations/{stage.violation}", "/reports", "/pushes"):
        page.goto(f"{stage.server.url}/#{path}")
        expect(page.locator("main h1")).to_be_visible()
        expect(page.locator(".bones")).to_have_count(0)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_everything_is_said_in_both_languages(stage: Stage) -> None:
    words = stage.page().evaluate("import('/js/words.js').then(module => module.WORDS)")
    assert not [key for key, (zh, en) in words.items() if not zh.strip() or not en.strip()]
    files = "".join(file.read_text("utf-8") for file in WEB.glob("js/**/*.js"))
    used = set(re.findall(r'\bt\("([\w.]+)"[,)]', files))
    assert len(used) > 150
    assert not used - set(words)


def test_no_markup_is_made_of_words() -> None:
    forbidden = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|javascript:")
    for file in WEB.glob("js/**/*.js"):
        assert not forbidden.search(file.read_text("utf-8")), file
    page = (WEB / "index.html").read_text("utf-8")
    assert not re.search(r"<script(?![^>]*\bsrc=)|\bon\w+=|<style|//[\w.]+\.\w+/", page)


def test_text_is_readable() -> None:
    css = (WEB / "css" / "base.css").read_text("utf-8")
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", css))
    for ground in ("ground", "panel", "raised"):
        for ink in ("ink", "quiet", "faint", "accent", "good", "sev4", "sev3", "sev2", "sev1"):
            assert contrast(colours[ink], colours[ground]) >= RATIO, (ink, ground)


def contrast(one: str, other: str) -> float:
    """WCAG 2 contrast of two colours."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
