"""Every worker's gradient in its row, by every method, against one plain backward pass of torch a worker."""

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from sims.neural.flat import Net  # noqa: E402
from sims.neural.gradients import METHODS, choose, gradients  # noqa: E402
from sims.neural.models import mlp, mnist_cnn, resnet20, small_cnn  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_torch_thread")

ROUNDING = 1e-12  # of a row's norm, in float64


class PlainDropout(nn.Module):
    """Dropout as it is promised: elements are kept where the worker's generator draws at least p."""

    def __init__(self, p, generator):
        super().__init__()
        self.p, self.generator = p, generator

    def forward(self, x):
        drawn = torch.rand(x.shape, generator=self.generator)
        return torch.where(drawn >= self.p, x / (1 - self.p), 0.0)


def plain(make, x, images, labels, seeds):
    """The rows, the losses, and the running statistics after all workers in order."""
    module = make().double()
    nn.utils.vector_to_parameters(x, module.parameters())
    rows, losses = [], []
    for images_i, labels_i, seed in zip(images, labels, seeds.tolist(), strict=True):
        generator = torch.Generator().manual_seed(seed)
        for parent in list(module.modules()):
            for name, child in parent.named_children():
                if isinstance(child, nn.Dropout | PlainDropout):
                    setattr(parent, name, PlainDropout(child.p, generator))
        module.zero_grad()
        loss = nn.functional.cross_entropy(module(images_i), labels_i)
        loss.backward()
        rows.append(
            torch.cat(
                [torch.zeros_like(p).view(-1) if p.grad is None else p.grad.reshape(-1) for p in module.parameters()]
            )
        )
        losses.append(loss.detach())
    running = [
        s.view(-1) for m in module.modules() if isinstance(m, nn.BatchNorm2d) for s in (m.running_mean, m.running_var)
    ]
    return torch.stack(rows), torch.stack(losses), torch.cat(running) if running else torch.zeros(0).double()


def drawn(n, b, shape, dtype=torch.float64, seed=0):
    random = torch.Generator().manual_seed(seed)
    images = torch.randn((n, b, *shape), generator=random, dtype=torch.float64).to(dtype)
    return images, torch.randint(10, (n, b), generator=random), torch.randint(2**62, (n,), generator=random)


def rows_by(net, method, x, batch, threads=1):
    out = torch.full((len(batch[0]), net.dim), torch.nan, dtype=net.dtype)
    losses, statistics = gradients(net, x, *batch, out, method, threads)
    return out, losses, statistics


def deviation(found, expected):
    return float(((found - expected).norm(dim=1) / expected.norm(dim=1)).max())


CASES = {
    "the MNIST network, one image": (mnist_cnn, (1, 28, 28), 9, 1),
    "the MNIST network, three images": (lambda: mnist_cnn((3, 12, 12), 10), (3, 12, 12), 2, 3),
    "ResNet-20, one image": (resnet20, (3, 16, 16), 3, 1),
    "ResNet-20, three images": (resnet20, (3, 12, 12), 9, 3),
    "the small network": (small_cnn, (3, 9, 9), 3, 2),
    "a dense network": (mlp, (1, 28, 28), 3, 5),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("case", CASES)
def test_every_method_gives_each_workers_gradient_and_loss_and_torchs_running_statistics(case, method):
    make, shape, n, b = CASES[case]
    net = Net(make, dtype="float64")
    x, running = net.initial(3)
    batch = drawn(n, b, shape)
    expected, losses, after = plain(make, x, *batch)
    out, found, statistics = rows_by(net, method, x, batch)
    assert deviation(out, expected) < ROUNDING
    assert torch.allclose(found, losses, rtol=ROUNDING, atol=0)
    assert torch.allclose(net.mix(running, statistics), after, rtol=ROUNDING, atol=ROUNDING)


@pytest.mark.parametrize("method", METHODS)
def test_bits_depend_neither_on_pythons_threads_nor_on_torchs(method):
    net = Net(lambda: resnet20((3, 12, 12), 10))
    x, _ = net.initial(0)
    batch = drawn(17, 2, (3, 12, 12), torch.float32)
    before = torch.get_num_threads()
    one = rows_by(net, method, x, batch, threads=1)
    try:
        for threads, torchs in ((2, 1), (3, 2)):
            torch.set_num_threads(torchs)
            again = rows_by(net, method, x, batch, threads)
            assert torch.get_num_threads() == torchs
            assert all(torch.equal(a, b) for a, b in zip(one, again, strict=True))
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("method", METHODS)
def test_a_workers_masks_come_from_its_seed_wherever_it_stands(method):
    net = Net(lambda: mnist_cnn((1, 8, 8), 10), dtype="float64")
    x, _ = net.initial(0)
    images, labels, seeds = drawn(5, 2, (1, 8, 8))
    out, _, _ = rows_by(net, method, x, (images, labels, seeds))
    order = torch.tensor([3, 0, 4])
    fewer, _, _ = rows_by(net, method, x, (images[order], labels[order], seeds[order]))
    assert deviation(fewer, out[order]) < ROUNDING
    other, _, _ = rows_by(net, method, x, (images, labels, seeds + 1))
    assert ((other - out).norm(dim=1) > 0.01 * out.norm(dim=1)).all()


@pytest.mark.parametrize("method", METHODS)
def test_dropout_of_whole_channels_drops_whole_channels(method):
    def make():
        return nn.Sequential(nn.Conv2d(1, 16, 3), nn.Dropout2d(0.5), nn.Flatten(), nn.Linear(64, 10))

    net = Net(make, dtype="float64")
    out, _, _ = rows_by(net, method, net.initial(0)[0], drawn(4, 1, (1, 4, 4)))
    filters = out[:, net.layers["0"]][:, :144].unflatten(1, (16, 9))
    dropped = (filters == 0).all(2)
    assert torch.equal((filters == 0).any(2), dropped)
    assert 4 < dropped.sum() < 60


def test_masks_are_the_same_in_float32_and_float64():
    def make():
        return nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(100, 2))

    dropped = []
    for dtype in ("float32", "float64"):
        net = Net(make, dtype=dtype)
        images, labels, seeds = drawn(3, 1, (1, 10, 10))
        out, _, _ = rows_by(net, "shared", net.initial(0)[0], (images.to(net.dtype), labels % 2, seeds))
        dropped.append(out == 0)
    assert torch.equal(*dropped)
    assert 90 < dropped[0][:, :100].sum() < 210  # of 300, half


@pytest.mark.parametrize("method", METHODS)
def test_a_batch_that_is_not_finite_leaves_no_trace_in_the_next(method):
    net = Net(lambda: resnet20((3, 8, 8), 10))
    x, _ = net.initial(0)
    images, labels, seeds = drawn(2, 2, (3, 8, 8), torch.float32)
    first = rows_by(net, method, x, (images, labels, seeds))
    broken = images.clone()
    broken[0, 0, 0, 0, 0] = torch.inf
    out, losses, statistics = rows_by(net, method, x, (broken, labels, seeds))
    assert not losses[0].isfinite()
    assert not statistics[0].isfinite().all()
    assert torch.equal(out[1].isfinite(), first[0][1].isfinite())
    again = rows_by(net, method, x, (images, labels, seeds))
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))


def test_few_images_and_dense_networks_are_computed_together():
    resnet, dense = Net(resnet20), Net(mlp)
    assert choose(resnet, 1, (3, 32, 32)) == choose(resnet, 4, (3, 32, 32)) == "shared"
    assert choose(resnet, 32, (3, 32, 32)) == "loop"
    assert choose(dense, 32, (1, 28, 28)) == "shared"
    x, _ = dense.initial(0)
    batch = drawn(3, 2, (1, 28, 28), torch.float32)
    assert torch.equal(rows_by(dense, "auto", x, batch)[0], rows_by(dense, "shared", x, batch)[0])


def test_bfloat16_is_by_name_has_rows_in_float32_and_errors_of_percents():
    make, batch = mlp, drawn(3, 2, (1, 28, 28), torch.float32)
    rough, fine = Net(make, dtype="bfloat16"), Net(make)
    assert choose(rough, 2, (1, 28, 28)) == "loop"
    x, _ = fine.initial(0)
    out, _, _ = rows_by(rough, "auto", x, batch)
    assert out.dtype == torch.float32
    assert 1e-3 < deviation(out, rows_by(fine, "auto", x, batch)[0]) < 1


def test_shapes_dtypes_and_names_that_do_not_fit_are_refused():
    net = Net(mlp)
    x, _ = net.initial(0)
    images, labels, seeds = drawn(3, 2, (1, 28, 28), torch.float32)
    out = torch.empty(3, net.dim)
    for arguments, message in (
        ((x[1:], images, labels, seeds, out), r"x must have shape \(79510,\), got \(79509,\)"),
        ((x, images[:2], labels, seeds, out), r"images must have shape \(3, 2, 1, 28, 28\), got \(2, 2, 1, 28, 28\)"),
        ((x, images, labels, seeds[:1], out), r"seeds must have shape \(3,\), got \(1,\)"),
        ((x, images, labels, seeds, out[:, 1:]), r"out must have shape \(3, 79510\), got \(3, 79509\)"),
        (
            (x, images, labels, seeds, out.double()),
            "out must be of the network's dtype torch.float32, got torch.float64",
        ),
        ((x, images, labels, seeds, out, "fast"), "method must be auto or one of loop, shared, vmap, got 'fast'"),
        ((x, images, labels, seeds, out, "auto", 0), "threads must be ≥ 1, got 0"),
    ):
        with pytest.raises(ValueError, match=message):
            gradients(net, *arguments)
