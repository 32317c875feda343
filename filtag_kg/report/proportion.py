"""A proportion with Wilson's score interval."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Proportion:
    """`count` of `total`.

    The interval is Wilson's of 95 %: all proportions that a two-sided score test at 5 % would not reject [1]_. Unlike
    the proportion ± 2 standard errors it stays in [0, 1], and has a width where all or none are counted. It treats
    what was counted as a random sample of an infinite population, without a correction for a finite one.

    >>> proportion = Proportion(39, 51)
    >>> proportion.value, round(proportion.low, 3), round(proportion.high, 3)
    (0.7647058823529411, 0.632, 0.86)

    References
    ----------
    .. [1] Wilson 1927, Probable Inference, the Law of Succession, and Statistical Inference
    """

    count: int
    total: int

    def __post_init__(self) -> None:
        if not 0 <= self.count <= self.total:
            raise ValueError(f"{self.count} of {self.total} is no proportion")

    @property
    def value(self) -> float | None:
        """The proportion itself, in [0, 1]; None where `total` is 0."""
        return self.count / self.total if self.total else None

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

        if not self.total:
            return None, None
        interval = binomtest(self.count, self.total).proportion_ci(0.95, method="wilson")
        return float(interval.low), float(interval.high)
