/* The list of revocations, for resource servers that follow it. As public as the keys. */
#include "as/endpoints.h"
#include "as/flow.h"
#include "core/limits.h"
#include "oauth/revocation_list.h"

typedef struct {
    uint64_t since;
    const ask_t *list;
} revocations_t;

static rc_t answer(as_flow_t *f)
{
    str_t body;
    const revocations_t *r = f->own;
    TRY(oauth_revocation_list_write(f->a, r->since, r->list->u.revoked, r->list->count, &body));
    as_flow_answer_json(f, 200, body);
    /* A second: so much later at most do those learn of it who ask through a shared cache. */
    as_flow_header(f, STR("Cache-Control"), STR("public, max-age=1"));
    return RC_OK;
}

static void step(as_flow_t *f)
{
    as_flow_settle(f, answer(f));
}

static rc_t read(as_flow_t *f)
{
    revocations_t *r = f->own;
    if (!oauth_revocation_list_since(f->a, as_flow_parameters(f), &r->since))
        return RC_OK;
    ask_t *list = as_flow_ask(f, ASK_REVOCATIONS);
    list->since = (int64_t)r->since;
    list->limit = LIMIT_REVOCATIONS_PAGE + 1;
    r->list = list;
    return RC_OK;
}

void as_revocations_get(http_exchange_t *x)
{
    as_flow_t *f = as_flow_read(x, sizeof(revocations_t), read);
    if (!f)
        return;
    if (((const revocations_t *)f->own)->list)
        as_flow_gather(f, step);
    else
        http_reply_error(x, 400, STR("since is the seq of an earlier answer"));
}
