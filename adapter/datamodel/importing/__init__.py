"""Plans of other systems as a data model: Segment tracking plans, mParticle data plans, JSON Schemas.

`read_plan` finds out which of them a document is. What a data model cannot express is in the notes of the
result. One more kind of plan: a module with a function from the document to an `Imported`, named in `plans`.
"""

from adapter.datamodel.importing.imported import Imported, NotAPlan, Note
from adapter.datamodel.importing.plans import read_plan

__all__ = ["Imported", "NotAPlan", "Note", "read_plan"]
