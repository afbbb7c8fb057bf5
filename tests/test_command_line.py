"""The command line: what it prints and writes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import tiny_statements as tiny
from invoke import call, everything, make_checkout, refused, verify
from waiting import PATIENCE

import byzcheck
import theory
from byzcheck.commands.arguments import stems

BOTH = ("definition_x_die", "theorem_y_coin")
ROOT = Path(__file__).parents[1]


@pytest.fixture
def paper(monkeypatch):
    """Put tiny statements in the place of the paper's."""
    tiny.in_place_of_the_paper(monkeypatch, *BOTH)
    return tiny.install


@pytest.fixture
def checkout(monkeypatch, tmp_path):
    """An empty checkout around the tiny statements."""
    return make_checkout(monkeypatch, tmp_path, *BOTH)


@pytest.mark.parametrize("columns", [80, 100])
def test_verify_prints_tables_and_progress(paper, columns):
    result = verify(columns=columns)
    for words in (
        "Definition X",
        "△ constant, 0 of 1",
        "● proved",
        "◐ supported",
        "2/2",
        "1 of 2 statements",
        "seed 0",
    ):
        assert words in result.stdout
    assert "The mean of a die is 3." not in result.stdout
    assert "The mean of a die is 3." in verify("--points", columns=columns).stdout
    assert "…" not in result.stdout
    assert "false alarm ≤ 4e-9" in result.stdout
    assert all(len(line) <= columns for line in result.stdout.splitlines())
    assert result.stderr.splitlines()[0].startswith("1/2  Definition X: 4 checks")


@pytest.mark.parametrize(
    ("texts", "stems"),
    [
        ([], BOTH),
        (["theorem_y_coin,definition_x_die"], BOTH),
        (["Theorem Y", "theorem"], BOTH[1:]),
        (["definition_x"], BOTH[:1]),
    ],
)
def test_only(paper, texts, stems):
    assert theory.stems_of(texts) == list(stems)


def test_whole_words_win_over_beginnings(monkeypatch):
    monkeypatch.setattr(theory, "PAPER", ("theorem_i_a", "theorem_iii_b", "theorem_iv_c"))
    assert [theory.stems_of([t])[0] for t in ("Theorem I", "theorem_ii", "THEOREM IV", "theorem_iii_b")] == [
        "theorem_i_a",
        "theorem_iii_b",
        "theorem_iv_c",
        "theorem_iii_b",
    ]
    with pytest.raises(ValueError, match="may be any of theorem_i_a, theorem_iii_b, theorem_iv_c"):
        theory.stems_of(["theor"])


def test_json_alone_on_stdout(paper):
    result = verify("--json", "-", "--seed", 4, "--budget", "quick")
    run = json.loads(result.stdout)
    assert (run["seed"], run["budget"], run["backend"]) == (4, "quick", "numpy")
    assert [s["stem"] for s in run["statements"]] == list(BOTH)
    assert "Definition X" in result.stderr


def test_json_into_a_file_that_keeps_its_mode(paper, tmp_path):
    target = tmp_path / "run.json"
    target.write_text("old", encoding="utf-8")
    target.chmod(0o640)
    result = verify("--only", "theorem_y", "--json", target)
    assert "Theorem Y" in result.stdout
    assert json.loads(target.read_text(encoding="utf-8"))["statements"][0]["corrected"] is None
    assert target.stat().st_mode & 0o777 == 0o640
    assert [p.name for p in tmp_path.iterdir()] == ["run.json"]


def test_an_uncaught_control_is_named_and_fails(paper, tmp_path):
    paper("remark_v_vacuous")
    result = verify("--json", tmp_path / "run.json", code=1)
    assert "claim mean: control “the same” came out as holds and must be refuted: it is not" in " ".join(
        result.stderr.split()
    )
    assert (tmp_path / "run.json").is_file()


def test_write_then_check_then_show(checkout):
    result = verify("--write")
    assert "recorded in theory/recorded.json" in result.stderr
    written = everything(checkout)
    assert json.loads(written["theory/recorded.json"])["statements"]["definition_x_die"]["printed"] == "refuted"
    assert json.loads(written["figures/data/definition_x_die.json"]) == {"share": 0.166667, "sides": [1, 2, 3, 4, 5, 6]}
    assert "[Theorem Y](theory/theorem_y_coin.py)" in written["paper_checks.md"]
    assert written["paper_checks.md"].endswith("Prose.\n")
    verify("--write")
    assert everything(checkout) == written  # byte for byte
    assert "nothing contradicts" in verify("--check").stderr
    assert "nothing contradicts" in verify("--check", "--only", "theorem_y", "--seed", 1).stderr
    shown = call("show", "Definition X").stdout
    for words in (
        "A fair die shows 3 on average.",
        "△ constant",
        "3.5 = 3",
        "control 7/2 → holds, as it must",
        "7/2",
        "byzcheck verify --only definition_x_die",
    ):
        assert words in shown
    listed = call("list").stdout
    assert all(words in listed for words in (*BOTH, "Heads come up half of the time", "△ constant", "◐ supported"))


def test_check_names_what_contradicts_the_record(checkout):
    verify("--write")
    old = json.loads((checkout / "theory/recorded.json").read_text(encoding="utf-8"))
    old["statements"]["theorem_y_coin"]["claims"]["half"]["verdict"] = "refuted"
    del old["statements"]["definition_x_die"]
    (checkout / "theory/recorded.json").write_text(json.dumps(old), encoding="utf-8")
    before = everything(checkout)
    result = verify("--check", code=1)
    assert "theorem_y_coin: claim half: recorded refuted, now supported" in result.stderr
    assert "definition_x_die: not recorded" in result.stderr
    assert everything(checkout) == before


def test_write_records_an_undecided_claim_and_fails(checkout):
    tiny.install(*BOTH, "remark_v_vacuous")
    result = verify("--write", code=1)
    assert "undecided: Remark V, claim mean" in result.stderr
    assert (
        json.loads(everything(checkout)["theory/recorded.json"])["statements"]["remark_v_vacuous"]["printed"]
        == "undecided"
    )


def test_show_and_list_run_nothing_unless_asked(checkout):
    tiny.install("theorem_w_wrong", "theorem_y_coin")  # the first would raise
    assert "not recorded" in call("show", "theorem_w").stdout
    assert "theorem_w_wrong" in call("list").stdout
    assert "◐ supported" in call("show", "theorem_y", "--run", "--jobs", 1).stdout


def python(*arguments, **env):
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | env
    command = [sys.executable, *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=PATIENCE)


def test_help_imports_nothing_heavy():
    program = """
import atexit, sys
sys.argv[1:] = ["--help"]
atexit.register(lambda: print(*sys.modules, sep="\\n"))
from byzcheck.__main__ import main
main()
"""
    found = python("-c", program)
    assert "verify" in found.stdout
    assert not {"numpy", "scipy", "matplotlib", "rich.table", "theory.claim"} & set(found.stdout.split())


def test_exit_code_and_sentence_of_the_program():
    found = python("-m", "byzcheck", "verify", "--only", "nothing")
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr.startswith("byzcheck: unknown statement 'nothing'")
    assert len(found.stderr.splitlines()) == 1


def test_output_survives_an_ascii_terminal():
    found = python(tiny.__file__, "verify", "--jobs", "1", PYTHONIOENCODING="ascii")
    assert found.returncode == 0, found.stderr
    assert "? constant, 0 of 1" in found.stdout


def test_write_of_some_keeps_what_else_is_recorded(checkout):
    verify("--write")
    written = everything(checkout)
    recorded = json.loads(written["theory/recorded.json"])
    recorded["statements"]["theorem_y_coin"]["title"] = "An older title"
    (checkout / "theory/recorded.json").write_text(json.dumps(recorded), encoding="utf-8")
    verify("--write", "--only", "Definition X")
    found = everything(checkout)
    assert json.loads(found["theory/recorded.json"]) == recorded
    assert "An older title" in found["paper_checks.md"]
    verify("--write", "--only", "theorem_y")
    assert everything(checkout) == written


def test_write_of_some_leaves_the_rows_of_the_others_where_they_are(checkout):
    verify("--write")
    written = everything(checkout)
    rows = [line for line in written["paper_checks.md"].splitlines() if line.startswith("| 8 |")]
    assert [row.split(" | ")[1] for row in rows] == ["Some throws show heads.", "Heads in half of the throws."]
    verify("--write", "--only", "Definition X")
    assert everything(checkout) == written
    recorded = json.loads(written["theory/recorded.json"])  # a claim that is no longer made comes last
    claims = recorded["statements"]["theorem_y_coin"]["claims"]
    claims["few"] = claims["half"] | {"text": "Few throws show heads."}
    (checkout / "theory/recorded.json").write_text(json.dumps(recorded), encoding="utf-8")
    verify("--write", "--only", "Definition X")
    text = everything(checkout)["paper_checks.md"]
    assert text.index("Some throws") < text.index("Heads in half of the throws") < text.index("Few throws")


def test_write_needs_statements_that_import(checkout, monkeypatch):
    verify("--write")
    written = everything(checkout)
    monkeypatch.setattr(theory, "PAPER", (*BOTH, "theorem_n_nowhere"))
    command = ("verify", "--jobs", 1, "--write", "--only", "theorem_y")
    assert "theory/theorem_n_nowhere.py does not import: ModuleNotFoundError" in refused(*command)
    assert everything(checkout) == written


@pytest.mark.parametrize("text", ["{}", "[]", "null", '{"statements": {}}', '{"schema": 1, "statements": {}}'])
def test_a_record_of_another_kind_is_told_in_one_sentence(checkout, text):
    (checkout / "theory/recorded.json").write_text(text, encoding="utf-8")
    for command in (("list",), ("show", "theorem_y"), ("verify", "--check", "--jobs", 1)):
        assert "byzcheck verify --write" in refused(*command)


def test_list_and_show_as_json(checkout, tmp_path):
    verify("--write")
    rows = json.loads(call("list", "--json", "-").stdout)
    assert [row["stem"] for row in rows] == list(BOTH)
    assert (rows[0]["printed"], rows[0]["fault"]["severity"]) == ("refuted", "constant")
    call("show", "theorem_y", "--json", tmp_path / "coin.json")
    kept = json.loads((checkout / "theory/recorded.json").read_text(encoding="utf-8"))
    assert json.loads((tmp_path / "coin.json").read_text(encoding="utf-8")) == kept["statements"]["theorem_y_coin"]
    assert "is not recorded" in refused_unrecorded(checkout)


def refused_unrecorded(checkout):
    tiny.install(*BOTH, "theorem_w_wrong")
    return refused("show", "theorem_w", "--json", "-")


@pytest.mark.parametrize(
    ("text", "stem"),
    [
        ("Theorem 3", "theorem_iii_limits"),
        ("thm iii", "theorem_iii_limits"),
        ("THM. IV", "theorem_iv_centered_clipping"),
        ("th 1", "theorem_i_middle_seekers"),
        ("eq 1", "equation_1_momentum_forms"),
        ("Equation (1)", "equation_1_momentum_forms"),
        ("cor 5", "corollary_v_iterations"),
        ("rem ii", "remark_2_memoryless"),
        ("Remark 5", "remark_5_rate"),
        ("def C", "definition_c_robust_aggregator"),
        ("cex i", "counterexample_1_bimodal"),
        ("Figure 2", "counterexample_3_heavy_tail"),
        ("fig. 3", "theorem_ii_lower_bound"),
        ("algorithm 1", "algorithm_1_clipping"),
    ],
)
def test_statements_are_found_as_people_write_them(text, stem):
    assert theory.load(text).stem == stem


@pytest.mark.parametrize("text", ["Theorem 8", "thm", "Figure 9", "", "Krum", "§"])
def test_what_names_no_statement_is_refused(text):
    with pytest.raises(ValueError, match=r"unknown statement|may be any of"):
        theory.load(text)


def test_show_says_where_a_word_is():
    result = call("show", "Krum")
    assert "Krum is not a statement; it is in these:" in result.stdout
    assert "Counterexample 3" in result.stdout
    assert "Theorem IV" not in result.stdout
    assert "unknown statement 'Krumm'" in refused("show", "Krumm")


def test_short_help_and_version():
    assert call("-h").stdout == call("--help").stdout
    assert call("--version").stdout == f"byzcheck {byzcheck.__version__}\n"
    assert "STATEMENT" in call("show", "-h").stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("verify", "--budgt", "x"), "No such option"),
        (("nope",), "No such command"),
        (("show",), "Missing argument"),
        (("verify", "--seed", "x"), "Invalid value"),
    ],
)
def test_the_parser_refuses_in_one_sentence_too(arguments, words):
    assert words in refused(*arguments)


def test_stems_are_completed():
    assert stems("theorem_i")[:2] == ["theorem_i_middle_seekers", "theorem_ii_lower_bound"]
    assert stems("X") == []


@pytest.mark.parametrize(
    ("text", "near"),
    [("Theorm IV", "theorem_iv_centered_clipping"), ("Therem III", "theorem_iii_limits"), ("remrk 5", "remark_5_rate")],
)
def test_a_slip_of_the_pen_is_told_what_was_meant(text, near):
    with pytest.raises(ValueError, match=f"did you mean {near}"):
        theory.load(text)


@pytest.mark.parametrize("text", ["Lemma 1", "Section 9", "4", ""])
def test_what_is_like_no_statement_is_told_none(text):
    assert "did you mean" not in refused("show", text)


def test_show_takes_words_and_looks_at_its_output_first(checkout):
    verify("--write")
    assert call("show", "Theorem", "Y").stdout == call("show", "Theorem Y").stdout
    for command in (("show", "theorem_y"), ("list",)):
        assert "cannot write into" in refused(*command, "--json", "nowhere/x.json")
