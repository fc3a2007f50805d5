/* warder admin client add|list */
#include "cmd/admin.h"
#include "cmd/admin_client_keys.h"
#include "cmd/command.h"

#include "core/buf.h"
#include "core/json.h"
#include "core/limits.h"
#include "oauth/client_metadata.h"
#include "oauth/method.h"
#include "oauth/redirect_uri.h"
#include "oauth/register.h"
#include "oauth/scope.h"

#include <stdio.h>

static const option_t ADD_OPTIONS[] = {
    {.name = "name"},
    {.name = "redirect-uri", .many = true},
    {.name = "grant", .many = true},
    {.name = "scope"},
    {.name = "resource-server", .many = true},
    {.name = "exchange-to", .many = true},
    {.name = "auth"},
    {.name = "jwks"},
    {.name = "jwks-uri"},
    {.name = "public", .is_switch = true},
    {.name = "dpop-bound", .is_switch = true},
    {.name = "json", .is_switch = true},
};

/* By its name, or by what stands behind the last colon of it: "device_code". */
static uint32_t parse_grant(str_t name)
{
    char urn[128];
    uint32_t grant = oauth_grant_parse(name);
    if (grant != 0)
        return grant;
    int n = snprintf(urn, sizeof urn, "urn:ietf:params:oauth:grant-type:%" PRIstr, STR_ARG(name));
    return n > 0 && (size_t)n < sizeof urn ? oauth_grant_parse(str_of(urn, (size_t)n)) : 0;
}

/* None named: those of an application that people use, or of a service that only looks after
 * tokens. */
static int read_grants(const option_t *rows, client_t *c)
{
    const option_t *row = option_row(rows, "grant");
    bool serves = option_is_set(rows, "resource-server") && !option_is_set(rows, "redirect-uri");
    if (option_is_set(rows, "exchange-to"))
        c->grants = GRANT_TOKEN_EXCHANGE;
    if (row->n == 0 && !serves)
        c->grants = GRANT_AUTHORIZATION_CODE | GRANT_REFRESH_TOKEN | c->grants;
    for (size_t i = 0; i < row->n; i++) {
        uint32_t grant = parse_grant(row->values[i]);
        if (grant == 0)
            return command_fail(EXIT_USAGE,
                                "there is no grant '%" PRIstr "'; take authorization_code, "
                                "refresh_token, client_credentials, device_code, token-exchange "
                                "or jwt-bearer",
                                STR_ARG(row->values[i]));
        c->grants |= grant;
    }
    return EXIT_DONE;
}

static int read_auth(const option_t *rows, client_t *c)
{
    str_t auth = option_get(rows, "auth");
    bool is_public = option_is_set(rows, "public");
    if (is_public && str_is_set(auth))
        return command_fail(EXIT_USAGE, "a public client has no secret: leave out --auth or "
                                        "--public");
    c->auth = is_public ? CLIENT_AUTH_NONE : CLIENT_AUTH_SECRET_BASIC;
    if (str_eq(auth, STR("post")))
        c->auth = CLIENT_AUTH_SECRET_POST;
    else if (str_is_set(auth) && !str_eq(auth, STR("basic")))
        return command_fail(EXIT_USAGE, "--auth takes basic or post, not '%" PRIstr "'",
                            STR_ARG(auth));
    return EXIT_DONE;
}

static int read_redirect_uri(const admin_t *admin, str_t uri, client_t *c, str_t *v)
{
    oauth_redirect_kind_t kind;
    oauth_reason_t why = oauth_redirect_uri_check(uri, NULL, &kind);
    if (why != OAUTH_FINE)
        return command_fail(EXIT_REFUSED, "--redirect-uri '%" PRIstr "' cannot be: %" PRIstr,
                            STR_ARG(uri), STR_ARG(oauth_reason_description(why)));
    if (kind != OAUTH_REDIRECT_HTTPS)
        c->type = CLIENT_NATIVE;
    if (!str_list_has(c->redirect_uris, uri))
        v[c->redirect_uris.n++] = uri;
    return EXIT_DONE;
}

static int read_redirect_uris(admin_t *admin, const option_t *row, client_t *c)
{
    str_t *v = ARENA_ARRAY(admin->a, row->n + 1, str_t);
    if (!v)
        return command_out_of_memory();
    if (row->n > LIMIT_REDIRECT_URIS)
        return command_fail(EXIT_REFUSED, "a client has at most %d redirect URIs",
                            LIMIT_REDIRECT_URIS);
    c->redirect_uris = (str_list_t){v, 0};
    int code = EXIT_DONE;
    for (size_t i = 0; i < row->n && code == EXIT_DONE; i++)
        code = read_redirect_uri(admin, row->values[i], c, v);
    return code;
}

static int read_scope(admin_t *admin, str_t text, client_t *c)
{
    rc_t rc = str_is_set(text) ? oauth_scope_parse(admin->a, text, &c->scope) : RC_OK;
    if (rc == RC_MEMORY)
        return command_out_of_memory();
    if (rc != RC_OK)
        return command_fail(EXIT_REFUSED,
                            "--scope wants at most %d scopes with spaces between them, without "
                            "quotes and backslashes",
                            LIMIT_SCOPE_TOKENS);
    return EXIT_DONE;
}

static int read_uris(admin_t *admin, const option_t *row, const char *what, str_list_t *out)
{
    str_t *v = ARENA_ARRAY(admin->a, row->n + 1, str_t);
    if (!v)
        return command_out_of_memory();
    for (size_t i = 0; i < row->n; i++) {
        int code = admin_resource_uri(admin, what, row->values[i], &v[i]);
        if (code != EXIT_DONE)
            return code;
    }
    *out = (str_list_t){v, row->n};
    return EXIT_DONE;
}

/* Whose tokens it looks after, and where it may call on behalf of who called it. */
static int read_services(admin_t *admin, const option_t *rows, client_t *c)
{
    int code =
        read_uris(admin, option_row(rows, "resource-server"), "--resource-server", &c->resources);
    if (code == EXIT_DONE)
        code = read_uris(admin, option_row(rows, "exchange-to"), "--exchange-to", &c->exchange_to);
    return code;
}

/* What a service needs that introspects or exchanges tokens. */
static const char *misfit_of_service(const client_t *c)
{
    if (c->resources.n > 0 && c->auth == CLIENT_AUTH_NONE)
        return "the server of a resource needs a secret: leave out --public";
    if (c->grants & GRANT_TOKEN_EXCHANGE && (c->resources.n == 0 || c->exchange_to.n == 0))
        return "tokens are exchanged by the server of a resource for another one: say both, by "
               "--resource-server URI and --exchange-to URI";
    return NULL;
}

/* What each of the options may be is checked; whether they fit each other, here. */
static int check_fit(const client_t *c)
{
    bool for_people = c->grants & GRANT_AUTHORIZATION_CODE;
    bool for_machines = c->grants & GRANT_CLIENT_CREDENTIALS;
    bool for_devices = c->grants & GRANT_DEVICE_CODE;
    bool for_assertions = c->grants & GRANT_JWT_BEARER;
    const char *why = NULL;
    if (!for_people && !for_machines && !for_devices && !for_assertions && c->resources.n == 0)
        why = "refresh_token needs --grant authorization_code beside it";
    else if (for_people && c->redirect_uris.n == 0)
        why = "say where people come back to, by --redirect-uri URL; or --grant "
              "client_credentials for a machine";
    else if (!for_people && c->redirect_uris.n > 0)
        why =
            "nobody comes back to a machine or a device: leave out --redirect-uri, or add --grant "
            "authorization_code";
    else if (for_machines && c->auth == CLIENT_AUTH_NONE)
        why = "client_credentials needs a secret or keys: leave out --public";
    else if (for_machines && !str_is_set(c->scope))
        why = "say what the machine may do, by --scope \"name name\"";
    if (!why)
        why = misfit_of_service(c);
    return why ? command_fail(EXIT_USAGE, "%s", why) : EXIT_DONE;
}

static int read_client(admin_t *admin, const option_t *rows, client_t *c)
{
    if (option_get(rows, "name").n == 0)
        return command_fail(EXIT_USAGE, "a client needs a name: --name \"My application\"");
    int code =
        admin_text(admin, "--name", option_get(rows, "name"), LIMIT_CLIENT_NAME_BYTES, &c->name);
    if (code == EXIT_DONE)
        code = read_grants(rows, c);
    if (code == EXIT_DONE)
        code =
            admin_client_keys_given(rows) ? admin_client_keys(admin, rows, c) : read_auth(rows, c);
    if (code == EXIT_DONE)
        code = read_redirect_uris(admin, option_row(rows, "redirect-uri"), c);
    if (code == EXIT_DONE)
        code = read_scope(admin, option_get(rows, "scope"), c);
    if (code == EXIT_DONE)
        code = read_services(admin, rows, c);
    return code == EXIT_DONE ? check_fit(c) : code;
}

static bool any_resource_has(const ask_t *resources, str_t token)
{
    for (size_t i = 0; i < resources->count; i++) {
        const resource_t *r = &resources->u.resources[i];
        for (size_t k = 0; k < r->n_scopes; k++)
            if (oauth_scope_token_covers(token, r->scopes[k].name))
                return true;
    }
    return false;
}

/* No refusal: a resource may be added after its clients. */
static int warn_of_unknown_scopes(admin_t *admin, str_t scope)
{
    ask_t resources = {.kind = ASK_RESOURCES};
    if (admin_ask(admin, &resources) != RC_OK)
        return EXIT_FAILED;
    str_t token;
    while (oauth_scope_next(&scope, &token))
        if (!any_resource_has(&resources, token))
            command_fail(EXIT_DONE,
                         "no resource has the scope '%" PRIstr "' yet; 'warder admin resource "
                         "add' adds one",
                         STR_ARG(token));
    return EXIT_DONE;
}

/* As a registration is answered (RFC 7591 section 3.2.1). */
static rc_t client_json(admin_t *admin, const client_t *c, str_t secret, str_t *out)
{
    buf_t b = buf_new(admin->a, LIMIT_REGISTRATION_BYTES * 2);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_member_str(&w, STR("client_id"), c->id);
    json_member_int(&w, STR("client_id_issued_at"), c->created_at);
    json_member_str(&w, STR("client_secret"), secret);
    if (str_is_set(secret))
        json_member_int(&w, STR("client_secret_expires_at"), 0);
    oauth_client_metadata_write(&w, c);
    json_member_str(&w, STR("scope"), c->scope);
    json_end_object(&w);
    return buf_done(&b, out);
}

static rc_t client_lines(admin_t *admin, const client_t *c, str_t secret, str_t *out)
{
    buf_t b = buf_new(admin->a, 1024);
    buf_fmt(&b, "client_id      %" PRIstr, STR_ARG(c->id));
    if (str_is_set(secret))
        buf_fmt(&b, "\nclient_secret  %" PRIstr "\nThe secret is shown this once.",
                STR_ARG(secret));
    return buf_done(&b, out);
}

static int add(admin_t *admin, const option_t *rows, const str_t *words, size_t n_words)
{
    (void)words;
    (void)n_words;
    client_t c = {.origin = CLIENT_BY_ADMIN,
                  .created_at = admin->now,
                  .dpop_bound = option_is_set(rows, "dpop-bound")};
    int code = read_client(admin, rows, &c);
    if (code == EXIT_DONE)
        code = warn_of_unknown_scopes(admin, c.scope);
    if (code != EXIT_DONE)
        return code;
    str_t secret, answer;
    rc_t rc = oauth_client_credentials_new(admin->a, &admin->random, &c, &secret);
    if (rc == RC_OK)
        rc = option_is_set(rows, "json") ? client_json(admin, &c, secret, &answer)
                                         : client_lines(admin, &c, secret, &answer);
    if (rc != RC_OK)
        return command_fail(EXIT_FAILED, "the client could not be made (%s)", rc_name(rc));
    effects_t effects = {0};
    effects_add(&effects, EFFECT_CLIENT_INSERT, admin->now)->u.client = &c;
    audit_event_t event = {.kind = AUDIT_CLIENT_REGISTERED,
                           .allowed = true,
                           .reason = STR("added_by_admin"),
                           .detail = c.name,
                           .client = c.id,
                           .scope = c.scope};
    code = admin_apply(admin, &effects, &event, "the client's random id is taken; try again");
    if (code == EXIT_DONE)
        printf("%" PRIstr "\n", STR_ARG(answer));
    return code;
}

static int run_add(int argc, char **argv)
{
    return admin_command(argc, argv, ADD_OPTIONS, sizeof ADD_OPTIONS / sizeof *ADD_OPTIONS, 0, add);
}

static const char *origin_name(client_origin_t origin)
{
    static const char *const NAMES[] = {
        [CLIENT_BY_ADMIN] = "admin",
        [CLIENT_BY_REGISTRATION] = "registered",
        [CLIENT_BY_DOCUMENT] = "document",
    };
    return NAMES[origin];
}

static void print_client(const client_t *c)
{
    str_t names[OAUTH_GRANTS];
    str_list_t grants = oauth_grant_names(c->grants, names);
    str_t method = oauth_method_name(c->auth);
    printf("%" PRIstr "  %s  %" PRIstr "  ", STR_ARG(c->id), origin_name(c->origin),
           STR_ARG(method));
    for (size_t i = 0; i < grants.n; i++)
        printf("%s%" PRIstr, i > 0 ? "," : "", STR_ARG(grants.v[i]));
    printf("  %" PRIstr "\n", STR_ARG(c->name));
}

static int list(admin_t *admin, const option_t *rows, const str_t *words, size_t n_words)
{
    (void)rows;
    (void)words;
    (void)n_words;
    enum { SHOWN = 1000 };
    ask_t ask = {.kind = ASK_CLIENTS, .limit = SHOWN};
    if (admin_ask(admin, &ask) != RC_OK)
        return EXIT_FAILED;
    for (size_t i = 0; i < ask.count; i++)
        print_client(&ask.u.clients[i]);
    if (ask.count == SHOWN)
        command_fail(EXIT_DONE, "these are the newest %d; there may be more", SHOWN);
    return EXIT_DONE;
}

static int run_list(int argc, char **argv)
{
    return admin_command(argc, argv, NULL, 0, 0, list);
}

const command_t CMD_ADMIN_CLIENT_ADD = {
    "admin client add",
    "--name N (--redirect-uri U... | --grant client_credentials | --grant device_code | "
    "--grant jwt-bearer | --resource-server URI... [--exchange-to URI]...) [--scope \"S S\"] "
    "[--public | "
    "--auth basic|post | --jwks FILE | --jwks-uri U] [--dpop-bound] [--json]",
    "registers a client; prints its secret once", run_add};
const command_t CMD_ADMIN_CLIENT_LIST = {"admin client list", "", "lists the clients, newest first",
                                         run_list};
