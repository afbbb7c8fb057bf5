"""Whole rounds in one CUDA kernel, held to the array API's operations on the numbers of the device's generator.

Every comparison is made on the CPU by `cuda_emulator`, with the threads of a block in either order, and, where there is
a GPU, on the GPU. Sums over workers and columns are added in the array engine's order where NumPy plays the device, so
that the iterates of rules without a norm agree bit for bit there.
"""

from __future__ import annotations

import dataclasses
import importlib
import shutil
import subprocess
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pytest
from conftest import usable
from cuda_emulator import COMPILER, Emulator

from sims import backend, kernels
from sims.aggregators import RFA, CenteredClipping, CoordinateMedian, Krum, Mean, MultiKrum, TrimmedMean
from sims.attacks import ALittleIsEnough, BitFlipping, InnerProductManipulation, NoAttack
from sims.engine import Experiment, Record, Streams, on_cuda, simulate, streams
from sims.kernels import dispatch, entry
from sims.kernels.cuda import launch
from sims.kernels.cuda import random as cuda_random
from sims.kernels.cuda import rounds as cuda_rounds
from sims.kernels.cuda.rounds import SHARED_NUMBERS, Rounds
from sims.kernels.in_rounds import Answer, Step
from sims.optimizers import SGD, RobustSGD, WorkerMomentum
from sims.problems import Quadratic

FIELDS = ("excess", "sq_gradient_norms", "sq_distances", "sq_aggregate_errors", "x")
PROBLEM = Quadratic((0.5, 1.0, 2.0), sigma_sq=1.0, zeta_sq=0.3, x_star=(0.2, 0.0, -1.0))
RULES = {
    "mean": Mean(),
    "median": CoordinateMedian(),
    "trimmed mean": TrimmedMean(2),
    "clipping": CenteredClipping(0.7),
    "three steps": CenteredClipping((2.0, 0.5, 0.0), steps=3),
    "RFA": RFA(),
    "two steps": RFA(steps=2, nu=1.5),
    "Krum": Krum(2),
}
MEASURED = ("clipping", "three steps", "RFA", "two steps")  # by norms, whose squares are added in another order
ATTACKS = (
    NoAttack(),
    InnerProductManipulation(0.5),
    BitFlipping(),
    BitFlipping("messages"),
    ALittleIsEnough(),
    ALittleIsEnough(z=1.5, sign=1, ddof=0),
)
OPTIMIZERS = (
    SGD(0.1),
    WorkerMomentum(0.1, 0.9),
    WorkerMomentum(lambda t: 0.2 / t, lambda t: 0.0 if t == 1 else 0.5, damped=False),
)
MEDIAN = RobustSGD(CoordinateMedian(), WorkerMomentum(0.1, 0.9))
compiled = pytest.mark.skipif(COMPILER is None, reason="no C++ compiler: the CUDA kernels were not run here")
on_gpu = pytest.mark.skipif(not usable("cupy"), reason="needs a GPU and CuPy: not run here")


@dataclasses.dataclass
class Place:
    """Where simulations are played, what was launched there, and whether NumPy adds up there."""

    backend: Any
    launches: list[str]
    prepare: Callable[[Iterable[str]], None]
    by_numpy: bool

    def play(self, problem: Quadratic, algorithm: RobustSGD, **size: Any) -> Record:
        self.launches.clear()
        size = {"n": 9, "f": 2, "steps": 12, "runs": 3, "seed": 1, "backend": self.backend, **size}
        return simulate(problem, algorithm, **size)

    def by_arrays(self, *experiment: Any, **size: Any) -> Record:
        with kernels.reference():
            record = self.play(*experiment, **size)
        assert set(self.launches) <= {"normal"}
        return record

    def by_kernel(self, *experiment: Any, **size: Any) -> Record:
        record = self.play(*experiment, **size)
        assert set(self.launches) == {"play"}
        return record


@pytest.fixture(scope="session")
def libraries(tmp_path_factory):
    return tmp_path_factory.mktemp("rounds")


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Let small experiments be played by the kernel too."""
    monkeypatch.setattr(on_cuda, "LEAST_ROUNDS", 1)


def emulated(emulator, monkeypatch):
    """NumPy's arrays stand for the device's."""
    monkeypatch.setattr(launch, "start", emulator.launch)
    for module in (entry, dispatch):
        monkeypatch.setattr(module, "is_cupy_array", lambda x: isinstance(x, np.ndarray))
    for module in (streams, importlib.import_module("sims.engine.simulate")):
        monkeypatch.setattr(module, "is_cupy_namespace", lambda xp: True)
    return Place(backend.get_namespace("numpy"), emulator.launches, emulator.prepare, by_numpy=True)


@pytest.fixture(
    params=[
        pytest.param("forwards", marks=compiled),
        pytest.param("backwards", marks=compiled),
        pytest.param("gpu", marks=on_gpu),
    ]
)
def place(request, libraries, monkeypatch):
    """The emulator, with threads in either order so that a race shows, and the GPU."""
    if request.param != "gpu":
        return emulated(Emulator(libraries, backwards=request.param == "backwards"), monkeypatch)
    launches, start = [], launch.start
    monkeypatch.setattr(launch, "start", lambda source, name, *a: launches.append(name) or start(source, name, *a))
    return Place("cupy", launches, lambda sources: None, by_numpy=False)


def agree(found, expected, rtol=1e-11, exact=False):
    """All fields within rounding; the iterates bit for bit if so wanted."""
    np.testing.assert_array_equal(found.times, expected.times)
    assert found.configuration == expected.configuration
    for field in FIELDS:
        a, b = getattr(found, field), getattr(expected, field)
        assert a.shape == b.shape, field
        np.testing.assert_allclose(a, b, rtol=0 if exact and field == "x" else rtol, atol=1e-13, err_msg=field)
    if exact:
        np.testing.assert_array_equal(found.x, expected.x)


def equal(found, expected, runs=slice(None)):
    """All fields bit for bit those of some runs of another record."""
    for field in FIELDS[:4]:
        np.testing.assert_array_equal(getattr(found, field), getattr(expected, field)[..., runs], err_msg=field)
    np.testing.assert_array_equal(found.x, expected.x[..., runs, :])


def sources_of(place, simulations):
    """What several simulations are going to launch."""
    sources = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(launch, "start", lambda source, *_: sources.append(source))
        for experiment, size in simulations:
            place.play(*experiment, **size)
    return sources


def prepared(place, simulations):
    """The simulations, what they launch being compiled at once."""
    simulations = list(simulations)
    place.prepare(sources_of(place, simulations))
    return simulations


# The array engine's results


@pytest.mark.parametrize("rule", RULES)
def test_whole_rounds_agree_with_single_operations(place, rule):
    def simulations():
        for k, (attack, f) in enumerate([*((attack, 2) for attack in ATTACKS), (NoAttack(), 0)]):
            for optimizer in OPTIMIZERS[k % 2 :: 2]:
                size = {"f": f, "n": 9 if f else 8, "attack": attack, "every": 1 + 4 * (k % 2), "x0": np.ones(3)}
                yield (PROBLEM, RobustSGD(RULES[rule], optimizer)), size

    for experiment, size in prepared(place, simulations()):
        found, expected = place.by_kernel(*experiment, **size), place.by_arrays(*experiment, **size)
        agree(found, expected, exact=place.by_numpy and rule not in MEASURED)


@pytest.mark.parametrize(("n", "d"), [(1, 1), (2, 1), (25, 10), (33, 7), (40, 2), (7, 40), (130, 2), (5, 1500)])
def test_any_number_of_workers_and_dimensions(place, n, d):
    """Few threads and many, rows shared by 1 to 32 of them, pairs of normals across rounds, both kinds of memory."""
    problem, f = Quadratic(tuple(np.linspace(0.5, 1.0, d)), sigma_sq=1.0), (n - 1) // 4
    rules = [CoordinateMedian(), TrimmedMean(f), CenteredClipping(0.7), RFA(), *([Krum(f)] if n >= 2 * f + 3 else [])]
    size = {"n": n, "f": f, "attack": BitFlipping("messages"), "steps": 5, "runs": 2}
    for experiment, size in prepared(place, [((problem, RobustSGD(r, OPTIMIZERS[1])), size) for r in rules]):
        agree(place.by_kernel(*experiment, **size), place.by_arrays(*experiment, **size))


def test_grids_and_parameters_of_every_run(place):
    problem = Quadratic((1.0, 3.0), sigma_sq=np.array([[[0.5]], [[2.0]]]))
    rule = CenteredClipping((np.array([[0.1], [1.0], [10.0]]), 0.5), steps=2)
    rate = np.linspace(0.01, 0.2, 5)
    attack = InnerProductManipulation(np.array([[0.1], [0.5], [1.0]]))
    x0 = np.random.Generator(np.random.Philox(3)).standard_normal((5, 2))
    size = {"grid": (2, 3), "runs": 5, "attack": attack, "x0": x0}
    for algorithm in (
        RobustSGD(rule, WorkerMomentum(rate, 0.5)),
        RobustSGD(RFA(nu=np.array([[0.1], [1.0], [3.0]])), SGD(lambda t: rate / t)),
        RobustSGD(Mean(), WorkerMomentum(0.1, lambda t: np.array([[0.0], [0.5], [0.9]]) / t)),
    ):
        agree(place.by_kernel(problem, algorithm, **size), place.by_arrays(problem, algorithm, **size))


@pytest.mark.parametrize("rule", RULES)
def test_what_diverges_diverges_alike(place, rule):
    """Infinite and enormous messages count as in the array engine; what an overflow leaves may be infinite or NaN."""
    experiment = (PROBLEM, RobustSGD(RULES[rule], SGD(1e40)))
    found, expected = (play(*experiment, x0=np.ones(3)) for play in (place.by_kernel, place.by_arrays))
    for field in FIELDS:
        a, b = getattr(found, field), getattr(expected, field)
        np.testing.assert_array_equal(np.isfinite(a), np.isfinite(b), err_msg=field)
        if field != "sq_aggregate_errors":  # the difference of enormous numbers that are nearly equal
            np.testing.assert_allclose(a[np.isfinite(a)], b[np.isfinite(a)], rtol=1e-9, err_msg=field)


@pytest.mark.parametrize("scale", [1e-170, 1e120])
@pytest.mark.parametrize("rule", ["clipping", "RFA"])
def test_norms_neither_overflow_nor_vanish(place, scale, rule):
    problem = Quadratic((1.0, 1.0), sigma_sq=1e-300 if scale < 1 else 1.0)
    algorithm = RobustSGD(CenteredClipping(scale) if rule == "clipping" else RFA(nu=scale), SGD(0.1))
    found, expected = (play(problem, algorithm, x0=scale * np.ones(2)) for play in (place.by_kernel, place.by_arrays))
    np.testing.assert_allclose(found.x, expected.x, rtol=1e-11)


@pytest.mark.parametrize("x0", [np.ones(2), np.array([1.0, np.nan]), np.array([1e152, 1.0])])
def test_ties_of_krum_are_broken_by_value(place, x0):
    """Without noise all messages are equal, or equal and opposite, and in the other cases none can be measured."""
    problem, algorithm = Quadratic((1.0, 1.0), x_star=0.5), RobustSGD(Krum(1), SGD(0.1))
    for n, f in ((6, 1), (6, 3)):
        size = {"n": n, "f": f, "attack": BitFlipping(), "x0": x0}
        found, expected = place.by_kernel(problem, algorithm, **size), place.by_arrays(problem, algorithm, **size)
        np.testing.assert_array_equal(found.x, expected.x)


# The numbers of the device's generator


@pytest.mark.parametrize("first_run", [0, 2**33 - 1])
def test_the_draws_are_those_of_the_streams_number_for_number(place, first_run):
    """One worker walks by its noise alone, in cell k of the grid in round k + 1 alone."""
    d, steps = 3, 6
    problem = Quadratic((0.0,) * d, sigma_sq=float(d))
    algorithm = RobustSGD(Mean(), SGD(lambda t: (np.arange(steps) == t - 1)[:, None]))
    size = {"n": 1, "f": 0, "grid": (steps,), "steps": steps, "runs": 2, "first_run": first_run}
    record = place.by_kernel(problem, algorithm, **size)
    word, runs = Streams(1, "sample").word, range(first_run, first_run + 2)
    xp = backend.get_namespace(place.backend) if isinstance(place.backend, str) else place.backend
    drawn = backend.to_numpy(cuda_random.DeviceStreams(word, runs, xp).normal(steps, (1, d)))[:, :, 0]
    np.testing.assert_array_equal(-record.x, drawn)
    np.testing.assert_allclose(drawn, cuda_random.draw_on_host("normal", word, runs, 0, steps, (d,)), rtol=1e-13)


@pytest.mark.parametrize("rule", RULES)
def test_a_run_depends_neither_on_its_batch_nor_on_launches_or_blocks(place, monkeypatch, rule):
    """Momenta and centres survive from one launch to the next, and a block takes several runs, one after the other."""
    experiment = (PROBLEM, RobustSGD(RULES[rule], OPTIMIZERS[2]))
    size = {"n": 9, "attack": ALittleIsEnough(), "x0": np.ones(3), "every": 5, "seed": 4}
    whole = place.by_kernel(*experiment, **size, runs=7)
    assert place.launches == ["play"]
    for first, runs in ((0, 2), (2, 1), (3, 4)):
        part = place.by_kernel(*experiment, **size, runs=runs, first_run=first)
        equal(part, whole, slice(first, first + runs))
    for row in place.by_kernel(*experiment, **size, runs=7, grid=(2,)).x:
        np.testing.assert_array_equal(row, whole.x)
    monkeypatch.setattr(launch, "MOST_ACROSS", 2)
    monkeypatch.setattr(on_cuda, "NUMBERS", 5 * 7 * 9 * 3)  # five rounds
    equal(place.by_kernel(*experiment, **size, runs=7), whole)
    assert place.launches == ["play"] * 3


# Which simulations, and how they are launched


def test_everything_else_is_left_to_the_array_engine(place, monkeypatch):
    class OwnMean(Mean):
        """Somebody's own rule."""

    class There:
        """A parameter on the device: NumPy may not have it."""

        shape = ()

        def __array__(self, *_: Any, **__: Any) -> np.ndarray:
            raise TypeError("Implicit conversion to a NumPy array is not allowed.")

    def fits(problem=PROBLEM, algorithm=MEDIAN, **changes):
        size = {"n": 9, "f": 2, "steps": 12, "seed": 0, "runs": 3}
        return on_cuda.program(Experiment(problem, algorithm, **(size | changes))) is not None

    assert fits()
    assert not fits(n=dispatch.MOST_WORKERS + 1)
    assert not fits(algorithm=RobustSGD(OwnMean(), SGD(0.1)))
    assert not fits(algorithm=RobustSGD(MultiKrum(1), SGD(0.1)))
    assert not fits(algorithm=RobustSGD(Mean(), SGD(lambda t: There())))
    monkeypatch.setattr(on_cuda, "LEAST_ROUNDS", 13)
    assert not fits()
    assert fits(steps=13)
    place.by_arrays(PROBLEM, MEDIAN)
    place.play(PROBLEM, MEDIAN)
    assert "play" not in place.launches
    place.play(PROBLEM, MEDIAN, steps=13, shuffle=True)
    assert "play" not in place.launches
    place.by_kernel(PROBLEM, MEDIAN, steps=13)


@compiled
def test_only_the_results_are_fetched_and_after_all_launches(libraries, monkeypatch):
    place, fetched, made = emulated(Emulator(libraries), monkeypatch), [], []
    monkeypatch.setattr(on_cuda, "to_numpy", lambda x: fetched.append(len(place.launches)) or x)
    monkeypatch.setattr(on_cuda, "NUMBERS", 1)
    original = place.backend.asarray
    monkeypatch.setattr(place.backend, "asarray", lambda *a, **k: made.append(len(place.launches)) or original(*a, **k))
    place.by_kernel(PROBLEM, RobustSGD(RFA(), OPTIMIZERS[2]))
    assert fetched == [12, 12]
    assert made.count(0) == 4  # the start and three tables; what comes after the last launch is the host's own
    assert set(made) <= {0, 12}


# What an emulator cannot show


def kinds():
    """For every rule: the common size, those that just fit into shared memory and just do not, and the largest."""
    for step in Step:
        for n, d in ((3, 1), (25, 10), (25, 193), (25, 194), (64, 64), (256, 32)):
            f = (n - 3) // 4
            yield Rounds(step, n, d, n - f, f, Answer.EDGE, ddof=1, momentum=True, offsets=True)


def test_a_block_s_memory_and_threads_are_within_every_device_s_limits():
    assert {kind.shared for kind in kinds()} == {False, True}
    for kind in kinds():
        tables = 8 * kind.n + kind.n + 4 * 8 * kind.threads // 32 + 64  # weights or scores, the dead, sums, alignment
        assert 8 * (SHARED_NUMBERS if kind.shared else 0) + tables <= 48 * 1024
        assert kind.threads in (32, 64, 128, 256)  # of 255 registers each there are enough for one block
        assert kind.kept <= kind.space


@pytest.mark.skipif(shutil.which("nvcc") is None, reason="no nvcc here")
@pytest.mark.parametrize(("step", "n", "d"), [(Step.CLIPPING, 25, 193), (Step.KRUM, 50, 50), (Step.MEDIAN, 100, 50)])
def test_ptxas_finds_room_for_the_largest_runs_in_shared_memory(tmp_path, step, n, d):
    """It refuses more than 48 KiB, and more registers than a block of that many threads can have."""
    kind = Rounds(step, n, d, n - 2, 2, Answer.EDGE, ddof=1, momentum=True, offsets=True)
    assert SHARED_NUMBERS * 0.9 <= kind.space <= SHARED_NUMBERS
    path = tmp_path / "rounds.cu"
    path.write_text(kind.source)
    command = ["nvcc", *launch.OPTIONS, "-cubin", "-Xptxas", "-v", "-Werror", "all-warnings", str(path)]
    done = subprocess.run([*command, "-o", str(tmp_path / "out")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "0 bytes spill stores" in done.stderr


# That the tests above see what is wrong


def hard(monkeypatch, rule, attack, optimizer):
    """A simulation on a grid whose cells differ, three rounds a launch, all runs by one block, four warps at work."""
    d = 70
    problem = Quadratic(tuple(np.linspace(0.5, 1.0, d)), sigma_sq=1.0, zeta_sq=2.0)
    rules = {**RULES, "clipping": CenteredClipping((np.array([[0.1], [0.5]]), 1.0), steps=2)}
    monkeypatch.setattr(launch, "MOST_ACROSS", 1)
    monkeypatch.setattr(on_cuda, "NUMBERS", 3 * 4 * 9 * d)
    size = {"grid": (2,), "runs": 2, "every": 5, "x0": np.ones(d), "attack": ATTACKS[attack]}
    return (problem, RobustSGD(rules[rule], OPTIMIZERS[optimizer])), size


@compiled
@pytest.mark.parametrize(
    ("rule", "attack", "optimizer", "old", "new"),
    [
        ("mean", 0, 0, "first = (t - 1) * N * D", "first = t * N * D"),
        ("mean", 0, 0, "e >= entries) continue;", "e >= entries - 1) continue;"),
        ("mean", 0, 0, "first_run + r % runs", "first_run + r"),
        ("mean", 0, 0, "g = g + world.offsets[e];", "g = g + world.offsets[0];"),
        ("mean", 0, 0, "w < THREADS / 32", "w < 1"),
        ("mean", 0, 0, "(t - 1) / every", "t / every"),
        ("mean", 0, 0, "sums[3] += error", "sums[3] += away"),
        ("mean", 1, 0, "-strength * mean", "strength * mean"),
        ("mean", 2, 1, "row = -g;", "row = g;"),
        ("mean", 3, 1, "i >= G ? -1.0 : 1.0;", "i > G ? -1.0 : 1.0;"),
        ("mean", 0, 1, "fresh * g + old", "g + old"),
        ("mean", 4, 1, "(G - DDOF)", "G"),
        ("mean", 0, 2, "times > 1 ? t - 1 : 0", "0"),
        ("median", 0, 0, "v4 = lower(a, b);", "v4 = a;"),
        ("clipping", 0, 0, "radii[k * everybody]", "radii[0]"),
        ("clipping", 0, 0, "fixed + 2 * everybody + r", "fixed + 2 * everybody"),
        ("clipping", 0, 0, "LANES / 2; apart", "LANES / 4; apart"),
        ("clipping", 0, 1, "k < KEPT; k += THREADS) memory", "k < 2 * D; k += THREADS) memory"),
        ("clipping", 0, 1, "centre[D], rows[N][PITCH], honest[D]", "rows[N][PITCH], honest[D], centre[D]"),
        ("RFA", 0, 0, "!CLIPPING && j < D", "!CLIPPING && j < 1"),
        ("Krum", 0, 0, "k < N * (N / 2)", "k < N * (N / 2) - 9"),
        ("Krum", 0, 0, "scores[h] < scores[i];", "scores[h] > scores[i];"),
        ("Krum", 0, 0, "result = result + v3;", ""),
    ],
)
def test_a_wrong_kernel_is_noticed(libraries, monkeypatch, rule, attack, optimizer, old, new):
    place = emulated(Emulator(libraries), monkeypatch)
    experiment, size = hard(monkeypatch, rule, attack, optimizer)
    expected = place.by_arrays(*experiment, **size)
    agree(place.by_kernel(*experiment, **size), expected)
    right = launch.start

    def start(source, *arguments):
        assert old in source
        right(source.replace(old, new), *arguments)

    monkeypatch.setattr(launch, "start", start)
    wrong = place.by_kernel(*experiment, **size)
    with pytest.raises(AssertionError):
        agree(wrong, expected)


@compiled
@pytest.mark.parametrize(
    ("rule", "shared", "needless"),
    [
        ("mean", True, 0),
        ("RFA", True, 0),
        ("clipping", True, 2),  # weights are not added up
        ("clipping", False, 3),  # and a run need not be brought back to where it is already
        ("Krum", True, 1),  # without momentum and state all that is kept of a run is x, column by column
    ],
)
def test_each_missing_barrier_is_noticed(libraries, monkeypatch, rule, shared, needless):
    """Without it one of the two orders of the threads has other results, or threads wait for others in vain."""
    orders = [Emulator(libraries), Emulator(libraries, backwards=True)]
    place, barrier = emulated(orders[0], monkeypatch), "__syncthreads();"
    experiment, size = hard(monkeypatch, rule, attack=1, optimizer=0 if rule == "Krum" else 1)
    if rule == "Krum":  # a majority lies, in one cell beyond measure, but only in the first column
        attack = InnerProductManipulation(np.array([[8.0], [0.5]]))
        size |= {"f": 5, "attack": attack, "x0": np.where(np.arange(70) > 0, 1.0, -5e149)}
    if not shared:
        monkeypatch.setattr(cuda_rounds, "SHARED_NUMBERS", 0)
    text = sources_of(place, [(experiment, size)])[0]
    places = [k for k in range(len(text)) if text.startswith(barrier, k)]
    variants = [text[:k] + text[k + len(barrier) :] for k in places]
    place.prepare([text, *variants])

    def results(variant):
        """In the two orders; None where threads do not meet."""
        for emulator in orders:
            monkeypatch.setattr(launch, "start", lambda source, *a, emulator=emulator: emulator.launch(variant, *a))
            try:
                yield place.play(*experiment, **size)
            except AssertionError:
                yield None

    right = place.by_arrays(*experiment, **size)
    for record in results(text):
        agree(record, right)
    unnoticed = []
    for k, variant in zip(places, variants, strict=True):
        try:
            for record in results(variant):
                assert record is not None
                agree(record, right)
            unnoticed.append(text[:k].count("\n") + 1)
        except AssertionError:
            pass
    assert len(unnoticed) == needless, [text.splitlines()[k - 3 : k + 2] for k in unnoticed]
