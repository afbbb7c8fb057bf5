"""The array libraries that the tests run on, and how hypothesis searches."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import ARGUMENTS, CHROMIUM, lacking
from cuda_emulator import COMPILER, Emulator

if importlib.util.find_spec("hypothesis"):  # the tests that a GPU runs do without it
    from hypothesis import HealthCheck, settings

    settings.register_profile(
        "byzcheck",
        derandomize=True,  # the same examples on every run: a red test stays red
        deadline=None,
        max_examples=40,
        database=None,
        suppress_health_check=[HealthCheck.too_slow],  # a loaded machine is no reason to fail
    )
    settings.register_profile("thorough", parent=settings.get_profile("byzcheck"), max_examples=1000)
    settings.load_profile("byzcheck")

OPTIONAL_LIBRARIES = ("cupy", "torch")
OTHERS = {"ByzFL": "byzfl", "krum": "krum", "Flower": "flwr"}
LIBRARIES = ("numpy", "numpy-read-only", "array-api-strict", *OPTIONAL_LIBRARIES)


def pytest_addoption(parser: pytest.Parser) -> None:
    """How long the search at the edges of compiled code runs, how often each rule of the zoo is asked, which site."""
    parser.addoption("--cases", type=int, default=480, help="cases of the search in test_edges (default: 480)")
    parser.addoption("--site", default=None, help="the documentation that test_site looks at (default: it builds one)")
    parser.addoption("--seeds", type=int, default=0, help="seeds for each n in test_zoo_of_rules (default: one n)")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says how often the contracts were wrong in the zoo of rules, in both directions, where they were asked."""
    counted: dict[str, list[int]] = {}
    for report in (one for outcome in ("passed", "failed") for one in terminalreporter.getreports(outcome)):
        for name, value in report.user_properties:
            if name == "zoo":
                what, wrong, asked = value
                before = counted.setdefault(what, [0, 0, 0])
                counted[what] = [before[0] + 1, before[1] + wrong, before[2] + asked]
    for what, (rules, wrong, asked) in sorted(counted.items()):
        terminalreporter.write_line(f"{what}: {wrong} of {asked} times, {rules} rules")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """One for all that ask: in one process there cannot be two."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield opened
        opened.close()


def usable(library: str) -> bool:
    """Whether arrays of an optional library can be made here."""
    if importlib.util.find_spec(library) is None:
        return False
    if library == "cupy":
        try:
            return importlib.import_module("cupy").cuda.runtime.getDeviceCount() > 0
        except Exception:  # CuPy raises its own type when there is no driver
            return False
    return True


ON_GPU = (pytest.mark.gpu, pytest.mark.skipif(not usable("cupy"), reason="needs a GPU and CuPy: not run here"))


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Says which optional libraries are missing, since their tests are skipped, and where CUDA kernels ran."""
    missing = [library for library in OPTIONAL_LIBRARIES if not usable(library)]
    cuda = "run on the CPU by an emulator" if COMPILER else "not run, for there is no C++ compiler"
    there = {name: importlib.util.find_spec(module) for name, module in OTHERS.items()}
    asked = ", ".join(name for name, spec in there.items() if spec) or "none"
    absent = ", ".join(name for name, spec in there.items() if not spec) or "none"
    browser = f"not run, for {lacking()}" if lacking() else f"run in {CHROMIUM}"
    node = "run by Node too" if shutil.which("node") else "not compared with Python's, for there is no Node"
    gpu = "and on the GPU" if usable("cupy") else "tests that need a GPU are skipped: nothing was run on one"
    return [
        f"optional array libraries missing, their tests are skipped: {', '.join(missing) or 'none'}",
        f"libraries whose results are compared: {asked}; not installed, their tests are skipped: {absent}",
        f"CUDA kernels: {cuda}; {gpu}",
        f"tests of the report in a browser: {browser}; the formulas of its JavaScript: {node}",
    ]


@pytest.fixture(scope="session")
def common_folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for what is computed once: the processes of one run have one, which no other run has."""
    base, several = tmp_path_factory.getbasetemp(), hasattr(request.config, "workerinput")
    folder = (base.parent if several else base) / "shared"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session", autouse=True)
def shared_results(request: pytest.FixtureRequest, common_folder: Path) -> None:
    """The processes of one run share the statements' results."""
    if hasattr(request.config, "workerinput"):
        from perform import SHARED  # which imports much that the tests of a GPU do without

        SHARED[:] = [common_folder]


def pytest_sessionstart(session: pytest.Session) -> None:
    """Of several processes that keep the cores busy each has one of torch's threads: two wait for each other."""
    if hasattr(session.config, "workerinput") and importlib.util.find_spec("torch"):
        importlib.import_module("torch").set_num_threads(1)


@pytest.fixture
def one_torch_thread() -> Iterator[None]:
    """torch's own threads wait for each other, and on a machine that is busy that takes most of the time."""
    torch = importlib.import_module("torch")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def arrays_of(library: str) -> Callable[..., Any]:
    """make(values, dtype="float64") for one array library."""

    def make(values: Any, dtype: str = "float64") -> Any:
        array = np.array(values, dtype=dtype)
        if library == "numpy-read-only":
            array.flags.writeable = False
        if library.startswith("numpy"):
            return array
        module = importlib.import_module(library.replace("-", "_"))
        flat = module.asarray(array.ravel().tolist(), dtype=getattr(module, dtype))
        return flat.reshape(array.shape) if library != "array-api-strict" else module.reshape(flat, array.shape)

    return make


@pytest.fixture(params=[pytest.param(name, marks=[pytest.mark.gpu] * (name == "cupy")) for name in LIBRARIES])
def make_array(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """make(values, dtype="float64"): an array of each library in turn; libraries that are not here are skipped."""
    if request.param in OPTIONAL_LIBRARIES and not usable(request.param):
        pytest.skip(f"{request.param} is not available here")
    return arrays_of(request.param)


@pytest.fixture
def all_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """No messages are so few that a rule is one call: it goes the way of large ones, or the reference's."""
    monkeypatch.setattr(importlib.import_module("sims.kernels.at_once"), "MOST", 0)


@pytest.fixture(scope="session")
def libraries(common_folder: Path) -> Path:
    """Where emulated kernels are compiled."""
    return common_folder


@pytest.fixture(scope="session", params=[False, True], ids=["forwards", "backwards"])
def emulator(request: pytest.FixtureRequest, libraries: Path) -> Emulator:
    """Threads of a block in either order: kernels with a race would differ."""
    return Emulator(libraries, backwards=request.param)


@pytest.fixture
def device(emulator: Emulator, monkeypatch: pytest.MonkeyPatch, all_are_many: None) -> Emulator:
    """NumPy's arrays stand for the device's: all goes the way of CuPy's, and kernels are emulated."""
    from sims.engine import streams
    from sims.kernels import dispatch, entry
    from sims.kernels.cuda import launch

    def is_there(x: Any) -> bool:
        return isinstance(x, np.ndarray)

    monkeypatch.setattr(launch, "start", emulator.launch)
    monkeypatch.setattr(entry, "is_cupy_array", is_there)
    monkeypatch.setattr(dispatch, "is_cupy_array", is_there)
    monkeypatch.setattr(streams, "is_cupy_namespace", lambda xp: True)
    emulator.launches.clear()
    return emulator


@pytest.fixture(
    params=[
        *(
            pytest.param(order, marks=pytest.mark.skipif(COMPILER is None, reason="no C++ compiler"))
            for order in ("forwards", "backwards")
        ),
        pytest.param("gpu", marks=ON_GPU),
    ]
)
def place(request: pytest.FixtureRequest, libraries: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Where simulations are played: the emulator, with threads in either order so that a race shows, and the GPU."""
    from places import emulated, on_the_gpu

    if request.param == "gpu":
        return on_the_gpu(monkeypatch)
    return emulated(Emulator(libraries, backwards=request.param == "backwards"), monkeypatch)
