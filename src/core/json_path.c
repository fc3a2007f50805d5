#include "core/json.h"

#include "core/num.h"

static const json_t *element(const json_t *list, str_t index)
{
    uint64_t i;
    if (!num_u64(index, UINT32_MAX, &i) || i >= list->count)
        return NULL;
    const json_t *v = list->child;
    while (i-- > 0)
        v = v->next;
    return v;
}

const json_t *json_path(const json_t *from, str_t path)
{
    str_t part;
    while (from && str_split(&path, '.', &part))
        from = json_is(from, JSON_ARRAY) ? element(from, part) : json_get(from, part);
    return from;
}

/* Claims of URLs have dots in their names, so a whole name comes before a path. */
const json_t *json_claim(const json_t *claims, str_t name)
{
    const json_t *v = json_get(claims, name);
    return v ? v : json_path(claims, name);
}
