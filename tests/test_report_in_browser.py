"""The report in a real browser shows what it is meant to: in both colours, at each width, without JavaScript too."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import lacking
from invoke import call

from byzcheck.report.panels import PANELS, SENTENCES
from byzcheck.report.sliders import shown

pytestmark = pytest.mark.skipif(lacking() is not None, reason=lacking() or "")
WIDTHS = (360, 800, 1400)
FONT = "STIX Two Math Subset"
OTHER = {  # another value of each field than the first one, where all hypotheses hold
    "n": 30, "f": 4, "F": 7, "delta": 0.2, "rho": 3, "B": 40, "l": 3, "T": 20, "F0": 7, "sigma": 0.5, "L": 4, "mu": 0.1,
}  # fmt: skip
OPEN = "document.querySelectorAll('details').forEach((one) => { one.open = true })"


@pytest.fixture(scope="session")
def report(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    call("report", "--out", str(path))
    return path


@pytest.fixture
def visit(chromium, report) -> Iterator:
    """Open the report in a new window; it keeps what went wrong (`complaints`) and what was asked for (`requests`)."""
    contexts = []

    def open_(width: int = 1400, **options):
        context = chromium.new_context(viewport={"width": width, "height": 900}, **options)
        contexts.append(context)
        page = context.new_page()
        page.complaints, page.requests = [], []
        page.on("console", lambda said: page.complaints.append(f"{said.type}: {said.text}"))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on("request", lambda request: page.requests.append(request.url))
        page.goto(report.as_uri())
        page.evaluate("document.fonts.ready") if options.get("java_script_enabled", True) else None
        return page

    yield open_
    for context in contexts:
        context.close()


def test_nothing_goes_wrong_and_nothing_is_asked_for(visit, report):
    page = visit()
    for handle in page.query_selector_all("form[data-panel] input[type=range]"):
        handle.evaluate("(one) => { one.value = one.max; one.dispatchEvent(new Event('input', { bubbles: true })) }")
    page.fill("#search", "Krum")
    page.click("#scheme")
    page.evaluate(OPEN)
    assert page.complaints == []
    assert [url for url in page.requests if not url.startswith("data:")] == [report.as_uri()]


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_wider_than_the_window(visit, width):
    page = visit(width)
    for _ in range(2):  # closed, then open
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.evaluate(OPEN)


def test_formulas_are_in_their_font(visit):
    """Every glyph of every formula is from the font that the page brings along."""
    page = visit()
    page.evaluate(OPEN)
    client = page.context.new_cdp_session(page)
    client.send("DOM.enable")
    client.send("CSS.enable")
    root = client.send("DOM.getDocument")["root"]["nodeId"]
    nodes = client.send("DOM.querySelectorAll", {"nodeId": root, "selector": "math"})["nodeIds"]
    assert len(nodes) > 100
    other: dict[str, list[str]] = {}
    for node in nodes:
        for used in client.send("CSS.getPlatformFontsForNode", {"nodeId": node})["fonts"]:
            if not used["isCustomFont"]:
                text = client.send("DOM.getOuterHTML", {"nodeId": node})["outerHTML"]
                other.setdefault(used["familyName"], []).append(re.sub(r"<[^>]*>", "", text))
    assert not other
    assert page.evaluate(f"document.fonts.check('16px \"{FONT}\"')")
    width = "document.querySelector('.corrected math:not([display])').getBoundingClientRect().width"
    before = page.evaluate(width)
    page.add_style_tag(content="math { font-family: serif !important }")
    assert page.evaluate(width) != before


@pytest.fixture(scope="module")
def panels(chromium, report):
    """One window for all panels: none of them changes what another shows."""
    page = chromium.new_page()
    page.goto(report.as_uri())
    yield page
    page.close()


@pytest.mark.parametrize("stem", PANELS)
def test_fields_move_the_numbers_to_those_of_python(panels, stem):
    panel, form = PANELS[stem], panels.locator(f"form[data-panel={stem}]")
    first = panel.fields[0]  # n or δ

    def told() -> dict[str, str]:
        outputs = form.locator("output").all()
        return {output.get_attribute("name"): output.inner_text() for output in outputs}

    def ours(**values: float) -> dict[str, str]:
        found = panel.numbers(**values)
        return {name: shown(found[name]) for name in panel.rows}

    def put(**values: object) -> None:
        for name, value in values.items():
            form.locator(f"input[name={name}]").fill(str(value))

    assert told() == ours()
    values = {field.name: OTHER[field.name] for field in panel.fields}
    put(**values)
    assert told() == ours(**values) != ours()
    put(**{first.name: "6" if first.name == "n" else "0.55"})
    assert form.locator("[role=status]").inner_text() == SENTENCES["half"]
    assert set(told().values()) == {"—"}
    put(**{first.name: ""})
    assert form.locator("[role=status]").inner_text() == SENTENCES["range"]
    form.get_by_role("button").click()
    panels.wait_for_function("(form) => form.querySelector('output').value !== '—'", arg=form.element_handle())
    assert told() == ours()
    assert form.locator("[role=status]").inner_text() == ""


@pytest.mark.parametrize("stem", PANELS)
def test_sliders_move_their_fields(panels, stem):
    panel, form = PANELS[stem], panels.locator(f"form[data-panel={stem}]")
    for field, slider in zip(panel.fields, form.locator("input[type=range]").all(), strict=True):
        for end, key in ((field.most, "End"), (field.least, "Home")):
            slider.press(key)
            assert float(form.locator(f"input[name={field.name}]").input_value()) == pytest.approx(end)
        slider.press("ArrowRight")
        moved = float(form.locator(f"input[name={field.name}]").input_value())
        assert moved > field.least or field.log  # a twentieth of a power of ten above 1 is still 1 round
        form.locator(f"input[name={field.name}]").fill(str(field.value))
        assert float(slider.input_value()) == pytest.approx(field.handle["value"], abs=field.handle["step"])
    assert {o.get_attribute("name"): o.inner_text() for o in form.locator("output").all()} == {
        name: shown(number) for name, number in panel.numbers().items() if name in panel.rows
    }


def test_the_search_finds_krum(visit):
    page = visit()
    seen = "[...document.querySelectorAll('[data-find]')].filter((one) => !one.hidden).length"
    every = page.evaluate(seen)
    page.locator("#search").press_sequentially("krum")  # key by key, as a person does
    rows = page.locator("main tbody tr:visible", has_text=re.compile("krum", re.IGNORECASE))
    assert rows.count() >= 3
    assert re.fullmatch(r"Found in \d+ sections and \d+ rows\.", page.inner_text("#found"))
    sections = int(re.search(r"\d+", page.inner_text("#found"))[0])
    assert page.evaluate(seen) == sections < every
    page.fill("#search", "xyzzy")
    assert page.inner_text("#found") == "Found in 0 sections and 0 rows."
    page.press("#search", "Escape")
    assert page.evaluate(seen) == every
    assert page.inner_text("#found") == ""
    page.fill("#search", "Kappa")  # a Greek letter's name finds the letter
    assert page.evaluate(seen) > 0


def test_colours_follow_the_system_and_the_button(visit):
    paper = "getComputedStyle(document.body).backgroundColor"
    light, dark = visit(color_scheme="light"), visit(color_scheme="dark")
    assert light.evaluate(paper) == "rgb(255, 255, 255)"
    night = dark.evaluate(paper)
    assert sum(map(int, re.findall(r"\d+", night))) < 150
    light.click("#scheme")
    assert light.evaluate(paper) == night
    light.reload()
    assert light.evaluate(paper) == night  # it remembers
    light.click("#scheme")
    assert light.evaluate("[document.documentElement.dataset.theme, localStorage.theme]") == [None, None]
    light.emulate_media(color_scheme="dark")
    assert light.evaluate(paper) == night


def test_the_keyboard_reaches_everything_in_the_order_of_the_page(visit):
    page = visit()
    page.evaluate("document.querySelectorAll('*').forEach((one, i) => { one.place = i })")
    places = []
    for _ in range(120):
        page.keyboard.press("Tab")
        place, outline, name = page.evaluate(
            "(() => { const one = document.activeElement; const style = getComputedStyle(one);"
            "return [one.place, `${style.outlineStyle} ${style.outlineWidth}`, one.outerHTML.slice(0, 80)] })()"
        )
        places.append(place)
        assert outline.split()[0] != "none", name
        assert float(outline.split()[1].removesuffix("px")) >= 1, name
    assert all(a < b for a, b in itertools.pairwise(places))
    assert page.evaluate("[...document.querySelectorAll('[tabindex]')].every((one) => one.tabIndex <= 0)")
    levels = page.evaluate(
        "[...document.querySelectorAll('h1, h2, h3, h4, h5, h6')].map((one) => Number(one.tagName[1]))"
    )
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def violations(page, **options) -> list[str]:
    """What axe finds; formulas it does not look into, of which it knows nothing."""
    from axe_playwright_python.sync_playwright import Axe

    options = {"resultTypes": ["violations"], **options}
    found = Axe().run(page, context={"exclude": [["math"]]}, options=options).response["violations"]
    return [f"{one['id']}: {one['help']}: {one['nodes'][0]['html'][:200]} ({len(one['nodes'])})" for one in found]


def test_axe_finds_nothing(visit):
    page = visit()
    page.evaluate(OPEN)
    # What scrolls can be reached by the keyboard in Chromium and Firefox without a tabindex, which axe does not know.
    without = {"color-contrast": {"enabled": False}, "scrollable-region-focusable": {"enabled": False}}
    assert not violations(page, rules=without)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast_is_enough(visit, scheme):
    """Of all kinds of text that there are: one statement is open, and one card."""
    page = visit(color_scheme=scheme)
    page.evaluate("document.querySelectorAll('.statement:has(form) ~ .statement').forEach((one) => { one.remove() })")
    page.evaluate(OPEN)
    page.evaluate("document.querySelectorAll('.card ~ .card').forEach((one) => { one.remove() })")
    assert page.locator("form[data-panel]").count() == 1
    assert not violations(page, runOnly=["color-contrast"])


def test_what_scrolls_can_be_reached_by_the_keyboard(visit):
    page = visit(360)
    page.evaluate(OPEN)
    wide = "[...document.querySelectorAll('math[display=block]')].filter((one) => one.scrollWidth > one.clientWidth)"
    assert page.evaluate(f"{wide}.length") > 0
    page.evaluate(f"window.wide = {wide}[0]")
    before = "[...document.querySelectorAll('summary')].filter((one) => one.compareDocumentPosition(window.wide) & 4)"
    page.evaluate(f"{before}.at(-1).focus()")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement === window.wide")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("window.wide.scrollLeft > 0")


def test_it_reads_without_javascript(visit):
    page = visit(java_script_enabled=False)
    assert page.locator("#search").is_hidden()
    for stem, panel in PANELS.items():
        numbers = panel.numbers()
        for name in panel.rows:
            assert page.locator(f"#{stem}-numbers-{name}").inner_text() == shown(numbers[name])
        assert page.locator(f"form[data-panel={stem}] noscript").is_visible()
    page.locator("details.proof > summary").first.click()
    assert page.locator("details.proof math").first.is_visible()


def test_it_prints(visit):
    """Every proof is in the print, and no control of the page."""
    page = visit()
    pages = len(re.findall(rb"/Type\s*/Page\b", page.pdf(prefer_css_page_size=True)))
    assert 20 <= pages <= 200
    page.emulate_media(media="print")
    assert page.locator("details.proof math").first.is_visible()
    assert page.locator("#search, nav, form input").first.is_hidden()
