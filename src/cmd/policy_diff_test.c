#include "cmd/policy_test_play.h"

#include <stdio.h>

/* The lines of the difference that do not begin with a space, each ended by ';'. */
static const char *heads(const char *text)
{
    static char out[4096];
    size_t n = 0;
    bool keep = true, begins = true;
    for (; *text && n + 2 < sizeof out; text++) {
        if (begins)
            keep = *text != ' ';
        begins = *text == '\n';
        if (keep)
            out[n++] = begins ? ';' : *text;
    }
    out[n] = '\0';
    return out;
}

static void differ(admin_play_t *p, const char *old, const char *new, const char *want)
{
    char text[2048], line[256];
    snprintf(text, sizeof text, "policies: [{name: p, %s}]", old);
    test_file(p->folder, "old.yaml", text);
    snprintf(text, sizeof text, "policies: [{name: p, %s}]", new);
    test_file(p->folder, "new.yaml", text);
    snprintf(line, sizeof line, "policy diff %s/old.yaml %s/new.yaml", p->folder, p->folder);
    admin_play_run(p, line);
    assert_string_equal(heads(p->ran.out), want);
}

/* Of rules for one tool. */
static void differ_rule(admin_play_t *p, const char *old, const char *new, const char *word)
{
    char a[1024], b[1024], want[64];
    snprintf(a, sizeof a, "rules: [{name: r, tools: [t]%s}]", old);
    snprintf(b, sizeof b, "rules: [{name: r, tools: [t]%s}]", new);
    snprintf(want, sizeof want, "%s: tool t;", word);
    differ(p, a, b, want);
}

static void what_one_rule_asks_for(void **state)
{
    static const char *const WIDER[][2] = {
        {", scopes: [a, b]", ", scopes: [a]"},
        {", groups: [a]", ", groups: [a, b]"},
        {", groups: [a]", ""},
        {", roles: [a]", ", roles: [b, a]"},
        {", clients: [a]", ""},
        {", subjects: [a]", ", subjects: [a, b]"},
        {", issuers: [a]", ""},
        {", claims: {a: b}", ""},
        {", acr: [a]", ", acr: [a, b]"},
        {", max_age: 10", ", max_age: 20"},
        {", max_bytes: 10", ""},
        {", arguments: [{path: a, max: 1}]", ", arguments: [{path: a, max: 2}]"},
        {", arguments: [{path: a, max: 1}]", ""},
        {", arguments: [{path: a, min: 2}]", ", arguments: [{path: a}]"},
        {", arguments: [{path: a, one_of: [x]}]", ", arguments: [{path: a, one_of: [x, y]}]"},
        {", arguments: [{path: a, max_length: 2}]", ", arguments: [{path: a, max_length: 3}]"},
        {", arguments: [{path: a, max: 2}]", ", arguments: [{path: a, max: 2, optional: true}]"},
        {", rates: [{per: rule, calls: 1, seconds: 9}]",
         ", rates: [{per: rule, calls: 2, seconds: 9}]"},
        {", rates: [{per: rule, calls: 1, seconds: 9}]", ""},
    };
    admin_play_t *p = *state;
    for (size_t i = 0; i < sizeof WIDER / sizeof WIDER[0]; i++) {
        differ_rule(p, WIDER[i][0], WIDER[i][1], "wider");
        differ_rule(p, WIDER[i][1], WIDER[i][0], "narrower");
    }
}

static void what_cannot_be_said_in_a_word(void **state)
{
    admin_play_t *p = *state;
    differ_rule(p, ", scopes: [a]", ", scopes: [b]", "changed");
    differ_rule(p, ", scopes: [a]", ", groups: [b]", "changed");
    differ_rule(p, ", claims: {a: b}", ", claims: {a: c}", "changed");
    differ_rule(p, ", rates: [{per: rule, calls: 1, seconds: 9}]",
                ", rates: [{per: tool, calls: 1, seconds: 9}]", "changed");
}

static void what_is_new_and_what_is_gone(void **state)
{
    admin_play_t *p = *state;
    differ(p, "rules: [{name: r, tools: [t, u]}]", "rules: [{name: r, tools: [t], prompts: [v]}]",
           "gone: tool u;new: prompt v;");
    differ(p, "rules: [{name: r, tools: [t]}]", "rules: [{name: r, tools: [t], deny: true}]",
           "gone: tool t;");
    differ(p, "rules: [{name: r, tools: [t]}, {name: d, deny: true, tools: [u]}]",
           "rules: [{name: r, tools: [t]}]", "the policies say the same;");
}

static void the_default(void **state)
{
    admin_play_t *p = *state;
    differ(p, "rules: [{name: r, tools: [t]}]",
           "default: {scopes: [a]}, rules: [{name: r, tools: [t]}]",
           "wider: the default was nobody, is scopes a;");
    differ(p, "default: {scopes: [a]}", "default: {scopes: [a, b]}",
           "narrower: the default was scopes a, is scopes a, b;");
}

static void policies_by_their_names(void **state)
{
    char line[256];
    admin_play_t *p = *state;
    test_file(p->folder, "old.yaml",
              "policies: [{name: a, rules: [{name: r}]}, {name: b, rules: [{name: r}]}]");
    test_file(p->folder, "new.yaml",
              "policies: [{name: b, rules: [{name: r}]}, {name: c, rules: [{name: r}]}]");
    snprintf(line, sizeof line, "policy diff %s/old.yaml %s/new.yaml", p->folder, p->folder);
    admin_play_run(p, line);
    assert_string_equal(p->ran.out, "gone: the policy a\nnew: the policy c\n");
    admin_play_refused(p, "policy diff x", EXIT_USAGE, "name two settings files");
    admin_play_refused(p, "policy diff /none /none", EXIT_SETTING, "cannot be read");
}

static void both_sides_are_shown(void **state)
{
    admin_play_t *p = *state;
    differ(p, "rules: [{name: r, tools: [t], groups: [a]}]",
           "rules: [{name: r, tools: [t], groups: [a, b]}]", "wider: tool t;");
    assert_string_equal(p->ran.out,
                        "wider: tool t\n was\n  r: one of the groups a\n is\n  r: one of "
                        "the groups a, b\n");
}

int main(int argc, char **argv)
{
    int code;
    if (test_is_command(argc, argv, &code))
        return code;
    const struct CMUnitTest tests[] = {
        PLAY_TEST(what_one_rule_asks_for),       PLAY_TEST(what_cannot_be_said_in_a_word),
        PLAY_TEST(what_is_new_and_what_is_gone), PLAY_TEST(the_default),
        PLAY_TEST(policies_by_their_names),      PLAY_TEST(both_sides_are_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
