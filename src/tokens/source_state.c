/* What is kept, told to a person. */
#include "core/b64.h"
#include "core/json.h"
#include "tokens/source_object.h"

/* The claims of a JWT, as they stand: nobody verifies them here. */
static str_t claims_of(arena_t *a, str_t token)
{
    str_t rest = token, part, text;
    const json_t *claims;
    unsigned dots = 0;
    for (size_t i = 0; i < token.n; i++)
        dots += token.p[i] == '.';
    if (dots != 2 || !str_split(&rest, '.', &part) || !str_split(&rest, '.', &part))
        return STR_UNSET;
    if (b64url_decode(a, part, &text) != RC_OK || json_parse(a, text, NULL, &claims) != RC_OK)
        return STR_UNSET;
    return json_is(claims, JSON_OBJECT) ? claims->raw : STR_UNSET;
}

static void describe(const tokens_source_t *s, arena_t *a, tokens_state_t *out)
{
    const tokens_record_t *t = &s->held.record;
    *out = (tokens_state_t){
        .kept = true,
        .url = arena_dup(a, s->config.url),
        .resource = arena_dup(a, t->resource),
        .issuer = arena_dup(a, t->issuer),
        .client_id = arena_dup(a, t->client_id),
        .scope = arena_dup(a, t->token.scope),
        .asked = arena_dup(a, t->asked),
        .expires_at = t->token.expires_at,
        .since = t->at,
        .dpop = s->held.key.key != NULL,
        .has_refresh = str_is_set(t->token.refresh_token.hidden),
        .token = secret_dup(a, t->token.access_token.hidden),
    };
}

rc_t tokens_source_state(tokens_source_t *s, arena_t *a, tokens_state_t *out)
{
    *out = (tokens_state_t){.kept = false};
    if (source_enter_at_last(s) == SOURCE_STOPPED)
        return RC_BUSY;
    source_round_t r;
    bool took = false;
    client_reason_t reason = CLIENT_MACHINE;
    if (source_round_begin(s, &r) == RC_OK)
        reason = source_reload(&r, &took);
    if (s->held.a)
        describe(s, a, out);
    (void)source_round_end(&r, NULL);
    source_leave(s);
    out->place = arena_dup(a, s->config.keep.place);
    if (out->kept && !str_is_set(out->token.hidden))
        return RC_MEMORY;
    if (out->kept)
        out->claims = claims_of(a, out->token.hidden);
    if (reason == CLIENT_KEEP_FAILED)
        return RC_IO;
    return reason == CLIENT_FINE ? RC_OK : RC_MEMORY;
}
