#include "cmd/issuer_keys.h"

#include "cmd/text_file.h"
#include "core/limits.h"
#include "jose/jwk.h"

#include <errno.h>

static int read_keys(arena_t *a, const settings_t *s, const char *path, str_t *out)
{
    jwks_t keys;
    rc_t rc = text_file_read(a, path, LIMIT_JWKS_BYTES, out);
    if (rc == RC_MEMORY)
        return command_refuse(s->refusal, EXIT_FAILED, "out of memory");
    if (rc != RC_OK)
        return command_refuse(s->refusal, EXIT_SETTING, "jwks_file '%s' cannot be read: %s", path,
                              strerror(errno));
    if (jwks_parse(a, *out, &keys) != RC_OK || keys.n == 0)
        return command_refuse(s->refusal, EXIT_SETTING,
                              "jwks_file '%s' must hold a JWK Set, {\"keys\":[...]}, with a public "
                              "key that signs",
                              path);
    return EXIT_DONE;
}

int issuer_keys_load(arena_t *a, settings_t *s)
{
    conf_t *conf = &s->conf;
    conf_issuer_t *v = ARENA_ARRAY(a, conf->n_issuers + 1, conf_issuer_t);
    int code = v ? EXIT_DONE : command_refuse(s->refusal, EXIT_FAILED, "out of memory");
    for (size_t i = 0; code == EXIT_DONE && i < conf->n_issuers; i++) {
        v[i] = conf->issuers[i];
        if (str_is_set(v[i].jwks_file))
            code = read_keys(a, s, settings_path(a, s, v[i].jwks_file), &v[i].jwks);
    }
    conf->issuers = v;
    return code;
}
