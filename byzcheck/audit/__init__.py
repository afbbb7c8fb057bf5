"""What an audit measures of a rule, one subject a module, beside contracts and constants: each says it in lines."""

from byzcheck.audit.limit import TookTooLong, within
from byzcheck.audit.line import How, Line, times
from byzcheck.audit.measure import MEASUREMENTS, measured

__all__ = ["MEASUREMENTS", "How", "Line", "TookTooLong", "measured", "times", "within"]
