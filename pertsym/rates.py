"""Bloch rates of a numerical two-level model, with error bounds.

The formulas are derived for the model's own coupling operators and then evaluated; nothing here
knows a rate in advance.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from pertsym.baths.divergence import Divergent
from pertsym.dynamics.mean_force import fourth_constant_of
from pertsym.equations.bloch import QUANTITIES, Bloch
from pertsym.equations.equilibrium import EquilibriumConstant
from pertsym.equations.fourth_constant import closes, fourth_constant
from pertsym.equations.generator import ELIMINATED
from pertsym.equations.models import independent_baths
from pertsym.expansion.interaction import Interaction
from pertsym.generators.elimination import Quantities, bloch_quantities, eliminated_quantities
from pertsym.generators.representation import (
    HIGHEST,
    correlations_of,
    represented,
    require_feasible,
)
from pertsym.generators.second_order import Term
from pertsym.generators.tcl import tcl_generator
from pertsym.model.errors import InputError, NotYetDerivable
from pertsym.model.values import AnyModel, Model, numeric
from pertsym.numerics.bounded import Bounded
from pertsym.numerics.evaluate import evaluate
from pertsym.numerics.spectra import DoubleSpectra, EnclosedSpectra, Spectra
from pertsym.reduction.spectral import ZERO_FORM, CannotEvaluate, SpectralForm

GUARD_DIGITS = 2
_CLOSED = 4  # the highest order with closed forms
_CONSTANT = "equilibrium_constant"
_SOUND = 10.0  # times its error: a term that a ratio may hold
_WELL_KNOWN = 1e-9  # relative: no reason to look for another route
_ELIMINATED = "eliminated"  # among the quantities of reasons
_NOT_FINITE = "no finite value in double precision"

Progress = Callable[[str], None]
Table = dict[int, dict[str, Bounded | None]]


@dataclass(frozen=True)
class BlochRates:
    """Contributions of each order, in the model's printed unit.

    Attributes
    ----------
    orders
        order -> quantity -> value with error bound; None where it diverges.
    equilibrium_constant
        order -> value; None unless all baths are thermal at one temperature.
    eliminated
        order -> the same quantities as eigenvalues of the whole generator: rates of populations
        that the coherences follow, decay and frequency of the coherence.  They differ from
        `orders` where a coupling mixes populations and coherences.
    divergent, not_derived
        order -> quantity -> reason, "equilibrium_constant" and "eliminated" among the quantities.
    rate_unit
        Unit of rates and shifts; empty in natural units.
    """

    orders: Table
    equilibrium_constant: dict[int, Bounded | None] | None
    divergent: dict[str, dict[str, str]] = field(default_factory=dict)
    not_derived: dict[str, dict[str, str]] = field(default_factory=dict)
    rate_unit: str = ""
    eliminated: Table = field(default_factory=dict)

    def contribution(self, name: str, order: int) -> Bounded:
        """One of an order by its name, that with the suffix _eliminated too.

        Raises
        ------
        Divergent, CannotEvaluate
            With the reason, where there is none.
        """
        plain = name.removesuffix(ELIMINATED)
        if name == _CONSTANT:
            found = (self.equilibrium_constant or {}).get(order)
        else:
            found = (self.orders if plain == name else self.eliminated)[order][plain]
        if found is not None:
            return found
        for key in (plain,) if plain == name else (plain, _ELIMINATED):
            if key in self.divergent.get(str(order), {}):
                raise Divergent(self.divergent[str(order)][key], order, name)
            if key in self.not_derived.get(str(order), {}):
                raise CannotEvaluate(self.not_derived[str(order)][key])
        raise CannotEvaluate("it has no value")

    def growing(self) -> tuple[str, ...]:
        """Quantities whose fourth-order contribution exceeds the second.

        Either the expansion does not converge at this coupling, or order 2 is small by itself.
        """
        if not {2, 4} <= self.orders.keys():
            return ()
        pairs = ((name, x, self.orders[4][name]) for name, x in self.orders[2].items())
        return tuple(
            name
            for name, second, fourth in pairs
            if second is not None
            and fourth is not None
            and second.value != 0
            and abs(fourth.value) > abs(second.value)
        )

    def diverging(self) -> dict[str, tuple[float, ...]]:
        """Eigenvalues whose orders 2, 4, 6, ... fall off too slowly to be summed, and the ratios.

        Beside a singularity a distance R off, the k-th ratio r_k of successive terms is
        (1/R)(1 + c/k + ...): k r_k - (k - 1) r_(k-1) estimates 1/R, here that of the coupling
        squared over where the series ends.  Named are those with the last two estimates above 1, so
        from order 8 on: one estimate could be a small lower order.
        """
        found: dict[str, tuple[float, ...]] = {}
        for name in QUANTITIES:
            row = [self.eliminated[n].get(name) for n in sorted(self.eliminated) if not n % 2]
            known = [
                x for x in row if x is not None and abs(float(x.value)) > _SOUND * float(x.error)
            ]
            if len(known) < max(4, len(row)):
                continue
            sizes = [abs(float(x.value)) for x in known]
            ratios = tuple(b / a for a, b in pairwise(sizes))
            steps = list(enumerate(pairwise(ratios), 3))
            if all(k * after - (k - 1) * before > 1 for k, (before, after) in steps[-2:]):
                found[name] = ratios
        return found


def mixes(model: Model) -> bool:
    """Whether some bath couples populations and coherences: diagonal and off-diagonal at once."""
    return any(
        matrix[0][1] and (matrix[0][0] != matrix[1][1]) for matrix in model.bath_operators.values()
    )


def split_lines(model: Model) -> dict[str, tuple[float, float]]:
    """Two-state chains that split the line of two levels: name -> (g, sum a + b of its rates).

    On the diagonal of its operator S a chain shifts the frequency by g = |S_11 - S_00||x_2 - x_1|
    between its states.  The coherence has the eigenvalues of [[-a, b], [a, -b - i g]], whose
    discriminant vanishes at |g| = a + b: where g exceeds it, no expansion in g converges.  Exact
    if S has no other elements.
    """
    found = {}
    for noise in model.used_markov:
        if model.dimension == len(noise.states) == 2:
            s = model.bath_operators[noise.name]
            g = abs(complex(s[1][1]) - complex(s[0][0])) * abs(noise.states[1] - noise.states[0])
            total = noise.rates[0][1] + noise.rates[1][0]
            if g > total:
                found[noise.name] = (g, total)
    return found


def interaction_of(model: Model) -> Interaction:
    """The exact interaction of a model; each bath names its correlation function."""
    return independent_baths(
        model.dimension,
        ((operator, name) for name, operator in model.bath_operators.items()),
        real=(bath.name for bath in model.used_baths if bath.statistics == "classical"),
    )


def spectra_of(model: Model, digits: int | None = None) -> Spectra:
    """Spectra of the model's baths in double precision, or at a number of digits."""
    baths = {name: ((1, correlation),) for name, correlation in correlations_of(model).items()}
    return DoubleSpectra(baths) if digits is None else EnclosedSpectra(baths, digits)


def bloch_rates(
    model: AnyModel, order: int, digits: int | None = None, progress: Progress = lambda _: None
) -> BlochRates:
    """Every even order up to `order` of rates, shift and equilibrium constant.

    Parameters
    ----------
    model
        Two levels.
    order
        Even.  Orders 2 and 4 are derived in closed form; higher ones come from the recursion with
        the baths as sums of exponentials, in double precision.
    digits
        None for double precision, else the number of significant digits, for orders 2 and 4:
        values are then balls (`flint.arb` midpoints and radii) that hold the exact number.
    progress
        Called with the name of each quantity before it is computed.

    Raises
    ------
    ValueError
        If `order` is not a positive even integer.
    NotYetDerivable
        For more than two levels, or more digits than double precision beyond order 4.  A single
        quantity that cannot be evaluated yet is None and named in `not_derived` instead.
    InputError
        If a value overflows double precision.
    """
    model = numeric(model)
    if order < 2 or order % 2:
        raise ValueError(f"order: must be a positive even integer, got {order}")
    if model.dimension != 2:
        raise NotYetDerivable(
            model.name,
            "system",
            f"rates are derived for 2 levels, this model has {model.dimension}",
            "use a two-level model",
        )
    if order > HIGHEST:
        raise NotYetDerivable(
            model.name, "order", f"order {order} is out of reach", f"ask for {HIGHEST} at most"
        )
    if order > 4 and digits:
        raise NotYetDerivable(
            model.name,
            "digits",
            f"order {order} is computed in double precision only",
            "leave --digits out, or ask for --order 4",
        )
    _ = model.w0  # two ordered levels, or it says why not
    if model.used_markov:
        if digits:
            raise NotYetDerivable(
                model.name,
                "digits",
                "rates in Markov noise are computed in double precision only",
                "leave --digits and --rigorous out",
            )
        return _in_markov_noise(model, order, progress)
    interaction = interaction_of(model)
    bloch = Bloch(interaction)
    spectra = spectra_of(model, digits and digits + GUARD_DIGITS)
    with spectra.precision():
        evaluator = _Evaluator(model, spectra)
        orders: Table = {}
        for n in range(2, min(order, _CLOSED) + 1, 2):
            orders[n] = {}
            for name in QUANTITIES:
                progress(f"{name}, order {n}")
                form = bloch.series(name)[n].form
                orders[n][name] = evaluator.rate(form, str(n), name)
        constant: dict[int, Bounded | None] | None = None
        if model.common_beta is not None:
            expansion = EquilibriumConstant(interaction)
            constant = {}
            for n in range(0, min(order, _CLOSED) - 1, 2):
                progress(f"equilibrium constant, order {n}")
                constant[n] = evaluator.number(expansion[n], str(n), _CONSTANT)
        evaluator.require_some(orders)
        eliminated = evaluator.eliminated(bloch, orders)
        if order > _CLOSED:
            evaluator.beyond(order, orders, eliminated, progress)
            if constant is not None:
                evaluator.constants_beyond(order, constant, eliminated, progress)
        return BlochRates(
            orders,
            constant,
            evaluator.divergent,
            evaluator.not_derived,
            model.units.rate,
            eliminated,
        )


def _in_markov_noise(model: Model, order: int, progress: Progress) -> BlochRates:
    """Every order from the generator itself, of which all is there; odd orders where they exist."""
    terms = tcl_generator(model, order, progress=progress).orders
    factor = model.units.rate_to_printed(1.0)

    def printed(quantities: Quantities) -> Table:
        return {
            n: {name: x * factor for name, x in row.items() if isinstance(x, Bounded)}
            for n, row in quantities.items()
        }

    return BlochRates(
        printed(bloch_quantities(terms, model.w0)),
        None,
        rate_unit=model.units.rate,
        eliminated=printed(eliminated_quantities(terms)),
    )


def _known(x: Bounded | None) -> Bounded:
    assert x is not None
    return x


def fourth_order_constant(model: Model, spectra: Spectra | None = None) -> Bounded:
    """K(4): its form where there is one, else imaginary time (the ground state at T = 0).

    Raises
    ------
    Divergent
        If it does not exist.
    """
    interaction = interaction_of(model)
    closed: Bounded | None = None
    if closes(interaction):
        try:
            form = fourth_constant(interaction)
            closed = evaluate(form, (model.w0,), spectra or spectra_of(model), model.common_beta)
        except (Divergent, CannotEvaluate):
            pass  # a part may diverge where the whole does not
    if closed is not None and closed.error <= _WELL_KNOWN * abs(closed.value):
        return closed
    other = fourth_constant_of(model)
    return closed if closed is not None and closed.error <= other.error else other


Terms = Mapping[int, Term]


def out_of_reach(model: Model, order: int) -> dict[int, str]:
    """The orders up to one that no machine could hold, and why: known before anything is computed.

    Baths must be represented for it, which is remembered.
    """
    if order <= _CLOSED or model.used_markov or model.used_ruled:
        return {}

    def check(n: int) -> Terms:
        require_feasible(model, represented(model), n)
        return {}

    return highest(order, check)[1]


def highest(order: int, compute: Callable[[int], Terms]) -> tuple[Terms, dict[int, str]]:
    """What can be computed of all orders up to one, and why each order above that cannot."""
    reasons: dict[int, str] = {}
    for reach in range(order, _CLOSED, -2):
        try:
            return compute(reach), reasons
        except NotYetDerivable as fault:  # known before anything is computed
            reasons[reach] = f"{fault.key}: {fault.problem}"
    return {}, reasons


@dataclass(frozen=True)
class _Evaluator:
    model: Model
    spectra: Spectra
    divergent: dict[str, dict[str, str]] = field(default_factory=dict)
    not_derived: dict[str, dict[str, str]] = field(default_factory=dict)

    def require_some(self, orders: Table) -> None:
        """Refuse a model whose numbers overflow everywhere.

        Raises
        ------
        InputError
            If no quantity of an order has a finite value, for that reason alone.
        """
        for n, row in orders.items():
            reasons = self.not_derived.get(str(n), {})
            if all(reasons.get(name) == _NOT_FINITE for name in row):
                raise InputError(
                    self.model.name,
                    next(iter(row)),
                    f"order {n} has {_NOT_FINITE}",
                    "rescale the energy unit so that w0, J and T are of similar size",
                )

    def rate(self, form: SpectralForm, order: str, name: str) -> Bounded | None:
        """The value in the printed unit."""
        value = self.number(form, order, name)
        factor = self.model.units.rate_to_printed(1.0)
        return value if value is None or factor == 1.0 else value * self.spectra.number(factor)

    def beyond(
        self,
        order: int,
        orders: Table,
        eliminated: Table,
        progress: Progress,
    ) -> None:
        """Fill in the orders above 4."""
        terms, reasons = highest(
            order, lambda n: tcl_generator(self.model, n, progress=progress).orders
        )
        divergent = {why for term in terms.values() for why in term.divergent.values()}
        raw = bloch_quantities(terms, self.model.w0)
        mediated = eliminated_quantities(terms) if terms else {}
        for n in range(_CLOSED + 2, order + 1, 2):
            for table, quantities in ((orders, raw), (eliminated, mediated)):
                table[n] = {}
                for name in QUANTITIES:
                    value = quantities[n][name] if n in quantities else reasons[n]
                    if isinstance(value, str):
                        missing = self.divergent if value in divergent else self.not_derived
                        key = name if table is orders else _ELIMINATED
                        missing.setdefault(str(n), {})[key] = value
                        table[n][name] = None
                    else:
                        table[n][name] = value * self.model.units.rate_to_printed(1.0)

    def constants_beyond(
        self,
        order: int,
        constant: dict[int, Bounded | None],
        rates: Table,
        progress: Progress,
    ) -> None:
        """K of orders 4, ..., order - 2.

        By the steady-state theorem the eliminated rates balance order by order, which gives those
        from 6 on: no other route reaches them.
        """
        for n in range(_CLOSED, order - 1, 2):
            progress(f"equilibrium constant, order {n}")
            try:
                constant[n] = self._constant(n, constant, rates)
            except (Divergent, NotYetDerivable) as fault:
                missing = self.divergent if isinstance(fault, Divergent) else self.not_derived
                missing.setdefault(str(n), {})[_CONSTANT] = str(fault)
                constant[n] = None

    def _constant(self, n: int, lower: dict[int, Bounded | None], rates: Table) -> Bounded:
        if n == _CLOSED:
            return fourth_order_constant(self.model, self.spectra)
        up, down = ({k: rates[k][name] for k in range(2, n + 3, 2)} for name in ("k_up", "k_down"))
        needed = [*up.values(), *down.values(), *(lower[k] for k in range(0, n, 2))]
        if any(x is None for x in needed):
            raise NotYetDerivable(
                self.model.name,
                _CONSTANT,
                f"order {n} follows from rates to order {n + 2}, of which some are missing",
                "ask for a lower order",
            )
        total = _known(up[n + 2])
        for k in range(0, n, 2):
            total = total - _known(lower[k]) * _known(down[n + 2 - k])
        quotient: Bounded = total / _known(down[2])
        return quotient

    def eliminated(self, bloch: Bloch, orders: Table) -> Table:
        """The same quantities after elimination, to order 4: products of lower orders are added."""
        result: Table = {}
        for n in orders:
            result[n] = {}
            for name, raw in orders[n].items():
                form = bloch.mediated(name, n)
                if form == ZERO_FORM or raw is None:
                    result[n][name] = raw
                    continue
                added = self.rate(form, str(n), _ELIMINATED)
                result[n][name] = None if added is None else raw + added
        return result

    def number(self, form: SpectralForm, order: str, name: str) -> Bounded | None:
        try:
            value = evaluate(form, (self._w0(),), self.spectra, self.model.common_beta)
        except Divergent as fault:
            self.divergent.setdefault(order, {})[name] = fault.reason
            return None
        except CannotEvaluate as fault:
            self.not_derived.setdefault(order, {})[name] = str(fault)
            return None
        if not value.is_finite():
            self.not_derived.setdefault(order, {})[name] = _NOT_FINITE
            return None
        return value

    def _w0(self) -> Any:
        if isinstance(self.spectra, EnclosedSpectra):
            lower, upper = self.model.energies_exact
            return upper - lower
        return self.model.w0
