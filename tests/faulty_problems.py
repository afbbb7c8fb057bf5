"""Problems that are not what they declare, each named for its fault: `check_problem` finds every one of them."""

# what is a property of a problem may be a plain attribute
# pyright: reportAssignmentType=false, reportIncompatibleMethodOverride=false

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sims.problems import Labelled, Pareto, Problem, Quadratic, SoftmaxRegression


@dataclass(frozen=True, eq=False)
class Bowl(Quadratic):
    """What most of them share: a quadratic in three dimensions, with noise."""

    eigenvalues: Any = (0.5, 1.0, 2.0)
    sigma_sq: Any = 1.0
    x_star: Any = 1.0


class Wave(Problem):
    """f(x) = Σ ½x_j² + a(1 − cos x_j), |a| < 1, noise of length 1: curvatures 1 + a cos x_j, between 1 ± a."""

    a: ClassVar[float] = 0.5
    dim = 2
    sample_shape = (2,)
    L = 1.5
    mu = 0.5
    sigma_sq = 1.0
    x_star = 0.0
    f_star = 0.0

    def excess(self, x):
        return (0.5 * x**2 + self.a * (1 - np.cos(x))).sum(axis=-1)

    def gradient(self, x):
        return x + self.a * np.sin(x)

    def draw(self, streams, steps, n):
        return streams.normal(steps, (n, self.dim))

    def oracle(self, x, sample, honest=None):
        return self.gradient(x)[..., None, :] + sample * np.sqrt(1 / self.dim)


# Constants


class HalfL(Bowl):
    """Declares half its smoothness."""

    @property
    def L(self):  # noqa: N802
        return super().L / 2


class LOfTheMinimum(Wave):
    """Declares the curvature at x*, which is larger elsewhere."""

    a = -0.5
    L = 0.5


class LALittleTooSmall(Wave):
    """Declares a thousandth too little."""

    L = 1.4985


class TwiceMu(Bowl):
    """Declares twice its strong convexity."""

    @property
    def mu(self):
        return 2 * super().mu


class MuOfTheMinimum(Wave):
    """Declares the curvature at x*, which is smaller elsewhere."""

    mu = 1.5


class MuAboveL(Bowl):
    """Declares μ above L."""

    @property
    def mu(self):
        return 3.0


class GradientOfAnother(Bowl):
    """Forgets the factor of one coordinate."""

    def gradient(self, x):
        return (x - 1.0) * np.array([0.5, 1.0, 1.0])


class GradientALittleOff(Bowl):
    """Is off by 1e-4 of the gradient."""

    def gradient(self, x):
        return super().gradient(x) * (1 + 1e-4)


class StarALittleOff(Bowl):
    """Declares a minimiser that is off by 1e-6."""

    def excess(self, x):
        away = x - 1.0
        return 0.5 * (np.array(self.eigenvalues) * away**2).sum(axis=-1)

    def gradient(self, x):
        return np.array(self.eigenvalues) * (x - 1.0)

    def __post_init__(self):
        super().__post_init__()
        object.__setattr__(self, "x_star", 1.0 + 1e-6)


class FStarTooHigh(Bowl):
    """Declares a minimum that is not one: f is below it."""

    def excess(self, x):
        return super().excess(x) - 0.25


class LocalMinimum(Wave):
    """Declares a minimiser that is one only nearby: f(x) = Σ ½x²/10 + 1 − cos x, at the second valley."""

    L = 1.1
    mu = 0.0
    x_star = 5.67920799  # sin x = −x/10

    def excess(self, x):
        return self.raw(x) - self.raw(np.full(2, self.x_star))

    def raw(self, x):
        return (0.05 * x**2 + 1 - np.cos(x)).sum(axis=-1)

    def gradient(self, x):
        return 0.1 * x + np.sin(x)


# Samples


class HalfVariance(Bowl):
    """Declares half the variance of its noise."""

    def oracle(self, x, sample, honest=None):
        return super().oracle(x, np.sqrt(2) * sample, honest)


class HalfVarianceOfAHeavyTail(Pareto):
    """Declares half the variance of a noise whose fourth moment is infinite."""

    @property
    def variance(self):
        return super().variance / 2


class LouderFarOut(Bowl):
    """Has the variance that it declares at x*, and a larger one away from there."""

    def oracle(self, x, sample, honest=None):
        away = np.linalg.norm(x - 1.0, axis=-1)[..., None, None]
        return super().oracle(x, sample * (1 + 0.3 * away), honest)


class OneLoudWorker(Bowl):
    """The second worker has twice the variance; on average it is as declared."""

    def oracle(self, x, sample, honest=None):
        n = sample.shape[-2]
        factors = np.sqrt(np.where(np.arange(n) == 1, 1.8, 0.2))
        return super().oracle(x, sample * factors[:, None], honest)


class Noiseless(Bowl):
    """Declares no noise and has a millionth."""

    def __post_init__(self):
        object.__setattr__(self, "sigma_sq", 0.0)
        super().__post_init__()

    def oracle(self, x, sample, honest=None):
        return super().oracle(x, sample, honest) + 1e-6 * sample


class Biased(Bowl):
    """Its noise has a mean."""

    def oracle(self, x, sample, honest=None):
        return super().oracle(x, sample, honest) + np.array([0.0, 0.2, 0.0])


class ClipsItsGradients(Bowl):
    """Is unbiased near x*, and clips what is long."""

    def oracle(self, x, sample, honest=None):
        return np.clip(super().oracle(x, sample, honest), -4.0, 4.0)


class HomogeneousItSays(Bowl):
    """Declares that all workers have the same function."""

    def oracle(self, x, sample, honest=None):
        shifts = np.where(np.arange(sample.shape[-2]) % 2, 0.5, -0.5)
        return super().oracle(x, sample, honest) + shifts[:, None]


class TwiceAsHeterogeneous(Bowl):
    """Declares twice its heterogeneity."""

    def __post_init__(self):
        super().__post_init__()
        object.__setattr__(self, "zeta_sq", 4.0)

    def directions(self, n, g):
        return np.sqrt(0.5) * super().directions(n, g)


# What an oracle owes


class TwoKindsOfDraws(Bowl):
    """Draws uniforms and normals from one stream: chunks of rounds are other rounds."""

    def draw(self, streams, steps, n):
        return streams.normal(steps, (n, 3)) + 0 * streams.uniform(steps, (n, 3))


class NoiseOfItsOwn(Bowl):
    """Draws its noise where it is asked for gradients."""

    def oracle(self, x, sample, honest=None):
        return super().oracle(x, np.random.default_rng().normal(size=sample.shape), honest)


class GlobalNoise(Bowl):
    """Draws its samples from NumPy's global generator."""

    def draw(self, streams, steps, n):
        drawn = super().draw(streams, steps, n)
        return np.random.normal(size=drawn.shape)  # noqa: NPY002


class OneSampleForAllRuns(Bowl):
    """Has every run draw what the first draws."""

    def draw(self, streams, steps, n):
        return 0 * super().draw(streams, steps, n) + super().draw(streams, steps, n)[:, :1]


class RemembersTheSample(Bowl):
    """Keeps the gradients of a sample that it has seen, at whatever point."""

    kept: ClassVar[dict[Any, Any]] = {}

    def oracle(self, x, sample, honest=None):
        return self.kept.setdefault((sample.tobytes(), x.shape), super().oracle(x, sample, honest))


class MixesRuns(Bowl):
    """Takes the mean over all runs into every gradient."""

    def oracle(self, x, sample, honest=None):
        return super().oracle(x, sample, honest) + 1e-6 * sample.mean()


class WritesIntoX(Bowl):
    """Moves the point that it is given to x* and back."""

    def gradient(self, x):
        x -= 1.0
        slope = np.array(self.eigenvalues) * x
        x += 1.0
        return slope


class OneGradientForAll(Bowl):
    """Has one gradient, for all workers."""

    def oracle(self, x, sample, honest=None):
        return super().oracle(x, sample, honest)[..., :1, :]


class Raises(Bowl):
    """Has no gradients at all."""

    def oracle(self, x, sample, honest=None):
        raise KeyError("gradient")


class MeasuresNothing(Bowl):
    """Does not note its excess."""

    def measure(self, x):
        return {"length": np.linalg.norm(x, axis=-1)}


class MeasuresAnother(Bowl):
    """Notes the norm of the gradient as its square."""

    def measure(self, x):
        found = dict(super().measure(x))
        return found | {"sq_gradient_norms": np.sqrt(found["sq_gradient_norms"])}


class FirstVariance(Bowl):
    """Takes the first of several variances for all runs."""

    def oracle(self, x, sample, honest=None):
        noise = np.sqrt(np.ravel(self.sigma_sq)[0] / 3) * sample
        return self.gradient(x)[..., None, :] + noise


@dataclass(frozen=True, eq=False)
class FlipsAll(SoftmaxRegression):
    """Flips the labels of honest workers as well."""

    def oracle(self, x, sample, honest=None, flip=False):
        return super().oracle(x, sample, 0 if flip else honest, flip)


@dataclass(frozen=True, eq=False)
class FlipsNone(SoftmaxRegression, Labelled):
    """Has labels, and does not flip them."""

    def oracle(self, x, sample, honest=None, flip=False):
        return super().oracle(x, sample, honest)


FAULTY = [  # what it breaks, the problem
    ("smoothness", HalfL),
    ("smoothness", LOfTheMinimum),
    ("smoothness", LALittleTooSmall),
    ("strong convexity", TwiceMu),
    ("strong convexity", MuOfTheMinimum),
    ("constants", MuAboveL),
    ("gradient", GradientOfAnother),
    ("gradient", GradientALittleOff),
    ("minimiser", StarALittleOff),
    ("minimiser", FStarTooHigh),
    ("minimiser", LocalMinimum),
    ("variance", HalfVariance),
    ("variance", HalfVarianceOfAHeavyTail),
    ("variance", LouderFarOut),
    ("variance", OneLoudWorker),
    ("variance", Noiseless),
    ("unbiasedness", Biased),
    ("unbiasedness", ClipsItsGradients),
    ("heterogeneity", HomogeneousItSays),
    ("heterogeneity", TwiceAsHeterogeneous),
    ("streams", TwoKindsOfDraws),
    ("streams", OneSampleForAllRuns),
    ("no hidden state", NoiseOfItsOwn),
    ("leading axes", RemembersTheSample),
    ("global random numbers", GlobalNoise),
    ("leading axes", MixesRuns),
    ("inputs untouched", WritesIntoX),
    ("kind", OneGradientForAll),
    ("kind", Raises),
    ("measures", MeasuresNothing),
    ("measures", MeasuresAnother),
    ("array parameter", FirstVariance),
    ("labels", FlipsAll.example),
    ("labels", FlipsNone.example),
]
