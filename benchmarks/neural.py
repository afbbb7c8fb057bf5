"""Gradients of all workers of a network, beside one backward pass a worker: `python -m benchmarks.neural [--write]`.

The yardstick is the scheme of the training loop that the paper's authors released, written anew: worker after worker
`zero_grad`, forward and backward, a clone of every gradient, and all of a worker's joined to one vector; on torch's own
threads and layout. Every process measures all contenders in turns, and a ratio is of times of one process.
"""

from __future__ import annotations

import os
import statistics
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.measure import Call, interval, ratios, take_turns
from benchmarks.record import machine, versions

if TYPE_CHECKING:
    from rich.table import Table
    from torch import Tensor

RELEASED, OURS = "released", "auto"
CONTENDERS = (RELEASED, "released, channels last", "loop", "shared", "vmap")
PAGE = Path(__file__).with_name("NEURAL.md")
TAIL = 0.01  # on each side of an interval that is printed: 98 %


@dataclass(frozen=True)
class Setting:
    """A network of `MODELS` with n workers of b images each, and the ratio to the released scheme that is wanted."""

    model: str
    shape: tuple[int, int, int]
    n: int
    b: int
    wanted: float | None = None

    @property
    def name(self) -> str:
        """As the table says it."""
        return f"{self.model}, n = {self.n}, b = {self.b}"


SETTINGS = (
    Setting("mnist_cnn", (1, 28, 28), 16, 1, 3.0),
    Setting("resnet20", (3, 32, 32), 25, 32, 1.25),
    Setting("mnist_cnn", (1, 28, 28), 16, 4),
    Setting("resnet20", (3, 32, 32), 25, 1),
    Setting("resnet20", (3, 32, 32), 25, 4),
    Setting("resnet20", (3, 32, 32), 25, 8),
    Setting("small_cnn", (3, 32, 32), 25, 32),
    Setting("mlp", (1, 28, 28), 25, 32),
)


def once(setting: Setting, threads: int, rounds: int, seed: int) -> dict[str, float]:
    """The median seconds of every contender, in turns in this process."""

    def prepared(rng: np.random.Generator) -> dict[str, Call]:
        return contenders(setting, threads, int(rng.integers(2**31)))

    return take_turns({setting.name: prepared}, rounds, seed)[setting.name]


def contenders(setting: Setting, threads: int, seed: int, device: str = "cpu") -> dict[str, Call]:
    """What computes all gradients of one step, each on the same images, on a device of torch's."""
    import torch

    from sims.neural.flat import Net
    from sims.neural.gradients import METHODS, gradients
    from sims.neural.models import MODELS

    def make() -> Any:
        return MODELS[setting.model](setting.shape, 10).to(device)

    torch.set_num_threads(threads)
    random = torch.Generator().manual_seed(seed)
    images = torch.randn((setting.n, setting.b, *setting.shape), generator=random).to(device)
    labels = torch.randint(10, (setting.n, setting.b), generator=random).to(device)
    net = Net(make, device=device)
    x, _ = net.initial(seed)
    out = torch.empty(setting.n, net.dim, device=device)
    arguments = (net, x, images, labels, torch.arange(setting.n), out)
    last = make().to(memory_format=torch.channels_last)
    calls: dict[str, Call] = {
        RELEASED: partial(released, make(), images, labels),
        "released, channels last": partial(released, last, _channels_last(images), labels),
    }
    calls |= {method: partial(gradients, *arguments, method, threads) for method in METHODS}
    return calls | {OURS: partial(gradients, *arguments, "auto", threads)}


def released(module: Any, images: Tensor, labels: Tensor) -> Tensor:
    """The gradients (n, d), by one backward pass a worker."""
    import torch

    rows = []
    for images_i, labels_i in zip(images, labels, strict=True):
        module.zero_grad()
        torch.nn.functional.cross_entropy(module(images_i), labels_i).backward()
        kept = [torch.clone(p.grad).detach() for p in module.parameters()]
        rows.append(torch.cat([gradient.reshape(-1) for gradient in kept]))
    return torch.stack(rows)


def _channels_last(images: Tensor) -> Tensor:
    import torch

    return images.flatten(0, 1).contiguous(memory_format=torch.channels_last).unflatten(0, images.shape[:2])


def measured(
    settings: tuple[Setting, ...] = SETTINGS,
    processes: int = 7,
    rounds: int = 1,
    threads: int = 2,
    progress: Callable[[str], None] = lambda said: None,
) -> dict[str, dict[str, list[float]]]:
    """Setting → contender → seconds, one for each process; the processes run one after the other."""
    found: dict[str, dict[str, list[float]]] = {setting.name: {} for setting in settings}
    for seed in range(processes):
        for setting in settings:
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
                times = pool.submit(once, setting, threads, rounds, seed).result()
            for who, time in times.items():
                found[setting.name].setdefault(who, []).append(time)
            progress(f"{seed + 1}/{processes} {setting.name}")
    return found


def table(settings: tuple[Setting, ...], found: dict[str, dict[str, list[float]]]) -> Table:
    """A row for each setting: milliseconds of everybody, and how many times longer the released scheme takes."""
    from benchmarks.look import plain_table, short  # which needs rich, and `contenders` does without

    made = plain_table()
    made.add_column("network, workers, images each", no_wrap=True)
    for heading in (*CONTENDERS, "released / auto", "wanted"):
        made.add_column(heading, justify="right")
    for setting in settings:
        times = found[setting.name]
        against = ratios(times[RELEASED], times[OURS])
        low, high = interval(against, TAIL)
        between = f" ({short(low)}–{short(high)})" if np.isfinite(high) else ""
        made.add_row(
            setting.name,
            *(short(1e3 * statistics.median(times[who])) for who in CONTENDERS),
            f"{statistics.median(against):.2f}{between}",
            "" if setting.wanted is None else f"≥ {setting.wanted:g}",
        )
    return made


def page(settings: tuple[Setting, ...], found: dict[str, dict[str, list[float]]], load: float) -> str:
    """The table as a page to commit."""
    import io

    from rich.console import Console

    text = io.StringIO()
    Console(file=text, width=130, color_system=None, legacy_windows=False).print(table(settings, found))
    lines = "\n".join(line.rstrip() for line in text.getvalue().splitlines())
    here, count = machine(), max(len(v) for times in found.values() for v in times.values())
    return (
        "# How fast gradients of networks are\n\n"
        "Written by `python -m benchmarks.neural --write`. Milliseconds for the gradients of all workers, float32;\n"
        f"medians of {count} processes, in turns; (a–b): the median lies there with {1 - 2 * TAIL:.0%}, whatever the "
        "noise.\n"
        f"{here['cpu']}, 2 threads, torch {versions().get('torch', '?')}, load {load:.2f} at the start. “Released” is "
        "one backward pass a worker, as in the\nauthors' training loop; auto is what is chosen.\n\n"
        f"```\n{lines}\n```\n"
    )


def main(arguments: list[str]) -> None:
    """Measure, print, and with `--write` keep the page."""
    if set(arguments) - {"--write"}:
        raise SystemExit("usage: python -m benchmarks.neural [--write]")
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    found = measured(progress=lambda said: print(said, file=sys.stderr, flush=True))
    text = page(SETTINGS, found, load)
    if "--write" in arguments:
        PAGE.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main(sys.argv[1:])
