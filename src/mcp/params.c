#include "mcp/operation.h"

#include "core/num.h"
#include "mcp/field.h"

enum { HEADER_BYTES = 128, PATH_STEPS = 16 };

/* How the walk came to a schema: by `properties` alone, or past something that may not hold for
 * every call. */
typedef struct step {
    const struct step *above;
    str_t key; /* unset at the root */
    unsigned depth;
    bool certain;
} step_t;

typedef struct {
    arena_t *a;
    mcp_param_t *v;
    size_t n;
} walk_t;

static bool is_one_of(str_t s, const str_t *list, size_t n)
{
    return str_list_has((str_list_t){list, n}, s);
}

static bool is_token(str_t s)
{
    static const char BEYOND[] = "!#$%&'*+-.^_`|~";
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i], lower = (char)(c | 0x20);
        bool alnum = (c >= '0' && c <= '9') || (lower >= 'a' && lower <= 'z');
        if (!alnum && (c == 0 || !strchr(BEYOND, c)))
            return false;
    }
    return s.n > 0 && s.n <= HEADER_BYTES;
}

static bool is_plain_type(const json_t *type, bool in_list)
{
    static const str_t PLAIN[] = {STR_INIT("string"), STR_INIT("integer"), STR_INIT("boolean")};
    if (!json_is(type, JSON_STRING))
        return false;
    return is_one_of(type->str, PLAIN, 3) || (in_list && str_eq(type->str, STR("null")));
}

/* A value may be null: then it has no field. */
static bool has_plain_type(const json_t *schema)
{
    const json_t *type = json_get(schema, STR("type"));
    if (!json_is(type, JSON_ARRAY))
        return is_plain_type(type, false);
    for (const json_t *t = type->child; t; t = t->next) {
        if (!is_plain_type(t, true))
            return false;
    }
    return type->count > 0;
}

static bool is_taken(const walk_t *w, str_t header)
{
    for (size_t i = 0; i < w->n; i++) {
        if (str_eq_nocase(w->v[i].header, header))
            return true;
    }
    return false;
}

static rc_t add_param(walk_t *w, const json_t *schema, const json_t *name, const step_t *at)
{
    str_t header = json_is(name, JSON_STRING) ? name->str : STR_UNSET;
    if (!at->certain || !at->key.p || !is_token(header) || !has_plain_type(schema))
        return RC_MALFORMED;
    if (w->n == MCP_PARAMS_MAX || at->depth > PATH_STEPS || is_taken(w, header))
        return RC_MALFORMED;
    /* Few tools have any: nothing is allocated for the others. */
    if (!w->v)
        w->v = ARENA_ARRAY(w->a, MCP_PARAMS_MAX, mcp_param_t);
    str_t *path = ARENA_ARRAY(w->a, at->depth, str_t);
    if (!w->v || !path)
        return RC_MEMORY;
    w->v[w->n++] = (mcp_param_t){header, {path, at->depth}};
    for (const step_t *s = at; s->key.p; s = s->above)
        path[s->depth - 1] = s->key;
    return RC_OK;
}

static rc_t walk(walk_t *w, const json_t *schema, const step_t *at);

/* Each member is a schema of its own, under a name that has no meaning to the walk. */
static rc_t walk_members(walk_t *w, const json_t *map, const step_t *at, bool properties)
{
    for (const json_t *m = json_is(map, JSON_OBJECT) ? map->child : NULL; m; m = m->next) {
        step_t next = {at, m->key, at->depth + 1, at->certain && properties};
        TRY(walk(w, m, &next));
    }
    return RC_OK;
}

static rc_t walk_keyword(walk_t *w, const json_t *v, const step_t *at)
{
    static const str_t MAPS[] = {STR_INIT("$defs"), STR_INIT("definitions"),
                                 STR_INIT("patternProperties"), STR_INIT("dependentSchemas")};
    static const str_t DATA[] = {STR_INIT("const"), STR_INIT("default"), STR_INIT("enum"),
                                 STR_INIT("examples"), STR_INIT("x-mcp-header")};
    step_t beside = {at->above, at->key, at->depth, false};
    if (is_one_of(v->key, DATA, sizeof DATA / sizeof *DATA))
        return RC_OK;
    if (str_eq(v->key, STR("properties")))
        return walk_members(w, v, at, true);
    if (is_one_of(v->key, MAPS, sizeof MAPS / sizeof *MAPS))
        return walk_members(w, v, at, false);
    if (json_is(v, JSON_OBJECT))
        return walk(w, v, &beside);
    for (const json_t *e = json_is(v, JSON_ARRAY) ? v->child : NULL; e; e = e->next)
        TRY(walk(w, e, &beside));
    return RC_OK;
}

/* As deep as the reader of JSON lets values be. */
static rc_t walk(walk_t *w, const json_t *schema, const step_t *at)
{
    if (!json_is(schema, JSON_OBJECT))
        return RC_OK;
    const json_t *name = json_get(schema, STR("x-mcp-header"));
    if (name)
        TRY(add_param(w, schema, name, at));
    for (const json_t *v = schema->child; v; v = v->next)
        TRY(walk_keyword(w, v, at));
    return RC_OK;
}

rc_t mcp_params_read(arena_t *a, const json_t *input_schema, mcp_params_t *out)
{
    walk_t w = {a, NULL, 0};
    *out = (mcp_params_t){NULL, 0};
    step_t root = {.key = STR_UNSET, .certain = true};
    TRY(walk(&w, input_schema, &root));
    *out = (mcp_params_t){w.v, w.n};
    return RC_OK;
}

static const json_t *argument(const json_t *arguments, str_list_t path)
{
    for (size_t i = 0; i < path.n; i++)
        arguments = json_get(arguments, path.v[i]);
    return json_is(arguments, JSON_NULL) ? NULL : arguments;
}

/* Up to here every reader takes a number for the same one. */
static const double SAFE = 9007199254740991.0;

/* As numbers, so that 42 is 42.0; only those that every reader takes for the same one. */
static bool is_same_number(str_t text, const json_t *v)
{
    double said, meant;
    if (!num_f64(text, &said) || !json_f64(v, &meant))
        return false;
    bool whole = meant >= -SAFE && meant <= SAFE && meant == (double)(int64_t)meant;
    return whole && said == meant;
}

static bool is_same(str_t text, const json_t *v)
{
    switch (v->type) {
    case JSON_STRING:
        return str_eq(text, v->str);
    case JSON_NUMBER:
        return is_same_number(text, v);
    case JSON_TRUE:
        return str_eq(text, STR("true"));
    case JSON_FALSE:
        return str_eq(text, STR("false"));
    default:
        return false;
    }
}

/* Letters and digits count; servers that hand fields on as variables make one of the rest. */
static char as_variable(char c)
{
    char lower = (char)(c | 0x20);
    if (lower >= 'a' && lower <= 'z')
        return lower;
    return c >= '0' && c <= '9' ? c : '_';
}

static bool is_same_variable(str_t one, str_t other)
{
    if (one.n != other.n)
        return false;
    for (size_t i = 0; i < one.n; i++) {
        if (as_variable(one.p[i]) != as_variable(other.p[i]))
            return false;
    }
    return true;
}

static bool is_asked_for(mcp_params_t params, str_t field)
{
    for (size_t i = 0; i < params.n; i++) {
        str_t header = params.v[i].header;
        size_t before = field.n >= header.n ? field.n - header.n : 0;
        if (str_eq_nocase(str_first(field, before), STR("Mcp-Param-")) &&
            str_eq_nocase(str_skip(field, before), header))
            return true;
    }
    return false;
}

/* Whether a field that nobody asked for would be read in place of one of the arguments'. */
static bool is_shadowed(mcp_fields_t fields, mcp_params_t params, str_t name)
{
    for (size_t i = 0; i < fields.n; i++) {
        str_t field = fields.v[i].name;
        if (is_same_variable(field, name) && !is_asked_for(params, field))
            return true;
    }
    return false;
}

static bool param_holds(arena_t *a, mcp_fields_t fields, mcp_params_t params, size_t i,
                        const mcp_operation_t *r)
{
    const mcp_param_t *p = &params.v[i];
    char name[sizeof "Mcp-Param-" + HEADER_BYTES];
    buf_t b = buf_fixed(name, sizeof name);
    buf_put(&b, STR("Mcp-Param-"));
    buf_put(&b, p->header);
    str_t value, text;
    size_t n = mcp_field_find(fields, buf_str(&b), &value);
    if (is_shadowed(fields, params, buf_str(&b)))
        return false;
    const json_t *v = argument(r->arguments, p->path);
    if (n == 0)
        return !v || r->era == MCP_ERA_HANDSHAKE;
    return v && n == 1 && mcp_field_decode(a, value, &text) == RC_OK && is_same(text, v);
}

mcp_error_t mcp_params_check(arena_t *a, mcp_fields_t fields, mcp_params_t params,
                             const mcp_operation_t *r)
{
    for (size_t i = 0; i < params.n; i++) {
        if (!param_holds(a, fields, params, i, r))
            return MCP_ERROR_HEADER_MISMATCH;
    }
    return MCP_NO_ERROR;
}

/* Integers in decimal, however they are written in the body. */
static str_t number_text(arena_t *a, const json_t *v)
{
    double value;
    int64_t whole;
    if (json_i64(v, &whole) || !json_f64(v, &value))
        return v->raw;
    bool exact = value >= -SAFE && value <= SAFE && value == (double)(int64_t)value;
    return exact ? arena_printf(a, "%lld", (long long)value) : v->raw;
}

static rc_t write_value(arena_t *a, const json_t *v, str_t *out)
{
    switch (v->type) {
    case JSON_STRING:
        return mcp_field_encode(a, v->str, out);
    case JSON_NUMBER:
        *out = number_text(a, v);
        return out->p ? RC_OK : RC_MEMORY;
    case JSON_TRUE:
    case JSON_FALSE:
        *out = v->raw;
        return RC_OK;
    default:
        return RC_OK;
    }
}

rc_t mcp_param_write(arena_t *a, const mcp_param_t *param, const json_t *arguments,
                     mcp_field_t *out)
{
    *out = (mcp_field_t){STR_UNSET, STR_UNSET};
    const json_t *v = argument(arguments, param->path);
    if (v)
        TRY(write_value(a, v, &out->value));
    if (!out->value.p)
        return RC_OK;
    out->name = arena_printf(a, "Mcp-Param-%" PRIstr, STR_ARG(param->header));
    return out->name.p ? RC_OK : RC_MEMORY;
}
