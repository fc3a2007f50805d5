/* What a signing process signs: nothing but what this server says in its own name. Pure. */
#ifndef AS_VAULT_INPUT_H
#define AS_VAULT_INPUT_H

#include "audit/checkpoint.h"
#include "jose/signer.h"

/** Whether req->input is what jws_sign signs of an access token (RFC 9068) or of the gateway's word
 *  about a caller: its header is just alg, typ and kid, its payload an object whose `exp` lies
 *  ahead of `now`, by no more than an access token may live. `a`: room for the payload. */
bool vault_input_is_token(arena_t *a, const sign_request_t *req, int64_t now);
/** Whether it is what a checkpoint of the audit trail signs, by key `kid` and within a minute of
 *  `now_ms` (Unix time): *out says what, and borrows from it. */
bool vault_input_is_checkpoint(str_t input, str_t kid, int64_t now_ms, audit_checkpoint_t *out);

#endif
