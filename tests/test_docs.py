"""What the pages of docs/ show is what comes of their blocks: each is run, or says why not."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from documented import DOCS, PAGES, Block, Reader, blocks, compare

from byzcheck.checkout import recorded_statements
from byzcheck.show.words import tally

NOT_RUN = {  # page → how many of its blocks
    "audit.md": 1,
    "clusters.md": 9,
    "faq.md": 2,
    "index.md": 1,
    "neural.md": 2,
    "own.md": 1,
    "proofs.md": 1,
}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_does_what_it_says(page, tmp_path):
    reader = Reader(page, tmp_path)
    with reader.at_work():
        for block in blocks(page):
            reader.take(block)


def test_only_these_blocks_are_not_run():
    left_out = Counter(page for page in PAGES for block in blocks(page) if block.left_out)
    assert left_out == NOT_RUN


def test_the_tally_on_the_first_page_is_the_recorded_one():
    shown = (DOCS / "index.md").read_text(encoding="utf-8")
    printed, corrected, _ = tally(list(recorded_statements().values()))
    assert f"\n{printed}\n{corrected}\n" in shown


def test_every_mark_is_one_that_is_read():
    known = r"(file: \S+|exits with \d|not run: .{10,})"
    comments = [comment for page in PAGES for comment in re.findall(r"<!--(.*?)-->", (DOCS / page).read_text("utf-8"))]
    assert all(re.fullmatch(f" {known} ", comment) for comment in comments)
    marks = [block.mark for page in PAGES for block in blocks(page) if block.mark]
    assert len(marks) == len(comments)  # each stands above a block


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("a\nb", "a\nb\n"),
        ("a\n…\nd", "a\nb\nc\nd"),
        ("a … d", "a 1 2 d"),
        ("…\nd", "d"),
        ("  a\n", "  a   \n\n"),
    ],
)
def test_what_is_shown_may_leave_something_out(shown, printed):
    compare("here", shown, printed)


@pytest.mark.parametrize(
    ("shown", "printed"),
    [("a", "b"), ("a\nb", "a"), ("a\n…", "b\na"), ("a … d", "a\nd"), ("a", "a\nb"), ("1.5", "1x5")],
)
def test_what_is_shown_must_be_there(shown, printed):
    with pytest.raises(AssertionError, match="here"):
        compare("here", shown, printed)


@pytest.mark.parametrize(
    ("language", "text", "error"),
    [
        ("python", "assert 1 == 2", AssertionError),
        ("python", ">>> 1 + 1\n3\n", Exception),
        ("text", "nothing printed this", AssertionError),
        ("console", "$ byzcheck list --nothing", AssertionError),
        ("console", "$ byzcheck --version\nbyzcheck 17", AssertionError),
        ("console", "byzcheck list", AssertionError),
        ("console", "$ rm mine.py", KeyError),
        ("toml", "n = 5", AssertionError),
        ("", "some text", AssertionError),
        ("sh", "byzcheck list", AssertionError),
    ],
)
def test_a_block_that_is_wrong_is_noticed(language, text, error, tmp_path):
    reader = Reader("a.md", tmp_path)
    with reader.at_work(), pytest.raises(error):
        reader.take(Block("a.md:1", language, (), "", text))


def test_a_block_that_is_left_out_is_not_run(tmp_path):
    reader = Reader("a.md", tmp_path)
    with reader.at_work():
        reader.take(Block("a.md:1", "python", (), "not run: a reason that is given", "1 / 0"))
        reader.take(Block("a.md:1", "python", ("no_such_library",), "", "1 / 0"))
    assert reader.ran == 0
