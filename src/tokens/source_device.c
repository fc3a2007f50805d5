/* A sign-in on another machine (RFC 8628). */
#include "client/plain.h"
#include "tokens/source_object.h"

enum { SLOWER_S = 5, SECOND_MS = 1000, LONGEST_MS = 3600000 };

static const str_t DEVICE_GRANT = STR_INIT("urn:ietf:params:oauth:grant-type:device_code");

static client_reason_t begin(source_round_t *r, const client_token_want_t *want,
                             client_device_t *out)
{
    client_token_request_t q;
    http_answer_t answer;
    str_t why = STR_UNSET;
    rc_t rc = client_token_device_begin(r->a, want, &q);
    GO(source_rc(r, rc));
    GO(source_post_form(r, &q, STR_UNSET, &answer));
    client_reason_t reason = client_device_read(r->a, answer.status, answer.body, want->now,
                                                r->s->config.plain_ok, out, &why, &rc);
    GO(source_rc(r, rc));
    if (reason == CLIENT_FINE)
        return reason;
    if (str_contains(why, STR("invalid_client")))
        r->error = STR("invalid_client");
    return source_fail(r, reason, why);
}

/* A browser goes there, and no connection is judged: a public server names nothing of this machine.
 */
static client_reason_t check_pages(source_round_t *r, client_device_t *d)
{
    http_reach_t reach = client_url_reach(r->s->config.url, r->s->config.reach);
    client_reason_t reason = client_url_check_reach(d->verification_uri, reach);
    if (reason != CLIENT_FINE)
        return source_fail(r, reason, d->verification_uri);
    if (client_url_check_reach(d->verification_uri_complete, reach) != CLIENT_FINE)
        d->verification_uri_complete = STR_UNSET;
    return CLIENT_FINE;
}

static client_reason_t show(source_round_t *r, client_device_t *d)
{
    const tokens_person_t *p = &r->s->config.person;
    GO(check_pages(r, d));
    GO(source_may_show(r));
    /* A stranger's text on its way to a terminal. */
    str_t user_code = client_plain(r->a, d->user_code, d->user_code.n);
    if (!str_is_set(user_code))
        return source_rc(r, RC_MEMORY);
    if (p->code && p->code(p->ctx, user_code, d->verification_uri, d->verification_uri_complete))
        return CLIENT_FINE;
    return source_fail(r, CLIENT_SIGN_IN_NEEDED, STR_UNSET);
}

/* What an answer other than a token means: true, ask again after *interval. */
static bool goes_on(source_round_t *r, int64_t *interval)
{
    if (r->transient) {
        *interval *= 2; /* RFC 8628 section 3.5: what cannot be reached is asked less often */
        return true;
    }
    if (str_eq(r->error, STR("slow_down"))) {
        *interval += SLOWER_S;
        return true;
    }
    return str_eq(r->error, STR("authorization_pending"));
}

static client_reason_t final(source_round_t *r, client_reason_t reason)
{
    if (str_eq(r->error, STR("access_denied")))
        return source_fail(r, CLIENT_AUTHORIZATION_REFUSED, r->why.detail);
    if (str_eq(r->error, STR("expired_token")))
        return source_fail(r, CLIENT_SIGN_IN_TIMEOUT, r->why.detail);
    return reason;
}

/* However long the code is said to live: nobody types one in after an hour. */
static bool is_over(const tokens_source_t *s, const client_device_t *d, int64_t since)
{
    const clock_port_t *clock = &s->config.clock;
    return clock_seconds(clock) >= d->expires_at || clock->mono_ms(clock->ctx) - since > LONGEST_MS;
}

/* The device's part until the person has decided. */
static client_reason_t poll(source_round_t *r, client_token_want_t *want, const client_device_t *d,
                            const jwk_t *key, client_token_t *out)
{
    tokens_source_t *s = r->s;
    const source_grant_t grant = {.kind = SOURCE_DEVICE_CODE, .text = d->device_code.hidden};
    int64_t interval = d->interval, since = s->config.clock.mono_ms(s->config.clock.ctx);
    while (!is_over(s, d, since)) {
        if (!source_pause(s, interval * SECOND_MS))
            return source_running(r);
        want->now = clock_seconds(&s->config.clock);
        client_reason_t reason = source_grant(r, want, &grant, key, out);
        if (reason == CLIENT_FINE || !goes_on(r, &interval))
            return final(r, reason);
    }
    return source_fail(r, CLIENT_SIGN_IN_TIMEOUT, STR_UNSET);
}

client_reason_t source_device(source_round_t *r, source_client_t *client)
{
    const client_server_metadata_t *server = &r->s->place.found.server;
    client_token_want_t want;
    client_device_t device;
    client_token_t token;
    str_t key_text;
    jwk_t key;
    if (!str_is_set(server->device_authorization_endpoint) ||
        (server->has_grant_types && !str_list_has(server->grant_types, DEVICE_GRANT)))
        return source_fail(r, CLIENT_GRANT_MISSING, DEVICE_GRANT);
    GO(source_client(r, STR_UNSET, client));
    GO(source_want(r, client, &want));
    GO(source_scope(r, &want.scope));
    GO(source_bind(r, &key_text, &key));
    GO(begin(r, &want, &device));
    GO(show(r, &device));
    GO(poll(r, &want, &device, key.key ? &key : NULL, &token));
    return source_got(r, client, &token, want.scope, key_text);
}
