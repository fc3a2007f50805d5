#include "mcp/schema_pointer.h"

#include "core/num.h"

enum { DEPTH = 128 };

void schema_pointer_put(buf_t *b, str_t name)
{
    buf_char(b, '/');
    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i] == '~')
            buf_put(b, STR("~0"));
        else if (name.p[i] == '/')
            buf_put(b, STR("~1"));
        else
            buf_char(b, name.p[i]);
    }
}

static str_t unescape(arena_t *a, str_t token)
{
    if (str_find(token, '~', 0) == token.n)
        return token;
    buf_t b = buf_new(a, token.n);
    for (size_t i = 0; i < token.n; i++) {
        bool escape = token.p[i] == '~' && i + 1 < token.n;
        if (escape && token.p[i + 1] != '0' && token.p[i + 1] != '1')
            return STR_UNSET;
        buf_char(&b, escape && token.p[i + 1] == '1' ? '/' : token.p[i]);
        i += escape;
    }
    str_t out;
    return buf_done(&b, &out) == RC_OK ? out : STR_UNSET;
}

const json_t *schema_pointer_step(arena_t *a, const json_t *from, str_t token)
{
    if (from->type == JSON_OBJECT)
        return json_get(from, unescape(a, token));
    uint64_t index;
    bool zeros = token.n > 1 && token.p[0] == '0';
    if (from->type != JSON_ARRAY || zeros || !num_u64(token, UINT32_MAX, &index))
        return NULL;
    const json_t *v = from->child;
    while (v && index-- > 0)
        v = v->next;
    return v;
}

static bool find(const json_t *from, const json_t *target, const json_t **path, size_t *n)
{
    if (*n == DEPTH)
        return false;
    path[(*n)++] = from;
    if (from == target)
        return true;
    for (const json_t *v = from->child; v; v = v->next)
        if (find(v, target, path, n))
            return true;
    (*n)--;
    return false;
}

static int64_t index_of(const json_t *list, const json_t *element)
{
    int64_t index = 0;
    for (const json_t *v = list->child; v && v != element; v = v->next)
        index++;
    return index;
}

bool schema_pointer_find(buf_t *b, const json_t *root, const json_t *target)
{
    const json_t *path[DEPTH];
    size_t n = 0;
    if (!find(root, target, path, &n))
        return false;
    for (size_t i = 1; i < n; i++) {
        if (path[i - 1]->type == JSON_OBJECT) {
            schema_pointer_put(b, path[i]->key);
            continue;
        }
        buf_char(b, '/');
        buf_i64(b, index_of(path[i - 1], path[i]));
    }
    return true;
}
