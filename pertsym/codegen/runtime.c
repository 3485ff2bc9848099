/* G(z) = sum_k a_k/(z - w_k): the spectrum continued below the real axis, on two rays where it is
   not analytic at w = 0, else on a hyperbola; see the Python export for the same with comments. */

struct density {
    double infrared, kink, ultraviolet, scale, axis, reach;
    const double *shape;
    cplx prelude[MAX_PRELUDE];
    int resonances;
    cplx position[MAX_RESONANCES], residue[MAX_RESONANCES];
};

struct kind {
    void (*describe)(const double *shape, struct density *d);
    cplx (*continued)(const struct density *d, cplx w);
};

/* A bath at scalar parameters; `kind` is 0 for a sum of exponentials. */
struct bath {
    const struct kind *kind;
    double shape[MAX_SHAPE], beta;
    int classical, cold, count;
    const cplx *c, *nu;
};

struct path {
    const struct bath *bath;
    struct density d;
    double power, tails[2], reach[2], scale;
    int left, analytic, resonances;
    cplx position[2 * MAX_RESONANCES], residue[2 * MAX_RESONANCES];
};

struct arm {
    int n, open_inner, open_outer;
    double step, inner, outer;
    cplx *w, *a, *edge_w[2];
    double *rounding, *edge[2];
    double end_first[4], end_last[4];
};

struct rule {
    int arms, n, resonances;
    struct arm arm[2];
    cplx *w, *a;
    double *radius, *weight[4];
    cplx position[2 * MAX_RESONANCES + MAX_EXPONENTS], residue[2 * MAX_RESONANCES + MAX_EXPONENTS];
    double uncertainty;
};

static const double EDGES[2] = {0.2 * ANGLE, 1.8 * ANGLE};
static const double STEPS[4] = {0.1, 0.07, 0.05, 0.035};

static void *block(size_t n, size_t size)
{
    void *p = calloc(n ? n : 1, size);
    if (!p) abort();
    return p;
}

static double power_of(double x, int n)
{
    double y = 1.0;
    while (n-- > 0) y *= x;
    return y;
}

static double size_of(cplx z) { return sqrt(creal(z) * creal(z) + cimag(z) * cimag(z)); }

static cplx expm1_small(cplx z)
{
    cplx half = z / 2.0;
    double x = creal(half), y = cimag(half);
    return 2.0 * cexp(half) * (sinh(x) * cos(y) + I * cosh(x) * sin(y));
}

static cplx occupied(const struct bath *b, cplx beta, cplx w)
{
    if (b->cold) return creal(w) > 0.0 ? 2.0 : 0.0;
    if (b->classical) return 2.0 / (beta * w);
    cplx x = beta * w;
    int right = creal(x) > 0.0;
    if (!right) x = -x;
    if (creal(x) > 700.0) return right ? 2.0 : 0.0;
    cplx decay = cexp(-x);
    cplx missing = size_of(x) < 1.0 ? -expm1_small(-x) : 1.0 - decay;
    return (right ? 2.0 : -2.0 * decay) / missing;
}

static cplx spectrum(const struct path *p, cplx beta, cplx w)
{
    double side = creal(w) >= 0.0 ? 1.0 : -1.0;
    return p->bath->kind->continued(&p->d, side * w) * side * occupied(p->bath, beta, w);
}

static void make_path(const struct bath *b, double beta_low, double beta_high, struct path *p)
{
    memset(p, 0, sizeof *p);
    p->bath = b;
    b->kind->describe(b->shape, &p->d);
    int warm = !b->classical && !b->cold;
    p->scale = fmin(p->d.scale, p->d.axis);
    if (warm) p->scale = fmin(p->scale, 2 * PI / beta_high);
    for (int k = 0; k < p->d.resonances; k++) {
        cplx w = p->d.position[k], a = p->d.residue[k];
        p->position[2 * k] = w, p->position[2 * k + 1] = -conj(w);
        p->residue[2 * k] = a, p->residue[2 * k + 1] = conj(a);
    }
    p->resonances = 2 * p->d.resonances;
    p->power = p->d.infrared - (b->cold ? 0.0 : 1.0);
    p->analytic = p->d.kink > 1e200 && !b->cold;
    p->left = !b->cold;
    double uv = p->d.ultraviolet;
    p->tails[0] = b->classical ? uv - 1.0 : -HUGE_NUMBER;
    p->tails[1] = b->classical ? uv - 1.0 : uv;
    p->reach[0] = p->reach[1] = p->d.reach;
    if (warm) {
        double decay = 60.0 / beta_low;
        p->reach[0] = uv > -1e200 ? decay : fmin(p->d.reach, 2 * decay);
        p->reach[1] = uv > -1e200 ? fmax(p->d.reach, decay) : p->d.reach;
    }
}

static double start_of(const struct path *p, double floor_)
{
    return log(fmin(floor_, p->scale) * pow(1e-17, 1.0 / (p->power + 2.0)));
}

static void place(const struct path *p, int side, double x, double angle, cplx *w, cplx *slope)
{
    if (p->analytic) {
        double re = side * x, s = sinh(re), c = cosh(re);
        *w = p->scale * (s * cos(angle) - I * c * sin(angle));
        *slope = p->scale * (c * cos(angle) - I * s * sin(angle));
    } else {
        *slope = cexp(x - side * I * angle);
        *w = side * *slope;
    }
}

static void make_arm(const struct path *p, int side, double low, double high, double h,
                     struct arm *arm)
{
    double tail = p->tails[side > 0], reach = p->reach[side > 0], start;
    double beta = p->bath->beta;
    int open = tail > -1e200, n;
    if (open) reach = fmax(reach, high) * pow(1e-17, -1.0 / (2.0 - tail));
    if (p->analytic) {
        n = (int)ceil(asinh(reach / p->scale) / h) + 1;
        start = side > 0 ? 0.0 : h;
    } else {
        start = start_of(p, low);
        n = (int)ceil((log(reach) - start) / h) + 1;
    }
    memset(arm, 0, sizeof *arm);
    arm->step = h;
    arm->w = block(n, sizeof(cplx)), arm->a = block(n, sizeof(cplx));
    double total = 0.0;
    for (int k = 0; k < n; k++) {
        cplx slope;
        place(p, side, start + h * k, ANGLE, &arm->w[k], &slope);
        arm->a[k] = I * h / (2 * PI) * spectrum(p, beta, arm->w[k]) * slope;
        total += size_of(arm->a[k]);
    }
    if (!open) {
        double beyond = 0.0;
        int kept = n;
        while (kept > 1) {
            beyond += size_of(arm->a[kept - 1]);
            if (beyond > 1e-19 * fmax(total, 1e-300)) break;
            kept--;
        }
        n = kept;
    }
    arm->n = n;
    arm->open_inner = !p->analytic, arm->inner = p->power + 1.0;
    arm->open_outer = open, arm->outer = tail + 1.0;
    arm->rounding = block(n, sizeof(double));
    for (int k = 0; k < n; k++) {
        double rough = 0.0;
        if (n > 1) {
            int j = k ? k : 1;
            rough = size_of(arm->a[j] - arm->a[j - 1]) / fmax(size_of(arm->a[j]), 1e-300) / h;
            if (k) rough = fmin(rough, 1e3);
        }
        arm->rounding[k] = EPS * (16.0 + 2.0 * rough) * size_of(arm->a[k]);
    }
    if (arm->open_inner) {
        double zeroth = 1.0 / -expm1(-h * arm->inner), first = size_of(arm->a[0]);
        double bend = size_of(arm->a[1] / arm->a[0] * exp(-h * arm->inner) - 1.0);
        double near = size_of(arm->w[0]) / low;
        for (int m = 0; m < 4; m++)
            arm->end_first[m] = first * zeroth * (bend * 1.5 / h + 4.0 * near * near);
    }
    if (open) {
        double zeroth = 1.0 / -expm1(h * (arm->outer - 1.0)), last = size_of(arm->a[n - 1]);
        double bend = size_of(arm->a[n - 2] / arm->a[n - 1] * exp(h * arm->outer) - 1.0);
        for (int m = 0; m < 4; m++) {
            double far = 4.0 * power_of(high / size_of(arm->w[n - 1]), m < 2 ? 2 - m : 0);
            arm->end_last[m] = last * zeroth * (bend * 1.5 / h + far);
        }
    }
    for (int j = 0; j < 2; j++) {
        double fall = expm1(2 * PI * fabs(EDGES[j] - ANGLE) / h);
        arm->edge_w[j] = block(n, sizeof(cplx)), arm->edge[j] = block(n, sizeof(double));
        for (int k = 0; k < n; k++) {
            cplx slope;
            place(p, side, start + h * k, EDGES[j], &arm->edge_w[j][k], &slope);
            arm->edge[j][k] =
                h / (2 * PI) * size_of(spectrum(p, beta, arm->edge_w[j][k]) * slope) / fall;
        }
    }
}

static int is_fine(const struct arm *arm, double scale)
{
    double own = 0.0, other[2] = {0.0, 0.0};
    for (int k = 0; k < arm->n; k++) {
        double inverse = 1.0 / fmax(size_of(arm->w[k]), scale);
        own += arm->rounding[k] * inverse;
        for (int j = 0; j < 2; j++) other[j] += arm->edge[j][k] * inverse;
    }
    return other[0] <= own && other[1] <= own;
}

static void free_arm(struct arm *arm)
{
    free(arm->w), free(arm->a), free(arm->rounding);
    for (int j = 0; j < 2; j++) free(arm->edge_w[j]), free(arm->edge[j]);
}

/* The nodes of all arms, with the first and the last standing for what lies beyond. */
static void join(struct rule *r)
{
    r->n = 0;
    for (int i = 0; i < r->arms; i++) r->n += r->arm[i].n;
    r->w = block(r->n, sizeof(cplx)), r->a = block(r->n, sizeof(cplx));
    r->radius = block(r->n, sizeof(double));
    for (int m = 0; m < 4; m++) r->weight[m] = block(r->n, sizeof(double));
    int at = 0;
    for (int i = 0; i < r->arms; i++) {
        const struct arm *arm = &r->arm[i];
        for (int k = 0; k < arm->n; k++, at++) {
            cplx w = arm->w[k], a = arm->a[k];
            r->radius[at] = size_of(w);
            for (int m = 0; m < 4; m++) {
                double total = arm->rounding[k] / power_of(sin(ANGLE), m + 1);
                for (int j = 0; j < 2; j++)
                    total += arm->edge[j][k] / power_of(sin(EDGES[j]), m + 1);
                if (k == 0) total += arm->end_first[m];
                if (k == arm->n - 1) total += arm->end_last[m];
                r->weight[m][at] = total;
            }
            if (k == 0 && arm->open_inner) {
                double zeroth = 1.0 / -expm1(-arm->step * arm->inner);
                double first = 1.0 / -expm1(-arm->step * (arm->inner + 1.0));
                w *= first / zeroth, a *= zeroth;
            }
            if (k == arm->n - 1 && arm->open_outer) {
                double zeroth = 1.0 / -expm1(arm->step * (arm->outer - 1.0));
                double first = 1.0 / -expm1(arm->step * (arm->outer - 2.0));
                w *= zeroth / first, a *= zeroth * zeroth / first;
            }
            r->w[at] = w, r->a[at] = a;
        }
    }
}

static cplx seen(const struct path *p, cplx w, double low, double h)
{
    double towards = 1.0;
    cplx x;
    if (p->analytic) {
        x = casinh(w / p->scale) + I * ANGLE;
    } else {
        int right = creal(w) > 0.0;
        towards = right ? 1.0 : -1.0;
        x = clog(right ? w : -w) + I * (towards * ANGLE);
    }
    if (cimag(x) * towards <= -0.8 * (PI / 2 - ANGLE)) return 0.0;
    double start = p->analytic ? 0.0 : start_of(p, low);
    cplx phase = 2.0 * I * PI / h * towards * (x - start);
    if (creal(phase) > 700.0) return 0.0;
    return -1.0 / (size_of(phase) < 1.0 ? expm1_small(phase) : cexp(phase) - 1.0);
}

static struct rule *make_rule(const struct bath *b, double low, double high)
{
    struct rule *r = block(1, sizeof *r);
    if (!b->kind) {
        r->resonances = b->count;
        for (int k = 0; k < b->count; k++)
            r->position[k] = -I * b->nu[k], r->residue[k] = I * b->c[k];
        return r;
    }
    struct path p;
    make_path(b, b->beta, b->beta, &p);
    double floor_ = p.analytic ? 0.0 : low, h = STEPS[0];
    r->arms = p.left || p.analytic ? 2 : 1;
    for (int s = 0; s < 4; s++) {
        h = STEPS[s];
        int fine = 1;
        for (int i = 0; i < r->arms; i++) {
            if (s) free_arm(&r->arm[i]);
            make_arm(&p, i ? -1 : 1, floor_, high, h, &r->arm[i]);
        }
        for (int i = 0; i < r->arms; i++) fine = fine && is_fine(&r->arm[i], p.scale);
        if (fine) break;
    }
    join(r);
    r->resonances = p.resonances;
    for (int k = 0; k < p.resonances; k++) {
        r->position[k] = p.position[k];
        r->residue[k] = p.residue[k] * occupied(b, b->beta, p.position[k]) *
                        seen(&p, p.position[k], floor_, h);
    }
    return r;
}

static void free_rule(struct rule *r)
{
    for (int i = 0; i < r->arms; i++) free_arm(&r->arm[i]);
    free(r->w), free(r->a), free(r->radius);
    for (int m = 0; m < 4; m++) free(r->weight[m]);
    free(r);
}

/* G above the axis, its error, or only a bound of |G|. */
static cplx above(const struct rule *r, cplx z, double *error, double *majorant)
{
    cplx value = 0.0;
    double lost = 0.0, most = 0.0, size = size_of(z);
    for (int k = 0; k < r->n; k++) {
        double inverse = 1.0 / fmax(size, r->radius[k]);
        if (error) value += r->a[k] / (z - r->w[k]), lost += r->weight[0][k] * inverse;
        if (majorant) most += size_of(r->a[k]) / sin(ANGLE) * inverse;
    }
    for (int k = 0; k < r->resonances; k++) {
        cplx term = r->residue[k] / (z - r->position[k]);
        value += term, lost += 64 * EPS * size_of(term), most += size_of(term);
    }
    if (error) *error = lost;
    if (majorant) *majorant = most;
    return value;
}

static cplx beyond(cplx last, cplx before, double fall)
{
    cplx ratio = size_of(before) > 0.0 ? fall * last / before : 0.0;
    return size_of(ratio) < 1.0 - 1e-4 ? last * ratio / (1.0 - ratio) : 0.0;
}

/* Nodes for integrals over the spectrum of one bath and spectrum or transform of another. */
static struct rule *product_rule(int transform, const struct rule *a, const struct rule *b)
{
    struct rule *r = block(1, sizeof *r);
    cplx unit = transform ? 2.0 * I * PI : 2.0;
    r->arms = a->arms;
    for (int i = 0; i < a->arms; i++) {
        const struct arm *from = &a->arm[i];
        struct arm *to = &r->arm[i];
        int n = from->n;
        *to = *from;
        to->open_inner = to->open_outer = 0;
        to->w = block(n, sizeof(cplx)), to->a = block(n, sizeof(cplx));
        to->rounding = block(n, sizeof(double));
        for (int m = 0; m < 4; m++) to->end_first[m] = to->end_last[m] = 0.0;
        for (int k = 0; k < n; k++) {
            double lost;
            cplx factor = above(b, -from->w[k], &lost, 0);
            to->w[k] = from->w[k], to->a[k] = unit * from->a[k] * factor;
            to->rounding[k] = size_of(unit) * (from->rounding[k] * (size_of(factor) + lost) +
                                               size_of(from->a[k]) * lost) +
                              8 * EPS * size_of(to->a[k]);
        }
        for (int j = 0; j < 2; j++) {
            to->edge_w[j] = block(n, sizeof(cplx)), to->edge[j] = block(n, sizeof(double));
            for (int k = 0; k < n; k++) {
                double most;
                above(b, -from->edge_w[j][k], 0, &most);
                to->edge_w[j][k] = from->edge_w[j][k];
                to->edge[j][k] = size_of(unit) * from->edge[j][k] * most;
            }
        }
        for (int last = 0; last < 2; last++) {
            if (!(last ? from->open_outer : from->open_inner) || n < 3) continue;
            double fall = last ? exp(-from->step) : 1.0;
            int k = last ? n - 1 : 0, d = last ? -1 : 1;
            cplx rest = beyond(to->a[k], to->a[k + d], fall);
            cplx before = (beyond(to->a[k + d], to->a[k + 2 * d], fall) - to->a[k] * fall) / fall;
            double *end = last ? to->end_last : to->end_first;
            for (int m = 0; m < 4; m++) end[m] = 3.0 / from->step * size_of(rest - before);
            to->a[k] += rest;
        }
    }
    join(r);
    r->resonances = a->resonances;
    for (int k = 0; k < a->resonances; k++) {
        double lost;
        cplx factor = above(b, -a->position[k], &lost, 0);
        r->position[k] = a->position[k], r->residue[k] = unit * a->residue[k] * factor;
        r->uncertainty = fmax(r->uncertainty, lost / size_of(factor));
    }
    return r;
}

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

/* Interpolation error of 1/(x - w)^(m+1). */
static double missed(double distance, double half, int size, int m)
{
    double radius = distance * m / (size + m + 1.0), left = distance - radius;
    double growth = pow(left + sqrt(1.0 + left * left), size);
    double result = 2.0 / (growth - 1.0 / growth) / left;
    return m ? result / radius / (half * half) : result / half;
}

static double misfit(const struct rule *r, double centre, double half, int size, double e[4])
{
    double circle = centre / 2, left = (centre - circle - half) / half, worst = 0.0;
    double round = circle / (half * left) * 2.0 / (pow(left + sqrt(1.0 + left * left), size) - 1.0);
    double t[4] = {0.0, 0.0, 0.0, 0.0}, own[4];
    for (int k = 0; k < r->n; k++) {
        double away = fmax(fabs(fabs(creal(r->w[k])) - centre) - half, 0.0), v = cimag(r->w[k]);
        double d = sqrt(away * away + v * v) / half, a = size_of(r->a[k]), w = size_of(r->w[k]);
        double m0 = missed(d, half, size, 0), m1 = missed(d, half, size, 1);
        t[0] += a * m0, t[2] += a * m1;
        if (w < centre / 4) {
            double gap = circle * circle - w * w;
            t[1] += a * round / gap, t[3] += a * round * 2.0 * w / (gap * gap);
        } else {
            t[1] += a * m0 / w, t[3] += a * (m1 / w + m0 / (w * w));
        }
    }
    bounds_at(r, centre - half, own);
    for (int f = 0; f < 4; f++) {
        worst = fmax(worst, 2 * PI * t[f] / fmax(own[f], 1e-300));
        e[f] = 2 * PI * t[f] + (2.0 + 2.0 / PI * log(size)) * own[f];
    }
    return worst;
}

static struct table *make_table(const struct rule *r, double low, double high)
{
    struct table *t = 0;
    double *errors = 0;
    for (int size = 11; size <= MAX_SIZE; size += 2) {
        double worst = 0.0;
        t = new_table(low, high, size);
        errors = block(4 * t->panels, sizeof(double));
        for (int p = 0; p < t->panels; p++)
            worst = fmax(worst, misfit(r, MIDDLE(t, p), HALF(t, p), size, errors + 4 * p));
        if (worst <= 0.1 || size + 2 > MAX_SIZE) break;
        free(t->c), free(t->e), free(t), free(errors);
    }
    for (int p = 0; p < t->panels; p++) {
        double values[4 * MAX_SIZE];
        for (int k = 0; k < t->size; k++)
            sums(r, MIDDLE(t, p) + HALF(t, p) * abscissa(t->size, k), values + 4 * k);
        fit(t, p, values, errors + 4 * p);
    }
    free(errors);
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
        struct path p;
        make_path(&b, centre - half, centre + half, &p);
        struct rule *r = make_rule(&b, x, x);
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
};

#define KEPT 24
static LOCAL struct entry kept[KEPT];
static LOCAL int next_entry;

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
        if (kept[i].used && !memcmp(&kept[i].key, key, sizeof *key)) return kept[i].made;
    return 0;
}

static void *keep(const struct key *key, void *made)
{
    struct entry *e = &kept[next_entry];
    next_entry = (next_entry + 1) % KEPT;
    release(e);
    e->key = *key, e->made = made, e->used = 1;
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

static const struct rule *product_of(int transform, const struct bath *a, const struct bath *b,
                                     double low, double high)
{
    low = octave_below(low), high = octave_above(high);
    struct key k = key_of(4 + transform, a, low, high);
    k.other = b->kind ? (const void *)b->kind : (const void *)b->c;
    memcpy(k.shape2, b->shape, sizeof k.shape2), k.beta2 = b->beta;
    k.x = 2 * b->classical + b->cold;
    void *made = found(&k);
    if (made) return made;
    struct rule *left = make_rule(a, 1e-3 * low, high);
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

struct parts {
    double up, up_e, down, down_e, slope_up, slope_up_e, slope_down, slope_down_e, gap, gap_e;
};

/* P(x), P(-x), P'(x), P'(-x) and P(x) - P(-x), with their errors. */
static inline void parts_at(const struct way *way, double x, double beta, struct parts *p)
{
    double v[4], e[4];
    if (way->thermal) {
        look_up(way->thermal->t[0], beta, v, e);
        p->up = v[0], p->up_e = e[0], p->down = v[1], p->down_e = e[1];
        p->gap = 2 * x * v[2], p->gap_e = 2 * x * e[2] + 2 * UNIT * fabs(x * v[2]);
        look_up(way->thermal->t[1], beta, v, e);
        p->slope_up = v[0], p->slope_up_e = e[0], p->slope_down = v[1], p->slope_down_e = e[1];
        return;
    }
    if (way->table) {
        look_up(way->table, x, v, e);
    } else if (way->rule->n) {
        sums(way->rule, x, v), bounds_at(way->rule, x, e);
    } else {
        for (int f = 0; f < 4; f++) v[f] = e[f] = 0.0;
    }
    double odd = x * v[1], slope = x * v[3];
    double lost = e[0] + x * e[1] + 2 * UNIT * (fabs(odd) + fabs(v[0]));
    double lost_slope = e[2] + x * e[3] + 2 * UNIT * (fabs(slope) + fabs(v[2]));
    p->up = v[0] + odd, p->down = v[0] - odd, p->up_e = p->down_e = lost;
    p->slope_up = v[2] + slope, p->slope_down = v[2] - slope;
    p->slope_up_e = p->slope_down_e = lost_slope;
    p->gap = 2 * odd, p->gap_e = 2 * x * e[1] + 2 * UNIT * fabs(odd);
    if (way->rule->resonances) {
        double value[2], error[2], gap, gap_e;
        resonant(way->rule, x, value, error);
        p->up += value[0], p->slope_up += value[1];
        p->up_e += error[0] + UNIT * fabs(p->up);
        p->slope_up_e += error[1] + UNIT * fabs(p->slope_up);
        resonant(way->rule, -x, value, error);
        p->down += value[0], p->slope_down += value[1];
        p->down_e += error[0] + UNIT * fabs(p->down);
        p->slope_down_e += error[1] + UNIT * fabs(p->slope_down);
        resonant_difference(way->rule, x, &gap, &gap_e);
        p->gap += gap, p->gap_e += gap_e + UNIT * fabs(p->gap);
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

struct spectra {
    double up, up_e, slope_up, slope_up_e, down, down_e, slope_down, slope_down_e;
};

/* The spectrum and its derivative at x and at -x, from J/w = r and its derivative. */
static inline void thermal_spectra(double x, double r, double slope, double r_e, double slope_e,
                                   double beta, int classical, struct spectra *s)
{
    double h[2] = {1.0, 1.0}, dh[2] = {0.0, 0.0}, lost = 4 * UNIT;
    int cold = beta <= 0.0;
    double b = cold ? 1.0 : beta, inverse = 1.0 / b;
    if (!classical) bose(b * x, h, dh, &lost);
    lost += 4 * UNIT;
    double size = fabs(r), steep = fabs(slope);
    double a0 = 2 * r * h[0] * inverse, a1 = 2 * r * h[1] * inverse;
    double a0e = 2 * h[0] * inverse * r_e + fabs(a0) * lost + TINY;
    double a1e = 2 * h[1] * inverse * r_e + fabs(a1) * lost + TINY;
    double d0 = 2 * (slope * h[0] * inverse + r * dh[0]);
    double d1 = 2 * (-slope * h[1] * inverse + r * dh[1]);
    double d0e = 2 * ((slope_e + steep * lost) * h[0] * inverse +
                      (r_e + size * lost) * fabs(dh[0])) + TINY;
    double d1e = 2 * ((slope_e + steep * lost) * h[1] * inverse +
                      (r_e + size * lost) * fabs(dh[1])) + TINY;
    double c0 = 2 * r * x, c0e = 2 * r_e * x + 4 * UNIT * fabs(c0);
    double e0 = 2 * (slope * x + r);
    double e0e = 2 * (slope_e * x + r_e) + 4 * UNIT * size + 8 * UNIT * steep * x;
    s->up = cold ? c0 : a0, s->up_e = cold ? c0e : a0e;
    s->down = cold ? 0.0 : a1, s->down_e = cold ? 0.0 : a1e;
    s->slope_up = cold ? e0 : d0, s->slope_up_e = cold ? e0e : d0e;
    s->slope_down = cold ? 0.0 : d1, s->slope_down_e = cold ? 0.0 : d1e;
}

static inline void discrete_spectra(const struct bath *b, double x, struct spectra *s)
{
    double v[8] = {0.0};
    for (int sign = 0; sign < 2; sign++) {
        double w = sign ? -x : x, value = 0.0, slope = 0.0, lost = 0.0, lost_slope = 0.0;
        for (int k = 0; k < b->count; k++) {
            cplx inverse = 1.0 / (b->nu[k] - I * w), term = b->c[k] * inverse;
            double spread = UNIT * (32 + 16 * (size_of(b->nu[k]) + x) * size_of(inverse));
            value += 2 * creal(term), lost += 2 * size_of(term) * spread;
            slope += 2 * creal(I * term * inverse), lost_slope += 2 * size_of(term * inverse) * spread;
        }
        v[4 * sign] = value, v[4 * sign + 1] = lost;
        v[4 * sign + 2] = slope, v[4 * sign + 3] = lost_slope;
    }
    memcpy(s, v, sizeof v);
}
