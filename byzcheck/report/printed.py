"""The report on paper: Chromium prints it, in the page's own style for paper."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
OPTIONS = ("--headless", "--disable-gpu", "--no-first-run", "--disable-background-networking")
PRINT = (
    "--no-pdf-header-footer",
    "--disable-pdf-tagging",
)  # with tags, which the page itself has, it is seven times as long
SECONDS = 300  # of a machine that is busy; a quiet one takes ten


def browser() -> str | None:
    """The program that prints; None where there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def needed() -> str:
    """The program that prints; a `ValueError` where there is none."""
    if (program := browser()) is None:
        raise ValueError(f"a PDF is printed by Chromium, and there is none here (looked for {', '.join(NAMES)})")
    return program


def as_pdf(page: str) -> bytes:
    """A page of HTML, printed.

    Raises `ValueError` where there is no Chromium, or where it prints nothing.
    """
    program = needed()
    with tempfile.TemporaryDirectory() as folder:
        source, out = Path(folder, "report.html"), Path(folder, "report.pdf")
        source.write_text(page, encoding="utf-8")
        root = ("--no-sandbox",) if hasattr(os, "geteuid") and os.geteuid() == 0 else ()  # it does not run otherwise
        profile = f"--user-data-dir={Path(folder, 'profile')}"
        command = [program, *OPTIONS, *PRINT, *root, profile, f"--print-to-pdf={out}", source.as_uri()]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ValueError(f"{program} did not print the report: {error}") from None
        if not out.is_file():
            said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
            raise ValueError(f"{program} did not print the report (exit {done.returncode}): {said}")
        return out.read_bytes()
