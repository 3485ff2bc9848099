r"""Heat currents of the baths: the generator with a counting field, and its derivative.

The energy of bath b that two measurements of H_b find to have changed by q has the generating
function <e^{s q}> = Tr rho_s(t), and rho_s obeys an equation of motion like rho, in which the two
ends of an arc carry the bath's clocks shifted against each other where one acts from the left and
the other from the right:

    Ĉ(w) -> Ĉ_s(w) = e^{s w} Ĉ(w)    on left-right arcs, Ĉ(w) on all others.

d<q>/dt = Tr K'(0) rho: every left-right arc in turn gets w Ĉ(w), and under the trace only the arc
of the latest time is left.  The heat current is what the bath gives, I_b = -d<H_b>/dt, so that

    I_b = sum_n sum_cd J_b,cd^(n) rho_cd,    J_b,cd = -sum_a dK_aa,cd/ds_b.

The spectrum w Ĉ(w) belongs to i dC/dt; its transform is w P(w) + 2 pi C(0), and C(0), which need
not exist, cancels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from pertsym.equations.generator import Generator
from pertsym.equations.thermal import substitute
from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Frequency, Interaction
from pertsym.expansion.terms import Term, TimeIntegrand
from pertsym.reduction.elements import symbols_of
from pertsym.reduction.spectral import (
    ZERO_FORM,
    Atom,
    MatrixElement,
    SpectralForm,
    SpectralIntegral,
    Value,
    monomial,
    negated,
    reciprocal,
)

COUNTED = ",s"
"""Suffix of the name of C_s(t), which stands for C(t) on arcs between left and right."""

_FLOW = ",w"
_CONTACT = "C(0) of "


@dataclass(frozen=True)
class CountedGenerator:
    """K(s) of an interaction, whose counted spectra Ĉ_s have names of their own.

    Attributes
    ----------
    interaction
        With independent baths.
    """

    interaction: Interaction

    def __post_init__(self) -> None:
        for name in self.interaction.correlations.values():
            if "," in name:
                raise ValueError(f"correlations: {name!r} has a comma, which marks counted names")

    @cached_property
    def names(self) -> Mapping[str, str]:
        """Name of a correlation function -> that of its counted one."""
        return {name: name + COUNTED for name in sorted({*self.interaction.correlations.values()})}

    @cached_property
    def counted(self) -> Generator:
        """K_ab,cd(s): time-domain terms and forms."""
        return Generator(self.interaction, self.names)

    def flow_terms(self, order: int, bath: str, c: int, d: int) -> TimeIntegrand:
        """Time-domain terms of J_b,cd, with i dC/dt under the name of the bath and a suffix."""
        terms: list[Term] = []
        plain = {counted: name for name, counted in self.names.items()}
        for a in range(self.interaction.dimension):
            for z, shape in self.counted.element(order, (a, a, c, d)):
                for chosen, factor in enumerate(shape.factors):
                    if factor.name != self.names[bath]:
                        continue
                    factors = [f._replace(name=plain.get(f.name, f.name)) for f in shape.factors]
                    factors[chosen] = factor._replace(name=bath + _FLOW)
                    terms.append(Term(-z, shape._replace(factors=tuple(sorted(factors)))))
        return TimeIntegrand.collect(order, terms, self.interaction.real)

    def flow(self, order: int, bath: str, c: int, d: int) -> SpectralForm:
        """J_b,cd in closed form, through Ĉ and P.

        Raises
        ------
        ArithmeticError
            If C(0) does not cancel.
        """
        real, imaginary = self.counted.reduction(self.flow_terms(order, bath, c, d))
        form = substitute(real + imaginary.scaled(Gaussian(0, 1)), _resolved)
        if any(name.startswith(_CONTACT) for name in symbols_of(form)):
            raise ArithmeticError(f"heat current of {bath}: C(0) is left at order {order}")
        return form

    def rate(self, order: int, a: int, b: int) -> SpectralForm:
        """K_aa,bb(s), real."""
        return self.counted.form(order, (a, a, b, b))

    def plain_rate(self, order: int, a: int, b: int) -> SpectralForm:
        """K_aa,bb(0)."""
        return self._plain.form(order, (a, a, b, b))

    def cleared_current(self, order: int, bath: str) -> SpectralForm:
        """J_00 k_01 + J_11 k_10 of two levels whose populations move by themselves.

        With G = k_01 + k_10 and the steady populations k_01/G and k_10/G it is I_b G, of which
        the parts of orders 4 and 6 give I_b^(2) G^(2) and I_b^(4) G^(2) + I_b^(2) G^(4).
        """
        total = ZERO_FORM
        for n in range(2, order, 2):
            for level in (0, 1):
                back = self.plain_rate(order - n, level, 1 - level)
                total += self.flow(n, bath, level, level) * back
        return total

    @cached_property
    def _plain(self) -> Generator:
        return Generator(self.interaction)


def _times(form: SpectralForm, frequency: Frequency) -> SpectralForm:
    """w form, w a multiple of one linear form."""
    if not any(frequency):
        return ZERO_FORM
    ((primitive, _),), inverse = reciprocal(frequency)
    return form.scaled(Gaussian(1 / inverse), denominators=((primitive, -1),))


def _resolved(atom: Atom) -> SpectralForm:
    """Spectra w Ĉ(w) through Ĉ."""
    if isinstance(atom, Value) and atom.name.endswith(_FLOW):
        name, m, w = atom.name.removesuffix(_FLOW), atom.derivative, atom.frequency
        found = _times(monomial(Gaussian(1), atom._replace(name=name)), w)
        if m:
            lower = atom._replace(name=name, derivative=m - 1)
            found += monomial(Gaussian(m), lower)
        elif atom.kind == "P":
            contact = MatrixElement("S", _CONTACT + name)
            found += monomial(Gaussian(2), contact, pi_power=1)
        return found
    if isinstance(atom, SpectralIntegral):
        if atom.name.endswith(_FLOW):  # w = (w - a) + a
            plain = atom._replace(name=atom.name.removesuffix(_FLOW))
            return _times(monomial(Gaussian(1), plain), atom.pole) + _lower(plain, 1)
        if atom.other.endswith(_FLOW):  # s + r w = (s + r a) + r (w - a)
            plain = atom._replace(other=atom.other.removesuffix(_FLOW))
            at = tuple(s + atom.reflect * a for s, a in zip(atom.shift, atom.pole, strict=True))
            return _times(monomial(Gaussian(1), plain), at) + _lower(plain, atom.reflect)
    return monomial(Gaussian(1), atom)


def _lower(integral: SpectralIntegral, sign: int) -> SpectralForm:
    """The integral times w - a; without denominator no pole distinguishes it any more."""
    order = integral.order - 1
    pole = integral.pole if order else (0,) * len(integral.pole)
    return monomial(Gaussian(sign), integral._replace(order=order, pole=pole))


def reversed_count(form: SpectralForm) -> SpectralForm:
    """A form of K(s) at -s_b - beta_b in place of s_b for every bath, beta_b its own.

    The KMS relation makes it Ĉ_s(w) -> Ĉ_s(-w), under integrals too.

    Raises
    ------
    ValueError
        For an integral over a counted spectrum and another one, or with a transform.
    """
    return substitute(form, _reversed_count)


def _reversed_count(atom: Atom) -> SpectralForm:
    if isinstance(atom, Value) and atom.name.endswith(COUNTED):
        parity = atom.derivative + (atom.kind == "P")
        turned = atom._replace(frequency=negated(atom.frequency))
        return monomial(Gaussian((-1) ** parity), turned)
    if isinstance(atom, SpectralIntegral):
        counted = {name.endswith(COUNTED) for name in (atom.name, atom.other)}
        if counted == {True} and atom.kind == "CC" and atom.reflect < 0:
            mirrored = atom._replace(shift=negated(atom.shift), pole=negated(atom.pole))
            return monomial(Gaussian((-1) ** atom.order), mirrored)
        if counted != {False}:
            raise ValueError(f"{atom}: is not an integral over counted spectra that move apart")
    return monomial(Gaussian(1), atom)
