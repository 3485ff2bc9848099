"""Finite-part integrals and values at w = 0, in that part of Python that `portable` keeps to.

They do what `pertsym.baths.node_integrals` does, at one point and for baths of amplitude 1.
"""

# ruff: noqa: F403, F405
# mypy: disable-error-code="no-untyped-def, no-untyped-call, var-annotated"

from __future__ import annotations

from pertsym.codegen.portable import (
    ANGLE,
    HUGE,
    NEAR_ZERO,
    NOTHING,
    TINY,
    UNIT,
    above,
    continued,
    least_ceiling,
    made,
    majorant,
    parts_of,
    path_of,
)
from pertsym.codegen.portable_names import *
from pertsym.codegen.portable_spectra import at_zero, discrete_spectra, thermal_spectra

ONE = {"at": lambda w: [1.0, 0.0], "most": lambda w: 1.0}


def scale_of(bath):
    return lowest([abs(z) for z in bath["nu"]]) if bath["discrete"] else path_of(bath)["scale"]


def kink_of(bath):
    return 2 * bath["density"]["scale"]


def spectrum_at(bath, w, m):
    """The spectrum or its slope; at w = 0 its limit or the mean slope."""
    part = 2 * m + (1 if w < 0 else 0)
    x = abs(w)
    result = NOTHING[0]
    if bath["discrete"]:
        result = discrete_spectra(bath["c"], bath["nu"], x)[part]
    elif x > 0:
        result = thermal_spectra(bath, x, bath["density"]["reduced"](x))[part]
    elif m == 0:
        if bath["beta"] > 0:
            result = at_zero(bath, bath["density"]["reduced"](NEAR_ZERO))
    elif not bath["classical"] and bath["density"]["infrared"] <= 1:
        found = bath["density"]["reduced"](NEAR_ZERO)[0]
        result = [found[0], found[1] + TINY]
    return result


def transform_at(bath, w, m):
    """The transform or its slope; of a spectrum no slope at w = 0."""
    x = abs(w)
    result = NOTHING[0]
    if x > 0:
        result = parts_of(made(bath, x, x), x)[2 * m + (1 if w < 0 else 0)]
    elif bath["discrete"]:
        result = transform_at_zero(bath["rule"], m)
    elif not bath["classical"]:
        # that at T = 0, because the even part of the spectrum drops out
        cold = {"discrete": False, "classical": False, "density": bath["density"], "beta": 0.0}
        scale = path_of(cold)["scale"]
        result = transform_at_zero(made(cold, 2.0**-32 * scale, scale), 0)
    return result


def transform_at_zero(rule, m):
    found = summed(rule, lambda w: [1 / w ** (m + 1), 0.0], ONE, m + 1)
    return [real(found[0]), found[1]]


def resolved(t, h, fall):
    """Terms as A e^(fall x) + B e^((fall + 1) x): A, what B adds beyond, and the error of A."""
    slow = exp(h * fall)
    fast = exp(h * (fall + 1))
    steep = (t[1] - t[0] * slow) / (fast - slow)
    leading = t[0] - steep
    missed = abs(t[2] - leading * slow**2 - steep * fast**2)
    return [leading, steep / expm1(h * (fall + 1)), (4 * missed / h + 32 * UNIT * abs(t[0])) / h]


def inner_rest(tips, h, fall, order):
    """What lies beyond the inner ends of one ray or two, and its error."""
    slow = fall > 0 and fall < 0.3
    result = [0.0, 0.0]
    if not slow:
        result = continued([sum([tip[k] for tip in tips]) for k in range(3)], h, False)
    elif len(tips) == 1:
        one = resolved(tips[0], h, fall)
        own = 1 / expm1(h * fall)
        result = [one[0] * own + one[1], one[2] * own]
    else:
        one = resolved(tips[0], h, fall)
        two = resolved(tips[1], h, fall)
        own = 1 / expm1(h * fall)
        turn = exp(I * ANGLE * fall)
        sign = (-1) ** order
        right = one[0] * turn
        left = sign * two[0] / turn
        off = one[2] + two[2]
        both = 2 * cos(ANGLE * fall) if sign > 0 else -2 * I * sin(ANGLE * fall)
        alike = abs(right - left) <= off
        value = (right + left) / 2 * both
        value = value + (0.0 if alike else (right - left) / 2 * (1 / turn - sign * turn))
        error = off * (abs(both) if alike else 2.0) * own + 16 * UNIT * abs(value) * own
        result = [value * own + one[1] + two[1], error]
    return result


def summed(rule, kernel, factor, order):
    """-2 pi i times the sum of a F K, K ~ 1/w^order at w = 0, and its error.

    The kernel gives K and the sum of the sizes of its parts, the factor F and its error.
    """
    value = 0.0 * I
    lost = 0.0
    tips = []
    h = 1.0
    fall = 0.0
    for i in range(len(rule["arms"])):
        arm = rule["arms"][i]
        own = rule["rounding"][i]
        n = arm["n"]
        a = arm["a"]
        h = arm["step"]
        fall = arm["inner"] - order
        q = [kernel(arm["w"][k]) for k in range(n)]
        f = [factor["at"](arm["w"][k]) for k in range(n)]
        terms = [-2 * I * pi * a[k] * f[k][0] * q[k][0] for k in range(n)]
        off = [
            own[k] * abs(f[k][0] * q[k][0])
            + abs(a[k]) * (abs(q[k][0]) * f[k][1] + 16 * UNIT * q[k][1] * abs(f[k][0]))
            for k in range(n)
        ]
        value = value + sum(terms)
        lost = lost + sum([2 * pi * off[k] + 32 * UNIT * abs(terms[k]) for k in range(n)])
        for edge in arm["edges"]:
            most = [z[1] * abs(kernel(z[0])[0]) * factor["most"](z[0]) for z in edge]
            lost = lost + 2 * pi * sum(most)
        if arm["outer_open"]:
            ends = [terms[n - 1], terms[n - 2], terms[n - 3]]
            rest = continued(ends, h, arm["outer"] == 0)
            value = value + rest[0]
            lost = lost + rest[1]
        if arm["inner_open"]:
            tips = joined(tips, [[terms[0], terms[1], terms[2]]])
    if len(tips) > 0:
        rest = inner_rest(tips, h, fall, order)
        value = value + rest[0]
        lost = lost + rest[1]
    for k in range(len(rule["poles"])):
        own = kernel(rule["poles"][k])
        met = factor["at"](rule["poles"][k])
        size = 2 * pi * abs(rule["residues"][k])
        value = value - 2 * I * pi * rule["residues"][k] * met[0] * own[0]
        lost = lost + size * abs(own[0]) * (128 * UNIT * abs(met[0]) + met[1])
        lost = lost + size * 16 * UNIT * own[1] * abs(met[0])
    return [value, lost]


def image(reflect, s, w):
    return s - w if reflect < 0 else s + conj(w)


def factor_of(rule, reflect, s, unit):
    """F(w) = unit times the one of G(s + r w) and its conjugate that is analytic below the axis."""
    return {
        "at": lambda w: turned(above(rule, image(reflect, s, w)), reflect, unit),
        "most": lambda w: majorant(rule, image(reflect, s, w)),
    }


def turned(pair, reflect, unit):
    return [unit * (pair[0] if reflect < 0 else conj(pair[0])), pair[1]]


def anchored(rule, s):
    """[G(z) - G(s)]/(s - z) as nodes."""
    return {
        "ends": [
            [
                {
                    "w": node["w"],
                    "a": node["a"] / (s - node["w"]),
                    "radius": node["radius"],
                    "weight": [node["weight"][1] / max(abs(s), node["radius"])],
                }
                for node in arm
            ]
            for arm in rule["ends"]
        ],
        "poles": rule["poles"],
        "residues": [
            rule["residues"][k] / (s - rule["poles"][k]) for k in range(len(rule["poles"]))
        ],
    }


def on_axis(bath, reflect, w, m):
    """F^(m) on the axis, and its error."""
    c = spectrum_at(bath, w, m)
    p = transform_at(bath, w, m)
    return [reflect**m * (c[0] / 2 + reflect * I * p[0] / (2 * pi)), c[1] / 2 + p[1] / (2 * pi)]


def times(c, f):
    """A number with an error times another."""
    return [c[0] * f[0], abs(c[0]) * f[1] + c[1] * (abs(f[0]) + f[1])]


def arc_of(rule, p, n):
    """-i times the residue at a pole counts so much: the angle from the axis to the path."""
    result = pi
    if len(rule["arms"]) > 0 and p == 0:
        arm = rule["arms"][0]
        whole = arm["inner"] == n and len(rule["arms"]) == 2
        result = result if not arm["inner_open"] else 2 * ANGLE if whole else 0.0
    return result


def poles_at(poles, w):
    parts = [pole[0] / (w - pole[1]) ** pole[2] for pole in poles]
    return [sum(parts), sum([abs(part) for part in parts])]


def lorentzian(scale, w):
    return [1 / (w * w + scale**2), 0.0]


def finite_part(a, b, transform, reflect, s, poles):
    """FP int dw C^_A(w) X_B(s + r w) sum_j c_j/(w - p_j)^n_j, and its error.

    Without poles it is the regular part at a kink of A.
    """
    marks = joined([scale_of(a), scale_of(b), abs(s)], [abs(pole[1]) for pole in poles])
    low = lowest([x if x > 0 else HUGE for x in marks])
    high = max(highest(marks), least_ceiling(a, b))
    first = made(a, low * (1e-12 if s == 0 else 1e-3), high)
    met = [abs(image(reflect, s, z)) for z in first["poles"]]
    for arm in first["arms"]:
        met = joined(met, [abs(image(reflect, s, arm["w"][k])) for k in range(arm["n"])])
    # at an anchor 0 the residues are divided by w_j: the ends must count for less
    deeper = 1e-9 if s == 0 and len(poles) == 0 else 1.0
    second = made(b, lowest(met) * deeper, highest(met))
    weight = 1.0
    double = False
    if not transform and not b["discrete"] and len(poles) == 1:
        double = poles[0][1] == 0 and poles[0][2] == 2 and spectrum_at(b, s, 0)[0] == 0
        weight = poles[0][0] if double else 1.0
    found = [0.0, 0.0]
    if not transform and reflect < 0 and s <= 0 and cold_one(a) and cold_one(b):
        weight = 0.0  # no frequency at which both spectra differ from 0
    elif len(poles) > 0 and not double:
        order = highest([pole[2] if pole[1] == 0 else 0 for pole in poles])
        factor = factor_of(second, reflect, s, 1.0)
        found = summed(first, lambda w: poles_at(poles, w), factor, order)
        for pole in poles:
            p = pole[1]
            angle = arc_of(first, p, pole[2])
            at = s + reflect * p
            if angle > 0:
                f = on_axis(b, reflect, at, 0)
                residue = times(spectrum_at(a, p, pole[2] - 1), f)
                if pole[2] == 2:
                    more = times(spectrum_at(a, p, 0), on_axis(b, reflect, at, 1))
                    residue = [residue[0] + more[0], residue[1] + more[1]]
                found = [
                    found[0] - I * angle * pole[0] * residue[0],
                    found[1] + angle * abs(pole[0]) * residue[1],
                ]
    else:
        scale = kink_of(a)
        rise = factor_of(anchored(second, s), reflect, s, -reflect)
        one = summed(first, lambda w: [1 / w, 0.0], rise, 1)
        rest = summed(first, lambda w: lorentzian(scale, w), ONE, 0)
        two = times(on_axis(b, reflect, s, 0), rest)
        angle = arc_of(first, 0.0, 1)
        more = [0.0, 0.0]
        if angle > 0:
            more = times(spectrum_at(a, 0.0, 0), on_axis(b, reflect, s, 1))
        found = [
            one[0] + two[0] - I * angle * more[0],
            one[1] + two[1] + angle * more[1],
        ]
    value = 2 * pi * reflect * imag(found[0]) if transform else 2 * real(found[0])
    return [weight * value, abs(weight) * (2 * pi if transform else 2.0) * found[1]]


def cold_one(bath):
    return not bath["discrete"] and bath["beta"] == 0


def regular_slope(bath):
    """P'(0) without its divergent part."""
    kink = kink_of(bath)
    found = summed(made(bath, 1e-3 * kink, kink), lambda w: lorentzian(kink, w), ONE, 0)
    return [real(found[0]), found[1]]
