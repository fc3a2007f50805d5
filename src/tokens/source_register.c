/* Who the client is at the authorization server: given, its metadata document, or registered, and
 * that kept by issuer. */
#include "tokens/source_object.h"

enum { EXPIRES_SOON_S = 60 };

/* The issuer that was met first with what the person gave; unset: none yet. An assertion can be
 * shown by whoever gets it, and a server says itself as which client it wants it: so the client
 * does not count there. */
static client_reason_t met_first(source_round_t *r, str_t *out)
{
    const tokens_config_t *c = &r->s->config;
    str_t name, text;
    tokens_server_t kept;
    *out = STR_UNSET;
    GO(source_rc(r, tokens_server_name(r->a, c->url, &name)));
    GO(source_read(r, name, &text));
    if (str_is_set(text) && tokens_server_read(r->a, text, &kept) == RC_OK &&
        (c->way == TOKENS_WORKLOAD || str_eq(kept.client_id, c->who.client_id)))
        *out = kept.issuer;
    return CLIENT_FINE;
}

/* Credentials that the person gave are for one issuer (MCP 2026-07-28, "Authorization Server
 * Binding"): the one that was named, else the first that was met with them. */
static client_reason_t check_binding(source_round_t *r)
{
    const tokens_config_t *c = &r->s->config;
    str_t issuer = r->s->place.issuer;
    str_t first = str_is_set(c->who_issuer) ? c->who_issuer : c->issuer;
    if (!str_is_set(first))
        GO(met_first(r, &first));
    if (!str_is_set(first) || str_eq(first, issuer))
        return CLIENT_FINE;
    return source_fail(r, CLIENT_CREDENTIALS_OF_ANOTHER,
                       arena_printf(r->a, "they are for %" PRIstr ", and the server names %" PRIstr,
                                    STR_ARG(first), STR_ARG(issuer)));
}

static uint16_t port_of(str_list_t uris)
{
    url_t u;
    for (size_t i = 0; i < uris.n; i++) {
        if (url_parse(uris.v[i], &u) == RC_OK && str_is_set(u.port) && url_host_is_loopback(u.host))
            return u.port_number;
    }
    return 0;
}

static client_reason_t read_kept(source_round_t *r, source_client_t *out, bool *there)
{
    str_t name, text;
    tokens_client_t kept;
    GO(source_rc(r, tokens_client_name(r->a, r->s->place.issuer, &name)));
    GO(source_read(r, name, &text));
    if (!str_is_set(text))
        return CLIENT_FINE;
    rc_t rc = tokens_client_read(r->a, text, &kept);
    if (rc == RC_MALFORMED)
        return CLIENT_FINE;
    GO(source_rc(r, rc));
    int64_t end = kept.client.secret_expires_at, now = clock_seconds(&r->s->config.clock);
    if (!str_eq(kept.issuer, r->s->place.issuer) || (end != 0 && end < now + EXPIRES_SOON_S))
        return CLIENT_FINE;
    out->who = (client_credentials_t){.client_id = kept.client.client_id,
                                      .secret = kept.client.secret,
                                      .method = kept.client.method};
    out->registered = out->kept = true;
    out->port = port_of(kept.redirect_uris);
    *there = true;
    return CLIENT_FINE;
}

/* Ways in which the client proves who it is by other means than a registration. */
static bool is_self_made(const tokens_config_t *c)
{
    return c->way == TOKENS_WORKLOAD || c->way == TOKENS_MACHINE || c->way == TOKENS_ENTERPRISE;
}

client_reason_t source_client_known(source_round_t *r, source_client_t *out, bool *there)
{
    const tokens_config_t *c = &r->s->config;
    bool shows_assertion = c->way == TOKENS_WORKLOAD;
    *out = (source_client_t){.registered = false};
    *there = false;
    switch (client_way_choose(&r->s->place.found.server, c->who.client_id, c->document)) {
    case CLIENT_KNOWN:
        out->who = c->who;
        *there = true;
        return check_binding(r);
    case CLIENT_DOCUMENT:
        out->who = c->who;
        out->who.client_id = c->document;
        /* A document is the same for all servers, and a secret is none that all of them know. */
        out->who.secret = secret_of(STR_UNSET);
        *there = true;
        return shows_assertion ? check_binding(r) : CLIENT_FINE;
    case CLIENT_REGISTER:
    case CLIENT_ASK:
        break;
    }
    if (shows_assertion) {
        *there = true;
        return check_binding(r);
    }
    return is_self_made(c) ? CLIENT_FINE : read_kept(r, out, there);
}

static client_reason_t keep_client(source_round_t *r, str_t name, str_t redirect_uri,
                                   const client_registered_t *got)
{
    const tokens_client_t kept = {.issuer = r->s->place.issuer,
                                  .client = *got,
                                  .redirect_uris = {&redirect_uri, str_is_set(redirect_uri)},
                                  .at = clock_seconds(&r->s->config.clock)};
    secret_t text;
    GO(source_rc(r, tokens_client_write(r->a, &kept, &text)));
    return source_write(r, name, text);
}

static client_reason_t post_once(source_round_t *r, const client_registration_want_t *want,
                                 client_registered_t *got, str_t *body, int *status)
{
    const client_server_metadata_t *server = &r->s->place.found.server;
    http_agent_request_t q = {
        .method = STR("POST"),
        .url = server->registration_endpoint,
        .headers = HTTP_HEADERS({STR("Content-Type"), STR("application/json")},
                                {STR("Accept"), STR("application/json")}),
        .max_body = SOURCE_ANSWER_BYTES,
    };
    http_answer_t answer;
    GO(source_rc(r, client_registration_write(r->a, server, want, &q.body)));
    GO(source_ask(r, &q, &answer));
    GO(source_reached(r, q.url, &answer));
    *body = answer.body;
    *status = answer.status;
    str_t why = STR_UNSET;
    rc_t rc = RC_OK;
    client_reason_t reason =
        client_registration_read(r->a, answer.status, answer.body, got, &why, &rc);
    GO(source_rc(r, rc));
    return reason == CLIENT_FINE ? reason : source_fail(r, reason, arena_dup(r->a, why));
}

/* With another redirect URI a person would stand before an error page, and nothing would come back.
 */
static client_reason_t check_redirect(source_round_t *r, str_t redirect_uri,
                                      const client_registered_t *got)
{
    if (!str_is_set(redirect_uri) || client_registered_takes(got, redirect_uri))
        return CLIENT_FINE;
    return source_fail(r, CLIENT_REGISTRATION_BAD,
                       STR("it holds other redirect URIs than the one that was asked for"));
}

static client_reason_t post(source_round_t *r, str_t redirect_uri, client_registered_t *got,
                            str_t *body)
{
    static const str_t DEVICE_GRANTS[] = {STR_INIT("urn:ietf:params:oauth:grant-type:device_code"),
                                          STR_INIT("refresh_token")};
    const tokens_config_t *c = &r->s->config;
    client_registration_want_t want = c->registration;
    want.redirect_uris = (str_list_t){&redirect_uri, str_is_set(redirect_uri)};
    if (c->way == TOKENS_DEVICE && want.grant_types.n == 0)
        want.grant_types = (str_list_t){DEVICE_GRANTS, 2};
    source_says(r, "Registering at", r->s->place.issuer);
    int status = 0;
    client_reason_t reason = post_once(r, &want, got, body, &status);
    if (reason == CLIENT_REGISTRATION_REFUSED &&
        client_registration_adjust(status, r->why.detail, &want)) {
        LOG(r->s->config.log, LOG_INFO, "registration_tried_bare", LOG_S("why", r->why.detail));
        source_wipe(*body);
        reason = post_once(r, &want, got, body, &status);
    }
    return reason == CLIENT_FINE ? check_redirect(r, redirect_uri, got) : reason;
}

static client_reason_t take_client(source_round_t *r, str_t redirect_uri,
                                   const client_registered_t *got, source_client_t *out)
{
    out->who = (client_credentials_t){.client_id = arena_dup(r->a, got->client_id),
                                      .secret = got->secret,
                                      .method = arena_dup(r->a, got->method)};
    out->registered = true;
    out->port = port_of((str_list_t){&redirect_uri, str_is_set(redirect_uri)});
    return source_rc(r, str_is_set(out->who.client_id) ? RC_OK : RC_MEMORY);
}

static client_reason_t enrol(source_round_t *r, str_t name, str_t redirect_uri,
                             source_client_t *out)
{
    bool there = false;
    /* Another process may have registered while this one waited. */
    GO(read_kept(r, out, &there));
    if (there)
        return CLIENT_FINE;
    client_registered_t got;
    str_t body = STR_UNSET;
    client_reason_t reason = post(r, redirect_uri, &got, &body);
    if (reason == CLIENT_FINE && keep_client(r, name, redirect_uri, &got) != CLIENT_FINE)
        LOG(r->s->config.log, LOG_WARN, "client_not_kept", LOG_S("why", r->why.detail));
    if (reason == CLIENT_FINE)
        reason = take_client(r, redirect_uri, &got, out);
    source_wipe(body); /* it may hold a secret */
    return reason;
}

client_reason_t source_client(source_round_t *r, str_t redirect_uri, source_client_t *out)
{
    const tokens_config_t *c = &r->s->config;
    bool there = false;
    GO(source_client_known(r, out, &there));
    if (there)
        return CLIENT_FINE;
    if (is_self_made(c) || !str_is_set(r->s->place.found.server.registration_endpoint))
        return source_fail(r, CLIENT_REGISTRATION_NONE, r->s->place.issuer);
    str_t name;
    tokens_lock_t *lock;
    GO(source_rc(r, tokens_client_name(r->a, r->s->place.issuer, &name)));
    GO(source_lock(r, name, SOURCE_LOCK_MS, &lock));
    client_reason_t reason = enrol(r, name, redirect_uri, out);
    source_unlock(r->s, lock);
    return reason;
}

void source_client_drop(source_round_t *r)
{
    const tokens_keep_t *k = &r->s->config.keep;
    str_t name, why = STR_UNSET;
    if (tokens_client_name(r->a, r->s->place.issuer, &name) != RC_OK)
        return;
    rc_t rc = k->erase(k->ctx, r->a, name, &why);
    if (rc != RC_OK && rc != RC_NOT_FOUND)
        LOG(r->s->config.log, LOG_WARN, "client_not_erased", LOG_S("why", why));
}

client_reason_t source_want(source_round_t *r, const source_client_t *client,
                            client_token_want_t *out)
{
    const source_place_t *p = &r->s->place;
    *out = (client_token_want_t){.server = &p->found.server,
                                 .who = &client->who,
                                 .resource = p->resource,
                                 .random = r->s->config.random,
                                 .now = clock_seconds(&r->s->config.clock)};
    if (client_method_choose(out->server, out->who, &out->method))
        return CLIENT_FINE;
    return source_fail(r, CLIENT_METHOD_UNKNOWN, p->issuer);
}
