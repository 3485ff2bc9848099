"""Closed forms for an Ohmic bath with a Lorentz-Drude cutoff, Eqs. (25)-(28), derived.

J(w) = 2 M gamma0 w Lambda^2/(Lambda^2 + w^2), so that Ĉ(w > 0) = 2 J(w) [n(w) + 1] for bosons;
this J is pi times the paper's.  Every formula is a derived spectral form with the values of Ĉ
and P of this J put in.  With R(w) = O(w^-2) and simple poles p,

    P int_0^inf dw R(w) = - sum_p Res_p R l(p),   l(p) = log(-p), but log(p) where p > 0,

from the contour around the positive axis with a logarithm on it; on a pole at p > 0 the mean of
both sides of the cut counts.  Likewise sum_{k >= 0} R(k) = - sum_p Res_p R psi(-p).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Final

import sympy

from pertsym.oscillator.master_equation import coefficient_forms
from pertsym.oscillator.weyl import FREQUENCY, MASS
from pertsym.reduction.spectral import Value


class NotSimple(ValueError):
    """The integrand has a multiple pole, one at 0, or does not decay; says which."""


def _simple_poles(expression: sympy.Expr, w: sympy.Symbol) -> Iterator[tuple[sympy.Expr, ...]]:
    """(pole, residue) for every pole."""
    numerator, denominator = sympy.fraction(sympy.cancel(sympy.together(expression)))
    if sympy.degree(numerator, w) > sympy.degree(denominator, w) - 2:
        raise NotSimple(f"{expression}: it must fall at least as {w}^-2 for the sum to converge")
    slope = sympy.diff(denominator, w)
    _, factors = sympy.factor_list(denominator, w)
    for factor, multiplicity in factors:
        for pole, times in sympy.roots(factor, w).items():
            if multiplicity * times != 1 or pole == 0:
                raise NotSimple(f"{expression}: the pole at {pole} is multiple, or at the end 0")
            yield pole, sympy.factor((numerator / slope).subs(w, pole))


def half_line_principal_value(expression: sympy.Expr, w: sympy.Symbol) -> sympy.Expr:
    """P int_0^inf dw of a rational function whose other symbols are positive.

    Raises
    ------
    NotSimple
        For multiple poles, a pole at 0, or slow decay.
    """
    total = sympy.Integer(0)
    for pole, residue in _simple_poles(expression, w):
        if pole.is_positive:
            total -= residue * sympy.log(pole)
        elif pole.is_negative:
            total -= residue * sympy.log(-pole)
        else:  # log(+-i a) = log a +- i pi/2
            height = pole / sympy.I
            if not height.is_real:
                raise NotSimple(f"{expression}: the pole at {pole} is neither real nor imaginary")
            side = -1 if height.is_positive else 1
            total -= residue * (sympy.log(abs(height)) + side * sympy.I * sympy.pi / 2)
    return collect_logarithms(total)


def sum_over_integers(term: sympy.Expr, k: sympy.Symbol) -> sympy.Expr:
    """sum_{k = 1}^inf of a rational function of k, with digammas.

    Raises
    ------
    NotSimple
        As in `half_line_principal_value`.
    """
    total = sympy.Integer(0)
    for pole, residue in _simple_poles(term, k):
        total -= residue * sympy.digamma(1 - pole)
    return total


def collect_logarithms(expression: sympy.Expr) -> sympy.Expr:
    """Logarithms collected, with factored coefficients.

    Where the coefficients add up to 0, as they do if no unit is to be singled out, the logarithms
    are written of ratios.
    """
    expanded = sympy.expand(expression, log=True)
    logarithms = sorted(expanded.atoms(sympy.log), key=sympy.default_sort_key)
    collected = sympy.collect(expanded, logarithms, evaluate=False)
    weights = {log: collected.pop(log) for log in logarithms if log in collected}
    rest = [sympy.factor(value) * key for key, value in collected.items()]
    if len(weights) > 1 and sympy.cancel(sympy.together(sympy.Add(*weights.values()))) == 0:
        reference = logarithms[-1].args[0]
        del weights[logarithms[-1]]
        weights = {sympy.log(log.args[0] / reference): w for log, w in weights.items()}
    return sympy.Add(*rest, *(sympy.factor(w) * log for log, w in weights.items()))


DAMPING, CUTOFF, TEMPERATURE = sympy.symbols("gamma0 Lambda T", positive=True)
W: Final = sympy.Symbol("omega", positive=True)
MATSUBARA: Final = sympy.Symbol("nu", positive=True)

J: Final = 2 * MASS * DAMPING * W * CUTOFF**2 / (CUTOFF**2 + W**2)
"""The spectral density; Ĉ(w > 0) = 2 J(w) [n(w) + 1] for bosons."""
_AT_FREQUENCY: Final = J.subs(W, FREQUENCY)
_POLE: Final = 4 * TEMPERATURE * W / (W**2 + MATSUBARA**2)
"""What tanh and coth of beta w/2 have of one pair of poles."""


def _assembled(
    name: str,
    spectrum: Callable[[int], sympy.Expr],
    integral: Callable[[sympy.Expr], sympy.Expr] = lambda kernel: _over_half_line(kernel, 1),
) -> sympy.Expr:
    """The coefficient from Ĉ(n Omega0) and from an integral over the sum of its poles."""
    form = coefficient_forms()[name]
    total, kernel = sympy.Integer(0), sympy.Integer(0)
    for monomial, coefficient in form.form:
        (atom,) = monomial.atoms
        assert isinstance(atom, Value)
        (n,) = atom.frequency
        weight = sympy.Rational(coefficient.re.numerator, coefficient.re.denominator)
        weight *= sympy.pi**monomial.pi_power
        for (m,), power in monomial.denominators:
            weight /= (m * FREQUENCY) ** power
        if atom.kind == "C":
            total += weight * spectrum(n)
        else:
            kernel += weight / (W - n * FREQUENCY)
    if kernel != 0:
        total += integral(sympy.cancel(sympy.together(kernel)))
    return total / MASS**form.mass_power


def _over_half_line(kernel: sympy.Expr, thermal: sympy.Expr | int) -> sympy.Expr:
    """The integral of a kernel times Ĉ = 2 J times a thermal factor."""
    return half_line_principal_value(2 * J * thermal * kernel, W)


def _none(_: int) -> sympy.Expr:
    return sympy.Integer(0)


@cache
def cold(name: str) -> sympy.Expr:
    """A coefficient at T = 0, where spins and oscillators are the same; for f and D of spins, and
    for gamma and the shift of oscillators, at every temperature."""
    return collect_logarithms(
        _assembled(name, lambda n: 2 * _AT_FREQUENCY if n > 0 else sympy.Integer(0))
    )


@cache
def spin_damping() -> sympy.Expr:
    """gamma of a spin bath, Eq. (26): Ĉ has the even part J and the odd part J tanh."""
    tanh = sympy.tanh(FREQUENCY / (2 * TEMPERATURE))
    return sympy.factor(sympy.expand(_assembled("gamma", lambda n: _AT_FREQUENCY * (1 + n * tanh))))


@cache
def boson_diffusion() -> sympy.Expr:
    """D of an oscillator bath (quantum Brownian motion), Eq. (28b): even part J coth, odd J."""
    coth = sympy.coth(FREQUENCY / (2 * TEMPERATURE))
    return sympy.factor(sympy.expand(_assembled("D", lambda n: _AT_FREQUENCY * (coth + n))))


@cache
def spin_shift_term() -> sympy.Expr:
    """The contribution of one pole i nu of tanh(beta w/2) to the frequency shift of a spin bath.

    tanh(beta w/2) = 4 T sum_k w/(w^2 + nu_k^2) with the odd Matsubara frequencies
    nu_k = (2k + 1) pi T, k = 0, 1, ...; the shift is the sum of this over them.  The logarithms
    do not cancel, so that no digamma functions can sum them.
    """
    return collect_logarithms(
        _assembled("frequency_shift_squared", _none, lambda kernel: _over_half_line(kernel, _POLE))
    )


@cache
def boson_anomalous_diffusion() -> sympy.Expr:
    """f of an oscillator bath: the poles of coth(beta w/2) summed to digamma functions.

    coth(beta w/2) = 2 T/w + 4 T sum_k w/(w^2 + nu_k^2), nu_k = 2 pi T k, k = 1, 2, ...
    """

    def integral(kernel: sympy.Expr) -> sympy.Expr:
        k = sympy.Symbol("k", positive=True)
        term = sympy.cancel(sympy.together(_over_half_line(kernel, _POLE)))
        term = term.subs(MATSUBARA, 2 * sympy.pi * TEMPERATURE * k)
        return _over_half_line(kernel, 2 * TEMPERATURE / W) + sum_over_integers(term, k)

    # the even part of Ĉ over w > 0, mirrored by the kernel, which is even for f
    return sympy.expand(_assembled("f", _none, integral))
