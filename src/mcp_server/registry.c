#include "mcp_server/registry.h"

#include "core/limits.h"
#include "mcp_server/entry.h"
#include "mcp_server/tables.h"

#include <stdatomic.h>
#include <stdlib.h>

enum {
    REGISTRY_BYTES = 128 << 20, /* all tables, with their schemas as they are parsed */
    ROWS = 10000,               /* of one table: clients show them to people and models */
};

struct mcp_registry {
    atomic_uint refs;
    arena_t *a;
    warder_mcp_config_t tables; /* copies, of the tables alone */
    mcp_entries_t lists[MCP_KINDS];
    const mcp_entry_t **by_name[MCP_KINDS];
    str_t scopes;
    bool completes, scoped[MCP_KINDS];
    uint8_t digests[MCP_KINDS][SHA256_BYTES];
};

static int by_name(const void *a, const void *b)
{
    const mcp_entry_t *const *x = a, *const *y = b;
    return str_cmp((*x)->name, (*y)->name);
}

static const char *const WORDS[MCP_KINDS] = {"tools", "resources", "templates", "prompts"};

/* Sorts pointers by name, so that find is fast and twins stand beside each other. */
static rc_t index_kind(mcp_registry_t *r, mcp_kind_t kind, str_t *why)
{
    mcp_entries_t list = r->lists[kind];
    const mcp_entry_t **v = ARENA_ARRAY(r->a, list.n + 1, const mcp_entry_t *);
    if (!v)
        return RC_MEMORY;
    for (size_t i = 0; i < list.n; i++)
        v[i] = &list.v[i];
    qsort(v, list.n, sizeof *v, by_name);
    for (size_t i = 1; i < list.n; i++) {
        if (!str_eq(v[i - 1]->name, v[i]->name))
            continue;
        *why = arena_printf(r->a, "Two %s have the name \"%" PRIstr "\": rename one.", WORDS[kind],
                            STR_ARG(str_first(v[i]->name, 128)));
        return why->p ? RC_CONFIG : RC_MEMORY;
    }
    r->by_name[kind] = v;
    return RC_OK;
}

static rc_t check_table(mcp_registry_t *r, const void *table, size_t n, str_t *why)
{
    if (n <= ROWS && (table || n == 0))
        return RC_OK;
    *why = arena_printf(
        r->a, "A table has %zu rows, of which at most %d can be there: correct its count.", n,
        table ? ROWS : 0);
    return why->p ? RC_CONFIG : RC_MEMORY;
}

static rc_t read_tools(mcp_registry_t *r, str_t *why)
{
    warder_mcp_config_t *c = &r->tables;
    TRY(check_table(r, c->tools, c->tool_count, why));
    TRY(mcp_tables_copy_tools(r->a, c));
    mcp_entry_t *v = ARENA_ARRAY(r->a, c->tool_count + 1, mcp_entry_t);
    for (size_t i = 0; v && i < c->tool_count; i++)
        TRY(mcp_entry_tool(r->a, &c->tools[i], &v[i], why));
    r->lists[MCP_TOOL] = (mcp_entries_t){v, c->tool_count};
    return v ? RC_OK : RC_MEMORY;
}

/* One table holds both: each goes to its own list, in the order of the table. */
static rc_t read_resources(mcp_registry_t *r, str_t *why)
{
    warder_mcp_config_t *c = &r->tables;
    TRY(check_table(r, c->resources, c->resource_count, why));
    TRY(mcp_tables_copy_resources(r->a, c));
    mcp_entry_t *plain = ARENA_ARRAY(r->a, c->resource_count + 1, mcp_entry_t);
    mcp_entry_t *templates = ARENA_ARRAY(r->a, c->resource_count + 1, mcp_entry_t);
    size_t n = 0, m = 0;
    if (!plain || !templates)
        return RC_MEMORY;
    for (size_t i = 0; i < c->resource_count; i++) {
        mcp_entry_t e;
        TRY(mcp_entry_resource(r->a, &c->resources[i], &e, why));
        if (e.kind == MCP_TEMPLATE)
            templates[m++] = e;
        else
            plain[n++] = e;
    }
    r->lists[MCP_RESOURCE] = (mcp_entries_t){plain, n};
    r->lists[MCP_TEMPLATE] = (mcp_entries_t){templates, m};
    return RC_OK;
}

static rc_t read_prompts(mcp_registry_t *r, str_t *why)
{
    warder_mcp_config_t *c = &r->tables;
    TRY(check_table(r, c->prompts, c->prompt_count, why));
    TRY(mcp_tables_copy_prompts(r->a, c));
    mcp_entry_t *v = ARENA_ARRAY(r->a, c->prompt_count + 1, mcp_entry_t);
    for (size_t i = 0; v && i < c->prompt_count; i++)
        TRY(mcp_entry_prompt(r->a, &c->prompts[i], &v[i], why));
    r->lists[MCP_PROMPT] = (mcp_entries_t){v, c->prompt_count};
    return v ? RC_OK : RC_MEMORY;
}

/* ---- scopes ---- */

typedef struct {
    str_t v[LIMIT_SCOPE_TOKENS];
    size_t n;
} scopes_t;

static rc_t add_scopes(mcp_registry_t *r, scopes_t *all, str_t text, str_t *why)
{
    str_t one;
    while (str_split(&text, ' ', &one)) {
        if (str_list_has((str_list_t){all->v, all->n}, one))
            continue;
        if (all->n == LIMIT_SCOPE_TOKENS) {
            *why =
                arena_printf(r->a, "The tables name more than %d scopes: give rows the same one.",
                             LIMIT_SCOPE_TOKENS);
            return why->p ? RC_CONFIG : RC_MEMORY;
        }
        all->v[all->n++] = one;
    }
    return RC_OK;
}

static rc_t join_scopes(mcp_registry_t *r, const scopes_t *all)
{
    buf_t b = buf_new(r->a, LIMIT_SCOPE_TOKENS * (LIMIT_SCOPE_BYTES + 1));
    for (size_t i = 0; i < all->n; i++) {
        if (i > 0)
            buf_char(&b, ' ');
        buf_put(&b, all->v[i]);
    }
    buf_char(&b, '\0');
    TRY(b.failed);
    r->scopes = str_of(b.p, b.n - 1);
    return RC_OK;
}

static rc_t read_scopes(mcp_registry_t *r, str_t *why)
{
    scopes_t all = {.n = 0};
    for (mcp_kind_t kind = 0; kind < MCP_KINDS; kind++) {
        for (size_t i = 0; i < r->lists[kind].n; i++) {
            const mcp_entry_t *e = &r->lists[kind].v[i];
            TRY(add_scopes(r, &all, e->scope, why));
            r->scoped[kind] |= e->scope.p != NULL;
            r->completes |= e->complete != NULL;
        }
    }
    return join_scopes(r, &all);
}

static rc_t digest_kind(mcp_registry_t *r, mcp_kind_t kind)
{
    mcp_entries_t list = r->lists[kind];
    str_t *parts = ARENA_ARRAY(r->a, list.n + 1, str_t);
    if (!parts)
        return RC_MEMORY;
    for (size_t i = 0; i < list.n; i++)
        parts[i] = list.v[i].listed;
    sha256_parts(parts, list.n, r->digests[kind]);
    return RC_OK;
}

/* ---- life ---- */

static rc_t read_tables(mcp_registry_t *r, str_t *why)
{
    TRY(read_tools(r, why));
    TRY(read_resources(r, why));
    TRY(read_prompts(r, why));
    for (mcp_kind_t kind = 0; kind < MCP_KINDS; kind++)
        TRY(index_kind(r, kind, why));
    for (mcp_kind_t kind = 0; kind < MCP_KINDS; kind++)
        TRY(digest_kind(r, kind));
    return read_scopes(r, why);
}

static mcp_registry_t *registry_alloc(const warder_mcp_config_t *config)
{
    mcp_registry_t *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->a = arena_new(REGISTRY_BYTES);
    if (!r->a) {
        free(r);
        return NULL;
    }
    r->tables = *config;
    atomic_init(&r->refs, 1);
    return r;
}

mcp_registry_t *mcp_registry_new(arena_t *a, const warder_mcp_config_t *config, str_t *why)
{
    str_t said = STR_UNSET;
    *why = STR("There is not enough memory for the tables: make them smaller.");
    mcp_registry_t *r = registry_alloc(config);
    if (!r)
        return NULL;
    rc_t rc = read_tables(r, &said);
    if (rc == RC_OK)
        return r;
    str_t copy = rc == RC_CONFIG ? arena_dup(a, said) : STR_UNSET;
    if (copy.p)
        *why = copy;
    mcp_registry_drop(r);
    return NULL;
}

const warder_mcp_config_t *mcp_registry_tables(const mcp_registry_t *r)
{
    return &r->tables;
}

/* The count is all of it that ever changes. */
static mcp_registry_t *counted(const mcp_registry_t *r)
{
    return (mcp_registry_t *)(uintptr_t)r;
}

const mcp_registry_t *mcp_registry_hold(const mcp_registry_t *r)
{
    atomic_fetch_add(&counted(r)->refs, 1);
    return r;
}

void mcp_registry_drop(const mcp_registry_t *r)
{
    if (!r || atomic_fetch_sub(&counted(r)->refs, 1) > 1)
        return;
    arena_free(r->a);
    free(counted(r));
}

/* ---- questions ---- */

mcp_entries_t mcp_registry_list(const mcp_registry_t *r, mcp_kind_t kind)
{
    return r->lists[kind];
}

const mcp_entry_t *mcp_registry_find(const mcp_registry_t *r, mcp_kind_t kind, str_t name)
{
    const mcp_entry_t key = {.name = name}, *at = &key;
    size_t n = r->lists[kind].n;
    const mcp_entry_t **found = bsearch(&at, r->by_name[kind], n, sizeof at, by_name);
    return found ? *found : NULL;
}

static const mcp_entry_t *match_template(arena_t *a, const mcp_registry_t *r, str_t uri,
                                         str_t values[MCP_TEMPLATE_VARIABLES], rc_t *rc)
{
    mcp_entries_t templates = r->lists[MCP_TEMPLATE];
    for (size_t i = 0; i < templates.n; i++) {
        *rc = mcp_uri_template_match(a, &templates.v[i].template, uri, values);
        if (*rc == RC_OK)
            return &templates.v[i];
        if (*rc == RC_MEMORY)
            return NULL;
    }
    *rc = RC_OK;
    return NULL;
}

const mcp_entry_t *mcp_registry_resource(arena_t *a, const mcp_registry_t *r, str_t uri,
                                         str_t values[MCP_TEMPLATE_VARIABLES], rc_t *rc)
{
    str_t normal;
    const mcp_entry_t *e = mcp_registry_find(r, MCP_RESOURCE, uri);
    *rc = e ? RC_OK : mcp_uri_normal(a, uri, &normal);
    if (e || *rc == RC_MEMORY)
        return e;
    if (*rc != RC_OK) {
        *rc = RC_OK;
        return NULL;
    }
    e = mcp_registry_find(r, MCP_RESOURCE, normal);
    return e ? e : match_template(a, r, normal, values, rc);
}

void mcp_registry_digest(const mcp_registry_t *r, mcp_kind_t kind, uint8_t out[SHA256_BYTES])
{
    memcpy(out, r->digests[kind], SHA256_BYTES);
}

str_t mcp_registry_scopes(const mcp_registry_t *r)
{
    return r->scopes;
}

bool mcp_registry_completes(const mcp_registry_t *r)
{
    return r->completes;
}

bool mcp_registry_is_scoped(const mcp_registry_t *r, mcp_kind_t kind)
{
    return r->scoped[kind];
}
