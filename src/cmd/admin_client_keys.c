#include "cmd/admin_client_keys.h"

#include "cmd/command.h"
#include "cmd/text_file.h"
#include "core/limits.h"
#include "core/url.h"
#include "oauth/client_metadata.h"

#include <errno.h>

bool admin_client_keys_given(const option_t *rows)
{
    return option_is_set(rows, "jwks") || option_is_set(rows, "jwks-uri");
}

static int read_file(admin_t *admin, const char *path, str_t *out)
{
    rc_t rc = text_file_read(admin->a, path, LIMIT_JWKS_BYTES, out);
    if (rc == RC_MEMORY)
        return command_out_of_memory();
    return rc == RC_OK ? EXIT_DONE
                       : command_fail(EXIT_REFUSED, "--jwks '%s' cannot be read: %s", path,
                                      strerror(errno));
}

/* The set as its own text, without what stands around it in the file. */
static int read_keys(admin_t *admin, str_t file, client_t *c)
{
    static const json_limits_t LIMITS = {LIMIT_JWKS_BYTES, 16, 4096};
    const json_t *json;
    str_t text;
    int code = read_file(admin, arena_cstr(admin->a, file), &text);
    if (code != EXIT_DONE)
        return code;
    if (json_parse(admin->a, text, &LIMITS, &json) != RC_OK ||
        !oauth_client_jwks_is_sound(admin->a, json))
        return command_fail(EXIT_REFUSED,
                            "--jwks '%" PRIstr "' must hold a JWK Set, {\"keys\":[...]}, of sound "
                            "public keys, each with a kid of its own",
                            STR_ARG(file));
    c->jwks = json->raw;
    return EXIT_DONE;
}

static int read_uri(str_t uri, client_t *c)
{
    url_t u;
    bool good = url_parse(uri, &u) == RC_OK && url_is_http(&u) && !str_is_set(u.userinfo) &&
                !str_is_set(u.fragment) && (url_is_https(&u) || url_host_is_loopback(u.host));
    if (!good)
        return command_fail(EXIT_REFUSED,
                            "--jwks-uri '%" PRIstr "' must be an https URL without user and "
                            "fragment",
                            STR_ARG(uri));
    c->jwks_uri = uri;
    return EXIT_DONE;
}

int admin_client_keys(admin_t *admin, const option_t *rows, client_t *c)
{
    bool file = option_is_set(rows, "jwks"), uri = option_is_set(rows, "jwks-uri");
    if (file && uri)
        return command_fail(EXIT_USAGE, "--jwks and --jwks-uri exclude each other");
    if (option_is_set(rows, "public") || option_is_set(rows, "auth"))
        return command_fail(EXIT_USAGE,
                            "who signs has no secret and is not public: leave out --auth and "
                            "--public");
    c->auth = CLIENT_AUTH_PRIVATE_KEY_JWT;
    return file ? read_keys(admin, option_get(rows, "jwks"), c)
                : read_uri(option_get(rows, "jwks-uri"), c);
}
