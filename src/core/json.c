/* A reader without recursion: an explicit stack of open containers, so that depth costs no C stack,
 * and one pass over the bytes. */
#include "core/json.h"

#include "core/json_string.h"
#include "core/limits.h"
#include "core/num.h"

#include <stdlib.h>

const json_limits_t JSON_LIMITS_DEFAULT = {LIMIT_JSON_BYTES, LIMIT_JSON_DEPTH, LIMIT_JSON_NODES};

enum { NODES_FIRST = 12, NODES_AT_ONCE = 32, PAIRWISE_MAX = 16 };

typedef struct {
    json_t *node;
    json_t *last; /* child added last */
} level_t;

typedef struct {
    arena_t *a;
    const char *p, *end;
    const json_limits_t *limits;
    uint32_t nodes;
    json_t *spare; /* nodes allocated and not used yet */
    unsigned n_spare;
    level_t *levels;
    uint32_t depth;
} reader_t;

static json_t *new_node(reader_t *r, json_type_t type)
{
    if (r->n_spare == 0) {
        unsigned n = r->nodes == 0 ? NODES_FIRST : NODES_AT_ONCE;
        r->spare = ARENA_ARRAY(r->a, n, json_t);
        if (!r->spare)
            return NULL;
        r->n_spare = n;
    }
    r->n_spare--;
    r->nodes++;
    json_t *node = r->spare++;
    node->type = type;
    return node;
}

static void skip_space(reader_t *r)
{
    while (r->p < r->end && (*r->p == ' ' || *r->p == '\n' || *r->p == '\r' || *r->p == '\t'))
        r->p++;
}

static bool is_digit(const reader_t *r)
{
    return r->p < r->end && *r->p >= '0' && *r->p <= '9';
}

static bool skip_digits(reader_t *r)
{
    if (!is_digit(r))
        return false;
    while (is_digit(r))
        r->p++;
    return true;
}

static rc_t read_number(reader_t *r)
{
    if (*r->p == '-')
        r->p++;
    if (r->p < r->end && *r->p == '0')
        r->p++;
    else if (!skip_digits(r))
        return RC_MALFORMED;
    if (r->p < r->end && *r->p == '.') {
        r->p++;
        if (!skip_digits(r))
            return RC_MALFORMED;
    }
    if (r->p < r->end && (*r->p | 0x20) == 'e') {
        r->p++;
        if (r->p < r->end && (*r->p == '+' || *r->p == '-'))
            r->p++;
        if (!skip_digits(r))
            return RC_MALFORMED;
    }
    return RC_OK;
}

static rc_t read_word(reader_t *r, str_t word)
{
    if ((size_t)(r->end - r->p) < word.n || memcmp(r->p, word.p, word.n) != 0)
        return RC_MALFORMED;
    r->p += word.n;
    return RC_OK;
}

static int order_keys(const void *a, const void *b)
{
    const json_t *const *x = a;
    const json_t *const *y = b;
    return str_cmp((*x)->key, (*y)->key);
}

static bool pairwise_unique(const json_t *object)
{
    for (const json_t *m = object->child; m; m = m->next)
        for (const json_t *other = m->next; other; other = other->next)
            if (m->key.n == other->key.n && memcmp(m->key.p, other->key.p, m->key.n) == 0)
                return false;
    return true;
}

/* A duplicate member means different things to different readers: refused (RFC 7493 section 2.3).
 * Large objects are sorted, so that no choice of names makes this quadratic. */
static rc_t check_unique(reader_t *r, const json_t *object)
{
    if (object->count <= PAIRWISE_MAX)
        return pairwise_unique(object) ? RC_OK : RC_MALFORMED;
    const json_t **members = ARENA_ARRAY(r->a, object->count, const json_t *);
    if (!members)
        return RC_MEMORY;
    size_t n = 0;
    for (const json_t *m = object->child; m; m = m->next)
        members[n++] = m;
    qsort(members, n, sizeof *members, order_keys);
    for (size_t i = 1; i < n; i++)
        if (str_eq(members[i - 1]->key, members[i]->key))
            return RC_MALFORMED;
    return RC_OK;
}

static void add_child(reader_t *r, json_t *node)
{
    if (r->depth == 0)
        return;
    level_t *level = &r->levels[r->depth - 1];
    if (level->last)
        level->last->next = node;
    else
        level->node->child = node;
    level->last = node;
    level->node->count++;
}

static json_type_t type_of(char c)
{
    switch (c) {
    case '{':
        return JSON_OBJECT;
    case '[':
        return JSON_ARRAY;
    case '"':
        return JSON_STRING;
    case 't':
        return JSON_TRUE;
    case 'f':
        return JSON_FALSE;
    case 'n':
        return JSON_NULL;
    default:
        return JSON_NUMBER;
    }
}

static rc_t read_scalar(reader_t *r, json_t *node)
{
    switch (node->type) {
    case JSON_STRING:
        return json_string_read(r->a, &r->p, r->end, &node->str);
    case JSON_TRUE:
        return read_word(r, STR("true"));
    case JSON_FALSE:
        return read_word(r, STR("false"));
    case JSON_NULL:
        return read_word(r, STR("null"));
    default:
        return read_number(r);
    }
}

static rc_t open_container(reader_t *r, json_t *node)
{
    if (r->depth == r->limits->max_depth)
        return RC_LIMIT;
    r->levels[r->depth++] = (level_t){node, NULL};
    r->p++;
    return RC_OK;
}

/* Reads a value up to its end, or to behind the bracket that opens it. */
static rc_t read_value(reader_t *r, str_t key, json_t **out)
{
    skip_space(r);
    if (r->p == r->end)
        return RC_MALFORMED;
    if (r->nodes == r->limits->max_nodes)
        return RC_LIMIT;
    json_t *node = new_node(r, type_of(*r->p));
    if (!node)
        return RC_MEMORY;
    node->key = key;
    node->raw.p = r->p;
    add_child(r, node);
    *out = node;
    if (node->type == JSON_OBJECT || node->type == JSON_ARRAY)
        return open_container(r, node);
    TRY(read_scalar(r, node));
    node->raw.n = (size_t)(r->p - node->raw.p);
    return RC_OK;
}

static rc_t read_key(reader_t *r, str_t *key)
{
    skip_space(r);
    if (r->p == r->end || *r->p != '"')
        return RC_MALFORMED;
    TRY(json_string_read(r->a, &r->p, r->end, key));
    skip_space(r);
    if (r->p == r->end || *r->p != ':')
        return RC_MALFORMED;
    r->p++;
    return RC_OK;
}

/* In an open container: the next member or element, or its end. */
static rc_t step(reader_t *r)
{
    json_t *node = r->levels[r->depth - 1].node;
    char close = node->type == JSON_OBJECT ? '}' : ']';
    skip_space(r);
    if (r->p == r->end)
        return RC_MALFORMED;
    if (*r->p == close) {
        r->p++;
        node->raw.n = (size_t)(r->p - node->raw.p);
        r->depth--;
        return node->type == JSON_OBJECT ? check_unique(r, node) : RC_OK;
    }
    if (node->count > 0 && *r->p++ != ',')
        return RC_MALFORMED;
    str_t key = STR_UNSET;
    if (node->type == JSON_OBJECT)
        TRY(read_key(r, &key));
    json_t *child;
    return read_value(r, key, &child);
}

static rc_t read_document(reader_t *r, json_t **root)
{
    TRY(read_value(r, STR_UNSET, root));
    while (r->depth > 0)
        TRY(step(r));
    skip_space(r);
    return r->p == r->end ? RC_OK : RC_MALFORMED;
}

rc_t json_parse(arena_t *a, str_t text, const json_limits_t *limits, const json_t **out)
{
    *out = NULL;
    if (!limits)
        limits = &JSON_LIMITS_DEFAULT;
    if (text.n > limits->max_bytes)
        return RC_LIMIT;
    if (text.n == 0)
        return RC_MALFORMED;
    reader_t r = {.a = a, .p = text.p, .end = text.p + text.n, .limits = limits};
    r.levels = ARENA_ARRAY(a, limits->max_depth, level_t);
    if (!r.levels)
        return RC_MEMORY;
    json_t *root = NULL;
    TRY(read_document(&r, &root));
    *out = root;
    return RC_OK;
}

const json_t *json_get(const json_t *object, str_t name)
{
    if (!object || object->type != JSON_OBJECT)
        return NULL;
    for (const json_t *m = object->child; m; m = m->next)
        if (str_eq(m->key, name))
            return m;
    return NULL;
}

str_t json_get_str(const json_t *object, str_t name)
{
    const json_t *v = json_get(object, name);
    return v && v->type == JSON_STRING ? v->str : STR_UNSET;
}

bool json_i64(const json_t *v, int64_t *out)
{
    return v && v->type == JSON_NUMBER && num_i64(v->raw, INT64_MIN, INT64_MAX, out);
}

bool json_f64(const json_t *v, double *out)
{
    return v && v->type == JSON_NUMBER && num_f64(v->raw, out);
}

bool json_get_i64(const json_t *object, str_t name, int64_t *out)
{
    return json_i64(json_get(object, name), out);
}

bool json_get_bool(const json_t *object, str_t name, bool *out)
{
    const json_t *v = json_get(object, name);
    if (!v || (v->type != JSON_TRUE && v->type != JSON_FALSE))
        return false;
    *out = v->type == JSON_TRUE;
    return true;
}

bool json_is(const json_t *v, json_type_t type)
{
    return v && v->type == type;
}
