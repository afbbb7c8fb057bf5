"""The batched loop, the record of a run and the random streams."""

from sims.engine.configuration import configure, describe, key
from sims.engine.record import Record
from sims.engine.simulate import simulate
from sims.engine.streams import RunStreams, Streams

__all__ = ["Record", "RunStreams", "Streams", "configure", "describe", "key", "simulate"]
