#include "tokens/keep_parts.h"

#include <stdlib.h>

enum { DAY_MS = 86400000 };

bool tokens_name_is_good(str_t name)
{
    if (name.n == 0 || name.n > TOKENS_NAME_BYTES)
        return false;
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z') && c != '-')
            return false;
    }
    return true;
}

rc_t tokens_name_check(str_t name, str_t *why)
{
    *why = STR_UNSET;
    if (tokens_name_is_good(name))
        return RC_OK;
    *why = STR("the name of what is kept has other bytes than 0-9, a-z and '-', or too many");
    return RC_MALFORMED;
}

rc_t tokens_entry_check(str_t name, secret_t text, str_t *why)
{
    TRY(tokens_name_check(name, why));
    if (text.hidden.n <= TOKENS_KEEP_BYTES)
        return RC_OK;
    *why = STR("the text to be kept is longer than 64 KB");
    return RC_LIMIT;
}

static int by_bytes(const void *left, const void *right)
{
    return str_cmp(*(const str_t *)left, *(const str_t *)right);
}

void tokens_names_sort(str_t *v, size_t n)
{
    if (n > 1)
        qsort(v, n, sizeof *v, by_bytes);
}

int64_t tokens_wait_clamp(int64_t wait_ms)
{
    if (wait_ms < 0)
        return 0;
    return wait_ms < DAY_MS ? wait_ms : DAY_MS;
}

static const char *set_variable(const char *name)
{
    const char *value = getenv(name);
    /* A relative path there is to be ignored (XDG Base Directory Specification). */
    return value && value[0] == '/' ? value : NULL;
}

rc_t tokens_folder_default(arena_t *a, str_t *out)
{
    const char *state = set_variable("XDG_STATE_HOME"), *home = set_variable("HOME");
    *out = STR_UNSET;
    if (!state && !home)
        return RC_CONFIG;
    *out = state ? arena_printf(a, "%s/warder/client", state)
                 : arena_printf(a, "%s/.local/state/warder/client", home);
    return str_is_set(*out) ? RC_OK : RC_MEMORY;
}
