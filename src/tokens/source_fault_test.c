/* Whatever fails, and wherever: a call ends, nothing is stuck or lost, and the next one goes well.
 */
#include "tokens/tokens_test_world.h"

enum { CALLS_MAX = 400, LATER_MS = 600000 };

/* Lets one call of the world fail, the `at`th. */
typedef struct {
    http_ask_port_t ask;
    tokens_keep_t keep;
    random_port_t random;
    unsigned at, n;
    rc_t rc;
} faults_t;

static bool fails(faults_t *f)
{
    return ++f->n == f->at;
}

static rc_t ask(void *ctx, arena_t *a, const http_agent_request_t *q, http_answer_t *out)
{
    faults_t *f = ctx;
    return fails(f) ? f->rc : f->ask.ask(f->ask.ctx, a, q, out);
}

static rc_t read_name(void *ctx, arena_t *a, str_t name, secret_t *out, str_t *why)
{
    faults_t *f = ctx;
    return fails(f) ? f->rc : f->keep.read(f->keep.ctx, a, name, out, why);
}

static rc_t write_name(void *ctx, arena_t *a, str_t name, secret_t text, str_t *why)
{
    faults_t *f = ctx;
    return fails(f) ? f->rc : f->keep.write(f->keep.ctx, a, name, text, why);
}

static rc_t erase_name(void *ctx, arena_t *a, str_t name, str_t *why)
{
    faults_t *f = ctx;
    return fails(f) ? f->rc : f->keep.erase(f->keep.ctx, a, name, why);
}

static rc_t lock_name(void *ctx, str_t name, int64_t wait_ms, tokens_lock_t **out)
{
    faults_t *f = ctx;
    return fails(f) ? f->rc : f->keep.lock(f->keep.ctx, name, wait_ms, out);
}

static void unlock_name(void *ctx, tokens_lock_t *lock)
{
    faults_t *f = ctx;
    f->keep.unlock(f->keep.ctx, lock);
}

static rc_t fill(void *ctx, void *out, size_t n)
{
    faults_t *f = ctx;
    return fails(f) ? f->rc : f->random.fill(f->random.ctx, out, n);
}

static void wire(play_t *p, faults_t *f)
{
    *f = (faults_t){
        .ask = p->config.http, .keep = p->config.keep, .random = p->config.random, .rc = f->rc};
    p->config.http = (http_ask_port_t){.ask = ask, .ctx = f};
    p->config.random = (random_port_t){.fill = fill, .ctx = f};
    p->config.keep = (tokens_keep_t){.read = read_name,
                                     .write = write_name,
                                     .erase = erase_name,
                                     .names = f->keep.names,
                                     .lock = lock_name,
                                     .unlock = unlock_name,
                                     .place = f->keep.place,
                                     .ctx = f};
}

/* A sign-in, a refresh, a sign-in after that is refused, a sign-out: every step of a session. */
static int session(play_t *p, unsigned step)
{
    world_t *w = p->w;
    if (step == 1)
        w->now += w->lifetime;
    if (step == 2) {
        for (size_t i = 0; i < w->n_tokens; i++)
            w->tokens[i].access_live = w->tokens[i].refresh_live = false;
    }
    if (step == 3) {
        (void)tokens_source_sign_out(p->s, p->a, &p->why);
        return 0;
    }
    return play_call(p, "a");
}

/* What was issued in a flow that failed may be lost; the codes of it are never sent twice, which
 * the world would tell. */
static void later(play_t *p, faults_t *f)
{
    unsigned at = f->at;
    f->at = 0; /* here nothing fails */
    p->w->mono += LATER_MS;
    play_goes(p, "a");
    f->at = at;
}

/* One run with the fault at `at`. False: that call was never made. */
static bool run(rc_t rc, unsigned at, tokens_way_t way)
{
    void *state;
    faults_t f = {.rc = rc};
    play_setup(&state);
    play_t *p = state;
    p->w->challenge_scope = "a";
    p->w->bound = way == TOKENS_PERSON;
    p->config.way = way;
    if (way == TOKENS_MACHINE)
        p->config.who.client_id = STR("machine");
    p->w->known_id = "machine";
    wire(p, &f);
    play_begin(p);
    f.at = at;
    for (unsigned step = 0; step < 4; step++) {
        int status = session(p, step);
        if (status > 0 && status != 200)
            fail_msg("%d in step %u with fault %u", status, step, at);
        later(p, &f);
    }
    bool reached = f.n >= at;
    play_teardown(&state);
    return reached;
}

static void each_call_fails_once(rc_t rc, tokens_way_t way)
{
    unsigned at = 1;
    while (at < CALLS_MAX && run(rc, at, way))
        at++;
    assert_true(at > 20);
    assert_true(at < CALLS_MAX);
}

static void the_world_fails_a_person(void **state)
{
    (void)state;
    each_call_fails_once(RC_IO, TOKENS_PERSON);
}

static void memory_ends_for_a_machine(void **state)
{
    (void)state;
    each_call_fails_once(RC_MEMORY, TOKENS_MACHINE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_world_fails_a_person),
        cmocka_unit_test(memory_ends_for_a_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
