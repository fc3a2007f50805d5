/* The catalogue of known clients (share/clients.yaml), which is part of the program and may be
 * extended by a file. Says what is known, grants nothing by itself. */
#ifndef CONF_CONF_CATALOGUE_H
#define CONF_CONF_CATALOGUE_H

#include "core/arena.h"

/** A client; absent texts are unset, absent lists empty. In URLs `*` stands for one path segment,
 *  and on loopback the port says nothing. */
typedef struct {
    str_t id; /* "cursor" */
    str_t name;
    str_list_t identifies_by; /* document, registration, configuration */
    str_list_t documents;
    str_list_t redirect_uris;
    str_t auth; /* token_endpoint_auth_method */
    bool hosted;
    bool lenient_loopback;
    str_list_t settings;
    str_t note;
} conf_known_client_t;

typedef struct conf_catalogue {
    const conf_known_client_t *v;
    size_t n;
} conf_catalogue_t;

/** The catalogue that is part of the program. RC_MEMORY. */
rc_t conf_catalogue_default(arena_t *a, conf_catalogue_t *out) MUST_USE;
/** `base` with the entries of `text` (YAML) replaced or added. RC_CONFIG: *why is one sentence with
 *  the line; RC_MEMORY. */
rc_t conf_catalogue_extend(arena_t *a, const conf_catalogue_t *base, str_t text,
                           conf_catalogue_t *out, str_t *why) MUST_USE;

/** Who has the metadata document `client_id`, or NULL. */
const conf_known_client_t *conf_catalogue_of_document(const conf_catalogue_t *c, str_t client_id);
/** Whose redirect URI this is, or NULL. */
const conf_known_client_t *conf_catalogue_of_redirect(const conf_catalogue_t *c, str_t uri);
/** The private-use schemes of all redirect URIs, each once. RC_MEMORY. */
rc_t conf_catalogue_schemes(arena_t *a, const conf_catalogue_t *c, str_list_t *out) MUST_USE;
/** docs/CLIENTS.md. RC_MEMORY, RC_LIMIT. */
rc_t conf_catalogue_document(arena_t *a, const conf_catalogue_t *c, str_t *out) MUST_USE;

#endif
