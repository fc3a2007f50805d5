/* Forgets the tokens, here and at the server (RFC 7009). */
#include "tokens/source_object.h"

/* A server need not be able to revoke tokens that stand for themselves, such as JWTs; they end with
 * their time (RFC 7009 section 2.2.1). */
static bool cannot_be_revoked(arena_t *a, const http_answer_t *answer)
{
    return answer->status == 400 && source_is_error(a, answer, STR("unsupported_token_type"));
}

static client_reason_t revoke_one(source_round_t *r, const client_token_want_t *want, str_t token,
                                  str_t hint)
{
    client_token_request_t q;
    http_answer_t answer;
    if (!str_is_set(token))
        return CLIENT_FINE;
    GO(source_rc(r, client_token_revoke(r->a, want, token, hint, &q)));
    GO(source_post_form(r, &q, STR_UNSET, &answer));
    if (answer.status / 100 == 2 || cannot_be_revoked(r->a, &answer))
        return CLIENT_FINE;
    return source_fail(r, CLIENT_SERVER_FAILS,
                       arena_printf(r->a, "%" PRIstr " answered %d, and the token was not revoked",
                                    STR_ARG(q.url), answer.status));
}

/* The refresh token first: with it goes, at most servers, all that came of it. */
static client_reason_t revoke(source_round_t *r)
{
    tokens_source_t *s = r->s;
    const client_token_t *t = &s->held.record.token;
    source_client_t client;
    client_token_want_t want;
    bool there;
    if (!s->place.a || !str_eq(s->place.issuer, s->held.record.issuer) ||
        !str_is_set(s->place.found.server.revocation_endpoint))
        return CLIENT_FINE;
    GO(source_client_known(r, &client, &there));
    if (!there || !str_eq(client.who.client_id, s->held.record.client_id))
        return CLIENT_FINE;
    GO(source_want(r, &client, &want));
    source_says(r, "Revoking the tokens at", s->place.issuer);
    GO(revoke_one(r, &want, t->refresh_token.hidden, STR("refresh_token")));
    return revoke_one(r, &want, t->access_token.hidden, STR("access_token"));
}

/* With the lock of the token's name, so that no process refreshes in between. */
static client_reason_t end(source_round_t *r)
{
    str_t name;
    tokens_lock_t *lock;
    bool took = false;
    GO(source_token_name(r, &r->s->held.record, &name));
    GO(source_lock(r, name, SOURCE_LOCK_MS, &lock));
    client_reason_t reason = source_reload(r, &took);
    if (reason == CLIENT_FINE)
        reason = revoke(r);
    client_failure_t why = r->why;
    source_forget(r);
    r->s->forgotten[0] = '\0'; /* the person begins anew */
    r->why = why;
    source_unlock(r->s, lock);
    return reason;
}

bool tokens_source_sign_out(tokens_source_t *s, arena_t *a, client_failure_t *why)
{
    *why = (client_failure_t){.reason = CLIENT_FINE};
    if (source_enter_at_last(s) == SOURCE_STOPPED) {
        why->reason = CLIENT_STOPPED;
        return false;
    }
    source_round_t r;
    bool took = false, kept = false;
    client_reason_t reason = CLIENT_MACHINE;
    if (source_round_begin(s, &r) == RC_OK) {
        reason = source_reload(&r, &took);
        kept = s->held.a != NULL;
        if (kept)
            reason = end(&r);
    }
    s->refreshing.failures = s->signing_in.failures = 0;
    client_failure_t failure = source_round_end(&r, a);
    if (reason != CLIENT_FINE)
        *why = (client_failure_t){reason, failure.detail};
    source_leave(s);
    return kept;
}
