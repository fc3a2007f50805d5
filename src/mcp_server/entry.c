#include "mcp_server/entry.h"

#include "mcp_server/compact.h"

enum { DECLARED_NODES = 20000, DECLARED_DEPTH = 64 };

/* A row that is being read. */
typedef struct {
    arena_t *a;
    const char *what; /* "tool" */
    str_t name;
    str_t *why;
    buf_t buf;
    json_writer_t w;
} row_t;

static void row_begin(row_t *r, mcp_entry_t *out)
{
    r->buf = buf_new(r->a, MCP_ENTRY_BYTES);
    r->w = json_writer(&r->buf);
    json_begin_object(&r->w);
    out->name = r->name;
}

static rc_t wrong(row_t *r, const char *sentence)
{
    if (r->name.n > 0)
        *r->why = arena_printf(r->a, "The %s \"%" PRIstr "\" %s", r->what,
                               STR_ARG(str_first(r->name, 128)), sentence);
    else
        *r->why = arena_printf(r->a, "A %s %s", r->what, sentence);
    return r->why->p ? RC_CONFIG : RC_MEMORY;
}

/* Which schema, and what of it. */
static rc_t wrong_schema(row_t *r, str_t key, str_t cause)
{
    str_t whole = arena_printf(r->a, "has an %" PRIstr " to correct: %" PRIstr ".", STR_ARG(key),
                               STR_ARG(cause));
    return whole.p ? wrong(r, whole.p) : RC_MEMORY;
}

static bool is_name_byte(char c)
{
    bool alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    return alnum || c == '_' || c == '-' || c == '.' || c == '/';
}

static bool is_tool_name(str_t name)
{
    for (size_t i = 0; i < name.n; i++) {
        if (!is_name_byte(name.p[i]))
            return false;
    }
    return name.n > 0 && name.n <= MCP_TOOL_NAME_BYTES;
}

/* What mcp_operation_read lets through: any other name could not be asked for. */
static bool is_askable(str_t name)
{
    for (size_t i = 0; i < name.n; i++) {
        unsigned char c = (unsigned char)name.p[i];
        if (c < 0x20 || c == 0x7f)
            return false;
    }
    return name.n > 0 && name.n <= MCP_NAME_BYTES;
}

/* RFC 3986 section 3: a scheme, and no byte beyond ASCII. */
static bool is_uri(str_t uri)
{
    size_t colon = str_find(uri, ':', 0);
    char first = uri.n > 0 ? (char)(uri.p[0] | 0x20) : 0;
    if (first < 'a' || first > 'z' || colon == uri.n || colon + 1 == uri.n)
        return false;
    for (size_t i = 0; i < colon; i++) {
        char c = uri.p[i];
        if (c != '+' && (!is_name_byte(c) || c == '_' || c == '/'))
            return false;
    }
    return uri.n <= MCP_NAME_BYTES && str_is_printable_ascii(uri) && str_find(uri, ' ', 0) == uri.n;
}

static bool is_scope_byte(char c)
{
    return c >= 0x21 && c <= 0x7e && c != '"' && c != '\\';
}

int mcp_scope_count(str_t text)
{
    int n = 0;
    str_t rest = text, one;
    while (str_split(&rest, ' ', &one)) {
        for (size_t i = 0; i < one.n; i++) {
            if (!is_scope_byte(one.p[i]))
                return -1;
        }
        if (one.n == 0)
            return -1;
        n++;
    }
    return n;
}

static rc_t read_scope(row_t *r, const char *scope, mcp_entry_t *out)
{
    out->scope = str_c(scope);
    if (out->scope.n > MCP_SCOPE_BYTES)
        return wrong(r, "needs scopes of more than 255 bytes: give them shorter names.");
    if (!scope || mcp_scope_count(out->scope) > 0)
        return RC_OK;
    return wrong(r,
                 "has a scope that is none: separate scopes by one space, and say NULL for none.");
}

static rc_t parse_declared(arena_t *a, const char *text, const json_t **out)
{
    static const json_limits_t LIMITS = {MCP_SCHEMA_BYTES, DECLARED_DEPTH, DECLARED_NODES};
    rc_t rc = json_parse(a, str_c(text), &LIMITS, out);
    return rc == RC_OK || rc == RC_MEMORY ? rc : RC_CONFIG;
}

static void write_declared(json_writer_t *w, arena_t *a, str_t key, str_t json)
{
    buf_t b = buf_new(a, json.n);
    mcp_compact(&b, json);
    if (b.failed != RC_OK)
        buf_fail(w->buf, b.failed);
    json_key(w, key);
    json_raw(w, buf_str(&b));
}

static bool are_icons(const json_t *icons)
{
    if (!json_is(icons, JSON_ARRAY))
        return false;
    for (const json_t *i = icons->child; i; i = i->next) {
        if (!json_get_str(i, STR("src")).p)
            return false;
    }
    return true;
}

rc_t mcp_entry_icons(arena_t *a, json_writer_t *w, const char *icons)
{
    const json_t *list;
    if (!icons)
        return RC_OK;
    TRY(parse_declared(a, icons, &list));
    if (!are_icons(list))
        return RC_CONFIG;
    write_declared(w, a, STR("icons"), list->raw);
    return RC_OK;
}

/* A member that is any object, where there is `text`. */
static rc_t write_object(row_t *r, str_t key, const char *text, const char *unless)
{
    const json_t *v = NULL;
    rc_t rc = text ? parse_declared(r->a, text, &v) : RC_OK;
    if (rc == RC_CONFIG || (v && !json_is(v, JSON_OBJECT)))
        return wrong(r, unless);
    TRY(rc);
    if (v)
        write_declared(&r->w, r->a, key, v->raw);
    return RC_OK;
}

/* The members that end every entry. */
static rc_t write_end(row_t *r, const char *icons, const char *meta)
{
    rc_t rc = mcp_entry_icons(r->a, &r->w, icons);
    if (rc == RC_CONFIG)
        return wrong(r, "has icons that are no JSON list of objects with src: correct them.");
    TRY(rc);
    TRY(write_object(r, STR("_meta"), meta, "has a meta that is no JSON object: correct it."));
    json_end_object(&r->w);
    return RC_OK;
}

static rc_t row_done(row_t *r, mcp_entry_t *out)
{
    rc_t rc = buf_done(&r->buf, &out->listed);
    if (rc == RC_MALFORMED)
        return wrong(r, "has a text that is not UTF-8: correct it.");
    if (rc == RC_LIMIT)
        return wrong(r, "takes more than a megabyte in lists: shorten it.");
    return rc;
}

/* ---- tools ---- */

static rc_t read_schema(row_t *r, str_t key, const json_t *json, const mcp_schema_t **out)
{
    str_t cause = STR_UNSET;
    if (!json_is(json, JSON_OBJECT) || !str_eq(json_get_str(json, STR("type")), STR("object")))
        return wrong_schema(r, key, STR("its root needs \"type\":\"object\""));
    rc_t rc = mcp_schema_read(r->a, json, out, &cause);
    if (rc == RC_MEMORY)
        return rc;
    if (rc != RC_OK)
        return wrong_schema(r, key, cause.p ? cause : STR("it is too large"));
    write_declared(&r->w, r->a, key, json->raw);
    return RC_OK;
}

static rc_t parse_schema(row_t *r, str_t key, const char *text, const json_t **out)
{
    rc_t rc = parse_declared(r->a, text, out);
    return rc == RC_CONFIG ? wrong_schema(r, key, STR("it is not JSON")) : rc;
}

static rc_t read_input(row_t *r, const warder_mcp_tool_t *t, mcp_entry_t *out)
{
    static const char NONE[] = "{\"type\":\"object\",\"additionalProperties\":false}";
    const json_t *json;
    const char *text = t->input_schema ? t->input_schema : NONE;
    TRY(parse_schema(r, STR("inputSchema"), text, &json));
    TRY(read_schema(r, STR("inputSchema"), json, &out->input));
    rc_t rc = mcp_params_read(r->a, json, &out->params);
    if (rc != RC_MALFORMED)
        return rc;
    return wrong(r, "has an x-mcp-header that breaks its rules: it stands at a property of type "
                    "string, integer or boolean, once each, and is a token.");
}

static rc_t read_output(row_t *r, const warder_mcp_tool_t *t, mcp_entry_t *out)
{
    const json_t *json;
    if (!t->output_schema)
        return RC_OK;
    TRY(parse_schema(r, STR("outputSchema"), t->output_schema, &json));
    return read_schema(r, STR("outputSchema"), json, &out->output);
}

static rc_t check_flags(row_t *r, unsigned flags, unsigned allowed)
{
    unsigned both = WARDER_MCP_READ_ONLY | WARDER_MCP_DESTRUCTIVE;
    if (flags & ~allowed)
        return wrong(r, "has flags that mean nothing for it: take them away.");
    if ((flags & both) == both)
        return wrong(r, "is both READ_ONLY and DESTRUCTIVE: keep one of the two.");
    return RC_OK;
}

rc_t mcp_entry_tool(arena_t *a, const warder_mcp_tool_t *t, mcp_entry_t *out, str_t *why)
{
    static const unsigned FLAGS = WARDER_MCP_READ_ONLY | WARDER_MCP_DESTRUCTIVE |
                                  WARDER_MCP_IDEMPOTENT | WARDER_MCP_OPEN_WORLD | WARDER_MCP_QUICK |
                                  WARDER_MCP_TASK | WARDER_MCP_TASK_ONLY;
    row_t r = {.a = a, .what = "tool", .name = str_c(t->name), .why = why};
    *out = (mcp_entry_t){.kind = MCP_TOOL, .flags = t->flags, .run = t->run};
    if (!is_tool_name(r.name))
        return wrong(&r, "needs a name of 1 to 128 of A-Z a-z 0-9 _ - . /: rename it.");
    if (!t->description || !t->run)
        return wrong(&r, "needs a description and a function: give it both.");
    TRY(check_flags(&r, t->flags, FLAGS));
    TRY(read_scope(&r, t->scope, out));
    row_begin(&r, out);
    json_member_str(&r.w, STR("name"), r.name);
    json_member_str(&r.w, STR("title"), str_c(t->title));
    json_member_str(&r.w, STR("description"), str_c(t->description));
    TRY(read_input(&r, t, out));
    TRY(read_output(&r, t, out));
    mcp_entry_write_flags(&r.w, t->flags);
    TRY(write_end(&r, t->icons, t->meta));
    return row_done(&r, out);
}

/* ---- resources ---- */

/* A URI, or a template of many. */
static rc_t read_uri(row_t *r, mcp_entry_t *out)
{
    rc_t rc = r->name.p ? mcp_uri_template_read(r->name, &out->template) : RC_CONFIG;
    out->kind = rc == RC_OK ? MCP_TEMPLATE : MCP_RESOURCE;
    if (rc == RC_MEMORY)
        return rc;
    if (rc == RC_CONFIG || !is_uri(r->name))
        return wrong(
            r, "needs a URI with a scheme, or a template with variables like {name} that stand "
               "apart: correct it.");
    return RC_OK;
}

rc_t mcp_entry_resource(arena_t *a, const warder_mcp_resource_t *res, mcp_entry_t *out, str_t *why)
{
    row_t r = {.a = a, .what = "resource", .name = str_c(res->uri), .why = why};
    *out = (mcp_entry_t){.flags = res->flags, .run = res->run, .complete = res->complete};
    TRY(read_uri(&r, out));
    bool template = out->kind == MCP_TEMPLATE;
    if (!res->name || !*res->name || !res->run)
        return wrong(&r, "needs a name and a function: give it both.");
    if (res->complete && !template)
        return wrong(&r, "has nothing to complete: take the function away, or make it a template.");
    if (res->size < 0 || (res->size > 0 && template))
        return wrong(&r, "has a size that cannot be: say 0 where it is unknown.");
    TRY(check_flags(&r, res->flags, WARDER_MCP_QUICK));
    TRY(read_scope(&r, res->scope, out));
    row_begin(&r, out);
    out->mime_type = str_c(res->mime_type);
    json_member_str(&r.w, template ? STR("uriTemplate") : STR("uri"), r.name);
    json_member_str(&r.w, STR("name"), str_c(res->name));
    json_member_str(&r.w, STR("title"), str_c(res->title));
    json_member_str(&r.w, STR("description"), str_c(res->description));
    json_member_str(&r.w, STR("mimeType"), out->mime_type);
    if (res->size > 0)
        json_member_int(&r.w, STR("size"), res->size);
    TRY(write_object(&r, STR("annotations"), res->annotations,
                     "has annotations that are no JSON object: correct them."));
    TRY(write_end(&r, res->icons, res->meta));
    return row_done(&r, out);
}

/* ---- prompts ---- */

static bool has_twin(const warder_mcp_prompt_t *p, size_t i)
{
    for (size_t j = 0; j < i; j++) {
        if (str_eq(str_c(p->arguments[j].name), str_c(p->arguments[i].name)))
            return true;
    }
    return false;
}

static rc_t write_argument(row_t *r, const warder_mcp_prompt_t *p, size_t i)
{
    const warder_mcp_argument_t *arg = &p->arguments[i];
    if (!is_askable(str_c(arg->name)) || has_twin(p, i))
        return wrong(r, "needs a name for each argument, another one for each: correct them.");
    json_begin_object(&r->w);
    json_member_str(&r->w, STR("name"), str_c(arg->name));
    json_member_str(&r->w, STR("title"), str_c(arg->title));
    json_member_str(&r->w, STR("description"), str_c(arg->description));
    json_member_bool(&r->w, STR("required"), arg->required);
    json_end_object(&r->w);
    return RC_OK;
}

static rc_t write_arguments(row_t *r, const warder_mcp_prompt_t *p)
{
    if (p->argument_count > MCP_ARGUMENTS || (p->argument_count > 0 && !p->arguments))
        return wrong(r, "has an argument_count that is not that of its arguments: correct it.");
    if (p->argument_count == 0)
        return RC_OK;
    json_key(&r->w, STR("arguments"));
    json_begin_array(&r->w);
    for (size_t i = 0; i < p->argument_count; i++)
        TRY(write_argument(r, p, i));
    json_end_array(&r->w);
    return RC_OK;
}

rc_t mcp_entry_prompt(arena_t *a, const warder_mcp_prompt_t *p, mcp_entry_t *out, str_t *why)
{
    row_t r = {.a = a, .what = "prompt", .name = str_c(p->name), .why = why};
    *out = (mcp_entry_t){.kind = MCP_PROMPT,
                         .flags = p->flags,
                         .run = p->run,
                         .complete = p->complete,
                         .arguments = p->arguments,
                         .argument_count = p->argument_count};
    if (!is_askable(r.name))
        return wrong(&r, "needs a name without control characters: rename it.");
    if (!p->run)
        return wrong(&r, "needs a function: give it one.");
    if (p->complete && p->argument_count == 0)
        return wrong(&r, "has nothing to complete: take the function away, or give it arguments.");
    TRY(check_flags(&r, p->flags, WARDER_MCP_QUICK));
    TRY(read_scope(&r, p->scope, out));
    row_begin(&r, out);
    json_member_str(&r.w, STR("name"), r.name);
    json_member_str(&r.w, STR("title"), str_c(p->title));
    json_member_str(&r.w, STR("description"), str_c(p->description));
    TRY(write_arguments(&r, p));
    TRY(write_end(&r, p->icons, p->meta));
    return row_done(&r, out);
}
