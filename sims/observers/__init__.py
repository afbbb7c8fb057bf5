"""Who looks at every round of an experiment and changes none: what a rule did, beside where it led."""

from sims.observers.class_distances import ClassDistances
from sims.observers.clipped import Clipped
from sims.observers.kept import Kept
from sims.observers.observer import Observer, Seen
from sims.observers.picked import Picked
from sims.observers.push import Push

__all__ = ["ClassDistances", "Clipped", "Kept", "Observer", "Picked", "Push", "Seen"]
