"""What Label Studio asks for: suggestions for tasks, and a record of what annotators did with them.

It joins the methods, Label Studio's JSON and the store; it knows no network, no SQL and no Flask.
"""

from ris.service.delivering import Brought, Delivering
from ris.service.describing import RememberedDescriber
from ris.service.recording import Recording
from ris.service.refining import Refined, Refining
from ris.service.suggesting import Suggested, Suggesting
from ris.service.syncing import Synced, Syncing
from ris.service.worker import SceneCache, Worker
from ris.service.writing import Outcome

__all__ = [
    "Brought",
    "Delivering",
    "Outcome",
    "Recording",
    "Refined",
    "Refining",
    "RememberedDescriber",
    "SceneCache",
    "Suggested",
    "Suggesting",
    "Synced",
    "Syncing",
    "Worker",
]
