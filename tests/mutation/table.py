"""Which tests a module's mutants must fail, the most telling first."""

from __future__ import annotations

from fnmatch import fnmatch

_TESTS: tuple[tuple[str, str], ...] = (
    ("baths/balls.py", "enclosure densities piecewise_integrals"),
    ("baths/balanced_truncation.py", "exponential_fit"),
    ("baths/c*tour.py", "enclosure finite_part piecewise_integrals rigorous_rates"),
    ("baths/correlation.py", "baths nodes exponential_fit numerics"),
    ("baths/densities/table.py", "densities piecewise piecewise_integrals baths"),
    ("baths/densities/mixture.py", "densities cross baths"),
    ("baths/densities/spin_surrogate.py", "spin_bath densities"),
    ("baths/densities/code.py", "densities export"),
    ("baths/densities/*", "densities nodes baths enclosure export"),
    ("baths/enclosure.py", "enclosure finite_part rigorous_rates cold_formulas"),
    ("baths/exponential_fit.py", "exponential_fit densities"),
    ("baths/expression_balls.py", "enclosure densities finite_part"),
    ("baths/expression_*", "nodes densities baths piecewise exponential_fit"),
    ("baths/integrand.py", "piecewise_integrals finite_part spectrum_transform_integral"),
    ("baths/integrals.py", "finite_part spectrum_transform_integral piecewise_integrals"),
    ("baths/interpolated.py", "form_function tabulated export"),
    ("baths/jets.py", "baths densities piecewise"),
    ("baths/kinks.py", "cold_formulas numerics spectrum_transform_integral"),
    ("baths/line_bound.py", "exponential_fit"),
    ("baths/node*", "nodes tabulated finite_part spectrum_transform_integral form_function"),
    ("baths/p*balls.py", "enclosure finite_part spectrum_transform_integral"),
    ("baths/panels.py", "enclosure finite_part piecewise_integrals"),
    ("baths/piecewise*", "piecewise piecewise_integrals finite_part baths"),
    ("baths/product_nodes.py", "nodes tabulated form_function export"),
    ("baths/rational_samples.py", "exponential_fit piecewise"),
    ("baths/spectrum_balls.py", "enclosure rigorous_rates"),
    ("baths/t*ed.py", "tabulated form_function export"),
    ("baths/thermal*", "baths nodes tabulated form_function numerics"),
    ("baths/time_correlation.py", "baths transients dynamics"),
    ("baths/*", "baths nodes densities exponential_fit numerics finite_part"),
    ("numerics/bounded.py", "numerics rigorous_rates verify"),
    ("numerics/evaluate.py", "numerics spectrum_transform_integral cold_formulas"),
    ("numerics/spectra.py", "numerics spectrum_transform_integral cold_formulas"),
    ("numerics/*", "form_function numerics rates"),
    ("codegen/emit.py", "codegen symbolic_code numerics"),
    ("codegen/expressions.py", "symbolic_code codegen"),
    ("codegen/module.py", "codegen symbolic_code"),
    ("codegen/quantities.py", "codegen symbolic_code regenerate"),
    ("codegen/regenerate.py", "regenerate"),
    ("codegen/standalone.py", "codegen export"),
    ("codegen/program.py", "form_function export"),
    ("codegen/*", "export form_function"),
    ("expansion/*", "expansion generalized_route reduction"),
    ("reduction/*", "reduction reduction_forms generalized_route equations"),
    (
        "distributions/chains.py",
        "cold_formulas spectrum_transform_integral equations distributions_algebra "
        "generalized_route",
    ),
    (
        "distributions/*",
        "distributions_algebra distributions_rules distributions_values generalized_route",
    ),
)


def narrow_tests(module: str) -> tuple[str, ...]:
    """Files of tests for a module that is given by its path in the project."""
    inside = module.removeprefix("pertsym/")
    for pattern, names in _TESTS:
        if fnmatch(inside, pattern):
            return tuple(f"tests/test_{name}.py" for name in names.split())
    raise KeyError(module)
