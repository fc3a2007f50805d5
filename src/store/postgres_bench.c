/* How many calls a second the driver carries to a PostgreSQL server, and the same statements as a
 * script for pgbench, to compare. A measurement, not a test: what depends on the machine proves
 * nothing.
 *   postgres_bench run CONNINFO [connections] [calls at once] [seconds] [issue|refresh]
 *   postgres_bench script [issue|refresh]  writes a script for pgbench -M prepared
 * issue: one change of two effects (a grant and its refresh token). refresh: the same behind a
 * question for two records, as the token endpoint does. The password, if any, comes by PGPASSWORD.
 */
#include "store/postgres_plan.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { LOOPS = 2, QUEUE = 65536, AT_ONCE_MAX = 4096 };

/* A worker's loop: what is posted waits until its thread takes all of it. */
typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t filled;
    struct {
        void (*fn)(void *arg);
        void *arg;
    } queue[QUEUE];
    size_t first, n;
} loop_t;

typedef struct bench bench_t;

/* One caller, who calls again when answered. */
typedef struct {
    bench_t *b;
    char id[24];
    hash_t hash;
    uint64_t chance;
    family_t family;
    refresh_t refresh;
    effects_t effects;
    arena_t *a;
    ask_t asks[2];
} caller_t;

struct bench {
    store_conn_t *conn;
    loop_t loop;
    caller_t *callers;
    int index, n;
    bool asks, stop;
    unsigned long calls, failures, waiting, next;
};

static rc_t post(void *ctx, void (*fn)(void *), void *arg)
{
    loop_t *l = ctx;
    pthread_mutex_lock(&l->lock);
    size_t at = (l->first + l->n++) % QUEUE;
    l->queue[at].fn = fn;
    l->queue[at].arg = arg;
    if (l->n == 1)
        pthread_cond_signal(&l->filled);
    pthread_mutex_unlock(&l->lock);
    return RC_OK;
}

static void step(loop_t *l)
{
    pthread_mutex_lock(&l->lock);
    while (l->n == 0)
        pthread_cond_wait(&l->filled, &l->lock);
    void (*fn)(void *) = l->queue[l->first].fn;
    void *arg = l->queue[l->first].arg;
    l->first = (l->first + 1) % QUEUE;
    l->n--;
    pthread_mutex_unlock(&l->lock);
    fn(arg);
}

static void fill(caller_t *c)
{
    c->family = (family_t){.id = str_c(c->id),
                           .user_id = STR("nobody"),
                           .client_id = STR("client"),
                           .resource = STR("https://mcp.example.com/"),
                           .scope = STR("read write"),
                           .created_at = 1700000000};
    c->refresh = (refresh_t){.id = c->hash,
                             .family_id = str_c(c->id),
                             .created_at = 1700000000,
                             .expires_at = 1900000000};
    c->effects.n = 0;
    effects_add(&c->effects, EFFECT_FAMILY_INSERT, 1700000000)->u.family = &c->family;
    effects_add(&c->effects, EFFECT_REFRESH_INSERT, 1700000000)->u.refresh = &c->refresh;
}

static void begin(caller_t *c);

static void end(void *ctx, rc_t rc, size_t failed)
{
    caller_t *c = ctx;
    (void)failed;
    c->b->calls++;
    c->b->failures += rc != RC_OK;
    if (c->b->stop)
        c->b->waiting--;
    else
        begin(c);
}

static void asked(void *ctx, rc_t rc, size_t failed)
{
    caller_t *c = ctx;
    if (rc != RC_OK)
        end(c, rc, failed);
    else
        store_apply(c->b->conn, &c->effects, end, c);
}

static void begin(caller_t *c)
{
    snprintf(c->id, sizeof c->id, "%d-%d-%lu", (int)getpid(), c->b->index, c->b->next++);
    /* As scattered as real ones: neighbours in an index would cost less. */
    for (size_t i = 0; i < sizeof c->hash.b; i++) {
        c->chance = c->chance * 6364136223846793005u + 1442695040888963407u;
        c->hash.b[i] = (uint8_t)(c->chance >> 56);
    }
    fill(c);
    if (!c->b->asks) {
        store_apply(c->b->conn, &c->effects, end, c);
        return;
    }
    arena_reset(c->a);
    c->asks[0] = (ask_t){.kind = ASK_REFRESH, .hash = c->hash};
    c->asks[1] = (ask_t){.kind = ASK_CLIENT, .key = STR("client")};
    store_ask(c->b->conn, c->a, c->asks, 2, asked, c);
}

static void *run(void *arg)
{
    bench_t *b = arg;
    b->waiting = (unsigned long)b->n;
    for (int i = 0; i < b->n; i++) {
        b->callers[i].b = b;
        b->callers[i].chance = (uint64_t)clock_micros() * 1000003u + (uint64_t)i;
        b->callers[i].a = arena_new(1 << 20);
        begin(&b->callers[i]);
    }
    while (b->waiting > 0)
        step(&b->loop);
    return NULL;
}

static void stop(void *arg)
{
    ((bench_t *)arg)->stop = true;
}

static int measure(store_t *store, int at_once, int seconds, bool asks)
{
    pthread_t threads[LOOPS];
    bench_t *b = calloc(LOOPS, sizeof *b);
    unsigned long calls = 0, failures = 0;
    for (int i = 0; i < LOOPS; i++) {
        pthread_mutex_init(&b[i].loop.lock, NULL);
        pthread_cond_init(&b[i].loop.filled, NULL);
        b[i].index = i;
        b[i].n = at_once / LOOPS;
        b[i].asks = asks;
        b[i].callers = calloc((size_t)b[i].n + 1, sizeof(caller_t));
        if (store_connect(store, (post_port_t){post, &b[i].loop}, &b[i].conn) != RC_OK)
            return 1;
    }
    int64_t begun = clock_micros();
    for (int i = 0; i < LOOPS; i++)
        pthread_create(&threads[i], NULL, run, &b[i]);
    sleep((unsigned)seconds);
    for (int i = 0; i < LOOPS; i++)
        post(&b[i].loop, stop, &b[i]);
    for (int i = 0; i < LOOPS; i++) {
        pthread_join(threads[i], NULL);
        calls += b[i].calls;
        failures += b[i].failures;
    }
    double took = (double)(clock_micros() - begun) / 1e6;
    printf("%.0f a second; %lu failed; at once %d; %lu calls\n", (double)calls / took, failures,
           at_once, calls);
    return 0;
}

static int bench(int argc, char **argv)
{
    arena_t *a = arena_new(1 << 20);
    store_t *store;
    str_t why = STR_UNSET;
    log_t log = log_stderr(LOG_INFO);
    store_config_t config = {.driver = STR("postgres"),
                             .postgres = {.conninfo = str_c(argv[2]),
                                          .connections = argc > 3 ? (uint32_t)atoi(argv[3]) : 8},
                             .log = &log,
                             .clock = clock_system()};
    int at_once = argc > 4 ? atoi(argv[4]) : 64;
    if (at_once < LOOPS || at_once > AT_ONCE_MAX)
        return 2;
    if (store_open(a, &config, &store, &why) != RC_OK) {
        fprintf(stderr, "%.*s\n", (int)why.n, why.p);
        return 1;
    }
    return measure(store, at_once, argc > 5 ? atoi(argv[5]) : 5,
                   argc > 6 && strcmp(argv[6], "refresh") == 0);
}

static void print_value(char type, const postgres_arg_t *arg, const caller_t *c)
{
    bool own = arg->p && type == 't' && (size_t)arg->n == strlen(c->id) &&
               memcmp(arg->p, c->id, (size_t)arg->n) == 0;
    bool hash = arg->p && type == 'b' && arg->n == 32;
    int64_t number = 0;
    for (int i = 0; arg->p && type == 'i' && i < 8; i++)
        number = (int64_t)((uint64_t)number << 8 | (unsigned char)arg->p[i]);
    if (!arg->p)
        printf("NULL");
    else if (own)
        printf(":id::bigint::text");
    else if (hash)
        printf("sha256(int8send(:id))");
    else if (type == 'i')
        printf("%lld", (long long)number);
    else if (type == 't')
        printf("'%.*s'", arg->n, arg->p);
    else
        printf("''::bytea");
}

static void print_step(const postgres_step_t *step, const caller_t *c)
{
    const postgres_text_t *text = &POSTGRES_TEXTS[step->stmt];
    for (const char *p = text->sql; *p; p++) {
        char *end;
        if (*p != '$') {
            putchar(*p);
            continue;
        }
        long n = strtol(p + 1, &end, 10);
        printf("(");
        print_value(text->types[n - 1], &step->args[n - 1], c);
        printf(")::%s", text->types[n - 1] == 't'   ? "text"
                        : text->types[n - 1] == 'b' ? "bytea"
                                                    : "bigint");
        p = end - 1;
    }
    printf(";\n");
}

static int script(bool asks)
{
    caller_t c = {.id = "the-id"};
    c.asks[0] = (ask_t){.kind = ASK_REFRESH, .hash = c.hash};
    c.asks[1] = (ask_t){.kind = ASK_CLIENT, .key = STR("client")};
    postgres_job_t *ask = postgres_job_new(), *apply = postgres_job_new();
    fill(&c);
    if (!ask || !apply || postgres_plan_ask(ask, c.asks, 2) != RC_OK ||
        postgres_plan_apply(apply, &c.effects) != RC_OK)
        return 1;
    printf("\\set id random(1, 9000000000000000)\n");
    for (size_t i = 0; asks && i < ask->n_steps; i++) {
        printf(i == 0 ? "\\startpipeline\n" : "");
        print_step(&ask->steps[i], &c);
    }
    printf(asks ? "\\endpipeline\n\\startpipeline\n" : "\\startpipeline\n");
    for (size_t i = 0; i < apply->n_steps; i++)
        print_step(&apply->steps[i], &c);
    printf("\\endpipeline\n");
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 2 && strcmp(argv[1], "run") == 0)
        return bench(argc, argv);
    if (argc > 1 && strcmp(argv[1], "script") == 0)
        return script(argc > 2 && strcmp(argv[2], "refresh") == 0);
    fprintf(stderr, "postgres_bench: say run CONNINFO, or script\n");
    return 2;
}
