"""Experiments, parameters along axes, the batched loop that runs them, the record of a run and the random streams."""

from sims.engine.axis import Axis
from sims.engine.checkpoint import Checkpoint
from sims.engine.describe import describe, key
from sims.engine.experiment import Experiment
from sims.engine.on_arrays import Progress
from sims.engine.record import Record
from sims.engine.simulate import play, simulate, way_of
from sims.engine.streams import RunStreams, Streams
from sims.engine.way import Way
from sims.observers import Observer, Seen

__all__ = [
    "Axis",
    "Checkpoint",
    "Experiment",
    "Observer",
    "Progress",
    "Record",
    "RunStreams",
    "Seen",
    "Streams",
    "Way",
    "describe",
    "key",
    "play",
    "simulate",
    "way_of",
]
