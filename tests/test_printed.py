"""The report as a PDF: Chromium prints it, and what it lacks is said in a sentence."""

from __future__ import annotations

import re
import stat

import pytest
from browser import CHROMIUM
from invoke import refused

from byzcheck.report import printed
from byzcheck.report.printed import as_pdf

there_is = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium, which prints the report")


@there_is
def test_a_page_is_printed():
    page = "<title>A title</title><style>@page { size: A5 }</style><p>one<p style='break-before: page'>two"
    found = as_pdf(page)
    assert found.startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page\b", found)) == 2


def test_without_a_browser_it_says_so(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ValueError, match=r"printed by Chromium, and there is none here \(looked for chromium, "):
        as_pdf("")


@pytest.mark.parametrize(
    ("script", "said"), [("echo out of paper >&2; exit 3", r"\(exit 3\): out of paper"), ("sleep 9", "timed out")]
)
def test_a_browser_that_prints_nothing_is_named(monkeypatch, tmp_path, script, said):
    program = tmp_path / "chromium"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(printed, "browser", lambda: str(program))
    monkeypatch.setattr(printed, "SECONDS", 1)
    with pytest.raises(ValueError, match=rf"chromium did not print the report.*{said}"):
        as_pdf("")


def test_the_command_refuses_in_a_sentence(monkeypatch, tmp_path):
    monkeypatch.setattr(printed, "browser", lambda: None)
    assert "printed by Chromium" in refused("report", "--out", tmp_path / "paper.pdf")
    assert not (tmp_path / "paper.pdf").exists()
