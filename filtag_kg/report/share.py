"""A share of things counted, with Wilson's score interval."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

__all__ = ["Share"]


@dataclass(frozen=True)
class Share:
    """`count` of `of`.

    The interval is Wilson's of 95 %: all shares that a two-sided score test at 5 % would not reject [1]_. Unlike
    the share ± 2 standard errors it stays in [0, 1], and is no single point where all or none are counted. It takes
    the things for a random sample of endlessly many; no correction is made where they are few.

    >>> share = Share(39, 51)
    >>> share.value, round(share.low, 3), round(share.high, 3)
    (0.7647058823529411, 0.632, 0.86)

    References
    ----------
    .. [1] Wilson 1927, Probable Inference, the Law of Succession, and Statistical Inference
    """

    count: int
    of: int

    def __post_init__(self) -> None:
        if not 0 <= self.count <= self.of:
            raise ValueError(f"{self.count} of {self.of} is no share")

    @property
    def value(self) -> float | None:
        """The share itself, in [0, 1]; None of nothing."""
        return self.count / self.of if self.of else None

    @property
    def low(self) -> float | None:
        """The lower end of the interval."""
        return self._interval[0]

    @property
    def high(self) -> float | None:
        """The upper end of the interval."""
        return self._interval[1]

    @cached_property
    def _interval(self) -> tuple[float | None, float | None]:
        from scipy.stats import binomtest

        if not self.of:
            return None, None
        interval = binomtest(self.count, self.of).proportion_ci(0.95, method="wilson")
        return float(interval.low), float(interval.high)
