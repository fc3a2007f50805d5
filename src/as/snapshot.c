#include "as/as.h"
#include "core/buf.h"
#include "jose/digest.h"
#include "oauth/handle.h"

#include <stdlib.h>

enum { SNAPSHOT_BYTES = 16 << 20, RETRY_MS = 1000 };

/* One question to the store about everything; lives in the new snapshot's arena. */
typedef struct {
    as_worker_t *w;
    as_snapshot_t *s;
    ask_t asks[2];
} load_t;

rc_t as_snapshot_seal_keys(arena_t *a, const as_snapshot_t *s, str_list_t *out)
{
    str_t *v = ARENA_ARRAY(a, s->seal_keys.n + 1, str_t);
    if (!v)
        return RC_MEMORY;
    for (size_t i = 0; i < s->seal_keys.n; i++)
        v[i] = s->seal_keys.v[i].key;
    *out = (str_list_t){v, s->seal_keys.n};
    return RC_OK;
}

as_snapshot_t *as_snapshot_hold(as_snapshot_t *s)
{
    s->refs++;
    return s;
}

void as_snapshot_release(as_snapshot_t *s)
{
    if (!s || --s->refs > 0)
        return;
    signer_local_free(s->local);
    keyring_unref(s->ring);
    arena_free(s->arena);
    free(s);
}

static as_snapshot_t *snapshot_new(void)
{
    as_snapshot_t *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->refs = 1;
    s->arena = arena_new(SNAPSHOT_BYTES);
    if (s->arena)
        return s;
    free(s);
    return NULL;
}

static rc_t make_signer(const as_t *as, as_snapshot_t *s)
{
    if (as->vault) {
        s->signer = (signer_port_t){as->vault->sign, as->vault->ctx};
        return RC_OK;
    }
    TRY(signer_local_new(keyring_keys(s->ring), &s->local));
    s->signer = signer_local_port(s->local);
    return RC_OK;
}

static rc_t make_keys(const as_t *as, as_snapshot_t *s, const ask_t *keys)
{
    const key_record_t *plain;
    keyring_record_t *records;
    size_t n;
    const as_opener_t opener = {as->vault, as->kek, as->random};
    TRY(as_vault_open(s->arena, &opener, keys->u.keys, keys->count, &plain));
    TRY(as_keys_signing(s->arena, plain, keys->count, &records, &n));
    TRY(as_keys_derive(s->arena, plain, keys->count, &s->derive_key));
    TRY(as_keys_sealing(s->arena, plain, keys->count, &s->seal_keys));
    if (as->vault)
        as_vault_public(records, n);
    TRY(keyring_new(records, n, &s->ring));
    const jwk_t *current = keyring_current(s->ring);
    if (!current)
        return RC_NOT_FOUND;
    s->alg = current->alg;
    s->kid = current->kid;
    return make_signer(as, s);
}

/* The ETag is a hash of the document: the same on every worker and after each start. */
static rc_t add_document(as_snapshot_t *s, as_doc_t which, str_t body)
{
    hash_t hash = oauth_handle_hash(body);
    buf_t b = buf_new(s->arena, 64);
    buf_char(&b, '"');
    buf_b64url(&b, hash.b, 15);
    buf_char(&b, '"');
    s->documents[which].body = body;
    return buf_done(&b, &s->documents[which].etag);
}

static rc_t make_documents(const as_t *as, as_snapshot_t *s)
{
    str_t body;
    oauth_metadata_facts_t facts = {&as->oauth, &s->resources, alg_name(s->alg)};
    TRY(oauth_metadata_write(s->arena, &facts, OAUTH_METADATA_SERVER, &body));
    TRY(add_document(s, AS_DOCUMENT_SERVER, body));
    TRY(oauth_metadata_write(s->arena, &facts, OAUTH_METADATA_OPENID, &body));
    TRY(add_document(s, AS_DOCUMENT_OPENID, body));
    return add_document(s, AS_DOCUMENT_JWKS, keyring_document(s->ring));
}

static rc_t fill(const as_t *as, as_snapshot_t *s, const load_t *load)
{
    s->resources = (oauth_resources_t){
        .v = load->asks[0].u.resources,
        .n = load->asks[0].count,
        .default_uri = as->default_resource,
    };
    TRY(make_keys(as, s, &load->asks[1]));
    return make_documents(as, s);
}

static void go_on(as_worker_t *w)
{
    as_snapshot_waiter_t *next, *all = w->snapshot_waiters;
    w->snapshot_waiters = NULL;
    w->snapshot_rounds = 0;
    for (; all; all = next) {
        next = all->next;
        all->fn(all->arg);
    }
}

/* What was on its way when somebody came may be older than what that one has seen: once more. */
static bool load_again(as_worker_t *w)
{
    if (!w->snapshot_waiters || w->snapshot_rounds++ > 0)
        return false;
    as_snapshot_refresh(w);
    return w->snapshot_loading;
}

static rc_t take(as_worker_t *w, as_snapshot_t *s, rc_t rc, const load_t *load)
{
    if (rc == RC_OK)
        rc = fill(w->as, s, load);
    if (rc != RC_OK) {
        if (!as_store_is_away(w->as))
            LOG(w->as->log, LOG_ERROR, "keys and resources cannot be read",
                LOG_S("why", str_c(rc_name(rc))));
        w->snapshot_retry_at = w->as->clock.mono_ms(w->as->clock.ctx) + RETRY_MS;
        as_snapshot_release(s);
        return rc;
    }
    w->snapshot_retry_at = 0;
    as_snapshot_release(w->snapshot);
    w->snapshot = s;
    return RC_OK;
}

static void loaded(void *ctx, rc_t rc, size_t failed)
{
    load_t *load = ctx;
    as_worker_t *w = load->w;
    (void)failed;
    w->snapshot_loading = false;
    rc = take(w, load->s, rc, load);
    if (rc != RC_OK || !load_again(w))
        go_on(w);
}

bool as_snapshot_wait(as_worker_t *w, as_snapshot_waiter_t *waiter)
{
    as_snapshot_refresh(w);
    if (!w->snapshot_loading)
        return false;
    waiter->next = w->snapshot_waiters;
    w->snapshot_waiters = waiter;
    return true;
}

void as_snapshot_refresh(as_worker_t *w)
{
    uint64_t generation = store_generation(w->store);
    if ((w->snapshot && w->snapshot->generation == generation) || w->snapshot_loading ||
        w->as->clock.mono_ms(w->as->clock.ctx) < w->snapshot_retry_at)
        return;
    as_snapshot_t *s = snapshot_new();
    load_t *load = s ? ARENA_NEW(s->arena, load_t) : NULL;
    if (!load) {
        as_snapshot_release(s);
        return;
    }
    s->generation = generation;
    *load = (load_t){w, s, {{.kind = ASK_RESOURCES}, {.kind = ASK_KEYS}}};
    w->snapshot_loading = true;
    store_ask(w->store, s->arena, load->asks, 2, loaded, load);
}
