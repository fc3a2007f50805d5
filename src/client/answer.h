/* What all JSON answers of an authorization server have in common: an error (RFC 6749 section 5.2),
 * or an object. Hostile input. */
#ifndef CLIENT_ANSWER_H
#define CLIENT_ANSWER_H

#include "core/json.h"

typedef enum {
    CLIENT_ANSWER_GOOD,    /* 2xx with an object that has no error */
    CLIENT_ANSWER_REFUSED, /* an object with an error, whatever the status */
    CLIENT_ANSWER_BAD,     /* neither */
} client_answer_kind_t;

typedef struct {
    client_answer_kind_t kind;
    const json_t *json; /* of good ones; borrows the body */
    str_t error;        /* of refusals: the code, printable ASCII; unset: it is not */
    str_t why;          /* "invalid_grant: the words", or what is wrong with the answer */
} client_answer_t;

/** RC_MEMORY. */
rc_t client_answer_read(arena_t *a, int status, str_t body, client_answer_t *out) MUST_USE;
/** A text that is there and not empty; null and empty count as absent. False: another type. */
bool client_answer_text(const json_t *answer, str_t name, str_t *out);
/** The same for what is sent on in a header or form: printable ASCII of at most `max` bytes. */
bool client_answer_word(const json_t *answer, str_t name, size_t max, str_t *out);
/** From 0 to `max`, as a number or as digits in a string; what is beyond becomes the nearer of
 * both. False: absent, or neither. */
bool client_answer_number(const json_t *answer, str_t name, int64_t max, int64_t *out);

#endif
