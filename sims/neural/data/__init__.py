"""The images that networks are trained on: read from files that are checked, dealt to workers by seed. No torch."""

from sims.neural.data.dataset import DataMissing, Dataset
from sims.neural.data.load import NAMES, load
from sims.neural.data.sampling import imbalanced, shards

__all__ = ["NAMES", "DataMissing", "Dataset", "imbalanced", "load", "shards"]
