/* Checkpoints: lines that sign the line before them, and by its hash all before that, with the
 * audit key. And the line that names a file which was deleted when its time was over. Pure. */
#ifndef AUDIT_CHECKPOINT_H
#define AUDIT_CHECKPOINT_H

#include "audit/chain.h"
#include "jose/signer.h"

/** Signs with the audit key. Called under the lock of the trail, so one at a time, and it must be
 *  quick. RC_IO, RC_MEMORY. */
typedef struct audit_signer {
    rc_t (*sign)(void *ctx, str_t bytes, signature_t *out);
    void *ctx;
    str_t kid; /* thumbprint of the key (RFC 7638) */
} audit_signer_t;

/** What a checkpoint says. */
typedef struct {
    audit_name_t chain; /* not known to who begins to sign in the middle of a chain: zeros */
    audit_head_t head;  /* of the line before it */
    str_t time, kid;
    str_t signature; /* base64url; of a checkpoint that was read */
} audit_checkpoint_t;

enum { AUDIT_CHECKPOINT_BYTES = 4096 }; /* of its line, at most */

/** Appends the bytes that are signed: five lines, the first names what this is. */
void audit_checkpoint_text(buf_t *b, const audit_checkpoint_t *c);
/** Reads such bytes, for key `kid`; *out borrows from them and has no signature. False: what
 * anything but a trail wants signed. */
bool audit_checkpoint_read_text(str_t bytes, str_t kid, audit_checkpoint_t *out);
/** Signs `c` and writes the members of its line (audit_body_write). `b` must be empty. */
rc_t audit_checkpoint_body(buf_t *b, const audit_checkpoint_t *c, const audit_signer_t *signer,
                           str_t *out) MUST_USE;
/** Reads the line of a checkpoint. False: it is none, or its members are not all there. */
bool audit_checkpoint_read(const audit_record_t *r, audit_checkpoint_t *out);
/** Whether it signs the line before it, in a chain of this name, by one of `keys` (NULL: signatures
 *  are not checked). AUDIT_FAULT_NONE, or what is wrong. */
audit_fault_t audit_checkpoint_judge(const audit_record_t *r, const audit_checkpoint_t *c,
                                     const audit_name_t *chain, const jwks_t *keys);

/** A deleted file, and the head of its last line, as an anchor for what is left. */
typedef struct {
    str_t file; /* its name without folder */
    audit_head_t head;
} audit_deleted_t;

rc_t audit_deleted_body(buf_t *b, const audit_deleted_t *d, int64_t now_ms, str_t *out) MUST_USE;
bool audit_deleted_read(const audit_record_t *r, audit_deleted_t *out);

/** A signer with a key of this process (ES256 or EdDSA), which it holds until the arena ends.
 *  RC_MALFORMED: another kind of key. */
rc_t audit_signer_make(arena_t *a, jose_key_t *key, audit_signer_t *out) MUST_USE;

#endif
