/* Handles: unpredictable texts that stand for something. Who holds one may use it; only its hash is
 * stored. Made of unreserved characters (RFC 3986 section 2.3), so that no client spoils them by
 * encoding or not encoding. */
#ifndef OAUTH_HANDLE_H
#define OAUTH_HANDLE_H

#include "core/arena.h"
#include "core/ports.h"
#include "model/records.h"

typedef enum {
    OAUTH_HANDLE_CODE,         /* wrc_ and 256 bits, as the following */
    OAUTH_HANDLE_REFRESH,      /* wrr_ */
    OAUTH_HANDLE_SECRET,       /* wrs_ client secret */
    OAUTH_HANDLE_INTERACTION,  /* wri_ in the forms of login and consent */
    OAUTH_HANDLE_REGISTRATION, /* wrt_ initial access token */
    OAUTH_HANDLE_PUSHED,       /* wrp_ end of the request_uri of a pushed request */
    OAUTH_HANDLE_DEVICE,       /* wrv_ device_code */
    OAUTH_HANDLE_MANAGEMENT,   /* wrm_ registration access token (RFC 7592) */
    OAUTH_HANDLE_CLIENT,       /* wrd_ and 192 bits: a client_id; no secret */
    OAUTH_HANDLE_ACCESS,       /* wra_ and 256 bits: an opaque access token */
    OAUTH_HANDLE_FAMILY,       /* 192 bits without prefix: a grant; no secret */
    OAUTH_HANDLE_JTI,          /* the same: the unique part of a jti */
    OAUTH_HANDLE_COUNT
} oauth_handle_t;

enum { OAUTH_DERIVE_KEY_BYTES = 32 };

/** A fresh handle in the arena. RC_MEMORY, or what the random port answers. */
rc_t oauth_handle_new(arena_t *a, const random_port_t *random, oauth_handle_t kind,
                      str_t *out) MUST_USE;
/** The handle that belongs to `seed` under `key` (OAUTH_DERIVE_KEY_BYTES): the same each time, and
 *  unpredictable without the key. RC_MEMORY. */
rc_t oauth_handle_derive(arena_t *a, str_t key, oauth_handle_t kind, str_t seed,
                         str_t *out) MUST_USE;
/** SHA-256 of the handle's text, under which records are stored and found. */
hash_t oauth_handle_hash(str_t handle);

#endif
