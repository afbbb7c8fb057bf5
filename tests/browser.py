"""The browser that the report is looked at with: Debian's Chromium, driven by playwright."""

from __future__ import annotations

import importlib.util

from byzcheck.report.printed import browser

CHROMIUM = browser()
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def lacking() -> str | None:
    """Why the report cannot be looked at here; None where it can."""
    libraries = {"playwright": "playwright", "axe-playwright-python": "axe_playwright_python"}
    absent = [name for name, module in libraries.items() if importlib.util.find_spec(module) is None]
    absent += [] if CHROMIUM else ["Chromium"]
    return f"there is no {' and no '.join(absent)} here" if absent else None
