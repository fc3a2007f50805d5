/* A schema, a NUL, and a value. Whatever they are, reading and checking end; a fault has its words;
 * a check says the same twice; and what fits a schema does not fit its negation. */
#include "mcp/schema.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
    if (!ok)
        abort();
}

static rc_t look(arena_t *a, const mcp_schema_t *schema, const json_t *value, bool *fits)
{
    mcp_schema_fault_t fault;
    rc_t rc = mcp_schema_check(a, schema, value, fits, &fault);
    check(rc == RC_OK || rc == RC_LIMIT || rc == RC_MEMORY);
    check(rc == RC_OK || !*fits);
    if (rc != RC_OK || *fits)
        return rc;
    check(fault.sentence.n > 0 && fault.sentence.n < 2048 && str_is_utf8(fault.sentence));
    check(fault.keyword.n > 0 && fault.at.n <= 1024);
    check(fault.at.n == 0 || fault.at.p[0] == '/');
    return rc;
}

/* {"not": SCHEMA}: pointers within are other ones then, so only where it can be read. */
static void negate(arena_t *a, const json_t *schema, const json_t *value, bool fits)
{
    const json_t *negation;
    const mcp_schema_t *read;
    str_t why;
    bool other;
    str_t text = arena_printf(a, "{\"not\":%" PRIstr "}", STR_ARG(schema->raw));
    if (!text.p || str_contains(schema->raw, STR("$")) || str_contains(schema->raw, STR("\\")))
        return;
    if (json_parse(a, text, NULL, &negation) != RC_OK ||
        mcp_schema_read(a, negation, &read, &why) != RC_OK)
        return;
    if (look(a, read, value, &other) == RC_OK)
        check(other != fits);
}

static void try_both(arena_t *a, const json_t *schema, const json_t *value)
{
    const mcp_schema_t *read = NULL, *form;
    str_t why = STR_UNSET;
    bool once, twice;
    rc_t rc = mcp_schema_read_form(a, schema, &form, &why);
    if (rc == RC_OK)
        check(look(a, form, value, &once) != RC_IO);
    rc = mcp_schema_read(a, schema, &read, &why);
    check(rc == RC_OK || why.n > 0);
    check((rc == RC_OK) == (read != NULL));
    if (rc != RC_OK || look(a, read, value, &once) != RC_OK)
        return;
    if (look(a, read, value, &twice) == RC_OK)
        check(once == twice);
    negate(a, schema, value, once);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str_t all = str_of(data, size);
    size_t nul = str_find(all, '\0', 0);
    const json_t *schema, *value;
    arena_t *a = arena_new(64 << 20);
    if (a && json_parse(a, str_first(all, nul), NULL, &schema) == RC_OK &&
        json_parse(a, str_skip(all, nul + 1), NULL, &value) == RC_OK)
        try_both(a, schema, value);
    arena_free(a);
    return 0;
}
