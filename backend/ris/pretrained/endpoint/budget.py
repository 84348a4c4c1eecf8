"""The largest number of calls, for a task and for an hour."""

import time
from collections import OrderedDict, deque
from collections.abc import Callable
from threading import Lock

from ris.errors import EndpointError

_HOUR_S = 3600.0
_MAX_TASKS = 10_000  # whose calls are counted; the longest unused one is forgotten


class CallBudget:
    """Counts the calls of this process, and refuses those over the limits.

    Args:
        max_a_task: for one expression of one image; retries count.
        max_an_hour: within any 3600 s.
        monotonic: a monotonic clock, in seconds.
    """

    def __init__(
        self, max_a_task: int, max_an_hour: int, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.max_a_task, self.max_an_hour, self.monotonic = max_a_task, max_an_hour, monotonic
        self._lock = Lock()
        self._by_task: OrderedDict[str, int] = OrderedDict()
        self._times: deque[float] = deque()

    def take(self, task: str) -> None:
        """Count a call that will be made now.

        Raises:
            EndpointError: the task or the hour has no call left; nothing is counted.
        """
        with self._lock:
            now, used = self.monotonic(), self._by_task.get(task, 0)
            while self._times and self._times[0] <= now - _HOUR_S:
                self._times.popleft()
            if used >= self.max_a_task:
                raise EndpointError(
                    f"the vision-language model was called {used} times for this expression, as often as "
                    "RIS_VLM_MAX_CALLS allows"
                )
            if len(self._times) >= self.max_an_hour:
                rest_s = self._times[0] + _HOUR_S - now
                raise EndpointError(
                    f"the vision-language model was called {len(self._times)} times in an hour, as often as "
                    f"RIS_VLM_MAX_CALLS_PER_HOUR allows; the next call is possible in {rest_s:.0f} s"
                )
            self._by_task[task] = used + 1
            self._by_task.move_to_end(task)
            if len(self._by_task) > _MAX_TASKS:
                self._by_task.popitem(last=False)
            self._times.append(now)
