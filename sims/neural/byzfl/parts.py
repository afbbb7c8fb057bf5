"""What ByzFL calls aggregators, pre-aggregators, attacks, models and data distributions, as parts of a sweep.

Each function makes the table that a sweep's file has for a part, or raises `RefusedError` with the key and the reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sims.by_name import takes
from sims.neural.byzfl.values import RefusedError, named, real, settings, whole

Table = dict[str, Any]
AGGREGATORS: dict[str, tuple[str, dict[str, tuple[str, Any, Any]], Table]] = {
    # name → name here, parameter → (setting, type, default), what is fixed
    "Average": ("Mean", {}, {}),
    "Median": ("CoordinateMedian", {}, {}),
    "TrMean": ("TrimmedMean", {}, {}),
    "GeometricMedian": ("RFA", {"nu": ("nu", real, 0.1), "T": ("steps", whole(1), 3)}, {}),
    "Krum": ("Krum", {}, {"variant": "byzfl"}),
    "MultiKrum": ("MultiKrum", {}, {"variant": "byzfl"}),
    "CenteredClipping": ("CenteredClipping", {"L": ("steps", whole(1), 1), "tau": ("tau", real, 100.0)}, {}),
    "MDA": ("MDA", {}, {}),
    "MoNNA": ("MoNNA", {"idx": ("idx", whole(0), 0)}, {}),  # honest workers come first, here as there
    "Meamed": ("Meamed", {}, {}),
    "CAF": ("CAF", {}, {}),
    "SMEA": ("SMEA", {}, {}),
}
EXACTLY = {  # what is random in ByzFL, and not here
    "SMEA": "compares eigenvalues; ByzFL compares what one step of the power method makes of a random vector",
    "CAF": "takes the covariance's eigenvector, and weights fall by their share of the farthest message that still has "
    "one; ByzFL takes one step of the power method from a random vector, and the farthest of all messages",
}
PRE_AGGREGATORS: dict[str, tuple[str, dict[str, tuple[str, Any, Any]], Table]] = {
    "NNM": ("NearestNeighbourMixing", {}, {}),
    "ARC": ("ARC", {}, {}),
    "Clipping": ("Clipping", {"c": ("radius", real, 2.0)}, {}),
    "Bucketing": ("Bucketing", {"s": ("size", whole(1), 1)}, {}),
}
SEARCH = {
    "evals": ("evals", whole(1), 20),
    "start": ("start", real, 0.0),
    "delta": ("delta", real, 10.0),
    "ratio": ("ratio", real, 0.8),
}
ATTACKS: dict[str, tuple[str, dict[str, tuple[str, Any, Any]], Table]] = {
    "NoAttack": ("NoAttack", {}, {}),
    "SignFlipping": ("InnerProductManipulation", {}, {"epsilon": 1.0}),  # minus the honest mean, not one's own vector
    "InnerProductManipulation": ("InnerProductManipulation", {"tau": ("epsilon", real, 2.0)}, {}),
    "ALittleIsEnough": ("ALittleIsEnough", {"tau": ("z", real, 1.5)}, {"sign": 1}),
    "Mimic": ("Mimic", {"epsilon": ("worker", whole(0), 0)}, {}),
    "Inf": ("Infinite", {}, {}),
    "Gaussian": ("Gaussian", {"mu": ("mu", real, 0.0), "sigma": ("sigma", real, 1.0)}, {"together": True}),
    "Optimal_InnerProductManipulation": ("SearchedStrength", SEARCH, {"direction": "mean"}),
    "Optimal_ALittleIsEnough": ("SearchedStrength", SEARCH, {"direction": "deviation"}),
}
ABSENT_ATTACKS = {
    "LabelFlipping": "ByzFL sends the mean of the honest workers' gradients for flipped labels, in evaluation mode; "
    "here Byzantine workers flip labels of their own, and it would be another experiment",
}
NORMS = (
    "ByzFL's server never updates the running statistics of BatchNorm and evaluates with those of the first round: its "
    "accuracies are not those of the trained network"
)
MODELS = {  # name → name here, data set, losses that are the cross-entropy of what it returns
    "cnn_mnist": ("cnn_mnist", "mnist", ("NLLLoss", "CrossEntropyLoss")),
    "fc_mnist": ("mlp", "mnist", ("NLLLoss", "CrossEntropyLoss")),
    "logreg_mnist": ("logreg_mnist", "mnist", ("CrossEntropyLoss",)),
    "cnn_cifar": ("cnn_cifar", "cifar10", ("CrossEntropyLoss",)),
}
ABSENT_MODELS: dict[str, str] = dict.fromkeys(("ResNet18", "ResNet34", "ResNet50", "ResNet101", "ResNet152"), NORMS)
# training images; ByzFL 0.0.11 trains on CIFAR-10 without augmentation: the two parts of its split share one data set,
# whose transform is set to the training's and then to the validation's
DATA = {"mnist": 60_000, "cifar10": 50_000}
ABSENT_DATA = {
    "fashionmnist": "ByzFL mirrors its images at random, those of the test too, and does not normalise them",
    **dict.fromkeys(("emnist", "cifar100", "imagenet"), "there is no such data set here"),
}
SPLITS = ("iid", "gamma_similarity_niid", "extreme_niid")
ABSENT_SPLITS = {"dirichlet_niid": "it gives workers different numbers of images, and here all have equally many"}


def rule(aggregator: Any, before: Any, declared: int, f: int) -> Table:
    """The aggregator and what comes before it, as a rule around a rule; `declared` is what the rules take for f."""
    if not isinstance(before, list):
        raise RefusedError("pre_aggregators", f"a list of tables is wanted, got {before!r}")
    links = [_link("pre_aggregators", one, PRE_AGGREGATORS, {}) for one in before]
    if isinstance(aggregator, dict) and aggregator.get("name") == "CenteredClipping":
        parameters = dict(aggregator.get("parameters") or {})
        if parameters.pop("m", None) is not None:
            raise RefusedError(
                "aggregator.parameters.m", "a file cannot give the vector to begin with: ByzFL refuses it too"
            )
        aggregator = {**aggregator, "parameters": parameters}
    links.append(_link("aggregator", aggregator, AGGREGATORS, {}))
    table: Table = {"name": links[-1].pop("name")}
    table |= links[-1]
    for link in reversed(links[:-1]):
        table["name"] = f"{link.pop('name')}({table['name']})"
        for setting, value in link.items():
            if table.setdefault(setting, value) != value:
                raise RefusedError("pre_aggregators", f"two of them want {setting}, {value} and {table[setting]}")
    if declared != f and "f" in takes("rule", table["name"]):
        table["f"] = declared
    return table


def attack(table: Any, f: int) -> Table:
    """The attack of f Byzantine workers; none if there are none."""
    made = _link("attack", table, ATTACKS, ABSENT_ATTACKS)
    if f == 0:
        return {"name": "NoAttack"}
    if made["name"] == "NoAttack":
        raise RefusedError("attack.name", f"NoAttack: ByzFL needs f = 0 for it, got f = {f}")
    return made


def split(key: str, table: Any) -> Table:
    """The settings of the problem that say which worker has which images."""
    if not isinstance(table, dict) or set(table) - {"name", "distribution_parameter"}:
        raise RefusedError(key, f"a table of name and distribution_parameter is wanted, got {table!r}")
    name = named(f"{key}.name", table.get("name", "iid"), dict.fromkeys(SPLITS), ABSENT_SPLITS)
    similarity = real(f"{key}.distribution_parameter", table.get("distribution_parameter", 1.0))
    if name != "gamma_similarity_niid":
        return {"split": "iid" if name == "iid" else "label"}
    if not 0 <= similarity <= 1:
        raise RefusedError(f"{key}.distribution_parameter", f"a number between 0 and 1 is wanted, got {similarity}")
    ends = {1.0: "iid", 0.0: "label"}
    return {"split": ends[similarity]} if similarity in ends else {"split": "similarity", "similarity": similarity}


def network(model: Any, data: Any, loss: Any) -> Table:
    """The settings of the problem that say what is trained, on what."""
    name = named("model.name", model, MODELS, ABSENT_MODELS)
    named("model.dataset_name", data, DATA, ABSENT_DATA)
    made, fits, losses = MODELS[name]
    if data != fits:
        raise RefusedError("model.dataset_name", f"{name} is for images of {fits}, got {data}")
    if loss not in losses:
        reason = "is not the cross-entropy of what it returns, and there is no other loss here"
        raise RefusedError("model.loss", f"{loss} with {name} {reason} ({' or '.join(losses)} is)")
    return {"data": data, "model": made}


def optimizer(rate: float, milestones: Sequence[int], factor: float, beta: float, weight_decay: float) -> Table:
    """Momentum on the workers, damped; a step with weight decay and a rate that falls on the server."""
    table: Table = {"name": "WorkerMomentum", "learning_rate": rate, "beta": beta}
    if milestones and factor != 1.0:
        table |= {"name": "WorkerMomentum.decayed", "milestones": [list(milestones)], "factor": factor}
    if weight_decay:
        table |= {"name": f"WeightDecay({table['name']})", "weight_decay": weight_decay}
    return table


def _link(key: str, table: Any, known: Mapping[str, Any], absent: Mapping[str, str]) -> Table:
    """One of them by its own table, with all settings that ByzFL has defaults for."""
    if not isinstance(table, dict) or "name" not in table:
        raise RefusedError(key, f"a table with a name is wanted, got {table!r}")
    name, parameters, fixed = known[named(f"{key}.name", table["name"], known, absent)]
    typed = {theirs: (kind, default) for theirs, (_, kind, default) in parameters.items()}
    given = settings(key, table, typed, "f" if key == "attack" else "tolerated_f")
    return {"name": name, **fixed, **{parameters[theirs][0]: value for theirs, value in given.items()}}
