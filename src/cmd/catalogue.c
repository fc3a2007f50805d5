#include "cmd/catalogue.h"

#include "cmd/text_file.h"
#include "conf/conf_catalogue.h"
#include "core/limits.h"

#include <errno.h>

static int read_file(arena_t *a, const settings_t *s, const char *path, str_t *out)
{
    rc_t rc = text_file_read(a, path, LIMIT_CONF_FILE_BYTES, out);
    if (rc == RC_MEMORY)
        return command_refuse(s->refusal, EXIT_FAILED, "out of memory");
    return rc == RC_OK
               ? EXIT_DONE
               : command_refuse(s->refusal, EXIT_SETTING,
                                "client_catalogue '%s' cannot be read: %s", path, strerror(errno));
}

int catalogue_load(arena_t *a, settings_t *s)
{
    str_t text, why;
    conf_catalogue_t shipped;
    conf_catalogue_t *all = ARENA_NEW(a, conf_catalogue_t);
    if (s->conf.client_catalogue.n == 0)
        return EXIT_DONE;
    if (!all || conf_catalogue_default(a, &shipped) != RC_OK)
        return command_refuse(s->refusal, EXIT_FAILED, "out of memory");
    int code = read_file(a, s, settings_path(a, s, s->conf.client_catalogue), &text);
    if (code != EXIT_DONE)
        return code;
    if (conf_catalogue_extend(a, &shipped, text, all, &why) != RC_OK)
        return command_refuse(s->refusal, EXIT_SETTING, "%" PRIstr, STR_ARG(why));
    s->conf.catalogue = all;
    return EXIT_DONE;
}
