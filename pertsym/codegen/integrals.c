/* Finite-part integrals as sums over the nodes of one bath, and values at w = 0; see the Python
   export for the same with comments.  Baths have amplitude 1 here. */

struct pole {
    double c, p;
    int n;
};

static double scale_of(const struct bath *b, double *kink)
{
    double least = HUGE_NUMBER;
    for (int k = 0; k < b->count; k++) least = fmin(least, size_of(b->nu[k]));
    *kink = 2 * least;
    if (!b->kind) return least;
    struct path p;
    make_path(b, b->beta, b->beta, &p);
    *kink = 2 * p.d.scale;
    return p.scale;
}

static int is_analytic(const struct rule *r)
{
    for (int i = 0; i < r->arms; i++)
        if (r->arm[i].open_inner) return 0;
    return 1;
}

/* The spectrum or its slope, at w = 0 the value or the mean slope. */
static inline double spectrum_at(const struct bath *b, double w, int m, double *error)
{
    double x = w != 0.0 ? fabs(w) : 1e-290, r, slope, r_e, slope_e, value;
    double s[8];
    if (!b->kind) {
        discrete_spectra(b, fabs(w), s);
    } else {
        if (w == 0.0) { /* the power of J is not lost in what stands for w = 0 */
            struct density d;
            b->kind->describe(b->shape, &d);
            *error = 0.0;
            if (d.infrared > 1.0) return 0.0;
        }
        b->kind->reduced(x, b->shape, &r, &slope, &r_e, &slope_e);
        if (w == 0.0 && m) {
            *error = b->classical ? 0.0 : r_e + TINY;
            return b->classical ? 0.0 : r;
        }
        thermal_spectra(x, r, slope, r_e, slope_e, b->beta, b->classical, s);
    }
    int part = m ? w < 0.0 ? SLOPE_DOWN : SLOPE_UP : w < 0.0 ? DOWN : UP;
    value = s[part], *error = s[part + 1];
    if (b->kind && w == 0.0 && fabs(value) < 1e-100) *error += fabs(value);
    return value;
}

static cplx resolved(const cplx t[3], double h, double fall, cplx *rest, double *error)
{
    double slow = exp(h * fall), fast = exp(h * (fall + 1));
    cplx steep = (t[1] - t[0] * slow) / (fast - slow), leading = t[0] - steep;
    double missed = size_of(t[2] - leading * slow * slow - steep * fast * fast);
    *rest = steep / expm1(h * (fall + 1));
    *error = (4 * missed / h + 16 * EPS * size_of(t[0])) / h;
    return leading;
}

/* What lies beyond the inner ends, `tip` the innermost terms of each ray. */
static cplx inner_rest(int arms, cplx tip[2][3], double h, double fall, int order, double *error)
{
    cplx sum[3], lead[2], more[2] = {0.0, 0.0};
    double lost[2] = {0.0, 0.0};
    if (!(fall > 0.0 && fall < 0.3)) {
        for (int k = 0; k < 3; k++) sum[k] = tip[0][k] + (arms > 1 ? tip[1][k] : 0.0);
        return continued(sum, h, 0, error);
    }
    double own = 1.0 / expm1(h * fall);
    for (int i = 0; i < arms; i++) lead[i] = resolved(tip[i], h, fall, &more[i], &lost[i]);
    if (arms == 1) {
        *error += lost[0] * own;
        return lead[0] * own + more[0];
    }
    double sign = order % 2 ? -1.0 : 1.0, off = lost[0] + lost[1];
    cplx turn = cexp(I * (ANGLE * fall)), one = lead[0] * turn, other = sign * lead[1] / turn;
    cplx both = sign > 0 ? 2 * cos(ANGLE * fall) : -2.0 * I * sin(ANGLE * fall);
    cplx value = (one + other) / 2.0 * both;
    int alike = size_of(one - other) <= off;
    if (!alike) value += (one - other) / 2.0 * (1.0 / turn - sign * turn);
    *error += off * (alike ? size_of(both) : 2.0) * own + 8 * EPS * size_of(value) * own;
    return value * own + more[0] + more[1];
}

/* F(w): the one of G_B(s + r w) and its conjugate that is analytic below the axis, or 1, or
   [F(w) - F(0)]/w. */
enum { ONE, FACTOR, RISE };

struct factor {
    int what, reflect;
    double s;
    const struct rule *rule;
};

static cplx factor_at(const struct factor *f, cplx w, double *error, double *majorant)
{
    cplx z = f->reflect < 0 ? f->s - w : f->s + conj(w), value;
    if (error) *error = 0.0;
    if (majorant) *majorant = 1.0;
    if (f->what == ONE) return 1.0;
    value = above(f->rule, z, f->what == RISE ? &f->s : 0, error, majorant);
    if (f->reflect > 0) value = conj(value);
    return f->what == RISE ? -f->reflect * value : value;
}

/* A kernel: poles, or 1/(w^2 + scale^2) if there are none; `parts` sums the sizes of its pieces. */
static cplx kernel_at(int count, const struct pole *k, double scale, cplx w, double *parts)
{
    cplx total = 0.0;
    *parts = 0.0;
    if (!count) return 1.0 / (w * w + scale * scale);
    for (int j = 0; j < count; j++) {
        cplx piece = k[j].c / (w - k[j].p) / (k[j].n == 2 ? w - k[j].p : 1.0);
        total += piece, *parts += size_of(piece);
    }
    return total;
}

static cplx summed(const struct rule *a, const struct factor *f, int count, const struct pole *poles,
                   double scale, double *error)
{
    cplx value = 0.0, tip[2][3];
    double lost = 0.0, h = 0.0, inner = 0.0, parts, off, most;
    int order = 0, open = 0;
    for (int j = 0; j < count; j++)
        if (poles[j].p == 0.0 && poles[j].n > order) order = poles[j].n;
    for (int i = 0; i < a->arms; i++) {
        const struct arm *arm = &a->arm[i];
        cplx last[3] = {0.0, 0.0, 0.0};
        h = arm->step, inner = arm->inner, open = open || arm->open_inner;
        for (int k = 0; k < arm->n; k++) {
            cplx w = arm->w[k], q = kernel_at(count, poles, scale, w, &parts);
            cplx factor = factor_at(f, w, &off, 0), term = -2.0 * I * PI * arm->a[k] * factor * q;
            double own = arm->rounding[k] * size_of(factor * q) + size_of(arm->a[k] * q) * off;
            own += 8 * EPS * parts * size_of(arm->a[k] * factor);
            value += term, lost += 2 * PI * own + 16 * EPS * size_of(term);
            if (k < 3) tip[i][k] = term;
            if (k >= arm->n - 3) last[arm->n - 1 - k] = term;
            for (int j = 0; j < 2; j++) {
                w = arm->edge_w[j][k], q = kernel_at(count, poles, scale, w, &parts);
                factor_at(f, w, 0, &most);
                lost += 2 * PI * arm->edge[j][k] * size_of(q) * most;
            }
        }
        if (arm->open_outer) value += continued(last, h, arm->outer == 0.0, &lost);
    }
    if (open) value += inner_rest(a->arms, tip, h, inner - order, order, &lost);
    for (int k = 0; k < a->resonances; k++) {
        cplx w = a->position[k], q = kernel_at(count, poles, scale, w, &parts);
        cplx factor = factor_at(f, w, &off, 0), term = -2.0 * I * PI * a->residue[k] * factor * q;
        value += term, lost += size_of(term) * 64 * EPS;
        lost += 2 * PI * size_of(a->residue[k]) * (size_of(q) * off + 8 * EPS * parts * size_of(factor));
    }
    *error += lost;
    return value;
}

static inline double transform_at(const struct bath *b, double w, int m, double *error)
{
    double kink, scale = scale_of(b, &kink), x = fabs(w), sign = w < 0.0 ? -1.0 : 1.0;
    if (w == 0.0) { /* of a spectrum P(0) alone, that at T = 0: the even part drops out */
        if (b->kind && b->classical) return *error = 0.0;
        struct bath cold = *b;
        struct factor one = {ONE, -1, 0.0, 0};
        struct pole at_zero = {1.0, 0.0, m + 1};
        if (b->kind) cold.cold = 1, cold.beta = 0.0, scale = scale_of(&cold, &kink);
        *error = 0.0;
        return creal(summed(rule_of(&cold, exp2(-32.0) * scale, scale), &one, 1, &at_zero, 0.0, error));
    }
    const struct rule *r = rule_of(b, x, x);
    double v[4] = {0.0}, e[4] = {0.0}, own[2], lost[2];
    if (r->n) sums(r, x, v), bounds_at(r, x, e);
    resonant(r, w, own, lost);
    double odd = sign * x * v[2 * m + 1], value = v[2 * m] + odd + own[m];
    *error = e[2 * m] + x * e[2 * m + 1] + lost[m];
    *error += 2 * UNIT * (fabs(odd) + fabs(v[2 * m]) + fabs(value));
    return value;
}

/* F^(m) on the axis. */
static cplx on_axis(const struct bath *b, const struct factor *f, double at, int m, double *error)
{
    double w = f->s + f->reflect * at, c_e, p_e;
    double c = spectrum_at(b, w, m, &c_e), p = transform_at(b, w, m, &p_e);
    cplx value = c / 2 - I * (p / (2 * PI));
    *error = c_e / 2 + p_e / (2 * PI);
    if (f->reflect > 0) value = conj(value);
    return m && f->reflect < 0 ? -value : value;
}

/* -i times the angle from the axis to the path, at a pole. */
static double arc(const struct rule *r, double p, int n)
{
    if (p != 0.0 || is_analytic(r)) return PI;
    return r->arm[0].inner == n && r->arms == 2 ? 2 * ANGLE : 0.0;
}

/* FP int dw C^_A(w) X_B(s + r w) K(w); with no poles its regular part at a kink. */
static inline double finite_part(int transform, const struct bath *a, const struct bath *b, int reflect,
                          double s, int count, const struct pole *poles, double *error)
{
    double kink, other, low = scale_of(a, &kink), high = low, lost = 0.0, e[4];
    int both_cold = a->kind && b->kind && a->cold && b->cold, places = 0;
    if (!transform && reflect < 0 && s <= 0.0 && both_cold) return *error = 0.0;
    double second = scale_of(b, &other);
    low = fmin(low, second), high = fmax(high, second);
    if (s != 0.0) low = fmin(low, fabs(s)), high = fmax(high, fabs(s));
    for (int j = 0; j < count; j++, places = 1)
        if (poles[j].p != 0.0)
            low = fmin(low, fabs(poles[j].p)), high = fmax(high, fabs(poles[j].p));
    low *= s != 0.0 ? 1e-3 : 1e-12, high = fmax(high, least_ceiling(a, b));
    const struct rule *first = rule_of(a, low, high);
    double least = HUGE_NUMBER, most = 0.0, met;
    for (int k = 0; k < first->n; k++)
        met = size_of(s + reflect * first->w[k]), least = fmin(least, met), most = fmax(most, met);
    for (int k = 0; k < first->resonances; k++)
        met = size_of(s + reflect * first->position[k]), least = fmin(least, met), most = fmax(most, met);
    struct factor f = {FACTOR, reflect, s, rule_of(b, least * (s != 0.0 || places ? 1.0 : 1e-9), most)};
    struct pole simple = {1.0, 0.0, 1};
    double weight = 1.0;
    cplx value = 0.0;
    if (count == 1 && poles->p == 0.0 && poles->n == 2 && !transform && b->kind &&
        spectrum_at(b, s, 0, e) == 0.0)
        weight = poles->c, count = 0;
    if (count) {
        value = summed(first, &f, count, poles, 0.0, &lost);
        for (int j = 0; j < count; j++) {
            double angle = arc(first, poles[j].p, poles[j].n), p = poles[j].p, c, slope;
            if (angle == 0.0) continue;
            cplx g = on_axis(b, &f, p, 0, &e[1]), residue, dg;
            c = spectrum_at(a, p, 0, &e[0]);
            residue = c * g, met = fabs(c) * e[1] + e[0] * (size_of(g) + e[1]);
            if (poles[j].n == 2) {
                slope = spectrum_at(a, p, 1, &e[2]), dg = on_axis(b, &f, p, 1, &e[3]);
                residue = slope * g + c * dg;
                met = fabs(slope) * e[1] + e[2] * (size_of(g) + e[1]);
                met += fabs(c) * e[3] + e[0] * (size_of(dg) + e[3]);
            }
            value -= I * angle * poles[j].c * residue, lost += angle * fabs(poles[j].c) * met;
        }
    } else {
        double off = 0.0, level_e;
        cplx level = on_axis(b, &f, 0.0, 0, &level_e), rest;
        f.what = RISE, value = summed(first, &f, 1, &simple, 0.0, &lost);
        f.what = ONE, rest = summed(first, &f, 0, 0, kink, &off);
        value += level * rest, lost += size_of(level) * off + level_e * (size_of(rest) + off);
        double angle = arc(first, 0.0, 1);
        if (angle != 0.0) {
            cplx slope = on_axis(b, &f, 0.0, 1, &e[1]);
            double height = spectrum_at(a, 0.0, 0, &e[0]);
            value -= I * angle * height * slope;
            lost += angle * (fabs(height) * e[1] + e[0] * (size_of(slope) + e[1]));
        }
    }
    double unit = transform ? 2 * PI * reflect : 2.0;
    *error = fabs(unit * weight) * lost;
    return unit * weight * (transform ? cimag(value) : creal(value));
}

/* P'(0) without its divergent part. */
static inline double regular_slope(const struct bath *a, double *error)
{
    double kink;
    struct factor one = {ONE, -1, 0.0, 0};
    scale_of(a, &kink);
    const struct rule *r = rule_of(a, 1e-3 * kink, kink);
    *error = 0.0;
    return creal(summed(r, &one, 0, 0, kink, error));
}
