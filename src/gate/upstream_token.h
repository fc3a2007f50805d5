/* Tokens that an upstream gets in place of the caller's: what a token endpoint is asked for, and
 * whether its answer may be used (RFC 6749 sections 4.4 and 5, RFC 8693 section 2). Pure. */
#ifndef GATE_UPSTREAM_TOKEN_H
#define GATE_UPSTREAM_TOKEN_H

#include "conf/conf.h"
#include "gate/principal.h"

enum {
    GATE_TOKEN_BYTES = 8192,      /* most servers take no longer header line */
    GATE_TOKEN_ASK_BYTES = 65536, /* the form, with the caller's token percent-encoded */
    GATE_TOKEN_KEEP_MOST_S = 3600,
    GATE_TOKEN_UNSAID_S = 60, /* how long a token is kept that says nothing about it */
    GATE_TOKEN_MARGIN_S = 30, /* dropped so long before it expires, or a quarter of its life */
};

typedef enum {
    GATE_TOKEN_GOOD,
#define TOKEN_REASON(name, text, about) GATE_TOKEN_##name,
#include "gate/token_reasons.def"
#undef TOKEN_REASON
    GATE_TOKEN_REASON_COUNT
} gate_token_reason_t;

/** For the audit; static. */
str_t gate_token_reason_name(gate_token_reason_t reason);

/** Whose token. Borrowed. */
typedef struct {
    const conf_upstream_t *upstream;
    const gate_principal_t *who; /* of an exchange; NULL: the gateway's own */
    str_t token;                 /* the caller's, likewise */
} gate_token_ask_t;

/**
 * The scope to ask for, space-separated, in `a` or borrowed; unset: none. Of an exchange: the
 * configured one, less what this server knows and the caller does not hold; where none is
 * configured, the caller's own. What only the upstream knows goes over by the operator's word
 * alone. RC_NOT_FOUND: nothing is left, so nothing may be asked for.
 */
rc_t gate_token_scope(arena_t *a, const gate_token_ask_t *ask, str_t *out) MUST_USE;
/** The form. Holds secrets: `b` is the caller's to wipe. */
void gate_token_form(buf_t *b, const gate_token_ask_t *ask, str_t scope);
/** The Authorization of the client: Basic (RFC 6749 section 2.3.1). Unset without memory. */
str_t gate_token_authorization(arena_t *a, const conf_credential_t *c);

/** What came back. */
typedef struct {
    int status;
    str_t body;
    str_t scope; /* that was asked for */
    int64_t now_s;
} gate_token_answer_t;

/** `token` borrows the answer; it may be kept for keep_s seconds. */
typedef struct {
    str_t token;
    int64_t keep_s;
} gate_token_t;

/** GATE_TOKEN_GOOD with *out, or why it may not be used. Never a token of another type, for another
 *  audience, with more scope than asked for, or the caller's own. */
gate_token_reason_t gate_token_read(arena_t *a, const gate_token_ask_t *ask,
                                    const gate_token_answer_t *answer, gate_token_t *out);

#endif
