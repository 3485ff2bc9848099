"""Spectra and what is made of values, in that part of Python that `portable` keeps to."""

# ruff: noqa: C419, F403, F405
# mypy: disable-error-code="no-untyped-def, no-untyped-call, var-annotated"

from __future__ import annotations

from pertsym.codegen.portable import NEAR_ZERO, NOTHING, TINY, UNIT
from pertsym.codegen.portable_names import *


def bose(x):
    """h = x/(1 - e^-x) and h' at x and at -x, x > 0."""
    far = max(x, 1.5)
    decay = exp(-min(far, 700.0))
    inverse = 1 / (1 - decay)
    h = [far * inverse, far * decay * inverse]
    dh = [
        inverse * (1 - far * decay * inverse),
        decay * inverse * (far * inverse - 1),
    ]
    if x < 1.5:
        even = 0.0
        odd = 0.0
        for k in range(len(EVEN)):
            j = len(EVEN) - k
            even = even * x * x + EVEN[j - 1]
            odd = odd * x * x + 2 * j * EVEN[j - 1]
        h = [1 + x * x * even + x / 2, 1 + x * x * even - x / 2]
        dh = [0.5 + x * odd, 0.5 - x * odd]
    return [h, dh]


def occupation(bath, x):
    """g of Ĉ(w) = 2 J(|w|)/|w| g(w) and g' at x and at -x, and their relative rounding."""
    beta = bath["beta"]
    result = [[x, 0.0], [1.0, 0.0], 8 * UNIT]
    if bath["classical"]:
        result = [[1 / beta, 1 / beta], [0.0, 0.0], 8 * UNIT]
    elif beta > 0:
        both = bose(beta * x)
        result = [[h / beta for h in both[0]], both[1], UNIT * (28 + 4 * beta * x)]
    return result


def thermal_spectra(bath, x, reduced):
    """Ĉ(x), Ĉ(-x), Ĉ'(x), Ĉ'(-x), each with its error; `reduced` has J/w and its derivative."""
    found = occupation(bath, x)
    r = reduced[0][0]
    slope = reduced[1][0]
    rough = [pair[1] + abs(pair[0]) * found[2] for pair in reduced]
    heights = []
    rises = []
    for k in range(2):
        g = found[0][k]
        dg = found[1][k]
        rise = 2 * ((1 - 2 * k) * slope * g + r * dg)
        lost = 2 * (rough[1] * abs(g) + rough[0] * abs(dg)) + TINY
        heights = joined(heights, [[2 * r * g, 2 * rough[0] * abs(g) + TINY]])
        rises = joined(rises, [[rise, lost]])
    return joined(heights, rises)


def at_zero(bath, reduced):
    """Ĉ(0) of J/w close by at T > 0, with its error; s = 1.001 is seen at no double beside 0."""
    vanishes = bath["density"]["infrared"] > 1
    return NOTHING[0] if vanishes else thermal_spectra(bath, NEAR_ZERO, reduced)[0]


def diverges(baths):
    """Whether the spectrum of a bath is infinite at w = 0, or no integral over that of two."""
    power = sum([b["density"]["infrared"] for b in baths])
    return all([b["beta"] > 0 for b in baths]) and (power < 1 if len(baths) == 1 else power <= 1)


def discrete_spectra(c, nu, x):
    result = [[0.0, 0.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0]]
    for k in range(len(c)):
        one = 1 / (nu[k] - I * x)
        two = 1 / (nu[k] + I * x)
        terms = [c[k] * one, c[k] * two, I * c[k] * one * one, I * c[k] * two * two]
        spread = UNIT * (32 + 16 * (abs(nu[k]) + x) * max(abs(one), abs(two)))
        result = [
            [result[j][0] + 2 * real(terms[j]), result[j][1] + 2 * abs(terms[j]) * spread]
            for j in range(4)
        ]
    return result


def scaled(amplitude, pair):
    value = amplitude * pair[0]
    return [value, abs(amplitude) * pair[1] + 2 * UNIT * abs(value)]


def boltzmann(betas, energy, power):
    """beta^power e^(-beta energy) of baths at one temperature."""
    beta = betas[0]
    alike = all([b == beta for b in betas])
    value = beta**power * exp(-min(beta * energy, 700.0)) if beta > 0 else 0.0
    error = abs(value) * UNIT * (8 + 4 * beta * energy) + TINY
    return [value, error] if alike else [NOT_A_NUMBER, NOT_A_NUMBER]


def inverse_of(energy):
    return 1 / energy if energy > 0 else 0.0


def bound(most, least, operations):
    """A product of small numbers may underflow; an exact zero stays one."""
    return most - least + operations * UNIT * most + (TINY if most > 0 else 0.0)
