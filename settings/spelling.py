"""The known word that is nearest to an unknown one."""

import difflib
from collections.abc import Iterable
from itertools import islice

_LONGEST, _MOST = 80, 500  # characters of a word, words compared with it: hostile files have more


def nearest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The known word that is most like this one, or None if nothing is near.

    Args:
        word: The word that was written.
        known: The words that are allowed.
        cutoff: Lowest similarity that counts as near, 0 to 1, as difflib measures it.
    """
    if len(word) > _LONGEST:
        return None
    match = difflib.get_close_matches(word, list(islice(known, _MOST)), n=1, cutoff=cutoff)
    return match[0] if match else None


def did_you_mean(word: str, known: Iterable[str], cutoff: float = 0.6, otherwise: str = "") -> str:
    """The end of a message: a question with the nearest known word, or `otherwise`; arguments as for `nearest`."""
    near = nearest(word, known, cutoff)
    return f" Did you mean '{near}'?" if near else otherwise
