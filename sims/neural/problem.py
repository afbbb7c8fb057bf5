"""Image classification by a neural network, as an oracle of stochastic gradients."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import torch
from torch import Tensor, nn

from sims import owned
from sims.by_name import nearest
from sims.checked import flag, keep, real, told, whole, words
from sims.kernels.cpu import threads
from sims.neural.allocation import freed_memory_stays
from sims.neural.data import Dataset, imbalanced, load, shards
from sims.neural.flat import DTYPES, Net
from sims.neural.gradients import METHODS, gradients
from sims.neural.images import PER_IMAGE, Images
from sims.neural.models import network_by_name
from sims.problems import Draws, Labelled, Stateful
from sims.problems.shards import Split, check_split

Sampling = Literal["epochs", "replacement"]
Statistics = Literal["all", "honest"]
BITS = 2**53  # a uniform draw is a multiple of 2^−53: times this it is a whole number, a seed


@dataclass(frozen=True)
class Memory:
    """What is not in the iterate: where workers are in their data, running statistics, the last training loss.

    `t` rounds are over. `orders` (*runs, n, m) are the places of a worker's shard in the order of its present epoch,
    () where it samples with replacement; `statistics` (..., B) are those of BatchNorm; `loss` (...) is the mean loss of
    the honest workers on their last batches, NaN before the first.
    """

    t: int
    orders: Any
    statistics: Tensor
    loss: Tensor


@dataclass(frozen=True, eq=False)
class ImageClassification(Stateful, Labelled):
    """Mean cross-entropy of a network on images, each worker with a shard of the training set.

    f_i(x) = (1/m) Σ_k −log softmax(net(a_k; x))[y_k] + ½λ‖x‖² over the m images of worker i's shard; x is the flat
    vector of all parameters, begun as the network's layers draw them. A worker's gradient is that of its batch, with
    its own dropout masks and, in BatchNorm, its batch's own mean and variance.

    - `data` is a name of `sims.neural.data` ("mnist-5k", "mnist", "fashion-mnist", "cifar10", "folder:NAME"); where
      its files lie is not part of the problem. Class k is kept in proportion γ^k (`gamma`), in training and test set
      alike; before that `train_size` and `test_size` images are chosen at random, all where they are None.
    - `model` is a name of `sims.neural.models` or one's own, "module:Name": what is called with (c, h, w) and the
      number of classes and makes an `nn.Module`.
    - The training set is dealt equally to `shards` workers, by default the honest ones: at random (`split="iid"`),
      sorted by label ("label"), a share `similarity` of it at random and the rest by label ("similarity"), by label in
      `pieces` pieces for each ("shards"), or with classes in proportions ~ Dir(`alpha`) ("dirichlet"), as
      `sims.problems.shards.deal` says. Worker i has shard i mod `shards`, Byzantine worker j shard j mod `shards`, as
      in the authors' released code. `data_seed` decides which images are kept and who has which.
    - `sampling="epochs"`: a worker goes through its shard in batches of `batch`, in a fresh random order each time,
      and leaves out what fills no batch, or has it as a smaller one if not `drop_last`; "replacement": each image is
      drawn uniformly, so that rounds are independent.
    - `augment`: each image is mirrored with probability ½ and cropped from itself with a border of 4 black pixels.
    - `statistics`: BatchNorm's running statistics, which only tests use, mix in the batches of "all" workers one after
      the other, Byzantine workers first (the authors' released code, whatever the Byzantine workers send), or those
      of the "honest" alone.
    - `dtype`: "float32", "float64" or "bfloat16" (passes under autocast, whose gradients are off by tens of percent at
      the start: for no reproduction). `method` is how gradients are computed (`sims.neural.gradients`), exactly in
      each case: the choice changes rounding alone. On a CPU numbers do not depend on how many threads there are.

    A sample is one row of uniform draws: an image each, what augments it, a seed for dropout, one for the next order.
    What is measured: the test set's `test_loss` (without the ridge), `test_accuracy` and the accuracy on each class,
    `accuracy_0`, …, in evaluation mode, NaN for a class that has no image; and `train_loss`, of the last round.

    Raises `ValueError` for a name that is unknown, sizes that leave a class, a shard or a batch empty, and numbers out
    of range; `sims.neural.data.DataMissing` for data that is not there.
    """

    data: str = "mnist-5k"
    model: str = "mnist_cnn"
    batch: int = 1
    gamma: float = 1.0
    split: Split = "iid"
    similarity: float = 1.0
    pieces: int = 2
    alpha: float = 1.0
    shards: int | None = None
    sampling: Sampling = "epochs"
    drop_last: bool = True
    augment: bool = False
    statistics: Statistics = "all"
    train_size: int | None = None
    test_size: int | None = None
    ridge: float = 0.0
    dtype: str = "float32"
    device: str = "cpu"  # pyright: ignore[reportIncompatibleMethodOverride] (a field for the property)
    method: str = "auto"
    data_seed: int = 0

    def __post_init__(self) -> None:
        for name, known in (
            ("split", get_args(Split)),
            ("sampling", get_args(Sampling)),
            ("statistics", get_args(Statistics)),
            ("dtype", tuple(DTYPES)),
            ("method", ("auto", *METHODS)),
        ):
            if not (isinstance(value := getattr(self, name), str) and value in known):
                near = nearest(value, known) if isinstance(value, str) else ""
                raise ValueError(
                    f"ImageClassification needs {name} {' or '.join(known)}, got {name} = {told(value)}{near}"
                )
        keep(self, words, "data", "model", "device")
        keep(self, whole, "batch", least=1)
        keep(self, whole, "shards", "train_size", "test_size", least=1, optional=True)
        keep(self, whole, "data_seed")
        keep(self, flag, "drop_last", "augment")
        keep(self, real, "gamma", above=0, most=1)
        keep(self, real, "ridge", least=0)
        check_split("ImageClassification", self.split, **self._split)
        keep(self, real, "similarity", "alpha")
        keep(self, whole, "pieces", least=1)
        # in the key, so that a network or images of one's own are known by what they are and not by a name alone
        object.__setattr__(self, "network", network_by_name(self.model))
        if self.data.startswith("folder:"):
            object.__setattr__(self, "content", self.dataset.digest)

    def __getstate__(self) -> dict[str, Any]:
        """What is given: what was made of it, the network and its replicas among it, is made again by a copy."""
        found = functools.cached_property
        return {name: v for name, v in vars(self).items() if not isinstance(getattr(type(self), name, None), found)}

    @property
    def _split(self) -> dict[str, Any]:
        return {"similarity": self.similarity, "pieces": self.pieces, "alpha": self.alpha}

    @property
    def backend(self) -> str:
        """Iterates are tensors."""
        return "torch"

    @property
    def precision(self) -> str:
        """The type of the numbers of iterates and gradients."""
        return "float64" if self.dtype == "float64" else "float32"

    @functools.cached_property
    def dataset(self) -> Dataset:
        """All images, as they were read."""
        return load(self.data)

    @property
    def classes(self) -> int:
        """The number of classes."""
        return len(self.dataset.classes)

    @functools.cached_property
    def net(self) -> Net:
        """The network as functions of a flat vector."""
        try:
            torch.empty(0, device=self.device)
        except Exception as error:  # of one kind where torch does not know it, of others where it is not here
            told = " ".join(str(error).split())
            raise ValueError(
                f"ImageClassification needs a device that torch has here, got device = {self.device!r}: {told}"
            ) from error
        h, w, c = self.dataset.shape
        make: Callable[..., nn.Module] = getattr(self, "network")  # noqa: B009 (no field: it is not given)
        return Net(lambda: make((c, h, w), self.classes), self.dtype, self.device)

    @functools.cached_property
    def kept(self) -> dict[str, np.ndarray]:
        """The indices of the images that are kept, of "train" and "test"."""
        found = {}
        for part, size in (("train", self.train_size), ("test", self.test_size)):
            labels = getattr(self.dataset, f"{part}_labels")
            if size is not None and size > len(labels):
                raise ValueError(f"ImageClassification needs {part}_size ≤ {len(labels)}, got {part}_size = {size}")
            own = np.arange(len(labels))
            if size is not None:
                own = np.sort(shards(labels, 1, self.data_seed)[0][:size])
            found[part] = owned.read_only(own[imbalanced(labels[own], self.gamma, self.data_seed)])
        return found

    @functools.cached_property
    def _images(self) -> dict[str, Images]:
        dtype = DTYPES[self.dtype]
        return {part: Images.of(self.dataset, part, self.kept[part], self.device, dtype) for part in self.kept}

    @functools.cached_property
    def _shards(self) -> dict[int, np.ndarray]:
        return {}  # here and not in a cache of the class, which would keep problems with all their images

    def dealt(self, honest: int) -> np.ndarray:
        """The shards when `honest` workers are honest, (shards, m): places among the images that are kept."""
        count = honest if self.shards is None else self.shards
        if count not in self._shards:
            self._shards[count] = owned.read_only(self._dealt(count))
        return self._shards[count]

    def _dealt(self, count: int) -> np.ndarray:
        labels = self.dataset.train_labels[self.kept["train"]]
        if len(labels) < count * self.batch:
            raise ValueError(
                f"ImageClassification needs a batch for each shard, got {len(labels)} images for {count} shards of at "
                f"least batch = {self.batch}"
            )
        found = shards(labels, count, self.data_seed, self.split, **self._split)
        if found.shape[1] < self.batch:  # some splits leave more images out than shards
            told = f"similarity = {self.similarity}" if self.split == "similarity" else f"pieces = {self.pieces}"
            raise ValueError(
                f"ImageClassification needs a batch for each shard, got {found.shape[1]} images in each of {count} "
                f"shards of {told} for batch = {self.batch}"
            )
        return found

    def rounds_per_epoch(self, honest: int) -> int:
        """The number of rounds in which a worker goes once through its shard."""
        size = self.dealt(honest).shape[1]
        return size // self.batch if self.drop_last else -(-size // self.batch)

    @property
    def dim(self) -> int:
        """The number of parameters d."""
        return self.net.dim

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """b draws of an image, 3 an image to augment, one for dropout, one for an order."""
        return (self.batch * (1 + PER_IMAGE * self.augment) + 2,)

    def draw(self, streams: Draws, steps: int, n: int) -> np.ndarray:
        """Uniforms on [0, 1), (steps, runs, n, *sample_shape)."""
        return streams.uniform(steps, (n, *self.sample_shape))

    def start(self, streams: Draws, runs: int) -> np.ndarray:
        """Parameters as the network's layers draw them, (runs, d), each run from a seed of its own."""
        seeds = _seeds(streams.uniform(1)[0])
        return np.stack([self.net.initial(int(seed))[0].cpu().numpy() for seed in seeds]).astype(np.float64)

    @contextlib.contextmanager
    def session(self) -> Iterator[None]:
        """One thread for torch's own sums, which it would divide otherwise with others; full precision on a GPU."""
        before = torch.get_num_threads()
        flags = torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False)
        matmul = torch.backends.cuda.matmul.allow_tf32
        torch.set_num_threads(1)
        torch.backends.cuda.matmul.allow_tf32 = False
        try:
            with flags, freed_memory_stays():
                yield
        finally:
            torch.set_num_threads(before)
            torch.backends.cuda.matmul.allow_tf32 = matmul

    def begin(self, x: Tensor, n: int, honest: int) -> Memory:
        """The network's own running statistics; orders are drawn in the first round.

        Raises `ValueError` for iterates that are no tensors: an experiment may name another backend.
        """
        if not isinstance(x, Tensor):
            raise ValueError(f"ImageClassification needs backend = 'torch', got iterates of {type(x).__module__}")
        self.dealt(honest)
        lead = tuple(x.shape[:-1])
        statistics = self.net.initial(0)[1].expand(*lead, self.net.buffers).clone()
        return Memory(0, (), statistics, torch.full(lead, torch.nan, dtype=x.dtype, device=x.device))

    def picks(self, sample: np.ndarray, memory: Memory, honest: int) -> tuple[np.ndarray, Any]:
        """Which of the kept images the workers take in a round, (*runs, n, b), and the orders that they then have."""
        dealt, n = self.dealt(honest), sample.shape[-2]
        own = np.concatenate([np.arange(honest), np.arange(n - honest)]) % len(dealt)
        size = dealt.shape[1]
        if self.sampling == "replacement":
            places, orders = (sample[..., : self.batch] * size).astype(np.int64), ()
        else:
            at = memory.t % self.rounds_per_epoch(honest) * self.batch
            orders = memory.orders
            if at == 0:
                seeds = _seeds(sample[..., -1])
                drawn = [np.random.Generator(np.random.Philox(int(one))).random(size) for one in seeds.ravel()]
                orders = np.argsort(np.stack(drawn), axis=-1, kind="stable").reshape(*seeds.shape, size)
            places = orders[..., at : at + self.batch]
        return dealt[own[:, None], places], orders

    def labels(self, sample: np.ndarray, memory: Memory, honest: int) -> Tensor:
        """The labels of the images that the workers take in a round, as they are, (*runs, n, b)."""
        return self._images["train"].labels[torch.from_numpy(self.picks(sample, memory, honest)[0])]

    def gradients(
        self, x: Tensor, sample: np.ndarray, memory: Memory, honest: int | None = None, flip: bool = False
    ) -> tuple[Tensor, Memory]:
        """Each worker's gradient on its batch, (..., n, d), and the memory behind the round."""
        lead, n = tuple(x.shape[:-1]), sample.shape[-2]
        g = n if honest is None else honest
        train, (picks, orders) = self._images["train"], self.picks(sample, memory, g)
        chosen, seeds = torch.from_numpy(picks), torch.from_numpy(_seeds(sample[..., -2]))
        labels = train.labels[chosen]
        if flip:
            labels[..., g:, :] = self.classes - 1 - labels[..., g:, :]
        out = torch.empty((*lead, n, self.dim), dtype=x.dtype, device=x.device)
        statistics, losses = memory.statistics.clone(), memory.loss.clone()
        order = [*range(g, n), *range(g)] if self.statistics == "all" else list(range(g))
        images: dict[tuple[int, ...], Tensor] = {}  # experiments of one run see the same
        for cell in np.ndindex(lead):
            run = cell[len(cell) - (sample.ndim - 2) :]
            if run not in images:
                draws = sample[run][:, self.batch : -2].reshape(n, self.batch, -1)[:, : chosen.shape[-1]]
                images[run] = train.batch(chosen[run], torch.from_numpy(draws).to(x.device) if self.augment else None)
            found, batches = gradients(
                self.net, x[cell], images[run], labels[run], seeds[run], out[cell], self.method, threads.count()
            )
            statistics[cell] = self.net.mix(statistics[cell], batches[order])
            losses[cell] = found[:g].mean()
        if self.ridge:
            out += self.ridge * x[..., None, :]
        return out, Memory(memory.t + 1, orders, statistics, losses)

    def measure_in(self, x: Tensor, memory: Memory) -> Mapping[str, Tensor]:
        """Loss and accuracy on the test set, the accuracy on each class, and the loss of the last round, each (...)."""
        test, classes = self._images["test"], self.classes
        lead = tuple(x.shape[:-1])
        found = {name: torch.full(lead, torch.nan, dtype=torch.float64) for name in self.measured}
        counts = torch.bincount(test.labels, minlength=classes)
        for cell in np.ndindex(lead):
            logits = self.net.evaluate(
                x[cell], memory.statistics[cell], test.normalised(test.pixels), threads.count()
            ).double()
            right = logits.argmax(dim=-1) == test.labels
            found["test_loss"][cell] = nn.functional.cross_entropy(logits, test.labels)
            found["test_accuracy"][cell] = right.double().mean()
            shares = torch.bincount(test.labels[right], minlength=classes) / counts
            for k in range(classes):
                found[f"accuracy_{k}"][cell] = shares[k]
        found["train_loss"] = memory.loss.double().cpu()
        return found

    @property
    def measured(self) -> tuple[str, ...]:
        """The names of what is measured."""
        return ("test_loss", "test_accuracy", *(f"accuracy_{k}" for k in range(self.classes)))


def _seeds(uniform: np.ndarray) -> np.ndarray:
    """Uniform draws as whole numbers in [0, 2^53)."""
    return (uniform * BITS).astype(np.int64)
