#include "mcp_server/kept_json.h"

#include <stdlib.h>

/* The block: nodes, then bytes. */
typedef struct {
    json_t *node; /* the next free one */
    char *byte;
    const char *from; /* the root's text as it was, and as it is kept */
    const char *text;
} kept_block_t;

static void measure(const json_t *v, size_t *nodes, size_t *bytes)
{
    (*nodes)++;
    *bytes += v->str.n + v->key.n;
    for (const json_t *c = v->child; c; c = c->next)
        measure(c, nodes, bytes);
}

static str_t keep_text(kept_block_t *b, str_t s)
{
    if (!s.p)
        return STR_UNSET;
    char *p = b->byte;
    memcpy(p, s.p, s.n);
    b->byte += s.n;
    return str_of(p, s.n);
}

static json_t *copy_node(kept_block_t *b, const json_t *v)
{
    json_t *out = b->node++;
    const json_t **end = &out->child;
    *out = (json_t){.type = v->type, .count = v->count};
    out->raw = str_of(b->text + (v->raw.p - b->from), v->raw.n);
    out->str = keep_text(b, v->str);
    out->key = keep_text(b, v->key);
    for (const json_t *c = v->child; c; c = c->next) {
        json_t *kept = copy_node(b, c);
        *end = kept;
        end = &kept->next;
    }
    return out;
}

json_t *mcp_json_keep(const json_t *v)
{
    size_t nodes = 0, bytes = v->raw.n + 1;
    measure(v, &nodes, &bytes);
    json_t *block = malloc(nodes * sizeof *block + bytes);
    if (!block)
        return NULL;
    kept_block_t b = {.node = block, .byte = (char *)(block + nodes), .from = v->raw.p};
    b.text = keep_text(&b, v->raw).p;
    return copy_node(&b, v);
}
