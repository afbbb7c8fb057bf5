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
    if corner == "not a number" and rule.breakdown(9) < 2:
        pytest.skip("a mean of what is not a number has no derivative")
    assert torch.isfinite(gradient(rule, x)).all()


def beside(far, at):
    """Messages of which one is far away, and one (`at`) or two exactly at the origin, where they have their centre."""
    x = torch.tensor([[0, 0], [0.5, 0.1], [0.2, -0.3], [-0.4, 0.3], [-0.3, -0.2], [0.1, 0.4], [1, 0.5]])
    x = x.to(torch.float64)
    x[6] *= far
    x[3] *= at
    return x


def all_derivatives(name, make, x):
    """By the messages, the centre and the radius, of a sum with weights."""
    x, v, radius = x.clone(), torch.zeros(2, dtype=torch.float64), torch.tensor(0.45, dtype=torch.float64)
    leaves = [part.requires_grad_() for part in (x, v, radius)]
    y = make(radius).aggregate(x, v if name == "clipping" else None)
    return torch.autograd.grad(y @ torch.tensor([1.0, -0.7], dtype=torch.float64), leaves, materialize_grads=True)


BY_RADIUS = {
    "clipping": lambda radius: CenteredClipping(radius),
    "two steps": lambda radius: CenteredClipping(radius, steps=2),
    "RFA": lambda radius: RFA(nu=radius),
    "one step": lambda radius: RFA(nu=radius, steps=1),
    "GM": lambda _: GeometricMedian(),
    "shortened": lambda radius: Clipping(Mean(), radius),
    "ARC": lambda _: ARC(Mean(), 2),
}


@pytest.mark.parametrize("at", [0.0, 1.0])
@pytest.mark.parametrize("name", BY_RADIUS)
def test_how_far_away_an_attacker_is_changes_no_derivative(name, at):
    """From where directions do not change any more: by squares at 1e50, with exponents at 1e200."""
    near = all_derivatives(name, BY_RADIUS[name], beside(1e50, at))
    assert any(part.any() for part in near)
    for far in (1e140, 1e150, 1e200, 1.7e308):
        for found, expected in zip(all_derivatives(name, BY_RADIUS[name], beside(far, at)), near, strict=True):
            torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("name", BY_RADIUS)
@pytest.mark.parametrize("small", [1e-300, 1e-307, 1e-310, 1e-322])
def test_a_message_next_to_zero_has_the_derivatives_of_zero(name, small):
    x = beside(1.0, 1.0)
    expected = all_derivatives(name, BY_RADIUS[name], x)
    x[0] = torch.tensor([small, -small], dtype=torch.float64)
    for found, other in zip(all_derivatives(name, BY_RADIUS[name], x), expected, strict=True):
        torch.testing.assert_close(found, other, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("rule", CENTRED, ids=repr)
@pytest.mark.parametrize(("scale", "digits"), [(1e-306, 1e-12), (1e-311, 1e-9), (1e-317, 1e-3), (1e-322, 1.0)])
def test_of_the_smallest_numbers_derivatives_have_as_many_digits_as_they(rule, scale, digits):
    """Those at 1, within the digits that messages and radii have where they are that small; finite in any case."""
    name = {CenteredClipping: "tau", RFA: "nu", Clipping: "radius"}.get(type(rule))
    scaled = rule if name is None else type(rule)(**{**vars(rule), name: getattr(rule, name) * scale})
    found, expected = gradient(scaled, drawn(4) * scale), gradient(rule, drawn(4))
    assert torch.isfinite(found).all()
    assert digits == 1 or (found - expected).abs().max() <= digits


def test_messages_of_many_magnitudes_have_derivatives():
    """Of the median each moves what it is made of: derivatives by the messages of a coordinate add up to 1."""
    generator, r = torch.Generator().manual_seed(7), torch.rand
    for _ in range(60):
        n, d = int(torch.randint(2, 9, (), generator=generator)), int(torch.randint(1, 4, (), generator=generator))
        x = torch.randn((n, d), generator=generator, dtype=torch.float64)
        x = x * 10.0 ** (r((n, d if n % 2 else 1), generator=generator, dtype=torch.float64) * 600 - 300)
        x[0] = 0
        for rule in (GeometricMedian(), CenteredClipping(1.0), RFA()):
            found = gradient(rule, x)
            assert torch.isfinite(found).all(), (rule, x)
            if isinstance(rule, GeometricMedian) and d == 1:
                torch.testing.assert_close(found.sum(), torch.ones_like(found.sum()))


def test_the_geometric_median_follows_the_message_that_it_is():
    for far in (1.0, 1e150, 1e200, 1e308):
        x = drawn(runs=1)
        x[0, :5] = x[0, 0]  # a majority
        x[0, 6:8] = far * x[0, 6:8].clip(-1, 1)
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
