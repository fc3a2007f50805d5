/* What a child answers to the questions of the keeper itself: which era it speaks (MCP 2026-07-28,
 * stdio, "Backward Compatibility"), and the handshake of a shared one. */
#include "proxy/child_keeper.h"

#include <stdlib.h>

/* Errors that only a server of the stateless era gives. */
enum { CODE_FIRST_MODERN = -32022, CODE_LAST_MODERN = -32020 };

static void keep_supported(child_keeper_t *k, const json_t *list)
{
    char *p = json_is(list, JSON_ARRAY) ? malloc(list->raw.n + 1) : NULL;
    free(k->supported);
    k->supported = p;
    k->supported_n = p ? list->raw.n : 0;
    if (p)
        memcpy(p, list->raw.p, list->raw.n);
}

static void read_versions(child_keeper_t *k, const json_t *list)
{
    bool handshake = false;
    k->speaks_ours = false;
    for (const json_t *v = list ? list->child : NULL; v; v = v->next) {
        k->speaks_ours |= str_eq(v->str, CHILD_STATELESS);
        handshake |= str_is_set(v->str) && str_cmp(v->str, CHILD_STATELESS) < 0;
    }
    k->era = handshake ? CHILD_ERA_BOTH : CHILD_ERA_STATELESS;
    keep_supported(k, list);
}

static void set_era(child_t *c, const child_line_t *line)
{
    child_keeper_t *k = c->keeper;
    const json_t *result = json_get(line->root, STR("result"));
    const json_t *data = json_get(json_get(line->root, STR("error")), STR("data"));
    bool modern = line->code >= CODE_FIRST_MODERN && line->code <= CODE_LAST_MODERN;
    k->assumed = false;
    if (json_get(result, STR("supportedVersions")))
        read_versions(k, json_get(result, STR("supportedVersions")));
    else if (modern)
        read_versions(k, json_get(data, STR("supported")));
    else
        k->era = CHILD_ERA_HANDSHAKE;
    c->state = CHILD_SPARE;
    c->stateless = k->era != CHILD_ERA_HANDSHAKE;
    c->used_ms = child_now(k);
    child_started_well(c);
}

/* The answer is kept as it came: later callers get it with their own id. */
static bool keep_opened(child_t *c, const child_line_t *line)
{
    const json_t *result = json_get(line->root, STR("result"));
    if (!json_get_str(result, STR("protocolVersion")).p)
        return false;
    c->opened = malloc(result->raw.n);
    if (!c->opened)
        return false;
    memcpy(c->opened, result->raw.p, result->raw.n);
    c->opened_n = result->raw.n;
    return true;
}

static void finish_opening(child_t *c, const child_line_t *line)
{
    child_keeper_t *k = c->keeper;
    bool good = keep_opened(c, line) &&
                child_pipes_write(c->pipes, STR("{\"jsonrpc\":\"2.0\",\"method\":"
                                                "\"notifications/initialized\"}")) == RC_OK;
    if (!good) {
        k->modern_only = k->era == CHILD_ERA_STATELESS;
        if (!k->modern_only)
            child_failed(k);
        child_end(c, CHILD_REASON_REFUSED);
        return;
    }
    c->state = CHILD_READY;
    c->used_ms = child_now(k);
    k->assumed = false;
    child_started_well(c);
}

void child_take_own(child_t *c, const child_line_t *line)
{
    child_router_close(c->router, c->own);
    c->own = NULL;
    if (c->state == CHILD_PROBED)
        set_era(c, line);
    else if (c->state == CHILD_OPENING)
        finish_opening(c, line);
    child_dispatch_waiting(c->keeper);
}

/* Old servers may not answer at all, or die of a question that they do not know. */
void child_own_silent(child_t *c, bool ended)
{
    child_keeper_t *k = c->keeper;
    k->era = CHILD_ERA_HANDSHAKE;
    k->assumed = true;
    if (ended)
        return;
    if (c->own)
        child_router_close(c->router, c->own);
    c->own = NULL;
    c->state = CHILD_SPARE;
    c->used_ms = child_now(k);
    child_started_well(c);
}
