"""What an export in C99 says of its baths: densities, parameters, spectra at many points."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pertsym.baths.densities.density import DensityCode

if TYPE_CHECKING:
    from pertsym.codegen.export import BathCode

SPECTRA = ("up", "slope_up", "down", "slope_down")
"""Rows of a block, each with its error behind it."""


def _complex(text: str) -> str:
    """Neutral text with complex numbers."""
    for name in ("exp", "log", "pow", "sqrt"):
        text = re.sub(rf"\b{name}\(", f"c{name}(", text)
    text = re.sub(r"\bfabs\(", "size_of(", text)
    return _number(re.sub(r"\b(real|imag)\(", r"c\1(", text))


def _number(text: str) -> str:
    return text.replace("INFINITY", "HUGE_NUMBER")


def density_text(d: DensityCode) -> str:
    shape = d.shape_parameters
    own = "".join(f"    const double {name} = shape[{k}];\n" for k, name in enumerate(shape))
    own += "".join(f"    (void){name};\n" for name in shape)
    prelude = "".join(f"    cplx {name} = {_complex(body)};\n" for name, body in d.prelude)
    stored = "".join(f"    d->prelude[{k}] = {name};\n" for k, (name, _) in enumerate(d.prelude))
    loaded = "".join(
        f"    cplx {name} = d->prelude[{k}];\n    (void){name};\n"
        for k, (name, _) in enumerate(d.prelude)
    )
    stored += "".join(
        f"    d->position[{k}] = {_complex(p)}, d->residue[{k}] = {_complex(r)};\n"
        for k, (p, r) in enumerate(d.resonances)
    )
    arguments = "".join(f", double {name}" for name in shape)
    given = "".join(f", shape[{k}]" for k in range(len(shape)))
    steps = "".join(f"    double {name} = {body};\n" for name, body in d.steps)
    numbers = _complex if d.prelude else _number
    described = "".join(
        f"    d->{name} = {numbers(getattr(d, name))};\n"
        for name in ("infrared", "kink", "ultraviolet", "scale", "axis", "reach")
    )
    return f"""\
/* J(w) = {d.formula} at w > 0, without its amplitude */

static void {d.kind}_describe(const double *shape, struct density *d)
{{
{own}{prelude}    d->shape = shape, d->resonances = {len(d.resonances)};
{described}{stored}}}

static cplx {d.kind}_continued(const struct density *d, cplx w)
{{
    const double *shape = d->shape;
    (void)shape;
{own}{loaded}    return {_complex(d.continued)};
}}

static inline void {d.kind}_reduced(double y{arguments}, double *r, double *slope, double *r_e,
                                    double *slope_e)
{{
{steps}    double value = {d.reduced};
    double relative = UNIT * ({d.rounding});
    *r = value, *slope = value * ({d.slope});
    *r_e = fabs(value) * relative, *slope_e = 3 * fabs(value) * relative * ({d.slope_size});
}}

static void {d.kind}_any(double y, const double *shape, double *r, double *slope, double *r_e,
                         double *slope_e)
{{
    (void)shape;
    {d.kind}_reduced(y{given}, r, slope, r_e, slope_e);
}}

static const struct kind {d.kind} = {{{d.kind}_describe, {d.kind}_continued, {d.kind}_any}};

"""


def bath_text(bath: BathCode) -> str:
    name = bath.name
    store = "".join(
        f"s[{2 * k}][i] = v.{part}, s[{2 * k + 1}][i] = v.{part}_e;\n        "
        for k, part in enumerate(SPECTRA)
    )
    if bath.density is None:
        assert bath.exponentials is not None
        c = ", ".join(f"{complex(z).real!r} + {complex(z).imag!r} * I" for z in bath.exponentials.c)
        nu = ", ".join(
            f"{complex(z).real!r} + {complex(z).imag!r} * I" for z in bath.exponentials.nu
        )
        count = len(bath.exponentials.c)
        return f"""\
static cplx c_{name}[{count}], nu_{name}[{count}];

static inline void bath_{name}(const struct parameters *p, struct bath *b)
{{
    const cplx c[] = {{{c}}}, nu[] = {{{nu}}};
    (void)p;
    memcpy(c_{name}, c, sizeof c), memcpy(nu_{name}, nu, sizeof nu);
    memset(b, 0, sizeof *b);
    b->c = c_{name}, b->nu = nu_{name}, b->count = {count};
}}

static inline void spectra_{name}(size_t n, const struct parameters *p, double (*s)[BLOCK])
{{
    struct bath b;
    bath_{name}(p, &b);
    for (size_t i = 0; i < n; i++) {{
        struct spectra v;
        discrete_spectra(&b, p[i].w0, &v);
        {store.rstrip()}
    }}
}}

static inline double amplitude_{name}(const struct parameters *p)
{{
    (void)p;
    return 1.0;
}}

static inline double beta_{name}(const struct parameters *p)
{{
    (void)p;
    return 0.0;
}}

static inline int varies_{name}(size_t n, const struct parameters *p)
{{
    (void)n, (void)p;
    return 0;
}}

"""
    d = bath.density
    shape = d.shape_parameters
    fill = "".join(f"    b->shape[{k}] = p->{q}_{name};\n" for k, q in enumerate(shape))
    names = {q: f"p->{q}_{name}" for q in d.parameters}
    amplitude = re.sub(
        r"\b[A-Za-z_]\w*\b", lambda m: names.get(m.group(0), m.group(0)), d.amplitude
    )
    arguments = "".join(f", p[i].{q}_{name}" for q in shape)
    own = "".join(f"    const double {q} = p->{q}_{name};\n    (void){q};\n" for q in shape)
    differs = " || ".join(f"p[i].{q}_{name} != p->{q}_{name}" for q in shape) or "0"
    return f"""\
static inline double beta_{name}(const struct parameters *p)
{{
    double energy = p->temperature_{name} * BOLTZMANN;
    return energy > 0.0 ? 1.0 / energy : 0.0;
}}

static inline void bath_{name}(const struct parameters *p, struct bath *b)
{{
    memset(b, 0, sizeof *b);
    b->kind = &{d.kind}, b->classical = {int(bath.classical)};
    b->beta = beta_{name}(p), b->cold = b->beta <= 0.0;
{fill}}}

static inline double amplitude_{name}(const struct parameters *p)
{{
    (void)p;
    return {amplitude};
}}

static inline void spectra_{name}(size_t n, const struct parameters *p, double (*restrict s)[BLOCK])
{{
    for (size_t i = 0; i < n; i++) {{
        double r, slope, r_e, slope_e, a = amplitude_{name}(p + i), size = fabs(a);
        struct spectra v;
        {d.kind}_reduced(p[i].w0{arguments}, &r, &slope, &r_e, &slope_e);
        r *= a, slope *= a, r_e *= size, slope_e *= size;
        thermal_spectra(p[i].w0, r, slope, r_e, slope_e, beta_{name}(p + i),
                        {int(bath.classical)}, &v);
        {store.rstrip()}
    }}
}}

/* The power of J at w -> 0, large where the spectrum does not go as J/w. */
static inline double power_{name}(const struct parameters *p)
{{
{own}    return p->temperature_{name} > 0.0 || {int(bath.classical)} ? {d.infrared} : 2.0;
}}

/* 0: all points share the nodes; 1: up to the temperature, which is above 0; 2: they do not. */
static inline int varies_{name}(size_t n, const struct parameters *p)
{{
    int found = 0;
    for (size_t i = 0; i < n; i++) {{
        if ({differs}) return 2;
        if (p[i].temperature_{name} != p->temperature_{name}) found = 1;
    }}
    for (size_t i = 0; found && i < n; i++)
        if (p[i].temperature_{name} <= 0.0) return 2;
    return found;
}}

"""
