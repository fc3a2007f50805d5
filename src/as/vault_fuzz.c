/* A frame from anywhere, at the signing side: whatever comes, one whole answer goes, and nothing is
 * signed but what the server says in its own name. */
#include "as/as_test_vault.h"
#include "as/vault_input.h"

#include "core/b64.h"

static void same_again(str_t bytes, const vault_frame_t *frame)
{
    static char room[LIMIT_VAULT_FRAME_BYTES];
    buf_t b = buf_fixed(room, sizeof room);
    str_t again;
    if (vault_frame_write(&b, frame, &again) != RC_OK || !str_eq(again, bytes))
        abort();
}

/* A key of RSA takes longer than a fuzzer has. */
static bool is_slow(const vault_frame_t *q)
{
    return q->kind == VAULT_MAKE &&
           (str_starts(q->fields[1], STR("RS")) || str_starts(q->fields[1], STR("PS")));
}

static void judge(vault_test_t *p, const vault_frame_t *q, const vault_frame_t *answer)
{
    if (answer->kind != VAULT_ANSWER || answer->code > RC_CONFIG)
        abort();
    if (answer->code != RC_OK || (q->kind != VAULT_SIGN && q->kind != VAULT_CHECKPOINT))
        return;
    str_t input = q->fields[q->kind == VAULT_SIGN ? 2 : 0];
    if (!jose_key_verify(p->audit_key, ALG_EDDSA, input, answer->fields[0]))
        abort();
    audit_checkpoint_t c;
    const sign_request_t req = {ALG_EDDSA, STR("k"), input};
    if (q->kind == VAULT_SIGN ? !vault_input_is_token(p->a, &req, VAULT_TEST_NOW)
                              : !vault_input_is_checkpoint(input, vault_room_audit_kid(p->room),
                                                           (int64_t)VAULT_TEST_NOW * 1000, &c))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t room[LIMIT_VAULT_FRAME_BYTES];
    vault_test_t *p = malloc(sizeof *p);
    vault_frame_t q, answer;
    str_t public, bytes = str_of(data, size);
    if (!p)
        return 0;
    vault_test_new(p);
    if (p->vault.open(p->vault.ctx, p->a, &p->sealed, &public) != RC_OK)
        abort();
    bool reads = vault_frame_read(bytes, &q) == RC_OK;
    if (reads)
        same_again(bytes, &q);
    if (!reads || !is_slow(&q)) {
        buf_t b = buf_fixed(room, sizeof room);
        if (vault_frame_read(vault_desk_answer(p->desk, bytes, &b), &answer) != RC_OK)
            abort();
        if (!reads && answer.code != RC_MALFORMED)
            abort();
        if (reads)
            judge(p, &q, &answer);
    }
    vault_test_free(p);
    free(p);
    return 0;
}
