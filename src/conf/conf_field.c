#include "conf/conf_field.h"

#include "conf/conf_node.h"
#include "conf/conf_table.h"
#include "core/num.h"

static rc_t refuse(const conf_node_t *node, const conf_into_t *into, const char *mend)
{
    return conf_node_refuse(into->a, node, into->what, mend, into->why);
}

static rc_t read_maybe(const conf_node_t *node, const conf_into_t *into, str_t *out)
{
    if (node->kind != CONF_SCALAR || !conf_is_text(node->value))
        return refuse(node, into, "here belongs one line of text");
    *out = node->value;
    return RC_OK;
}

static rc_t read_bool(const conf_node_t *node, const conf_into_t *into, bool *out)
{
    *out = str_eq(node->value, STR("true"));
    if (node->kind == CONF_SCALAR && (*out || str_eq(node->value, STR("false"))))
        return RC_OK;
    str_t mend = arena_printf(into->a, "%" PRIstr " is true or false", STR_ARG(node->key));
    return str_is_set(mend) ? refuse(node, into, mend.p) : RC_MEMORY;
}

static rc_t read_int(const conf_field_t *f, const conf_node_t *node, const conf_into_t *into,
                     int64_t *out)
{
    if (node->kind == CONF_SCALAR && num_i64(node->value, f->min, f->max, out))
        return RC_OK;
    str_t mend = arena_printf(into->a, "%" PRIstr " is a whole number from %lld to %lld",
                              STR_ARG(node->key), (long long)f->min, (long long)f->max);
    return str_is_set(mend) ? refuse(node, into, mend.p) : RC_MEMORY;
}

static rc_t read_choice(const conf_field_t *f, const conf_node_t *node, const conf_into_t *into,
                        void *out)
{
    unsigned i = 0;
    str_t rest = f->words, word;
    while (node->kind == CONF_SCALAR && str_split(&rest, ' ', &word)) {
        if (str_eq(word, node->value)) {
            memcpy(out, &i, sizeof i);
            return RC_OK;
        }
        i++;
    }
    str_t mend = arena_printf(into->a, "%" PRIstr " is one of: %" PRIstr, STR_ARG(node->key),
                              STR_ARG(f->words));
    return str_is_set(mend) ? refuse(node, into, mend.p) : RC_MEMORY;
}

static rc_t read_field(const conf_field_t *f, const conf_node_t *node, const conf_into_t *into)
{
    void *out = (char *)into->record + f->offset;
    switch (f->kind) {
    case CONF_FIELD_TEXT:
        return conf_node_text(into->a, node, into->what, out, into->why);
    case CONF_FIELD_MAYBE:
        return read_maybe(node, into, out);
    case CONF_FIELD_WORDS:
        return conf_node_words(into->a, node, into->what, out, into->why);
    case CONF_FIELD_BOOL:
        return read_bool(node, into, out);
    case CONF_FIELD_INT:
        return read_int(f, node, into, out);
    case CONF_FIELD_CHOICE:
        return read_choice(f, node, into, out);
    }
    return RC_CONFIG;
}

rc_t conf_field_read(const conf_fields_t *fields, const conf_node_t *node, conf_into_t into,
                     bool *known)
{
    *known = false;
    for (size_t i = 0; i < fields->n; i++) {
        if (!str_eq(fields->v[i].key, node->key))
            continue;
        *known = true;
        return read_field(&fields->v[i], node, &into);
    }
    return RC_OK;
}
