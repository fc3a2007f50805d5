/* Three nodes, each with a trail and a key of its own. */
#include "audit/merge.h"

#include "audit/audit_test_util.h"
#include "audit/trail.h"

#include <stdio.h>
#include <unistd.h>

enum { NODES = 3, PATH_BYTES = 128, LINES = 60, TOLD_MAX = 400, START_MS = 1764000000 };

typedef struct {
    trail_t *t;
    char paths[NODES][PATH_BYTES];
    jwks_t keys[NODES];
    audit_signer_t signers[NODES];
    audit_trail_t trails[NODES];
    clock_fake_t clock;
    audit_source_t sources[NODES];
    audit_merge_t *merge;
    audit_merged_t faults[TOLD_MAX];
    size_t n_faults, n_lines;
    str_t told[TOLD_MAX]; /* lines, copied */
    str_t nodes[TOLD_MAX];
} play_t;

static const str_t NAMES[NODES] = {STR_INIT("east"), STR_INIT("north"), STR_INIT("west")};

static void open_trail(play_t *p, size_t i, int64_t rotate_bytes)
{
    str_t why;
    const audit_trail_config_t config = {.path = p->paths[i],
                                         .log = &p->t->log,
                                         .clock = clock_fake(&p->clock),
                                         .signer = &p->signers[i],
                                         .rotate_bytes = rotate_bytes,
                                         .node = NAMES[i]};
    assert_int_equal(audit_trail_open(&p->trails[i], &config, p->t->a, &why), RC_OK);
}

static play_t *begin(void **state)
{
    play_t *p = ARENA_NEW(((trail_t *)*state)->a, play_t);
    p->t = *state;
    p->clock.ms = START_MS * 1000LL;
    for (size_t i = 0; i < NODES; i++) {
        snprintf(p->paths[i], PATH_BYTES, "%s/%.*s.log", p->t->folder, STR_ARG(NAMES[i]));
        p->signers[i] = trail_signer(p->t, ALG_EDDSA, &p->keys[i]);
        p->sources[i] = (audit_source_t){p->paths[i], NAMES[i], &p->keys[i]};
        open_trail(p, i, 0);
    }
    return p;
}

static void write_one(play_t *p, size_t i, int64_t ms)
{
    char bytes[1024];
    str_t body;
    buf_t b = buf_fixed(bytes, sizeof bytes);
    const audit_event_t e = {.kind = AUDIT_TOKEN, .allowed = true, .user = STR("ann")};
    assert_int_equal(audit_body_write(&b, &e, ms, &body), RC_OK);
    assert_int_equal(audit_trail_write(&p->trails[i], &body, 1, AUDIT_WAIT_EVER), RC_OK);
}

/* By turns, a millisecond apart, each ended by a checkpoint. */
static void write_all(play_t *p)
{
    for (int64_t k = 0; k < LINES; k++)
        write_one(p, (size_t)(k % NODES), p->clock.ms + k);
    p->clock.ms += LINES;
    for (size_t i = 0; i < NODES; i++)
        assert_int_equal(audit_trail_checkpoint(&p->trails[i]), RC_OK);
}

static void close_all(play_t *p)
{
    for (size_t i = 0; i < NODES; i++)
        audit_trail_close(&p->trails[i]);
}

static void merge(play_t *p)
{
    size_t failed;
    audit_merged_t next;
    rc_t rc;
    assert_int_equal(audit_merge_open(p->sources, NODES, &p->merge, &failed), RC_OK);
    p->n_lines = p->n_faults = 0;
    while ((rc = audit_merge_next(p->merge, &next)) == RC_OK) {
        assert_true(p->n_lines < TOLD_MAX && p->n_faults < TOLD_MAX);
        if (next.fault != AUDIT_FAULT_NONE) {
            p->faults[p->n_faults++] = next;
            continue;
        }
        p->nodes[p->n_lines] = arena_dup(p->t->a, next.node);
        p->told[p->n_lines++] = arena_dup(p->t->a, next.line);
    }
    assert_int_equal(rc, RC_NOT_FOUND);
    audit_merge_close(p->merge);
}

static str_t time_of(play_t *p, size_t i)
{
    audit_record_t r;
    assert_int_equal(audit_record_read(p->t->a, p->told[i], &r), RC_OK);
    return r.time;
}

static void assert_in_order(play_t *p)
{
    for (size_t i = 1; i < p->n_lines; i++) {
        int order = str_cmp(time_of(p, i - 1), time_of(p, i));
        assert_true(order < 0 || (order == 0 && str_cmp(p->nodes[i - 1], p->nodes[i]) <= 0));
    }
}

static void assert_fault(const play_t *p, size_t i, const char *fault, const char *node)
{
    assert_true(i < p->n_faults);
    assert_str(audit_fault_name(p->faults[i].fault), str_c(fault));
    assert_str(p->faults[i].node, str_c(node));
}

static void events_come_in_the_order_of_their_time_with_their_node(void **state)
{
    play_t *p = begin(state);
    write_all(p);
    close_all(p);
    merge(p);
    assert_int_equal(p->n_faults, 0);
    assert_int_equal(p->n_lines, LINES + NODES);
    assert_in_order(p);
    for (size_t i = 0; i < LINES; i++)
        assert_str(p->nodes[i], NAMES[i % NODES]);
    assert_str(audit_line_node(p->told[0]), STR("east"));
}

/* Of one moment: by node, and within one in the order of its numbers. */
static void ties_go_by_node_and_number(void **state)
{
    play_t *p = begin(state);
    for (size_t k = 0; k < 2 * NODES; k++)
        write_one(p, NODES - 1 - k % NODES, p->clock.ms);
    close_all(p);
    for (size_t i = 0; i < NODES; i++)
        p->sources[i].keys = NULL;
    merge(p);
    assert_int_equal(p->n_lines, 2 * NODES);
    for (size_t i = 0; i < 2 * NODES; i++) {
        assert_str(p->nodes[i], NAMES[i / 2]);
        assert_true(str_starts(p->told[i], i % 2 ? STR("{\"seq\":2,") : STR("{\"seq\":1,")));
    }
}

/* A clock that was set back moves no line before the one it follows. */
static void a_trail_stays_in_its_own_order(void **state)
{
    play_t *p = begin(state);
    write_one(p, 0, p->clock.ms + 50);
    write_one(p, 0, p->clock.ms);
    write_one(p, 1, p->clock.ms + 20);
    close_all(p);
    for (size_t i = 0; i < NODES; i++)
        p->sources[i].keys = NULL;
    merge(p);
    assert_int_equal(p->n_lines, 3);
    assert_str(p->nodes[0], STR("north"));
    assert_true(str_starts(p->told[1], STR("{\"seq\":1,")));
    assert_true(str_starts(p->told[2], STR("{\"seq\":2,")));
}

/* One line of one node is changed: it alone is named, and all events are there. */
static void a_changed_line_is_named_and_the_rest_goes_on(void **state)
{
    play_t *p = begin(state);
    write_all(p);
    close_all(p);
    str_t text = arena_dup(p->t->a, trail_read(p->t, p->paths[1]));
    char *at = memmem(text.p, text.n, "\"seq\":7,", 8);
    char *user = memmem(at, text.n - (size_t)(at - text.p), "ann", 3);
    user[0] = 'e';
    trail_write(p->paths[1], text);
    merge(p);
    assert_int_equal(p->n_faults, 1);
    assert_fault(p, 0, "prev_mismatch", "north");
    assert_int_equal(p->faults[0].source, 1);
    assert_int_equal(p->faults[0].due, 8);
    assert_int_equal(p->n_lines, LINES + NODES);
    assert_in_order(p);
}

static str_t without_line(trail_t *t, const char *path, const char *seq)
{
    str_t text = trail_read(t, path);
    const char *at = memmem(text.p, text.n, seq, strlen(seq));
    size_t from = (size_t)(at - text.p), to = str_find(text, '\n', from) + 1;
    buf_t b = buf_new(t->a, 1 << 16);
    buf_put(&b, str_first(text, from));
    buf_put(&b, str_skip(text, to));
    return buf_str(&b);
}

static void a_gap_is_named(void **state)
{
    play_t *p = begin(state);
    write_all(p);
    close_all(p);
    trail_write(p->paths[2], without_line(p->t, p->paths[2], "{\"seq\":5,"));
    merge(p);
    assert_int_equal(p->n_faults, 1);
    assert_fault(p, 0, "sequence_gap", "west");
    assert_int_equal(p->faults[0].due, 5);
    assert_int_equal(p->faults[0].found, 6);
    assert_int_equal(p->n_lines, LINES + NODES - 1);
}

static void what_is_no_line_is_named_and_left_out(void **state)
{
    play_t *p = begin(state);
    write_all(p);
    close_all(p);
    trail_add(p->paths[0], STR("no line\n{\"seq\":"));
    merge(p);
    assert_int_equal(p->n_faults, 2);
    assert_fault(p, 0, "line_malformed", "east");
    assert_fault(p, 1, "line_torn", "east");
    assert_int_equal(p->n_lines, LINES + NODES);
}

/* Who has another node's key cannot write this one's trail. */
static void each_trail_is_held_to_its_own_key(void **state)
{
    play_t *p = begin(state);
    write_all(p);
    close_all(p);
    p->sources[0].keys = &p->keys[1];
    merge(p);
    assert_fault(p, 0, "checkpoint_key", "east");
    assert_int_equal(p->n_lines, LINES + NODES);
}

static void a_trail_without_its_checkpoints_is_unproven(void **state)
{
    play_t *p = begin(state);
    write_all(p);
    close_all(p);
    trail_write(p->paths[1], without_line(p->t, p->paths[1], "{\"seq\":21,"));
    merge(p);
    assert_int_equal(p->n_faults, 1);
    assert_fault(p, 0, "unproven", "north");
}

/* All files of a trail, from the oldest on, are one. */
static void rotated_files_come_first(void **state)
{
    enum { MANY = 100 };
    play_t *p = begin(state);
    audit_trail_close(&p->trails[0]);
    open_trail(p, 0, 4000);
    for (int64_t k = 0; k < MANY; k++) {
        write_one(p, 0, p->clock.ms + k);
        if (k % 10 == 0)
            write_one(p, 1, p->clock.ms + k);
        assert_int_equal(audit_trail_rotate(&p->trails[0]), RC_OK);
    }
    close_all(p);
    p->sources[1].keys = p->sources[2].keys = NULL;
    merge(p);
    assert_int_equal(p->n_faults, 0);
    size_t east = 0, north = 0;
    for (size_t i = 0; i < p->n_lines; i++)
        if (str_contains(p->told[i], STR("\"event\":\"token\""))) {
            east += str_eq(p->nodes[i], STR("east"));
            north += str_eq(p->nodes[i], STR("north"));
        }
    assert_int_equal(east, MANY);
    assert_int_equal(north, MANY / 10);
}

/* Trails of before there were nodes are known by the name they are given. */
static void a_line_without_a_node_is_of_its_trail(void **state)
{
    play_t *p = begin(state);
    close_all(p);
    trail_write(p->paths[0], trail_lines(p->t->a, 3));
    for (size_t i = 0; i < NODES; i++)
        p->sources[i].keys = NULL;
    merge(p);
    assert_int_equal(p->n_faults, 0);
    assert_int_equal(p->n_lines, 3);
    assert_str(p->nodes[2], STR("east"));
}

static void a_trail_that_is_not_there_is_told(void **state)
{
    play_t *p = begin(state);
    size_t failed;
    close_all(p);
    assert_int_equal(unlink(p->paths[1]), 0);
    assert_int_equal(audit_merge_open(p->sources, NODES, &p->merge, &failed), RC_NOT_FOUND);
    assert_int_equal(failed, 1);
}

static void a_name_has_one_place(void **state)
{
    static const char *const NONE[] = {
        "{\"seq\":1,\"time\":\"x\",\"node\":\"a\"}",
        "{\"node\":\"a\",\"seq\":1}",
        "{\"seq\":1,\"node\":\"\",",
        "{\"seq\":1,\"node\":\"a",
        "{\"seq\":1,\"node\":\"a b\",",
        "{\"seq\":1",
        "",
    };
    (void)state;
    assert_str(audit_line_node(STR("{\"seq\":12,\"node\":\"a-1.b_C\",\"time\":")), STR("a-1.b_C"));
    for (size_t i = 0; i < sizeof NONE / sizeof NONE[0]; i++)
        if (str_is_set(audit_line_node(str_c(NONE[i]))))
            fail_msg("%s", NONE[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TRAIL_TEST(events_come_in_the_order_of_their_time_with_their_node),
        TRAIL_TEST(ties_go_by_node_and_number),
        TRAIL_TEST(a_trail_stays_in_its_own_order),
        TRAIL_TEST(a_changed_line_is_named_and_the_rest_goes_on),
        TRAIL_TEST(a_gap_is_named),
        TRAIL_TEST(what_is_no_line_is_named_and_left_out),
        TRAIL_TEST(each_trail_is_held_to_its_own_key),
        TRAIL_TEST(a_trail_without_its_checkpoints_is_unproven),
        TRAIL_TEST(rotated_files_come_first),
        TRAIL_TEST(a_line_without_a_node_is_of_its_trail),
        TRAIL_TEST(a_trail_that_is_not_there_is_told),
        cmocka_unit_test(a_name_has_one_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
