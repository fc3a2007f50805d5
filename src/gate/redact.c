#include "gate/redact.h"

enum { PATHS_MAX = 64 };

typedef struct {
    json_writer_t *w;
    str_list_t paths;
} redact_t;

/* The steps that are left of each path; unset: it does not lead here. */
typedef struct {
    str_t rest[PATHS_MAX];
    bool hit; /* one of them ends here */
} way_t;

static bool fits(str_t step, str_t name)
{
    return str_eq(step, STR("*")) || str_eq(step, name);
}

/* One step further, to the member or element of that name. */
static void follow(const redact_t *r, const way_t *from, str_t name, way_t *out)
{
    out->hit = false;
    for (size_t i = 0; i < r->paths.n; i++) {
        str_t rest = from->rest[i], step;
        out->rest[i] = STR_UNSET;
        if (!rest.p || !str_split(&rest, '.', &step) || !fits(step, name))
            continue;
        out->rest[i] = rest;
        out->hit |= !rest.p;
    }
}

static void write_value(const redact_t *r, const json_t *v, const way_t *at);

static void write_list(const redact_t *r, const json_t *v, const way_t *at)
{
    char digits[16];
    size_t index = 0;
    json_begin_array(r->w);
    for (const json_t *e = v->child; e; e = e->next) {
        way_t next;
        buf_t b = buf_fixed(digits, sizeof digits);
        buf_u64(&b, index++);
        follow(r, at, buf_str(&b), &next);
        write_value(r, e, &next);
    }
    json_end_array(r->w);
}

static void write_object(const redact_t *r, const json_t *v, const way_t *at)
{
    json_begin_object(r->w);
    for (const json_t *m = v->child; m; m = m->next) {
        way_t next;
        json_key(r->w, m->key);
        follow(r, at, m->key, &next);
        write_value(r, m, &next);
    }
    json_end_object(r->w);
}

static void write_value(const redact_t *r, const json_t *v, const way_t *at)
{
    if (at->hit)
        json_str(r->w, STR("[redacted]"));
    else if (v->type == JSON_ARRAY)
        write_list(r, v, at);
    else if (v->type == JSON_OBJECT)
        write_object(r, v, at);
    else
        json_raw(r->w, v->raw);
}

rc_t gate_redact(arena_t *a, const json_t *arguments, str_list_t paths, size_t max, str_t *out)
{
    buf_t b = buf_new(a, max);
    json_writer_t w = json_writer(&b);
    redact_t r = {&w, paths};
    way_t root = {.hit = false};
    if (paths.n > PATHS_MAX)
        return RC_LIMIT;
    for (size_t i = 0; i < paths.n; i++)
        root.rest[i] = paths.v[i];
    write_value(&r, arguments, &root);
    return buf_done(&b, out);
}
