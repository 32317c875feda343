"""Keep within a service's rate limits."""

from __future__ import annotations

import logging
import time
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_log = logging.getLogger(__name__)

_LONG = 5.0

CONCEPTNET_LIMITS = ((120, 60.0), (3600, 3600.0))
"""ConceptNet's own: numbers of requests, and in how many seconds."""


class RateLimit:
    """Waits before a request that would exceed a limit.

    Parameters
    ----------
    limits : sequence of (int, float)
        Numbers of requests, and the seconds in any span of which they are allowed.
    clock, sleep : callable
        Return the time in seconds; wait for so many seconds.
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
                _log.info("waiting %.0f s, because of the service's rate limit", at - now)
            self._sleep(at - now)
        self._made.append(max(at, now))
