"""The page on clusters: its local commands are run, and what it says of other systems is what their libraries make."""

from __future__ import annotations

import ast
import importlib
import re
import shlex
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from invoke import call
from waiting import PATIENCE

from sims.sweep.store import Results

PAGE = (Path(__file__).parents[1] / "docs" / "clusters.md").read_text(encoding="utf-8")
SWEEP = """
n = 5
f = 1
steps = 2
seed = { range = [0, 3] }
problem = { name = "Rademacher" }
rule = { name = "CenteredClipping", tau = [0.5, 1.0] }
optimizer = { name = "SGD", learning_rate = 0.1 }
"""


def part(title):
    """What stands under a title."""
    return re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:][[*titles()].index(title)]


def titles():
    return re.findall(r"^## (.*)$", PAGE, flags=re.MULTILINE)


def blocks(title, kind="text"):
    """The blocks of one kind under a title."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", part(title), flags=re.MULTILINE | re.DOTALL)
    return [text for language, text in found if language == kind]


def program(line, **changes):
    """A command as this interpreter runs it, with words replaced."""
    for word, other in changes.items():
        assert word in line
        line = line.replace(word, str(other))
    return [sys.executable, "-m", *shlex.split(line)]


def test_the_local_commands_do_what_a_run_without_them_does(tmp_path):
    starting, running = blocks("By hand", "sh")
    scheduler, worker = starting.splitlines()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (tmp_path / "sweep.toml").write_text(SWEEP, encoding="utf-8")
    here = {"head": "127.0.0.1", "8786": port}
    begun = [
        subprocess.Popen(program(line, **changes), cwd=tmp_path)  # pytest prints what they say when the test fails
        for line, changes in (
            (f"{scheduler} --host 127.0.0.1 --no-dashboard", {"8786": port}),
            (worker, {**here, "32": 2}),
        )
    ]
    try:
        with importlib.import_module("distributed").Client(f"tcp://127.0.0.1:{port}", timeout=f"{PATIENCE}s") as client:
            client.wait_for_workers(2, timeout=PATIENCE)
            assert set(client.nthreads().values()) == {1}
        command = program(f"{running.strip()} --batch 2", **here, **{"/shared/results": tmp_path / "far"})
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert "2 Dask workers" in done.stderr
    finally:
        for process in reversed(begun):
            process.terminate()
        for process in begun:
            process.wait()
    call("sweep", "run", tmp_path / "sweep.toml", "--results", tmp_path / "near", "--jobs", 1)
    far, near = (Results(tmp_path / name) for name in ("far", "near"))
    assert len(far.scan().files) > 1
    tables = [sorted(map(str, one.rows(one.scan()).to_pylist())) for one in (far, near)]
    assert tables[0] == tables[1]


@pytest.mark.parametrize("title", ["SLURM", "PBS"])
def test_the_job_scripts_are_those_that_dask_jobqueue_writes(title):
    jobqueue = pytest.importorskip("dask_jobqueue")
    [source] = blocks(title, "python")
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    [made] = [node for node in calls if getattr(node.func, "id", "") == f"{title}Cluster"]
    given = {keyword.arg: ast.literal_eval(keyword.value) for keyword in made.keywords}
    assert given["cores"] == given["processes"]  # one thread a worker
    with getattr(jobqueue, f"{title}Cluster")(**{**given, "interface": "lo"}) as cluster:
        script = cluster.job_script()
    [shown] = blocks(title)
    name = {"SLURM": "SBATCH", "PBS": "PBS"}[title]
    assert [line.strip() for line in script.splitlines() if line.startswith(f"#{name}")] == shown.splitlines()
    assert "--nthreads 1 " in script
    assert "--nworkers 32 " in script


def test_the_manifest_has_one_thread_a_worker_and_one_image():
    [text] = blocks("Kubernetes", "yaml")
    manifest = yaml.safe_load(text)
    spec = manifest["spec"]
    [scheduler], [worker] = (spec[role]["spec"]["containers"] for role in ("scheduler", "worker"))
    assert scheduler["image"] == worker["image"]
    assert worker["args"][-2:] == ["--nthreads", "1"]
    assert worker["resources"]["limits"]["cpu"] == "1"
    ports = {port["name"]: port["containerPort"] for port in scheduler["ports"]}
    assert {port["targetPort"]: port["port"] for port in spec["scheduler"]["service"]["ports"]} == ports
    assert spec["scheduler"]["service"]["selector"]["dask.org/cluster-name"] == manifest["metadata"]["name"]
    last = blocks("Kubernetes")[-1]
    assert f"service/{manifest['metadata']['name']}-scheduler {ports['tcp-comm']}:" in last
