#include "as/local.h"

#include "as/app.h"
#include "core/limits.h"
#include "identity/setup.h"
#include "jose/jws.h"
#include "oauth/metadata.h"
#include "oauth/revocation_list.h"

#include <pthread.h>
#include <stdlib.h>

enum {
    QUEUE = 16,           /* completions; one question is asked at a time, and one snapshot */
    PAGE_BYTES = 1 << 20, /* memory of a page of revocations */
};

/* A worker without a loop: whoever asks runs its completions, one asker at a time. */
struct as_local {
    as_t *as;
    as_worker_t *worker;
    pthread_mutex_t asking;

    pthread_mutex_t lock; /* guards the queue */
    pthread_cond_t filled;
    struct {
        void (*fn)(void *arg);
        void *arg;
    } queue[QUEUE];
    size_t n;

    pthread_mutex_t signing;
    as_snapshot_t *signer; /* whose key signs; replaced by askers only */
};

static rc_t post(void *ctx, void (*fn)(void *arg), void *arg)
{
    as_local_t *l = ctx;
    rc_t rc = RC_BUSY;
    pthread_mutex_lock(&l->lock);
    if (l->n < QUEUE) {
        l->queue[l->n].fn = fn;
        l->queue[l->n++].arg = arg;
        rc = RC_OK;
    }
    pthread_cond_signal(&l->filled);
    pthread_mutex_unlock(&l->lock);
    return rc;
}

static void run_one(as_local_t *l)
{
    pthread_mutex_lock(&l->lock);
    while (l->n == 0)
        pthread_cond_wait(&l->filled, &l->lock);
    void (*fn)(void *) = l->queue[0].fn;
    void *arg = l->queue[0].arg;
    memmove(&l->queue[0], &l->queue[1], --l->n * sizeof l->queue[0]);
    pthread_mutex_unlock(&l->lock);
    fn(arg);
}

typedef struct {
    bool done;
    rc_t rc;
} answer_t;

static void answered(void *ctx, rc_t rc, size_t failed)
{
    (void)failed;
    *(answer_t *)ctx = (answer_t){true, rc};
}

/* As the only asker. */
static rc_t ask(as_local_t *l, arena_t *a, ask_t *question)
{
    answer_t answer = {0};
    store_ask(l->worker->store, a, question, 1, answered, &answer);
    while (!answer.done)
        run_one(l);
    return answer.rc;
}

/* As the only asker: the newest snapshot, or the one before where the store does not answer. */
static const as_snapshot_t *look(as_local_t *l)
{
    as_worker_t *w = l->worker;
    as_snapshot_refresh(w);
    while (w->snapshot_loading)
        run_one(l);
    if (!w->snapshot || w->snapshot == l->signer)
        return w->snapshot;
    as_snapshot_t *old = l->signer, *now = as_snapshot_hold(w->snapshot);
    pthread_mutex_lock(&l->signing);
    l->signer = now;
    pthread_mutex_unlock(&l->signing);
    as_snapshot_release(old);
    return w->snapshot;
}

rc_t as_local_new(as_t *as, as_local_t **out)
{
    as_local_t *l = calloc(1, sizeof *l);
    *out = NULL;
    if (!l)
        return RC_MEMORY;
    l->as = as;
    pthread_mutex_init(&l->asking, NULL);
    pthread_mutex_init(&l->lock, NULL);
    pthread_mutex_init(&l->signing, NULL);
    pthread_cond_init(&l->filled, NULL);
    rc_t rc = as_worker_new(as, (post_port_t){post, l}, &l->worker);
    if (rc == RC_OK && !look(l))
        rc = RC_NOT_FOUND;
    if (rc != RC_OK) {
        as_local_free(l);
        return rc;
    }
    *out = l;
    return RC_OK;
}

void as_local_free(as_local_t *l)
{
    if (!l)
        return;
    as_snapshot_release(l->signer);
    if (l->worker)
        as_worker_free(l->worker);
    pthread_cond_destroy(&l->filled);
    pthread_mutex_destroy(&l->signing);
    pthread_mutex_destroy(&l->lock);
    pthread_mutex_destroy(&l->asking);
    free(l);
}

static int64_t put(str_t text, char *body, size_t cap)
{
    if (!str_is_set(text) || text.n > cap)
        return -1;
    memcpy(body, text.p, text.n);
    return (int64_t)text.n;
}

static int64_t get_document(as_local_t *l, as_doc_t which, char *body, size_t cap)
{
    const as_snapshot_t *s = look(l);
    return s ? put(s->documents[which].body, body, cap) : -1;
}

static rc_t read_page(as_local_t *l, arena_t *a, str_t query, str_t *out)
{
    uint64_t since;
    ask_t list = {.kind = ASK_REVOCATIONS, .limit = LIMIT_REVOCATIONS_PAGE + 1};
    if (!oauth_revocation_list_since(a, query, &since))
        return RC_MALFORMED;
    list.since = (int64_t)since;
    TRY(ask(l, a, &list));
    return oauth_revocation_list_write(a, since, list.u.revoked, list.count, out);
}

static int64_t get_page(as_local_t *l, str_t query, char *body, size_t cap)
{
    str_t page = STR_UNSET;
    arena_t *a = arena_new(PAGE_BYTES);
    rc_t rc = a ? read_page(l, a, query, &page) : RC_MEMORY;
    int64_t n = rc == RC_OK ? put(page, body, cap) : -1;
    arena_free(a);
    return n;
}

static int64_t get(as_local_t *l, str_t path, char *body, size_t cap)
{
    static const struct {
        str_t path;
        as_doc_t which;
    } DOCUMENTS[] = {
        {STR_INIT("/.well-known/oauth-authorization-server"), AS_DOCUMENT_SERVER},
        {STR_INIT("/.well-known/openid-configuration"), AS_DOCUMENT_OPENID},
        {STR_INIT(OAUTH_PATH_JWKS), AS_DOCUMENT_JWKS},
    };
    size_t mark = str_find(path, '?', 0);
    str_t query = mark < path.n ? str_skip(path, mark + 1) : STR("");
    for (size_t i = 0; i < sizeof DOCUMENTS / sizeof DOCUMENTS[0]; i++)
        if (str_eq(path, DOCUMENTS[i].path))
            return get_document(l, DOCUMENTS[i].which, body, cap);
    if (str_eq(str_first(path, mark), STR(OAUTH_PATH_REVOCATIONS)))
        return get_page(l, query, body, cap);
    return -1;
}

int64_t as_local_get(void *local, str_t url, char *body, size_t cap)
{
    as_local_t *l = local;
    str_t issuer = l->as->oauth.issuer;
    if (!str_starts(url, issuer))
        return -1;
    pthread_mutex_lock(&l->asking);
    int64_t n = get(l, str_skip(url, issuer.n), body, cap);
    pthread_mutex_unlock(&l->asking);
    return n;
}

/* One of this process is used by one thread at a time. */
static rc_t sign_here(as_local_t *l, arena_t *a, jws_sign_t what, str_t *jwt)
{
    pthread_mutex_lock(&l->signing);
    const as_snapshot_t *s = l->signer;
    what.alg = s->alg;
    what.kid = s->kid;
    rc_t rc = jws_sign(a, &s->signer, &what, jwt);
    pthread_mutex_unlock(&l->signing);
    return rc;
}

/* A vault answers many threads, and nobody waits for the answer of another. */
static rc_t sign_behind(as_local_t *l, arena_t *a, jws_sign_t what, str_t *jwt)
{
    pthread_mutex_lock(&l->signing);
    const signer_port_t signer = l->signer->signer;
    what.alg = l->signer->alg;
    what.kid = arena_dup(a, l->signer->kid);
    pthread_mutex_unlock(&l->signing);
    return str_is_set(what.kid) ? jws_sign(a, &signer, &what, jwt) : RC_MEMORY;
}

rc_t as_local_sign(void *local, arena_t *a, str_t typ, str_t claims, str_t *jwt)
{
    as_local_t *l = local;
    const jws_sign_t what = {.typ = typ, .payload = claims};
    return l->as->vault ? sign_behind(l, a, what, jwt) : sign_here(l, a, what, jwt);
}

rc_t as_local_open_setup(as_local_t *l, arena_t *a, str_t *link)
{
    str_t token;
    const as_t *as = l->as;
    TRY(identity_setup_open(a, l->signer->derive_key, &as->random, clock_seconds(&as->clock),
                            &token));
    return identity_setup_link(a, as->oauth.issuer, token, link);
}

bool as_local_store_answers(as_local_t *l)
{
    ask_t users = {.kind = ASK_ANY_USER};
    arena_t *a = arena_new(PAGE_BYTES);
    if (!a)
        return false;
    pthread_mutex_lock(&l->asking);
    bool answers = ask(l, a, &users) == RC_OK;
    pthread_mutex_unlock(&l->asking);
    arena_free(a);
    return answers;
}
