/* A form of a server, and an answer to it, one line each: what comes out is JSON, and an answer
 * that was not accepted comes out as it was. */
#include "mcp_client/session_state.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const json_t *parsed(arena_t *a, str_t text)
{
    const json_t *root;
    return json_parse(a, text, NULL, &root) == RC_OK ? root : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str_t form, rest = str_of(data, size);
    arena_t *a = arena_new(64 << 20);
    if (!a)
        return 0;
    (void)str_split(&rest, '\n', &form);
    const json_t *params = parsed(a, form);
    str_t answer = rest.p ? rest : STR(""), filled = answer;
    if (params && session_fill_form(a, params, &filled) == RC_OK) {
        const json_t *before = parsed(a, answer), *after = parsed(a, filled);
        bool accepted = str_eq(json_get_str(before, STR("action")), STR("accept"));
        if (!before || !after || (!accepted && !str_eq(filled, answer)))
            abort();
    }
    arena_free(a);
    return 0;
}
