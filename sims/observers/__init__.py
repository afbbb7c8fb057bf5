"""Who looks at every round of an experiment and changes none: what a rule did, beside where it led."""

from typing import TYPE_CHECKING, Any

from sims.observers.class_distances import ClassDistances
from sims.observers.clipped import Clipped
from sims.observers.kept import Kept
from sims.observers.observer import Observer, Seen
from sims.observers.picked import Picked
from sims.observers.push import Push
from sims.packages import class_in

__all__ = ["ClassDistances", "Clipped", "Kept", "Observer", "Picked", "Push", "Seen"]

if not TYPE_CHECKING:  # for a checker of types only what is listed is there

    def __getattr__(name: str) -> Any:
        """A class that a file of this package defines and that is not listed above."""
        return class_in(__name__, name)
