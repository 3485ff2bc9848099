"""Spectra, transforms and their errors at one point, in a part of Python that other languages have.

The text of this module is printed in Julia and Mathematica (`pertsym.codegen.portable_export`); it
does what `pertsym.baths.nodes` and `product_nodes` do, point by point.  So that it can be printed:
one return at the end of a function, lists and dicts, loops over a range, no change of an argument,
names that are used after a loop are set before it.  beta = 0 stands for T = 0, HUGE for infinity.
"""

# ruff: noqa: C419, F403, F405
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

from pertsym.codegen.portable_names import *

ANGLE = pi / 4
EDGES = [0.2 * ANGLE, 1.8 * ANGLE]
STEPS = [0.1, 0.07, 0.05, 0.035]
UNIT = 2.0**-53
TINY = 1e-300
HUGE = 1e300
NEAR_ZERO = 1e-290  # stands for w -> 0
NOTHING = [[0.0, 0.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0]]


def expm1_small(z):
    half = z / 2
    x = real(half)
    y = imag(half)
    return 2 * exp(half) * (sinh(x) * cos(y) + I * cosh(x) * sin(y))


def occupied(bath, w):
    x = bath["beta"] * w
    right = real(x) > 0
    far = x if right else -x
    result = 0.0
    if bath["beta"] == 0:
        result = 2.0 if real(w) > 0 else 0.0
    elif bath["classical"]:
        result = 2 / x
    elif real(far) > 700:
        result = 2.0 if right else 0.0
    else:
        decay = exp(-far)
        missing = -expm1_small(-far) if abs(far) < 1 else 1 - decay
        result = (2.0 if right else -2 * decay) / missing
    return result


def spectrum(bath, w):
    side = 1 if real(w) >= 0 else -1
    return bath["density"]["continued"](side * w) * side * occupied(bath, w)


def extension(tail):
    return 1e-17 ** (-1 / (2 - tail))


def path_of(bath):
    d = bath["density"]
    beta = bath["beta"]
    warm = beta > 0 and not bath["classical"]
    scale = min(d["scale"], d["axis"])
    left = d["reach"]
    right = d["reach"]
    exponential = d["ultraviolet"] < -1e200
    if warm:
        scale = min(scale, 2 * pi / beta)
        left = min(left, 120 / beta) if exponential else 60 / beta
        right = right if exponential else max(right, 60 / beta / extension(d["ultraviolet"]))
    tails = [-HUGE, d["ultraviolet"]]
    if bath["classical"]:
        tails = [d["ultraviolet"] - 1, d["ultraviolet"] - 1]
    return {
        "bath": bath,
        "scale": scale,
        "power": d["infrared"] - (0 if beta == 0 else 1),
        "analytic": d["kink"] > 1e200 and beta > 0,
        "left": beta > 0,
        "tails": tails,
        "reach": [left, right],
        "poles": joined([r[0] for r in d["resonances"]], [-conj(r[0]) for r in d["resonances"]]),
        "residues": joined([r[1] for r in d["resonances"]], [conj(r[1]) for r in d["resonances"]]),
    }


def start_of(path, low):
    return log(min(low, path["scale"]) * 1e-17 ** (1 / (path["power"] + 2)))


def place(path, side, x, angle):
    slope = exp(x - side * I * angle)
    w = side * slope
    if path["analytic"]:
        w = path["scale"] * (side * sinh(x) * cos(angle) - I * cosh(x) * sin(angle))
        slope = path["scale"] * (cosh(x) * cos(angle) - I * side * sinh(x) * sin(angle))
    return [w, slope]


def rounding_of(a, k, h, x):
    """Nodes are moved by the rounding of x, which beside a pole is more than that of a residue."""
    j = max(k, 1)
    rough = abs(a[j] - a[j - 1]) / max(abs(a[j]), TINY) / h
    steep = (2 + abs(x) / 2) * (rough if k == 0 else min(rough, 1e3))
    return 2 * UNIT * (16 + steep) * abs(a[k])


def edge_of(path, side, x, h, angle):
    fall = expm1(2 * pi * abs(angle - ANGLE) / h)
    at = [place(path, side, y, angle) for y in x]
    return [[z[0], h / (2 * pi) * abs(spectrum(path["bath"], z[0]) * z[1]) / fall] for z in at]


def arm_of(path, side, low, high, h):
    tail = path["tails"][1 if side > 0 else 0]
    reach = path["reach"][1 if side > 0 else 0]
    is_open = tail > -1e200
    start = 0.0 if side > 0 else h
    if is_open:
        reach = max(reach, high) * extension(tail)
    if path["analytic"]:
        n = ceil(asinh(reach / path["scale"]) / h) + 1
    else:
        start = start_of(path, low)
        n = max(ceil((log(reach) - start) / h) + 1, 3)
    at = [place(path, side, start + h * k, ANGLE) for k in range(n)]
    w = [z[0] for z in at]
    a = [I * h / (2 * pi) * spectrum(path["bath"], z[0]) * z[1] for z in at]
    total = max(sum([abs(z) for z in a]), TINY)
    beyond = abs(a[n - 1])
    while not is_open and n > 3 and beyond <= 1e-19 * total:
        n = n - 1
        beyond = beyond + abs(a[n - 1])
    first = [0.0, 0.0, 0.0, 0.0]
    last = [0.0, 0.0, 0.0, 0.0]
    inner = path["power"] + 1
    outer = tail + 1
    if not path["analytic"]:
        whole = abs(a[0]) / -expm1(-h * inner)
        bend = abs(a[1] / a[0] * exp(-h * inner) - 1)
        first = [whole * (bend * 1.5 / h + 4 * (abs(w[0]) / low) ** 2) for m in range(4)]
    if is_open:
        whole = abs(a[n - 1]) / -expm1(h * (outer - 1))
        bend = abs(a[n - 2] / a[n - 1] * exp(h * outer) - 1)
        far = high / abs(w[n - 1])
        last = [whole * (bend * 1.5 / h + 4 * far ** max(2 - m, 0)) for m in range(4)]
    x = [start + h * k for k in range(n)]
    return {
        "n": n,
        "step": h,
        "w": w,
        "a": a,
        "inner_open": not path["analytic"],
        "outer_open": is_open,
        "inner": inner,
        "outer": outer,
        "first": first,
        "last": last,
        "rounding": [rounding_of(a, k, h, x[k]) for k in range(n)],
        "edges": [edge_of(path, side, x, h, angle) for angle in EDGES],
    }


def is_fine(arm, scale):
    inverse = [1 / max(abs(arm["w"][k]), scale) for k in range(arm["n"])]
    own = sum([arm["rounding"][k] * inverse[k] for k in range(arm["n"])])
    other = [sum([edge[k][1] * inverse[k] for k in range(arm["n"])]) for edge in arm["edges"]]
    return other[0] <= own and other[1] <= own


def seen(path, w, low, h):
    """The weight of a pole at w beside the trapezoidal rule, and what its rounding may change."""
    right = real(w) > 0
    towards = 1 if right or path["analytic"] else -1
    start = 0.0
    x = w
    if path["analytic"]:
        x = asinh(w / path["scale"]) + I * ANGLE
    else:
        start = start_of(path, low)
        x = log(w if right else -w) + I * towards * ANGLE
    result = 0.0
    lost = 0.0
    if imag(x) * towards > -0.2 * pi:
        phase = 2 * I * pi / h * towards * (x - start)
        growth = min(abs(real(phase)), 700.0)
        away = abs(1 - exp(-growth + I * imag(phase)))
        lost = 4 * pi / h * UNIT * (abs(x) + abs(start) + 16) * exp(-growth) / away**2
        if real(phase) <= 700:
            result = -1 / (expm1_small(phase) if abs(phase) < 1 else exp(phase) - 1)
    return [result, lost]


def nearest(arm, w):
    """The number of the node nearest to a pole, which is at least half as far away."""
    k = 0
    while k < arm["n"] - 1 and abs(arm["w"][k]) * abs(arm["w"][k + 1]) < abs(w) ** 2:
        k = k + 1
    return k


def burdened(arm, side, poles, lost):
    """Roundings of an arm with what the weights of poles on its side may miss."""
    near = [nearest(arm, p) for p in poles]
    own = [2 * lost[j] if side * real(poles[j]) > 0 else 0.0 for j in range(len(poles))]
    result = arm["rounding"]
    for j in range(len(poles)):
        result = [result[k] + (own[j] if k == near[j] else 0.0) for k in range(arm["n"])]
    return result


def rule_of(bath, low, high):
    path = path_of(bath)
    lower = 0.0 if path["analytic"] else low
    sides = [1, -1] if path["left"] or path["analytic"] else [1]
    s = 0
    h = STEPS[0]
    arms = [arm_of(path, side, lower, high, h) for side in sides]
    while s < 3 and not all([is_fine(arm, path["scale"]) for arm in arms]):
        s = s + 1
        h = STEPS[s]
        arms = [arm_of(path, side, lower, high, h) for side in sides]
    poles = path["poles"]
    at = [path["residues"][k] * occupied(bath, poles[k]) for k in range(len(poles))]
    weights = [seen(path, p, lower, h) for p in poles]
    lost = [abs(at[k]) * weights[k][1] for k in range(len(poles))]
    rounding = [burdened(arms[k], sides[k], poles, lost) for k in range(len(arms))]
    residues = [at[k] * weights[k][0] for k in range(len(poles))]
    return finished(arms, rounding, poles, residues, 0.0)


def exponentials(c, nu):
    poles = [-I * z for z in nu]
    return finished([], [], poles, [I * z for z in c], 0.0)


def finished(arms, rounding, poles, residues, uncertainty):
    ends = [closed_ends(arms[k], rounding[k]) for k in range(len(arms))]
    return {
        "arms": arms,
        "rounding": rounding,
        "ends": ends,
        "poles": poles,
        "residues": residues,
        "uncertainty": uncertainty,
    }


def closed_ends(arm, rounding):
    """Nodes of which the first and the last stand for what lies beyond, and their weights."""
    n = arm["n"]
    h = arm["step"]
    zeroth = 1.0
    one = 1.0
    if arm["inner_open"]:
        zeroth = 1 / -expm1(-h * arm["inner"])
        one = 1 / -expm1(-h * (arm["inner"] + 1))
    last = 1.0
    two = 1.0
    if arm["outer_open"]:
        last = 1 / -expm1(h * (arm["outer"] - 1))
        two = 1 / -expm1(h * (arm["outer"] - 2))
    return [
        {
            "w": arm["w"][k] * (one / zeroth if k == 0 else last / two if k == n - 1 else 1.0),
            "a": arm["a"][k] * (zeroth if k == 0 else last * last / two if k == n - 1 else 1.0),
            "radius": abs(arm["w"][k]),
            "weight": [weight_of(arm, rounding, k, m) for m in range(3)],
        }
        for k in range(n)
    ]


def weight_of(arm, rounding, k, m):
    return (
        rounding[k] / sin(ANGLE) ** (m + 1)
        + sum([arm["edges"][j][k][1] / sin(EDGES[j]) ** (m + 1) for j in range(2)])
        + (arm["first"][m] if k == 0 else 0.0)
        + (arm["last"][m] if k == arm["n"] - 1 else 0.0)
    )


def above(rule, z):
    """G above the axis and its error."""
    size = abs(z)
    value = 0.0 * I
    lost = 0.0
    for arm in rule["ends"]:
        value = value + sum([node["a"] / (z - node["w"]) for node in arm])
        lost = lost + sum([node["weight"][0] / max(size, node["radius"]) for node in arm])
    for k in range(len(rule["poles"])):
        term = rule["residues"][k] / (z - rule["poles"][k])
        value = value + term
        lost = lost + 128 * UNIT * abs(term)
    return [value, lost]


def majorant(rule, z):
    size = abs(z)
    most = 0.0
    for arm in rule["ends"]:
        most = most + sum([abs(node["a"]) / max(size, node["radius"]) for node in arm])
    most = most / sin(ANGLE)
    for k in range(len(rule["poles"])):
        most = most + abs(rule["residues"][k] / (z - rule["poles"][k]))
    return most


def geometric(last, before):
    ratio = last / before if abs(before) > 0 else 0.0
    return last * ratio / (1 - ratio) if abs(ratio) < 1 - 1e-4 else 0.0 * last


def continued(t, h, logarithm):
    """What lies beyond t[0], and its error, of a geometric series or of (A + B x) e^(-n x)."""
    rest = geometric(t[0], t[1])
    lost = 3 / h * abs(rest - (geometric(t[1], t[2]) - t[0]))
    if logarithm and abs(t[0]) > 0 and abs(t[1]) > 0:
        n = min(max(floor(log(abs(t[1] / t[0])) / h + 0.5), 1), 6)
        q = exp(-h * n)
        rise = t[0] - q * t[1]
        own = 2 * abs(t[0] - 2 * rise - q * q * t[2]) * q * (1 + q) / (1 - q) ** 3
        better = own < lost and abs(rise) < 0.5 * h * abs(t[0])
        rest = (t[0] + rise / (1 - q)) * q / (1 - q) if better else rest
        lost = own if better else lost
    return [rest, lost]


def product_arm(arm, own, rule, unit):
    n = arm["n"]
    h = arm["step"]
    factor = [above(rule, -arm["w"][k]) for k in range(n)]
    a = [unit * arm["a"][k] * factor[k][0] for k in range(n)]
    rounding = [
        abs(unit) * (own[k] * (abs(factor[k][0]) + factor[k][1]) + abs(arm["a"][k]) * factor[k][1])
        + 16 * UNIT * abs(a[k])
        for k in range(n)
    ]
    low = continued([a[0], a[1], a[2]], h, False) if arm["inner_open"] else [0.0, 0.0]
    last = [a[n - 1], exp(h) * a[n - 2], exp(2 * h) * a[n - 3]]
    high = continued(last, h, arm["outer"] == 0) if arm["outer_open"] else [0.0, 0.0]
    return {
        "n": n,
        "step": h,
        "w": arm["w"],
        "a": [
            a[k] + (low[0] if k == 0 else 0.0) + (high[0] if k == n - 1 else 0.0) for k in range(n)
        ],
        "inner_open": False,
        "outer_open": False,
        "inner": 0.0,
        "outer": 0.0,
        "first": [low[1] for m in range(4)],
        "last": [high[1] for m in range(4)],
        "rounding": rounding,
        "edges": [
            [[z[0], abs(unit) * z[1] * majorant(rule, -z[0])] for z in edge]
            for edge in arm["edges"]
        ],
    }


def product_of(unit, one, other, x):
    """Nodes for integrals over the spectrum of one bath and what `unit` makes of another's G."""
    a = made(one, 1e-3 * x, max(x, least_ceiling(one, other)))
    met = [abs(z) for z in a["poles"]]
    for arm in a["arms"]:
        met = joined(met, [abs(arm["w"][k]) for k in range(arm["n"])])
    b = made(other, lowest(met), highest(met))
    n = len(a["arms"])
    arms = [product_arm(a["arms"][k], a["rounding"][k], b, unit) for k in range(n)]
    factor = [above(b, -z) for z in a["poles"]]
    uncertain = highest(joined([0.0], [f[1] / abs(f[0]) for f in factor]))
    residues = [unit * a["residues"][k] * factor[k][0] for k in range(len(factor))]
    return finished(arms, [arm["rounding"] for arm in arms], a["poles"], residues, uncertain)


def least_ceiling(one, other):
    """At which the nodes of one bath end well above the reach of the other."""
    result = 0.0
    if not one["discrete"]:
        tail = path_of(one)["tails"][1]
        reach = highest([abs(p) for p in other["rule"]["poles"]]) if other["discrete"] else 0.0
        if not other["discrete"]:
            reach = path_of(other)["reach"][1]
        result = 1e3 * reach / extension(tail) if tail > -1e200 else 0.0
    return result


def made(bath, low, high):
    return bath["rule"] if bath["discrete"] else rule_of(bath, low, high)


def parts_of(rule, x):
    """P(x), P(-x), P'(x), P'(-x) and P(x) - P(-x), each with its error."""
    t = [0.0, 0.0, 0.0, 0.0]
    e = [0.0, 0.0, 0.0]
    for arm in rule["ends"]:
        for node in arm:
            w = node["w"]
            q = 1 / ((x - w) * (x + w))
            aq = node["a"] * q
            t = [
                t[0] - 2 * pi * imag(aq * w),
                t[1] - 2 * pi * imag(aq),
                t[2] + 2 * pi * imag(aq * q * (x * x + w * w)),
                t[3] + 4 * pi * imag(aq * q * w),
            ]
            far = max(x, node["radius"])
            e = [e[m] + 2 * pi * node["weight"][m] / far ** (m + 1) for m in range(3)]
    odd = x * t[1]
    slope = x * t[3]
    lost = e[0] + x * e[1] + 2 * UNIT * (abs(odd) + abs(t[0]))
    lost_slope = e[1] + 2 * x * e[2] + 2 * UNIT * (abs(slope) + abs(t[2]))
    up = [t[0] + odd, lost]
    down = [t[0] - odd, lost]
    slope_up = [t[2] + slope, lost_slope]
    slope_down = [t[2] - slope, lost_slope]
    gap = [2 * odd, 2 * x * e[1] + 2 * UNIT * abs(odd)]
    for k in range(len(rule["poles"])):
        p = rule["poles"][k]
        a = rule["residues"][k]
        known = rule["uncertainty"] + 32 * UNIT
        up = with_term(up, -2 * pi * a / (x - p), known + 8 * UNIT * abs(p / (x - p)))
        down = with_term(down, 2 * pi * a / (x + p), known + 8 * UNIT * abs(p / (x + p)))
        steep = 2 * pi * a / (x - p) ** 2
        slope_up = with_term(slope_up, steep, known + 16 * UNIT * abs(p / (x - p)))
        steep = 2 * pi * a / (x + p) ** 2
        slope_down = with_term(slope_down, steep, known + 16 * UNIT * abs(p / (x + p)))
        near = min(abs(x - p), abs(x + p))
        both = -4 * pi * x * a / ((x - p) * (x + p))
        gap = with_term(gap, both, known + 8 * UNIT * abs(p) / near)
    return [up, down, slope_up, slope_down, gap]


def with_term(pair, term, relative):
    value = pair[0] + imag(term)
    return [value, pair[1] + abs(term) * relative + 2 * UNIT * abs(value)]
