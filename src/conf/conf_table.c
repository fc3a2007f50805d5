#include "conf/conf_table.h"

#include "conf/conf_yaml.h"
#include "core/buf.h"
#include "core/limits.h"

#include <stddef.h>

#define AT(key) offsetof(conf_t, key)

const conf_row_t CONF_ROWS[] = {
#define SETTING_STR(key, def, text)                                                                \
    {STR_INIT(#key), CONF_STR, STR_INIT(def), {NULL, 0}, 0, 0, STR_INIT(text), AT(key)},
#define SETTING_ENUM(key, def, words, text)                                                        \
    {STR_INIT(#key), CONF_ENUM, STR_INIT(def), STR_INIT(words), 0, 0, STR_INIT(text), AT(key)},
#define SETTING_INT(key, def, min, max, text)                                                      \
    {STR_INIT(#key), CONF_INT, STR_INIT(#def), {NULL, 0}, min, max, STR_INIT(text), AT(key)},
#define SETTING_BOOL(key, def, text)                                                               \
    {STR_INIT(#key), CONF_BOOL, STR_INIT(#def), {NULL, 0}, 0, 0, STR_INIT(text), AT(key)},
#define SETTING_LIST(key, text)                                                                    \
    {STR_INIT(#key), CONF_STRS, STR_INIT(""), {NULL, 0}, 0, 0, STR_INIT(text), AT(key)},
#include "conf/settings.def"
#undef SETTING_STR
#undef SETTING_ENUM
#undef SETTING_INT
#undef SETTING_BOOL
#undef SETTING_LIST
};
const size_t CONF_N_ROWS = sizeof CONF_ROWS / sizeof CONF_ROWS[0];

size_t conf_row_find(str_t key)
{
    size_t i = 0;
    while (i < CONF_N_ROWS && !str_eq(CONF_ROWS[i].key, key))
        i++;
    return i;
}

/* Letters that the two have in common at the front and at the back. */
static size_t likeness(str_t a, str_t b)
{
    size_t front = 0, back = 0, least = a.n < b.n ? a.n : b.n;
    while (front < least && a.p[front] == b.p[front])
        front++;
    while (back < least - front && a.p[a.n - 1 - back] == b.p[b.n - 1 - back])
        back++;
    return front + back;
}

/* Less than half in common is a guess that helps nobody. */
static bool is_alike(str_t key, size_t score)
{
    return score >= 3 && score * 2 >= key.n;
}

str_t conf_row_nearest(str_t key)
{
    size_t best = 0, score = 0;
    for (size_t i = 0; i < CONF_N_ROWS; i++) {
        size_t like = likeness(key, CONF_ROWS[i].key);
        if (like > score) {
            score = like;
            best = i;
        }
    }
    return is_alike(key, score) ? CONF_ROWS[best].key : STR_UNSET;
}

str_t conf_nearest(str_list_t known, str_t key)
{
    size_t best = 0, score = 0;
    for (size_t i = 0; i < known.n; i++) {
        size_t like = likeness(key, known.v[i]);
        if (like > score) {
            score = like;
            best = i;
        }
    }
    return is_alike(key, score) ? known.v[best] : STR_UNSET;
}

bool conf_is_text(str_t text)
{
    /* C1 controls begin with C2 80 to C2 9F; the rest are what YAML breaks lines at or drops:
     * U+2028, U+2029, U+FEFF, U+FFFE, U+FFFF. */
    static const str_t NO_TEXT[] = {STR_INIT("\xe2\x80\xa8"), STR_INIT("\xe2\x80\xa9"),
                                    STR_INIT("\xef\xbb\xbf"), STR_INIT("\xef\xbf\xbe"),
                                    STR_INIT("\xef\xbf\xbf")};
    const unsigned char *p = (const unsigned char *)text.p;
    for (size_t i = 0; i < text.n; i++)
        if (p[i] < 0x20 || p[i] == 0x7f || (p[i] == 0xc2 && i + 1 < text.n && p[i + 1] < 0xa0))
            return false;
    for (size_t i = 0; i < sizeof NO_TEXT / sizeof NO_TEXT[0]; i++)
        if (str_contains(text, NO_TEXT[i]))
            return false;
    return str_is_utf8(text);
}

str_t conf_shown(arena_t *a, str_t text)
{
    enum { SHOWN_MAX = 120 };
    str_t cut = str_first(text, SHOWN_MAX);
    char *p = arena_alloc(a, SHOWN_MAX);
    if (!p)
        return STR("");
    for (size_t i = 0; i < cut.n; i++)
        p[i] = cut.p[i] >= 0x20 && cut.p[i] < 0x7f ? cut.p[i] : '?';
    return str_of(p, cut.n);
}

static str_t where(arena_t *a, conf_origin_t origin, unsigned line)
{
    static const char *const WHERE[] = {"the default", "the settings file", "the environment",
                                        "the command line"};
    if (origin == CONF_FROM_FILE)
        return arena_printf(a, "line %u of the settings file", line + 1);
    return str_c(WHERE[origin]);
}

rc_t conf_refuse(arena_t *a, const conf_row_t *row, const conf_raw_t *raw, str_t mend, str_t *why)
{
    str_t from = where(a, raw->origin, raw->line), shown = conf_shown(a, raw->text);
    *why = arena_printf(a, "%" PRIstr " (from %" PRIstr ") is '%" PRIstr "'; %" PRIstr,
                        STR_ARG(row->key), STR_ARG(from), STR_ARG(shown), STR_ARG(mend));
    return RC_CONFIG;
}

static rc_t no_such_key(arena_t *a, str_t key, str_t from, str_t *why)
{
    str_t shown = conf_shown(a, key), near = conf_row_nearest(key);
    str_t mend = str_is_set(near) ? arena_printf(a, "did you mean '%" PRIstr "'?", STR_ARG(near))
                                  : STR("docs/SETTINGS.md lists the settings");
    *why = arena_printf(a, "there is no setting '%" PRIstr "' (from %" PRIstr "); %" PRIstr,
                        STR_ARG(shown), STR_ARG(from), STR_ARG(mend));
    return RC_CONFIG;
}

static rc_t split_list(arena_t *a, conf_raw_t *raw)
{
    size_t n = 1;
    for (size_t i = 0; i < raw->text.n; i++)
        n += raw->text.p[i] == ',';
    str_t *v = ARENA_ARRAY(a, n, str_t);
    if (!v)
        return RC_MEMORY;
    size_t filled = 0;
    str_t part;
    for (str_t rest = raw->text; str_split(&rest, ',', &part);) {
        part = str_trim(part, " ");
        if (part.n > 0)
            v[filled++] = part;
    }
    raw->list = (str_list_t){v, filled};
    return RC_OK;
}

static rc_t set_values(arena_t *a, const conf_value_t *values, size_t n, conf_origin_t origin,
                       conf_raw_t *raw, str_t *why)
{
    for (size_t i = 0; i < n; i++) {
        size_t row = conf_row_find(values[i].key);
        if (row == CONF_N_ROWS)
            return no_such_key(a, values[i].key, where(a, origin, 0), why);
        raw[row] = (conf_raw_t){.text = values[i].value, .origin = origin};
        if (CONF_ROWS[row].type == CONF_STRS)
            TRY(split_list(a, &raw[row]));
    }
    return RC_OK;
}

static rc_t one_value(arena_t *a, const conf_node_t *node, const char *what, str_t *why)
{
    *why = arena_printf(a, "%" PRIstr " (from line %u of the settings file) takes %s",
                        STR_ARG(node->key), node->line + 1, what);
    return RC_CONFIG;
}

static rc_t join_list(arena_t *a, const conf_node_t *node, conf_raw_t *raw, str_t *why)
{
    size_t n = 0;
    for (const conf_node_t *c = node->child; c; c = c->next)
        n++;
    str_t *v = ARENA_ARRAY(a, n ? n : 1, str_t);
    if (!v)
        return RC_MEMORY;
    n = 0;
    buf_t joined = buf_new(a, LIMIT_CONF_FILE_BYTES);
    for (const conf_node_t *c = node->child; c; c = c->next) {
        if (c->kind != CONF_SCALAR)
            return one_value(a, node, "a list of words", why);
        v[n++] = c->value;
        if (joined.n > 0)
            buf_put(&joined, STR(","));
        buf_put(&joined, c->value);
    }
    raw->list = (str_list_t){v, n};
    return buf_done(&joined, &raw->text);
}

static rc_t set_node(arena_t *a, const conf_node_t *node, conf_raw_t *raw, str_t *why)
{
    size_t row = conf_row_find(node->key);
    if (row == CONF_N_ROWS)
        return no_such_key(a, node->key, where(a, CONF_FROM_FILE, node->line), why);
    raw[row] = (conf_raw_t){.text = node->value, .origin = CONF_FROM_FILE, .line = node->line};
    if (CONF_ROWS[row].type == CONF_STRS && node->kind == CONF_LIST)
        return join_list(a, node, &raw[row], why);
    if (node->kind != CONF_SCALAR)
        return one_value(a, node, "one value", why);
    return CONF_ROWS[row].type == CONF_STRS ? split_list(a, &raw[row]) : RC_OK;
}

static const conf_node_t **node_of(conf_nodes_t *nodes, str_t key)
{
    if (str_eq(key, STR("resources")))
        return &nodes->resources;
    if (str_eq(key, STR("upstreams")))
        return &nodes->upstreams;
    if (str_eq(key, STR("policies")))
        return &nodes->policies;
    return str_eq(key, STR("trusted_issuers")) ? &nodes->trusted_issuers : NULL;
}

rc_t conf_merge(arena_t *a, const conf_sources_t *sources, conf_raw_t *raw, conf_nodes_t *nodes,
                str_t *why)
{
    *nodes = (conf_nodes_t){0};
    for (size_t i = 0; i < CONF_N_ROWS; i++)
        raw[i] = (conf_raw_t){.text = CONF_ROWS[i].def};
    if (str_is_set(sources->file_name)) {
        conf_node_t *top;
        TRY(conf_yaml_parse(a, sources->file, &top, why));
        for (const conf_node_t *n = top->child; n; n = n->next) {
            const conf_node_t **own = node_of(nodes, n->key);
            if (own)
                *own = n;
            else
                TRY(set_node(a, n, raw, why));
        }
    }
    TRY(set_values(a, sources->env, sources->n_env, CONF_FROM_ENV, raw, why));
    return set_values(a, sources->flags, sources->n_flags, CONF_FROM_FLAG, raw, why);
}
