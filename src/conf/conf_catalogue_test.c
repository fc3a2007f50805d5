#include "conf/conf_test_util.h"

#include "conf/conf_catalogue.h"

#include <stdio.h>
#include <stdlib.h>

static conf_catalogue_t shipped(arena_t *a)
{
    conf_catalogue_t c;
    assert_int_equal(conf_catalogue_default(a, &c), RC_OK);
    return c;
}

static const conf_known_client_t *find(const conf_catalogue_t *c, const char *id)
{
    for (size_t i = 0; i < c->n; i++)
        if (str_eq(c->v[i].id, str_c(id)))
            return &c->v[i];
    fail_msg("no client %s", id);
    return NULL;
}

static void what_is_shipped(void **state)
{
    conf_catalogue_t c = shipped(*state);
    str_list_t schemes;
    static const char *const IDS[] = {"claude",     "claude-code", "chatgpt",   "codex",
                                      "cursor",     "vscode",      "inspector", "mcp-remote",
                                      "gemini-cli", "opencode"};
    for (size_t i = 0; i < ROWS(IDS); i++)
        assert_true(find(&c, IDS[i])->redirect_uris.n > 0);
    assert_true(find(&c, "claude")->hosted);
    assert_false(find(&c, "cursor")->hosted);
    assert_true(find(&c, "opencode")->lenient_loopback);
    assert_true(find(&c, "codex")->lenient_loopback);
    assert_int_equal(conf_catalogue_schemes(*state, &c, &schemes), RC_OK);
    assert_int_equal(schemes.n, 1);
    assert_str(schemes.v[0], STR("cursor"));
}

static void whose_document(void **state)
{
    conf_catalogue_t c = shipped(*state);
    static const struct {
        const char *url, *id;
    } GOOD[] = {
        {"https://claude.ai/oauth/mcp-oauth-client-metadata", "claude"},
        {"https://chatgpt.com/oauth/abc/client.json", "chatgpt"},
        {"https://chatgpt.com/oauth/codex/client.json", "codex"}, /* the exact one wins */
        {"https://opencode.ai/oauth/opencode/client.json", "opencode"},
    };
    for (size_t i = 0; i < ROWS(GOOD); i++)
        assert_str(conf_catalogue_of_document(&c, str_c(GOOD[i].url))->id, str_c(GOOD[i].id));
    static const char *const BAD[] = {"https://chatgpt.com/oauth//client.json",
                                      "https://chatgpt.com/oauth/a/b/client.json",
                                      "https://chatgpt.com.evil.test/oauth/a/client.json",
                                      "https://chatgpt.com/oauth/a/client.json?x",
                                      "http://chatgpt.com/oauth/a/client.json",
                                      "https://chatgpt.com:444/oauth/a/client.json",
                                      "wrx_abc",
                                      ""};
    for (size_t i = 0; i < ROWS(BAD); i++)
        assert_null(conf_catalogue_of_document(&c, str_c(BAD[i])));
}

static void whose_redirect(void **state)
{
    conf_catalogue_t c = shipped(*state);
    static const struct {
        const char *uri, *id;
    } GOOD[] = {
        {"https://claude.ai/api/mcp/auth_callback", "claude"},
        {"https://chatgpt.com/connector/oauth/abc", "chatgpt"},
        {"cursor://anysphere.cursor-mcp/oauth/callback", "cursor"},
        {"http://localhost:51234/callback", "claude-code"},
        {"http://127.0.0.1:19876/mcp/oauth/callback", "opencode"},
        {"http://[::1]:1/mcp/oauth/callback", "opencode"},
    };
    for (size_t i = 0; i < ROWS(GOOD); i++)
        assert_str(conf_catalogue_of_redirect(&c, str_c(GOOD[i].uri))->id, str_c(GOOD[i].id));
    static const char *const BAD[] = {"https://claude.ai/api/mcp/auth_callback/x",
                                      "https://claude.ai.evil.test/api/mcp/auth_callback",
                                      "https://evil.test/api/mcp/auth_callback",
                                      "cursor://evil/oauth/callback", "http://10.0.0.1/callback"};
    for (size_t i = 0; i < ROWS(BAD); i++)
        assert_null(conf_catalogue_of_redirect(&c, str_c(BAD[i])));
}

static void a_file_extends_it(void **state)
{
    str_t why;
    conf_catalogue_t base = shipped(*state), c;
    static const str_t FILE_TEXT = STR_INIT("clients:\n"
                                            "  - id: mine\n    name: Mine\n"
                                            "    redirect_uris: [\"mine://cb/x\"]\n"
                                            "  - id: cursor\n    name: Our Cursor\n"
                                            "    redirect_uris: [\"http://localhost/cb\"]\n");
    assert_int_equal(conf_catalogue_extend(*state, &base, FILE_TEXT, &c, &why), RC_OK);
    assert_int_equal(c.n, base.n + 1);
    assert_str(find(&c, "cursor")->name, STR("Our Cursor"));
    str_list_t schemes;
    assert_int_equal(conf_catalogue_schemes(*state, &c, &schemes), RC_OK);
    assert_int_equal(schemes.n, 1);
    assert_str(schemes.v[0], STR("mine"));
    assert_int_equal(conf_catalogue_extend(*state, &base, STR(""), &c, &why), RC_OK);
    assert_int_equal(c.n, base.n);
    assert_str(find(&base, "cursor")->name, STR("Cursor")); /* untouched */
}

static void refusals(void **state)
{
#define ONE(members)                                                                               \
    "clients:\n  - id: a\n    name: A\n    redirect_uris: [\"https://a.test/\"]\n" members
    static const struct {
        str_t text;
        const char *mend;
    } BAD[] = {
        {STR_INIT("clients: x\n"), "one list"},
        {STR_INIT("client: []\n"), "one list"},
        {STR_INIT("clients: [a]\n"), "a map"},
        {STR_INIT("clients:\n  - name: A\n"), "its id"},
        {STR_INIT("clients:\n  - id: A!\n"), "its id"},
        {STR_INIT("clients:\n  - id: a\n"), "its name"},
        {STR_INIT("clients:\n  - id: a\n    name: A\n"), "redirect_uris"},
        {STR_INIT(ONE("    hosted: 1\n")), "true or false"},
        {STR_INIT(ONE("    colour: red\n")), "a client has"},
        {STR_INIT(ONE("    identifies_by: [magic]\n")), "identifies_by holds"},
        {STR_INIT(ONE("    documents: [\"http://a.test/\"]\n")), "https URLs"},
        {STR_INIT(ONE("    documents: [\"https://*.test/\"]\n")), "whole path segment"},
        {STR_INIT(ONE("    documents: [\"https://a.test/x*\"]\n")), "whole path segment"},
        {STR_INIT("clients:\n  - id: a\n    name: A\n    redirect_uris: [\"/cb\"]\n"),
         "redirect_uris are URLs"},
        {STR_INIT("clients:\n  - id: a\n    name: A\n    redirect_uris: [\"https:t/cb\"]\n"),
         "redirect_uris are URLs"},
        {STR_INIT(ONE("  - id: a\n    name: A\n    redirect_uris: [\"https://a.test/\"]\n")),
         "stands above"},
        {STR_INIT("clients: [\n"), "line"},
        {STR_INIT("a: &x 1\n"), "anchors"},
    };
    conf_catalogue_t base = shipped(*state), c;
    for (size_t i = 0; i < ROWS(BAD); i++) {
        str_t why;
        assert_int_equal(conf_catalogue_extend(*state, &base, BAD[i].text, &c, &why), RC_CONFIG);
        if (!str_contains(why, str_c(BAD[i].mend)) || !str_is_printable_ascii(why) ||
            !str_contains(why, STR("client catalogue")))
            fail_msg("%zu: %" PRIstr, i, STR_ARG(why));
    }
}

static str_t page(arena_t *a)
{
    str_t out;
    conf_catalogue_t c = shipped(a);
    assert_int_equal(conf_catalogue_document(a, &c, &out), RC_OK);
    return out;
}

static void the_page_is_up_to_date(void **state)
{
    str_t out = page(*state);
    const char *write_to = getenv("WARDER_WRITE_CLIENTS"), *root = getenv("WARDER_SOURCE");
    if (write_to) {
        FILE *f = fopen(write_to, "wb");
        assert_non_null(f);
        assert_int_equal(fwrite(out.p, 1, out.n, f), out.n);
        fclose(f);
    }
    if (!root)
        skip();
    char path[4096], *text = arena_alloc(*state, out.n + 2);
    snprintf(path, sizeof path, "%s/docs/CLIENTS.md", root);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t n = fread(text, 1, out.n + 1, f);
    fclose(f);
    if (!str_eq(str_of(text, n), out))
        fail_msg("docs/CLIENTS.md is old: WARDER_WRITE_CLIENTS=docs/CLIENTS.md "
                 "BUILD/src/conf_conf_catalogue_test writes it");
}

static void no_memory(void **state)
{
    (void)state;
    conf_catalogue_t c;
    rc_t rc = RC_MEMORY;
    for (size_t budget = 256; rc != RC_OK; budget += 4096) {
        arena_t *a = arena_new(budget);
        rc = conf_catalogue_default(a, &c);
        assert_true(rc == RC_OK || rc == RC_MEMORY);
        arena_free(a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(what_is_shipped), ARENA_TEST(whose_document),
        ARENA_TEST(whose_redirect),  ARENA_TEST(a_file_extends_it),
        ARENA_TEST(refusals),        ARENA_TEST(the_page_is_up_to_date),
        ARENA_TEST(no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
