#include "rs/introspection.h"

#include "core/buf.h"
#include "core/json.h"
#include "core/limits.h"
#include "core/secret.h"
#include "rs/dialect.h"
#include "rs/flight.h"

#include <limits.h>
#include <stdlib.h>

enum {
    REFUSED = 1024,    /* places for tokens that were not active */
    REFUSED_MS = 2000, /* and how long that counts: an inactive token never comes to life */
    PAUSE_MS = 1000,   /* after a question without answer */
    ROUND_MS = 5000,   /* all questions of one round, and so many at most: */
    ROUND = 2 * LIMIT_RS_QUESTIONS,
    STREAM_QUESTIONS = LIMIT_RS_QUESTIONS / 2,
    QUESTIONS = LIMIT_RS_QUESTIONS + STREAM_QUESTIONS,
    ASK_ARENA = 512 * 1024 /* for one question */
};

typedef struct {
    rs_token_hash_t hash;
    int64_t until;
} refused_t;

typedef struct {
    rs_token_hash_t hash;
    char *token;
    size_t n;
    rs_asker_t asker;
} question_t;

struct rs_introspection {
    const rs_settings_t *settings;
    const warder_rs_ports_t *ports;
    rs_flight_t flight;
    char *uri; /* NULL: not known yet */
    rs_token_cache_t *active;
    refused_t refused[REFUSED];
    question_t open[QUESTIONS];
    size_t n_open;
    int64_t pause_until;
};

static int64_t mono(const rs_introspection_t *i)
{
    return i->ports->mono_ms(i->ports->ctx);
}

static refused_t *place_of(rs_introspection_t *i, const rs_token_hash_t *hash)
{
    uint64_t at;
    memcpy(&at, hash->b, sizeof at);
    return &i->refused[at % REFUSED];
}

static bool same(const rs_token_hash_t *one, const rs_token_hash_t *other)
{
    return memcmp(one->b, other->b, sizeof one->b) == 0;
}

/* ---- the questions; with the lock ---- */

static bool is_noted(const rs_introspection_t *i, const rs_token_hash_t *hash)
{
    for (size_t k = 0; k < i->n_open; k++)
        if (same(&i->open[k].hash, hash))
            return true;
    return false;
}

static bool has_place(const rs_introspection_t *i, rs_asker_t asker)
{
    size_t n = 0;
    for (size_t k = 0; k < i->n_open; k++)
        n += i->open[k].asker == asker;
    return n < (asker == RS_ASKER_STREAM ? STREAM_QUESTIONS : LIMIT_RS_QUESTIONS);
}

static rs_asked_t note(rs_introspection_t *i, const rs_token_hash_t *hash, str_t token,
                       rs_asker_t asker)
{
    if (is_noted(i, hash))
        return RS_ASKED_WAIT;
    if (!has_place(i, asker))
        return RS_ASKED_FULL;
    char *copy = malloc(token.n + 1);
    if (!copy)
        return RS_ASKED_AWAY;
    memcpy(copy, token.p, token.n);
    i->open[i->n_open++] = (question_t){*hash, copy, token.n, asker};
    return RS_ASKED_WAIT;
}

static void forget(question_t *q)
{
    secret_wipe(q->token, q->n);
    free(q->token);
}

rs_asked_t rs_introspection_look(rs_introspection_t *i, arena_t *a, const rs_token_hash_t *hash,
                                 str_t token, rs_asker_t asker, rs_principal_t *who)
{
    rs_remembered_t seen;
    int64_t now = mono(i);
    if (rs_token_cache_get(i->active, a, hash, now, &seen)) {
        *who = seen.who;
        who->exp_ms = seen.exp_ms;
        return RS_ASKED_ACTIVE;
    }
    pthread_mutex_lock(&i->flight.lock);
    const refused_t *refused = place_of(i, hash);
    rs_asked_t asked = RS_ASKED_AWAY;
    if (refused->until > now && same(&refused->hash, hash))
        asked = RS_ASKED_INACTIVE;
    else if (now >= i->pause_until)
        asked = note(i, hash, token, asker);
    pthread_mutex_unlock(&i->flight.lock);
    return asked;
}

/* ---- the asking thread ---- */

static rc_t post(const rs_introspection_t *i, arena_t *a, const question_t *q, str_t *answer)
{
    str_t form;
    buf_t b = buf_new(a, 3 * LIMIT_RS_OPAQUE_BYTES + 64);
    char *body = arena_alloc(a, LIMIT_INTROSPECTION_BYTES);
    buf_put(&b, STR("token_type_hint=access_token&token="));
    buf_form(&b, str_of(q->token, q->n));
    buf_char(&b, '\0');
    TRY(buf_done(&b, &form));
    if (!body)
        return RC_MEMORY;
    int64_t n = i->ports->post(i->ports->ctx, i->uri, i->settings->authorization.p, form.p, body,
                               LIMIT_INTROSPECTION_BYTES);
    secret_wipe((void *)(uintptr_t)form.p, form.n);
    if (n < 0 || n > LIMIT_INTROSPECTION_BYTES)
        return RC_IO;
    *answer = str_of(body, (size_t)n);
    return RC_OK;
}

/* RC_OK: *active says which; anything else: that was no answer. */
static rc_t ask(const rs_introspection_t *i, arena_t *a, const question_t *q, int64_t now_ms,
                bool *active, rs_principal_t *who)
{
    str_t answer;
    rs_token_t token = {.reason = RS_ALLOWED, .server = i->settings->introspector};
    TRY(post(i, a, q, &answer));
    TRY(jwt_claims_parse(a, answer, &token.claims));
    if (token.claims.refusal != JWT_FINE || !json_get_bool(token.claims.all, STR("active"), active))
        return RC_MALFORMED;
    if (!*active)
        return RC_OK;
    /* The server may leave out its own name, and who a token is of that is nobody's but its
     * client's (RFC 7662 section 2.2; RFC 9068 section 2.2 says which name that is), and nothing
     * else. */
    if (!str_is_set(token.claims.iss))
        token.claims.iss = i->settings->servers[token.server].issuer;
    TRY(rs_dialect_apply(a, &i->settings->servers[token.server].dialect, &token));
    if (!str_is_set(token.claims.sub))
        token.claims.sub = token.claims.client_id;
    TRY(rs_token_judge_claims(a, i->settings, now_ms, &token, who));
    *active = token.reason == RS_ALLOWED;
    return RC_OK;
}

/* An answer counts for settings.answer_ms, and never longer than the token lives. */
static void remember(rs_introspection_t *i, const question_t *q, int64_t now_ms,
                     const rs_principal_t *who)
{
    int64_t now = mono(i), left = who->exp_ms - now_ms;
    rs_remembered_t what = {.who = *who, .exp_ms = who->exp_ms};
    what.who.exp_ms = now + (left < i->settings->answer_ms ? left : i->settings->answer_ms);
    rs_token_cache_put(i->active, &q->hash, now, &what);
}

/* Without the lock. */
static bool answer_one(rs_introspection_t *i, const question_t *q, int64_t now_ms)
{
    bool active;
    rs_principal_t who;
    arena_t *a = arena_new(ASK_ARENA);
    rc_t rc = a ? ask(i, a, q, now_ms, &active, &who) : RC_MEMORY;
    if (rc == RC_OK && active)
        remember(i, q, now_ms, &who);
    arena_free(a);
    if (rc != RC_OK)
        return false;
    pthread_mutex_lock(&i->flight.lock);
    if (!active)
        *place_of(i, &q->hash) = (refused_t){q->hash, mono(i) + REFUSED_MS};
    pthread_mutex_unlock(&i->flight.lock);
    return true;
}

/* With the lock. */
static question_t take_oldest(rs_introspection_t *i)
{
    question_t q = i->open[0];
    memmove(i->open, i->open + 1, --i->n_open * sizeof q);
    return q;
}

/* With the lock, which is let go while bytes are on their way. After a question without answer
 * nobody else waits for one: the rest is asked when it comes again. The oldest goes first, and a
 * round ends: whoever sends made-up tokens all the time must not keep the others waiting for it. */
static void ask_all(rs_introspection_t *i, int64_t now_ms)
{
    int64_t began = mono(i);
    for (size_t n = 0; i->n_open > 0 && n < ROUND && mono(i) - began < ROUND_MS; n++) {
        question_t q = take_oldest(i);
        bool may = i->uri && mono(i) >= i->pause_until;
        pthread_mutex_unlock(&i->flight.lock);
        bool answered = may && answer_one(i, &q, now_ms);
        forget(&q);
        pthread_mutex_lock(&i->flight.lock);
        if (may && !answered)
            i->pause_until = mono(i) + PAUSE_MS;
    }
}

void rs_introspection_refresh(rs_introspection_t *i, int64_t now_ms)
{
    pthread_mutex_lock(&i->flight.lock);
    if (rs_flight_begin(&i->flight, UINT_MAX)) {
        ask_all(i, now_ms);
        rs_flight_end(&i->flight);
    }
    pthread_mutex_unlock(&i->flight.lock);
}

/* ---- life ---- */

void rs_introspection_found(rs_introspection_t *i, str_t uri)
{
    char *copy = str_is_set(uri) ? strndup(uri.p, uri.n) : NULL;
    pthread_mutex_lock(&i->flight.lock);
    if (copy && !i->uri) {
        i->uri = copy;
        copy = NULL;
    }
    pthread_mutex_unlock(&i->flight.lock);
    free(copy);
}

rs_introspection_t *rs_introspection_new(const rs_settings_t *s, const warder_rs_ports_t *ports)
{
    rs_introspection_t *i = calloc(1, sizeof *i);
    if (!i)
        return NULL;
    i->settings = s;
    i->ports = ports;
    rs_flight_init(&i->flight);
    i->active = rs_token_cache_new(s->cache_tokens);
    if (!i->active) {
        rs_introspection_free(i);
        return NULL;
    }
    rs_introspection_found(i, s->servers[s->introspector].introspection_uri);
    return i;
}

void rs_introspection_free(rs_introspection_t *i)
{
    if (!i)
        return;
    while (i->n_open > 0)
        forget(&i->open[--i->n_open]);
    free(i->uri);
    rs_token_cache_free(i->active);
    rs_flight_destroy(&i->flight);
    free(i);
}
