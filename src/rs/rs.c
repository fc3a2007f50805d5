/* The functions of include/warder/rs.h. */
#include "core/buf.h"
#include "core/limits.h"
#include "core/secret.h"
#include "core/ports.h"
#include "core/secret.h"
#include "oauth/scope.h"
#include "rs/ports_default.h"
#include "rs/verdict.h"

#include <stdio.h>

enum { RS_ARENA_BYTES = 256 * 1024 };

static void say(char *why, size_t size, str_t text)
{
    if (why && size > 0)
        snprintf(why, size, "%" PRIstr, STR_ARG(text));
}

static rc_t make_nonce_key(warder_rs_t *rs, const char *secret, str_t *why)
{
    random_port_t random = random_system();
    if (secret)
        sha256(str_c(secret), rs->nonce_key);
    else if (random.fill(random.ctx, rs->nonce_key, sizeof rs->nonce_key) != RC_OK) {
        *why = STR("the system gives no random bytes");
        return RC_IO;
    }
    return RC_OK;
}

static rc_t build(warder_rs_t *rs, const warder_rs_config_t *config, str_t *why)
{
    rs->ports = config->ports ? *config->ports : rs_ports_default();
    TRY(rs_settings_check(rs->arena, config, &rs->settings, why));
    *why = STR("there is not enough memory");
    TRY(rs_settings_metadata(rs->arena, &rs->settings, &rs->metadata));
    rs->anchor = (rs_anchor_t){rs->ports.now_ms(rs->ports.ctx), rs->ports.mono_ms(rs->ports.ctx)};
    rs->revocations = rs_revocations_new(&rs->settings, &rs->ports);
    if (!rs->revocations)
        return RC_MEMORY;
    if (str_is_set(rs->settings.authorization) &&
        !(rs->introspection = rs_introspection_new(&rs->settings, &rs->ports)))
        return RC_MEMORY;
    const rs_told_t told = {rs->revocations, rs->introspection};
    rs->keys = rs_keys_new(&rs->settings, &rs->ports, told);
    rs->cache = rs_token_cache_new(rs->settings.cache_tokens);
    if (rs->settings.dpop != WARDER_RS_DPOP_OFF)
        rs->proofs = rs_proofs_new(rs->settings.dpop_proofs);
    bool proofs = rs->proofs || rs->settings.dpop == WARDER_RS_DPOP_OFF;
    TRY(make_nonce_key(rs, config->dpop_nonce_secret, why));
    return rs->keys && rs->cache && proofs ? RC_OK : RC_MEMORY;
}

warder_rs_t *warder_rs_new(const warder_rs_config_t *config, char *why, size_t why_size)
{
    str_t reason = STR("there is not enough memory");
    arena_t *arena = arena_new(RS_ARENA_BYTES);
    warder_rs_t *rs = arena ? ARENA_NEW(arena, warder_rs_t) : NULL;
    say(why, why_size, STR(""));
    if (!rs) {
        arena_free(arena);
        say(why, why_size, reason);
        return NULL;
    }
    rs->arena = arena;
    if (build(rs, config, &reason) != RC_OK) {
        say(why, why_size, reason);
        warder_rs_free(rs);
        return NULL;
    }
    return rs;
}

void warder_rs_free(warder_rs_t *rs)
{
    if (!rs)
        return;
    rs_keys_free(rs->keys);
    rs_revocations_free(rs->revocations);
    rs_introspection_free(rs->introspection);
    secret_wipe((void *)(uintptr_t)rs->settings.authorization.p, rs->settings.authorization.n);
    rs_token_cache_free(rs->cache);
    rs_proofs_free(rs->proofs);
    secret_wipe(rs->nonce_key, sizeof rs->nonce_key);
    arena_free(rs->arena);
}

static warder_rs_verdict_t *judge(warder_rs_t *rs, const warder_rs_request_t *req, bool last)
{
    rs_finding_t found;
    arena_t *a = arena_new(RS_VERDICT_ARENA_BYTES);
    if (!a || rs_check(rs, a, req, &found) != RC_OK) {
        arena_free(a);
        return NULL;
    }
    if (last)
        found.need_keys = false;
    return rs_verdict_make(&rs->settings, a, &found, str_c(req->scope));
}

warder_rs_verdict_t *warder_rs_check_now(warder_rs_t *rs, const warder_rs_request_t *request)
{
    return judge(rs, request, false);
}

warder_rs_verdict_t *warder_rs_check(warder_rs_t *rs, const warder_rs_request_t *request)
{
    warder_rs_verdict_t *v = judge(rs, request, false);
    if (!v || (v->outcome != WARDER_RS_NEED_KEYS && !v->refresh_due))
        return v;
    bool decided = v->outcome != WARDER_RS_NEED_KEYS;
    warder_rs_refresh(rs);
    if (decided) {
        v->refresh_due = false;
        return v;
    }
    warder_rs_verdict_free(v);
    return judge(rs, request, true);
}

bool warder_rs_lives(warder_rs_t *rs, const warder_rs_token_t *token, bool *refresh_due)
{
    bool due;
    rs_principal_t who = RS_NOBODY;
    who.iss = token->iss;
    who.sub = token->sub;
    who.client_id = token->client_id;
    who.jti = token->jti;
    who.exp_ms = token->exp * 1000;
    who.iat_ms = token->iat < 0 ? JWT_TIME_ABSENT : token->iat * 1000;
    bool lives = rs_check_lives(rs, &who, &due);
    if (refresh_due)
        *refresh_due = due;
    return lives;
}

warder_rs_still_t warder_rs_still(warder_rs_t *rs, const char *token, bool *refresh_due)
{
    bool due = false, full;
    arena_t *a = arena_new(RS_VERDICT_ARENA_BYTES);
    warder_rs_still_t still =
        a ? rs_check_still(rs, a, str_c(token), &due, &full) : WARDER_RS_UNSURE;
    arena_free(a);
    if (refresh_due)
        *refresh_due = due;
    return still;
}

bool warder_rs_refresh(warder_rs_t *rs)
{
    bool usable = rs_keys_refresh(rs->keys);
    rs_revocations_refresh(rs->revocations, rs_clock(rs));
    if (rs->introspection)
        rs_introspection_refresh(rs->introspection, rs_clock(rs));
    return usable;
}

bool warder_rs_scope_covers(const char *granted, const char *needed)
{
    return oauth_scope_covers(str_c(granted), str_c(needed));
}

warder_rs_verdict_t *warder_rs_insufficient(warder_rs_t *rs, const char *needed)
{
    return warder_rs_insufficient_for(rs, "", needed);
}

warder_rs_verdict_t *warder_rs_insufficient_for(warder_rs_t *rs, const char *jkt,
                                                const char *needed)
{
    return warder_rs_insufficient_beyond(rs, jkt, "", needed);
}

warder_rs_verdict_t *warder_rs_insufficient_beyond(warder_rs_t *rs, const char *jkt,
                                                   const char *granted, const char *needed)
{
    rs_finding_t found = {.reason = RS_SCOPE, .dpop = jkt && jkt[0], .who = RS_NOBODY};
    found.who.scope = granted;
    arena_t *a = arena_new(RS_VERDICT_ARENA_BYTES);
    return a ? rs_verdict_make(&rs->settings, a, &found, str_c(needed)) : NULL;
}

const char *warder_rs_resource(const warder_rs_t *rs)
{
    return rs->settings.resource.p;
}

const char *warder_rs_metadata(const warder_rs_t *rs)
{
    return rs->metadata.p;
}

const char *warder_rs_metadata_url(const warder_rs_t *rs)
{
    return rs->settings.metadata_url.p;
}

const char *warder_rs_metadata_path(const warder_rs_t *rs, size_t i)
{
    return i < RS_PATHS_MAX ? rs->settings.paths[i].p : NULL;
}
