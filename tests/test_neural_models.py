"""The networks of the experiments, and networks as functions of one flat vector."""

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from sims.neural.flat import Net  # noqa: E402
from sims.neural.models import MODELS, linear, mlp, mnist_cnn, parameters_of, resnet20, small_cnn  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_torch_thread")


def test_the_papers_networks_have_as_many_parameters_as_it_says():
    assert parameters_of(mnist_cnn((1, 28, 28), 10)) == 1_199_882
    assert parameters_of(resnet20((3, 32, 32), 10)) == 272_474


def test_the_cheap_networks_have_at_most_100_000_parameters_and_no_state():
    for make in (linear, mlp, small_cnn):
        module = make((1, 28, 28), 10)
        assert parameters_of(module) <= 100_000
        assert not list(module.buffers())


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 32), (2, 17, 19)])
def test_every_network_takes_images_of_any_shape_and_number_of_classes(name, shape):
    assert MODELS[name](shape, 7)(torch.zeros(2, *shape)).shape == (2, 7)


@pytest.mark.parametrize("name", ["linear", "mlp", "mnist_cnn", "resnet20", "small_cnn"])
def test_most_networks_take_small_images(name):
    assert MODELS[name]((2, 9, 11), 7)(torch.zeros(2, 2, 9, 11)).shape == (2, 7)


def test_images_that_two_convolutions_and_pooling_use_up_are_refused():
    with pytest.raises(ValueError, match="height and width ≥ 6, got 5 × 28"):
        mnist_cnn((1, 5, 28))
    with pytest.raises(ValueError, match="height and width ≥ 16, got 15 × 28"):
        MODELS["cnn_mnist"]((1, 15, 28), 10)


def test_a_start_is_what_torch_draws_under_that_seed_and_leaves_the_global_generator_alone():
    net = Net(resnet20)
    before = torch.get_rng_state()
    x, statistics = net.initial(11)
    assert torch.equal(torch.get_rng_state(), before)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(11)
        module = resnet20()
    assert torch.equal(x, nn.utils.parameters_to_vector(module.parameters()))
    assert x.shape == (net.dim,)
    assert statistics.shape == (net.buffers,) == (2 * (7 * 16 + 7 * 32 + 7 * 64),)
    assert not torch.equal(net.initial(12)[0], x)


def test_layers_are_slices_of_the_vector_in_order():
    net = Net(mnist_cnn)
    assert list(net.layers) == ["0", "2", "7", "10"]
    assert [s.stop - s.start for s in net.layers.values()] == [320, 18_496, 1_179_776, 1_290]
    assert net.layers["10"].stop == net.dim
    module = net.module[7]
    x, _ = net.initial(0)
    assert torch.equal(x[net.layers["7"]], nn.utils.parameters_to_vector(module.parameters()))


def test_evaluation_is_torchs_own_with_running_statistics_and_without_dropout():
    for make, shape in ((mnist_cnn, (1, 28, 28)), (resnet20, (3, 16, 16))):
        net = Net(lambda make=make, shape=shape: make(shape, 10), dtype="float64")
        x, statistics = net.initial(5)
        statistics = statistics + torch.rand(net.buffers, dtype=torch.float64)
        module = make(shape, 10).double().eval()
        nn.utils.vector_to_parameters(x, module.parameters())
        parts = iter(net.statistics.views(statistics))
        for norm in (m for m in module.modules() if isinstance(m, nn.BatchNorm2d)):
            norm.running_mean, norm.running_var = next(parts), next(parts)
        images = torch.randn(203, *shape, dtype=torch.float64)
        expected = module(images).detach()
        found = net.evaluate(x, statistics, images, threads=2)
        assert torch.allclose(found, expected, rtol=1e-12, atol=1e-12)
        assert torch.equal(found, net.evaluate(x, statistics, images, threads=1))


def test_what_asks_for_no_gradient_is_a_constant_whatever_the_start():
    def make():
        module = nn.Sequential(nn.Flatten(), nn.Linear(4, 3), nn.Linear(3, 2))
        module[1].requires_grad_(False)
        return module

    net = Net(make)
    assert net.dim == 8
    images, x = torch.randn(5, 1, 2, 2), net.initial(9)[0]
    hidden = net.module[1](images.flatten(1))
    assert torch.allclose(net.evaluate(x, torch.empty(0), images), hidden @ x[:6].view(2, 3).T + x[6:], atol=1e-6)


def test_networks_without_parameters_and_with_means_over_all_batches_are_refused():
    with pytest.raises(ValueError, match="at least one parameter"):
        Net(nn.Flatten)
    with pytest.raises(ValueError, match="momentum, got None"):
        Net(lambda: nn.Sequential(nn.BatchNorm2d(3, momentum=None), nn.Flatten()))
    with pytest.raises(ValueError, match="got 'float16'"):
        Net(linear, dtype="float16")
