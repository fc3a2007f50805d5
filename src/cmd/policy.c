#include "cmd/policy.h"

#include "cmd/command.h"
#include "cmd/text_file.h"
#include "conf/conf_policy.h"
#include "conf/conf_table.h"
#include "core/limits.h"
#include "core/num.h"
#include "core/ports.h"

#include <errno.h>

enum {
    ARENA_BYTES = 64 << 20,
    CLAIMS_BYTES = 1 << 16,
    WORDS_MAX = 64,
    SIGNED_IN_MAX = 1000000000,
    SCOPE_BYTES = 1 << 16,
};

static const option_t OPTIONS[] = {
    {.name = "path"},
    {.name = "policy"},
    {.name = "tool"},
    {.name = "resource"},
    {.name = "prompt"},
    {.name = "method"},
    {.name = "arguments"},
    {.name = "claims"},
    {.name = "scope", .many = true},
    {.name = "group", .many = true},
    {.name = "role", .many = true},
    {.name = "subject"},
    {.name = "client"},
    {.name = "issuer"},
    {.name = "acr"},
    {.name = "signed-in"},
    {.name = "bytes"},
    {.name = "json", .is_switch = true},
};
enum { N_OPTIONS = sizeof OPTIONS / sizeof OPTIONS[0] };

const option_t *policy_question_options(size_t *n)
{
    *n = N_OPTIONS;
    return OPTIONS;
}

/* The options that name a policy and a question, in front of the settings; ended by NULL. */
static option_t *all_options(arena_t *a, const option_t *own, size_t n_own)
{
    const option_t *of_settings = settings_options(a);
    option_t *rows = ARENA_ARRAY(a, n_own + N_OPTIONS + CONF_N_ROWS + 2, option_t);
    if (!of_settings || !rows)
        return NULL;
    if (n_own > 0)
        memcpy(rows, own, n_own * sizeof *rows);
    memcpy(rows + n_own, OPTIONS, sizeof OPTIONS);
    memcpy(rows + n_own + N_OPTIONS, of_settings, (CONF_N_ROWS + 2) * sizeof *rows);
    return rows;
}

/* Values may hold several words, as scopes are written in requests. */
static str_list_t list_of(arena_t *a, const option_t *rows, const char *name)
{
    const option_t *row = option_row(rows, name);
    size_t n = 0, room = 0;
    for (size_t i = 0; i < row->n; i++)
        room += row->values[i].n + 1;
    str_t *v = ARENA_ARRAY(a, room + 1, str_t), word;
    for (size_t i = 0; v && i < row->n; i++)
        for (str_t rest = row->values[i]; str_split(&rest, ' ', &word);)
            if (word.n > 0)
                v[n++] = word;
    return (str_list_t){v, n};
}

static bool number_of(const option_t *rows, const char *name, int64_t *out)
{
    str_t text = option_get(rows, name);
    return !str_is_set(text) || num_i64(text, 0, SIGNED_IN_MAX, out);
}

int policy_spec_read(arena_t *a, const option_t *rows, policy_spec_t *out)
{
    *out = (policy_spec_t){.tool = option_get(rows, "tool"),
                           .resource = option_get(rows, "resource"),
                           .prompt = option_get(rows, "prompt"),
                           .method = option_get(rows, "method"),
                           .arguments = option_get(rows, "arguments"),
                           .claims = option_get(rows, "claims"),
                           .scopes = list_of(a, rows, "scope"),
                           .groups = list_of(a, rows, "group"),
                           .roles = list_of(a, rows, "role"),
                           .subject = option_get(rows, "subject"),
                           .client = option_get(rows, "client"),
                           .issuer = option_get(rows, "issuer"),
                           .acr = option_get(rows, "acr"),
                           .signed_in = -1};
    if (number_of(rows, "signed-in", &out->signed_in) && number_of(rows, "bytes", &out->bytes))
        return EXIT_DONE;
    return command_fail(EXIT_USAGE, "--signed-in wants seconds, and --bytes a length");
}

static const conf_upstream_t *upstream_at(const conf_t *conf, str_t path)
{
    for (size_t i = 0; i < conf->n_upstreams; i++)
        if (str_eq(conf->upstreams[i].path, path))
            return &conf->upstreams[i];
    return NULL;
}

static int no_policy(const conf_t *conf, str_t name, str_t path)
{
    if (str_is_set(name))
        return command_fail(EXIT_REFUSED, "there is no policy '%" PRIstr "' in the settings file",
                            STR_ARG(name));
    if (str_is_set(path))
        return command_fail(EXIT_REFUSED, "there is no upstream at the path '%" PRIstr "'",
                            STR_ARG(path));
    if (conf->n_upstreams > 1)
        return command_fail(EXIT_USAGE, "there are several upstreams: say which by --path PATH, or "
                                        "which policy by --policy NAME");
    return command_fail(EXIT_USAGE, "there is no upstream: name a policy by --policy NAME, and its "
                                    "file by --config FILE");
}

int policy_choose(arena_t *a, const conf_t *conf, str_t name, str_t path, policy_meant_t *out)
{
    *out = (policy_meant_t){0};
    if (str_is_set(path))
        out->upstream = upstream_at(conf, path);
    else if (!str_is_set(name) && conf->n_upstreams == 1)
        out->upstream = &conf->upstreams[0];
    if (str_is_set(name))
        out->conf = conf_policy_find(conf, name);
    else if (out->upstream)
        out->conf = out->upstream->policy;
    if (!out->conf || (str_is_set(path) && !out->upstream))
        return no_policy(conf, out->conf ? STR_UNSET : name, path);
    if (gate_policy_new(a, out->conf, &out->ready) != RC_OK)
        return command_out_of_memory();
    return EXIT_DONE;
}

static const json_t *object_of(arena_t *a, str_t text)
{
    const json_t *v;
    bool good = json_parse(a, text, NULL, &v) == RC_OK && json_is(v, JSON_OBJECT);
    return good ? v : NULL;
}

static str_t text_or(str_t text, const json_t *claims, str_t name, str_t last)
{
    if (str_is_set(text))
        return text;
    str_t claimed = json_get_str(claims, name);
    return str_is_set(claimed) ? claimed : last;
}

static void put_list(json_writer_t *w, str_t name, str_list_t list)
{
    if (list.n > 0)
        json_member_strs(w, name, list);
}

/* The token's claims, with groups and roles where the policy looks for them. */
static const json_t *claims_of(arena_t *a, const conf_policy_t *conf, const policy_spec_t *spec,
                               const json_t *given)
{
    str_t text;
    buf_t b = buf_new(a, CLAIMS_BYTES);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    put_list(&w, conf->groups_claim, spec->groups);
    bool same = str_eq(conf->groups_claim, conf->roles_claim);
    if (!same)
        put_list(&w, conf->roles_claim, spec->roles);
    for (const json_t *m = given ? given->child : NULL; m; m = m->next) {
        bool groups = spec->groups.n > 0 && str_eq(m->key, conf->groups_claim);
        bool roles = spec->roles.n > 0 && str_eq(m->key, conf->roles_claim);
        if (groups || roles)
            continue;
        json_key(&w, m->key);
        json_raw(&w, m->raw);
    }
    json_end_object(&w);
    return buf_done(&b, &text) == RC_OK ? object_of(a, text) : NULL;
}

static str_t scope_of(arena_t *a, const policy_spec_t *spec, const json_t *claims)
{
    str_t text;
    buf_t b = buf_new(a, SCOPE_BYTES);
    if (spec->scopes.n == 0)
        return text_or(STR_UNSET, claims, STR("scope"), STR(""));
    for (size_t i = 0; i < spec->scopes.n; i++) {
        if (i > 0)
            buf_char(&b, ' ');
        buf_put(&b, spec->scopes.v[i]);
    }
    return buf_done(&b, &text) == RC_OK ? text : STR("");
}

static bool make_who(arena_t *a, const conf_policy_t *conf, const policy_spec_t *spec,
                     policy_asked_t *out, str_t *why)
{
    const json_t *given = str_is_set(spec->claims) ? object_of(a, spec->claims) : NULL;
    if (str_is_set(spec->claims) && !given) {
        *why = STR("claims is no JSON object");
        return false;
    }
    clock_port_t clock = clock_system();
    out->q.now_s = clock_seconds(&clock);
    gate_principal_t *who = &out->who;
    *who = (gate_principal_t){.issuer = text_or(spec->issuer, given, STR("iss"), STR("")),
                              .subject = text_or(spec->subject, given, STR("sub"), STR("somebody")),
                              .client = text_or(spec->client, given, STR("client_id"), STR("")),
                              .scope = scope_of(a, spec, given),
                              .acr = text_or(spec->acr, given, STR("acr"), STR_UNSET),
                              .issued_at = -1,
                              .claims = claims_of(a, conf, spec, given)};
    if (spec->signed_in >= 0)
        who->auth_time = out->q.now_s - spec->signed_in;
    else if (!json_get_i64(given, STR("auth_time"), &who->auth_time))
        who->auth_time = 0;
    *why = STR("claims, groups and roles do not go together");
    return who->claims != NULL;
}

/* What the message is about: one object, or a method alone. */
static bool make_request(arena_t *a, const policy_spec_t *spec, policy_asked_t *out, str_t *why)
{
    const struct {
        str_t name, method;
        mcp_object_t object;
    } OBJECTS[] = {
        {spec->tool, STR("tools/call"), MCP_ON_TOOL},
        {spec->resource, STR("resources/read"), MCP_ON_RESOURCE},
        {spec->prompt, STR("prompts/get"), MCP_ON_PROMPT},
    };
    mcp_operation_t *r = &out->request;
    *r =
        (mcp_operation_t){.message = {.kind = MCP_REQUEST, .id = STR("1"), .method = spec->method}};
    size_t n = 0;
    for (size_t i = 0; i < sizeof OBJECTS / sizeof OBJECTS[0]; i++) {
        if (!str_is_set(OBJECTS[i].name))
            continue;
        n++;
        r->object = OBJECTS[i].object;
        r->name = OBJECTS[i].name;
        if (!str_is_set(spec->method))
            r->message.method = OBJECTS[i].method;
    }
    *why = STR("name one of tool, resource, prompt and method");
    if (n > 1 || !str_is_set(r->message.method))
        return false;
    *why = STR("arguments is no JSON object");
    if (str_is_set(spec->arguments))
        r->arguments = object_of(a, spec->arguments);
    return !str_is_set(spec->arguments) || r->arguments;
}

bool policy_ask_new(arena_t *a, const conf_policy_t *conf, const policy_spec_t *spec,
                    policy_asked_t *out, str_t *why)
{
    *out = (policy_asked_t){0};
    if (!make_request(a, spec, out, why) || !make_who(a, conf, spec, out, why))
        return false;
    out->q.request = &out->request;
    out->q.who = &out->who;
    out->q.body_bytes = spec->bytes > 0 ? (size_t)spec->bytes : spec->arguments.n;
    return true;
}

int policy_file_load(arena_t *a, str_t path, const conf_t **out)
{
    str_t why;
    conf_sources_t sources = {.file_name = path};
    const char *name = arena_cstr(a, path);
    if (!name || text_file_read(a, name, LIMIT_CONF_FILE_BYTES, &sources.file) != RC_OK)
        return command_fail(EXIT_SETTING, "the settings file '%" PRIstr "' cannot be read: %s",
                            STR_ARG(path), strerror(errno));
    if (conf_load(a, &sources, out, &why) == RC_OK)
        return EXIT_DONE;
    return command_fail(EXIT_SETTING, "%" PRIstr ": %" PRIstr, STR_ARG(path), STR_ARG(why));
}

int policy_command(int argc, char **argv, const option_t *own, size_t n_own, policy_run_t run)
{
    arena_t *a = arena_new(ARENA_BYTES);
    option_t *rows = a ? all_options(a, own, n_own) : NULL;
    str_t *words = a ? ARENA_ARRAY(a, WORDS_MAX, str_t) : NULL;
    size_t n = 0;
    settings_t settings;
    int code = EXIT_USAGE;
    if (!rows || !words)
        code = command_out_of_memory();
    else if (options_parse(argc, argv, rows, words, WORDS_MAX, &n))
        code = settings_load(a, rows, &settings);
    if (rows && words && code == EXIT_DONE)
        code = run(a, &settings, rows, (str_list_t){words, n});
    arena_free(a);
    return code;
}
