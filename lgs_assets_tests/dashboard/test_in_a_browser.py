"""The pages as people use them: in a real Chromium, with and without JavaScript, on a phone, by keyboard, printed."""

import base64
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.expected_conditions import url_to_be
from selenium.webdriver.support.wait import WebDriverWait

from lgs_assets.dashboard.queries import Tables
from lgs_assets_tests.browser import chromium
from lgs_assets_tests.dashboard.conftest import COUNTRIES, Site, serve
from lgs_assets_tests.dashboard.test_pages import PATHS

PATIENCE_SECONDS = 60
AXE = Path(__file__).with_name("axe-4.14.1.min.js")


@pytest.fixture
def page(browser: webdriver.Chrome, site: Site) -> Iterator[webdriver.Chrome]:
    """The browser on the overview, as wide as a desk's."""
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    browser.get(site.url)
    browser.get_log("performance")  # of others
    yield browser
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    browser.get("about:blank")


def wait(browser: webdriver.Chrome) -> WebDriverWait[webdriver.Chrome]:
    return WebDriverWait(browser, PATIENCE_SECONDS)


def follow(browser: webdriver.Chrome, css: str) -> str:
    """Clicks on the first link that matches, and returns the path that it leads to."""
    link = browser.find_element(By.CSS_SELECTOR, css)
    target = link.get_attribute("href")
    assert target
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", link) if _has_script(browser) else None
    link.click()
    wait(browser).until(lambda b: b.current_url == target)
    return urlsplit(target).path


def _has_script(browser: webdriver.Chrome) -> bool:
    return "with-js" in (browser.find_element(By.TAG_NAME, "html").get_attribute("class") or "")


@pytest.mark.parametrize("with_script", [True, False])
def test_the_way_from_the_overview_to_an_invoice_and_back(
    page: webdriver.Chrome, site: Site, *, with_script: bool
) -> None:
    page.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not with_script})
    page.get(site.url + "/?country=Germany")
    steps = [page.current_url]
    for css, path in (
        ('#segments a[href^="/segments/"]', "/segments/"),
        ('.actions a[href^="/customers"]', "/customers"),
        ('tbody a[href^="/customers/"]', "/customers/"),
        ('tbody a[href^="/invoices/"]', "/invoices/"),
    ):
        assert follow(page, css).startswith(path)
        steps.append(page.current_url)
    assert all("country=Germany" in url for url in steps)
    for url in reversed(steps[:-1]):
        page.back()
        wait(page).until(url_to_be(url))
        assert page.find_element(By.TAG_NAME, "h1").text


@pytest.mark.parametrize("with_script", [True, False])
def test_the_way_from_the_campaigns_to_a_member(page: webdriver.Chrome, site: Site, *, with_script: bool) -> None:
    page.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not with_script})
    page.get(site.url + "/campaigns?country=Germany")
    assert follow(page, '#audiences tbody a[href^="/campaigns/first"]') == "/campaigns/first_to_see"
    shown = len(page.find_elements(By.CSS_SELECTOR, "table.list tbody tr"))
    assert follow(page, 'table.list thead a[href*="sort=risk_band"]') == "/campaigns/first_to_see"
    assert len(page.find_elements(By.CSS_SELECTOR, "table.list tbody tr")) == shown > 0
    assert "country=Germany" in page.current_url
    assert follow(page, 'table.list tbody a[href^="/customers/"]').startswith("/customers/")
    page.get(site.url + "/experiments")
    assert follow(page, '#experiments tbody a[href^="/experiments/"]') == "/experiments/a_letter"
    assert follow(page, '.definitions a[href^="/campaigns/"]') == "/campaigns/lapsed_regulars"


def test_a_click_on_a_figure_does_what_its_link_says(page: webdriver.Chrome, site: Site) -> None:
    page.get(site.url + "/segments")
    box = page.find_element(By.CSS_SELECTOR, "#areas svg a")
    target = box.get_dom_attribute("href")
    box.find_element(By.TAG_NAME, "rect").click()
    wait(page).until(lambda b: b.current_url == site.url + str(target))


def test_a_filter_changes_the_page_without_loading_it_and_survives_a_click(page: webdriver.Chrome, site: Site) -> None:
    page.get(site.url + "/customers")
    page.execute_script("window.same = true")
    spent = page.find_element(By.NAME, "spent")
    spent.send_keys("20", Keys.TAB)
    wait(page).until(lambda b: "spent=20" in b.current_url)
    assert page.execute_script("return window.same") is True
    follow(page, "thead th:first-child a")
    assert "spent=20" in page.current_url
    page.back()
    wait(page).until(lambda b: "sort" not in b.current_url)
    assert page.find_element(By.NAME, "spent").get_attribute("value") == "20"


def tick(page: webdriver.Chrome, value: str) -> None:
    """Ticks the box of a country, whose list is open, as a person does: the box has to be there to be clicked."""
    page.find_element(By.CSS_SELECTOR, f'input[name="country"][value="{value}"]').click()
    wait(page).until(lambda b: value in b.current_url)


def ticked(page: webdriver.Chrome) -> list[str]:
    """The countries whose boxes are ticked."""
    boxes = page.find_elements(By.CSS_SELECTOR, 'input[name="country"]')
    return [str(box.get_attribute("value")) for box in boxes if box.is_selected()]


def test_two_countries_are_chosen_in_one_go(page: webdriver.Chrome, site: Site) -> None:
    """The list stays open, and the keyboard on the box."""
    page.get(site.url + "/segments")
    page.find_element(By.XPATH, "//summary[contains(., 'Country')]").click()
    tick(page, "Germany")
    wait(page).until(lambda b: b.find_elements(By.CSS_SELECTOR, ".chips li"))
    assert page.switch_to.active_element.get_attribute("value") == "Germany"
    tick(page, "EIRE")
    wait(page).until(lambda b: len(b.find_elements(By.CSS_SELECTOR, ".chips li")) == 2)
    assert page.current_url == site.url + "/segments?country=EIRE&country=Germany"
    page.switch_to.active_element.send_keys(Keys.ESCAPE)
    assert not page.find_elements(By.CSS_SELECTOR, "details.pick[open]")


@pytest.mark.parametrize("removal", [".chips a", ".reset"])
def test_a_filter_that_was_removed_does_not_come_back(page: webdriver.Chrome, site: Site, removal: str) -> None:
    """By its chip or by Reset: the next change of the form sends what is shown, and no more."""
    page.get(site.url + "/segments")
    page.find_element(By.XPATH, "//summary[contains(., 'Country')]").click()
    tick(page, "Germany")
    picked = page.find_element(By.NAME, "as_of")
    wait(page).until(lambda b: b.find_elements(By.CSS_SELECTOR, removal))
    page.find_element(By.CSS_SELECTOR, removal).click()
    wait(page).until(url_to_be(site.url + "/segments"))
    wait(page).until(lambda b: not b.find_elements(By.CSS_SELECTOR, ".chips li"))
    assert ticked(page) == []
    picked.send_keys(Keys.ARROW_DOWN)
    wait(page).until(lambda b: "as_of=" in b.current_url)
    assert "Germany" not in page.current_url
    chosen = page.current_url
    wait(page).until(lambda b: b.find_elements(By.CSS_SELECTOR, removal))
    page.find_element(By.CSS_SELECTOR, removal).click()
    wait(page).until(url_to_be(site.url + "/segments"))
    wait(page).until(lambda b: not b.find_elements(By.CSS_SELECTOR, ".chips li"))
    assert page.find_element(By.CSS_SELECTOR, "[name=as_of] option:checked").get_dom_attribute("selected") is not None
    page.back()
    wait(page).until(url_to_be(chosen))
    assert f"as_of={page.find_element(By.NAME, 'as_of').get_attribute('value')}" in chosen


def test_what_is_ticked_while_an_answer_is_under_way_is_not_lost(page: webdriver.Chrome, site: Site) -> None:
    """Both are asked for, however fast they are clicked."""
    page.get(site.url + "/segments")
    page.execute_script(
        "for (const name of ['Germany', 'EIRE']) document.querySelector(`input[value=${name}]`).click();"
        "setTimeout(() => document.querySelector('input[value=\"United Kingdom\"]').click(), 85)"
    )
    wait(page).until(lambda b: len(b.find_elements(By.CSS_SELECTOR, ".chips li")) == 3)
    assert ticked(page) == ["EIRE", "Germany", "United Kingdom"]


def test_text_that_cannot_be_used_is_not_sent_again(page: webdriver.Chrome, site: Site) -> None:
    """A field shows what the page is filtered by, once the keyboard has left it."""
    page.get(site.url + "/customers")
    page.find_element(By.NAME, "spent").send_keys("much", Keys.TAB)
    wait(page).until(lambda b: "cannot be used" in b.find_element(By.TAG_NAME, "body").text)
    assert page.find_element(By.NAME, "spent").get_attribute("value") == ""


def test_a_link_that_is_shared_shows_the_same_to_somebody_else(
    page: webdriver.Chrome, site: Site, tmp_path: Path
) -> None:
    """In a browser that has never been here; the view is one that clicks and filters have made."""
    page.get(site.url + "/customers")
    page.find_element(By.NAME, "spent").send_keys("20", Keys.TAB)
    wait(page).until(lambda b: "spent=20" in b.current_url)
    follow(page, "thead th:first-child a")
    other = chromium(tmp_path / "somebody else")
    try:
        other.get(page.current_url)
        assert other.current_url == page.current_url
        assert shown(other) == shown(page)
        assert other.find_element(By.NAME, "spent").get_attribute("value") == "20"
    finally:
        other.quit()


def shown(browser: webdriver.Chrome) -> tuple[str, list[str]]:
    """What a page says: its filters that are on, and its content."""
    chips = [chip.text for chip in browser.find_elements(By.CSS_SELECTOR, ".chips li")]
    return browser.find_element(By.ID, "main").text, chips


def test_a_form_works_without_javascript(page: webdriver.Chrome, site: Site) -> None:
    page.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    page.get(site.url + "/customers")
    page.find_element(By.NAME, "customer").send_keys("17003", Keys.ENTER)
    wait(page).until(lambda b: b.current_url.endswith("/customers?customer=17003"))
    assert len(page.find_elements(By.CSS_SELECTOR, "tbody tr")) == 1


def test_the_keyboard_alone_reaches_the_content_and_a_list(page: webdriver.Chrome, site: Site) -> None:
    page.get(site.url)
    keys = webdriver.ActionChains(page)
    keys.send_keys(Keys.TAB).perform()
    assert page.switch_to.active_element.text == "Skip to the content"
    page.switch_to.active_element.send_keys(Keys.ENTER)
    for _ in range(60):
        webdriver.ActionChains(page).send_keys(Keys.TAB).perform()
        if "/customers?segment" in (page.switch_to.active_element.get_attribute("href") or ""):
            break
    page.switch_to.active_element.send_keys(Keys.ENTER)
    wait(page).until(lambda b: "/customers?segment" in b.current_url)


def test_the_keyboard_stays_where_it_was_when_a_filter_changes_the_page(page: webdriver.Chrome, site: Site) -> None:
    """On the control that made the change, or the next one that Tab has led to; never back at the top."""
    page.get(site.url + "/segments")
    picked = page.find_element(By.NAME, "as_of")
    picked.send_keys(Keys.ARROW_DOWN)
    wait(page).until(lambda b: "as_of=" in b.current_url)
    assert page.switch_to.active_element.get_attribute("name") == "as_of"
    page.get(site.url + "/customers")
    page.find_element(By.NAME, "spent").send_keys("20", Keys.TAB)
    following = page.switch_to.active_element.text
    wait(page).until(lambda b: "spent=20" in b.current_url and b.find_elements(By.CSS_SELECTOR, ".chips li"))
    assert page.switch_to.active_element.text == following != ""


@pytest.mark.parametrize(
    ("path", "cell"),
    [("/movements", "#matrix td a[href*='from=Loyal'][href*='segment=At+Risk']"), ("/segments", "#grid td a")],
)
def test_a_cell_leads_to_as_many_customers_as_it_says(page: webdriver.Chrome, site: Site, path: str, cell: str) -> None:
    """The one that a key is on, and Back leads to it again."""
    page.get(f"{site.url}{path}?as_of=2011-05")
    link = page.find_element(By.CSS_SELECTOR, cell)
    told, target = int(link.text), link.get_attribute("href")
    link.send_keys(Keys.ENTER)
    wait(page).until(lambda b: b.current_url == target)
    assert len(page.find_elements(By.CSS_SELECTOR, "table.list tbody tr")) == told > 0
    page.back()
    wait(page).until(lambda b: b.find_elements(By.CSS_SELECTOR, cell))
    assert page.find_element(By.CSS_SELECTOR, cell).text == str(told)


def test_hostile_text_runs_nothing_and_nobody_else_is_asked(page: webdriver.Chrome, site: Site) -> None:
    for path in ("/customers?" + urlencode({"country": COUNTRIES[2]}), "/customers/17002", "/products-countries"):
        page.get(site.url + path)
    asked = {
        urlsplit(message["params"]["request"]["url"]).netloc
        for entry in page.get_log("performance")
        for message in [json.loads(entry["message"])["message"]]
        if message["method"] == "Network.requestWillBeSent" and message["params"]["request"]["url"].startswith("http")
    }
    assert asked == {urlsplit(site.url).netloc}
    assert not [entry for entry in page.get_log("browser") if "Content Security Policy" in entry["message"]]


@pytest.mark.parametrize("path", PATHS)
def test_a_page_on_a_phone_has_no_sideways_scroll_and_no_rule_of_axe_is_broken(
    page: webdriver.Chrome, site: Site, path: str
) -> None:
    page.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": 390, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    )
    page.get(site.url + path)
    # A phone lays a page out once more when its styles are there, which on a busy machine is after it has loaded.
    wait(page).until(lambda browser: browser.execute_script("return document.documentElement.scrollWidth") <= 390)
    assert broken_rules(page) == []


@pytest.mark.parametrize("path", PATHS)
def test_at_a_desk_no_rule_of_axe_is_broken(page: webdriver.Chrome, site: Site, path: str) -> None:
    page.get(site.url + path)
    assert page.execute_script("return document.documentElement.scrollWidth") <= 1400
    assert broken_rules(page) == []


@pytest.mark.parametrize("width", [390, 1400])
def test_a_page_that_is_not_there_breaks_no_rule_either(page: webdriver.Chrome, site: Site, width: int) -> None:
    """Nor does one whose database is away."""
    for away in serve(Tables("postgresql://nobody@127.0.0.1:1/none")):
        page.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width == 390},
        )
        for url, said in ((f"{site.url}/nowhere", "no such page"), (f"{away.url}/segments", "cannot be reached")):
            page.get(url)
            assert said in page.find_element(By.TAG_NAME, "h1").text
            assert page.execute_script("return document.documentElement.scrollWidth") <= width
            assert broken_rules(page) == []


def broken_rules(page: webdriver.Chrome) -> list[tuple[str, list[str]]]:
    """The rules of axe that a page breaks, and where."""
    page.execute_cdp_cmd("Runtime.evaluate", {"expression": AXE.read_text()})  # as a page's own script it is refused
    found = page.execute_async_script(
        "const done = arguments[arguments.length - 1];"
        "axe.run(document, {resultTypes: ['violations']}).then(found => done(found.violations))"
    )
    return [(rule["id"], [node["html"][:200] for node in rule["nodes"]]) for rule in found]


def test_a_printed_page_hides_what_only_a_screen_can_use(page: webdriver.Chrome, site: Site) -> None:
    page.get(site.url + "/segments/champions")
    wait(page).until(lambda browser: browser.find_element(By.CSS_SELECTOR, ".filters").is_displayed())
    pdf = base64.b64decode(page.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})["data"])
    sheets = re.findall(rb"/Type /Page\b(?!s)", pdf)
    assert pdf.startswith(b"%PDF") and 2 <= len(sheets) <= 6
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert not page.find_element(By.CSS_SELECTOR, ".filters").is_displayed()
    assert not any(link.is_displayed() for link in page.find_elements(By.CSS_SELECTOR, ".files, .handy"))
    said = page.find_element(By.TAG_NAME, "body").text
    assert all(words in said for words in ("Champions", "What to do", "Data to 5 Jul 2011"))
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


@pytest.mark.parametrize(("path", "sheets"), [("/report", 1), ("/report/champions", 2), ("/report/hibernating", 2)])
def test_a_report_prints_on_as_many_sheets_as_it_promises(
    page: webdriver.Chrome, site: Site, path: str, sheets: int
) -> None:
    page.get(site.url + path)
    pdf = base64.b64decode(page.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})["data"])
    assert len(re.findall(rb"/Type /Page\b(?!s)", pdf)) == sheets


def test_the_address_of_a_view_is_copied_and_the_page_printed(page: webdriver.Chrome, site: Site) -> None:
    address = site.url + "/segments?country=Germany"
    page.get(address)
    page.execute_script(
        "window.print = () => { window.printed = true; };"
        "Object.defineProperty(navigator, 'clipboard', {value: {writeText: async (text) => { window.copied = text; }}})"
    )
    for what in ("copy", "print"):
        page.find_element(By.CSS_SELECTOR, f"[data-{what}]").click()
    wait(page).until(lambda b: b.execute_script("return window.copied") == address)
    assert page.execute_script("return window.printed") is True


@pytest.mark.parametrize("width", [390, 1400])
def test_the_file_of_an_audience_is_copied_whole(page: webdriver.Chrome, site: Site, width: int) -> None:
    """And its box, opened, breaks no rule of axe, nor is it wider than a phone."""
    page.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    )
    page.get(site.url + "/customers?country=Germany&country=EIRE&spent=5")
    page.execute_script(
        "Object.defineProperty(navigator, 'clipboard', {value: {writeText: async (text) => { window.copied = text; }}})"
    )
    page.find_element(By.CSS_SELECTOR, ".save summary").click()
    page.find_element(By.CSS_SELECTOR, ".save [data-copy]").click()
    wait(page).until(lambda b: b.execute_script("return window.copied"))
    shown = page.execute_script("return document.getElementById('audience-file').textContent")
    assert page.execute_script("return window.copied") == shown
    assert shown.endswith("\n") and "where = \"country in ('EIRE', 'Germany') and monetary >= 5\"" in shown
    assert page.execute_script("return document.documentElement.scrollWidth") <= width
    assert broken_rules(page) == []


def test_without_https_the_file_of_an_audience_is_marked_whole(page: webdriver.Chrome, site: Site) -> None:
    """No page may use the clipboard then, and a prompt would make one line of it, which is no TOML."""
    page.get(site.url + "/customers?country=Germany&country=EIRE")
    page.execute_script("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    page.find_element(By.CSS_SELECTOR, ".save summary").click()
    page.find_element(By.CSS_SELECTOR, ".save [data-copy]").click()
    marked = page.execute_script("return getSelection().toString()")
    assert tomllib.loads(marked)["where"] == "country in ('EIRE', 'Germany')"


def test_a_figure_is_saved_as_a_picture(page: webdriver.Chrome, site: Site) -> None:
    page.execute_script(
        "HTMLAnchorElement.prototype.click = function () { window.saved = [this.download, this.href.slice(0, 22)]; }"
    )
    page.find_element(By.CSS_SELECTOR, "#sales [data-png]").click()
    wait(page).until(lambda b: b.execute_script("return window.saved"))
    assert page.execute_script("return window.saved") == ["overview-sales-2011-06.png", "data:image/png;base64,"]
