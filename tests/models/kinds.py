"""All kinds of models, by name."""

import kinds_by_end
import kinds_by_parts
import kinds_by_structure
from kind import KINDS, Kind, scatter

__all__ = ["KINDS", "Kind", "kinds_by_end", "kinds_by_parts", "kinds_by_structure", "scatter"]
