/* warder admin resource add|list|show|delete */
#include "cmd/admin.h"
#include "cmd/command.h"

#include "core/buf.h"
#include "core/limits.h"
#include "core/num.h"
#include "oauth/scope.h"

#include <stdio.h>

static const option_t ADD_OPTIONS[] = {
    {.name = "uri"},
    {.name = "name"},
    {.name = "scope", .many = true},
    {.name = "default-scope", .many = true},
    {.name = "alias", .many = true},
    {.name = "lifetime"},
    {.name = "format"},
    {.name = "binding"},
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
        return command_out_of_memory();
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

/* Other spellings of the identifier, as clients send them. */
static int read_aliases(admin_t *admin, const option_t *row, resource_t *r)
{
    str_t *v = ARENA_ARRAY(admin->a, row->n + 1, str_t);
    if (!v)
        return command_out_of_memory();
    for (size_t i = 0; i < row->n; i++) {
        int code = admin_resource_uri(admin, "--alias", row->values[i], &v[i]);
        if (code != EXIT_DONE)
            return code;
    }
    r->aliases = (str_list_t){v, row->n};
    return EXIT_DONE;
}

/* What its tokens are like: how long they live, what they look like, what they are bound to. */
static int read_tokens(const option_t *rows, resource_t *r)
{
    str_t lifetime = option_get(rows, "lifetime"), format = option_get(rows, "format"),
          binding = option_get(rows, "binding");
    if (str_is_set(lifetime) && !num_i64(lifetime, CONF_ACCESS_TOKEN_MIN_S, CONF_ACCESS_TOKEN_MAX_S,
                                         &r->access_token_lifetime))
        return command_fail(EXIT_REFUSED, "--lifetime takes %d to %d seconds",
                            CONF_ACCESS_TOKEN_MIN_S, CONF_ACCESS_TOKEN_MAX_S);
    r->token_format = str_eq(format, STR("opaque")) ? TOKEN_OPAQUE : TOKEN_JWT;
    if (str_is_set(format) && r->token_format == TOKEN_JWT && !str_eq(format, STR("jwt")))
        return command_fail(EXIT_USAGE, "--format takes jwt or opaque, not '%" PRIstr "'",
                            STR_ARG(format));
    r->dpop_required = str_eq(binding, STR("dpop"));
    if (str_is_set(binding) && !r->dpop_required && !str_eq(binding, STR("none")))
        return command_fail(EXIT_USAGE, "--binding takes none or dpop, not '%" PRIstr "'",
                            STR_ARG(binding));
    return EXIT_DONE;
}

/* The settings file would win at the next start: a change beside it were lost then. */
static int check_not_declared(const admin_t *admin, str_t uri)
{
    const conf_t *conf = &admin->settings.conf;
    for (size_t i = 0; i < conf->n_resources; i++)
        if (str_eq(conf->resources[i].uri, uri))
            return command_fail(EXIT_REFUSED,
                                "'%" PRIstr "' stands in the settings file: change it there and "
                                "start the server again",
                                STR_ARG(uri));
    return EXIT_DONE;
}

static int read_resource(admin_t *admin, const option_t *rows, resource_t *r)
{
    if (!option_is_set(rows, "uri"))
        return command_fail(EXIT_USAGE, "a resource needs its URL: --uri https://host/mcp");
    int code = admin_resource_uri(admin, "--uri", option_get(rows, "uri"), &r->uri);
    if (code == EXIT_DONE)
        code = check_not_declared(admin, r->uri);
    if (code == EXIT_DONE)
        code = read_tokens(rows, r);
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

static void print_texts(const char *what, str_list_t texts)
{
    for (size_t i = 0; i < texts.n; i++)
        printf("%s%" PRIstr "\n", what, STR_ARG(texts.v[i]));
}

static void print_resource(const resource_t *r)
{
    printf("uri             %" PRIstr "\n", STR_ARG(r->uri));
    if (str_is_set(r->name))
        printf("name            %" PRIstr "\n", STR_ARG(r->name));
    for (size_t i = 0; i < r->n_scopes; i++)
        printf("scope           %" PRIstr "  %" PRIstr "\n", STR_ARG(r->scopes[i].name),
               STR_ARG(r->scopes[i].text));
    if (r->default_scope.n > 0)
        printf("default scopes  %" PRIstr "\n", STR_ARG(r->default_scope));
    print_texts("alias           ", r->aliases);
    if (r->access_token_lifetime)
        printf("lifetime        %lld seconds\n", (long long)r->access_token_lifetime);
    printf("format          %s\n", r->token_format == TOKEN_OPAQUE ? "opaque" : "jwt");
    printf("binding         %s\n", r->dpop_required ? "dpop" : "none");
    printf("from            %s\n", r->from_settings ? "the settings file" : "a command");
}

static int show(admin_t *admin, const option_t *rows, const str_t *words, size_t n_words)
{
    (void)rows;
    if (n_words != 1)
        return command_fail(EXIT_USAGE, "say which: warder admin resource show URI");
    str_t uri;
    ask_t ask = {.kind = ASK_RESOURCES};
    int code = admin_resource_uri(admin, "URI", words[0], &uri);
    if (code != EXIT_DONE)
        return code;
    if (admin_ask(admin, &ask) != RC_OK)
        return EXIT_FAILED;
    for (size_t i = 0; i < ask.count; i++) {
        if (!str_eq(ask.u.resources[i].uri, uri))
            continue;
        print_resource(&ask.u.resources[i]);
        return EXIT_DONE;
    }
    return command_fail(EXIT_REFUSED, "there is no such resource; 'warder admin resource list' "
                                      "names them");
}

static int run_show(int argc, char **argv)
{
    return admin_command(argc, argv, NULL, 0, 1, show);
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
    int code = admin_resource_uri(admin, "URI", words[0], &uri);
    if (code != EXIT_DONE)
        return code;
    code = check_not_declared(admin, uri);
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
    "--uri URI [--name N] [--scope \"name=text\"]... [--default-scope S]... [--alias URI]... "
    "[--lifetime SECONDS] [--format jwt|opaque] [--binding none|dpop]",
    "adds or replaces a protected resource and its scopes", run_add};
const command_t CMD_ADMIN_RESOURCE_LIST = {"admin resource list", "",
                                           "lists the protected resources", run_list};
const command_t CMD_ADMIN_RESOURCE_SHOW = {
    "admin resource show", "URI", "prints all there is about a protected resource", run_show};
const command_t CMD_ADMIN_RESOURCE_DELETE = {"admin resource delete", "URI",
                                             "removes a protected resource", run_delete};
