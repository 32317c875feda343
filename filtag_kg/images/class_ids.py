"""From the labels in a data set to class ids."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filtag_kg.errors import FiltagError
from filtag_kg.images.labelled_files import label_of
from filtag_kg.images.pixels import is_tensor, to_array


class ClassNames:
    """From the labels in a data set to class ids.

    Parameters
    ----------
    names : sequence of str
        The classes that whole numbers stand for, in order; without any, a number is its class's id.

    Attributes
    ----------
    labels : dict of str to str
        The names of classes whose ids say more, since two have one name.

    Raises
    ------
    FiltagError
        If a name is empty.
    """

    def __init__(self, names: Sequence[str] = ()) -> None:
        names = [label_of(name) for name in names]
        if "" in names:
            raise FiltagError(f"class {names.index('')} has an empty name: give each class one")
        repeated = {name for name, times in Counter(names).items() if times > 1}
        self._ids = [f"{name} ({index})" if name in repeated else name for index, name in enumerate(names)]
        self.labels = {self._ids[index]: name for index, name in enumerate(names) if name in repeated}

    def of(self, label: Any, where: str) -> tuple[str, ...]:  # noqa: ANN401 - whatever a data set holds
        """Return the class ids of an image.

        Parameters
        ----------
        label : str, bytes, int, a number in an array, an array of zeros and ones, or a collection of labels
        where : str
            Which image it is, for messages.

        Raises
        ------
        FiltagError
            If it is none of these, or a number without a name.
        """
        class_ids = tuple(dict.fromkeys(self._each(label, where)))
        if not class_ids:
            raise FiltagError(f"{where} has no label: give one, or leave the image out")
        return class_ids

    def _each(self, label: Any, where: str) -> Iterator[str]:  # noqa: ANN401
        if label is None:
            return
        if isinstance(label, bytes):
            label = label.decode("utf-8", "replace")
        if isinstance(label, str):
            if not label_of(label):
                raise FiltagError(f"{where} has an empty label: give one, or leave the image out")
            yield label_of(label)
        elif isinstance(label, int | float | np.generic):
            yield self._of_number(label, where)
        elif is_tensor(label):
            yield from self._of_array(to_array(label), where)
        elif isinstance(label, Collection) and not isinstance(label, Mapping):
            for each in label:
                yield from self._each(each, where)
        else:
            raise FiltagError(f"{where} has a label of type {type(label).__name__}: give text or a whole number")

    def _of_array(self, array: NDArray[Any], where: str) -> Iterator[str]:
        if array.size == 1:
            yield from self._each(array.reshape(-1).tolist()[0], where)
        elif array.dtype.kind in "USO":
            for each in array.reshape(-1).tolist():
                yield from self._each(each, where)
        elif array.ndim == 1 and np.isin(array, (0, 1)).all():
            for number in np.flatnonzero(array).tolist():
                yield self._of_number(number, where)
        else:
            raise FiltagError(
                f"{where} has an array of shape {array.shape} as its label: give a number, text, or zeros and ones"
            )

    def _of_number(self, number: Any, where: str) -> str:  # noqa: ANN401
        if number != int(number):
            raise FiltagError(f"{where} has the label {number}: give a whole number or text")
        index = int(number)
        if self._ids and not 0 <= index < len(self._ids):
            raise FiltagError(
                f"{where} has the label {index}, and the classes have {len(self._ids)} names: leave the image out, or "
                "name more classes"
            )
        return self._ids[index] if self._ids else str(index)
