/* URLs by RFC 3986, strictly: only what the grammar allows, split, never normalized in place. */
#ifndef CORE_URL_H
#define CORE_URL_H

#include "core/arena.h"

/** The parts, borrowed from the text. Absent parts are unset, present but empty ones are empty. */
typedef struct {
    str_t text;
    str_t scheme;         /* as written; compare with str_eq_nocase */
    str_t userinfo;       /* unset when there is no '@' */
    str_t host;           /* with brackets for an IPv6 literal; unset without an authority */
    str_t port;           /* digits, unset when absent */
    str_t path;           /* may be empty */
    str_t query;          /* behind '?', unset when absent */
    str_t fragment;       /* behind '#', unset when absent */
    uint16_t port_number; /* given or the scheme's default (http 80, https 443), 0 if unknown */
} url_t;

/** Parses an absolute URI (with a scheme). RC_MALFORMED on any byte the grammar lacks (spaces,
 *  controls, backslash, non-ASCII, bad percent-escape, bad port), RC_LIMIT over LIMIT_URL_BYTES. */
rc_t url_parse(str_t text, url_t *out) MUST_USE;
/** Scheme http or https, non-empty host. */
bool url_is_http(const url_t *u);
bool url_is_https(const url_t *u);
/** Host is exactly "localhost", "127.0.0.1" or "[::1]" (RFC 8252 section 7.3, OAuth 2.1 4.1.1). */
bool url_host_is_loopback(str_t host);
/** "scheme://host[:port]" with scheme and host in lower case, the default port left out.
 *  RC_MALFORMED when there is no host. */
rc_t url_origin(arena_t *a, const url_t *u, str_t *out) MUST_USE;
/** The whole URL with lower-case scheme and host and without the default port; userinfo, path,
 * query and fragment as they are. Path-less http(s) URLs come out without the slash: "https://h/"
 * and "https://h" are one. */
rc_t url_canonical(arena_t *a, const url_t *u, str_t *out) MUST_USE;
/** Percent-decodes a path strictly (no NUL, valid UTF-8). */
rc_t url_path_decode(arena_t *a, str_t raw, str_t *out) MUST_USE;

#endif
