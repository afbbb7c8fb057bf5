"""Networks on a CUDA device: gradients, training and rules are those of the CPU, where the tests run themselves."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from networks import normed  # noqa: E402

from sims.aggregators import RFA, Bulyan, CenteredClipping, CoordinateMedian, Krum, Mean, TrimmedMean  # noqa: E402
from sims.attacks import ALittleIsEnough, BitFlipping, LabelFlipping  # noqa: E402
from sims.engine import simulate  # noqa: E402
from sims.neural.data import Dataset  # noqa: E402
from sims.neural.flat import Net  # noqa: E402
from sims.neural.gradients import METHODS, gradients  # noqa: E402
from sims.neural.gradients.examine import Found  # noqa: E402
from sims.neural.problem import ImageClassification  # noqa: E402
from sims.optimizers import RobustSGD, WorkerMomentum  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_torch_thread")

SHAPE = (1, 28, 28)
CUDA = pytest.param(
    "cuda",
    marks=[pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU: not run here")],
)
devices = pytest.mark.parametrize("device", ["cpu", CUDA])
RULES = (Mean(), CoordinateMedian(), TrimmedMean(2), Krum(2), Bulyan(2), RFA(), CenteredClipping(3.0))


class FewImages(ImageClassification):
    """Some random images, so that nothing but torch is needed."""

    @property
    def dataset(self):
        rng = np.random.default_rng(0)
        images = rng.integers(0, 256, (150, 28, 28, 1), dtype=np.uint8)
        labels = np.arange(150) % 10
        return Dataset("few", tuple("0123456789"), images[:90], labels[:90], images[90:], labels[90:], (0.5,), (0.3,))


@contextlib.contextmanager
def plain_float32():
    """No TF32, with which cuDNN would round a float32 to ten bits."""
    with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False):
        yield


@devices
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("dtype", "error"), [("float64", 1e-11), ("float32", 3e-3)])
def test_gradients_are_those_of_one_worker_after_the_other_on_the_cpu(device, method, dtype, error):
    random = torch.Generator().manual_seed(0)
    images = torch.randn((5, 4, *SHAPE), generator=random, dtype=torch.float64)
    labels, seeds = torch.randint(10, (5, 4), generator=random), torch.arange(5)

    def computed(where, how, kind):
        net = Net(lambda: normed(SHAPE, 10), kind, where)
        x = net.initial(3)[0]
        out = torch.full((5, net.dim), torch.nan, dtype=net.dtype, device=where)
        losses, statistics = gradients(net, x, images.to(where, net.dtype), labels.to(where), seeds, out, how)
        return [found.cpu().double() for found in (out, losses, statistics)]

    with plain_float32():
        for found, expected in zip(computed(device, method, dtype), computed("cpu", "loop", "float64"), strict=True):
            assert torch.linalg.norm(found - expected) <= error * torch.linalg.norm(expected)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("model", ["mnist_cnn", "resnet20", "networks:normed"])
@pytest.mark.parametrize("augment", [False, True])
def test_nothing_is_left_on_another_device(monkeypatch, method, model, augment):
    """On torch's device without numbers: an operation on tensors of two devices is an error there as on a GPU."""
    monkeypatch.setattr(Net, "precision", lambda self: contextlib.nullcontext())  # autocast does not know the device
    problem = FewImages(model=model, batch=2, method=method, device="meta", augment=augment)
    # what trials find out on devices that have numbers to compare
    problem.net.known |= {SHAPE: Found(draws=False, classes=10), (method, SHAPE): True}
    x = torch.zeros((2, problem.dim), device="meta")
    memory = problem.begin(x, 5, 3)
    sample = np.random.default_rng(0).random((2, 5, *problem.sample_shape))
    found, memory = problem.gradients(x, sample, memory, 3, flip=True)
    assert {one.device.type for one in (found, memory.statistics, memory.loss)} == {"meta"}
    test = problem._images["test"]
    assert problem.net.evaluate(x[0], memory.statistics[0], test.normalised(test.pixels)).shape == (60, 10)


@devices
@pytest.mark.parametrize("attack", [ALittleIsEnough(), BitFlipping(), LabelFlipping()])
def test_training_is_that_of_the_cpu(device, attack):
    sizes = {"n": 7, "f": 2, "steps": 5, "runs": 2, "seed": 1, "attack": attack, "every": 2}
    algorithm = RobustSGD(CenteredClipping(2.0), WorkerMomentum(0.05, 0.9))

    def played(where):
        options = {"model": "networks:normed", "batch": 4, "dtype": "float64", "method": "loop", "augment": True}
        return simulate(FewImages(device=where, **options), algorithm, **sizes)

    found, expected = played(device), played("cpu")
    np.testing.assert_allclose(found.x, expected.x, rtol=1e-8, atol=1e-10)
    for name, values in expected.measures.items():
        np.testing.assert_allclose(found.measures[name], values, rtol=1e-8, err_msg=name)


@devices
@pytest.mark.parametrize("rule", RULES, ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_rules_of_tensors_are_those_of_numpy(device, rule, dtype):
    x = np.random.default_rng(0).standard_normal((2, 11, 40_000)).astype(dtype)
    x[:, 0] = np.inf
    found = rule.aggregate(torch.from_numpy(x).to(device))
    assert found.device.type == device
    error = 100 * np.finfo(dtype).eps
    np.testing.assert_allclose(found.cpu().numpy(), rule.aggregate(x), rtol=error, atol=error)
