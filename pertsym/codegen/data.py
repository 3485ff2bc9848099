"""Generated data files: the terms of a derivation as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence

from pertsym.equations.series import Equations
from pertsym.present.records import integrand_record


def terms_json(equations: Equations, names: Sequence[str], order: int) -> str:
    """Time-domain terms of several quantities, by name, in the format of `derive --json`."""
    record = {}
    for name in names:
        terms = equations.terms(name, order)
        if terms is None:
            raise ValueError(f"{name} is no single sum of terms")
        record[name] = integrand_record(terms)
    return json.dumps(record, ensure_ascii=False, indent=1) + "\n"
