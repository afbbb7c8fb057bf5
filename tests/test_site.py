"""The built documentation: whole, without a request to anybody, and with every public name and every proof in it."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import re
import subprocess
import sys
import zlib
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from browser import lacking
from invoke import call
from waiting import PATIENCE

import theory
from theory.proof import proofs_of

DOCS = Path(__file__).parents[1] / "docs"
PACKAGES = ("sims.aggregators", "sims.attacks", "sims.contracts", "sims.observers", "sims.optimizers", "sims.problems")
LOADS = {  # tag → its attributes that a browser follows by itself
    "audio": ("src",),
    "embed": ("src",),
    "iframe": ("src",),
    "img": ("src", "srcset"),
    "input": ("src",),
    "link": ("href",),
    "object": ("data",),
    "script": ("src",),
    "source": ("src", "srcset"),
    "track": ("src",),
    "use": ("href", "xlink:href"),
    "video": ("src", "poster"),
}


class Page(HTMLParser):
    """What a page of the site has: links, what it loads, anchors, formulas, and its text outside of code."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.anchors: set[str] = set()
        self.formulas, self.words, self._within = 0, [""], 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.formulas += tag == "math"
        self._within += tag in ("pre", "code", "script", "style", "annotation")
        self.anchors |= {found[name] for name in ("id", "name") if name in found}
        self.loaded += [found[name] for name in LOADS.get(tag, ()) if name in found]
        if tag == "a" and "href" in found:
            self.links.append(found["href"])

    def handle_endtag(self, tag: str) -> None:
        self._within -= tag in ("pre", "code", "script", "style", "annotation")

    def handle_data(self, data: str) -> None:
        if not self._within:
            self.words.append(data)


@pytest.fixture(scope="module")
def site(request, tmp_path_factory):
    """The folder of the site: the one that is given, or one that is built here, warnings being errors."""
    given = request.config.getoption("--site")
    if given:
        return Path(given)
    if not all(map(importlib.util.find_spec, ("sphinx", "myst_parser", "furo"))):
        pytest.skip("the documentation is not built: its extra `docs` is not installed")
    folder = tmp_path_factory.mktemp("docs")
    options = ["--nitpicky", "--fail-on-warning", "--keep-going", "--quiet", "-d", str(folder / "doctrees")]
    command = [sys.executable, "-m", "sphinx", "--builder", "html", *options, str(DOCS), str(folder / "html")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    call("report", "--out", folder / "html" / "report.html")
    return folder / "html"


@pytest.fixture(scope="module")
def pages(site):
    """Every page, by its name."""
    return {str(path.relative_to(site)): Page(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}


def test_no_page_asks_another_host(site, pages):
    asked = {url for page in pages.values() for url in page.loaded if urlsplit(url).netloc}
    assert asked == set()
    for sheet in site.rglob("*.css"):
        text = sheet.read_text(encoding="utf-8")
        urls = re.findall(r"""(?:url\(|@import)\s*["']?([^"')]+)""", text)
        assert not [url for url in urls if urlsplit(url).netloc], sheet
    assert not [script for script in site.rglob("*.js") if "mathjax" in script.name.lower()]


def test_every_link_within_the_site_leads_somewhere(site, pages):
    lost = []
    for name, page in pages.items():
        for link in {*page.links, *page.loaded}:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (site / name).parent / unquote(parts.path) if parts.path else site / name
            target = (target / "index.html" if target.is_dir() else target).resolve()
            if not target.is_file():
                lost.append((name, link))
            elif parts.fragment and target.suffix == ".html":
                there = pages[str(target.relative_to(site.resolve()))].anchors
                if unquote(parts.fragment) not in there:
                    lost.append((name, link))
    assert lost == []


def test_the_first_page_leads_to_the_report(pages):
    assert "report.html" in pages["index.html"].links
    assert pages["report.html"].formulas > 100


def test_formulas_are_set(pages):
    proofs = pages["statements/theorem_iv_centered_clipping.html"]
    assert proofs.formulas > 30
    for name, page in pages.items():
        raw = re.findall(r"\\[a-zA-Z]{2,}|\$[^$\s][^$]*\$", "".join(page.words))
        assert raw == [], name


def test_every_public_name_has_its_entry(site):
    inventory = (site / "objects.inv").read_bytes().split(b"\n", 4)[4]
    there = {line.split()[0] for line in zlib.decompress(inventory).decode().splitlines() if line}
    for package in PACKAGES:
        module = importlib.import_module(package)
        parts = [name for name in module.__all__ if callable(getattr(module, name))]
        parts = [
            name for name in parts if inspect.isclass(getattr(module, name)) or inspect.isroutine(getattr(module, name))
        ]
        assert {f"{package}.{name}" for name in parts} <= there


def test_every_statement_has_a_page_with_its_proofs(site):
    for stem in theory.PAPER:
        text = (site / "statements" / f"{stem}.html").read_text(encoding="utf-8")
        statement = theory.load(stem)
        assert text.count("Proof: ") >= len(statement.proofs)
        for proof in proofs_of(stem, statement.proofs):
            assert proof.file in text
        assert f"verify --only {stem}" in re.sub(r"<[^>]*>", "", text)


def test_the_search_knows_the_rules(site):
    assert '"krum"' in (site / "searchindex.js").read_text(encoding="utf-8")


@pytest.fixture
def browser(request):
    """A Chromium."""
    if lacking():
        pytest.skip(f"the site is not looked at: {lacking()}")
    return request.getfixturevalue("chromium")


@pytest.mark.parametrize("width", [360, 800, 1400])
def test_in_a_browser_every_page_fits_and_asks_nobody(site, pages, browser, width):
    view, wrong = browser.new_page(viewport={"width": width, "height": 900}), []
    view.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    view.on("request", lambda request: None if request.url.startswith("file:") else wrong.append(request.url))
    for name in {*pages} - {"report.html"}:  # which has tests of its own
        view.goto((site / name).resolve().as_uri())
        if view.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
            wrong.append(f"{name} is wider than {width}")
    view.close()
    assert wrong == []


def test_in_a_browser_the_search_finds_krum(site, browser):
    view = browser.new_page()
    view.goto((site / "search.html").resolve().as_uri() + "?q=Krum")
    view.wait_for_selector('#search-results a[href*="api/rules"]', timeout=1000 * PATIENCE)  # results come one by one
    view.close()
