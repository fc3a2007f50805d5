#include "conf/conf_node.h"

#include "conf/conf_table.h"
#include "core/url.h"

rc_t conf_node_refuse(arena_t *a, const conf_node_t *node, str_t what, const char *mend, str_t *why)
{
    *why = arena_printf(a, "%" PRIstr ", in line %u of the settings file: %s", STR_ARG(what),
                        node->line + 1, mend);
    return RC_CONFIG;
}

size_t conf_node_count(const conf_node_t *node)
{
    size_t n = 0;
    for (const conf_node_t *c = node->child; c; c = c->next)
        n++;
    return n;
}

bool conf_node_is_nothing(const conf_node_t *node)
{
    return node->kind == CONF_SCALAR && node->value.n == 0;
}

rc_t conf_node_text(arena_t *a, const conf_node_t *node, str_t what, str_t *out, str_t *why)
{
    if (node->kind != CONF_SCALAR || node->value.n == 0 || !conf_is_text(node->value))
        return conf_node_refuse(a, node, what, "here belongs one line of text", why);
    *out = node->value;
    return RC_OK;
}

rc_t conf_node_words(arena_t *a, const conf_node_t *node, str_t what, str_list_t *out, str_t *why)
{
    *out = (str_list_t){0};
    if (conf_node_is_nothing(node))
        return RC_OK;
    if (node->kind != CONF_LIST)
        return conf_node_refuse(a, node, what, "here belongs a list, such as [\"a\", \"b\"]", why);
    size_t n = conf_node_count(node);
    str_t *v = ARENA_ARRAY(a, n ? n : 1, str_t);
    if (!v)
        return RC_MEMORY;
    *out = (str_list_t){v, n};
    for (const conf_node_t *c = node->child; c; c = c->next)
        TRY(conf_node_text(a, c, what, v++, why));
    return RC_OK;
}

rc_t conf_node_urls(arena_t *a, const conf_node_t *node, str_t what, str_list_t *out, str_t *why)
{
    str_list_t words;
    TRY(conf_node_words(a, node, what, &words, why));
    str_t *v = ARENA_ARRAY(a, words.n ? words.n : 1, str_t);
    if (!v)
        return RC_MEMORY;
    for (size_t i = 0; i < words.n; i++) {
        url_t u;
        if (url_parse(words.v[i], &u) != RC_OK || !url_is_http(&u) || str_is_set(u.fragment) ||
            str_is_set(u.userinfo))
            return conf_node_refuse(a, node, what,
                                    "resources are http(s) URLs without user and fragment", why);
        TRY(url_canonical(a, &u, &v[i]));
    }
    *out = (str_list_t){v, words.n};
    return RC_OK;
}

bool conf_is_scope(str_t s)
{
    return s.n > 0 && str_is_printable_ascii(s) && str_find(s, ' ', 0) == s.n &&
           str_find(s, '"', 0) == s.n && str_find(s, '\\', 0) == s.n;
}

rc_t conf_node_scopes(arena_t *a, const conf_node_t *node, str_t what, str_list_t *out, str_t *why)
{
    TRY(conf_node_words(a, node, what, out, why));
    for (size_t i = 0; i < out->n; i++)
        if (!conf_is_scope(out->v[i]))
            return conf_node_refuse(a, node, what,
                                    "a scope is printable ASCII without space, quote and backslash",
                                    why);
    return RC_OK;
}
