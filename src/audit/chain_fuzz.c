/* A file from anywhere, checked line by line, with the audit key and without. Of a trail that fits,
 * no byte before the last line may be changed unnoticed. */
#include "audit/checkpoint.h"
#include "jose/pem.h"

#include <stdlib.h>

/* From RFC 8410 section 10.1: the seeds are signed with its private half. */
#define PUBLIC                                                                                     \
    "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n"   \
    "-----END PUBLIC KEY-----\n"

static void read_key(arena_t *a, jwk_t *out)
{
    *out = (jwk_t){.alg = ALG_EDDSA};
    if (pem_public_read(a, STR(PUBLIC), &out->key) != RC_OK ||
        jwk_thumbprint(a, out->key, &out->kid) != RC_OK)
        abort();
}

static audit_chain_t check(arena_t *scratch, str_t rest, const jwks_t *keys)
{
    audit_chain_t c = audit_chain_begin(scratch, NULL);
    c.keys = keys;
    while (rest.n > 0) {
        str_t line = str_first(rest, str_find(rest, '\n', 0) + 1);
        if (audit_chain_line(&c, line) != RC_OK)
            abort();
        rest = str_skip(rest, line.n);
    }
    audit_chain_end(&c);
    return c;
}

static void change_one_byte(arena_t *scratch, const audit_chain_t *sound, const uint8_t *data,
                            size_t size)
{
    const char *last = size > 1 ? memrchr(data, '\n', size - 1) : NULL;
    if (!last)
        return;
    char *copy = malloc(size);
    if (!copy)
        return;
    memcpy(copy, data, size);
    copy[sound->head.hash[0] * 256u % (size_t)(last - (const char *)data + 1)] ^= 1;
    if (check(scratch, str_of(copy, size), NULL).fault == AUDIT_FAULT_NONE)
        abort();
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    audit_head_t head;
    jwk_t key;
    (void)audit_head_parse(str_of(data, size), &head);
    (void)audit_line_node(str_of(data, size));
    arena_t *a = arena_new(1 << 20), *scratch = arena_new(4 << 20);
    read_key(a, &key);
    const jwks_t keys = {.v = &key, .n = 1};
    audit_chain_t c = check(scratch, str_of(data, size), NULL);
    audit_chain_t signed_one = check(scratch, str_of(data, size), &keys);
    if (signed_one.fault == AUDIT_FAULT_NONE && c.fault != AUDIT_FAULT_NONE)
        abort();
    if (c.fault == AUDIT_FAULT_NONE && c.lines > 0)
        change_one_byte(scratch, &c, data, size);
    jwk_free(&key);
    arena_free(scratch);
    arena_free(a);
    return 0;
}
