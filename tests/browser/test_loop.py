"""The loop, walked in a real browser by all three roles."""

from playwright.sync_api import Page, expect

from tests.browser.stage import Stage, png
from tests.dispatch.scene import happen

ATTACK = '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>已约谈驾驶员'
REASON = "缺少驾驶员签字的约谈记录，请补齐。"


def do(page: Page, move: str, words: str = "", picture: bool = False) -> None:
    """Make a move as a person does."""
    page.click(f"[data-move={move}]")
    if not words:
        return
    page.fill("textarea[name=words]", words)
    if picture:
        page.set_input_files("input[type=file]", {"name": "约谈记录.png", "mimeType": "image/png", "buffer": png()})
        expect(page.locator(".uploads .done")).to_have_count(1)
    page.click(".writing button[type=submit]")


def stands(page: Page, state: str) -> None:
    """Wait until the page shows the case in a state."""
    expect(page.locator(f".headline .standing .tag.{state}")).to_be_visible()


def test_from_pushed_to_closed(stage: Stage) -> None:
    path = f"/violations/{stage.violation}"
    company = stage.page("company", "/violations")
    company.click(f"[data-id='{stage.violation}'] a")
    expect(company.locator("dl.why .main dd")).not_to_be_empty()
    expect(company.locator(".chart path.speed").first).to_be_visible()
    do(company, "acknowledge")
    stands(company, "acknowledged")
    expect(company.locator("[data-move=accept]")).to_have_count(0)
    do(company, "submit", ATTACK, picture=True)
    stands(company, "submitted")
    expect(company.locator(".said").first).to_have_text(ATTACK)

    county = stage.page("county", path)
    expect(county.locator(".said").first).to_have_text(ATTACK)
    with county.expect_download() as download:
        county.click(".moves .files a")
    assert download.value.suggested_filename == "约谈记录.png"
    assert download.value.path().read_bytes() == png()
    do(county, "return", REASON)
    stands(county, "returned")

    stands(company, "returned")  # told by the stream, without a reload
    expect(company.locator(".said").first).to_have_text(REASON)
    do(company, "submit", "已补齐签字记录。")
    stands(county, "submitted")
    centre = stage.page("centre", path)
    do(county, "accept")
    stands(county, "accepted")
    do(county, "close")
    for page in (county, centre, company):
        stands(page, "closed")
        assert page.evaluate("window.pwned") is None
    expect(centre.locator(".moves > li")).to_have_count(7)
    expect(centre.locator("[data-move]")).to_have_count(0)


def test_words_are_needed_and_what_is_no_picture_is_refused_in_words(stage: Stage) -> None:
    (violation,) = happen(stage.database, company=stage.company, county=stage.county)
    page = stage.page("company", "/violations")
    page.click(f"[data-id='{violation}'] a")
    page.click("[data-move=appeal]")
    page.click(".writing button[type=submit]")
    assert page.eval_on_selector("textarea[name=words]", "area => !area.checkValidity()")
    page.set_input_files("input[type=file]", {"name": "x.png", "mimeType": "image/png", "buffer": b"MZ" + bytes(400)})
    expect(page.locator(".uploads .why")).not_to_be_empty()
    page.set_input_files("input[type=file]", {"name": "x.exe", "mimeType": "image/png", "buffer": b"MZ"})
    expect(page.locator(".uploads .why").nth(1)).to_contain_text("JPG")
    page.fill("textarea[name=words]", "见附件")
    page.click(".writing button[type=submit]")
    expect(page.locator(".desk > [role=alert]")).to_contain_text("移除")
    expect(page.locator("[data-move=appeal]")).to_be_visible()  # nothing was sent
    page.click("[data-move=submit]")
    expect(page.locator("textarea[name=words]")).to_have_value("")
    page.click("[data-move=appeal]")  # what was written and chosen is still there
    expect(page.locator("textarea[name=words]")).to_have_value("见附件")
    expect(page.locator(".uploads > li")).to_have_count(2)


def test_another_ones_violation_is_not_there(stage: Stage) -> None:
    page = stage.page("nobody", f"/violations/{stage.violation}")
    expect(page.locator("main .blank")).to_contain_text("没有找到")
