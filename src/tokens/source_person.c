/* A sign-in by a person: authorization code with PKCE, in a browser, with one answer on loopback.
 */
#include <signal.h>

#include "client/authorization.h"
#include "tokens/callback.h"
#include "tokens/source_object.h"

static const char CALLBACK_PATH[] = "/callback";

enum { CALLBACK_ARENA_BYTES = 1 << 20 };

/* The wait for the browser's answer. It has a thread of its own, so that the hook that opens the
 * page may take until the answer is there. */
typedef struct {
    tokens_source_t *s;
    tokens_callback_t *callback;
    const client_pending_t *pending;
    arena_t *a; /* of the thread */
    rc_t rc;
    client_reason_t reason;
    str_t code, why;
} answer_t;

static bool takes(void *ctx, str_t query, bool *well)
{
    answer_t *w = ctx;
    bool mine = false;
    rc_t rc = RC_OK;
    str_t code = STR_UNSET, why = STR_UNSET;
    client_reason_t reason =
        client_authorization_answer(w->a, w->pending, query, &code, &mine, &why, &rc);
    *well = rc == RC_OK && reason == CLIENT_FINE;
    if (rc == RC_OK && !mine)
        return false;
    w->reason = rc == RC_OK ? reason : CLIENT_MACHINE;
    w->code = secret_dup(w->a, str_is_set(code) ? code : STR("")).hidden;
    w->why = arena_dup(w->a, why);
    return true;
}

static void *wait_for_answer(void *arg)
{
    answer_t *w = arg;
    const tokens_callback_judge_t judge = {takes, w};
    w->rc = tokens_callback_wait(w->callback, judge, w->s->config.sign_in_ms, &w->s->end_wait);
    return NULL;
}

/* The program's signals are for its own threads; those of a fault must reach the one at fault. */
static int start(pthread_t *thread, answer_t *w)
{
    static const int FAULTS[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};
    sigset_t others, before;
    sigfillset(&others);
    for (size_t i = 0; i < sizeof FAULTS / sizeof FAULTS[0]; i++)
        sigdelset(&others, FAULTS[i]);
    pthread_sigmask(SIG_SETMASK, &others, &before);
    int failed = pthread_create(thread, NULL, wait_for_answer, w);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed;
}

/* Opens the page, and waits until the answer is there. */
static client_reason_t open_and_wait(source_round_t *r, answer_t *w, str_t url)
{
    const tokens_person_t *person = &r->s->config.person;
    pthread_t thread;
    r->s->end_wait = false;
    GO(source_running(r));
    if (start(&thread, w) != 0)
        return source_rc(r, RC_MEMORY);
    bool asked = person->open(person->ctx, url);
    if (!asked)
        r->s->end_wait = true;
    pthread_join(thread, NULL);
    GO(source_running(r));
    if (w->rc != RC_NOT_FOUND)
        return source_rc(r, w->rc);
    return source_fail(r, asked ? CLIENT_SIGN_IN_TIMEOUT : CLIENT_SIGN_IN_NEEDED, STR_UNSET);
}

static client_reason_t code_of(source_round_t *r, answer_t *w, str_t url, str_t *code)
{
    GO(open_and_wait(r, w, url));
    if (w->reason != CLIENT_FINE)
        return source_fail(r, w->reason, arena_dup(r->a, w->why));
    *code = secret_dup(r->a, w->code).hidden;
    return source_rc(r, str_is_set(*code) ? RC_OK : RC_MEMORY);
}

static client_reason_t ask_person(source_round_t *r, tokens_callback_t *callback,
                                  const client_pending_t *pending, str_t url, str_t *code)
{
    client_reason_t bad = client_url_check_page(url);
    if (bad != CLIENT_FINE)
        return source_fail(r, bad, url);
    GO(source_may_show(r));
    answer_t w = {.s = r->s, .callback = callback, .pending = pending, .rc = RC_OK};
    w.a = arena_new(CALLBACK_ARENA_BYTES);
    if (!w.a)
        return source_rc(r, RC_MEMORY);
    source_says(r, "Signing in at", r->s->place.issuer);
    client_reason_t reason = code_of(r, &w, url, code);
    arena_free(w.a);
    return reason;
}

/* One attempt, from the listener to the code. */
typedef struct {
    source_client_t *client;
    client_token_want_t token;
    client_authorization_want_t want;
    client_pending_t pending;
    str_t url;
    str_t key_text;
    jwk_t key;
} attempt_t;

/* RFC 9126: the request goes to the server itself, and the browser gets a reference to it. */
static client_reason_t push(source_round_t *r, attempt_t *t)
{
    client_token_request_t q;
    http_answer_t answer;
    str_t uri, why = STR_UNSET;
    rc_t rc = client_token_pushed(r->a, &t->token, &t->want, &t->pending, &q);
    GO(source_rc(r, rc));
    GO(source_post_form(r, &q, STR_UNSET, &answer));
    client_reason_t reason = client_pushed_read(r->a, answer.status, answer.body, &uri, &why, &rc);
    GO(source_rc(r, rc));
    if (reason != CLIENT_FINE) {
        /* The words tell where a server compares redirect URIs with their port. */
        if (str_contains(why, STR("invalid_client")))
            r->error = STR("invalid_client");
        else if (str_contains(why, STR("redirect_uri")))
            r->error = STR("invalid_redirect_uri");
        return source_fail(r, reason, why);
    }
    rc = client_authorization_pushed_url(r->a, t->want.server, t->want.client_id, uri, &t->url);
    return source_rc(r, rc);
}

static client_reason_t begin(source_round_t *r, attempt_t *t, str_t redirect_uri)
{
    tokens_source_t *s = r->s;
    GO(source_client(r, redirect_uri, t->client));
    GO(source_want(r, t->client, &t->token));
    GO(source_bind(r, &t->key_text, &t->key));
    t->want = (client_authorization_want_t){.server = &s->place.found.server,
                                            .client_id = t->client->who.client_id,
                                            .redirect_uri = redirect_uri,
                                            .resource = s->place.resource};
    if (r->challenged) {
        t->want.acr_values = r->challenge.acr_values;
        t->want.max_age = r->challenge.max_age;
    }
    GO(source_scope(r, &t->want.scope));
    if (t->key.key)
        GO(source_rc(r, jwk_thumbprint(r->a, t->key.key, &t->want.dpop_jkt)));
    rc_t rc = client_authorization_begin(r->a, s->config.random, &t->want, &t->pending, &t->url);
    GO(source_rc(r, rc));
    return t->want.server->require_pushed ? push(r, t) : CLIENT_FINE;
}

static client_reason_t redeem(source_round_t *r, attempt_t *t, str_t code)
{
    const source_grant_t grant = {.kind = SOURCE_CODE, .pending = &t->pending, .text = code};
    client_token_t token;
    source_says(r, "Asking for a token at", r->s->place.issuer);
    GO(source_grant(r, &t->token, &grant, t->key.key ? &t->key : NULL, &token));
    return source_got(r, t->client, &token, t->want.scope, t->key_text);
}

static bool can_refresh(const tokens_source_t *s)
{
    return s->held.a && str_is_set(s->held.record.token.refresh_token.hidden);
}

/* A server that has forgotten the client, or compares ports, shows the person an error, and nothing
 * comes back: the next sign-in registers anew, where no refresh token is lost by it. Some say so.
 */
static void doubt_registration(source_round_t *r)
{
    str_t why = r->why.detail;
    if (r->why.reason == CLIENT_SIGN_IN_TIMEOUT && !can_refresh(r->s)) {
        client_failure_t before = r->why;
        source_client_drop(r);
        r->why = before;
    }
    if (r->why.reason == CLIENT_AUTHORIZATION_REFUSED &&
        (str_starts(why, STR("unauthorized_client")) || str_starts(why, STR("invalid_client"))))
        r->error = STR("invalid_client");
}

static client_reason_t attempt(source_round_t *r, source_client_t *client,
                               tokens_callback_t *callback)
{
    attempt_t t = {.client = client};
    uint16_t port = tokens_callback_port(callback);
    str_t code = STR_UNSET,
          redirect_uri = arena_printf(r->a, "http://127.0.0.1:%u%s", (unsigned)port, CALLBACK_PATH);
    if (!str_is_set(redirect_uri))
        return source_rc(r, RC_MEMORY);
    GO(begin(r, &t, redirect_uri));
    client_reason_t reason = ask_person(r, callback, &t.pending, t.url, &code);
    if (reason != CLIENT_FINE && client->kept)
        doubt_registration(r);
    GO(reason);
    return redeem(r, &t, code);
}

/* The port that was asked for; else the one that was registered, as some servers compare it though
 * they should not (RFC 8252 section 7.3); else any. */
static client_reason_t listen_on(source_round_t *r, uint16_t registered, tokens_callback_t **out)
{
    uint16_t asked = r->s->config.callback_port, port = asked ? asked : registered;
    rc_t rc = tokens_callback_open(port, CALLBACK_PATH, out);
    if (rc == RC_BUSY && !asked)
        rc = tokens_callback_open(0, CALLBACK_PATH, out);
    if (rc == RC_BUSY)
        return source_fail(r, CLIENT_MACHINE,
                           arena_printf(r->a, "port %u is taken", (unsigned)port));
    return source_rc(r, rc);
}

client_reason_t source_person(source_round_t *r, source_client_t *client)
{
    client_reason_t usable = client_server_check_code(&r->s->place.found.server);
    if (usable != CLIENT_FINE)
        return source_fail(r, usable, r->s->place.issuer);
    bool there;
    tokens_callback_t *callback = NULL;
    GO(source_client_known(r, client, &there));
    GO(listen_on(r, client->port, &callback));
    client_reason_t reason = attempt(r, client, callback);
    tokens_callback_close(callback);
    return reason;
}
