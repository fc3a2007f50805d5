#include "as/vault_remote.h"

#include "core/secret.h"

#include <stdatomic.h>

/* One question, and its answer; fields point into `bytes`. */
typedef struct {
    vault_frame_t frame;
    uint8_t bytes[LIMIT_VAULT_FRAME_BYTES];
    size_t n;
} reply_t;

static bool is_answer_to(const vault_frame_t *answer, const vault_frame_t *question)
{
    return answer->kind == VAULT_ANSWER && answer->code <= RC_CONFIG &&
           answer->number == question->number;
}

static rc_t ask(void *line, vault_frame_t *question, reply_t *reply)
{
    static atomic_uint asked;
    const vault_line_t *l = line;
    char room[LIMIT_VAULT_FRAME_BYTES];
    buf_t b = buf_fixed(room, sizeof room);
    str_t bytes;
    reply->n = 0;
    question->number = atomic_fetch_add(&asked, 1) + 1;
    TRY(vault_frame_write(&b, question, &bytes));
    rc_t rc = l->call(l->ctx, bytes, reply->bytes, &reply->n);
    if (question->kind == VAULT_SEAL)
        secret_wipe(room, bytes.n);
    TRY(rc);
    if (vault_frame_read(str_of(reply->bytes, reply->n), &reply->frame) != RC_OK ||
        !is_answer_to(&reply->frame, question))
        return RC_IO;
    return (rc_t)reply->frame.code;
}

static str_t use_name(key_use_t use)
{
    return use == KEY_SIGN ? STR("sign") : use == KEY_DERIVE ? STR("derive") : STR("seal");
}

static rc_t open_one(void *line, arena_t *a, const key_record_t *sealed, str_t *out)
{
    reply_t reply;
    vault_frame_t q = {.kind = VAULT_OPEN,
                       .fields = {use_name(sealed->use), sealed->alg, sealed->kid,
                                  sealed->sealed_by, sealed->secret}};
    *out = STR_UNSET;
    TRY(ask(line, &q, &reply));
    *out = secret_dup(a, reply.frame.fields[0]).hidden;
    secret_wipe(reply.bytes, reply.n);
    return str_is_set(*out) ? RC_OK : RC_MEMORY;
}

static rc_t settle(void *line)
{
    reply_t reply;
    vault_frame_t q = {.kind = VAULT_SETTLE};
    return ask(line, &q, &reply);
}

static rc_t make(void *line, arena_t *a, key_record_t *r)
{
    reply_t reply;
    vault_frame_t q = {.kind = VAULT_MAKE, .fields = {use_name(r->use), r->alg}};
    TRY(ask(line, &q, &reply));
    r->kid = arena_dup(a, reply.frame.fields[0]);
    r->secret = arena_dup(a, reply.frame.fields[1]);
    return str_is_set(r->kid) && str_is_set(r->secret) ? RC_OK : RC_MEMORY;
}

static rc_t seal(void *line, arena_t *a, const key_record_t *plain, key_record_t *out)
{
    reply_t reply;
    vault_frame_t q = {.kind = VAULT_SEAL,
                       .fields = {use_name(plain->use), plain->kid, plain->secret}};
    TRY(ask(line, &q, &reply));
    out->secret = arena_dup(a, reply.frame.fields[0]);
    return str_is_set(out->secret) ? RC_OK : RC_MEMORY;
}

static rc_t take_signature(const reply_t *reply, signature_t *out)
{
    str_t made = reply->frame.fields[0];
    if (made.n == 0 || made.n > sizeof out->b)
        return RC_IO;
    memcpy(out->b, made.p, made.n);
    out->n = made.n;
    return RC_OK;
}

static rc_t sign(void *line, const sign_request_t *req, signature_t *out)
{
    reply_t reply;
    vault_frame_t q = {.kind = VAULT_SIGN, .fields = {alg_name(req->alg), req->kid, req->input}};
    TRY(ask(line, &q, &reply));
    return take_signature(&reply, out);
}

rc_t vault_remote_checkpoint(void *line, str_t bytes, signature_t *out)
{
    reply_t reply;
    vault_frame_t q = {.kind = VAULT_CHECKPOINT, .fields = {bytes}};
    TRY(ask(line, &q, &reply));
    return take_signature(&reply, out);
}

as_vault_t vault_remote(const vault_line_t *line)
{
    return (as_vault_t){open_one, settle, make, seal, sign, (void *)(uintptr_t)line};
}
