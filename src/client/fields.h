/* Parameters of a request to an authorization server, collected and then written as a form or
 * behind a URL. */
#ifndef CLIENT_FIELDS_H
#define CLIENT_FIELDS_H

#include "core/buf.h"
#include "core/form.h"

enum { CLIENT_FIELDS_MAX = 24 };

/** Borrows what is added. */
typedef struct {
    form_field_t v[CLIENT_FIELDS_MAX];
    size_t n; /* more than CLIENT_FIELDS_MAX: some were left out */
} client_fields_t;

/** Adds one; unset and empty values are left out, as they mean the same (RFC 6749 section 3.1). */
void client_fields_add(client_fields_t *f, str_t name, str_t value);
/** As a form, in bytes that are wiped when the arena ends. RC_LIMIT: longer than LIMIT_FORM_BYTES;
 *  RC_MEMORY. */
rc_t client_fields_form(arena_t *a, const client_fields_t *f, str_t *out) MUST_USE;
/** Behind `url`, whose own query stays (RFC 6749 section 3.1) and whose fragment goes. RC_LIMIT:
 *  longer than LIMIT_URL_BYTES; RC_MEMORY. */
rc_t client_fields_url(arena_t *a, str_t url, const client_fields_t *f, str_t *out) MUST_USE;

#endif
