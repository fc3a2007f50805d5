/* What a server and its signing process say to each other: one frame a question, one an answer.
 * Pure; both sides read with the same strict reader, as neither trusts the other.
 *
 * A frame is VAULT_HEAD_BYTES: version, kind, code (2 bytes), length of what follows the head
 * (4 bytes), number of the question (4 bytes), little-endian; then the fields of its kind, each
 * behind its length of 2 bytes. */
#ifndef AS_VAULT_FRAME_H
#define AS_VAULT_FRAME_H

#include "core/buf.h"
#include "core/limits.h"

enum { VAULT_VERSION = 2, VAULT_HEAD_BYTES = 12, VAULT_FIELDS_MAX = 5 };

/* VAULT_FRAME(NAME, number of fields): what they are, in their order */
#define VAULT_FRAME_TABLE(VAULT_FRAME)                                                             \
    VAULT_FRAME(HELLO,                                                                             \
                3)       /* name of the key for keys, id of the audit key, what walls there are */ \
    VAULT_FRAME(OPEN, 5) /* use, algorithm, kid, sealed by, secret */                              \
    VAULT_FRAME(SETTLE, 0)                                                                         \
    VAULT_FRAME(MAKE, 2)       /* use, algorithm */                                                \
    VAULT_FRAME(SEAL, 3)       /* use, kid, secret */                                              \
    VAULT_FRAME(SIGN, 3)       /* algorithm, kid, input */                                         \
    VAULT_FRAME(CHECKPOINT, 1) /* input */                                                         \
    VAULT_FRAME(ANSWER, 2)     /* what is asked for: an opened key, a signature; kid and secret */

typedef enum {
#define VAULT_FRAME(name, fields) VAULT_##name,
    VAULT_FRAME_TABLE(VAULT_FRAME)
#undef VAULT_FRAME
        VAULT_KINDS
} vault_kind_t;

/** Fields borrow from the bytes that were read; those that the kind does not have are unset, all
 *  others set and perhaps empty. */
typedef struct {
    vault_kind_t kind;
    unsigned code;   /* rc_t of an answer; of HELLO the code to end with; else 0 */
    uint32_t number; /* of a question, and its answer has the same; of HELLO 0 */
    str_t fields[VAULT_FIELDS_MAX];
} vault_frame_t;

/** A whole frame, nothing behind it. RC_MALFORMED: another version, an unknown kind, a code in a
 *  question, lengths that do not fit, longer than LIMIT_VAULT_FRAME_BYTES. */
rc_t vault_frame_read(str_t bytes, vault_frame_t *out) MUST_USE;
/** The head alone: kind, code, number. RC_MALFORMED as above. */
rc_t vault_frame_read_head(str_t bytes, vault_frame_t *out) MUST_USE;
/** Writes it into `b`, which is empty; *out borrows from it. Unset fields are empty. RC_LIMIT. */
rc_t vault_frame_write(buf_t *b, const vault_frame_t *frame, str_t *out) MUST_USE;

#endif
