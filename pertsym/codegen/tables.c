/* What is tabulated: [f(x) + f(-x)]/2 and [f(x) - f(-x)]/(2x) of f = P and P', in this order. */

static void sums(const struct rule *r, double x, double s[4])
{
    double square = x * x, t[4] = {0.0, 0.0, 0.0, 0.0};
    for (int k = 0; k < r->n; k++) {
        double wr = creal(r->w[k]), wi = cimag(r->w[k]);
        double ar = creal(r->a[k]), ai = cimag(r->a[k]);
        double ur = wr * wr - wi * wi, ui = 2.0 * wr * wi;
        double dr = square - ur, inverse = 1.0 / (dr * dr + ui * ui);
        double qr = dr * inverse, qi = ui * inverse;
        double br = ar * wr - ai * wi, bi = ar * wi + ai * wr;
        double sr = qr * qr - qi * qi, si = 2.0 * qr * qi;
        double vr = square + ur;
        t[0] += br * qi + bi * qr;
        t[1] += ar * qi + ai * qr;
        double cr = ar * vr - ai * ui, ci = ar * ui + ai * vr;
        t[2] += cr * si + ci * sr;
        t[3] += br * si + bi * sr;
    }
    s[0] = -2 * PI * t[0], s[1] = -2 * PI * t[1];
    s[2] = 2 * PI * t[2], s[3] = 4 * PI * t[3];
}

static void bounds_at(const struct rule *r, double x, double e[4])
{
    double t[3] = {0.0, 0.0, 0.0};
    for (int k = 0; k < r->n; k++) {
        double inverse = 1.0 / fmax(x, r->radius[k]), p = inverse;
        for (int m = 0; m < 3; m++, p *= inverse) t[m] += r->weight[m][k] * p;
    }
    e[0] = 2 * PI * t[0], e[1] = 2 * PI * t[1], e[2] = 2 * PI * t[1], e[3] = 4 * PI * t[2];
}

/* P(w) and P'(w) of the resonances alone, with their rounding. */
static inline void resonant(const struct rule *r, double w, double v[2], double e[2])
{
    v[0] = v[1] = e[0] = e[1] = 0.0;
    for (int k = 0; k < r->resonances; k++) {
        double pr = creal(r->position[k]), pi = cimag(r->position[k]);
        double ar = -2 * PI * creal(r->residue[k]), ai = -2 * PI * cimag(r->residue[k]);
        double dr = w - pr, inverse = 1.0 / (dr * dr + pi * pi);
        double qr = dr * inverse, qi = pi * inverse; /* 1/(w - p) */
        double tr = ar * qr - ai * qi, ti = ar * qi + ai * qr;
        double sr = tr * qr - ti * qi, si = tr * qi + ti * qr;
        /* |re| + |im| bounds the modulus */
        double spread = (fabs(pr) + fabs(pi)) * (fabs(qr) + fabs(qi));
        v[0] += ti, v[1] -= si;
        e[0] += (fabs(tr) + fabs(ti)) * (r->uncertainty + UNIT * (32 + 8 * spread));
        e[1] += (fabs(sr) + fabs(si)) * (r->uncertainty + UNIT * (32 + 16 * spread));
    }
}

/* P(x) - P(-x) of the resonances alone. */
static inline void resonant_difference(const struct rule *r, double x, double *v, double *e)
{
    *v = *e = 0.0;
    for (int k = 0; k < r->resonances; k++) {
        double pr = creal(r->position[k]), pi = cimag(r->position[k]);
        double ar = -4 * PI * x * creal(r->residue[k]), ai = -4 * PI * x * cimag(r->residue[k]);
        double near = fmin(fabs(x - pr), fabs(x + pr));
        double dr = (x - pr) * (x + pr) + pi * pi, di = -2 * pr * pi;
        double inverse = 1.0 / (dr * dr + di * di);
        double tr = (ar * dr + ai * di) * inverse, ti = (ai * dr - ar * di) * inverse;
        double spread = (fabs(pr) + fabs(pi)) / sqrt(near * near + pi * pi);
        *v += ti;
        *e += (fabs(tr) + fabs(ti)) * (r->uncertainty + UNIT * (32 + 8 * spread));
    }
}

struct table {
    int64_t first;
    int size, panels;
    double *c, *e;
};

static int64_t bits_of(double x)
{
    int64_t b;
    memcpy(&b, &x, sizeof b);
    return b;
}

static double from_bits(int64_t b)
{
    double x;
    memcpy(&x, &b, sizeof x);
    return x;
}

#define PANEL_BITS 49
#define MIDDLE(t, panel) (0.5 * (from_bits(((t)->first + (panel)) << PANEL_BITS) + \
                                 from_bits(((t)->first + (panel) + 1) << PANEL_BITS)))
#define HALF(t, panel) (0.5 * (from_bits(((t)->first + (panel) + 1) << PANEL_BITS) - \
                               from_bits(((t)->first + (panel)) << PANEL_BITS)))

static struct table *new_table(double low, double high, int size)
{
    struct table *t = block(1, sizeof *t);
    t->first = bits_of(low) >> PANEL_BITS;
    t->panels = (int)((bits_of(high) >> PANEL_BITS) - t->first + 1);
    t->size = size;
    t->c = block((size_t)t->panels * size * 4, sizeof(double));
    t->e = block((size_t)t->panels * 4, sizeof(double));
    return t;
}

static double abscissa(int size, int k)
{
    return 2 * k + 1 == size ? 0.0 : cos(PI * (k + 0.5) / size);
}

/* Polynomials through values [size][4] at the Chebyshev points of one panel. */
static void fit(struct table *t, int panel, double *values, const double *errors)
{
    int n = t->size;
    double poly[MAX_SIZE][MAX_SIZE] = {{0.0}};
    poly[0][0] = 1.0, poly[1][1] = 1.0;
    for (int k = 2; k < n; k++)
        for (int j = 0; j < n; j++)
            poly[k][j] = (j ? 2.0 * poly[k - 1][j - 1] : 0.0) - poly[k - 2][j];
    for (int f = 0; f < 4; f++) {
        double middle = values[4 * (n / 2) + f], spread = 0.0, c[MAX_SIZE] = {0.0}, horner = 0.0;
        for (int j = 0; j < n; j++) spread = fmax(spread, fabs(values[4 * j + f] - middle));
        for (int k = 0; k < n; k++) {
            double mode = 0.0;
            for (int j = 0; j < n; j++)
                mode += (values[4 * j + f] - middle) * cos(PI * k * (j + 0.5) / n);
            mode *= (k ? 2.0 : 1.0) / n;
            for (int j = 0; j <= k; j++) c[j] += mode * poly[k][j];
        }
        c[0] += middle;
        for (int j = 0; j < n; j++) {
            horner += fabs(c[j]) * (2 * j + 2);
            t->c[((size_t)panel * n + j) * 4 + f] = c[j];
        }
        t->e[4 * panel + f] = errors[f] + UNIT * (horner + 2.0 * n * n * spread);
    }
}

/* With N points a polynomial misses at most 4 M r^(1-N)/(r - 1), M the largest size in the ellipse
   whose half axes have the sum r in halves of the panel.  For r = 20 it lies within 36 degrees of the
   axis and no node within 45, so that M, N = 13, is at most a known number of times the rounding of
   the residues in the bound of the nodes: these parts of it. */
static const double MISFIT[4] = {0.05, 0.05, 0.25, 0.25};

static struct table *make_table(const struct rule *r, double low, double high)
{
    enum { SIZE = 13 };
    struct table *t = new_table(low, high, SIZE);
    double values[4 * SIZE], errors[4], lebesgue = 1.0 + 2.0 / PI * log(SIZE);
    for (int p = 0; p < t->panels; p++) {
        for (int k = 0; k < SIZE; k++)
            sums(r, MIDDLE(t, p) + HALF(t, p) * abscissa(SIZE, k), values + 4 * k);
        bounds_at(r, MIDDLE(t, p) - HALF(t, p), errors);
        for (int f = 0; f < 4; f++) errors[f] *= 1.0 + lebesgue + MISFIT[f];
        fit(t, p, values, errors);
    }
    return t;
}

/* Four functions and their errors at x. */
static inline void look_up(const struct table *t, double x, double v[4], double e[4])
{
    int64_t b = bits_of(x);
    double u = 2.0 * from_bits(((b << 3) & 0xFFFFFFFFFFFFFLL) | 0x3FF0000000000000LL) - 3.0;
    size_t panel = (size_t)((b >> PANEL_BITS) - t->first);
    const double *c = t->c + panel * t->size * 4 + 4 * (t->size - 1), *lost = t->e + 4 * panel;
    double s0 = c[0], s1 = c[1], s2 = c[2], s3 = c[3];
    for (int k = t->size - 1; k > 0; k--) {
        c -= 4;
        s0 = s0 * u + c[0], s1 = s1 * u + c[1], s2 = s2 * u + c[2], s3 = s3 * u + c[3];
    }
    v[0] = s0, v[1] = s1, v[2] = s2, v[3] = s3;
    for (int f = 0; f < 4; f++) e[f] = lost[f];
}

/* Over temperatures at one frequency: f(x), f(-x), [f(x) - f(-x)]/(2x) of f = P and of f = P'. */
struct thermal {
    struct table *t[2];
};

static void kernels(cplx w, double x, int m, cplx k[3])
{
    cplx p = 1.0 / (x - w), q = 1.0 / (x + w);
    if (m == 0)
        k[0] = p, k[1] = -q, k[2] = p * q;
    else
        k[0] = -p * p, k[1] = -q * q, k[2] = -2.0 * w * p * p * q * q;
}

static struct thermal *make_thermal(const struct bath *given, double x, double low, double high)
{
    enum { SIZE = 15, RING = 12 };
    struct thermal *result = block(1, sizeof *result);
    struct table *t = new_table(low, high, SIZE);
    struct table *second = new_table(low, high, SIZE);
    result->t[0] = t, result->t[1] = second;
    double lebesgue = 1.0 + 2.0 / PI * log(SIZE);
    for (int panel = 0; panel < t->panels; panel++) {
        struct bath b = *given;
        double centre = MIDDLE(t, panel), half = HALF(t, panel);
        b.beta = centre;
        struct rule *r = make_rule_between(&b, centre - half, centre + half, x, x);
        int n = r->n + r->resonances;
        cplx *unit = block(n, sizeof(cplx)), *j = block(n, sizeof(cplx));
        cplx(*kernel)[2][3] = block(n, sizeof *kernel);
        int at = 0;
        for (int i = 0; i < r->arms; i++)
            for (int k = 0; k < r->arm[i].n; k++, at++) {
                j[at] = r->arm[i].w[k];
                cplx s = occupied(&b, centre, j[at]);
                unit[at] = size_of(s) > 0.0 ? r->a[at] / s : 0.0;
                for (int m = 0; m < 2; m++) kernels(r->w[at], x, m, kernel[at][m]);
            }
        for (int k = 0; k < r->resonances; k++, at++) {
            j[at] = r->position[k];
            cplx s = occupied(&b, centre, j[at]);
            unit[at] = size_of(s) > 0.0 ? r->residue[k] / s : 0.0;
            for (int m = 0; m < 2; m++) kernels(r->position[k], x, m, kernel[at][m]);
        }
        double values[2][4 * SIZE] = {{0.0}}, widest[2][3] = {{0.0}}, errors[2][4] = {{0.0}};
        for (int i = 0; i < SIZE + RING; i++) {
            cplx beta = centre + half * abscissa(SIZE, i);
            if (i >= SIZE) {
                cplx turn = cexp(2.0 * I * PI * (i - SIZE + 0.5) / RING);
                beta = centre + half * (18.0 * turn + conj(turn) / 18.0) / 2.0;
            }
            double size[2][3] = {{0.0}}, total[2][3] = {{0.0}};
            for (int k = 0; k < n; k++) {
                cplx a = unit[k] * occupied(&b, beta, j[k]);
                if (i < SIZE)
                    for (int m = 0; m < 2; m++)
                        for (int f = 0; f < 3; f++) total[m][f] += cimag(a * kernel[k][m][f]);
                else
                    for (int m = 0; m < 2; m++)
                        for (int f = 0; f < 3; f++)
                            size[m][f] += size_of(a) * size_of(kernel[k][m][f]);
            }
            for (int m = 0; m < 2; m++)
                for (int f = 0; f < 3; f++) {
                    if (i < SIZE) values[m][4 * i + f] = -2 * PI * total[m][f];
                    widest[m][f] = fmax(widest[m][f], 2 * PI * size[m][f]);
                }
        }
        double own[4], v[2], plus[2], minus[2], apart;
        bounds_at(r, x, own);
        resonant(r, x, v, plus), resonant(r, -x, v, minus);
        resonant_difference(r, x, v, &apart);
        double third[2] = {apart / (2 * x), (plus[1] + minus[1]) / x};
        for (int m = 0; m < 2; m++) {
            double base[3] = {own[2 * m] + plus[m], own[2 * m] + minus[m], own[2 * m + 1] + third[m]};
            for (int f = 0; f < 3; f++)
                errors[m][f] = 8.0 * widest[m][f] * power_of(1 / 18.0, SIZE - 1) / 17.0 +
                               (1.0 + lebesgue) * 2.0 * base[f];
            fit(result->t[m], panel, values[m], errors[m]);
        }
        free(unit), free(j), free(kernel), free_rule(r);
    }
    return result;
}
