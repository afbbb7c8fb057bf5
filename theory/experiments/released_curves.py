"""The first epochs of six of the runs that the authors released the logs of, ResNet-20 on CIFAR-10.

Source: outputs/cifar10-all and outputs/cifar10-all-noattack in the repository epfml/byzantine-robust-optimizer, the
lines of type "validation": test accuracy in % after epochs 1 to 15, of 9,984 of the 10,000 images, for seeds 0 and 1.
"""

from __future__ import annotations

PER_EPOCH = {"NoAttack": 111, "ALittleIsEnough": 78}  # rounds: 14 and 20 honest workers share 50,000 images, 32 a round
Curve = tuple[float, ...]
CURVES: dict[tuple[str, str, float], tuple[Curve, Curve]] = {  # attack, rule, β → seeds 0 and 1
    ("NoAttack", "Mean", 0.0): (
        (31.6, 43.4, 46.4, 47.0, 51.8, 55.4, 54.2, 62.2, 61.8, 62.5, 66.4, 68.2, 69.3, 66.9, 70.3),
        (36.6, 41.9, 49.5, 47.9, 52.2, 57.9, 60.8, 62.0, 64.1, 65.8, 64.3, 66.8, 66.7, 69.4, 65.2),
    ),
    ("NoAttack", "Mean", 0.9): (
        (44.1, 58.3, 62.4, 69.9, 73.4, 75.5, 77.6, 77.1, 77.4, 79.6, 80.5, 82.3, 82.0, 83.2, 83.3),
        (47.4, 56.0, 67.1, 70.4, 69.7, 73.7, 77.3, 77.0, 78.2, 80.7, 80.9, 82.4, 81.9, 83.7, 83.2),
    ),
    ("ALittleIsEnough", "CenteredClipping", 0.0): (
        (29.9, 33.1, 36.2, 35.3, 43.5, 37.3, 42.0, 39.7, 42.6, 40.0, 48.1, 45.8, 42.2, 46.9, 52.3),
        (32.4, 31.5, 32.3, 33.9, 43.7, 39.7, 43.9, 26.3, 45.6, 51.2, 45.6, 49.6, 51.4, 51.2, 51.2),
    ),
    ("ALittleIsEnough", "CenteredClipping", 0.9): (
        (42.6, 56.5, 61.2, 66.8, 70.1, 70.5, 74.5, 72.8, 74.2, 77.5, 77.1, 77.6, 78.5, 79.8, 80.2),
        (45.0, 52.9, 61.3, 66.0, 67.0, 68.3, 74.0, 74.2, 74.8, 78.0, 77.6, 77.8, 79.6, 79.8, 79.2),
    ),
    ("ALittleIsEnough", "CoordinateMedian", 0.0): (
        (26.6, 23.8, 27.0, 16.1, 24.3, 25.1, 22.6, 17.8, 19.7, 28.4, 26.6, 17.4, 20.0, 18.6, 18.8),
        (25.8, 25.4, 20.9, 15.3, 27.6, 20.2, 26.0, 22.3, 24.1, 18.7, 25.2, 19.0, 21.1, 17.6, 21.0),
    ),
    ("ALittleIsEnough", "CoordinateMedian", 0.9): (
        (43.2, 45.1, 50.2, 47.4, 50.4, 48.9, 53.5, 48.8, 45.2, 53.7, 20.8, 19.7, 25.9, 27.2, 34.7),
        (39.9, 45.8, 50.6, 52.6, 45.2, 46.7, 50.6, 50.6, 46.3, 50.2, 13.6, 20.9, 26.4, 31.5, 32.6),
    ),
}
