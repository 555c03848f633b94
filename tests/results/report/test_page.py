"""The page asks nothing of any network, stays small, and shows texts of users as texts."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from results.report.drawing import page as page_module
from results.report.drawing.charts import charts
from results.report.drawing.page import as_json_in_html, page, places_shown
from results.report.drawing.style import score_ends
from results.report.drawing.tables import tables
from results.report.report import Report, make_report
from tests.results.report.sweeps_made_up import epoch, gathered, images, trial

NOW = datetime(2025, 3, 1, 12, 0, tzinfo=UTC)
NASTY = (
    "<script>alert(1)</script>",
    "\"quoted\" & 'single' </script><!--",
    "right\u202eto left \u2028 line \x00 \udcff\nnext",
)
CHARTS = {
    "scores", "depth", "backbone", "cost", "history", "curves", "parallel", "importance",
    "confusion", "calibration", "timeline",
}  # fmt: skip


class Texts(HTMLParser):
    """Collects the elements of a page, its scripts, and its texts."""

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.texts: list[str] = []
        self.scripts: list[str] = []
        self.feed(content.decode("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        is_script = self.tags[-1:] == ["script"]
        (self.scripts if is_script else self.texts).append(data)


@pytest.fixture(scope="module")
def library() -> str:
    """The JavaScript that draws, bundled once."""
    return page_module._library()


@pytest.fixture
def without_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare a test the second that bundling takes."""
    monkeypatch.setattr(page_module, "_library", lambda: "vegaEmbed")


def nasty_report() -> Report:
    name = "{split}/" + "".join(NASTY).replace("{", "").replace("}", "") + "/{place}.jpg"
    return make_report(gathered(images=images(NASTY, name)))


def test_five_hundred_trials_take_at_most_three_megabytes(library: str) -> None:
    curve = [epoch(number, 0.123456789 * number / 2) for number in range(1, 13)]
    many = [replace(trial(number, 0.9), curve=curve, epochs_run=12) for number in range(500)]
    made = make_report(gathered(trials=[*gathered().trials[:5], *many[5:]]))
    a_picture = "data:image/jpeg;base64," + "A" * 9000
    pictures = dict.fromkeys(range(72), a_picture)
    content = page(made, pictures, NOW)
    assert len(library) > 500_000
    assert len(content) < 3_000_000
    assert not re.search(r"(src|href)=\"(https?:)?//", content.decode())


@pytest.mark.usefixtures("without_library")
def test_texts_of_users_stay_texts() -> None:
    made = nasty_report()
    assert made.disagreements
    assert made.suspects
    seen = Texts(page(made, {}, NOW))
    assert seen.tags.count("script") == 3
    together = "".join(seen.texts)
    assert "<script>alert(1)</script>" in together
    assert "\"quoted\" & 'single' </script><!--" in together
    assert "right\u202eto left \u2028 line" in together
    assert "\\udcff" in together


@pytest.mark.usefixtures("without_library")
def test_a_page_names_no_other_place() -> None:
    seen = Texts(page(make_report(gathered()), {2: "data:image/jpeg;base64,AAAA"}, NOW))
    assert seen.links
    assert all(link.startswith(("#", "data:image/jpeg;base64,")) for link in seen.links)


@pytest.mark.usefixtures("without_library")
def test_only_the_scripts_of_the_page_may_run() -> None:
    content = page(make_report(gathered()), {}, NOW).decode()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', content)
    assert policy is not None
    assert policy[1].startswith("default-src 'none'; img-src data:;")
    assert len(re.findall(r"sha256-[A-Za-z0-9+/=]{44}", policy[1].replace("&#43;", "+"))) == 2


def test_json_in_a_page_cannot_end_its_element() -> None:
    inlined = as_json_in_html(NASTY)
    assert not set("<>&\u2028") & set(inlined)
    assert tuple(json.loads(inlined)) == NASTY


def test_there_is_a_chart_for_everything_there_is() -> None:
    made = make_report(gathered())
    drawn = charts(made, validate=True)
    slices = {f"slice-{place}" for place in range(len(made.dimensions))}
    assert set(drawn) == CHARTS | slices
    assert len(slices) == 4
    known = tables(made)
    named = set(re.findall(r'"data": \{"name": "(\w+)"\}', json.dumps(drawn)))
    assert named <= set(known)
    assert len(named) >= 10
    for table in known.values():
        assert len({len(column) for column in table.values()}) <= 1


def test_the_best_tenth_of_what_was_searched_is_coloured() -> None:
    probe_leads = trial(0, 0.99, first="probe")
    others = [trial(n, 0.5 + n / 100) for n in range(1, 21)]
    lines = tables(make_report(gathered(trials=[probe_leads, *others], folds=(), winner=None)))
    known = lines["positions"]
    good = {
        n for n, is_good in zip(known["trial_number"], known["is_good"], strict=True) if is_good
    }
    assert good == {19, 20}


def test_a_sweep_without_a_complete_trial_is_drawn_without_charts_of_winners() -> None:
    made = make_report(gathered(trials=[trial(0, None)], folds=(), winner=None, importance=()))
    assert set(charts(made)) == {"timeline"}


def test_no_text_of_a_user_is_part_of_an_expression() -> None:
    """Vega's parser of expressions refuses some characters, and then draws nothing."""
    drawn = charts(nasty_report())
    assert "confusion" in drawn
    assert "alert(1)" not in json.dumps(drawn)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_stand_out_from_the_paper(scheme: str) -> None:
    """By 4.5 to 1, as https://www.w3.org/TR/WCAG22/#contrast-minimum asks; what is drawn by 3."""
    style = page_module._resource("style.css")
    light, dark = re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    named = dict(re.findall(r"--(\w+): (#\w{6})", light if scheme == "light" else dark))
    for name, least in {
        "ink": 4.5,
        "muted": 4.5,
        "bad": 4.5,
        "good": 4.5,
        "accent": 4.5,
        "grey": 2,
    }.items():
        assert contrast(named[name], named["paper"]) >= least, name


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, from 1 to 21."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour ``#rrggbb``."""
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.usefixtures("without_library")
def test_pictures_are_of_the_images_that_are_shown() -> None:
    made = make_report(gathered())
    shown = places_shown(made)
    assert set(shown) == {0, 1, 2, 3, 4, 5, 6, 7, 35}
    pictures = {place: f"data:image/jpeg;base64,{place:04}" for place in range(36)}
    seen = Texts(page(made, pictures, NOW, reload_s=5))
    assert {link for link in seen.links if link.startswith("data:")} == {
        pictures[place] for place in shown
    }


@pytest.mark.parametrize(
    ("scores", "ends"),
    [
        ([0.96, 0.95, 0.94, 0.93, 0.1], (0.96, 0.90)),
        ([0.9, 0.9, 0.9, 0.5], (0.9, 0.5)),
        ([0.9], (0.9, 0.9)),
    ],
)
def test_one_bad_trial_does_not_squeeze_the_others(
    scores: list[float], ends: tuple[float, float]
) -> None:
    made = make_report(
        gathered(trials=[trial(n, score) for n, score in enumerate(scores)], folds=(), winner=None)
    )
    low, high = score_ends(made)
    margin = max(0.06 * (ends[0] - ends[1]), 0.002)
    assert (low, high) == pytest.approx((ends[1] - margin, ends[0] + margin))
