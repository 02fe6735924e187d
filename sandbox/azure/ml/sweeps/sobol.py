"""Sobol sequences: points that fill a cube evenly, with direction numbers made here from primitive polynomials.

Source: I. M. Sobol, 1967, in the Gray code form of Antonov and Saleev, 1979. With odd initial direction numbers each
coordinate is a (0, 1)-sequence in base 2: of the first 2^k points one lies in each of 2^k equal intervals.
"""

import random
from functools import cache

BITS = 32
SCALE = 2.0**-BITS


def point(index: int, dimensions: int, seed: int) -> list[float]:
    """A point of the sequence, each coordinate from 0 to below 1.

    Args:
        index: From 0 on.
        dimensions: How many coordinates.
        seed: Shifts the sequence by a digital shift, which keeps how evenly it fills the cube.
    """
    shifts, gray = random.Random(seed), index ^ (index >> 1)  # noqa: S311 # no secret
    found = []
    for dimension in range(dimensions):
        value = shifts.getrandbits(BITS)
        for bit, direction in enumerate(_directions(dimension)):
            if gray >> bit & 1:
                value ^= direction
        found.append(value * SCALE)
    return found


@cache
def _directions(dimension: int) -> tuple[int, ...]:
    """The direction numbers of a coordinate."""
    if dimension == 0:
        return tuple(1 << (BITS - 1 - bit) for bit in range(BITS))
    polynomial = _polynomial(dimension - 1)
    degree = polynomial.bit_length() - 1
    odd = random.Random(dimension)  # noqa: S311 # no secret
    initial = [odd.randrange(1, 2 ** (bit + 1), 2) for bit in range(degree)]
    found = [one << (BITS - 1 - bit) for bit, one in enumerate(initial)]
    for bit in range(degree, BITS):
        value = found[bit - degree] ^ (found[bit - degree] >> degree)
        for step in range(1, degree):
            if polynomial >> (degree - step) & 1:
                value ^= found[bit - step]
        found.append(value)
    return tuple(found)


@cache
def _polynomial(number: int) -> int:
    """A primitive polynomial over the field of two elements, its coefficients as bits; the first is x + 1."""
    candidate = 3 if number == 0 else _polynomial(number - 1) + 2
    while not _is_primitive(candidate):
        candidate += 2
    return candidate


def _is_primitive(polynomial: int) -> bool:
    """Whether the powers of x go through all residues: x has the order 2^degree - 1."""
    degree = polynomial.bit_length() - 1
    value, order = 1, 0
    while True:
        value <<= 1
        if value >> degree:
            value ^= polynomial
        order += 1
        if value == 1 or order >= 1 << degree:
            return order == (1 << degree) - 1
