"""A minute of training on a device: the mean without attackers, and rules under an attack."""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.on_gpu.needs import Stop
from sims.aggregators import CenteredClipping, CoordinateMedian, Mean, Rule
from sims.attacks import ALittleIsEnough, Attack, NoAttack
from sims.engine import Record, simulate
from sims.neural.data import Dataset, digits
from sims.neural.data.dataset import DataMissing
from sims.neural.problem import ImageClassification
from sims.optimizers import RobustSGD, WorkerMomentum

N, F, BATCH = 25, 5, 8
RATE, BETA = 0.02, 0.9
FIRST, MOST = 20, 600  # rounds: to see how long one takes, and at most
LEARNED, ENOUGH = 0.5, 100  # the accuracy that the mean without attackers has to have after so many rounds
PIXELS = 28


class DrawnImages(ImageClassification):
    """Ten random patterns under noise, in the sizes of MNIST's 5,000 digits: what there is without any file."""

    @functools.cached_property
    def dataset(self) -> Dataset:
        """4,000 images to train and 1,000 to test, the same every time."""
        rng = np.random.Generator(np.random.Philox(0))
        patterns = rng.uniform(0, 255, (10, 7, 7)).repeat(4, axis=1).repeat(4, axis=2)
        labels = np.arange(5000) % 10
        noise = rng.normal(0, 250, (5000, PIXELS, PIXELS))
        images = np.clip(patterns[labels] + noise, 0, 255).astype(np.uint8)[..., None]
        parts = (images[:4000], labels[:4000], images[4000:], labels[4000:])
        return Dataset("drawn images", tuple("0123456789"), *parts, (0.5,), (0.3,))


def problem(**options: Any) -> ImageClassification:
    """On MNIST's digits where they are at hand."""
    try:
        digits.path()
    except DataMissing:
        return DrawnImages(batch=BATCH, **options)
    return ImageClassification(batch=BATCH, **options)


def trained(
    keep: Callable[[dict[str, Any]], None], seconds: float, device: str = "cuda", model: str = "mnist_cnn"
) -> None:
    """Keep, for each rule, rounds, their time, losses and accuracy; as many rounds as a third of the time allows.

    Raises `Stop` where a loss is no number, or the mean without attackers learns nothing.
    """
    images = problem(device=device, model=model, test_size=500)
    cases: list[tuple[str, Rule, Attack, int]] = [
        ("Mean, no attack", Mean(), NoAttack(), 0),
        ("CenteredClipping, ALIE", CenteredClipping(10.0), ALittleIsEnough(), F),
        ("CoordinateMedian, ALIE", CoordinateMedian(), ALittleIsEnough(), F),
    ]
    found: dict[str, Any] = {
        "setting": f"{images.dataset.name}, {model}, {images.dim:,} parameters, n = {N}, f = {F}, b = {BATCH}, "
        f"η = {RATE}, β = {BETA}, {images.dtype}",
        "rows": [],
    }
    start = time.monotonic()
    for k, (name, rule, attack, f) in enumerate(cases):
        until = start + seconds * (k + 1) / len(cases)
        played = functools.partial(run, images, rule, attack, f)
        played(FIRST)  # compiles what it needs
        begun = time.monotonic()
        played(FIRST)
        each = (time.monotonic() - begun) / FIRST
        steps = max(FIRST, min(MOST, int(0.8 * (until - time.monotonic()) / each)))
        begun = time.monotonic()
        record = played(steps)
        each = (time.monotonic() - begun) / steps
        found["rows"].append(row(name, record, steps, each))
        keep(found)
        print(f"{name}: {steps} rounds, {1e3 * each:.3g} ms each", flush=True)
        check(found["rows"][-1], k == 0)


def run(images: ImageClassification, rule: Rule, attack: Attack, f: int, steps: int) -> Record:
    """So many rounds from the start, measured first and last."""
    algorithm = RobustSGD(rule, WorkerMomentum(RATE, BETA))
    return simulate(images, algorithm, n=N, f=f, attack=attack, steps=steps, runs=1, seed=0, every=steps)


def row(name: str, record: Record, steps: int, each: float) -> dict[str, Any]:
    """What the page says of a run."""
    loss, accuracy = (record.measures[m][:, 0] for m in ("test_loss", "test_accuracy"))
    return {
        "name": name,
        "rounds": steps,
        "ms": 1e3 * each,
        "images": N * BATCH / each,
        "loss": [float(loss[0]), float(loss[-1])],
        "accuracy": [float(accuracy[0]), float(accuracy[-1])],
    }


def check(row: dict[str, Any], control: bool) -> None:
    """Raise `Stop` where something cannot be right."""
    if not all(map(math.isfinite, row["loss"])):
        raise Stop(f"{row['name']}: the test loss is {row['loss'][1]} after {row['rounds']} rounds")
    if control and row["rounds"] >= ENOUGH and row["accuracy"][1] < LEARNED:
        raise Stop(
            f"{row['name']} should learn, and has an accuracy of {row['accuracy'][1]:.2f} after {row['rounds']} rounds"
        )
