/* warder policy test */
#include "cmd/command.h"
#include "cmd/policy.h"
#include "cmd/text_file.h"
#include "conf/conf_yaml.h"
#include "core/limits.h"
#include "core/num.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>

/* One case of the file. */
typedef struct {
    policy_spec_t spec;
    str_t name, expect, rule, reason, needs;
} case_t;

typedef struct {
    arena_t *a;
    str_t path;
    policy_meant_t meant;
    size_t cases, failed;
} tests_t;

#define TEXT(key, member)                                                                          \
    {                                                                                              \
        STR_INIT(key), offsetof(case_t, member)                                                    \
    }

typedef struct {
    str_t key;
    size_t offset;
} member_t;

static const member_t TEXTS[] = {
    TEXT("name", name),
    TEXT("expect", expect),
    TEXT("rule", rule),
    TEXT("reason", reason),
    TEXT("needs", needs),
    TEXT("tool", spec.tool),
    TEXT("resource", spec.resource),
    TEXT("prompt", spec.prompt),
    TEXT("method", spec.method),
    TEXT("arguments", spec.arguments),
    TEXT("claims", spec.claims),
    TEXT("subject", spec.subject),
    TEXT("client", spec.client),
    TEXT("issuer", spec.issuer),
    TEXT("acr", spec.acr),
};
static const member_t LISTS[] = {
    TEXT("scopes", spec.scopes),
    TEXT("groups", spec.groups),
    TEXT("roles", spec.roles),
};
static const member_t NUMBERS[] = {
    TEXT("signed_in", spec.signed_in),
    TEXT("bytes", spec.bytes),
};

#define FIND(rows, key) find(rows, sizeof(rows) / sizeof((rows)[0]), key)

static const member_t *find(const member_t *rows, size_t n, str_t key)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(rows[i].key, key))
            return &rows[i];
    return NULL;
}

static int bad_file(const tests_t *t, const conf_node_t *node, const char *what)
{
    return command_fail(EXIT_USAGE, "%" PRIstr " line %u: %s", STR_ARG(t->path), node->line + 1,
                        what);
}

static int read_list(const tests_t *t, const conf_node_t *node, str_list_t *out)
{
    size_t n = 0;
    for (const conf_node_t *c = node->child; c; c = c->next)
        n++;
    str_t *v = ARENA_ARRAY(t->a, n + 1, str_t);
    if (!v)
        return command_out_of_memory();
    if (node->kind != CONF_LIST)
        return bad_file(t, node, "scopes, groups and roles are lists");
    *out = (str_list_t){v, n};
    for (const conf_node_t *c = node->child; c; c = c->next)
        *v++ = c->value;
    return EXIT_DONE;
}

static int read_member(const tests_t *t, const conf_node_t *node, case_t *c)
{
    const member_t *text = FIND(TEXTS, node->key), *list = FIND(LISTS, node->key);
    const member_t *number = FIND(NUMBERS, node->key);
    if (list)
        return read_list(t, node, (str_list_t *)(void *)((char *)c + list->offset));
    if (!text && !number)
        return bad_file(t, node, "there is no such member; docs/POLICY.md lists those of a case");
    if (node->kind != CONF_SCALAR)
        return bad_file(t, node, "here belongs one text; arguments and claims are JSON in quotes");
    if (text)
        *(str_t *)(void *)((char *)c + text->offset) = node->value;
    else if (!num_i64(node->value, 0, INT32_MAX, (int64_t *)(void *)((char *)c + number->offset)))
        return bad_file(t, node, "here belongs a whole number");
    return EXIT_DONE;
}

static bool is_expectable(str_t word)
{
    for (gate_outcome_t o = GATE_ALLOW; o <= GATE_SIZE; o++)
        if (str_eq(word, policy_outcome_word(o)))
            return true;
    return false;
}

static bool agrees(str_t want, str_t got)
{
    return !str_is_set(want) || str_eq(want, got);
}

static int try_case(tests_t *t, const conf_node_t *node, const case_t *c)
{
    policy_asked_t asked;
    str_t why;
    rc_t rc;
    if (!policy_ask_new(t->a, t->meant.conf, &c->spec, &asked, &why)) {
        str_t text = arena_printf(t->a, "%" PRIstr, STR_ARG(why));
        return bad_file(t, node, text.p ? text.p : "out of memory");
    }
    gate_decision_t d = gate_policy_decide(t->a, t->meant.ready, &asked.q, &rc);
    if (rc != RC_OK)
        return command_out_of_memory();
    t->cases++;
    if (str_eq(c->expect, policy_outcome_word(d.outcome)) && agrees(c->rule, d.rule) &&
        agrees(c->reason, d.reason) && agrees(c->needs, d.scopes))
        return EXIT_DONE;
    t->failed++;
    printf("line %u, %" PRIstr ": expected %" PRIstr ", got %" PRIstr " by %" PRIstr " (%" PRIstr
           ")%s%" PRIstr "\n",
           node->line + 1, STR_ARG(c->name), STR_ARG(c->expect),
           STR_ARG(policy_outcome_word(d.outcome)), STR_ARG(d.rule), STR_ARG(d.reason),
           d.scopes.n ? ", needs " : "", STR_ARG(d.scopes));
    return EXIT_DONE;
}

static int run_case(tests_t *t, const conf_node_t *node)
{
    case_t c = {.spec = {.signed_in = -1}};
    int code = EXIT_DONE;
    if (node->kind != CONF_MAP)
        return bad_file(t, node, "each case is a map");
    for (const conf_node_t *m = node->child; m && code == EXIT_DONE; m = m->next)
        code = read_member(t, m, &c);
    if (code != EXIT_DONE)
        return code;
    if (!str_is_set(c.name))
        return bad_file(t, node, "a case needs a name");
    if (!is_expectable(c.expect))
        return bad_file(t, node, "expect is allow, scope, step-up, deny or size");
    return try_case(t, node, &c);
}

/* YAML's own errors speak of the settings file. */
static int no_yaml(const tests_t *t, str_t why)
{
    str_t of = STR(" of the settings file");
    for (size_t i = 0; i + of.n <= why.n; i++)
        if (str_starts(str_skip(why, i), of))
            return command_fail(EXIT_USAGE, "%" PRIstr " %" PRIstr "%" PRIstr, STR_ARG(t->path),
                                STR_ARG(str_first(why, i)), STR_ARG(str_skip(why, i + of.n)));
    return command_fail(EXIT_USAGE, "%" PRIstr ": %" PRIstr, STR_ARG(t->path), STR_ARG(why));
}

static int run_cases(tests_t *t, const conf_node_t *top)
{
    int code = EXIT_DONE;
    if (!top->child || !str_eq(top->child->key, STR("cases")) || top->child->next ||
        top->child->kind != CONF_LIST || !top->child->child)
        return bad_file(t, top, "the file holds cases: a list of maps, each with name and expect");
    for (const conf_node_t *c = top->child->child; c && code == EXIT_DONE; c = c->next)
        code = run_case(t, c);
    if (code != EXIT_DONE)
        return code;
    printf("%zu cases, %zu failed\n", t->cases, t->failed);
    return t->failed > 0 ? EXIT_REFUSED : EXIT_DONE;
}

static int test(arena_t *a, const settings_t *settings, const option_t *rows, str_list_t words)
{
    str_t text, why;
    conf_node_t *top;
    if (words.n != 1)
        return command_fail(EXIT_USAGE, "name one file of cases");
    tests_t t = {.a = a, .path = words.v[0]};
    int code = policy_choose(a, &settings->conf, option_get(rows, "policy"),
                             option_get(rows, "path"), &t.meant);
    if (code != EXIT_DONE)
        return code;
    const char *name = arena_cstr(a, t.path);
    if (!name || text_file_read(a, name, LIMIT_CONF_FILE_BYTES, &text) != RC_OK)
        return command_fail(EXIT_FAILED, "the file '%" PRIstr "' cannot be read: %s",
                            STR_ARG(t.path), strerror(errno));
    if (conf_yaml_parse(a, text, &top, &why) != RC_OK)
        return no_yaml(&t, why);
    return run_cases(&t, top);
}

static int run(int argc, char **argv)
{
    return policy_command(argc, argv, NULL, 0, test);
}

const command_t CMD_POLICY_TEST = {"policy test", "FILE [--path PATH] [--policy NAME]",
                                   "tries a policy with the cases of a file", run};
