/* warder policy who-can */
#include "cmd/admin.h"
#include "cmd/command.h"
#include "cmd/policy.h"
#include "cmd/policy_chain.h"
#include "core/url.h"
#include "oauth/label.h"
#include "core/limits.h"

#include <stdio.h>

enum { TEXT_BYTES = 1 << 20, CLAIMS_BYTES = 1 << 16 };

static const option_t USERS[] = {{.name = "users", .is_switch = true}};

/* What is asked for: one thing that rules can name. */
static int thing_of(const option_t *rows, policy_thing_t *out)
{
    static const struct {
        const char *option;
        gate_kind_t kind;
    } KINDS[] = {{"tool", GATE_TOOLS},
                 {"resource", GATE_RESOURCES},
                 {"prompt", GATE_PROMPTS},
                 {"method", GATE_METHODS}};
    size_t n = 0;
    for (size_t i = 0; i < sizeof KINDS / sizeof KINDS[0]; i++) {
        if (!option_is_set(rows, KINDS[i].option))
            continue;
        *out = (policy_thing_t){KINDS[i].kind, option_get(rows, KINDS[i].option)};
        n++;
    }
    return n == 1 ? EXIT_DONE
                  : command_fail(EXIT_USAGE, "name one of tool, resource, prompt and method");
}

static int choose(arena_t *a, const settings_t *settings, const option_t *rows,
                  policy_meant_t *meant, policy_thing_t *thing)
{
    int code = policy_choose(a, &settings->conf, option_get(rows, "policy"),
                             option_get(rows, "path"), meant);
    return code == EXIT_DONE ? thing_of(rows, thing) : code;
}

static int print_rules(arena_t *a, const policy_meant_t *meant, const policy_thing_t *thing)
{
    policy_chain_t chain;
    str_t text;
    buf_t b = buf_new(a, TEXT_BYTES);
    if (policy_chain_new(a, meant->conf, thing, &chain) != RC_OK)
        return command_out_of_memory();
    buf_fmt(&b, "%" PRIstr " %" PRIstr " of policy %" PRIstr ":\n",
            STR_ARG(policy_kind_word(thing->kind)), STR_ARG(thing->name),
            STR_ARG(meant->conf->name));
    policy_put_chain(&b, meant->conf, &chain);
    if (buf_done(&b, &text) != RC_OK)
        return command_out_of_memory();
    printf("%" PRIstr, STR_ARG(text));
    return EXIT_DONE;
}

static int who_can(arena_t *a, const settings_t *settings, const option_t *rows, str_list_t words)
{
    policy_meant_t meant;
    policy_thing_t thing;
    if (words.n > 0)
        return command_fail(EXIT_USAGE, "more words than the command takes");
    int code = choose(a, settings, rows, &meant, &thing);
    return code == EXIT_DONE ? print_rules(a, &meant, &thing) : code;
}

/* Whether a consent is for the upstream. */
static bool is_for(arena_t *a, const conf_t *conf, const conf_upstream_t *upstream, str_t resource)
{
    url_t u;
    if (conf->public_url.n > 0 && !str_starts(resource, conf->public_url))
        return false;
    str_t path;
    return url_parse(resource, &u) == RC_OK && url_path_decode(a, u.path, &path) == RC_OK &&
           str_eq(path, upstream->path);
}

/* A token that this server would issue by the consent. */
static rc_t who_of(admin_t *admin, const policy_meant_t *meant, const user_t *user,
                   const consent_t *consent, gate_principal_t *out)
{
    str_t text;
    buf_t b = buf_new(admin->a, CLAIMS_BYTES);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_member_strs(&w, meant->conf->groups_claim, user->groups);
    json_end_object(&w);
    TRY(buf_done(&b, &text));
    *out = (gate_principal_t){.issuer = admin->settings.conf.public_url,
                              .subject = user->id,
                              .client = consent->client_id,
                              .scope = consent->scope,
                              .issued_at = -1};
    return json_parse(admin->a, text, NULL, &out->claims);
}

static bool may(admin_t *admin, const policy_meant_t *meant, const policy_thing_t *thing,
                const gate_principal_t *who)
{
    static const mcp_list_kind_t LISTS[] = {
        [GATE_TOOLS] = MCP_LIST_TOOLS,
        [GATE_RESOURCES] = MCP_LIST_RESOURCES,
        [GATE_PROMPTS] = MCP_LIST_PROMPTS,
        [GATE_METHODS] = MCP_LIST_NONE,
    };
    rc_t rc;
    mcp_item_t item = {.kind = LISTS[thing->kind], .name = thing->name};
    if (thing->kind != GATE_METHODS)
        return gate_policy_shows(admin->a, meant->ready, who, &item);
    mcp_operation_t r = {.message = {.kind = MCP_REQUEST, .method = thing->name}};
    gate_question_t q = {.request = &r, .who = who};
    return gate_policy_decide(admin->a, meant->ready, &q, &rc).outcome == GATE_ALLOW;
}

static int print_user(admin_t *admin, const policy_meant_t *meant, const policy_thing_t *thing,
                      const user_t *user)
{
    ask_t ask = {.kind = ASK_GRANTS, .key = user->id};
    if (user->disabled)
        return EXIT_DONE;
    if (admin_ask(admin, &ask) != RC_OK)
        return EXIT_FAILED;
    for (size_t i = 0; i < ask.count; i++) {
        gate_principal_t who;
        str_t client;
        const consent_t *consent = ask.u.grants[i].consent;
        if (!is_for(admin->a, &admin->settings.conf, meant->upstream, consent->resource))
            continue;
        if (who_of(admin, meant, user, consent, &who) != RC_OK ||
            oauth_label_clean(admin->a, consent->client_id, LIMIT_CLIENT_TEXT_BYTES, &client) !=
                RC_OK)
            return command_out_of_memory();
        if (may(admin, meant, thing, &who))
            printf("%" PRIstr "  %" PRIstr "  by %" PRIstr "\n", STR_ARG(user->id),
                   STR_ARG(user->name), STR_ARG(client));
    }
    return EXIT_DONE;
}

/* Accounts whose consents hold the scopes, by group, subject and client; arguments and the age of
 * the sign-in are not looked at. */
static int print_users(admin_t *admin, const option_t *rows, const str_t *words, size_t n_words)
{
    policy_meant_t meant;
    policy_thing_t thing;
    (void)words;
    (void)n_words;
    int code = choose(admin->a, &admin->settings, rows, &meant, &thing);
    if (code == EXIT_DONE && !meant.upstream)
        code = command_fail(EXIT_USAGE, "--users needs an upstream: say which by --path PATH");
    if (code == EXIT_DONE)
        code = print_rules(admin->a, &meant, &thing);
    ask_t ask = {.kind = ASK_USERS};
    if (code == EXIT_DONE && admin_ask(admin, &ask) != RC_OK)
        code = EXIT_FAILED;
    for (size_t i = 0; i < ask.count && code == EXIT_DONE; i++)
        code = print_user(admin, &meant, &thing, &ask.u.users[i]);
    return code;
}

static int run(int argc, char **argv)
{
    size_t n = 0;
    const option_t *question = policy_question_options(&n);
    option_t own[POLICY_OPTIONS_MAX];
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--users") != 0)
            continue;
        memcpy(own, USERS, sizeof USERS);
        memcpy(own + 1, question, n * sizeof *own);
        return admin_command(argc, argv, own, n + 1, 0, print_users);
    }
    return policy_command(argc, argv, USERS, 1, who_can);
}

const command_t CMD_POLICY_WHO_CAN = {
    "policy who-can",
    "[--path PATH] [--policy NAME] --tool|--resource|--prompt|--method NAME [--users]",
    "says what it takes to use something", run};
