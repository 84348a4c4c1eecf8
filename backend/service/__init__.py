"""What Label Studio asks for: suggestions for tasks, and a record of what annotators did with them.

It joins the methods, Label Studio's JSON and the store; it knows no network, no SQL and no Flask.
"""

from backend.service.delivering import Brought, Delivering
from backend.service.describing import RememberedDescriber
from backend.service.recording import Recording
from backend.service.refining import Refined, Refining
from backend.service.suggesting import Suggested, Suggesting
from backend.service.syncing import Synced, Syncing
from backend.service.worker import SceneCache, Worker
from backend.service.writing import Outcome

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
