"""Earlier answers. The store is read-only, so they stay true until it is replaced."""

from __future__ import annotations

from collections import OrderedDict

from filtag_kg.server.jobs import Answer

_LARGEST_SHARE = 8
_OVERHEAD = 1000


class AnswerCache:
    """The most recently used answers, up to a number of bytes.

    Parameters
    ----------
    size : int
        In bytes; 0 keeps none. An answer larger than an eighth of it is not kept.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._taken = 0
        self._generation = 0
        self._answers: OrderedDict[bytes, Answer] = OrderedDict()

    def get(self, key: bytes, generation: int) -> Answer | None:
        """Return the answer to a job from that generation of the store, if it is known."""
        if generation != self._generation:
            self._answers.clear()
            self._taken, self._generation = 0, generation
        answer = self._answers.get(key)
        if answer is not None:
            self._answers.move_to_end(key)
        return answer

    def put(self, key: bytes, generation: int, answer: Answer) -> None:
        """Keep an answer, and drop the least recently used ones."""
        size = _size(key, answer)
        if generation != self._generation or key in self._answers or size > self._size // _LARGEST_SHARE:
            return
        self._answers[key] = answer
        self._taken += size
        while self._taken > self._size:
            self._taken -= _size(*self._answers.popitem(last=False))


def _size(key: bytes, answer: Answer) -> int:
    return len(key) + len(answer.body) + len(answer.line) + sum(map(len, answer.notes)) + _OVERHEAD
