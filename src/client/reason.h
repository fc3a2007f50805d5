/* Why a client does not go on: one table for the library, the commands and their pages. */
#ifndef CLIENT_REASON_H
#define CLIENT_REASON_H

#include "core/str.h"

typedef enum {
    CLIENT_FINE,
#define CLIENT_REASON(name, text, sentence, rule, mend) CLIENT_##name,
#include "client/reasons.def"
#undef CLIENT_REASON
    CLIENT_REASON_COUNT
} client_reason_t;

typedef struct {
    str_t name;     /* for JSON and logs: "issuer_mismatch" */
    str_t sentence; /* what happened */
    str_t rule;     /* the text that asks for it, with its section */
    str_t mend;     /* what a person can do */
} client_reason_row_t;

/** The row of a reason other than CLIENT_FINE; static. */
const client_reason_row_t *client_reason_row(client_reason_t reason);

/** A refusal with what was seen. `detail` may hold words of strangers: client_plain before it is
 *  printed. Lives in the arena it was made in. */
typedef struct {
    client_reason_t reason;
    str_t detail; /* unset: nothing more is known */
} client_failure_t;

#endif
