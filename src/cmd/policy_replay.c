/* warder policy replay */
#include "audit/reader.h"
#include "cmd/command.h"
#include "cmd/policy.h"
#include "conf/conf_policy.h"

#include <errno.h>
#include <stdio.h>

enum { ARENA_BYTES = 4 << 20, GROUPS_MAX = 1000, TEXT_BYTES = 4096 };

/* Events that differ in the same way. */
typedef struct {
    str_t text;
    uint64_t count;
} difference_t;

/* An event as a question. */
typedef struct {
    policy_asked_t of;
    bool has_scope;
} asked_t;

typedef struct {
    arena_t *a, *scratch;
    policy_meant_t meant;
    str_t path; /* of the upstream; unset: all */
    difference_t v[GROUPS_MAX];
    size_t n;
    uint64_t events, same, opened, closed, unknown, elsewhere, more;
} replay_t;

/* What the trail does not hold: a rule that asks for it cannot be judged. */
static bool asks_for_more(const conf_gate_rule_t *r, const asked_t *asked)
{
    bool arguments = r->n_arguments > 0 && !asked->of.request.arguments;
    bool scopes = r->scopes.n > 0 && !asked->has_scope;
    return r->groups.n + r->roles.n + r->n_claims > 0 || r->max_age > 0 || r->acr.n > 0 ||
           arguments || scopes;
}

static const conf_gate_rule_t *rule_named(const conf_policy_t *p, str_t name)
{
    for (size_t i = 0; i < p->n_rules; i++)
        if (str_eq(p->rules[i].name, name))
            return &p->rules[i];
    return NULL;
}

/* Whoever is not the rule's subject, client or issuer is so whatever else the token said. */
static bool is_known(str_t reason)
{
    return str_eq(reason, STR("wrong_subject")) || str_eq(reason, STR("wrong_client")) ||
           str_eq(reason, STR("wrong_issuer"));
}

static bool can_be_judged(const replay_t *r, const asked_t *asked, const gate_step_t *steps,
                          size_t n)
{
    bool by_default = str_eq(steps[n - 1].rule, STR("default"));
    if (by_default && r->meant.conf->default_scopes.n > 0 && !asked->has_scope)
        return false;
    for (size_t i = 0; i < n; i++) {
        const conf_gate_rule_t *rule = rule_named(r->meant.conf, steps[i].rule);
        if (steps[i].asked && rule && !is_known(steps[i].reason) && asks_for_more(rule, asked))
            return false;
    }
    return true;
}

static void count(replay_t *r, str_t text)
{
    for (size_t i = 0; i < r->n; i++)
        if (str_eq(r->v[i].text, text)) {
            r->v[i].count++;
            return;
        }
    str_t kept = r->n < GROUPS_MAX ? arena_dup(r->a, text) : STR_UNSET;
    if (str_is_set(kept))
        r->v[r->n++] = (difference_t){kept, 1};
    else
        r->more++;
}

/* GET and DELETE are asked about as notifications, as they were then. */
static str_t method_asked(str_t method)
{
    if (str_eq(method, STR("GET")))
        return STR("notifications/GET");
    return str_eq(method, STR("DELETE")) ? STR("notifications/DELETE") : method;
}

/* The object of an event: a tool, else a resource or prompt. */
static policy_spec_t spec_of(const json_t *line)
{
    str_t method = method_asked(json_get_str(line, STR("method"))),
          object = json_get_str(line, STR("object"));
    bool prompt = str_starts(method, STR("prompts/"));
    policy_spec_t spec = {.tool = json_get_str(line, STR("tool")),
                          .prompt = prompt ? object : STR_UNSET,
                          .resource = prompt ? STR_UNSET : object,
                          .method = method,
                          .subject = json_get_str(line, STR("user")),
                          .client = json_get_str(line, STR("client")),
                          .issuer = json_get_str(line, STR("issuer")),
                          .signed_in = -1};
    const json_t *arguments = json_get(line, STR("arguments"));
    if (json_is(arguments, JSON_OBJECT))
        spec.arguments = arguments->raw;
    else if (json_is(arguments, JSON_STRING))
        spec.arguments = arguments->str;
    if (!json_get_i64(line, STR("bytes_in"), &spec.bytes))
        spec.bytes = 0;
    return spec;
}

static void put_difference(buf_t *b, const json_t *line, const policy_spec_t *spec,
                           const gate_decision_t *d)
{
    str_t object = str_is_set(spec->tool)     ? spec->tool
                   : str_is_set(spec->prompt) ? spec->prompt
                                              : spec->resource;
    str_t was = json_get_str(line, STR("rule"));
    buf_fmt(b,
            "%" PRIstr "%s%" PRIstr ": was %" PRIstr " by %" PRIstr ", would be %" PRIstr
            " by %" PRIstr " (%" PRIstr ")",
            STR_ARG(spec->method), str_is_set(object) ? " " : "", STR_ARG(object),
            STR_ARG(json_get_str(line, STR("decision"))),
            STR_ARG(str_is_set(was) ? was : STR("no rule")),
            STR_ARG(policy_outcome_word(d->outcome)), STR_ARG(d->rule), STR_ARG(d->reason));
}

static rc_t judge(replay_t *r, const json_t *line)
{
    asked_t asked;
    gate_decision_t d;
    const gate_step_t *steps;
    size_t n;
    str_t why, text;
    policy_spec_t spec = spec_of(line);
    str_t scope = json_get_str(line, STR("scope"));
    spec.scopes = (str_list_t){&scope, str_is_set(scope)};
    asked.has_scope = str_is_set(scope);
    bool listens = str_eq(spec.method, STR("subscriptions/listen"));
    if (listens || !policy_ask_new(r->scratch, r->meant.conf, &spec, &asked.of, &why)) {
        r->unknown++; /* the event does not say to which resources */
        return RC_OK;
    }
    if (str_starts(spec.method, STR("notifications/")))
        asked.of.request.message.kind = MCP_NOTIFICATION;
    TRY(gate_policy_explain(r->scratch, r->meant.ready, &asked.of.q, &d, &steps, &n));
    if (!can_be_judged(r, &asked, steps, n)) {
        r->unknown++;
        return RC_OK;
    }
    bool was = str_eq(json_get_str(line, STR("decision")), STR("allow"));
    bool is = d.outcome == GATE_ALLOW;
    if (was == is) {
        r->same++;
        return RC_OK;
    }
    r->opened += is;
    r->closed += was;
    buf_t b = buf_new(r->scratch, TEXT_BYTES);
    put_difference(&b, line, &spec, &d);
    if (buf_done(&b, &text) == RC_OK)
        count(r, text);
    else
        r->more++;
    return RC_OK;
}

/* Streams, tokens, rates and broken messages are decided without a policy, whichever it is. */
static bool is_of_policy(const json_t *line)
{
    if (!str_is_set(json_get_str(line, STR("rule"))))
        return false;
    return str_eq(json_get_str(line, STR("decision")), STR("allow")) ||
           gate_reason_sentence(json_get_str(line, STR("reason"))).n > 0;
}

static rc_t take_line(replay_t *r, str_t text)
{
    const json_t *line;
    arena_reset(r->scratch);
    rc_t rc = json_parse(r->scratch, str_trim(text, "\n"), NULL, &line);
    if (rc == RC_MEMORY)
        return rc;
    if (rc != RC_OK || !str_eq(json_get_str(line, STR("event")), STR("call.begin")))
        return RC_OK;
    if (str_is_set(r->path) && !str_eq(r->path, json_get_str(line, STR("upstream"))))
        return RC_OK;
    r->events++;
    if (!is_of_policy(line)) {
        r->elsewhere++;
        return RC_OK;
    }
    return judge(r, line);
}

static rc_t take_lines(replay_t *r, audit_reader_t *reader)
{
    str_t line;
    rc_t rc;
    TRY(audit_reader_freeze(reader));
    while ((rc = audit_reader_line(reader, &line)) == RC_OK)
        TRY(take_line(r, line));
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

static int take_file(replay_t *r, str_t file)
{
    audit_reader_t reader;
    const char *path = arena_cstr(r->a, file);
    rc_t rc = path ? audit_reader_open(&reader, path) : RC_MEMORY;
    if (rc == RC_OK) {
        rc = take_lines(r, &reader);
        audit_reader_close(&reader);
    }
    if (rc == RC_OK)
        return EXIT_DONE;
    if (rc == RC_MEMORY)
        return command_out_of_memory();
    return command_fail(EXIT_FAILED, "the audit trail '%" PRIstr "' cannot be read: %s",
                        STR_ARG(file), strerror(errno));
}

static void report(const replay_t *r)
{
    for (size_t i = 0; i < r->n; i++)
        printf("%6llu  %" PRIstr "\n", (unsigned long long)r->v[i].count, STR_ARG(r->v[i].text));
    if (r->more > 0)
        printf("%6llu  others\n", (unsigned long long)r->more);
    printf("%llu messages: %llu decided alike, %llu would be refused, %llu would be allowed, %llu "
           "could not be judged, %llu were decided without a policy\n",
           (unsigned long long)r->events, (unsigned long long)r->same,
           (unsigned long long)r->closed, (unsigned long long)r->opened,
           (unsigned long long)r->unknown, (unsigned long long)r->elsewhere);
    if (r->unknown > 0)
        printf(
            "the trail holds no groups, roles, claims and sign-in times, and arguments only where "
            "audit_arguments is on\n");
}

/* A policy of the settings by its name, or the only one of another file. */
static int choose(arena_t *a, const settings_t *settings, str_t name, replay_t *r)
{
    const conf_t *conf;
    if (!str_is_set(name))
        return command_fail(EXIT_USAGE, "say which policy: --policy NAME, or --policy FILE");
    if (conf_policy_find(&settings->conf, name))
        return policy_choose(a, &settings->conf, name, STR_UNSET, &r->meant);
    int code = policy_file_load(a, name, &conf);
    if (code != EXIT_DONE)
        return code;
    if (conf->n_policies != 1)
        return command_fail(EXIT_USAGE, "'%" PRIstr "' must hold one policy, and has %zu",
                            STR_ARG(name), conf->n_policies);
    return policy_choose(a, conf, conf->policies[0].name, STR_UNSET, &r->meant);
}

static int replay(arena_t *a, const settings_t *settings, const option_t *rows, str_list_t words)
{
    replay_t *r = ARENA_NEW(a, replay_t);
    if (!r)
        return command_out_of_memory();
    r->a = a;
    r->path = option_get(rows, "path");
    int code = choose(a, settings, option_get(rows, "policy"), r);
    if (code != EXIT_DONE)
        return code;
    r->scratch = arena_new(ARENA_BYTES);
    if (!r->scratch)
        return command_out_of_memory();
    if (words.n == 0)
        code = take_file(r, settings->conf.audit_file);
    for (size_t i = 0; i < words.n && code == EXIT_DONE; i++)
        code = take_file(r, words.v[i]);
    arena_free(r->scratch);
    if (code == EXIT_DONE)
        report(r);
    return code;
}

static int run(int argc, char **argv)
{
    return policy_command(argc, argv, NULL, 0, replay);
}

const command_t CMD_POLICY_REPLAY = {
    "policy replay", "--policy NAME|FILE [--path PATH] [TRAIL...]",
    "says what a policy would have decided otherwise on past messages", run};
