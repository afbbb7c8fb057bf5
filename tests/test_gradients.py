"""torch finds derivatives through every rule: beside differences, at the corners, and within torch.func."""

from __future__ import annotations

import pytest

from sims.aggregators import ARC, RFA, CenteredClipping, Clipping, CoordinateMedian, GeometricMedian, Mean
from sims.by_name import examples

torch = pytest.importorskip("torch")

RULES = [
    *examples(9, 2).values(),
    CenteredClipping((2.0, 0.5, 0.0), steps=3),
    CenteredClipping(1e-200),
    RFA(steps=1, nu=2.0),
    ARC(GeometricMedian(), 2),
    Clipping(CoordinateMedian(), 0.5),
]
CENTRED = [CenteredClipping(1.0), RFA(), GeometricMedian(), Clipping(Mean(), 1.0), ARC(Mean(), 2)]


def drawn(seed=0, n=9, d=3, runs=2):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn((runs, n, d), generator=generator, dtype=torch.float64)


def gradient(rule, x, weights=None):
    x = x.clone().requires_grad_()
    y = rule.aggregate(x)
    (found,) = torch.autograd.grad((y * (1 if weights is None else weights)).sum(), x)
    return found


@pytest.mark.parametrize("rule", RULES, ids=repr)
def test_derivatives_are_those_of_differences(rule):
    torch.autograd.gradcheck(rule.aggregate, (drawn().requires_grad_(),), atol=1e-6)


@pytest.mark.parametrize("rule", CENTRED, ids=repr)
@pytest.mark.parametrize("scale", [2.0**-400, 2.0**400])
def test_derivatives_far_from_1_are_the_same(rule, scale):
    """That of a scale equivariant function is the same everywhere; radii are scaled too."""
    name = {CenteredClipping: "tau", RFA: "nu", Clipping: "radius"}.get(type(rule))
    scaled = rule if name is None else type(rule)(**{**vars(rule), name: getattr(rule, name) * scale})
    torch.testing.assert_close(gradient(scaled, drawn() * scale), gradient(rule, drawn()), rtol=1e-7, atol=1e-9)


def test_a_message_at_the_centre_moves_clipping_by_one_nth():
    x = drawn(runs=1)
    x[0, 3] = 0
    torch.testing.assert_close(gradient(CenteredClipping(1.0), x)[0, 3], torch.full((3,), 1 / 9, dtype=torch.float64))
    torch.testing.assert_close(gradient(Clipping(Mean(), 1.0), x)[0, 3], torch.full((3,), 1 / 9, dtype=torch.float64))
    for rule in (CenteredClipping(0.0), Clipping(Mean(), 0.0)):  # constant
        assert not gradient(rule, x).any()


@pytest.mark.parametrize("rule", RULES, ids=repr)
@pytest.mark.parametrize(
    "corner", ["zeros", "all zeros", "two alike", "all alike", "a line", "far", "small", "not a number"]
)
def test_corners_have_finite_subgradients(rule, corner):
    x = drawn(1)
    if corner == "zeros":
        x[:, :2] = 0
    elif corner == "all zeros":
        x[:] = 0
    elif corner == "two alike":
        x[:, 1] = x[:, 2]
    elif corner == "all alike":
        x[:] = x[:1, :1]
    elif corner == "a line":
        x[:] = torch.arange(9.0, dtype=torch.float64)[:, None]
    elif corner == "far":
        x[:, 0] = 1e300
    elif corner == "small":
        x *= 1e-305
    else:
        x[:, 0], x[:, 1, 0] = float("nan"), float("inf")
    if corner == "not a number" and (rule.breakdown(9) < 2 or type(rule).__name__ == "Bucketing"):
        pytest.skip("a mean of what is not a number has no derivative")
    assert torch.isfinite(gradient(rule, x)).all()


def test_the_geometric_median_follows_the_message_that_it_is():
    x = drawn(runs=1)
    x[0, :5] = x[0, 0]  # a majority
    found = gradient(GeometricMedian(), x)[0]
    torch.testing.assert_close(found[:5].sum(0), torch.ones(3, dtype=torch.float64))
    assert not found[5:].any()


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")  # torch's own, of jacfwd
@pytest.mark.parametrize("rule", CENTRED, ids=repr)
def test_within_torch_func(rule):
    """vmap over runs is the batch, and derivatives of one run at a time are those of the batch."""
    x = drawn(2, runs=3)
    x[1, 0], x[2, 0] = 0, 1e200
    torch.testing.assert_close(torch.func.vmap(rule.aggregate)(x), rule.aggregate(x), rtol=1e-9, atol=1e-12)
    one = torch.func.vmap(torch.func.grad(lambda run: rule.aggregate(run).sum()))(x)
    torch.testing.assert_close(one, gradient(rule, x), rtol=1e-7, atol=1e-9)
    jacobian = torch.func.jacrev(rule.aggregate)(x[0])
    forward = torch.func.jacfwd(rule.aggregate)(x[0])
    torch.testing.assert_close(forward, jacobian, rtol=1e-7, atol=1e-9)


def test_centres_and_parameters_have_derivatives_too():
    """Also where the messages have none, and are large enough for compiled code, which torch cannot follow."""
    x = drawn(3, n=7, d=20_001, runs=1)[0]
    centre = torch.zeros(20_001, dtype=torch.float64, requires_grad=True)
    (by_centre,) = torch.autograd.grad(CenteredClipping(1e9).aggregate(x, centre).sum(), centre)
    assert by_centre.abs().max() < 1e-12  # nothing is clipped: the mean, wherever the centre is
    (by_centre,) = torch.autograd.grad(CenteredClipping(0.0).aggregate(x, centre).sum(), centre)
    torch.testing.assert_close(by_centre, torch.ones_like(centre))
    for name, make in (("tau", CenteredClipping), ("nu", lambda nu: RFA(nu=nu, steps=2))):
        value = torch.tensor(100.0, dtype=torch.float64, requires_grad=True)
        y = make(value).aggregate(x)
        (found,) = torch.autograd.grad(y[0], value)
        steps = [make(value.detach() + h).aggregate(x)[0] for h in (1e-3, -1e-3)]
        torch.testing.assert_close(found, (steps[0] - steps[1]) / 2e-3, rtol=1e-4, atol=1e-12, msg=name)
