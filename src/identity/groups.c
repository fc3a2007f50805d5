#include "identity/groups.h"

#include <stdlib.h>

bool identity_group_is_name(str_t s)
{
    if (s.n == 0 || s.n > IDENTITY_GROUP_BYTES || !str_is_utf8(s))
        return false;
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f || s.p[i] == '"' || s.p[i] == '\\')
            return false;
    return s.p[0] != ' ' && s.p[s.n - 1] != ' ';
}

static int by_bytes(const void *left, const void *right)
{
    return str_cmp(*(const str_t *)left, *(const str_t *)right);
}

/* Sorts, and leaves out what comes twice. */
static size_t sort(str_t *v, size_t n)
{
    size_t kept = 0;
    qsort(v, n, sizeof *v, by_bytes);
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || !str_eq(v[kept - 1], v[i]))
            v[kept++] = v[i];
    return kept;
}

static bool fits(str_list_t groups)
{
    size_t bytes = 0;
    for (size_t i = 0; i < groups.n; i++)
        bytes += groups.v[i].n;
    return groups.n <= IDENTITY_GROUPS_MAX && bytes <= IDENTITY_GROUPS_BYTES;
}

rc_t identity_groups_of_words(arena_t *a, str_list_t groups, str_list_t *out)
{
    str_t *v = ARENA_ARRAY(a, groups.n + 1, str_t);
    *out = (str_list_t){0};
    if (!v)
        return RC_MEMORY;
    for (size_t i = 0; i < groups.n; i++) {
        if (!identity_group_is_name(groups.v[i]))
            return RC_MALFORMED;
        v[i] = groups.v[i];
    }
    *out = (str_list_t){v, sort(v, groups.n)};
    return fits(*out) ? RC_OK : RC_LIMIT;
}

static str_t name_of(const json_t *v)
{
    str_t name = json_is(v, JSON_OBJECT) ? json_get_str(v, STR("value")) : v->str;
    return json_is(v, JSON_OBJECT) || json_is(v, JSON_STRING) ? name : STR_UNSET;
}

rc_t identity_groups_of_claim(arena_t *a, const json_t *claims, str_t claim, str_list_t *out)
{
    const json_t *value = json_claim(claims, claim);
    *out = (str_list_t){0};
    if (!value)
        return RC_OK;
    bool list = json_is(value, JSON_ARRAY);
    size_t n = 0;
    str_t *v = ARENA_ARRAY(a, list ? value->count + 1 : 1, str_t);
    if (!v)
        return RC_MEMORY;
    for (const json_t *e = list ? value->child : value; e; e = list ? e->next : NULL)
        if (identity_group_is_name(name_of(e)))
            v[n++] = name_of(e);
    *out = (str_list_t){v, sort(v, n)};
    if (!fits(*out))
        out->n = 0;
    return RC_OK;
}

bool identity_groups_equal(str_list_t a, str_list_t b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (!str_eq(a.v[i], b.v[i]))
            return false;
    return true;
}
