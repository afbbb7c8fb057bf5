"""Experiments of ByzFL's benchmark as sweeps: every key of its JSON is honoured, or refused by name with the reason.

What is honoured is what `byzfl.benchmark` 0.0.11 does: n = honest + f workers; momentum (1 − β)g + βm on honest
workers, which alone have data; attacks on momenta; the pre-aggregators in their order before the aggregator, all of
them told `tolerated_f`; a server that steps along the aggregate plus weight decay, at a rate that falls after the
milestones; accuracy on the test images every `evaluation_delta` steps and at the end. Not the same are random numbers:
the network begins from the seed here and from `data_distribution_seed` there, and images that are left over when they
are dealt, fewer than there are workers, are dealt there as well.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sims.neural.byzfl import parts
from sims.neural.byzfl.file import MOST, check_keys, choices, load, sections, values
from sims.neural.byzfl.values import ByzFLError, RefusedError, Report, distinct, flag, real, settings, whole

__all__ = ["ByzFLError", "read", "remarks"]

Table = dict[str, Any]


def read(path: str | Path) -> Table:
    """The sweep of a configuration file of ByzFL (0.0.11), as `tomllib` would give it from a file of ours.

    Its lists are axes, crossed as there; configurations that differ in anything are different here, also where ByzFL
    writes them into one folder, and those that do not differ are one. Raises `ByzFLError` with every key that is
    refused at once: unknown ones with the nearest, and what is not here with the reason.
    """
    return _translated(Path(path))[0]


def remarks(path: str | Path) -> list[str]:
    """What a run of the file does otherwise than ByzFL's, key by key, a sentence each; raises as `read` does."""
    return list(_translated(Path(path))[1].remarks)


def _translated(path: Path) -> tuple[Table, Report]:
    data, report = load(path), Report()
    check_keys(data, report)
    blocks: list[Table] = []
    if not report.faults:
        every = [value for one in sections(data, "evaluation_and_results") for value in _every(one, report)]
        grids = itertools.product(*(sections(data, name) for name in ("benchmark_config", "model", "honest_clients")))
        for benchmark, model, honest in grids:
            shared = _shared(benchmark, model, honest, report)
            shared["every"] = _one(distinct(every))
            blocks += [shared | own for own in _workers(data, benchmark, report)]
        _look(data, report)
    if report.faults:
        raise ByzFLError("\n".join(f"{path}: {fault}" for fault in report.faults))
    if not blocks:
        raise ByzFLError(
            f"{path}: benchmark_config.tolerated_f: ByzFL leaves out what has tolerated_f < f, and that is all"
        )
    common = {key: value for key, value in blocks[0].items() if all(block.get(key) == value for block in blocks)}
    rest = [{key: value for key, value in block.items() if key not in common} for block in blocks]
    sweep: Table = {"title": f"ByzFL: {path.stem}", **common}
    if any(rest):
        sweep["block"] = distinct(rest)
    return sweep, report


def _shared(benchmark: Table, model: Table, honest: Table, report: Report) -> Table:
    """What does not depend on the numbers of workers: problem, optimizer, steps and seeds."""

    def of(name: str, section: Table, key: str, typed: Any) -> list[Any]:
        return report.each(f"{name}.{key}", values(name, section, key), typed)

    bench, net, clients = "benchmark_config", "model", "honest_clients"
    of(bench, benchmark, "training_algorithm", _algorithm)
    of(net, model, "optimizer_name", _only("SGD", "the server steps by SGD here"))
    of(net, model, "nb_labels", _only(10, "both data sets have 10 classes"))
    splits = of(bench, benchmark, "data_distribution", parts.split)
    sizes = of(bench, benchmark, "size_train_set", _share)
    devices = of(bench, benchmark, "device", _text)
    batches = of(clients, honest, "batch_size", whole(1))
    data_seeds = _seeds(benchmark, "data_distribution_seed", "nb_data_distribution_seeds", report)
    networks = report.each(
        net,
        list(itertools.product(*(values(net, model, key) for key in ("name", "dataset_name", "loss")))),
        lambda _, one: parts.network(*one),
    )
    problems = []
    for network, split, size, batch, device in itertools.product(networks, splits, sizes, batches, devices):
        table = {
            "name": "ImageClassification",
            **network,
            **split,
            "batch": batch,
            "drop_last": False,
            "device": device,
        }
        if size < 1:
            table["train_size"] = int(size * parts.DATA[network["data"]])
            report.remark(f"{bench}.size_train_set", "validation accuracy is not measured: the images are left out")
        table["data_seed"] = _one(data_seeds)
        problems.append(table)
    rates = of(net, model, "learning_rate", real)
    milestones = of(net, model, "milestones", _milestones)
    factors = of(net, model, "learning_rate_decay", real)
    betas = of(clients, honest, "momentum", real)
    decays = of(clients, honest, "weight_decay", real)
    optimizers = [parts.optimizer(*one) for one in itertools.product(rates, milestones, factors, betas, decays)]
    return {
        "problem": _one(distinct(problems)),
        "optimizer": _one(distinct(optimizers)),
        "steps": _one(of(bench, benchmark, "nb_steps", whole(1))),
        "seed": _one(_seeds(benchmark, "training_seed", "nb_training_seeds", report)),
    }


def _workers(data: Mapping[str, Any], benchmark: Table, report: Report) -> list[Table]:
    """A block for every number of workers, of Byzantine ones, and of those that rules are told."""
    name, blocks = "benchmark_config", []

    def of(key: str, typed: Any) -> list[Any]:
        return report.each(f"{name}.{key}", values(name, benchmark, key), typed)

    clients, byzantine = of("nb_honest_clients", whole(1)), of("f", whole(0))
    told = of("tolerated_f", whole(0)) if benchmark.get("tolerated_f") is not None else [None]
    together = of("set_honest_clients_as_clients", flag)
    befores = choices(data.get("pre_aggregators", []), "pre_aggregators")
    for count, f, tolerated, as_clients in itertools.product(clients, byzantine, told, together):
        declared = f if tolerated is None else tolerated
        n = count if as_clients else count + f
        if declared < f:
            continue
        if n <= f:
            report.refuse(f"{name}.nb_honest_clients", f"at least one honest worker is needed, got n = {n}, f = {f}")
            continue
        rules = report.each(
            "aggregator",
            list(itertools.product(choices(data["aggregator"]), befores)),
            lambda _, one, declared=declared, f=f: parts.rule(one[0], one[1], declared, f),
        )
        attacks = report.each("attack", choices(data["attack"]), lambda _, one, f=f: parts.attack(one, f))
        blocks.append({"n": n, "f": f, "rule": _one(rules), "attack": _one(attacks)})
    return blocks


def _every(evaluation: Table, report: Report) -> list[int]:
    """How often is measured; what else the section says is looked at."""
    name = "evaluation_and_results"

    def of(key: str, typed: Any) -> list[Any]:
        return report.each(f"{name}.{key}", values(name, evaluation, key), typed)

    of("batch_size_evaluation", whole(1))  # changes no accuracy
    of("store_models", _only(False, "networks are not kept at every evaluation"))
    if not all(of("evaluate_on_test", flag)):
        report.remark(f"{name}.evaluate_on_test", "the test images are measured all the same")
    if any(of("store_per_client_metrics", flag)):
        report.remark(f"{name}.store_per_client_metrics", "the mean loss is recorded, and not that of each worker")
    for key, option in (("data_folder", "--data"), ("results_directory", "--out")):
        of(key, _text)
        if key in evaluation:
            report.remark(f"{name}.{key}", f"a sweep has it on the command line: {option}")
    return of("evaluation_delta", whole(1))


def _look(data: Mapping[str, Any], report: Report) -> None:
    """Note in what a rule, or an attack that tries it out, does so otherwise than ByzFL's."""
    names = {part: str(data.get(part)) for part in ("attack", "aggregator", "pre_aggregators")}
    for name, how in parts.EXACTLY.items():
        if name in names["aggregator"]:
            report.remark("aggregator", f"{name} {how}")
    if "Optimal_" not in names["attack"]:
        return
    if "CenteredClipping" in names["aggregator"]:
        report.remark("attack", "the attacker tries the rule with its own centre; ByzFL's moves with every try")
    if "Bucketing" in names["pre_aggregators"]:
        report.remark("attack", "the attacker tries buckets in the order of the messages' values, ByzFL's random ones")


def _seeds(benchmark: Table, first: str, count: str, report: Report) -> list[int]:
    """Every first seed and those that follow it."""
    name = "benchmark_config"
    firsts = report.each(f"{name}.{first}", values(name, benchmark, first), whole(0))
    counts = report.each(f"{name}.{count}", values(name, benchmark, count), whole(1))
    if sum(counts) * len(firsts) > MOST:
        report.refuse(f"{name}.{count}", f"at most {MOST:,} seeds are wanted")
        return []
    return sorted({one + k for one in firsts for length in counts for k in range(length)})


def _algorithm(key: str, value: Any) -> None:
    if not isinstance(value, dict) or value.get("name") not in ("DSGD", "FedAvg"):
        raise RefusedError(key, f"a table with the name DSGD is wanted, got {value!r}")
    if value["name"] == "FedAvg":
        raise RefusedError(f"{key}.name", "FedAvg: workers here send one message a step, and all of them do")
    settings(key, value, {})


def _only(wanted: Any, reason: str) -> Any:
    def typed(key: str, value: Any) -> Any:
        if value != wanted or type(value) is not type(wanted):
            raise RefusedError(key, f"{value!r} is not here: {reason}")
        return value

    return typed


def _share(key: str, value: Any) -> float:
    if not 0 < (share := real(key, value)) <= 1:
        raise RefusedError(key, f"a share of the training images, 0 < size ≤ 1, is wanted, got {share}")
    return share


def _text(key: str, value: Any) -> str:
    if not isinstance(value, str):
        raise RefusedError(key, f"a text is wanted, got {value!r}")
    return value


def _milestones(key: str, value: Any) -> tuple[int, ...]:
    if not isinstance(value, list):
        raise RefusedError(key, f"a list of steps is wanted, got {value!r}")
    return tuple(sorted(whole(0)(key, one) for one in value))


def _one(several: list[Any]) -> Any:
    return several[0] if len(several) == 1 else several
