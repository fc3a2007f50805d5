/* The settings: one table, one checked struct. Defaults < file < environment < flags. */
#ifndef CONF_CONF_H
#define CONF_CONF_H

#include "core/arena.h"

typedef struct {
    str_t name, text;
} conf_scope_t;

/** A protected resource of the settings file:
 *    resources:
 *      - uri: https://mcp.example.com/mcp
 *        name: Finance
 *        scopes: {"news:read": "Read market news"}
 *        default_scopes: ["news:read"]
 *        aliases: [] */
typedef struct {
    str_t uri, name;
    const conf_scope_t *scopes;
    size_t n_scopes;
    str_list_t default_scopes;
    str_list_t aliases;
} conf_resource_t;

/** All settings, checked. Lives in the arena it was loaded into; read-only. Strings that have an
 *  empty default in the table may be empty here: conf_load has no knowledge of the machine. */
typedef struct {
#define SETTING_STR(key, def, text)           str_t key;
#define SETTING_ENUM(key, def, words, text)   str_t key;
#define SETTING_INT(key, def, min, max, text) int64_t key;
#define SETTING_BOOL(key, def, text)          bool key;
#define SETTING_LIST(key, text)               str_list_t key;
#include "conf/settings.def"
#undef SETTING_STR
#undef SETTING_ENUM
#undef SETTING_INT
#undef SETTING_BOOL
#undef SETTING_LIST
    const conf_resource_t *resources;
    size_t n_resources;
    /* derived */
    str_t listen_host;
    uint16_t listen_port;
} conf_t;

/** One value from outside; name is the key ("public_url"). */
typedef struct {
    str_t key, value;
} conf_value_t;

typedef struct {
    str_t file_name;         /* for messages; unset: no file */
    str_t file;              /* its bytes (YAML) */
    const conf_value_t *env; /* the WARDER_ variables, keys already in lower case, without prefix */
    size_t n_env;
    const conf_value_t *flags; /* "listen" for --listen */
    size_t n_flags;
} conf_sources_t;

/** Loads and checks. RC_CONFIG: *why is one sentence that names the key, where it came from, and
 *  the mend. Pure. */
rc_t conf_load(arena_t *a, const conf_sources_t *sources, const conf_t **out, str_t *why) MUST_USE;
/** Checks a public URL: https, or http on loopback; no path, query, fragment, userinfo. *out is the
 *  issuer, without a slash at the end. *why as above. */
rc_t conf_check_public_url(arena_t *a, str_t url, str_t *out, str_t *why) MUST_USE;
/** All settings with value and source, one a line (YAML). */
rc_t conf_show(arena_t *a, const conf_sources_t *sources, const conf_t *conf, str_t *out) MUST_USE;
/** docs/SETTINGS.md, rendered from the table. */
rc_t conf_document(arena_t *a, str_t *out) MUST_USE;

#endif
