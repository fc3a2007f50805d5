#include "cmd/catalogue.h"

#include "cmd/command.h"
#include "conf/conf_catalogue.h"
#include "core/limits.h"

#include <errno.h>
#include <stdio.h>

static int read_file(arena_t *a, const char *path, str_t *out)
{
    char *bytes = arena_alloc(a, LIMIT_CONF_FILE_BYTES + 1);
    FILE *f = bytes && path ? fopen(path, "rb") : NULL;
    if (!f)
        return command_fail(EXIT_SETTING, "client_catalogue '%s' cannot be read: %s",
                            path ? path : "", strerror(errno));
    *out = str_of(bytes, fread(bytes, 1, LIMIT_CONF_FILE_BYTES + 1, f));
    bool bad = ferror(f) != 0;
    fclose(f);
    return bad ? command_fail(EXIT_SETTING, "client_catalogue '%s' cannot be read", path)
               : EXIT_DONE;
}

int catalogue_load(arena_t *a, settings_t *s)
{
    str_t text, why;
    conf_catalogue_t shipped;
    conf_catalogue_t *all = ARENA_NEW(a, conf_catalogue_t);
    if (s->conf.client_catalogue.n == 0)
        return EXIT_DONE;
    if (!all || conf_catalogue_default(a, &shipped) != RC_OK)
        return command_fail(EXIT_FAILED, "out of memory");
    int code = read_file(a, settings_path(a, s, s->conf.client_catalogue), &text);
    if (code != EXIT_DONE)
        return code;
    if (conf_catalogue_extend(a, &shipped, text, all, &why) != RC_OK)
        return command_fail(EXIT_SETTING, "%" PRIstr, STR_ARG(why));
    s->conf.catalogue = all;
    return EXIT_DONE;
}
