/* The checked settings of a resource, and what follows from them. Pure. */
#ifndef RS_SETTINGS_H
#define RS_SETTINGS_H

#include "core/arena.h"
#include "warder/rs.h"

enum { RS_SERVERS_MAX = 8, RS_PATHS_MAX = 3, RS_AUDIENCES_MAX = 8 };

/** warder_rs_dialect_t, checked. Unset: as RFC 9068 says. */
typedef struct {
    str_t typ, needs, refuses, client_claims, scope_claim, audience_claim;
} rs_dialect_t;

typedef struct {
    str_t issuer;
    str_t jwks_uri;          /* unset: to be discovered */
    str_t revocations_uri;   /* unset: to be discovered */
    str_t introspection_uri; /* the same */
    bool loopback;           /* the issuer is a loopback one: so may be what it points at */
    str_t audience_text[RS_AUDIENCES_MAX + 2];
    str_list_t audiences; /* `aud` values that mean us, those of the resource first */
    size_t own_audiences; /* how many of them these are */
    rs_dialect_t dialect;
} rs_server_t;

/** Lives in the arena it was checked into; strings end in a NUL behind their length. */
typedef struct {
    str_t resource;         /* canonical */
    str_t audience_text[2]; /* `aud` values that mean us */
    str_list_t audiences;
    str_t name; /* unset when not given */
    rs_server_t servers[RS_SERVERS_MAX];
    size_t n_servers;
    str_t scopes, scopes_supported; /* without offline_access; unset when there are none */
    int64_t leeway_ms, fresh_ms, stale_ms, refetch_ms;
    str_t authorization;   /* for introspection; unset: opaque tokens are refused. Wiped by rs.c */
    size_t introspector;   /* index of its server */
    int64_t answer_ms;     /* an answer of introspection counts */
    int64_t poll_ms;       /* of the lists of revocations; 0: they are not followed */
    int64_t list_stale_ms; /* older ones let nobody in; -1: they still count */
    size_t cache_tokens;
    warder_rs_dpop_t dpop;
    bool dpop_nonce;
    bool repeat_scopes;
    size_t dpop_proofs;
    str_t twin;   /* the resource with a slash more at its end, or less; unset: it has no path */
    str_t origin; /* of the resource */
    str_t metadata_url;
    str_t paths[RS_PATHS_MAX]; /* request paths of the metadata, unset behind the last */
} rs_settings_t;

/** Checks; RC_CONFIG with one sentence in *why (static or in arena), or RC_MEMORY. The `aud` of a
 *  token must be the canonical resource byte for byte; only for a resource without a path the lone
 *  slash makes no difference (RFC 3986 section 6.2.3). */
rc_t rs_settings_check(arena_t *a, const warder_rs_config_t *config, rs_settings_t *out,
                       str_t *why) MUST_USE;
/** The protected resource metadata document (RFC 9728 section 2). */
rc_t rs_settings_metadata(arena_t *a, const rs_settings_t *s, str_t *out) MUST_USE;

/** Whether keys or metadata of `server` may be fetched there: https, or http on a loopback host
 *  for a loopback issuer. */
bool rs_server_may_fetch(const rs_server_t *server, str_t url);
/** The i-th place of an issuer's metadata (RFC 8414 sections 3.1 and 5); unset behind the last. */
rc_t rs_server_metadata_url(arena_t *a, const rs_server_t *server, size_t i, str_t *out) MUST_USE;
/** Places that a metadata document names; unset: none. */
typedef struct {
    str_t jwks_uri, revocations_uri, introspection_uri;
} rs_places_t;

/** The places of a metadata document; there is a jwks_uri. RC_MALFORMED: not JSON, another issuer
 * (RFC 8414 section 3.3), or a place that may not be fetched. In arena. */
rc_t rs_server_read_metadata(arena_t *a, const rs_server_t *server, str_t text,
                             rs_places_t *out) MUST_USE;

#endif
