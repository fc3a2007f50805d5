#include "client/discovery.h"

#include "client/members.h"
#include "client/plain.h"
#include "client/url_rule.h"
#include "core/limits.h"
#include "core/url.h"

/* Makes it fail; no detail for want of memory is RC_MEMORY. */
static rc_t fail(client_discovery_t *d, client_reason_t reason, str_t detail)
{
    d->failure = (client_failure_t){.reason = reason, .detail = detail};
    return str_is_set(detail) ? RC_OK : RC_MEMORY;
}

static rc_t fail_at(client_discovery_t *d, client_reason_t reason, str_t place, str_t what)
{
    str_t shown = client_plain(d->a, place, LIMIT_CLIENT_DETAIL_BYTES);
    const char *between = what.n > 0 ? ": " : "";
    if (!str_is_set(shown))
        return RC_MEMORY;
    str_t detail =
        arena_printf(d->a, "%" PRIstr "%s%" PRIstr, STR_ARG(shown), between, STR_ARG(what));
    return fail(d, reason, detail);
}

static bool failed(const client_discovery_t *d)
{
    return d->failure.reason != CLIENT_FINE;
}

static bool found(const client_discovery_t *d)
{
    return d->guessed || str_is_set(d->server_place);
}

/* What a URL is refused for that a stranger named. */
static client_reason_t judge(const client_discovery_t *d, str_t url)
{
    client_reason_t reason = client_url_check(url, d->want.plain_ok);
    return reason == CLIENT_FINE ? client_url_check_reach(url, d->want.reach) : reason;
}

/* Goes on to the places of a phase; one that may not be asked is a failure. */
static rc_t enter(client_discovery_t *d, client_phase_t phase, str_list_t places)
{
    d->phase = phase;
    d->places = places;
    d->at = 0;
    d->seen = STR_UNSET;
    for (size_t i = 0; i < places.n; i++) {
        client_reason_t reason = judge(d, places.v[i]);
        if (reason != CLIENT_FINE)
            return fail_at(d, reason, places.v[i], STR(""));
    }
    return RC_OK;
}

static rc_t copy_want(client_discovery_t *d, const client_discovery_want_t *want)
{
    d->want = *want;
    str_t *texts[] = {&d->want.url, &d->want.metadata, &d->want.issuer};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        str_t copy = arena_dup(d->a, *texts[i]);
        if (str_is_set(*texts[i]) && !str_is_set(copy))
            return RC_MEMORY;
        *texts[i] = copy;
    }
    return RC_OK;
}

/* The place that the challenge names, alone. */
static rc_t named_place(client_discovery_t *d, str_list_t *out)
{
    str_t *v = ARENA_NEW(d->a, str_t);
    if (!v)
        return RC_MEMORY;
    *v = d->want.metadata;
    *out = (str_list_t){v, 1};
    return RC_OK;
}

rc_t client_discovery_begin(arena_t *a, const client_discovery_want_t *want,
                            client_discovery_t *out)
{
    str_list_t places;
    *out = (client_discovery_t){.a = a};
    TRY(copy_want(out, want));
    client_reason_t reason = client_url_check(out->want.url, want->plain_ok);
    if (reason != CLIENT_FINE)
        return fail_at(out, reason, out->want.url, STR(""));
    out->want.reach = client_url_reach(out->want.url, want->reach);
    if (str_is_set(out->want.metadata))
        TRY(named_place(out, &places));
    else
        TRY(client_resource_places(a, out->want.url, &places));
    return enter(out, CLIENT_PHASE_RESOURCE, places);
}

client_discovery_step_t client_discovery_next(client_discovery_t *d, str_t *url)
{
    *url = STR_UNSET;
    if (failed(d))
        return CLIENT_FAILED;
    if (found(d))
        return CLIENT_FOUND;
    *url = d->places.v[d->at];
    return CLIENT_LOOK;
}

static rc_t enter_server(client_discovery_t *d)
{
    str_list_t places, named = d->resource.authorization_servers;
    d->issuer = str_is_set(d->want.issuer) && str_list_has(named, d->want.issuer) ? d->want.issuer
                                                                                  : named.v[0];
    client_reason_t reason = judge(d, d->issuer);
    if (reason != CLIENT_FINE)
        return fail_at(d, reason, d->issuer, STR("an authorization server"));
    rc_t rc = client_server_places(d->a, d->issuer, &places);
    if (rc == RC_MALFORMED)
        return fail_at(d, CLIENT_URL_BAD, d->issuer, STR("an issuer has no query"));
    TRY(rc);
    return enter(d, CLIENT_PHASE_SERVER, places);
}

static rc_t enter_legacy(client_discovery_t *d)
{
    url_t u;
    str_list_t places;
    d->legacy = true;
    TRY(url_parse(d->want.url, &u));
    TRY(url_origin(d->a, &u, &d->issuer));
    TRY(client_server_places(d->a, d->issuer, &places));
    places.n = 1; /* that revision knows no other */
    return enter(d, CLIENT_PHASE_LEGACY, places);
}

static rc_t took_resource(client_discovery_t *d, str_t place, str_t body)
{
    str_t why;
    rc_t rc;
    client_reason_t reason = client_resource_metadata_read(d->a, body, d->want.url, d->want.strict,
                                                           &d->resource, &why, &rc);
    TRY(rc);
    if (reason != CLIENT_FINE)
        return fail_at(d, reason, place, why);
    d->has_resource = true;
    d->resource_place = place;
    return enter_server(d);
}

static client_reason_t read_server(client_discovery_t *d, str_t body, str_t *why, rc_t *rc)
{
    client_reason_t reason =
        client_server_metadata_read(d->a, body, d->issuer, d->want.plain_ok, &d->server, why, rc);
    if (reason != CLIENT_ISSUER_MISMATCH || d->phase != CLIENT_PHASE_LEGACY)
        return reason;
    str_t with_slash = arena_printf(d->a, "%" PRIstr "/", STR_ARG(d->issuer));
    if (!str_is_set(with_slash)) {
        *rc = RC_MEMORY;
        return CLIENT_MACHINE;
    }
    return client_server_metadata_read(d->a, body, with_slash, d->want.plain_ok, &d->server, why,
                                       rc);
}

/* A browser is sent to one of them, which no connection judges. */
static rc_t check_endpoints(client_discovery_t *d)
{
    const str_t URLS[] = {d->server.authorization_endpoint, d->server.token_endpoint,
                          d->server.registration_endpoint};
    for (size_t i = 0; i < sizeof URLS / sizeof URLS[0]; i++) {
        if (!str_is_set(URLS[i]))
            continue;
        client_reason_t reason = client_url_check_reach(URLS[i], d->want.reach);
        if (reason != CLIENT_FINE)
            return fail_at(d, reason, URLS[i], STR(""));
    }
    return RC_OK;
}

static rc_t took_server(client_discovery_t *d, str_t place, str_t body)
{
    str_t why;
    rc_t rc;
    client_reason_t reason = read_server(d, body, &why, &rc);
    TRY(rc);
    if (reason != CLIENT_FINE)
        return fail_at(d, reason, place, why);
    d->server_place = place;
    return check_endpoints(d);
}

static rc_t took_document(client_discovery_t *d, str_t body)
{
    str_t place = d->places.v[d->at];
    return d->phase == CLIENT_PHASE_RESOURCE ? took_resource(d, place, body)
                                             : took_server(d, place, body);
}

/* No place of this phase has anything. */
static rc_t none_left(client_discovery_t *d)
{
    if (d->phase == CLIENT_PHASE_SERVER)
        return fail(d, d->troubled ? CLIENT_SERVER_FAILS : CLIENT_SERVER_METADATA_NONE, d->seen);
    if (d->phase == CLIENT_PHASE_LEGACY) {
        d->guessed = true;
        return client_server_guess(d->a, d->want.url, &d->server);
    }
    if (str_is_set(d->want.metadata) || d->want.no_fallback)
        return fail(d, CLIENT_RESOURCE_METADATA_NONE, d->seen);
    return enter_legacy(d);
}

static rc_t look_on(client_discovery_t *d, str_t what)
{
    const char *between = str_is_set(d->seen) ? "; " : "";
    d->seen = arena_printf(d->a, "%" PRIstr "%s%" PRIstr ": %" PRIstr, STR_ARG(d->seen), between,
                           STR_ARG(d->places.v[d->at]), STR_ARG(what));
    if (!str_is_set(d->seen))
        return RC_MEMORY;
    d->at++;
    return d->at < d->places.n ? RC_OK : none_left(d);
}

/* An answer that did not come, or not whole. */
static rc_t took_nothing(client_discovery_t *d, const http_answer_t *answer)
{
    client_reason_t reason = CLIENT_UNREACHABLE;
    if (answer->end == HTTP_AGENT_OUT_OF_REACH)
        reason = CLIENT_URL_OUT_OF_REACH;
    else if (answer->end == HTTP_AGENT_BAD_URL)
        reason = CLIENT_URL_BAD;
    else if (answer->end == HTTP_AGENT_CANCELLED)
        reason = CLIENT_STOPPED;
    else if (answer->end == HTTP_AGENT_TOO_LONG)
        reason = d->phase == CLIENT_PHASE_RESOURCE ? CLIENT_RESOURCE_METADATA_BAD
                                                   : CLIENT_SERVER_METADATA_BAD;
    str_t why = client_plain(d->a, answer->why, LIMIT_CLIENT_DETAIL_BYTES);
    if (why.n == 0)
        why = http_agent_end_name(answer->end);
    return fail_at(d, reason, d->places.v[d->at], why);
}

/* Whether the answer says that it is JSON, or says nothing (RFC 8414 section 3.2, RFC 9728 section
 * 3.2; RFC 6839 for types that end in +json). */
static bool may_be_json(const http_answer_t *answer, str_t *type)
{
    str_t value = http_headers_get(answer->headers, STR("Content-Type"));
    *type = str_trim(str_first(value, str_find(value, ';', 0)), " \t");
    size_t n = type->n;
    return n == 0 || str_eq_nocase(*type, STR("application/json")) ||
           (n > 5 && str_eq_nocase(str_skip(*type, n - 5), STR("+json")));
}

/* Whether it was meant to be an object, though it may not be one. */
static bool begins_object(str_t body)
{
    return str_starts(str_trim(body, " \t\r\n"), STR("{"));
}

/* A 200. What is no JSON object is a page that some servers show for everything. */
static rc_t took_page(client_discovery_t *d, const http_answer_t *answer)
{
    client_members_t m;
    str_t type;
    if (!may_be_json(answer, &type)) {
        type = client_plain(d->a, type, LIMIT_CLIENT_DETAIL_BYTES);
        str_t what = arena_printf(d->a, "200, but of type %" PRIstr, STR_ARG(type));
        return str_is_set(type) && str_is_set(what) ? look_on(d, what) : RC_MEMORY;
    }
    str_t body = arena_dup(d->a, answer->body);
    if (str_is_set(answer->body) && !str_is_set(body))
        return RC_MEMORY;
    rc_t rc = client_members_read(d->a, body, &m);
    if (rc == RC_MALFORMED && !begins_object(body))
        return look_on(d, STR("200, but no JSON object"));
    /* What is broken, or beyond the limits, is there, and told as what it is. */
    return rc == RC_MEMORY ? rc : took_document(d, body);
}

/* Whether a status says nothing about what is at a place: an error of the server's own, but for the
 * 502 of proxies that know no such place, and the 429 of one that was asked too often. */
static bool is_trouble(int status)
{
    return (status >= 500 && status != 502) || status == 429;
}

/* All places of an issuer are about that issuer: a later one may be taken. A later place of a
 * resource may name another authorization server, and is for where there is no earlier one. */
static rc_t took_trouble(client_discovery_t *d, str_t what)
{
    if (d->phase != CLIENT_PHASE_SERVER)
        return fail_at(d, CLIENT_SERVER_FAILS, d->places.v[d->at], what);
    d->troubled = true;
    return look_on(d, what);
}

rc_t client_discovery_took(client_discovery_t *d, const http_answer_t *answer)
{
    if (failed(d) || found(d))
        return RC_OK;
    if (answer->end != HTTP_AGENT_DONE)
        return took_nothing(d, answer);
    if (answer->status == 200)
        return took_page(d, answer);
    bool redirect = answer->status >= 300 && answer->status < 400;
    str_t what = arena_printf(d->a, redirect ? "%d, which is not followed" : "%d", answer->status);
    if (!str_is_set(what))
        return RC_MEMORY;
    return is_trouble(answer->status) ? took_trouble(d, what) : look_on(d, what);
}
