"""The meaning of the values of masks."""

from typing import Dict, List, NamedTuple, Optional, Sequence, Set

import numpy as np
from allennlp.common.checks import ConfigurationError

_SHOWN = 8  # values in an error message


class Mask(NamedTuple):
    """A mask whose values are explained.

    # Fields

    on : bool `(height, width)`, false in void pixels.
    known : bool `(height, width)`, false in void pixels.
    """

    on: np.ndarray
    known: np.ndarray


class MaskValues:
    """Which values of masks are on, off and void.

    # Parameters

    foreground : `List[int]`, optional
        Values that are on. By default 1 in masks of 0 and 1, and 255 in masks of 0 and 255.
    background : `List[int]`, optional
        Values that are off. By default 0; with `foreground`, the one value that is neither
        foreground nor void.
    void : `List[int]`, optional
        Values of pixels whose label is unknown.

    # Raises

    `ConfigurationError` for an empty foreground, and for a value in two of the lists.
    """

    def __init__(
        self,
        foreground: Optional[List[int]] = None,
        background: Optional[List[int]] = None,
        void: Optional[List[int]] = None,
    ) -> None:
        lists = {"foreground": foreground, "background": background, "void": void}
        if foreground is not None and not foreground:
            raise ConfigurationError(
                "Expected at least one value as foreground of the dataset reader "
                "'segmentation-npy', got none."
            )
        meaning: Dict[int, str] = {}
        for name, values in lists.items():
            for value in values or []:
                if meaning.setdefault(value, name) != name:
                    raise ConfigurationError(
                        f"Expected a value of masks to be foreground, background or void of the "
                        f"dataset reader 'segmentation-npy', got {value} as {meaning[value]} and "
                        f"as {name}."
                    )
        self.foreground = foreground
        self.background = background
        self.void = void or []

    def explain(self, masks: Sequence[np.ndarray], names: Sequence[str]) -> List[Mask]:
        """Return the masks of one data set `(height, width)`, in which a value has one meaning.

        # Raises

        `ValueError` for values without a meaning, with the first mask that has one.
        """
        seen = [set(np.unique(mask).tolist()) - set(self.void) for mask in masks]
        found: Set[float] = set().union(*seen)
        on = self._foreground(found)
        if on is None:
            raise self._error(seen, names)
        return [Mask(np.isin(mask, on), ~np.isin(mask, self.void)) for mask in masks]

    def _foreground(self, found: Set[float]) -> Optional[Sequence[float]]:
        """Return the values that are on, given those of a data set; `None` if some are neither."""
        if self.foreground is None:
            on = found - set([0] if self.background is None else self.background)
            return sorted(on) if on in (set(), {1}, {255}) else None
        off = found - set(self.foreground)
        is_clear = len(off) <= 1 if self.background is None else off <= set(self.background)
        return self.foreground if is_clear else None

    def _error(self, seen: List[Set[float]], names: Sequence[str]) -> ValueError:
        """Return the error for the first mask with which the values lose their meaning."""
        so_far: Set[float] = set()
        place = -1
        while self._foreground(so_far) is not None:
            place += 1
            so_far |= seen[place]
        name, values = names[place], seen[place]
        if self.foreground is None:
            expected = "a mask of 0 and 1, or of 0 and 255"
        else:
            off = "one other value" if self.background is None else f"background {self.background}"
            expected = f"a mask of foreground {self.foreground} and {off}"
        before = "" if so_far == values else f", after {_listed(so_far - values)} in others"
        return ValueError(
            f"{name}: expected {expected}{' beside void' if self.void else ''}, got the values "
            f"{_listed(values)}{before}; set foreground, background and void of the dataset reader "
            "'segmentation-npy' to what the values mean, and save masks in a format without loss."
        )


def _listed(values: Set[float]) -> str:
    """Return values in words, not more than a few."""
    shown = sorted(values, key=lambda value: (value != value, value))
    more = f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
    return ", ".join(map(str, shown[:_SHOWN])) + more
