from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from filtag_kg.concepts.conceptnet.rate_limit import RateLimit


@given(
    st.lists(st.floats(0, 30), max_size=80),
    st.lists(st.tuples(st.integers(1, 10), st.floats(0.5, 100)), min_size=1, max_size=3),
)
def test_no_span_has_too_many_requests(pauses: list[float], limits: list[tuple[int, float]]) -> None:
    now, made = [0.0], []

    def sleep(seconds: float) -> None:
        assert seconds > 0
        now[0] += seconds

    limit = RateLimit(limits, clock=lambda: now[0], sleep=sleep)
    for pause in pauses:
        now[0] += pause
        limit.wait()
        made.append(now[0])
    for most, span in limits:
        assert all(later - first >= span - 1e-6 for first, later in zip(made, made[most:], strict=False))


def test_nobody_waits_below_the_limit() -> None:
    waited: list[float] = []
    limit = RateLimit(((3, 60.0),), clock=lambda: 5.0, sleep=waited.append)
    for _ in range(3):
        limit.wait()
    assert waited == []
    limit.wait()
    assert waited == [60.0]
