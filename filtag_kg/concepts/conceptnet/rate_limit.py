"""Keep to a service's rate limits."""

from __future__ import annotations

import logging
import time
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["CONCEPTNET_LIMITS", "RateLimit"]

_log = logging.getLogger(__name__)

_LONG = 5.0

CONCEPTNET_LIMITS = ((120, 60.0), (3600, 3600.0))
"""What ConceptNet's service allows: requests, and the seconds in which they may come."""


class RateLimit:
    """Waits before a request that would be one too many.

    Parameters
    ----------
    limits : sequence of (int, float)
        So many requests in any span of so many seconds.
    clock, sleep : callable
        Time in seconds, and waiting.
    """

    def __init__(
        self,
        limits: Sequence[tuple[int, float]] = CONCEPTNET_LIMITS,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._limits = tuple(limits)
        self._clock = clock
        self._sleep = sleep
        self._made: deque[float] = deque(maxlen=max(most for most, _ in limits))

    def wait(self) -> None:
        """Wait until a request may be made, and count it."""
        now = self._clock()
        at = max((self._made[-most] + span for most, span in self._limits if len(self._made) >= most), default=now)
        if at > now:
            if at - now > _LONG:
                _log.info("waiting %.0f s, so as not to ask more often than the service allows", at - now)
            self._sleep(at - now)
        self._made.append(max(at, now))
