"""The services behind the routes and the commands: suggesting, recording, delivering, syncing.

They join the methods, Label Studio's JSON and the store. Networks, SQL and Flask stay outside.
"""

from ris.service.delivering import DeliveryResult, DeliveryService
from ris.service.describing import CachingDescriber
from ris.service.recording import RecordingService
from ris.service.refining import RefinedMask, RefinementService
from ris.service.scene_cache import SceneCache
from ris.service.suggesting import SuggestionResult, SuggestionService
from ris.service.syncing import SyncResult, SyncService
from ris.service.worker import ModelState, ModelStatus, Worker
from ris.service.writing import WriteOutcome

__all__ = [
    "CachingDescriber",
    "DeliveryResult",
    "DeliveryService",
    "ModelState",
    "ModelStatus",
    "RecordingService",
    "RefinedMask",
    "RefinementService",
    "SceneCache",
    "SuggestionResult",
    "SuggestionService",
    "SyncResult",
    "SyncService",
    "Worker",
    "WriteOutcome",
]
