/* What was made is kept: the last ones, for each thread. */

struct key {
    int what, classical, cold;
    const void *kind, *other;
    double shape[MAX_SHAPE], beta, shape2[MAX_SHAPE], beta2, low, high, x;
};

struct entry {
    struct key key;
    void *made;
    int used;
    unsigned long last; /* use */
};

#define KEPT 24
static LOCAL struct entry kept[KEPT];
static LOCAL unsigned long uses;

static void release(struct entry *e)
{
    if (!e->used) return;
    if (e->key.what == 0 || e->key.what == 4 || e->key.what == 5) {
        free_rule(e->made);
    } else if (e->key.what == 2) {
        struct thermal *t = e->made;
        for (int m = 0; m < 2; m++) free(t->t[m]->c), free(t->t[m]->e), free(t->t[m]);
        free(t);
    } else {
        struct table *t = e->made;
        free(t->c), free(t->e), free(t);
    }
    e->used = 0;
}

static void *found(const struct key *key)
{
    for (int i = 0; i < KEPT; i++)
        if (kept[i].used && !memcmp(&kept[i].key, key, sizeof *key)) {
            kept[i].last = ++uses;
            return kept[i].made;
        }
    return 0;
}

static void *keep(const struct key *key, void *made)
{
    struct entry *e = kept;
    for (int i = 1; i < KEPT; i++)
        if (kept[i].last < e->last) e = &kept[i];
    release(e);
    e->key = *key, e->made = made, e->used = 1, e->last = ++uses;
    return made;
}

static struct key key_of(int what, const struct bath *b, double low, double high)
{
    struct key k;
    memset(&k, 0, sizeof k);
    k.what = what, k.classical = b->classical, k.cold = b->cold;
    k.kind = b->kind ? (const void *)b->kind : (const void *)b->c;
    memcpy(k.shape, b->shape, sizeof k.shape);
    k.beta = b->beta, k.low = low, k.high = high;
    return k;
}

static double octave_below(double x) { return exp2(floor(log2(x))); }
static double octave_above(double x) { return exp2(ceil(log2(x))); }

static const struct rule *rule_of(const struct bath *b, double low, double high)
{
    low = octave_below(low), high = octave_above(high);
    struct key k = key_of(0, b, low, high);
    void *made = found(&k);
    return made ? made : keep(&k, make_rule(b, low, high));
}

static struct key key_of_product(int transform, const struct bath *a, const struct bath *b,
                                 double low, double high)
{
    struct key k = key_of(4 + transform, a, low, high);
    k.other = b->kind ? (const void *)b->kind : (const void *)b->c;
    memcpy(k.shape2, b->shape, sizeof k.shape2), k.beta2 = b->beta;
    k.x = 2 * b->classical + b->cold;
    return k;
}

static const struct rule *product_of(int transform, const struct bath *a, const struct bath *b,
                                     double low, double high)
{
    low = octave_below(low), high = octave_above(high);
    struct key k = key_of_product(transform, a, b, low, high);
    void *made = found(&k);
    if (made) return made;
    struct rule *left = make_rule(a, 1e-3 * low, fmax(high, octave_above(least_ceiling(a, b))));
    double least = HUGE_NUMBER, most = 0.0;
    for (int i = 0; i < left->n; i++) {
        least = fmin(least, size_of(left->w[i])), most = fmax(most, size_of(left->w[i]));
    }
    for (int i = 0; i < left->resonances; i++) {
        least = fmin(least, size_of(left->position[i]));
        most = fmax(most, size_of(left->position[i]));
    }
    struct rule *right = make_rule(b, octave_below(least), octave_above(most));
    made = product_rule(transform, left, right);
    free_rule(left), free_rule(right);
    return keep(&k, made);
}

/* How the transforms of one bath, or of one product, are found at every point of a call. */
struct way {
    const struct rule *rule;
    const struct table *table;
    const struct thermal *thermal;
};

static struct way way_of(const struct rule *r, struct key k, size_t n, double low, double high)
{
    struct way way = {r, 0, 0};
    if (n > FEW && r->n) {
        k.what += 10, k.low = octave_below(low), k.high = octave_above(high);
        void *made = found(&k);
        way.table = made ? made : keep(&k, make_table(r, k.low, k.high));
    }
    return way;
}

static inline struct way way_of_bath(const struct bath *b, size_t n, double low, double high)
{
    return way_of(rule_of(b, low, high), key_of(1, b, low, high), n, low, high);
}

static inline struct way way_of_product(int transform, const struct bath *a, const struct bath *b,
                                        size_t n, double low, double high)
{
    const struct rule *r = product_of(transform, a, b, low, high);
    return way_of(r, key_of_product(transform, a, b, low, high), n, low, high);
}

/* At one x for inverse temperatures between least and most, which are finite. */
static inline struct way way_of_temperatures(const struct bath *b, double x, double least,
                                             double most)
{
    struct way way = {0, 0, 0};
    least = octave_below(least), most = octave_above(most);
    struct key k = key_of(2, b, least, most);
    k.beta = 0.0, k.x = x;
    void *made = found(&k);
    way.thermal = made ? made : keep(&k, make_thermal(b, x, least, most));
    return way;
}

/* P(x), P(-x), P'(x), P'(-x) and P(x) - P(-x) at the points of a block, each with its error. */
enum { UP, UP_E, DOWN, DOWN_E, SLOPE_UP, SLOPE_UP_E, SLOPE_DOWN, SLOPE_DOWN_E, GAP, GAP_E, PARTS };

/* From [f(x) + f(-x)]/2 and [f(x) - f(-x)]/(2x) of f = P and P', with their errors. */
static inline void from_even_and_odd(size_t i, double x, const double v[4], const double e[4],
                                     double (*restrict t)[BLOCK])
{
    double odd = x * v[1], slope = x * v[3];
    double lost = e[0] + x * e[1] + 2 * UNIT * (fabs(odd) + fabs(v[0]));
    double lost_slope = e[2] + x * e[3] + 2 * UNIT * (fabs(slope) + fabs(v[2]));
    t[UP][i] = v[0] + odd, t[DOWN][i] = v[0] - odd, t[UP_E][i] = t[DOWN_E][i] = lost;
    t[SLOPE_UP][i] = v[2] + slope, t[SLOPE_DOWN][i] = v[2] - slope;
    t[SLOPE_UP_E][i] = t[SLOPE_DOWN_E][i] = lost_slope;
    t[GAP][i] = 2 * odd, t[GAP_E][i] = 2 * x * e[1] + 2 * UNIT * fabs(odd);
}

/* Adds one pole; it may lie close to the axis on one side, so there are no even and odd parts. */
static void add_pole(size_t m, const double *restrict x, cplx pole, cplx residue,
                     double uncertainty, int gap, double (*restrict t)[BLOCK])
{
    double pr = creal(pole), pi = cimag(pole), known = uncertainty + 32 * UNIT;
    double ar = -2 * PI * creal(residue), ai = -2 * PI * cimag(residue);
    double size = 8 * UNIT * (fabs(pr) + fabs(pi)); /* |re| + |im| bounds the modulus */
    for (size_t i = 0; i < m; i++) {
        for (int side = 0; side < 2; side++) {
            double dr = (side ? -x[i] : x[i]) - pr, inverse = 1.0 / (dr * dr + pi * pi);
            double qr = dr * inverse, qi = pi * inverse; /* 1/(w - p) */
            double tr = ar * qr - ai * qi, ti = ar * qi + ai * qr;
            double sr = tr * qr - ti * qi, si = tr * qi + ti * qr;
            double spread = size * (fabs(qr) + fabs(qi));
            t[side ? DOWN : UP][i] += ti, t[side ? SLOPE_DOWN : SLOPE_UP][i] -= si;
            t[side ? DOWN_E : UP_E][i] += (fabs(tr) + fabs(ti)) * (known + spread);
            t[side ? SLOPE_DOWN_E : SLOPE_UP_E][i] +=
                (fabs(sr) + fabs(si)) * (known + 2 * spread);
        }
    }
    for (size_t i = 0; gap && i < m; i++) {
        double near = fmin(fabs(x[i] - pr), fabs(x[i] + pr)), ax = 2 * x[i];
        double dr = (x[i] - pr) * (x[i] + pr) + pi * pi, di = -2 * pr * pi;
        double inverse = 1.0 / (dr * dr + di * di);
        double tr = ax * (ar * dr + ai * di) * inverse, ti = ax * (ai * dr - ar * di) * inverse;
        double spread = size / sqrt(near * near + pi * pi);
        t[GAP][i] += ti, t[GAP_E][i] += (fabs(tr) + fabs(ti)) * (known + spread);
    }
}

static inline void parts_of(const struct way *way, size_t m, const double *restrict x,
                            const double *restrict beta, int gap, double (*restrict t)[BLOCK])
{
    double v[4], e[4];
    if (way->thermal) {
        for (size_t i = 0; i < m; i++) {
            look_up(way->thermal->t[0], beta[i], v, e);
            t[UP][i] = v[0], t[UP_E][i] = e[0], t[DOWN][i] = v[1], t[DOWN_E][i] = e[1];
            t[GAP][i] = 2 * x[i] * v[2];
            t[GAP_E][i] = 2 * x[i] * e[2] + 2 * UNIT * fabs(x[i] * v[2]);
            look_up(way->thermal->t[1], beta[i], v, e);
            t[SLOPE_UP][i] = v[0], t[SLOPE_UP_E][i] = e[0];
            t[SLOPE_DOWN][i] = v[1], t[SLOPE_DOWN_E][i] = e[1];
        }
        return;
    }
    const struct rule *r = way->rule;
    for (size_t i = 0; way->table && i < m; i++) {
        look_up(way->table, x[i], v, e);
        from_even_and_odd(i, x[i], v, e, t);
    }
    for (size_t i = 0; !way->table && i < m; i++) {
        for (int f = 0; f < 4; f++) v[f] = e[f] = 0.0;
        if (r->n) sums(r, x[i], v), bounds_at(r, x[i], e);
        from_even_and_odd(i, x[i], v, e, t);
    }
    for (int k = 0; k < r->resonances; k++)
        add_pole(m, x, r->position[k], r->residue[k], r->uncertainty, gap, t);
    for (int k = 0; r->resonances && k < PARTS; k += 2)
        for (size_t i = 0; i < m; i++) t[k + 1][i] += 2 * UNIT * fabs(t[k][i]);
}

/* The same for J = 2 gamma w/(gamma^2 + w^2) in closed form, at any parameters; beta 0 is T = 0. */
static inline void drude_lorentz_parts(size_t m, const double *restrict x,
                                       const double *restrict beta, int classical,
                                       const double *restrict gamma,
                                       double (*restrict t)[BLOCK])
{
    static const double B[8] = {1.0 / 6,  -1.0 / 30, 1.0 / 42,       -1.0 / 30,
                                5.0 / 66, -691.0 / 2730, 7.0 / 6, -3617.0 / 510};
    for (size_t i = 0; i < m; i++) {
        double w = x[i], g = gamma[i], square = w * w, s = 1.0 / (g * g + square);
        double bend = (g - w) * (g + w) * s * s, steep = fabs(bend);
        double tau = beta[i] > 0.0 ? 2 * PI / beta[i] : 0.0, rate = 0.0, difference = 0.0;
        double v[4], e[4];
        for (int j = 1; j < 9; j++) {
            double step = j * tau, distance = step * step + square, place = step + g;
            double inverse = 1.0 / (distance * place), once = place * inverse;
            difference -= (step * g - square) * inverse, rate += step * once * once;
        }
        double far = 9 * tau, size = far * far + square, place = far + g;
        double own = tau / place, real = own * own, inverse = 1.0 / size;
        double rr = tau * far * inverse, ri = -tau * w * inverse;
        double pr = rr * rr - ri * ri, pi = 2 * rr * ri;
        double sr = 0.0, si = 0.0, dr = 0.0, di = 0.0, other = 0.0, next;
        for (int k = 8; k > 0; k--) {
            next = sr * pr - si * pi + B[k - 1] / (2 * k), si = sr * pi + si * pr, sr = next;
            next = dr * pr - di * pi + B[k - 1], di = dr * pi + di * pr, dr = next;
            other = other * real + B[k - 1] / (2 * k);
        }
        difference = tau * difference + 0.5 * log(size / (place * place));
        difference += 0.5 * (own - rr) + other * real - (sr * pr - si * pi);
        double ur = 1.0 + 0.5 * rr + dr * pr - di * pi, ui = 0.5 * ri + dr * pi + di * pr;
        rate = 2 * w * tau * rate + (ur * w - ui * far) * inverse;
        double lost = UNIT * (64 + 32 * fabs(difference)), warm = classical ? 0.0 : 1.0;
        v[0] = warm * 2 * PI * g * g * s, v[3] = warm * -4 * PI * (g * s) * (g * s);
        v[1] = -2 * s * (warm * 2 * g * difference + tau);
        v[2] = warm * -4 * g * (bend * difference + w * s * rate) - 2 * tau * bend;
        e[0] = 16 * UNIT * v[0], e[3] = -16 * UNIT * v[3];
        e[1] = 4 * g * s * lost + 32 * UNIT * tau * s;
        e[2] = 4 * g * (steep * lost + 96 * UNIT * w * s * rate) + 32 * UNIT * tau * steep;
        from_even_and_odd(i, w, v, e, t);
    }
}

/* h = x/(1 - e^-x) and h' at x and at -x, x > 0. */
static inline void bose(double x, double h[2], double dh[2], double *rounding)
{
    static const double EVEN[14] = {EVEN_COEFFICIENTS};
    double near = x < 1.5 ? x : 1.5, far = x < 1.5 ? 1.5 : x;
    double decay = exp(-far), inverse = 1.0 / (1.0 - decay), square = near * near;
    double even = 0.0, odd = 0.0;
    for (int k = 14; k > 0; k--)
        even = even * square + EVEN[k - 1], odd = odd * square + 2 * k * EVEN[k - 1];
    even = 1.0 + square * even, odd = near * odd;
    int small = x < 1.5;
    h[0] = small ? even + near / 2 : far * inverse;
    h[1] = small ? even - near / 2 : far * decay * inverse;
    dh[0] = small ? 0.5 + odd : inverse * (1.0 - far * decay * inverse);
    dh[1] = small ? 0.5 - odd : decay * inverse * (far * inverse - 1.0);
    *rounding = UNIT * (24.0 + 4.0 * x);
}

/* The spectrum and its derivative at x and at -x, each with its error in the order of the parts
   above, from J/w = r and its derivative. */
static inline void thermal_spectra(double x, double r, double slope, double r_e, double slope_e,
                                   double beta, int classical, double s[8])
{
    /* g of C^(w) = 2 J(|w|)/|w| g(w) at x and -x, and its derivative */
    int cold = beta <= 0.0;
    double b = cold ? 1.0 : beta, inverse = 1.0 / b, lost = 4 * UNIT;
    double h[2] = {1.0, 1.0}, dg[2] = {0.0, 0.0};
    if (!classical) bose(b * x, h, dg, &lost);
    double g0 = cold ? x : h[0] * inverse, g1 = cold ? 0.0 : h[1] * inverse;
    double d0 = cold ? 1.0 : dg[0], d1 = cold ? 0.0 : dg[1];
    lost = cold ? 8 * UNIT : lost + 4 * UNIT;
    r_e += fabs(r) * lost, slope_e += fabs(slope) * lost;
    s[UP] = 2 * r * g0, s[UP_E] = 2 * r_e * g0 + TINY;
    s[DOWN] = 2 * r * g1, s[DOWN_E] = 2 * r_e * g1 + TINY;
    s[SLOPE_UP] = 2 * (slope * g0 + r * d0);
    s[SLOPE_UP_E] = 2 * (slope_e * g0 + r_e * fabs(d0)) + TINY;
    s[SLOPE_DOWN] = 2 * (r * d1 - slope * g1);
    s[SLOPE_DOWN_E] = 2 * (slope_e * g1 + r_e * fabs(d1)) + TINY;
}

static inline void discrete_spectra(const struct bath *b, double x, double s[8])
{
    for (int side = 0; side < 2; side++) {
        double w = side ? -x : x, value = 0.0, slope = 0.0, lost = 0.0, lost_slope = 0.0;
        for (int k = 0; k < b->count; k++) {
            cplx inverse = 1.0 / (b->nu[k] - I * w), term = b->c[k] * inverse;
            double spread = UNIT * (32 + 16 * (size_of(b->nu[k]) + x) * size_of(inverse));
            value += 2 * creal(term), lost += 2 * size_of(term) * spread;
            slope += 2 * creal(I * term * inverse), lost_slope += 2 * size_of(term * inverse) * spread;
        }
        s[UP + 2 * side] = value, s[UP_E + 2 * side] = lost;
        s[SLOPE_UP + 2 * side] = slope, s[SLOPE_UP_E + 2 * side] = lost_slope;
    }
}
