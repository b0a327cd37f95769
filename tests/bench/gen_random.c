/* Random numbers that are the same everywhere: no libm.  See gen.h. */

#include "gen.h"

static uint64_t
splitmix(uint64_t *x)
{
	uint64_t z = (*x += 0x9e3779b97f4a7c15ULL);
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

void
rng_seed(struct rng *r, uint64_t a, uint64_t b)
{
	uint64_t x = a * 0xd1342543de82ef95ULL + b;
	r->s[0] = splitmix(&x);
	r->s[1] = splitmix(&x) | 1;
}

uint64_t
rng64(struct rng *r) /* xoroshiro128+ */
{
	uint64_t a = r->s[0], b = r->s[1], res = a + b;
	b ^= a;
	r->s[0] = ((a << 24) | (a >> 40)) ^ b ^ (b << 16);
	r->s[1] = (b << 37) | (b >> 27);
	return res;
}

uint32_t
rnd(struct rng *r, uint32_t n) /* 0 .. n-1 */
{
	return (uint32_t)(((rng64(r) >> 32) * (uint64_t)n) >> 32);
}

uint32_t
rrange(struct rng *r, uint32_t lo, uint32_t hi)
{
	return lo + rnd(r, hi - lo + 1);
}

double
unit(struct rng *r)
{
	return (double)(rng64(r) >> 11) * (1.0 / 9007199254740992.0);
}

int
chance(struct rng *r, double percent)
{
	return unit(r) * 100.0 < percent;
}

/* exp, log and sqrt by hand: no libm, and the same numbers everywhere */
static double
x_exp(double x)
{
	double t = x * 1.4426950408889634, f, p = 1.0, term = 1.0;
	int n = (int)(t < 0 ? t - 0.5 : t + 0.5), i;
	f = (t - n) * 0.6931471805599453;
	for (i = 1; i < 16; i++) {
		term *= f / i;
		p += term;
	}
	while (n > 0) {
		p *= 2.0;
		n--;
	}
	while (n < 0) {
		p *= 0.5;
		n++;
	}
	return p;
}

static double
x_log(double x)
{
	int n = 0, i;
	double y, y2, term, s = 0;
	while (x > 1.5) {
		x *= 0.5;
		n++;
	}
	while (x < 0.75) {
		x *= 2.0;
		n--;
	}
	y = (x - 1) / (x + 1);
	y2 = y * y;
	term = y;
	for (i = 1; i < 40; i += 2) {
		s += term / i;
		term *= y2;
	}
	return 2 * s + n * 0.6931471805599453;
}

static double
x_sqrt(double x)
{
	double g = x > 1 ? x : 1;
	int i;
	if (x <= 0)
		return 0;
	for (i = 0; i < 60; i++) {
		double h = 0.5 * (g + x / g);
		if (h == g)
			break;
		g = h;
	}
	return g;
}

static double
normal(struct rng *r)
{
	double u, v, q;
	do {
		u = 2 * unit(r) - 1;
		v = 2 * unit(r) - 1;
		q = u * u + v * v;
	} while (q >= 1 || q < 1e-12);
	return u * x_sqrt(-2 * x_log(q) / q);
}

uint32_t
lognormal(struct rng *r, double median, double sigma, double lo, double hi)
{
	double z = sigma * normal(r), v;
	if (z > 20)
		z = 20;
	if (z < -20)
		z = -20;
	v = median * x_exp(z);
	return (uint32_t)(v < lo ? lo : v > hi ? hi : v);
}
