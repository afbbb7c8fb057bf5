"""Networks of the user's own, whatever their layers do: gradients are exact and reproducible, or they are refused."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

from sims.neural.flat import Net  # noqa: E402
from sims.neural.gradients import METHODS, choose, gradients  # noqa: E402
from sims.neural.gradients.examine import examine  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_torch_thread")

SHAPE = (1, 3, 3)


class Centred(nn.Module):
    """Samples of a batch meet outside BatchNorm."""

    def __init__(self):
        super().__init__()
        self.dense = nn.Linear(9, 4)

    def forward(self, images):
        y = self.dense(images.flatten(1))
        return y - y.mean(0)


class Twice(nn.Module):
    """A layer is used twice, another not at all, and a parameter belongs to no layer."""

    def __init__(self):
        super().__init__()
        self.dense, self.idle, self.scale = nn.Linear(9, 9), nn.Linear(2, 2), nn.Parameter(torch.ones(4) * 2)

    def forward(self, images):
        return self.dense(self.dense(images.flatten(1)).tanh())[:, :4] * self.scale


class LayerNormed(nn.Sequential):
    """A layer that has no shared form."""

    def __init__(self):
        super().__init__(nn.Flatten(), nn.Linear(9, 8), nn.LayerNorm(8), nn.GELU(), nn.Linear(8, 4))


class Tied(nn.Module):
    """Two layers have one weight."""

    def __init__(self):
        super().__init__()
        self.one, self.two = nn.Linear(9, 9), nn.Linear(9, 9)
        self.two.weight = self.one.weight

    def forward(self, images):
        return self.two(self.one(images.flatten(1)).relu())[:, :4]


class Noisy(nn.Module):
    """Random numbers come from torch's global generator."""

    def __init__(self):
        super().__init__()
        self.dense = nn.Linear(9, 4)

    def forward(self, images):
        return self.dense(functional.dropout(images.flatten(1), 0.5, self.training))


class OwnDropout(nn.Dropout):
    """A layer of torch's name that does something else."""

    def forward(self, input):
        return functional.dropout(input, self.p) + 1 if self.training else input


class Halving(nn.Module):
    """A buffer changes in training."""

    def __init__(self):
        super().__init__()
        self.dense = nn.Linear(9, 4)
        self.register_buffer("scale", torch.ones(()))

    def forward(self, images):
        self.scale *= 0.5
        return self.dense(images.flatten(1)) * self.scale


def batch(n=5, b=2):
    random = torch.Generator().manual_seed(1)
    images = torch.randn((n, b, *SHAPE), generator=random, dtype=torch.float64)
    return images, torch.randint(4, (n, b), generator=random), torch.randint(2**62, (n,), generator=random)


def rows_of(net, x, method="auto", threads=2):
    images, labels, seeds = batch()
    out = torch.full((len(images), net.dim), torch.nan, dtype=torch.float64)
    losses, _ = gradients(net, x, images, labels, seeds, out, method, threads)
    return out, losses


def plain(make, x):
    module = make().double()
    nn.utils.vector_to_parameters(x, module.parameters())
    rows = []
    for images, labels, seed in zip(*batch(), strict=True):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(seed))
            loss = functional.cross_entropy(module(images), labels)
        parameters = list(module.parameters())
        found = torch.autograd.grad(loss, parameters, allow_unused=True)
        zero = [torch.zeros_like(p) if g is None else g for p, g in zip(parameters, found, strict=True)]
        rows.append(nn.utils.parameters_to_vector(zero))
    return torch.stack(rows)


def own_dropout():
    return nn.Sequential(nn.Flatten(), OwnDropout(0.5), nn.Linear(9, 4))


@pytest.mark.parametrize("make", [Centred, Twice, LayerNormed, Tied, Noisy, own_dropout])
def test_what_has_no_shared_form_is_computed_worker_by_worker_and_exactly(make):
    net = Net(make, dtype="float64")
    x, _ = net.initial(2)
    assert choose(net, 1, SHAPE) == "loop"
    assert torch.allclose(rows_of(net, x)[0], plain(make, x), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("make", [Centred, Twice, LayerNormed, Tied])
def test_what_torch_can_map_is_exact_mapped(make):
    net = Net(make, dtype="float64")
    x, _ = net.initial(2)
    assert torch.allclose(rows_of(net, x, "vmap")[0], plain(make, x), rtol=1e-12, atol=1e-14)


def test_a_pass_over_all_samples_would_be_wrong_where_they_meet(monkeypatch):
    net = Net(Centred, dtype="float64")
    x, _ = net.initial(2)
    monkeypatch.setitem(net.known, ("shared", SHAPE), True)  # as if it had been found exact
    expected = plain(Centred, x)
    assert ((rows_of(net, x, "shared")[0] - expected).norm(dim=1) > 0.01 * expected.norm(dim=1)).all()


@pytest.mark.parametrize("make", [Centred, Twice, LayerNormed, Tied])
def test_a_method_that_is_not_exact_is_refused_by_name_too(make):
    net = Net(make, dtype="float64")
    with pytest.raises(ValueError, match="whose gradients shared does not give exactly, or not at once, needs"):
        rows_of(net, net.initial(2)[0], "shared")


@pytest.mark.parametrize("make", [Noisy, own_dropout])
def test_the_global_generator_is_seeded_for_every_worker_and_put_back(make):
    net = Net(make, dtype="float64")
    x, _ = net.initial(2)
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first, _ = rows_of(net, x)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    assert torch.equal(rows_of(net, x, threads=1)[0], first)
    for method in ("shared", "vmap"):
        with pytest.raises(ValueError, match=f"needs method loop, got '{method}'"):
            rows_of(net, x, method)


def test_a_network_that_changes_another_buffer_is_refused():
    with pytest.raises(ValueError, match="got one that changes scale"):
        rows_of(net := Net(Halving, dtype="float64"), net.initial(0)[0])


def test_a_batch_norm_that_a_pass_uses_twice_is_refused():
    def make():
        norm = nn.BatchNorm2d(1)
        return nn.Sequential(norm, nn.ReLU(), norm, nn.Flatten(), nn.Linear(9, 4))

    with pytest.raises(ValueError, match="must use 0 exactly once, got 2 times"):
        examine(Net(make), SHAPE)


ELSEWHERE = np.random.default_rng(0)


class Own(nn.Module):
    """A function of the images and of what it has, before one layer."""

    def __init__(self, function):
        super().__init__()
        self.dense, self.function, self.passes = nn.Linear(9, 4), function, 0

    def forward(self, images):
        self.passes += 1
        return self.dense(self.function(self, images.flatten(1)))


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda _, x: functional.dropout(x), "random numbers in training alone, got one that does in evaluation"),
        (lambda _, x: x * ELSEWHERE.random(), "the same in every pass under the same seeds"),
        (lambda own, x: x / own.passes, "the same in every pass under the same seeds"),
    ],
)
def test_what_nobody_could_repeat_is_refused(function, words):
    net = Net(lambda: Own(function), dtype="float64")
    with pytest.raises(ValueError, match=words):
        rows_of(net, net.initial(0)[0])


@pytest.mark.parametrize("method", ["auto", *METHODS])
def test_a_batch_norm_over_one_value_of_each_worker_is_refused(method):
    def make():
        return nn.Sequential(nn.Flatten(), nn.Linear(9, 4), nn.BatchNorm1d(4), nn.Linear(4, 4))

    net = Net(make, dtype="float64")
    out = torch.empty((5, net.dim), dtype=torch.float64)
    images, labels, seeds = batch(b=1)
    with pytest.raises(ValueError, match="more than 1 value"):
        gradients(net, net.initial(0)[0], images, labels, seeds, out, method)


def test_an_error_of_the_network_comes_out_and_the_next_batch_is_computed():
    class Strict(nn.Module):
        def __init__(self):
            super().__init__()
            self.dense = nn.Linear(9, 4)

        def forward(self, images):
            if (images > 100).any():
                raise ArithmeticError("too bright")
            return self.dense(images.flatten(1))

    net = Net(Strict, dtype="float64")
    x, _ = net.initial(0)
    images, labels, seeds = batch()
    out = torch.empty((5, net.dim), dtype=torch.float64)
    for method in ("loop", "shared"):
        with pytest.raises(ArithmeticError, match="too bright"):
            gradients(net, x, images * 1e6, labels, seeds, out, method, 2)
        gradients(net, x, images, labels, seeds, out, method, 2)
        assert torch.allclose(out, plain(Strict, x), rtol=1e-12, atol=1e-14)
