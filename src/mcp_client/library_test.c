/* What programs see of it: warder/client.h, against servers of a test's making. */
#include "mcp_client/mcp_client_test_server.h"

#include "core/ports.h"
#include "warder/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WHY_BYTES = 512 };

typedef struct {
    test_mcp_t *s;
    warder_client_t *c;
    char why[WHY_BYTES], *result;
    atomic_uint heard, asked, tokens;
    atomic_bool flag;
    bool cancel; /* written atomically */
} fixture_t;

static bool modern(test_mcp_t *s, const test_asked_t *r, int fd)
{
    char id[64];
    if (test_asks(r, "server/discover"))
        return test_result(fd, r, "", "{\"supportedVersions\":[\"2026-07-28\"]}");
    if (test_asks(r, "tools/list"))
        return test_result(fd, r, "", "{\"tools\":[{\"name\":\"t\",\"inputSchema\":{}}]}");
    if (str_contains(r->body, STR("\"name\":\"fails\"")))
        return test_json(fd, 200, "",
                         "{\"jsonrpc\":\"2.0\",\"id\":%s,\"error\":{\"code\":-32602,\"message\":"
                         "\"red\\u001b[31m\",\"data\":{\"a\":1}}}",
                         test_id(r, id));
    if (str_contains(r->body, STR("\"name\":\"waits\""))) {
        test_stream(fd, "");
        test_say(fd, "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\","
                     "\"params\":{\"progress\":1}}\n\n");
        test_pause(s, TEST_PATIENCE_MS);
        return false;
    }
    return test_result(fd, r, "", "{\"content\":[]}");
}

static void begin_with(fixture_t *f, test_answer_fn answer, warder_client_config_t config)
{
    memset(f, 0, sizeof *f);
    f->s = test_mcp_start(answer, f);
    if (!config.url)
        config.url = f->s->url;
    if (!config.callbacks.ctx)
        config.callbacks.ctx = f;
    f->c = warder_client_new(&config, f->why, sizeof f->why);
    if (!f->c)
        fail_msg("%s", f->why);
}

static void begin(fixture_t *f, test_answer_fn answer)
{
    begin_with(f, answer, (warder_client_config_t){.way = WARDER_CLIENT_OPEN});
}

static void end(fixture_t *f)
{
    warder_client_free(f->c);
    test_mcp_stop(f->s);
}

static void assert_call(fixture_t *f, const char *tool, warder_client_end_t want,
                        const char *result, const char *why)
{
    warder_client_end_t is =
        warder_client_call(f->c, tool, NULL, NULL, &f->result, f->why, sizeof f->why);
    if (is != want || !strstr(f->why, why) || (f->result == NULL) != (result == NULL) ||
        (result && strcmp(f->result, result) != 0))
        fail_msg("%s: %d '%s' %s", tool, is, f->why, f->result ? f->result : "nothing");
    warder_client_free_text(f->result);
}

/* ---- configuration ---- */

#define URL .url = "https://mcp.example.test/mcp"

static bool show_code(void *ctx, const char *user_code, const char *url, const char *whole)
{
    (void)ctx;
    return user_code && url && whole;
}

static const struct {
    warder_client_config_t config;
    const char *why; /* NULL: it is taken */
} CONFIGS[] = {
    {{0}, "url is missing"},
    {{.url = "mcp.example.test"}, "The URL cannot be used"},
    {{.url = "file:///etc/passwd"}, "neither https nor http"},
    {{.url = "http://mcp.example.test/mcp"}, "http URL outside of this machine"},
    {{.url = "https://a:b@mcp.example.test/mcp"}, "The URL cannot be used"},
    {{URL, .way = 99}, "way is none"},
    {{URL, .era = 99}, "era is none"},
    {{URL, .way = WARDER_CLIENT_DEVICE}, "callbacks.code"},
    {{URL, .way = WARDER_CLIENT_MACHINE, .client_id = "c"}, "client_secret or"},
    {{URL, .way = WARDER_CLIENT_MACHINE, .client_secret = "s"}, "client_id"},
    {{URL, .way = WARDER_CLIENT_MACHINE, .client_id = "c", .private_key_pem = "no key"},
     "private_key_pem"},
    {{URL, .way = WARDER_CLIENT_WORKLOAD}, "assertion"},
    {{URL, .way = WARDER_CLIENT_ENTERPRISE, .id_token = "i"}, "provider_client_id"},
    {{URL, .way = WARDER_CLIENT_TOKEN}, "needs token"},
    {{URL, .extensions = "[]"}, "extensions"},
    {{URL, .ca_file = "/nowhere.pem"}, "ca_file"},
    {{URL}, NULL},
    {{.url = "http://mcp.example.test/mcp", .plain_http = true}, NULL},
    {{.url = "http://127.0.0.1:1/mcp"}, NULL},
    {{URL, .way = WARDER_CLIENT_DEVICE, .callbacks = {.code = show_code}}, NULL},
    {{URL, .way = WARDER_CLIENT_MACHINE, .client_id = "c", .client_secret = "s"}, NULL},
    {{URL, .way = WARDER_CLIENT_WORKLOAD, .assertion_file = "/run/token"}, NULL},
    {{URL, .extensions = "{\"a/b\":{}}"}, NULL},
};

static void a_config_that_does_not_fit_is_refused_with_a_sentence(void **state)
{
    for (size_t i = 0; i < sizeof CONFIGS / sizeof *CONFIGS; i++) {
        char why[WHY_BYTES] = "";
        warder_client_t *c = warder_client_new(&CONFIGS[i].config, why, sizeof why);
        bool right = CONFIGS[i].why ? !c && strstr(why, CONFIGS[i].why) : c != NULL;
        if (!right)
            fail_msg("row %zu: '%s'", i, why);
        warder_client_free(c);
    }
    char small[8];
    assert_null(warder_client_new(&CONFIGS[0].config, small, sizeof small));
    assert_string_equal(small, "url is ");
    assert_null(warder_client_new(&CONFIGS[0].config, NULL, 0));
}

/* ---- calls ---- */

static void a_call_gives_the_result_or_the_error_of_the_server(void **state)
{
    fixture_t f;
    begin(&f, modern);
    assert_null(warder_client_version(f.c));
    assert_call(&f, "t", WARDER_CLIENT_DONE, "{\"content\":[]}", "");
    assert_string_equal(warder_client_version(f.c), "2026-07-28");
    /* What a terminal would obey does not come through in the sentence, but does in the object. */
    assert_call(&f, "fails", WARDER_CLIENT_ERROR,
                "{\"code\":-32602,\"message\":\"red\\u001b[31m\",\"data\":{\"a\":1}}",
                "The server answered with error -32602: red");
    assert_int_equal(warder_client_call(f.c, "fails", NULL, NULL, NULL, f.why, sizeof f.why),
                     WARDER_CLIENT_ERROR);
    assert_null(strchr(f.why, 0x1b));
    assert_int_equal(warder_client_call(f.c, "t", NULL, NULL, NULL, NULL, 0), WARDER_CLIENT_DONE);
    end(&f);
}

static void tools_are_a_list(void **state)
{
    fixture_t f;
    begin(&f, modern);
    assert_int_equal(warder_client_tools(f.c, &f.result, f.why, sizeof f.why), WARDER_CLIENT_DONE);
    assert_string_equal(f.result, "[{\"name\":\"t\",\"inputSchema\":{}}]");
    warder_client_free_text(f.result);
    end(&f);
}

static void arguments_that_are_no_object_are_not_sent(void **state)
{
    static const char *const ROWS[] = {"[1]", "{", "", "{}}"};
    fixture_t f;
    begin(&f, modern);
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        assert_int_equal(
            warder_client_call(f.c, "t", ROWS[i], NULL, &f.result, f.why, sizeof f.why),
            WARDER_CLIENT_FAILED);
        assert_string_equal(f.why, "The parameters are no JSON object");
        assert_null(f.result);
    }
    assert_int_equal(test_mcp_count(f.s), 0);
    assert_call(&f, "t", WARDER_CLIENT_DONE, "{\"content\":[]}", "");
    end(&f);
}

static bool refuses(test_mcp_t *s, const test_asked_t *r, int fd)
{
    (void)s;
    (void)r;
    return test_status(fd, 401, "");
}

static void what_cannot_be_had_is_told_by_its_kind(void **state)
{
    fixture_t f;
    begin_with(
        &f, modern,
        (warder_client_config_t){.url = "http://127.0.0.1:1/mcp", .way = WARDER_CLIENT_OPEN});
    assert_call(&f, "t", WARDER_CLIENT_NETWORK, NULL, "The server cannot be reached");
    assert_int_equal(warder_client_connect(f.c, f.why, sizeof f.why), WARDER_CLIENT_NETWORK);
    end(&f);
    begin(&f, refuses);
    assert_call(&f, "t", WARDER_CLIENT_AUTH, NULL, "A person must sign in");
    end(&f);
}

/* ---- callbacks ---- */

static void hears(void *ctx, const char *method, const char *params)
{
    fixture_t *f = ctx;
    if (strcmp(method, "notifications/progress") == 0 && strcmp(params, "{\"progress\":1}") == 0)
        atomic_fetch_add(&f->heard, 1);
    __atomic_store_n(&f->cancel, true, __ATOMIC_SEQ_CST);
    atomic_store(&f->flag, true);
}

static void a_call_is_cancelled_by_its_flag(void **state)
{
    fixture_t f;
    begin_with(&f, modern,
               (warder_client_config_t){.way = WARDER_CLIENT_OPEN, .callbacks = {.hears = hears}});
    /* Progress sets the flag. */
    const warder_client_options_t options = {.progress = true, .cancel = &f.cancel};
    assert_int_equal(
        warder_client_call(f.c, "waits", NULL, &options, &f.result, f.why, sizeof f.why),
        WARDER_CLIENT_STOPPED);
    assert_int_equal(atomic_load(&f.heard), 1);
    assert_call(&f, "t", WARDER_CLIENT_DONE, "{\"content\":[]}", "");
    end(&f);
}

static void *stop(void *arg)
{
    fixture_t *f = arg;
    while (!atomic_load(&f->flag))
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    warder_client_stop(f->c);
    return NULL;
}

static void calls_end_when_the_client_is_stopped(void **state)
{
    fixture_t f;
    pthread_t t;
    begin_with(&f, modern,
               (warder_client_config_t){.way = WARDER_CLIENT_OPEN, .callbacks = {.hears = hears}});
    assert_int_equal(pthread_create(&t, NULL, stop, &f), 0);
    assert_call(&f, "waits", WARDER_CLIENT_STOPPED, NULL, "It was stopped");
    pthread_join(t, NULL);
    assert_call(&f, "t", WARDER_CLIENT_STOPPED, NULL, "It was stopped");
    end(&f);
}

static char *answer(void *ctx, const char *method, const char *params)
{
    fixture_t *f = ctx;
    atomic_fetch_add(&f->asked, 1);
    return strcmp(method, "roots/list") == 0 ? strdup("{\"roots\":[]}") : strdup(params);
}

static bool asks(test_mcp_t *s, const test_asked_t *r, int fd)
{
    if (test_asks(r, "server/discover") || str_contains(r->body, STR("inputResponses")))
        return modern(s, r, fd);
    return test_result(fd, r, "",
                       "{\"resultType\":\"input_required\",\"inputRequests\":{\"r\":{\"method\":"
                       "\"roots/list\"}}}");
}

static void the_program_answers_what_the_server_asks(void **state)
{
    fixture_t f;
    begin_with(&f, asks,
               (warder_client_config_t){.way = WARDER_CLIENT_OPEN,
                                        .callbacks = {.ask = answer, .has_roots = true}});
    assert_call(&f, "t", WARDER_CLIENT_DONE, "{\"content\":[]}", "");
    assert_int_equal(atomic_load(&f.asked), 1);
    assert_int_equal(test_mcp_holding(f.s, "\"inputResponses\":{\"r\":{\"roots\":[]}}"), 1);
    end(&f);
    begin(&f, asks);
    assert_call(&f, "t", WARDER_CLIENT_ERROR,
                "{\"code\":-1,\"message\":\"what the server asked was refused\"}", "refused");
    end(&f);
}

static void *call_once(void *arg)
{
    fixture_t *f = arg;
    warder_client_end_t is = warder_client_call(f->c, "t", NULL, NULL, NULL, NULL, 0);
    return is == WARDER_CLIENT_DONE ? f : NULL;
}

static void threads_that_call_at_once_share_a_connection(void **state)
{
    fixture_t f;
    pthread_t t[4];
    begin(&f, modern);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&t[i], NULL, call_once, &f), 0);
    for (size_t i = 0; i < 4; i++) {
        void *good;
        pthread_join(t[i], &good);
        assert_ptr_equal(good, &f);
    }
    assert_int_equal(test_mcp_holding(f.s, "server/discover\""), 1);
    end(&f);
}

/* ---- tokens ---- */

/* Resource and authorization server in one, as far as a machine needs it. */
static bool guarded(test_mcp_t *s, const test_asked_t *r, int fd)
{
    fixture_t *f = s->ctx;
    char base[64], fields[192];
    snprintf(base, sizeof base, "%.*s", (int)(strlen(s->url) - 4), s->url);
    if (str_starts(r->text, STR("GET /.well-known/oauth-protected-resource/mcp ")))
        return test_json(fd, 200, "", "{\"resource\":\"%s\",\"authorization_servers\":[\"%s\"]}",
                         s->url, base);
    if (str_starts(r->text, STR("GET /.well-known/oauth-authorization-server ")))
        return test_json(fd, 200, "",
                         "{\"issuer\":\"%s\",\"token_endpoint\":\"%s/token\","
                         "\"grant_types_supported\":[\"client_credentials\"],"
                         "\"response_types_supported\":[\"code\"],"
                         "\"token_endpoint_auth_methods_supported\":[\"client_secret_basic\"]}",
                         base, base);
    if (str_starts(r->text, STR("POST /token ")))
        return test_json(fd, 200, "",
                         "{\"access_token\":\"t%u\",\"token_type\":\"Bearer\",\"expires_in\":600}",
                         atomic_fetch_add(&f->tokens, 1) + 1);
    if (str_eq(test_field(r, "Authorization"), STR("Bearer t1")))
        return modern(s, r, fd);
    snprintf(fields, sizeof fields,
             "WWW-Authenticate: Bearer resource_metadata=\"%s/.well-known/"
             "oauth-protected-resource/mcp\"\r\n",
             base);
    return test_status(fd, 401, fields);
}

static void a_machine_gets_its_token_and_calls(void **state)
{
    fixture_t f;
    begin_with(&f, guarded,
               (warder_client_config_t){
                   .way = WARDER_CLIENT_MACHINE, .client_id = "c", .client_secret = "s"});
    assert_call(&f, "t", WARDER_CLIENT_DONE, "{\"content\":[]}", "");
    assert_call(&f, "t", WARDER_CLIENT_DONE, "{\"content\":[]}", "");
    assert_int_equal(atomic_load(&f.tokens), 1);
    assert_int_equal(test_mcp_holding(f.s, "grant_type=client_credentials"), 1);
    assert_int_equal(warder_client_sign_out(f.c, f.why, sizeof f.why), WARDER_CLIENT_DONE);
    end(&f);
}

static void a_given_token_goes_along_and_is_given_up_when_refused(void **state)
{
    fixture_t f;
    begin_with(&f, guarded, (warder_client_config_t){.way = WARDER_CLIENT_TOKEN, .token = "t1"});
    assert_call(&f, "t", WARDER_CLIENT_DONE, "{\"content\":[]}", "");
    end(&f);
    begin_with(&f, guarded, (warder_client_config_t){.way = WARDER_CLIENT_TOKEN, .token = "no"});
    assert_call(&f, "t", WARDER_CLIENT_AUTH, NULL, "");
    assert_true(f.why[0] != 0);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_config_that_does_not_fit_is_refused_with_a_sentence),
        cmocka_unit_test(a_call_gives_the_result_or_the_error_of_the_server),
        cmocka_unit_test(tools_are_a_list),
        cmocka_unit_test(arguments_that_are_no_object_are_not_sent),
        cmocka_unit_test(what_cannot_be_had_is_told_by_its_kind),
        cmocka_unit_test(a_call_is_cancelled_by_its_flag),
        cmocka_unit_test(calls_end_when_the_client_is_stopped),
        cmocka_unit_test(the_program_answers_what_the_server_asks),
        cmocka_unit_test(threads_that_call_at_once_share_a_connection),
        cmocka_unit_test(a_machine_gets_its_token_and_calls),
        cmocka_unit_test(a_given_token_goes_along_and_is_given_up_when_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
