/* A file from anywhere, checked line by line. Of a trail that fits, no byte before the last line
 * may be changed unnoticed. */
#include "audit/chain.h"

#include <stdlib.h>

static audit_chain_t check(arena_t *scratch, str_t rest)
{
    audit_chain_t c = audit_chain_begin(scratch, NULL);
    while (rest.n > 0) {
        str_t line = str_first(rest, str_find(rest, '\n', 0) + 1);
        if (audit_chain_line(&c, line) != RC_OK)
            abort();
        rest = str_skip(rest, line.n);
    }
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
    if (check(scratch, str_of(copy, size)).fault == AUDIT_FAULT_NONE)
        abort();
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    audit_head_t head;
    (void)audit_head_parse(str_of(data, size), &head);
    arena_t *scratch = arena_new(4 << 20);
    audit_chain_t c = check(scratch, str_of(data, size));
    if (c.fault == AUDIT_FAULT_NONE && c.lines > 0)
        change_one_byte(scratch, &c, data, size);
    arena_free(scratch);
    return 0;
}
