"""The page in a real browser: every chart drawn, nothing asked for, readable at every width."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from results.report.drawing.page import page
from results.report.report import make_report
from tests.results.report.sweeps_made_up import gathered, images
from tests.results.report.test_page import CHARTS, NASTY

CHROMIUM = Path("/usr/bin/chromium")
WIDTHS = (360, 1000, 1600)
A_PICTURE = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8Dw"
    "HwAFBQIAX8jx0gAAAABJRU5ErkJggg=="
)
NUM_TRIALS = 60
COUNT_MARKS = """places => places.map(place => [
    place.dataset.chart, place.querySelectorAll("svg .role-mark path, svg .role-mark line").length
])"""
CUT_TEXTS = """() => [...document.querySelectorAll("svg text")].filter(text => {
    const own = text.getBoundingClientRect();
    const frame = text.ownerSVGElement.getBoundingClientRect();
    return own.width && (own.left < frame.left - 1 || own.right > frame.right + 1);
}).map(text => text.textContent)"""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of images and classes with names that try to be more than names."""
    name = "{split}/" + "".join(NASTY) + "/{place}.jpg"
    known = make_report(gathered(NUM_TRIALS, images=images(NASTY, name)))
    pictures = dict.fromkeys(range(36), A_PICTURE)
    file = tmp_path_factory.mktemp("report") / "it's a #report.html"
    file.write_bytes(page(known, pictures, datetime(2025, 3, 1, tzinfo=UTC)))
    return file


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Debian's Chromium, started once."""
    driver = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not CHROMIUM.exists():
        pytest.skip(f"there is no {CHROMIUM}: apt-get install chromium")
    with driver.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


class Visit:
    """One look at a page: what was said in the console, what was asked for, what is there."""

    def __init__(self, browser: Any, file: Path, width: int, scheme: str = "light") -> None:
        self.said: list[str] = []
        self.asked: list[str] = []
        self.tab = browser.new_page(
            viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True
        )
        self.tab.route("**/*", lambda route: route.abort())
        self.tab.route(file.as_uri(), lambda route: route.continue_())
        self.tab.set_default_timeout(10_000)
        self.tab.on("console", lambda message: self.said.append(message.text))
        self.tab.on("pageerror", lambda error: self.said.append(str(error)))
        self.tab.on("request", lambda request: self.asked.append(request.url))
        self.tab.on("dialog", lambda dialog: self.said.append(f"dialog {dialog.message}"))
        self.tab.goto(file.as_uri())
        self.tab.wait_for_selector("html[data-drawn=all]")


@pytest.mark.parametrize("width", WIDTHS)
def test_every_chart_is_drawn_at_every_width(browser: Any, file: Path, width: int) -> None:
    visit = Visit(browser, file, width)
    assert visit.said == []
    assert [url for url in visit.asked if not url.startswith("data:")] == [file.as_uri()]
    marks = dict(visit.tab.eval_on_selector_all("[data-chart]", COUNT_MARKS))
    assert {name for name in marks if not name.startswith("slice-")} == CHARTS
    assert min(marks.values()) > 0
    assert marks["history"] >= NUM_TRIALS - 1  # one has no score
    assert marks["curves"] >= 3 * (NUM_TRIALS - 1)
    assert marks["timeline"] == NUM_TRIALS
    assert marks["confusion"] == len(NASTY) ** 2
    assert visit.tab.evaluate("document.documentElement.scrollWidth") <= width
    assert visit.tab.evaluate(CUT_TEXTS) == []
    visit.tab.close()


def test_names_that_try_to_be_markup_are_shown_as_they_are(browser: Any, file: Path) -> None:
    visit = Visit(browser, file, 1000, "dark")
    named = visit.tab.eval_on_selector_all("bdi", "found => found.map(e => e.textContent)")
    shown = "\n".join(named)
    assert "<script>alert(1)</script>" in shown
    assert "\"quoted\" & 'single' </script><!--" in shown
    assert "right\u202eto left \u2028 line" in shown
    assert visit.tab.evaluate("document.scripts.length") == 3
    labels = visit.tab.eval_on_selector_all("svg text", "found => found.map(e => e.textContent)")
    assert any(label.startswith("<script>alert(1)") for label in labels)
    assert visit.said == []
    visit.tab.close()


def test_the_page_can_be_printed(browser: Any, file: Path) -> None:
    visit = Visit(browser, file, 1000)
    printed = visit.tab.pdf(format="A4")
    assert printed.startswith(b"%PDF")
    assert len(printed) > 50_000
    visit.tab.emulate_media(media="print", color_scheme="dark")
    paper = "getComputedStyle(document.body).backgroundColor"
    assert visit.tab.evaluate(paper) == "rgb(255, 255, 255)"
    visit.tab.close()
