"""One statement, one stem: files, tests, rows and figures agree; and so do sweeps, their figures and findings."""

from __future__ import annotations

import ast
import json
import re
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

import theory
from byzcheck.checkout import recorded_statements
from byzcheck.show.markdown import between
from byzcheck.show.words import caught, printed_words, tally
from theory.proof import proofs_of

ROOT = Path(__file__).parents[1]
BESIDES = (
    "py.typed",
    "__init__.py",
    "__pycache__",
    "claim.py",
    "proof.py",
    "recorded.json",
    "sources.bib",
    "sources.py",
    "experiments",
)  # what theory/ holds besides statements
KINDS = ("definition", "counterexample", "theorem", "corollary", "remark", "equation", "algorithm", "beyond")


@dataclass(frozen=True)
class Index:
    """Where the stems of statements occur."""

    paper: tuple[str, ...]  # in the paper's order
    files: frozenset[str]  # theory/<stem>.py or theory/<stem>/statement.py
    tests: frozenset[str]  # tests/test_<stem>.py
    rows: tuple[str, ...]  # of paper_checks.md, in its order
    recorded: frozenset[str]  # of theory/recorded.json
    figures: frozenset[str]  # figures/<stem>.py
    data: frozenset[str]  # figures/data/<stem>.json
    png: frozenset[str]
    svg: frozenset[str]


def read(root: Path) -> Index:
    """The index of a checkout."""

    def stems(pattern: str, prefix: str = "") -> frozenset[str]:
        names = (path.stem.removeprefix(prefix) for path in root.glob(pattern))
        return frozenset(name for name in names if name.split("_")[0] in KINDS)

    checks, recorded = root / "paper_checks.md", root / "theory" / "recorded.json"
    text = checks.read_text(encoding="utf-8") if checks.is_file() else ""
    table = text.partition("<!-- statements: begin -->")[2].partition("<!-- statements: end -->")[0]
    return Index(
        paper=tuple(theory.PAPER),
        files=stems("theory/*.py") | frozenset(path.parent.name for path in root.glob("theory/*/statement.py")),
        tests=stems("tests/test_*.py", "test_"),
        rows=tuple(re.findall(r"^\| \[[^]]*\]\(theory/(\w+)(?:/statement)?\.py\)", table, flags=re.MULTILINE)),
        recorded=frozenset(
            json.loads(recorded.read_text(encoding="utf-8"))["statements"] if recorded.is_file() else ()
        ),
        figures=stems("figures/*.py"),
        data=stems("figures/data/*.json"),
        png=stems("figures/*.png"),
        svg=stems("figures/*.svg"),
    )


def misplaced(folder: Path, paper: tuple[str, ...], proofs: frozenset[str] = frozenset()) -> list[str]:
    """What `theory/` holds besides statements and proofs, and the statements that are not laid out as they should be.

    `proofs` are the files of the proofs that the statements name, from `folder`.
    """
    found = []
    for path in sorted(folder.iterdir()):
        if path.name in BESIDES or (path.is_dir() and not list(path.rglob("*.py"))):  # what an old checkout left
            continue
        if path.name in proofs:
            continue
        if path.stem not in paper or (path.is_file() and path.suffix != ".py"):
            found.append(f"{path.name}: no statement")
        elif path.is_dir():
            found += [f"{path.name}: {how}" for how in _folder_faults(path, proofs)]
            if path.with_suffix(".py").exists():
                found.append(f"{path.name}: a file and a folder")
    return found


def _folder_faults(folder: Path, proofs: frozenset[str]) -> list[str]:
    names = {path.name for path in folder.iterdir() if path.name != "__pycache__"}
    names -= {Path(proof).name for proof in proofs if Path(proof).parent.name == folder.name}
    lacking = sorted({"__init__.py", "statement.py"} - names)
    if lacking:
        return [f"without {name}" for name in lacking]
    found = [f"holds {name}, no part" for name in sorted(names) if not name.endswith(".py")]
    if len(names) == 2:
        found.append("a folder without parts")
    first, whole = (
        (ast.get_docstring(ast.parse((folder / name).read_text(encoding="utf-8"))) or "").split("\n")
        for name in ("__init__.py", "statement.py")
    )
    if first != whole[:1] or not whole[0]:
        found.append("__init__.py does not begin as statement.py does")
    return found


def faults(index: Index) -> list[str]:
    """What does not agree, a sentence each."""
    paper, found = frozenset(index.paper), []
    if len(paper) != len(index.paper):
        found.append("a stem is twice in PAPER")
    if index.rows != tuple(stem for stem in index.paper if stem in index.rows):
        found.append("the rows of paper_checks.md are not in the paper's order")
    for name in ("files", "tests", "rows", "recorded"):
        found += [f"{stem}: not among the {name}" for stem in sorted(paper - frozenset(getattr(index, name)))]
        found += [f"{stem}: among the {name}, not in PAPER" for stem in sorted(frozenset(getattr(index, name)) - paper)]
    for name in ("png", "svg", "data"):
        found += [f"{stem}: a figure without {name}" for stem in sorted(index.figures - getattr(index, name))]
    for name in ("png", "svg", "figures"):
        found += [f"{stem}: among the {name}, no statement" for stem in sorted(getattr(index, name) - paper)]
    found += [
        f"{stem}: {name} without a figure"
        for name in ("png", "svg")
        for stem in sorted(getattr(index, name) - index.figures)
    ]
    found += [f"{stem}: data of no statement" for stem in sorted(index.data - paper)]
    return found


FIRST = "first"  # the README's sweep, which asks nothing
EXPERIMENTS = r"figure_\w+|successor"  # of networks: each is drawn and told where it has been run


def sweep_faults(root: Path) -> list[str]:
    """What the sweeps that ship lack: a figure, its data, a finding, or how to make them."""
    checks = root / "paper_checks.md"
    findings = checks.read_text(encoding="utf-8") if checks.is_file() else ""
    sweeps = {path.stem: path.read_text(encoding="utf-8") for path in sorted((root / "sweeps").glob("*.toml"))}
    sweeps.pop(FIRST, None)
    experiments = {name: sweeps.pop(name) for name in list(sweeps) if re.fullmatch(EXPERIMENTS, name)}
    parts = ("sweep_{}.py", "sweep_{}.png", "sweep_{}.svg", "data/sweep_{}.json")
    found = [
        f"{name}: a sweep without figures/{part.format(name)}"
        for name in sweeps
        for part in parts
        if not (root / "figures" / part.format(name)).is_file()
    ]
    found += [f"{name}: no finding names its {what}" for name in sweeps for what in _unnamed(name, findings)]
    for name, text in sweeps.items():
        if f"sweep table sweeps/{name}.toml" not in text or f"--out figures/data/sweep_{name}.json" not in text:
            found.append(f"{name}: its file does not say how the figure's data are made")
    drawn = sorted(path.relative_to(root / "figures") for path in (root / "figures").rglob("sweep_*"))
    names = {path.stem.removeprefix("sweep_") for path in drawn if path.parts[0] != "__pycache__"}
    found += [f"{name}: a figure of no sweep" for name in sorted(names - set(sweeps))]
    for name, text in experiments.items():
        found += _experiment_faults(root / "figures" / name, text)
    return found


def _experiment_faults(figure: Path, text: str) -> list[str]:
    """What an experiment of the paper lacks: a script, how its table is made, and a picture as soon as it was run."""
    name = figure.name
    table = f"byzcheck sweep table sweeps/{name}.toml --at all --seeds --format json --out figures/data/{name}.json"
    drawn = name.startswith("figure_")  # the successor's is looked at in a table
    found = [f"{name}: its file does not say {table}"] if drawn and table not in text else []
    run = (figure.parent / "data" / f"{name}.json").is_file()
    needed = [figure.with_suffix(kind) for kind in (".py", *((".png", ".svg") if run else ())) if drawn]
    return found + [f"{name}: no figures/{path.name}" for path in needed if not path.is_file()]


def _unnamed(name: str, findings: str) -> list[str]:
    said = {"command": f"`byzcheck sweep run sweeps/{name}.toml`", "figure": f"`figures/sweep_{name}.png`"}
    return [what for what, text in said.items() if text not in findings]


def test_index():
    assert faults(read(ROOT)) == []
    proofs = {proof.file for stem in theory.PAPER for proof in proofs_of(stem, theory.load(stem).proofs)}
    assert misplaced(ROOT / "theory", theory.PAPER, frozenset(file.removeprefix("theory/") for file in proofs)) == []
    assert sweep_faults(ROOT) == []


def test_the_readme_shows_what_is_recorded():
    text, recorded = (ROOT / "README.md").read_text(encoding="utf-8"), recorded_statements()
    printed, corrected, _ = tally(list(recorded.values()))
    assert f"\n{printed}\n{corrected}\n" in text
    record = recorded["theorem_iv_centered_clipping"]
    (row,) = re.findall(r"^Theorem IV  .*$", text, re.MULTILINE)
    assert re.split(r"\s{2,}", row)[1:] == [
        record["title"],
        printed_words(record)[0],
        "● proved",
        "{}/{}".format(*caught(record)),
    ]


@pytest.mark.parametrize("stem", theory.PAPER)
def test_stem_and_label_agree(stem):
    statement = theory.load(stem)
    assert statement.stem == stem
    label = re.sub(r"[^a-z0-9]+", "_", statement.label.lower()).strip("_")
    assert stem.startswith(label + "_")
    assert label.split("_")[0] in KINDS
    assert (ROOT / theory.file_of(stem)).is_file()


A, B, C = "theorem_a_x", "remark_b_y", "theorem_c_z"
BOTH, ONE, NONE = frozenset((A, B)), frozenset((A,)), frozenset[str]()
GOOD = Index((A, B), BOTH, BOTH, (A, B), BOTH, ONE, ONE, ONE, ONE)


def test_a_good_index_has_no_fault():
    assert faults(GOOD) == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"files": ONE}, f"{B}: not among the files"),
        ({"tests": ONE}, f"{B}: not among the tests"),
        ({"rows": (A,)}, f"{B}: not among the rows"),
        ({"recorded": ONE}, f"{B}: not among the recorded"),
        ({"files": BOTH | {C}}, f"{C}: among the files, not in PAPER"),
        ({"tests": BOTH | {C}}, f"{C}: among the tests, not in PAPER"),
        ({"rows": (A, B, C)}, f"{C}: among the rows, not in PAPER"),
        ({"recorded": BOTH | {C}}, f"{C}: among the recorded, not in PAPER"),
        ({"rows": (B, A)}, "the rows of paper_checks.md are not in the paper's order"),
        ({"rows": (A, B, B)}, "the rows of paper_checks.md are not in the paper's order"),
        ({"paper": (A, B, B)}, "a stem is twice in PAPER"),
        ({"figures": ONE | {C}}, f"{C}: among the figures, no statement"),
        ({"png": NONE}, f"{A}: a figure without png"),
        ({"svg": NONE}, f"{A}: a figure without svg"),
        ({"data": NONE}, f"{A}: a figure without data"),
        ({"png": BOTH}, f"{B}: png without a figure"),
        ({"svg": BOTH}, f"{B}: svg without a figure"),
        ({"data": ONE | {C}}, f"{C}: data of no statement"),
    ],
)
def test_a_fault_is_found(change, fault):
    assert fault in faults(replace(GOOD, **change))


SAID = '"""Said."""\n'
FOLDER = {f"{B}/__init__.py": SAID, f"{B}/statement.py": '"""Said.\n\nProved."""\n', f"{B}/part.py": ""}
LAID_OUT = {"__init__.py": "", "claim.py": "", "recorded.json": "{}", f"{A}.py": "", **FOLDER}


TABLE = "# byzcheck sweep table sweeps/figure_9.toml --at all --seeds --format json --out figures/data/figure_9.json\n"
UNRUN = {"sweeps/figure_9.toml": TABLE, "figures/figure_9.py": ""}
RUN = {"figures/data/figure_9.json": "{}", "figures/figure_9.png": "", "figures/figure_9.svg": ""}


@pytest.mark.parametrize(
    ("contents", "found"),
    [
        (UNRUN, []),
        (UNRUN | RUN, []),
        ({"sweeps/figure_9.toml": TABLE}, ["figure_9: no figures/figure_9.py"]),
        (UNRUN | {"sweeps/figure_9.toml": ""}, [f"figure_9: its file does not say {TABLE[2:-1]}"]),
        (
            UNRUN | {"figures/data/figure_9.json": "{}", "figures/figure_9.svg": ""},
            ["figure_9: no figures/figure_9.png"],
        ),
    ],
)
def test_what_an_experiment_lacks_is_found(tmp_path, contents, found):
    lay_out(tmp_path, contents)
    assert sweep_faults(tmp_path) == found


def lay_out(root: Path, contents: dict[str, str]) -> None:
    for name, text in contents.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({}, []),
        ({f"{C}/__pycache__/part.pyc": ""}, []),
        ({"run.py": ""}, ["run.py: no statement"]),
        ({"sgdm/bound.py": ""}, ["sgdm: no statement"]),
        ({f"{A}.md": ""}, [f"{A}.md: no statement"]),
        ({f"{B}.py": ""}, [f"{B}: a file and a folder"]),
        ({f"{B}/__init__.py": None}, [f"{B}: without __init__.py"]),
        ({f"{B}/statement.py": None}, [f"{B}: without statement.py"]),
        ({f"{B}/part.py": None}, [f"{B}: a folder without parts"]),
        ({f"{B}/part.json": ""}, [f"{B}: holds part.json, no part"]),
        ({f"{B}/__init__.py": '"""Denied."""'}, [f"{B}: __init__.py does not begin as statement.py does"]),
        ({f"{B}/__init__.py": "", f"{B}/statement.py": ""}, [f"{B}: __init__.py does not begin as statement.py does"]),
    ],
)
def test_what_is_misplaced_in_theory_is_found(tmp_path, change, found):
    lay_out(tmp_path, {name: text for name, text in (LAID_OUT | change).items() if text is not None})
    assert misplaced(tmp_path, (A, B)) == found


def test_proofs_that_a_statement_names_are_in_their_place(tmp_path):
    lay_out(tmp_path, LAID_OUT | {f"{B}/one.md": "", f"{B}/two.md": "", "three.md": ""})
    named = frozenset((f"{B}/one.md", "three.md"))
    assert misplaced(tmp_path, (A, B), named) == [f"{B}: holds two.md, no part"]
    assert misplaced(tmp_path, (A, B), named | {f"{B}/two.md"}) == []
    assert len(misplaced(tmp_path, (A, B))) == 3


def test_the_files_of_a_checkout_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr(theory, "PAPER", (A, B))
    rows = between(
        "<!-- statements: begin --><!-- statements: end -->",
        "statements",
        f"| [A](theory/{A}.py) | x |\n| [C](theory/{C}/statement.py) | y |",
    )
    contents = {
        f"theory/{A}.py": "",
        f"theory/{C}/statement.py": "",
        f"theory/{C}/part.py": "",
        "theory/claim.py": "",
        "theory/recorded.json": json.dumps({"statements": {A: {}}}),
        f"tests/test_{B}.py": "",
        "tests/test_run.py": "",
        "paper_checks.md": rows + f"\n| [B](theory/{B}.py) | below the table |\n",
        f"figures/{A}.py": "",
        "figures/style.py": "",
        f"figures/data/{A}.json": "{}",
        f"figures/{A}.png": "",
    }
    lay_out(tmp_path, contents)
    only_b = frozenset((B,))
    assert read(tmp_path) == Index((A, B), ONE | {C}, only_b, (A, C), ONE, ONE, ONE, ONE, NONE)


SWEPT = {
    "sweeps/first.toml": "",
    "sweeps/odds.toml": "# byzcheck sweep table sweeps/odds.toml --out figures/data/sweep_odds.json\n",
    **{f"figures/sweep_odds.{kind}": "" for kind in ("py", "png", "svg")},
    "figures/data/sweep_odds.json": "{}",
    "figures/sweep/draw.py": "",
    "paper_checks.md": "`byzcheck sweep run sweeps/odds.toml` · `figures/sweep_odds.png`",
}


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({}, []),
        ({"figures/sweep_odds.svg": None}, ["odds: a sweep without figures/sweep_odds.svg"]),
        ({"figures/data/sweep_odds.json": None}, ["odds: a sweep without figures/data/sweep_odds.json"]),
        ({"paper_checks.md": "`figures/sweep_odds.png`"}, ["odds: no finding names its command"]),
        ({"paper_checks.md": "`byzcheck sweep run sweeps/odds.toml`"}, ["odds: no finding names its figure"]),
        ({"sweeps/odds.toml": ""}, ["odds: its file does not say how the figure's data are made"]),
        ({"figures/data/sweep_evens.json": ""}, ["evens: a figure of no sweep"]),
    ],
)
def test_what_a_sweep_lacks_is_found(tmp_path, change, found):
    lay_out(tmp_path, {name: text for name, text in (SWEPT | change).items() if text is not None})
    assert sweep_faults(tmp_path) == found
