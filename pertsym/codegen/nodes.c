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
    void (*reduced)(double y, const double *shape, double *r, double *slope, double *r_e,
                    double *slope_e);
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

/* Where the path ends, in units of where the spectrum is the power of its tail. */
static double extension(double tail)
{
    return pow(1e-17, -1.0 / (2.0 - tail));
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
        p->reach[1] = uv > -1e200 ? fmax(p->d.reach, decay / extension(uv)) : p->d.reach;
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
    if (open) reach = fmax(reach, high) * extension(tail);
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
        /* nodes are moved by the rounding of x, which beside a pole is more than that of a residue */
        rough *= 2.0 + fabs(start + h * k) / 2;
        arm->rounding[k] = EPS * (16.0 + rough) * size_of(arm->a[k]);
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

/* The weight of a pole at w beside the trapezoidal rule, and what its rounding may change. */
static cplx seen(const struct path *p, cplx w, double low, double h, double *lost)
{
    double towards = 1.0;
    cplx x;
    *lost = 0.0;
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
    double growth = fabs(creal(phase)), decay = exp(-growth);
    double away = size_of(1.0 - cexp(-growth + I * cimag(phase)));
    *lost = 2 * PI / h * EPS * (size_of(x) + fabs(start) + 16.0) * decay / (away * away);
    if (creal(phase) > 700.0) return 0.0;
    return -1.0 / (size_of(phase) < 1.0 ? expm1_small(phase) : cexp(phase) - 1.0);
}

/* Adds what the weight of a pole at w may miss to the nearest node, at least half as far away. */
static void burden(struct rule *r, cplx w, double lost)
{
    int left = creal(w) < 0.0;
    if (left >= r->arms) return;
    struct arm *arm = &r->arm[left];
    int k = 0;
    double square = creal(w) * creal(w) + cimag(w) * cimag(w);
    while (k < arm->n - 1 && size_of(arm->w[k]) * size_of(arm->w[k + 1]) < square) k++;
    arm->rounding[k] += 2 * lost;
}

/* With nodes for inverse temperatures between least and most, residues for that of the bath. */
static struct rule *make_rule_between(const struct bath *b, double least, double most, double low,
                                      double high)
{
    struct rule *r = block(1, sizeof *r);
    if (!b->kind) {
        r->resonances = b->count;
        for (int k = 0; k < b->count; k++)
            r->position[k] = -I * b->nu[k], r->residue[k] = I * b->c[k];
        return r;
    }
    struct path p;
    make_path(b, least, most, &p);
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
    r->resonances = p.resonances;
    for (int k = 0; k < p.resonances; k++) {
        double lost;
        cplx residue = p.residue[k] * occupied(b, b->beta, p.position[k]);
        r->position[k] = p.position[k];
        r->residue[k] = residue * seen(&p, p.position[k], floor_, h, &lost);
        burden(r, p.position[k], size_of(residue) * lost);
    }
    join(r);
    return r;
}

static struct rule *make_rule(const struct bath *b, double low, double high)
{
    return make_rule_between(b, b->beta, b->beta, low, high);
}

static void free_rule(struct rule *r)
{
    for (int i = 0; i < r->arms; i++) free_arm(&r->arm[i]);
    free(r->w), free(r->a), free(r->radius);
    for (int m = 0; m < 4; m++) free(r->weight[m]);
    free(r);
}

/* G above the axis, or with s on it [G(z) - G(s)]/(s - z); its error, or only a bound of its size. */
static cplx above(const struct rule *r, cplx z, const double *s, double *error, double *majorant)
{
    double size = size_of(z), anchor = s ? fabs(*s) : 0.0, lost = 0.0, most = 0.0, re = 0.0, im = 0.0;
    double steep = s ? sin(ANGLE) * sin(ANGLE) : sin(ANGLE);
    for (int k = 0; error && k < r->n; k++) {
        double dr = creal(z) - creal(r->w[k]), di = cimag(z) - cimag(r->w[k]);
        cplx a = s ? r->a[k] / (*s - r->w[k]) : r->a[k];
        double inverse = 1.0 / (dr * dr + di * di), radius = r->radius[k];
        re += (creal(a) * dr + cimag(a) * di) * inverse;
        im += (cimag(a) * dr - creal(a) * di) * inverse;
        lost += r->weight[s ? 1 : 0][k] / (fmax(size, radius) * (s ? fmax(anchor, radius) : 1.0));
    }
    for (int k = 0; majorant && k < r->n; k++) {
        double radius = r->radius[k], a = size_of(r->a[k]) / steep;
        most += a / (fmax(size, radius) * (s ? fmax(anchor, radius) : 1.0));
    }
    cplx value = re + I * im;
    for (int k = 0; k < r->resonances; k++) {
        cplx term = r->residue[k] / (z - r->position[k]);
        if (s) term /= *s - r->position[k];
        value += term, lost += 64 * EPS * size_of(term), most += size_of(term);
    }
    if (error) *error = lost;
    if (majorant) *majorant = most;
    return value;
}

static cplx geometric(cplx last, cplx before)
{
    cplx ratio = size_of(before) > 0.0 ? last / before : 0.0;
    return size_of(ratio) < 1.0 - 1e-4 ? last * ratio / (1.0 - ratio) : 0.0;
}

/* What lies beyond t[0]: of a geometric series, or of (A + B x) e^(-n x) where that claims less. */
static cplx continued(const cplx t[3], double h, int logarithm, double *error)
{
    cplx rest = geometric(t[0], t[1]);
    double lost = 3.0 / h * size_of(rest - (geometric(t[1], t[2]) - t[0]));
    if (logarithm && size_of(t[0]) > 0.0 && size_of(t[1]) > 0.0) {
        double n = fmin(fmax(floor(log(size_of(t[1] / t[0])) / h + 0.5), 1.0), 6.0), q = exp(-h * n);
        cplx rise = t[0] - q * t[1];
        double own = 2.0 * size_of(t[0] - 2.0 * rise - q * q * t[2]) * q * (1.0 + q);
        own /= pow(1.0 - q, 3);
        if (own < lost && size_of(rise) < 0.5 * h * size_of(t[0]))
            rest = (t[0] + rise / (1.0 - q)) * q / (1.0 - q), lost = own;
    }
    *error += lost;
    return rest;
}

/* A ceiling at which the nodes of a end well above the reach of b. */
static double least_ceiling(const struct bath *a, const struct bath *b)
{
    struct path p;
    double reach = 0.0;
    for (int k = 0; k < b->count; k++) reach = fmax(reach, size_of(b->nu[k]));
    if (b->kind) make_path(b, b->beta, b->beta, &p), reach = p.reach[1];
    if (!a->kind) return 0.0;
    make_path(a, a->beta, a->beta, &p);
    return p.tails[1] > -1e200 ? 1e3 * reach / extension(p.tails[1]) : 0.0;
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
            cplx factor = above(b, -from->w[k], 0, &lost, 0);
            to->w[k] = from->w[k], to->a[k] = unit * from->a[k] * factor;
            to->rounding[k] = size_of(unit) * (from->rounding[k] * (size_of(factor) + lost) +
                                               size_of(from->a[k]) * lost) +
                              8 * EPS * size_of(to->a[k]);
        }
        for (int j = 0; j < 2; j++) {
            to->edge_w[j] = block(n, sizeof(cplx)), to->edge[j] = block(n, sizeof(double));
            for (int k = 0; k < n; k++) {
                double most;
                above(b, -from->edge_w[j][k], 0, 0, &most);
                to->edge_w[j][k] = from->edge_w[j][k];
                to->edge[j][k] = size_of(unit) * from->edge[j][k] * most;
            }
        }
        for (int last = 0; last < 2; last++) {
            if (!(last ? from->open_outer : from->open_inner) || n < 3) continue;
            double rise = last ? exp(from->step) : 1.0, lost = 0.0;
            int k = last ? n - 1 : 0, d = last ? -1 : 1;
            cplx t[3] = {to->a[k], rise * to->a[k + d], rise * rise * to->a[k + 2 * d]};
            double *end = last ? to->end_last : to->end_first;
            to->a[k] += continued(t, from->step, last && from->outer == 0.0, &lost);
            for (int m = 0; m < 4; m++) end[m] = lost;
        }
    }
    join(r);
    r->resonances = a->resonances;
    for (int k = 0; k < a->resonances; k++) {
        double lost;
        cplx factor = above(b, -a->position[k], 0, &lost, 0);
        r->position[k] = a->position[k], r->residue[k] = unit * a->residue[k] * factor;
        r->uncertainty = fmax(r->uncertainty, lost / size_of(factor));
    }
    return r;
}
