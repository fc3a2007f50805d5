/* The server's side of a vault (vault.h): each call is a frame that a line carries to the other
 * process, and its answer. */
#ifndef AS_VAULT_REMOTE_H
#define AS_VAULT_REMOTE_H

#include "as/vault.h"
#include "as/vault_frame.h"

/** Brings a question (a whole frame) and waits for its answer at `answer`, which has
 *  LIMIT_VAULT_FRAME_BYTES. Any thread. RC_IO: the other side is gone. */
typedef struct {
    rc_t (*call)(void *ctx, str_t question, uint8_t *answer, size_t *n);
    void *ctx;
} vault_line_t;

/** Over a line, which is borrowed. */
as_vault_t vault_remote(const vault_line_t *line);
/** For audit_signer_t.sign, with the line as its ctx. */
rc_t vault_remote_checkpoint(void *line, str_t bytes, signature_t *out) MUST_USE;

#endif
