/* parse -> authenticate client -> load grant -> decide -> mint -> commit -> audit -> respond */
#include "oauth/token.h"

#include "as/client.h"
#include "as/dpop.h"
#include "as/endpoints.h"
#include "as/issuer.h"
#include "as/own_token.h"
#include "jose/jws.h"

typedef struct {
    as_client_t client;
    as_dpop_t dpop;
    oauth_token_request_t request;
    const ask_t *grant; /* the code, refresh token, device or person; NULL: none came */
    struct {
        oauth_own_token_t token;
        as_own_token_t known;
    } subject, actor;            /* of an exchange */
    oauth_bearer_t read, bearer; /* jwt-bearer: the assertion, before and after it was checked */
    as_issuer_t issuer;          /* who signed it */
    bool checked;                /* proof and tokens, whose signatures cost something */
} token_t;

/* What the resource wants opaque is there already. */
static rc_t sign(as_flow_t *f, const oauth_token_verdict_t *verdict, str_t *access_token)
{
    const as_snapshot_t *s = f->snapshot;
    const jws_sign_t what = {s->alg, s->kid, STR("at+jwt"), verdict->claims};
    *access_token = verdict->access_token;
    return str_is_set(*access_token) ? RC_OK : jws_sign(f->a, &s->signer, &what, access_token);
}

static rc_t mint(as_flow_t *f, const oauth_token_verdict_t *verdict)
{
    str_t access_token, body;
    TRY(sign(f, verdict, &access_token));
    TRY(oauth_token_answer(f->a, verdict, access_token, &body));
    as_flow_answer_json(f, 200, body);
    as_dpop_answer(f, &((const token_t *)f->own)->dpop);
    return RC_OK;
}

static oauth_token_facts_t gather_facts(const as_flow_t *f, const token_t *t)
{
    const as_t *as = f->w->as;
    oauth_token_facts_t facts = {
        .settings = &as->oauth,
        .random = &as->random,
        .now = f->now,
        .resources = &f->snapshot->resources,
        .claim = &t->client.claim,
        .request = &t->request,
        .client = as_client_record(&t->client),
        .proof = &t->dpop.proof,
        .seen = as_flow_seen(f),
        .subject = as_own_token_facts(&t->subject.known),
        .actor = as_own_token_facts(&t->actor.known),
    };
    if (!t->grant)
        return facts;
    ask_kind_t kind = t->grant->kind;
    facts.code = kind == ASK_CODE ? t->grant->u.code : NULL;
    facts.refresh = kind == ASK_REFRESH ? t->grant->u.refresh : NULL;
    facts.device = kind == ASK_DEVICE ? t->grant->u.device : NULL;
    facts.family = t->grant->family;
    facts.owner = kind == ASK_USER ? t->grant->u.user : t->grant->owner;
    return facts;
}

static rc_t decide(as_flow_t *f)
{
    token_t *t = f->own;
    oauth_token_verdict_t verdict;
    const oauth_token_facts_t facts = gather_facts(f, t);
    TRY(oauth_token_decide(f->a, &facts, &verdict));
    if (!as_client_count(f, &t->client, verdict.reason))
        return RC_OK;
    as_flow_take(f, &verdict.effects, verdict.quiet ? NULL : &verdict.event);
    if (verdict.reason == OAUTH_FINE)
        return mint(f, &verdict);
    as_flow_answer_json(f, verdict.status, verdict.body);
    as_flow_header(f, STR("WWW-Authenticate"), verdict.www_authenticate);
    as_dpop_answer(f, &t->dpop);
    return RC_OK;
}

/* Sets *more when the keys of the issuer must be asked for once more first: it is only now known
 * where they are, or one that was named is not among them. */
static rc_t check_bearer(as_flow_t *f, token_t *t, bool *more)
{
    *more = false;
    bool alone = t->client.claim.reason == OAUTH_CLIENT_AUTH_MISSING; /* counted by its address */
    if (!t->request.bearer || !(alone || as_client_is_proved(f, &t->client)))
        return RC_OK;
    TRY(as_issuer_follow(f, &t->issuer, more));
    if (*more)
        return RC_OK;
    const oauth_bearer_facts_t facts = {
        .settings = &f->w->as->oauth,
        .now = f->now,
        .issuer_jwks = as_issuer_jwks(&t->issuer),
        .keys_away = as_issuer_is_away(&t->issuer),
        .seen = as_flow_seen(f),
    };
    TRY(oauth_bearer_check(f->a, &facts, &t->read, &t->bearer));
    *more = t->bearer.reason == OAUTH_BEARER_KEY && as_issuer_keys_again(&t->issuer);
    return RC_OK;
}

/* The tokens of an exchange. */
static rc_t read_tokens(as_flow_t *f, token_t *t)
{
    str_t issuer = f->w->as->oauth.issuer;
    const jwks_t *keys = keyring_keys(f->snapshot->ring);
    const oauth_exchange_request_t *r = &t->request.exchange;
    if (str_is_set(r->subject_token)) {
        TRY(oauth_own_token_read(f->a, r->subject_token, keys, issuer, &t->subject.token));
        as_own_token_ask(f, &t->subject.token, &t->subject.known);
    }
    if (str_is_set(r->actor_token)) {
        TRY(oauth_own_token_read(f->a, r->actor_token, keys, issuer, &t->actor.token));
        as_own_token_ask(f, &t->actor.token, &t->actor.known);
    }
    return RC_OK;
}

/* Whoever asks has proved who it is: by what a client has, or by an assertion alone. */
static bool is_proved(const as_flow_t *f, const token_t *t)
{
    bool workload = t->client.claim.reason == OAUTH_CLIENT_AUTH_MISSING && t->request.bearer &&
                    t->bearer.is_workload && t->bearer.reason == OAUTH_FINE;
    return workload || as_client_is_proved(f, &t->client);
}

/* What costs the check of a signature comes once the client was counted and has proved who it is:
 * else strangers had as many as they like. */
static rc_t check_signatures(as_flow_t *f, token_t *t)
{
    if (t->checked || !is_proved(f, t))
        return RC_OK;
    t->checked = true;
    TRY(as_dpop_read(f, STR(OAUTH_PATH_TOKEN), &t->dpop));
    bool exchanges = t->request.grant == GRANT_TOKEN_EXCHANGE && t->request.reason == OAUTH_FINE;
    return exchanges ? read_tokens(f, t) : RC_OK;
}

static void step(as_flow_t *f)
{
    bool more;
    token_t *t = f->own;
    rc_t rc = check_bearer(f, t, &more);
    if (rc == RC_OK && !more)
        rc = check_signatures(f, t);
    bool opaque = f->n_asks > f->n_answered;
    if (!opaque)
        more |= as_own_token_ask_more(f, &t->subject.known);
    if (!opaque)
        more |= as_own_token_ask_more(f, &t->actor.known);
    if (rc == RC_OK && (more || opaque))
        as_flow_gather(f, step);
    else
        as_flow_settle(f, rc == RC_OK ? decide(f) : rc);
}

static rc_t read_bearer(as_flow_t *f, token_t *t)
{
    TRY(oauth_bearer_read(f->a, &f->w->as->oauth, &t->client.form, &t->read));
    t->request.bearer = &t->bearer;
    if (t->read.reason != OAUTH_FINE)
        return RC_OK;
    if (!t->read.is_workload) {
        ask_t *ask = as_flow_ask(f, ASK_USER);
        ask->key = t->read.subject;
        t->grant = ask;
    }
    return as_issuer_want(f, t->read.issuer, &t->issuer);
}

static rc_t read(as_flow_t *f)
{
    token_t *t = f->own;
    TRY(as_client_read(f, &t->client));
    TRY(oauth_token_read(f->a, &t->client.form, &t->request));
    if (t->request.grant == GRANT_JWT_BEARER)
        return read_bearer(f, t);
    if (!t->client.flow)
        return RC_OK;
    if (!t->request.has_hash)
        return RC_OK;
    ask_t *ask = as_flow_ask(f, t->request.grant == GRANT_AUTHORIZATION_CODE ? ASK_CODE
                                : t->request.grant == GRANT_DEVICE_CODE      ? ASK_DEVICE
                                                                             : ASK_REFRESH);
    ask->hash = t->request.hash;
    t->grant = ask;
    return RC_OK;
}

void as_token_post(http_exchange_t *x)
{
    as_flow_t *f = as_flow_read(x, sizeof(token_t), read);
    const token_t *t = f ? f->own : NULL;
    if (t && as_client_may_ask(f, &t->client, AS_RATE_TOKEN) &&
        as_client_may_ask(f, &t->client, AS_RATE_CLIENT_FAILS))
        as_flow_gather(f, step);
}
