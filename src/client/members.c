#include "client/members.h"

#include "core/limits.h"

rc_t client_members_read(arena_t *a, str_t body, client_members_t *out)
{
    static const json_limits_t LIMITS = {.max_bytes = LIMIT_HTTP_FETCH_BYTES,
                                         .max_depth = LIMIT_CLIENT_METADATA_DEPTH,
                                         .max_nodes = LIMIT_CLIENT_METADATA_NODES};
    *out = (client_members_t){.a = a};
    TRY(json_parse(a, body, &LIMITS, &out->all));
    return json_is(out->all, JSON_OBJECT) ? RC_OK : RC_MALFORMED;
}

void client_members_note(client_members_t *m, str_t name, const char *what)
{
    const char *between = str_is_set(m->note) ? "; " : "";
    str_t note = arena_printf(m->a, "%" PRIstr "%s%" PRIstr " %s", STR_ARG(m->note), between,
                              STR_ARG(name), what);
    if (!str_is_set(note))
        m->rc = RC_MEMORY;
    else
        m->note = note;
}

bool client_members_has(const client_members_t *m, str_t name)
{
    const json_t *v = json_get(m->all, name);
    return v && !json_is(v, JSON_NULL);
}

/* The member, where it is there and of a type that will do. */
static const json_t *member(client_members_t *m, str_t name, unsigned types, const char *wrong)
{
    const json_t *v = json_get(m->all, name);
    if (!v)
        return NULL;
    if (types & 1u << v->type)
        return v;
    client_members_note(m, name, json_is(v, JSON_NULL) ? "is null" : wrong);
    return NULL;
}

str_t client_members_str(client_members_t *m, str_t name)
{
    const json_t *v = member(m, name, 1u << JSON_STRING, "is no string");
    return v ? v->str : STR_UNSET;
}

bool client_members_bool(client_members_t *m, str_t name)
{
    return json_is(member(m, name, 1u << JSON_TRUE | 1u << JSON_FALSE, "is no boolean"), JSON_TRUE);
}

str_list_t client_members_strs(client_members_t *m, str_t name, bool *has)
{
    const json_t *list = member(m, name, 1u << JSON_ARRAY, "is no list");
    *has = list != NULL;
    if (!list || list->count == 0)
        return (str_list_t){0};
    str_t *v = ARENA_ARRAY(m->a, list->count, str_t);
    size_t n = 0;
    if (!v) {
        m->rc = RC_MEMORY;
        return (str_list_t){0};
    }
    for (const json_t *one = list->child; one; one = one->next)
        if (json_is(one, JSON_STRING))
            v[n++] = one->str;
    if (n < list->count)
        client_members_note(m, name, "holds what is no string");
    return (str_list_t){v, n};
}
