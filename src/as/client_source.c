#include "as/client_source.h"

#include "as/client.h"
#include "core/limits.h"
#include "oauth/sealed_client.h"

#include <assert.h>

/* ---- documents ---- */

as_flow_document_t *as_flow_fetch(as_flow_t *f, str_t url, const as_fetched_kind_t *kind)
{
    for (size_t i = 0; i < f->n_documents; i++)
        if (f->documents[i].kind == kind && str_eq(f->documents[i].url, url))
            return &f->documents[i];
    assert(f->n_documents < AS_FLOW_DOCUMENTS_MAX);
    as_flow_document_t *d = &f->documents[f->n_documents++];
    *d = (as_flow_document_t){.url = url, .kind = kind};
    return d;
}

bool as_flow_fetch_again(as_flow_document_t *d)
{
    if (d->again || d->waited || d->state != AS_FLOW_DOCUMENT_THERE)
        return false;
    d->again = true;
    d->state = AS_FLOW_DOCUMENT_WANTED;
    return true;
}

/* Statuses that pass by themselves. */
static bool is_temporary(const http_fetch_result_t *r)
{
    switch (r->verdict) {
    case HTTP_FETCH_OK:
        return r->status >= 500 || r->status == 429 || r->status == 408;
    case HTTP_FETCH_TIMEOUT:
    case HTTP_FETCH_TLS:
    case HTTP_FETCH_FAILED:
        return true;
    case HTTP_FETCH_BAD_URL:
    case HTTP_FETCH_SPECIAL:
    case HTTP_FETCH_REDIRECT:
    case HTTP_FETCH_TOO_LONG:
        break;
    }
    return false;
}

static str_t word_for(arena_t *a, const as_fetched_document_t *found)
{
    if (!found)
        return STR("too many fetches");
    const http_fetch_result_t *r = &found->result;
    if (r->verdict != HTTP_FETCH_OK)
        return arena_printf(a, "fetch: %" PRIstr, STR_ARG(http_fetch_verdict_name(r->verdict)));
    if (r->status != 200)
        return arena_printf(a, "fetch: status %d", r->status);
    return STR("fetch: not such a document");
}

static void release(void *document)
{
    as_fetched_release(document);
}

/* Takes the answer over. Where a fetch once more has failed, what was there stays. */
static rc_t take(as_flow_t *f, as_flow_document_t *d)
{
    as_fetched_document_t *found = d->ask.document;
    d->ask.document = NULL;
    d->state = AS_FLOW_DOCUMENT_THERE;
    if (found)
        TRY(arena_cleanup(f->a, release, found));
    if (found && found->fits)
        d->body = found->result.body;
    else if (str_is_set(d->body))
        return RC_OK;
    d->result = found ? &found->result : NULL;
    d->temporary = !found || is_temporary(&found->result);
    d->why = str_is_set(d->body) ? STR_UNSET : word_for(f->a, found);
    return RC_OK;
}

/* What was gathered before the wait is old by now: all questions are asked again. */
static void came(void *arg)
{
    as_flow_t *f = arg;
    f->now = clock_seconds(&f->w->as->clock);
    for (size_t i = 0; i < f->n_documents; i++) {
        as_flow_document_t *d = &f->documents[i];
        if (d->state != AS_FLOW_DOCUMENT_COMING)
            continue;
        d->waited = true;
        rc_t rc = take(f, d);
        if (rc != RC_OK) {
            as_flow_fail(f, rc);
            return;
        }
    }
    as_flow_gather_again(f, f->decide);
}

/* Whoever asks for documents that nobody has is held to a number of them: each holds a thread for
 * as long as its host pleases, within LIMIT_HTTP_FETCH_MS. */
static bool answered_now(as_flow_t *f, as_flow_document_t *d)
{
    uint32_t retry_after;
    d->ask.kept_only = !d->again;
    if (d->ask.kept_only && as_fetched_get(f->w->as->fetched, &d->ask) && d->ask.document)
        return true;
    if (!as_limits_take(f->w->as->limits, AS_RATE_FETCH, f->x->rate_key, &retry_after))
        return true;
    d->ask.kept_only = false;
    return as_fetched_get(f->w->as->fetched, &d->ask);
}

/* True: it is there. False: *rc says whether it is coming. */
static bool have(as_flow_t *f, as_flow_document_t *d, rc_t *rc)
{
    *rc = RC_OK;
    if (d->state == AS_FLOW_DOCUMENT_THERE)
        return true;
    d->state = AS_FLOW_DOCUMENT_COMING;
    d->ask = (as_fetched_ask_t){
        .url = d->url,
        .kind = d->kind,
        .again = d->again,
        .from = f->x->rate_key,
        .back = f->w->post,
        .done = came,
        .arg = f,
    };
    if (!answered_now(f, d))
        return false;
    *rc = take(f, d);
    return *rc == RC_OK;
}

/* ---- the client ---- */

void as_flow_client(as_flow_t *f, str_t client_id)
{
    ask_t *ask = as_flow_ask(f, ASK_CLIENT);
    ask->key = client_id;
    f->client_id = client_id;
    f->client_row = ask;
}

void as_flow_client_keys(as_flow_t *f)
{
    f->wants_client_keys = true;
}

bool as_flow_client_keys_again(as_flow_t *f)
{
    return f->client_key_set && as_flow_fetch_again(f->client_key_set);
}

/* The row, if it counts: of a client that is gone it only remains that it is. */
static const client_t *row_of(const as_flow_t *f)
{
    const client_t *row = f->client_row->u.client;
    return row && row->deleted_at == 0 ? row : NULL;
}

/* By its row, or by an id that holds its whole registration. */
static rc_t from_store(as_flow_t *f)
{
    str_list_t keys;
    const client_t *client;
    TRY(as_snapshot_seal_keys(f->a, f->snapshot, &keys));
    TRY(oauth_sealed_client_resolve(f->a, keys, f->client_id, f->client_row->u.client, &client));
    f->client = client && client->origin != CLIENT_BY_DOCUMENT ? client : NULL;
    return RC_OK;
}

static rc_t read_document(as_flow_t *f)
{
    const as_flow_document_t *d = f->client_document;
    if (!d->result || d->result->verdict != HTTP_FETCH_OK || d->temporary) {
        f->client_reason =
            d->temporary ? OAUTH_CLIENT_DOCUMENT_UNAVAILABLE : OAUTH_CLIENT_DOCUMENT_ANSWER;
        f->client_detail = d->why;
        return RC_OK;
    }
    oauth_client_document_t *read = ARENA_NEW(f->a, oauth_client_document_t);
    if (!read)
        return RC_MEMORY;
    const oauth_client_document_answer_t answer = {d->result->status, d->result->content_type,
                                                   d->result->body};
    TRY(oauth_client_document_read(f->a, &f->w->as->oauth, f->client_id, &answer, read));
    f->client_read = read;
    f->client_reason = read->reason;
    f->client_detail = read->reason == OAUTH_CLIENT_DOCUMENT_ANSWER ? d->why : read->detail;
    return RC_OK;
}

/* What an administrator decided for this client stands in its row, and outlives each version of the
 * document. */
static rc_t take_document(as_flow_t *f)
{
    client_t *client = ARENA_NEW(f->a, client_t);
    const client_t *row = row_of(f);
    if (!client)
        return RC_MEMORY;
    *client = f->client_read->client;
    const conf_known_client_t *known =
        conf_catalogue_of_document(&f->w->as->catalogue, f->client_id);
    client->lenient_loopback = known && known->lenient_loopback;
    if (row) {
        client->lenient_loopback |= row->lenient_loopback;
        client->created_at = row->created_at;
        client->stored = true;
    }
    f->client = client;
    return RC_OK;
}

/* False: wait, or fail with *rc. */
static bool by_document(as_flow_t *f, rc_t *rc)
{
    const oauth_settings_t *settings = &f->w->as->oauth;
    *rc = RC_OK;
    if (!f->client_document) {
        f->client_reason = oauth_client_document_check_url(settings, f->client_id);
        if (f->client_reason != OAUTH_FINE)
            return true;
        f->client_document = as_flow_fetch(f, f->client_id, &AS_FETCHED_CLIENT);
    }
    if (!have(f, f->client_document, rc))
        return false;
    if (!f->client_read)
        *rc = read_document(f);
    if (*rc == RC_OK && f->client_reason == OAUTH_FINE)
        *rc = take_document(f);
    return *rc == RC_OK;
}

static bool resolve_client(as_flow_t *f, rc_t *rc)
{
    *rc = RC_OK;
    f->client = NULL;
    if (!f->client_row)
        return true;
    if (!f->w->as->oauth.documents || !oauth_client_document_is_meant(f->client_id))
        *rc = from_store(f);
    else if (!by_document(f, rc))
        return false;
    if (*rc != RC_OK)
        return false;
    if (f->client_refusal && f->client_reason != OAUTH_FINE)
        *f->client_refusal = f->client_reason;
    return true;
}

static bool resolve_keys(as_flow_t *f, rc_t *rc)
{
    const client_t *client = f->client;
    *rc = RC_OK;
    f->client_jwks = f->client_jwks_why = STR_UNSET;
    if (!f->wants_client_keys || !client || client->auth != CLIENT_AUTH_PRIVATE_KEY_JWT)
        return true;
    if (!str_is_set(client->jwks_uri)) {
        f->client_jwks = client->jwks;
        return true;
    }
    f->client_key_set = as_flow_fetch(f, client->jwks_uri, &AS_FETCHED_KEYS);
    if (!have(f, f->client_key_set, rc))
        return false;
    f->client_jwks = f->client_key_set->body;
    f->client_jwks_why = f->client_key_set->why;
    return true;
}

static bool resolve_documents(as_flow_t *f, rc_t *rc)
{
    *rc = RC_OK;
    for (size_t i = 0; i < f->n_documents; i++)
        if (!have(f, &f->documents[i], rc))
            return false;
    return true;
}

static void prove_then_decide(as_flow_t *f)
{
    bool again = false;
    rc_t rc = f->asking ? as_client_prove(f, &again) : RC_OK;
    if (rc != RC_OK)
        as_flow_fail(f, rc);
    else if (again)
        as_flow_gather(f, f->decide);
    else
        f->decide(f);
}

void as_client_source_resolve(as_flow_t *f)
{
    rc_t rc;
    if (resolve_client(f, &rc) && resolve_keys(f, &rc) && resolve_documents(f, &rc))
        prove_then_decide(f);
    else if (rc != RC_OK)
        as_flow_fail(f, rc);
}
