/* Any bytes as JSON. What is taken must be well-formed throughout, must come out of the writer as
 * text that reads as the same tree, and each raw slice must stand alone. */
#include "core/json.h"

#include <stdlib.h>

static void check(bool good)
{
    if (!good)
        abort();
}

/* The stack of the writer ends at 63; deeper documents are not written again. */
static void write_value(json_writer_t *w, const json_t *v)
{
    int64_t i;
    if (str_is_set(v->key))
        json_key(w, v->key);
    switch (v->type) {
    case JSON_OBJECT:
    case JSON_ARRAY:
        v->type == JSON_OBJECT ? json_begin_object(w) : json_begin_array(w);
        for (const json_t *c = v->child; c; c = c->next)
            write_value(w, c);
        v->type == JSON_OBJECT ? json_end_object(w) : json_end_array(w);
        break;
    case JSON_STRING:
        json_str(w, v->str);
        break;
    case JSON_NUMBER:
        if (json_i64(v, &i) && !str_eq(v->raw, STR("-0")))
            json_int(w, i);
        else
            json_raw(w, v->raw);
        break;
    case JSON_NULL:
        json_null(w);
        break;
    default:
        json_bool(w, v->type == JSON_TRUE);
    }
}

static void check_same(const json_t *a, const json_t *b)
{
    check(a->type == b->type && a->count == b->count && str_eq(a->key, b->key));
    check(str_eq(a->str, b->str));
    check(a->type != JSON_NUMBER || str_eq(a->raw, b->raw));
    const json_t *x = a->child, *y = b->child;
    uint32_t n = 0;
    for (; x && y; x = x->next, y = y->next, n++)
        check_same(x, y);
    check(!x && !y && n == a->count);
}

/* A number with a loss in it would be a number that somebody else reads differently. */
static void check_number(const json_t *v)
{
    double d;
    int64_t i;
    if (json_i64(v, &i) && i > -(1ll << 53) && i < 1ll << 53)
        check(json_f64(v, &d) && d == (double)i);
}

static void check_value(arena_t *a, const json_t *v, str_t text, unsigned depth)
{
    check(v->raw.p >= text.p && v->raw.p + v->raw.n <= text.p + text.n && v->raw.n > 0);
    check(!str_is_set(v->str) || str_is_utf8(v->str));
    check((v->type == JSON_STRING) == str_is_set(v->str));
    if (v->type == JSON_NUMBER)
        check_number(v);
    const json_t *again;
    if (depth == 1) {
        check(json_parse(a, v->raw, NULL, &again) == RC_OK && str_eq(again->raw, v->raw));
    }
    for (const json_t *c = v->child; c; c = c->next) {
        check(v->type != JSON_OBJECT || json_get(v, c->key) == c);
        check_value(a, c, text, depth + 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str_t text = str_of(data, size);
    arena_t *a = arena_new(64 << 20);
    const json_t *doc, *again;
    if (size < 65536 && json_parse(a, text, NULL, &doc) == RC_OK) {
        check_value(a, doc, text, 0);
        buf_t b = buf_new(a, 8 << 20);
        json_writer_t w = json_writer(&b);
        write_value(&w, doc);
        json_limits_t wide = {8 << 20, 64, 1 << 20};
        if (b.failed != RC_LIMIT) {
            check(json_parse(a, buf_str(&b), &wide, &again) == RC_OK);
            check_same(doc, again);
        }
    }
    arena_free(a);
    return 0;
}
