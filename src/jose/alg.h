/* The signature algorithms (RFC 7518, RFC 8037). The algorithm comes from the key, never from the
 * token. */
#ifndef JOSE_ALG_H
#define JOSE_ALG_H

#include "core/str.h"

typedef enum { ALG_UNKNOWN, ALG_ES256, ALG_EDDSA, ALG_RS256, ALG_PS256 } alg_t;

/** "ES256" and so on; static, unset for ALG_UNKNOWN. */
str_t alg_name(alg_t alg);
/** Exact name, else ALG_UNKNOWN: "none", HMAC and every other spelling. EdDSA has two names, as all
 *  keys of its kind are Ed25519 ones here (RFC 9864 section 2.2). */
alg_t alg_parse(str_t name);

#endif
