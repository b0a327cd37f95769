/* The flow table: lookup, orientation, expiry. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "flow/flow.h"

#define S 1000000000ll

static struct ends
ends(uint32_t family, uint32_t a, uint16_t pa, uint32_t b, uint16_t pb)
{
	struct ends e = {.port = {pa, pb}, .family = family};
	memcpy(e.ip[0], &a, 4);
	memcpy(e.ip[1], &b, 4);
	return e;
}

static uint32_t
get(struct flow_table *t, struct ends e, bool *fresh, unsigned *side)
{
	struct flow_key k;
	flow_key_of(t, &e, &k);
	*side = k.side;
	const struct flow *f = flow_get(t, &k, fresh);
	return f != NULL ? flow_id(t, f) : 0;
}

static void
both_directions_are_one_flow(void **state)
{
	(void)state;
	struct flow_table t;
	bool fresh;
	unsigned there, back;
	assert_true(flow_table_init(&t, 100));
	flow_clock(&t, 5 * S);
	uint32_t id = get(&t, ends(4, 1, 40000, 2, 25), &fresh, &there);
	assert_true(fresh);
	assert_int_equal(get(&t, ends(4, 2, 25, 1, 40000), &fresh, &back), id);
	assert_false(fresh);
	assert_int_not_equal(there, back);
	/* the same octets as IPv6, another port, the same ends swapped in port: others */
	assert_int_not_equal(get(&t, ends(6, 1, 40000, 2, 25), &fresh, &there), id);
	assert_true(fresh);
	assert_int_not_equal(get(&t, ends(4, 1, 40001, 2, 25), &fresh, &there), id);
	assert_int_not_equal(get(&t, ends(4, 1, 25, 2, 40000), &fresh, &there), id);
	/* one host talks to itself */
	id = get(&t, ends(4, 1, 40000, 1, 25), &fresh, &there);
	assert_int_equal(get(&t, ends(4, 1, 25, 1, 40000), &fresh, &back), id);
	assert_int_not_equal(there, back);
	assert_int_equal(t.created, 5);
	flow_table_free(&t);
}

static void
orientation(void **state)
{
	(void)state;
	struct flow f = {.port = {40000, 25}};
	flow_orient(&f, 0, 0); /* by the mail port */
	assert_int_equal(flow_client(&f), 0);
	f = (struct flow){.port = {25, 40000}};
	flow_orient(&f, 0, TCP_ACK);
	assert_int_equal(flow_client(&f), 1);
	f = (struct flow){.port = {1024, 50000}};
	flow_orient(&f, 0, 0); /* by the higher port */
	assert_int_equal(flow_client(&f), 1);
	flow_orient(&f, 0, TCP_SYN); /* the handshake knows better */
	assert_int_equal(flow_client(&f), 0);
	assert_true(f.flags & FLOW_SURE);
	flow_orient(&f, 1, TCP_SYN);
	assert_int_equal(flow_client(&f), 0);
	f = (struct flow){.port = {25, 40000}};
	flow_orient(&f, 0, TCP_SYN | TCP_ACK);
	assert_int_equal(flow_client(&f), 1);
}

static void
silence_expires(void **state)
{
	(void)state;
	struct flow_table t;
	bool fresh;
	unsigned side;
	assert_true(flow_table_init(&t, 100));
	flow_clock(&t, 100 * S);
	uint32_t a = get(&t, ends(4, 1, 1, 2, 25), &fresh, &side);
	uint32_t b = get(&t, ends(4, 1, 2, 2, 25), &fresh, &side);
	flow_at(&t, b)->idle_s = 900;
	flow_clock(&t, (100 + LIMIT_IDLE_OPEN_S - 1) * S);
	assert_int_equal(flow_expired(&t), 0);
	flow_clock(&t, (100 + LIMIT_IDLE_OPEN_S + 1) * S);
	assert_int_equal(flow_expired(&t), a);
	assert_int_equal(flow_expired(&t), 0);
	flow_at(&t, a)->idle_s = 10;
	flow_at(&t, a)->last_s = t.now_s;
	flow_keep(&t, a);
	(void)get(&t, ends(4, 1, 2, 2, 25), &fresh, &side); /* heard of again */
	assert_false(fresh);
	flow_clock(&t, (100 + LIMIT_IDLE_OPEN_S + 12) * S);
	assert_int_equal(flow_expired(&t), a);
	flow_remove(&t, a);
	assert_int_equal(flow_expired(&t), 0);
	flow_clock(&t, 50 * S); /* a clock that runs back moves nothing */
	assert_int_equal(flow_expired(&t), 0);
	flow_clock(&t, 100000 * S); /* a long silence: all that is left, in one turn of the wheel */
	assert_int_equal(flow_expired(&t), b);
	flow_remove(&t, b);
	assert_int_equal(flow_expired(&t), 0);
	assert_int_equal(t.flows.used, 0);
	assert_int_not_equal(get(&t, ends(4, 1, 2, 2, 25), &fresh, &side), 0);
	assert_true(fresh);
	flow_table_free(&t);
}

/* Of those whose time is up in the same second, too. */
static void
the_oldest_makes_room(void **state)
{
	(void)state;
	struct flow_table t;
	bool fresh;
	unsigned side;
	uint32_t id[100];
	assert_true(flow_table_init(&t, 100));
	flow_clock(&t, 100 * S);
	for (uint16_t i = 0; i < 100; i++)
		id[i] = get(&t, ends(4, 1, i, 2, 25), &fresh, &side);
	assert_int_equal(get(&t, ends(4, 1, 100, 2, 25), &fresh, &side), 0);
	for (uint16_t i = 0; i < 200; i++) {
		uint32_t oldest = flow_oldest(&t);
		assert_int_equal(oldest, id[i % 100]);
		flow_remove(&t, oldest);
		id[i % 100] = get(&t, ends(4, 1, (uint16_t)(100 + i), 2, 25), &fresh, &side);
		assert_true(fresh);
	}
	flow_table_free(&t);
}

/* Its place is the next flow's at once, and that one's turn in the wheel comes too late at worst.
 */
static void
a_forgotten_flow_makes_room(void **state)
{
	(void)state;
	struct flow_table t;
	bool fresh;
	unsigned side;
	assert_true(flow_table_init(&t, 2));
	flow_clock(&t, 100 * S);
	uint32_t a = get(&t, ends(4, 1, 1, 2, 25), &fresh, &side);
	uint32_t b = get(&t, ends(4, 1, 2, 2, 25), &fresh, &side);
	flow_at(&t, a)->conn = 7;
	flow_forget(&t, a);
	assert_int_equal(get(&t, ends(4, 1, 3, 2, 25), &fresh, &side), a);
	assert_true(fresh);
	assert_int_equal(flow_at(&t, a)->conn, 0);
	assert_int_equal(get(&t, ends(4, 1, 1, 2, 25), &fresh, &side), 0); /* forgotten, and full */
	assert_int_equal(get(&t, ends(4, 1, 2, 2, 25), &fresh, &side), b);
	flow_clock(&t, (100 + LIMIT_IDLE_OPEN_S + 1) * S);
	flow_forget(&t, b);
	assert_int_equal(flow_expired(&t), a); /* nobody asks for what is forgotten, */
	assert_int_equal(flow_expired(&t), 0);
	flow_remove(&t, a);
	assert_int_equal(get(&t, ends(4, 1, 4, 2, 25), &fresh, &side), b); /* its place is kept, */
	flow_clock(&t, (100 + 2 * LIMIT_IDLE_OPEN_S + 2) * S);
	assert_int_equal(flow_expired(&t), b); /* and put into the wheel again */
	flow_remove(&t, b);
	a = get(&t, ends(4, 1, 5, 2, 25), &fresh, &side);
	flow_forget(&t, a);
	assert_int_equal(flow_oldest(&t), 0);
	b = get(&t, ends(4, 1, 6, 2, 25), &fresh, &side);
	flow_forget(&t, b);
	assert_int_equal(flow_drain(&t), 0);
	flow_table_free(&t);
}

static void
many_flows_and_a_full_table(void **state)
{
	(void)state;
	enum { MANY = 100000 };
	struct flow_table t;
	bool fresh;
	unsigned side;
	assert_true(flow_table_init(&t, MANY));
	flow_clock(&t, S);
	for (uint32_t i = 0; i < MANY; i++) {
		uint32_t id = get(&t, ends(4, i * 7919u, (uint16_t)i, 3, 25), &fresh, &side);
		assert_true(id != 0 && fresh);
		flow_at(&t, id)->conn = i + 1;
	}
	assert_int_equal(get(&t, ends(4, 77, 1, 4, 25), &fresh, &side), 0);
	for (uint32_t i = 0; i < MANY; i += 3) {
		uint32_t id = get(&t, ends(4, 3, 25, i * 7919u, (uint16_t)i), &fresh, &side);
		assert_false(fresh);
		assert_int_equal(flow_at(&t, id)->conn, i + 1);
	}
	uint32_t drained = 0, id;
	while ((id = flow_drain(&t)) != 0) {
		flow_remove(&t, id);
		drained++;
	}
	assert_int_equal(drained, MANY);
	assert_int_equal(t.flows.used, 0);
	flow_table_free(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(both_directions_are_one_flow),
	    cmocka_unit_test(orientation),
	    cmocka_unit_test(silence_expires),
	    cmocka_unit_test(the_oldest_makes_room),
	    cmocka_unit_test(a_forgotten_flow_makes_room),
	    cmocka_unit_test(many_flows_and_a_full_table),
	};
	return cmocka_run_group_tests_name("flow/flow", tests, NULL, NULL);
}
