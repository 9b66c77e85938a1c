"""Repeatable choices: the same names give the same numbers on every Python and machine.

`random` promises the same sequence across Python versions only for `random()` itself, and seeding
one generator a row is slow; a hash of the row's name has neither drawback and lets any row be made
without making those before it.
"""

from collections.abc import Sequence
from hashlib import blake2b
from struct import Struct
from typing import TypeVar

T = TypeVar("T")

# A hash of 64 bytes is sixteen draws of 32 bits.
_BLOCK = Struct("<16I")


class Draws:
    """Numbers drawn from the name of the thing they are for."""

    def __init__(self, *name: object) -> None:
        self._name = "/".join(map(str, name)).encode()
        self._block = 0
        self._numbers: list[int] = []

    def below(self, limit: int) -> int:
        """An integer in `0 <= n < limit`; the bias is limit/2**32, so keep limits small."""
        if not self._numbers:
            digest = blake2b(self._name, salt=self._block.to_bytes(16, "little")).digest()
            self._numbers.extend(_BLOCK.unpack(digest))
            self._block += 1
        return self._numbers.pop() * limit >> 32

    def one_of(self, choices: Sequence[T]) -> T:
        return choices[self.below(len(choices))]

    def chance(self, per_mille: int) -> bool:
        """True in `per_mille` of a thousand draws."""
        return self.below(1000) < per_mille
