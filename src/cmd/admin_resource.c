/* warder admin resource add|list|delete */
#include "cmd/admin.h"
#include "cmd/command.h"

#include "core/buf.h"
#include "core/limits.h"
#include "core/url.h"
#include "oauth/scope.h"

#include <stdio.h>

static const option_t ADD_OPTIONS[] = {
    {.name = "uri"},
    {.name = "name"},
    {.name = "scope", .many = true},
    {.name = "default-scope", .many = true},
    {.name = "alias", .many = true},
};

static int read_scope(admin_t *admin, str_t value, resource_t *r, scope_text_t *scope)
{
    size_t eq = str_find(value, '=', 0);
    scope->name = str_first(value, eq);
    if (!oauth_scope_is_token(scope->name))
        return command_fail(EXIT_REFUSED,
                            "--scope wants \"name=text\", the name without spaces, quotes and "
                            "backslashes; not '%" PRIstr "'",
                            STR_ARG(value));
    for (size_t i = 0; i < r->n_scopes; i++)
        if (str_eq(r->scopes[i].name, scope->name))
            return command_fail(EXIT_REFUSED, "--scope names '%" PRIstr "' twice",
                                STR_ARG(scope->name));
    return admin_text(admin, "the text of a scope", str_skip(value, eq + 1),
                      LIMIT_CLIENT_TEXT_BYTES, &scope->text);
}

/* "name=text"; a scope without a text is shown by its name. */
static int read_scopes(admin_t *admin, const option_t *row, resource_t *r)
{
    scope_text_t *scopes = ARENA_ARRAY(admin->a, row->n + 1, scope_text_t);
    if (!scopes)
        return command_fail(EXIT_FAILED, "out of memory");
    r->scopes = scopes;
    for (size_t i = 0; i < row->n; i++) {
        int code = read_scope(admin, row->values[i], r, &scopes[i]);
        if (code != EXIT_DONE)
            return code;
        r->n_scopes++;
    }
    return EXIT_DONE;
}

static bool has_scope(const resource_t *r, str_t name)
{
    for (size_t i = 0; i < r->n_scopes; i++)
        if (str_eq(r->scopes[i].name, name))
            return true;
    return false;
}

/* What a request without scope gets; only what the resource has. */
static int read_defaults(admin_t *admin, const option_t *row, resource_t *r)
{
    buf_t b = buf_new(admin->a, LIMIT_SCOPE_BYTES);
    for (size_t i = 0; i < row->n; i++) {
        if (!has_scope(r, row->values[i]))
            return command_fail(EXIT_REFUSED,
                                "--default-scope '%" PRIstr "' is no scope of the resource; add "
                                "it by --scope \"name=text\"",
                                STR_ARG(row->values[i]));
        buf_fmt(&b, "%s%" PRIstr, i > 0 ? " " : "", STR_ARG(row->values[i]));
    }
    if (buf_done(&b, &r->default_scope) == RC_OK)
        return EXIT_DONE;
    return command_fail(EXIT_REFUSED, "the default scopes are longer than %d bytes",
                        LIMIT_SCOPE_BYTES);
}

/* The identifier is what tokens name as audience: absolute, without fragment (RFC 8707 section 2),
 * in one spelling. */
static int read_uri(admin_t *admin, const char *what, str_t text, str_t *out)
{
    url_t url;
    if (url_parse(text, &url) != RC_OK || !url_is_http(&url) || str_is_set(url.fragment) ||
        str_is_set(url.userinfo))
        return command_fail(EXIT_REFUSED,
                            "%s '%" PRIstr "' is no resource: give an http(s) URL without "
                            "fragment and user",
                            what, STR_ARG(text));
    if (url_canonical(admin->a, &url, out) != RC_OK)
        return command_fail(EXIT_FAILED, "out of memory");
    return EXIT_DONE;
}

/* Other spellings of the identifier, as clients send them. */
static int read_aliases(admin_t *admin, const option_t *row, resource_t *r)
{
    str_t *v = ARENA_ARRAY(admin->a, row->n + 1, str_t);
    if (!v)
        return command_fail(EXIT_FAILED, "out of memory");
    for (size_t i = 0; i < row->n; i++) {
        int code = read_uri(admin, "--alias", row->values[i], &v[i]);
        if (code != EXIT_DONE)
            return code;
    }
    r->aliases = (str_list_t){v, row->n};
    return EXIT_DONE;
}

static int read_resource(admin_t *admin, const option_t *rows, resource_t *r)
{
    if (!option_is_set(rows, "uri"))
        return command_fail(EXIT_USAGE, "a resource needs its URL: --uri https://host/mcp");
    int code = read_uri(admin, "--uri", option_get(rows, "uri"), &r->uri);
    if (code == EXIT_DONE)
        code = admin_text(admin, "--name", option_get(rows, "name"), LIMIT_CLIENT_NAME_BYTES,
                          &r->name);
    if (code == EXIT_DONE)
        code = read_scopes(admin, option_row(rows, "scope"), r);
    if (code == EXIT_DONE)
        code = read_defaults(admin, option_row(rows, "default-scope"), r);
    if (code == EXIT_DONE)
        code = read_aliases(admin, option_row(rows, "alias"), r);
    return code;
}

static int add(admin_t *admin, const option_t *rows, const str_t *words, size_t n_words)
{
    (void)words;
    (void)n_words;
    resource_t r = {.created_at = admin->now};
    int code = read_resource(admin, rows, &r);
    if (code != EXIT_DONE)
        return code;
    effects_t effects = {0};
    effects_add(&effects, EFFECT_RESOURCE_PUT, admin->now)->u.resource = &r;
    audit_event_t event = {.kind = AUDIT_RESOURCE_CHANGED,
                           .allowed = true,
                           .reason = STR("added_by_admin"),
                           .resource = r.uri};
    code = admin_apply(admin, &effects, &event, "the resource cannot be added");
    if (code == EXIT_DONE)
        printf("%" PRIstr " has %zu scope%s\n", STR_ARG(r.uri), r.n_scopes,
               r.n_scopes == 1 ? "" : "s");
    return code;
}

static int run_add(int argc, char **argv)
{
    return admin_command(argc, argv, ADD_OPTIONS, sizeof ADD_OPTIONS / sizeof *ADD_OPTIONS, 0, add);
}

static int list(admin_t *admin, const option_t *rows, const str_t *words, size_t n_words)
{
    (void)rows;
    (void)words;
    (void)n_words;
    ask_t ask = {.kind = ASK_RESOURCES};
    if (admin_ask(admin, &ask) != RC_OK)
        return EXIT_FAILED;
    for (size_t i = 0; i < ask.count; i++) {
        const resource_t *r = &ask.u.resources[i];
        printf("%" PRIstr "\n", STR_ARG(r->uri));
        for (size_t k = 0; k < r->n_scopes; k++)
            printf("  %" PRIstr "  %" PRIstr "\n", STR_ARG(r->scopes[k].name),
                   STR_ARG(r->scopes[k].text));
    }
    return EXIT_DONE;
}

static int run_list(int argc, char **argv)
{
    return admin_command(argc, argv, NULL, 0, 0, list);
}

static int delete (admin_t *admin, const option_t *rows, const str_t *words, size_t n_words)
{
    (void)rows;
    if (n_words != 1)
        return command_fail(EXIT_USAGE, "say which: warder admin resource delete URI");
    str_t uri;
    int code = read_uri(admin, "URI", words[0], &uri);
    if (code != EXIT_DONE)
        return code;
    effects_t effects = {0};
    effects_add(&effects, EFFECT_RESOURCE_DELETE, admin->now)->u.key = uri;
    audit_event_t event = {.kind = AUDIT_RESOURCE_CHANGED,
                           .allowed = true,
                           .reason = STR("deleted_by_admin"),
                           .resource = uri};
    return admin_apply(admin, &effects, &event,
                       "there is no such resource; 'warder admin resource list' "
                       "names them");
}

static int run_delete(int argc, char **argv)
{
    return admin_command(argc, argv, NULL, 0, 1, delete);
}

const command_t CMD_ADMIN_RESOURCE_ADD = {
    "admin resource add",
    "--uri URI [--name N] [--scope \"name=text\"]... [--default-scope S]... [--alias URI]...",
    "adds or replaces a protected resource and its scopes", run_add};
const command_t CMD_ADMIN_RESOURCE_LIST = {"admin resource list", "",
                                           "lists the protected resources", run_list};
const command_t CMD_ADMIN_RESOURCE_DELETE = {"admin resource delete", "URI",
                                             "removes a protected resource", run_delete};
