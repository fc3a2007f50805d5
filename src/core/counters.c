#include "core/counters.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum {
    CLASSES = 5, /* of status codes */
    HINTS = 64,
    LINE = 64, /* of the cache */
};

/* Upper ends of buckets, in microseconds. */
static const int64_t BOUNDS[] = {50,    100,   250,    500,    1000,   2500,    5000,    10000,
                                 25000, 50000, 100000, 250000, 500000, 1000000, 2500000, 10000000};
enum { BUCKETS = sizeof BOUNDS / sizeof BOUNDS[0] };

typedef atomic_int_least64_t cell_t;

typedef struct {
    char name[COUNTERS_NAME_BYTES];
    size_t n;
    cell_t count[CLASSES];
} named_t;

/* Names are written once, before `n` says that they are there. */
typedef struct {
    atomic_size_t n;
    uint8_t hints[HINTS]; /* by the address of a name: where it was found */
    named_t v[COUNTERS_NAMES_MAX];
} names_t;

struct counter_block {
    cell_t cells[COUNTER_COUNT];
    cell_t buckets[HISTOGRAM_COUNT][BUCKETS + 1];
    cell_t sums[HISTOGRAM_COUNT];
    names_t routes, reasons;
};

struct counters {
    pthread_mutex_t lock; /* for joining */
    atomic_size_t n;
    counter_block_t *v[COUNTERS_BLOCKS_MAX];
};

typedef enum { KIND_COUNTER, KIND_GAUGE } kind_t;

static const struct {
    kind_t kind;
    str_t metric, labels, help;
} ROWS[] = {
#define COUNTER(name, metric, labels, help)                                                        \
    {KIND_COUNTER, STR_INIT(metric), STR_INIT(labels), STR_INIT(help)},
#define GAUGE(name, metric, labels, help)                                                          \
    {KIND_GAUGE, STR_INIT(metric), STR_INIT(labels), STR_INIT(help)},
#define HISTOGRAM(name, metric, help)
#include "core/counters.def"
#undef COUNTER
#undef GAUGE
#undef HISTOGRAM
};

static const struct {
    str_t metric, help;
} TIMES[] = {
#define COUNTER(name, metric, labels, help)
#define GAUGE(name, metric, labels, help)
#define HISTOGRAM(name, metric, help) {STR_INIT(metric), STR_INIT(help)},
#include "core/counters.def"
#undef COUNTER
#undef GAUGE
#undef HISTOGRAM
};

counters_t *counters_new(void)
{
    counters_t *c = calloc(1, sizeof *c);
    if (c)
        pthread_mutex_init(&c->lock, NULL);
    return c;
}

void counters_free(counters_t *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < atomic_load(&c->n); i++)
        free(c->v[i]);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

counter_block_t *counters_join(counters_t *c)
{
    size_t size = (sizeof(counter_block_t) + LINE - 1) / LINE * LINE;
    counter_block_t *b = c ? aligned_alloc(LINE, size) : NULL;
    if (!b)
        return NULL;
    memset(b, 0, size);
    pthread_mutex_lock(&c->lock);
    size_t n = atomic_load(&c->n);
    bool room = n < COUNTERS_BLOCKS_MAX;
    if (room) {
        c->v[n] = b;
        atomic_store(&c->n, n + 1);
    }
    pthread_mutex_unlock(&c->lock);
    if (room)
        return b;
    free(b);
    return NULL;
}

/* One thread writes a cell, so that reading and writing it need not be one step. */
static void add(cell_t *cell, int64_t n)
{
    int64_t was = atomic_load_explicit(cell, memory_order_relaxed);
    atomic_store_explicit(cell, was + n, memory_order_relaxed);
}

static int64_t read_cell(cell_t *cell)
{
    return atomic_load_explicit(cell, memory_order_relaxed);
}

void counter_add(counter_block_t *b, counter_t what, int64_t n)
{
    if (b)
        add(&b->cells[what], n);
}

void counter_time(counter_block_t *b, histogram_t what, int64_t us)
{
    size_t i = 0;
    if (!b)
        return;
    while (i < BUCKETS && us > BOUNDS[i])
        i++;
    add(&b->buckets[what][i], 1);
    add(&b->sums[what], us);
}

static bool is_named(const named_t *v, str_t name)
{
    return v->n == name.n && memcmp(v->name, name.p, name.n) == 0;
}

static named_t *append(names_t *names, size_t n, str_t name)
{
    named_t *v = &names->v[n];
    memcpy(v->name, name.p, name.n);
    v->n = name.n;
    atomic_store_explicit(&names->n, n + 1, memory_order_release);
    return v;
}

/* The last place is for all names that found none. */
static named_t *find(names_t *names, str_t name)
{
    uint8_t *hint = &names->hints[((uintptr_t)name.p >> 3) % HINTS];
    size_t n = atomic_load_explicit(&names->n, memory_order_relaxed), i = 0;
    name = str_first(str_is_set(name) ? name : STR(""), COUNTERS_NAME_BYTES);
    if (*hint < n && is_named(&names->v[*hint], name))
        return &names->v[*hint];
    while (i < n && !is_named(&names->v[i], name))
        i++;
    if (i < n) {
        *hint = (uint8_t)i;
        return &names->v[i];
    }
    if (n == COUNTERS_NAMES_MAX)
        return &names->v[n - 1];
    return append(names, n, n == COUNTERS_NAMES_MAX - 1 ? STR("other") : name);
}

void counter_request(counter_block_t *b, str_t route, int status)
{
    int class = status / 100 - 1;
    if (b && class >= 0 && class < CLASSES)
        add(&find(&b->routes, route)->count[class], 1);
}

void counter_refusal(counter_block_t *b, str_t reason)
{
    if (b)
        add(&find(&b->reasons, reason)->count[0], 1);
}

/* ---- reading ---- */

int64_t counters_sum(counters_t *c, counter_t what)
{
    int64_t sum = 0;
    for (size_t i = 0; i < atomic_load(&c->n); i++)
        sum += read_cell(&c->v[i]->cells[what]);
    return sum;
}

static void put_head(buf_t *b, str_t metric, str_t help, const char *type)
{
    buf_fmt(b, "# HELP %" PRIstr " %" PRIstr "\n# TYPE %" PRIstr " %s\n", STR_ARG(metric),
            STR_ARG(help), STR_ARG(metric), type);
}

static void put_rows(counters_t *c, buf_t *b)
{
    for (size_t i = 0; i < COUNTER_COUNT; i++) {
        bool labels = ROWS[i].labels.n > 0;
        if (i == 0 || !str_eq(ROWS[i].metric, ROWS[i - 1].metric))
            put_head(b, ROWS[i].metric, ROWS[i].help,
                     ROWS[i].kind == KIND_GAUGE ? "gauge" : "counter");
        buf_fmt(b, "%" PRIstr "%s%" PRIstr "%s %lld\n", STR_ARG(ROWS[i].metric), labels ? "{" : "",
                STR_ARG(ROWS[i].labels), labels ? "}" : "",
                (long long)counters_sum(c, (counter_t)i));
    }
}

static int64_t bucket(counters_t *c, size_t which, size_t i)
{
    int64_t sum = 0;
    for (size_t k = 0; k < atomic_load(&c->n); k++)
        sum += read_cell(&c->v[k]->buckets[which][i]);
    return sum;
}

/* Microseconds as seconds, without the rounding of floating point. */
static void put_seconds(buf_t *b, int64_t us)
{
    buf_fmt(b, "%lld.%06lld", (long long)(us / 1000000), (long long)(us % 1000000));
}

static void put_times(counters_t *c, buf_t *b)
{
    for (size_t which = 0; which < HISTOGRAM_COUNT; which++) {
        int64_t sum = 0, us = 0;
        str_t metric = TIMES[which].metric;
        put_head(b, metric, TIMES[which].help, "histogram");
        for (size_t i = 0; i <= BUCKETS; i++) {
            sum += bucket(c, which, i);
            buf_fmt(b, "%" PRIstr "_bucket{le=\"", STR_ARG(metric));
            if (i < BUCKETS)
                put_seconds(b, BOUNDS[i]);
            else
                buf_put(b, STR("+Inf"));
            buf_fmt(b, "\"} %lld\n", (long long)sum);
        }
        for (size_t k = 0; k < atomic_load(&c->n); k++)
            us += read_cell(&c->v[k]->sums[which]);
        buf_fmt(b, "%" PRIstr "_sum ", STR_ARG(metric));
        put_seconds(b, us);
        buf_fmt(b, "\n%" PRIstr "_count %lld\n", STR_ARG(metric), (long long)sum);
    }
}

static void merge(names_t *into, names_t *from)
{
    size_t n = atomic_load_explicit(&from->n, memory_order_acquire);
    for (size_t i = 0; i < n; i++) {
        named_t *v = find(into, str_of(from->v[i].name, from->v[i].n));
        for (size_t k = 0; k < CLASSES; k++)
            add(&v->count[k], read_cell(&from->v[i].count[k]));
    }
}

static void put_label(buf_t *b, const named_t *v)
{
    for (size_t i = 0; i < v->n; i++) {
        if (v->name[i] == '"' || v->name[i] == '\\')
            buf_char(b, '\\');
        buf_char(b, v->name[i]);
    }
}

static void put_routes(names_t *names, buf_t *b)
{
    put_head(b, STR("warder_http_requests_total"),
             STR("Requests by route and class of their answer's status"), "counter");
    for (size_t i = 0; i < atomic_load(&names->n); i++)
        for (int k = 0; k < CLASSES; k++) {
            int64_t count = read_cell(&names->v[i].count[k]);
            if (count == 0)
                continue;
            buf_put(b, STR("warder_http_requests_total{route=\""));
            put_label(b, &names->v[i]);
            buf_fmt(b, "\",status=\"%dxx\"} %lld\n", k + 1, (long long)count);
        }
}

static void put_reasons(names_t *names, buf_t *b)
{
    put_head(b, STR("warder_refusals_total"), STR("Refusals by reason, docs/REASONS.md"),
             "counter");
    for (size_t i = 0; i < atomic_load(&names->n); i++) {
        buf_put(b, STR("warder_refusals_total{reason=\""));
        put_label(b, &names->v[i]);
        buf_fmt(b, "\"} %lld\n", (long long)read_cell(&names->v[i].count[0]));
    }
}

static void put_names(counters_t *c, buf_t *b)
{
    names_t *all = calloc(2, sizeof *all);
    if (!all) {
        buf_fail(b, RC_MEMORY);
        return;
    }
    for (size_t i = 0; i < atomic_load(&c->n); i++) {
        merge(&all[0], &c->v[i]->routes);
        merge(&all[1], &c->v[i]->reasons);
    }
    put_routes(&all[0], b);
    put_reasons(&all[1], b);
    free(all);
}

void counters_write(counters_t *c, buf_t *b)
{
    put_rows(c, b);
    put_times(c, b);
    put_names(c, b);
}
