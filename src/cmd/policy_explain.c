/* warder policy explain */
#include "cmd/command.h"
#include "cmd/policy.h"

#include <stdio.h>

enum { TEXT_BYTES = 1 << 20 };

typedef struct {
    const policy_meant_t *meant;
    const policy_asked_t *asked;
    gate_decision_t d;
    const gate_step_t *steps;
    size_t n;
    bool listed; /* lists show it */
} explained_t;

static void put_json(buf_t *b, const explained_t *e)
{
    json_writer_t w = json_writer(b);
    json_begin_object(&w);
    json_member_str(&w, STR("policy"), e->meant->conf->name);
    json_member_str(&w, STR("outcome"), policy_outcome_word(e->d.outcome));
    json_member_str(&w, STR("rule"), e->d.rule);
    json_member_str(&w, STR("reason"), e->d.reason);
    json_member_str(&w, STR("scope"), e->d.scopes);
    json_member_str(&w, STR("acr_values"), e->d.acr_values);
    if (e->d.max_age_s > 0)
        json_member_int(&w, STR("max_age"), e->d.max_age_s);
    json_member_bool(&w, STR("listed"), e->listed);
    json_key(&w, STR("steps"));
    json_begin_array(&w);
    for (size_t i = 0; i < e->n; i++) {
        json_begin_object(&w);
        json_member_str(&w, STR("rule"), e->steps[i].rule);
        json_member_bool(&w, STR("asked"), e->steps[i].asked);
        json_member_str(&w, STR("reason"), e->steps[i].reason);
        json_end_object(&w);
    }
    json_end_array(&w);
    json_end_object(&w);
    buf_char(b, '\n');
}

static void put_step(buf_t *b, const gate_step_t *s, bool last)
{
    str_t why = s->asked ? gate_reason_sentence(s->reason) : STR("names other things");
    buf_fmt(b, "  %-20.*s  %s%" PRIstr "\n", STR_ARG(s->rule),
            !s->asked ? ""
            : last    ? "decides: "
                      : "goes on: ",
            STR_ARG(why));
}

static void put_text(buf_t *b, const explained_t *e)
{
    const mcp_operation_t *r = &e->asked->request;
    buf_fmt(b, "policy %" PRIstr ", %" PRIstr "%s%" PRIstr " by %" PRIstr "\n",
            STR_ARG(e->meant->conf->name), STR_ARG(r->message.method),
            str_is_set(r->name) ? " " : "", STR_ARG(r->name), STR_ARG(e->asked->who.subject));
    for (size_t i = 0; i < e->n; i++)
        put_step(b, &e->steps[i], i + 1 == e->n);
    buf_fmt(b, "%" PRIstr ": ", STR_ARG(policy_outcome_word(e->d.outcome)));
    policy_put_answer(b, &e->d);
    if (r->object != MCP_ON_METHOD)
        buf_fmt(b, "\nlists %s it to this caller", e->listed ? "show" : "do not show");
    buf_char(b, '\n');
}

static bool is_listed(arena_t *a, const explained_t *e)
{
    static const mcp_list_kind_t LISTS[] = {
        [MCP_ON_METHOD] = MCP_LIST_NONE,
        [MCP_ON_TOOL] = MCP_LIST_TOOLS,
        [MCP_ON_RESOURCE] = MCP_LIST_RESOURCES,
        [MCP_ON_PROMPT] = MCP_LIST_PROMPTS,
    };
    mcp_item_t item = {.kind = LISTS[e->asked->request.object], .name = e->asked->request.name};
    return gate_policy_shows(a, e->meant->ready, &e->asked->who, &item);
}

static int explain(arena_t *a, const settings_t *settings, const option_t *rows, str_list_t words)
{
    policy_meant_t meant;
    policy_spec_t spec;
    policy_asked_t asked;
    str_t why, text;
    if (words.n > 0)
        return command_fail(EXIT_USAGE, "more words than the command takes");
    int code = policy_choose(a, &settings->conf, option_get(rows, "policy"),
                             option_get(rows, "path"), &meant);
    if (code == EXIT_DONE)
        code = policy_spec_read(a, rows, &spec);
    if (code != EXIT_DONE)
        return code;
    if (!policy_ask_new(a, meant.conf, &spec, &asked, &why))
        return command_fail(EXIT_USAGE, "%" PRIstr, STR_ARG(why));
    explained_t e = {.meant = &meant, .asked = &asked};
    if (gate_policy_explain(a, meant.ready, &asked.q, &e.d, &e.steps, &e.n) != RC_OK)
        return command_out_of_memory();
    e.listed = is_listed(a, &e);
    buf_t b = buf_new(a, TEXT_BYTES);
    if (option_is_set(rows, "json"))
        put_json(&b, &e);
    else
        put_text(&b, &e);
    if (buf_done(&b, &text) != RC_OK)
        return command_out_of_memory();
    printf("%" PRIstr, STR_ARG(text));
    return EXIT_DONE;
}

static int run(int argc, char **argv)
{
    return policy_command(argc, argv, NULL, 0, explain);
}

const command_t CMD_POLICY_EXPLAIN = {
    "policy explain",
    "[--path PATH] [--policy NAME] --tool|--resource|--prompt|--method NAME [--arguments JSON] "
    "[--scope S...] [--group G...] [--role R...] [--subject S] [--client C] [--issuer I] "
    "[--claims JSON] [--acr A] [--signed-in SECONDS] [--bytes N] [--json]",
    "says which rule decides on a message, and what the client sees", run};
