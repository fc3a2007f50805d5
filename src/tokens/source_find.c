/* Discovery: drives the steps of client/discovery.h, and remembers where they led. */
#include "tokens/source_object.h"

static client_reason_t look(source_round_t *r, str_t url, http_answer_t *answer)
{
    http_agent_request_t q = {.method = STR("GET"),
                              .url = url,
                              .headers = HTTP_HEADERS({STR("Accept"), STR("application/json")})};
    return source_ask(r, &q, answer);
}

/* Up to the end, or, with `resource_only`, until the resource's metadata is there. */
static client_reason_t drive(source_round_t *r, client_discovery_t *d, bool resource_only)
{
    str_t url;
    client_discovery_step_t step;
    while ((step = client_discovery_next(d, &url)) == CLIENT_LOOK) {
        if (resource_only && d->phase != CLIENT_PHASE_RESOURCE)
            return CLIENT_FINE;
        http_answer_t answer;
        GO(look(r, url, &answer));
        GO(source_rc(r, client_discovery_took(d, &answer)));
    }
    if (step == CLIENT_FOUND)
        return CLIENT_FINE;
    if (d->failure.reason == CLIENT_UNREACHABLE || d->failure.reason == CLIENT_SERVER_FAILS)
        r->transient = true;
    return source_fail(r, d->failure.reason, arena_dup(r->a, d->failure.detail));
}

static client_discovery_want_t want_of(const source_round_t *r)
{
    const tokens_config_t *c = &r->s->config;
    const source_place_t *p = &r->s->place;
    return (client_discovery_want_t){
        .url = c->url,
        .metadata = r->challenged ? r->challenge.resource_metadata : STR_UNSET,
        /* The server may list several: stay with the one whose tokens and registration there are.
         */
        .issuer = str_is_set(c->issuer) ? c->issuer
                  : p->a                ? p->issuer
                                        : STR_UNSET,
        .strict = c->strict,
        .plain_ok = c->plain_ok,
        .reach = c->reach,
        .no_fallback = c->no_fallback,
    };
}

static rc_t origin_of(arena_t *a, str_t url, str_t *out)
{
    url_t parts;
    TRY(url_parse(url, &parts));
    return url_origin(a, &parts, out);
}

/* What registrations and tokens are keyed by. */
static rc_t set_keys(source_place_t *p, str_t url)
{
    client_discovery_t *d = &p->found;
    p->resource = d->has_resource ? d->resource.resource : STR_UNSET;
    p->issuer = str_is_set(d->server.issuer) ? d->server.issuer : d->issuer;
    return str_is_set(p->issuer) ? RC_OK : origin_of(p->a, url, &p->issuer);
}

void source_place_set(tokens_source_t *s, const source_place_t *place)
{
    arena_free(s->place.a);
    s->place = *place;
}

/* The wants are borrowed by the discovery, and it outlives the round. */
static bool dup_want(arena_t *a, client_discovery_want_t *w)
{
    str_t *texts[] = {&w->metadata, &w->issuer};
    for (size_t i = 0; i < 2; i++) {
        bool set = str_is_set(*texts[i]);
        *texts[i] = arena_dup(a, *texts[i]);
        if (set != str_is_set(*texts[i]))
            return false;
    }
    return true;
}

bool source_is_chosen(const tokens_source_t *s, str_t issuer)
{
    return !str_is_set(s->config.issuer) || str_eq(s->config.issuer, issuer);
}

/* The person chose a server: no other takes its place, lest what she gave for it goes there. */
static client_reason_t check_chosen(source_round_t *r, const source_place_t *place)
{
    if (source_is_chosen(r->s, place->issuer))
        return CLIENT_FINE;
    str_t detail = arena_printf(r->a, "%" PRIstr " was chosen, and the server names %" PRIstr,
                                STR_ARG(r->s->config.issuer), STR_ARG(place->issuer));
    return source_fail(r, CLIENT_CREDENTIALS_OF_ANOTHER, detail);
}

static client_reason_t find(source_round_t *r, source_place_t *place)
{
    client_discovery_want_t want = want_of(r);
    /* The documents live as long as the place. */
    source_round_t in = *r;
    in.a = place->a;
    rc_t rc = dup_want(place->a, &want) ? RC_OK : RC_MEMORY;
    if (rc == RC_OK)
        rc = client_discovery_begin(place->a, &want, &place->found);
    GO(source_rc(r, rc));
    client_reason_t reason = drive(&in, &place->found, false);
    r->transient = in.transient;
    if (reason != CLIENT_FINE)
        return source_fail(r, reason, arena_dup(r->a, in.why.detail));
    place->at = clock_seconds(&r->s->config.clock);
    GO(source_rc(r, set_keys(place, want.url)));
    return check_chosen(r, place);
}

client_reason_t source_find(source_round_t *r)
{
    source_says(r, "Looking for the authorization server of", r->s->config.url);
    source_place_t place = {.a = arena_new(SOURCE_ARENA_BYTES)};
    if (!place.a)
        return source_rc(r, RC_MEMORY);
    client_reason_t reason = find(r, &place);
    if (reason != CLIENT_FINE) {
        arena_free(place.a);
        return reason;
    }
    source_place_set(r->s, &place);
    return CLIENT_FINE;
}

client_reason_t source_find_moved(source_round_t *r, bool *moved)
{
    const source_place_t *p = &r->s->place;
    *moved = false;
    bool named = r->challenged && str_is_set(r->challenge.resource_metadata);
    if (!p->found.has_resource && !named)
        return CLIENT_FINE;
    client_discovery_want_t want = want_of(r);
    client_discovery_t d;
    GO(source_rc(r, client_discovery_begin(r->a, &want, &d)));
    client_reason_t reason = drive(r, &d, true);
    if (reason == CLIENT_STOPPED || reason == CLIENT_MACHINE)
        return reason;
    r->transient = false;
    if (reason == CLIENT_FINE && d.has_resource)
        *moved = !str_list_has(d.resource.authorization_servers, p->issuer) ||
                 !str_eq(d.resource.resource, p->resource);
    return CLIENT_FINE;
}

static bool is_json(const http_answer_t *answer)
{
    str_t type = http_headers_get(answer->headers, STR("Content-Type"));
    return !str_is_set(type) || str_contains(type, STR("json"));
}

client_reason_t source_find_server(source_round_t *r, arena_t *a, str_t issuer,
                                   client_server_metadata_t *out)
{
    str_list_t places;
    rc_t rc = client_server_places(a, issuer, &places);
    if (rc == RC_MALFORMED)
        return source_fail(r, CLIENT_URL_BAD, issuer);
    GO(source_rc(r, rc));
    for (size_t i = 0; i < places.n; i++) {
        http_answer_t answer;
        GO(look(r, places.v[i], &answer));
        GO(source_reached(r, places.v[i], &answer));
        if (answer.status != 200 || !is_json(&answer))
            continue;
        str_t why = STR_UNSET, body = arena_dup(a, answer.body);
        client_reason_t reason =
            client_server_metadata_read(a, body, issuer, r->s->config.plain_ok, out, &why, &rc);
        GO(source_rc(r, rc));
        return reason == CLIENT_FINE ? reason : source_fail(r, reason, why);
    }
    return source_fail(r, CLIENT_SERVER_METADATA_NONE, issuer);
}

static rc_t read_resource(tokens_source_t *s, const tokens_server_t *kept, source_place_t *out)
{
    client_discovery_t *d = &out->found;
    rc_t rc = RC_OK;
    str_t why, text = arena_dup(out->a, kept->resource_metadata);
    if (!str_is_set(kept->resource_metadata)) {
        d->legacy = true;
        return RC_OK;
    }
    client_reason_t reason = client_resource_metadata_read(
        out->a, text, s->config.url, s->config.strict, &d->resource, &why, &rc);
    d->has_resource = reason == CLIENT_FINE;
    return rc == RC_OK && reason != CLIENT_FINE ? RC_MALFORMED : rc;
}

static rc_t read_server(tokens_source_t *s, const tokens_server_t *kept, source_place_t *out)
{
    client_discovery_t *d = &out->found;
    rc_t rc = RC_OK;
    str_t origin, why, text = arena_dup(out->a, kept->server_metadata);
    d->guessed = kept->guessed;
    if (kept->guessed) {
        TRY(origin_of(out->a, s->config.url, &origin));
        return client_server_guess(out->a, origin, &d->server);
    }
    if (!str_is_set(text))
        return RC_MALFORMED;
    d->issuer = arena_dup(out->a, kept->issuer);
    client_reason_t reason = client_server_metadata_read(out->a, text, d->issuer,
                                                         s->config.plain_ok, &d->server, &why, &rc);
    return rc == RC_OK && reason != CLIENT_FINE ? RC_MALFORMED : rc;
}

rc_t source_place_read(tokens_source_t *s, const tokens_server_t *kept, source_place_t *out)
{
    *out = (source_place_t){.a = arena_new(SOURCE_ARENA_BYTES), .at = kept->at};
    if (!out->a)
        return RC_MEMORY;
    rc_t rc = read_resource(s, kept, out);
    if (rc == RC_OK)
        rc = read_server(s, kept, out);
    if (rc == RC_OK)
        rc = set_keys(out, s->config.url);
    if (rc != RC_OK) {
        arena_free(out->a);
        out->a = NULL;
    }
    return rc;
}

static client_reason_t fetch_again(source_round_t *r)
{
    tokens_source_t *s = r->s;
    client_server_metadata_t server;
    GO(source_find_server(r, r->a, s->place.issuer, &server));
    /* Whose client_id stands in the record does not change. */
    str_t name, text;
    tokens_server_t kept;
    GO(source_rc(r, tokens_server_name(r->a, s->config.url, &name)));
    GO(source_read(r, name, &text));
    if (!str_is_set(text) || tokens_server_read(r->a, text, &kept) != RC_OK)
        kept.client_id = STR("");
    tokens_server_t next = source_place_record(s, kept.client_id);
    next.server_metadata = server.all->raw;
    next.at = clock_seconds(&s->config.clock);
    source_place_t place;
    GO(source_rc(r, source_place_read(s, &next, &place)));
    source_place_set(s, &place);
    source_keep_place(r, kept.client_id);
    return CLIENT_FINE;
}

client_reason_t source_find_again(source_round_t *r)
{
    const source_place_t *p = &r->s->place;
    bool old = clock_seconds(&r->s->config.clock) - p->at >= SOURCE_OLD_S;
    if (!p->a || p->found.guessed || !old)
        return CLIENT_FINE;
    client_reason_t reason = fetch_again(r);
    r->transient = false;
    if (reason == CLIENT_FINE || reason == CLIENT_STOPPED)
        return reason;
    LOG(r->s->config.log, LOG_INFO, "metadata_not_fetched", LOG_S("why", r->why.detail));
    return CLIENT_FINE;
}
