#include "cmd/kek.h"

#include "cmd/beforehand.h"
#include "cmd/command.h"
#include "cmd/secret_file.h"

#include <stdlib.h>
#include <unistd.h>

#define VARIABLE   "WARDER_KEY"
#define CREDENTIAL "warder-key"
#define MAKE_ONE   "make one with: head -c 32 /dev/urandom | base64"

static int parse(arena_t *a, const char *where, str_t bytes, as_kek_t *out)
{
    switch (as_kek_read(a, bytes, out)) {
    case RC_OK:
        return EXIT_DONE;
    case RC_MALFORMED:
        return command_fail(EXIT_SETTING, "%s holds no key of 32 bytes; " MAKE_ONE, where);
    default:
        return command_out_of_memory();
    }
}

static int read_path(arena_t *a, const char *path, int fd, bool any_mode, as_kek_t *out)
{
    secret_t bytes;
    const secret_file_t file = {path, "key file", any_mode};
    int code =
        fd < 0 ? secret_file_read(a, &file, &bytes) : secret_file_read_open(a, &file, fd, &bytes);
    if (code != EXIT_DONE)
        return code;
    const char *where = arena_printf(a, "the key file '%s'", path).p;
    return where ? parse(a, where, bytes.hidden, out) : command_out_of_memory();
}

int kek_file(arena_t *a, str_t path, as_kek_t *out)
{
    *out = (as_kek_t){.key = STR_UNSET};
    const char *c = arena_cstr(a, path);
    return c ? read_path(a, c, -1, false, out) : command_out_of_memory();
}

static void forget_variable(char *value)
{
    secret_wipe(value, strlen(value));
    unsetenv(VARIABLE);
}

void kek_forget(void)
{
    char *value = getenv(VARIABLE);
    beforehand_shut_all();
    if (value)
        forget_variable(value);
}

/* The variable as a text of ours; overwritten where it stood, so that it is not in
 * /proc/PID/environ, and taken out, so that no child gets it. */
static rc_t take_variable(arena_t *a, str_t *out)
{
    char *value = getenv(VARIABLE);
    *out = STR_UNSET;
    if (!value)
        return RC_OK;
    *out = secret_dup(a, str_c(value)).hidden;
    forget_variable(value);
    return str_is_set(*out) ? RC_OK : RC_MEMORY;
}

/* Who may read it is the service manager's affair. NULL: there is no such credential. */
static const char *credential(arena_t *a)
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    if (!folder || folder[0] != '/')
        return NULL;
    const char *path = arena_printf(a, "%s/" CREDENTIAL, folder).p;
    return path && access(path, F_OK) == 0 ? path : NULL;
}

bool kek_is_given(arena_t *a, const settings_t *s)
{
    return s->conf.key_file.n > 0 || credential(a) || getenv(VARIABLE);
}

const char *kek_path(arena_t *a, const settings_t *s)
{
    return s->conf.key_file.n > 0 ? arena_cstr(a, s->conf.key_file) : credential(a);
}

static int read_setting(arena_t *a, const settings_t *s, as_kek_t *out)
{
    const char *path = arena_cstr(a, s->conf.key_file);
    int code = path ? read_path(a, path, beforehand_fd(BEFOREHAND_KEY), false, out)
                    : command_out_of_memory();
    beforehand_shut(BEFOREHAND_KEY);
    return code;
}

int kek_load(arena_t *a, const settings_t *s, as_kek_t *out)
{
    str_t variable;
    *out = (as_kek_t){.key = STR_UNSET};
    if (take_variable(a, &variable) != RC_OK)
        return command_out_of_memory();
    const char *path = credential(a);
    bool is_set = s->conf.key_file.n > 0;
    if (is_set + (path != NULL) + str_is_set(variable) > 1)
        return command_fail(EXIT_SETTING, "the key for the keys is given more than once (setting "
                                          "key_file, credential " CREDENTIAL ", variable " VARIABLE
                                          "); keep one");
    if (is_set)
        return read_setting(a, s, out);
    if (path)
        return read_path(a, path, -1, true, out);
    return str_is_set(variable) ? parse(a, "the variable " VARIABLE, variable, out) : EXIT_DONE;
}

int kek_check_planted(const key_record_t *records, size_t n)
{
    const key_record_t *odd = as_kek_planted(records, n);
    if (!odd)
        return EXIT_DONE;
    return command_fail(EXIT_SETTING,
                        "the signing key '%" PRIstr "' lies in the store as it is, and others "
                        "encrypted, so no server made it; remove it with: warder admin key remove "
                        "%" PRIstr ", and find out who writes to the database",
                        STR_ARG(odd->kid), STR_ARG(odd->kid));
}

int kek_check(const as_kek_t *kek, const key_record_t *records, size_t n)
{
    const key_record_t *odd = as_kek_misfit(kek, records, n);
    if (!odd)
        return EXIT_DONE;
    if (!str_is_set(kek->name))
        return command_fail(EXIT_SETTING,
                            "the keys in the store are encrypted under the key named "
                            "'%" PRIstr "'; give it by key_file, the credential " CREDENTIAL
                            " or " VARIABLE,
                            STR_ARG(odd->sealed_by));
    return command_fail(EXIT_SETTING,
                        "the keys in the store are encrypted under the key named '%" PRIstr
                        "', and the one given is '%" PRIstr "'; give the former, or change it "
                        "with: warder admin key reseal",
                        STR_ARG(odd->sealed_by), STR_ARG(kek->name));
}
