/* warder admin resource add|list|delete */
#include "cmd/admin.h"
#include "cmd/command.h"

#include "core/buf.h"
#include "core/url.h"

#include <stdio.h>

static const option_t ADD_OPTIONS[] = {
    {.name = "uri"},
    {.name = "name"},
    {.name = "scope", .many = true},
    {.name = "default-scope", .many = true},
    {.name = "alias", .many = true},
};

/* "name=text"; a scope without a text is shown by its name. */
static rc_t read_scopes(admin_t *admin, const option_t *row, resource_t *r)
{
    scope_text_t *scopes = ARENA_ARRAY(admin->a, row->n + 1, scope_text_t);
    if (!scopes)
        return RC_MEMORY;
    for (size_t i = 0; i < row->n; i++) {
        size_t eq = str_find(row->values[i], '=', 0);
        scopes[i].name = str_first(row->values[i], eq);
        if (eq < row->values[i].n)
            scopes[i].text = str_skip(row->values[i], eq + 1);
        if (scopes[i].name.n == 0 || str_find(scopes[i].name, ' ', 0) < scopes[i].name.n)
            return RC_MALFORMED;
    }
    r->scopes = scopes;
    r->n_scopes = row->n;
    return RC_OK;
}

static rc_t join_defaults(admin_t *admin, const option_t *row, resource_t *r)
{
    buf_t b = buf_new(admin->a, 8192);
    for (size_t i = 0; i < row->n; i++) {
        if (i > 0)
            buf_char(&b, ' ');
        buf_put(&b, row->values[i]);
    }
    return buf_done(&b, &r->default_scope);
}

/* The identifier is what tokens name as audience: absolute, without fragment (RFC 8707 section 2),
 * in one spelling. */
static int read_uri(admin_t *admin, str_t text, str_t *out)
{
    url_t url;
    if (!str_is_set(text))
        return command_fail(EXIT_USAGE, "a resource needs its URL: --uri https://host/mcp");
    if (url_parse(text, &url) != RC_OK || !url_is_http(&url) || str_is_set(url.fragment) ||
        str_is_set(url.userinfo))
        return command_fail(EXIT_USAGE,
                            "--uri '%" PRIstr "' is no resource: give an http(s) URL without "
                            "fragment",
                            STR_ARG(text));
    if (url_canonical(admin->a, &url, out) != RC_OK)
        return command_fail(EXIT_FAILED, "out of memory");
    return EXIT_DONE;
}

static int add(admin_t *admin, const option_t *rows, const str_t *words, size_t n_words)
{
    (void)words;
    (void)n_words;
    resource_t r = {.created_at = admin->now, .name = option_get(rows, "name")};
    int code = read_uri(admin, option_get(rows, "uri"), &r.uri);
    if (code != EXIT_DONE)
        return code;
    if (read_scopes(admin, option_row(rows, "scope"), &r) != RC_OK)
        return command_fail(EXIT_USAGE, "--scope wants \"name=text\", the name without spaces");
    if (join_defaults(admin, option_row(rows, "default-scope"), &r) != RC_OK)
        return command_fail(EXIT_FAILED, "out of memory");
    r.aliases = (str_list_t){option_row(rows, "alias")->values, option_row(rows, "alias")->n};
    effects_t effects = {0};
    effects_add(&effects, EFFECT_RESOURCE_PUT, admin->now)->u.resource = &r;
    audit_event_t event = {.kind = AUDIT_RESOURCE_CHANGED,
                           .allowed = true,
                           .reason = STR("added_by_admin"),
                           .resource = r.uri};
    code = admin_apply(admin, &effects, &event, "the resource cannot be added");
    if (code == EXIT_DONE)
        printf("%" PRIstr " has %zu scopes\n", STR_ARG(r.uri), r.n_scopes);
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
    effects_t effects = {0};
    effects_add(&effects, EFFECT_RESOURCE_DELETE, admin->now)->u.key = words[0];
    audit_event_t event = {.kind = AUDIT_RESOURCE_CHANGED,
                           .allowed = true,
                           .reason = STR("deleted_by_admin"),
                           .resource = words[0]};
    return admin_apply(admin, &effects, &event, "there is no such resource");
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
