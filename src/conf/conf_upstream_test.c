#include "conf/conf_address.h"
#include "conf/conf_test_util.h"
#include "conf/conf_upstream.h"

#define U "upstreams: [{path: /mcp, url: 'http://127.0.0.1:3000/mcp', "

static const conf_upstream_t *only(arena_t *a, const char *text)
{
    const conf_t *c = test_load_file(a, str_c(text));
    assert_int_equal(c->n_upstreams, 1);
    return &c->upstreams[0];
}

static const conf_t *by_flags(arena_t *a, const conf_value_t *flags, size_t n)
{
    const conf_sources_t s = {.flags = flags, .n_flags = n};
    return test_load(a, &s);
}

/* The example of the documentation, which may not promise what no file can say. */
static void upstreams_of_the_documentation(void **state)
{
    str_t text, mark = STR("```yaml\nupstreams:");
    assert_int_equal(conf_document(*state, &text), RC_OK);
    while (text.n > 0 && !str_starts(text, mark))
        text = str_skip(text, 1);
    text = str_skip(text, 8);
    const conf_t *c = test_load_file(*state, str_first(text, str_find(text, '`', 0)));
    const conf_upstream_t def = conf_upstream_default(), *u = c->upstreams;
    assert_int_equal(c->n_upstreams, 3);
    assert_int_equal(u->lists, def.lists);
    assert_int_equal(u->pins, def.pins);
    assert_int_equal(u->identity, def.identity);
    assert_int_equal(u->timeout_s, def.timeout_s);
    assert_int_equal(u->stream_check_s, def.stream_check_s);
    assert_int_equal(u->repeat_scopes, def.repeat_scopes);
    assert_int_equal(u->max_body_bytes, def.max_body_bytes);
    assert_int_equal(u->max_answer_bytes, def.max_answer_bytes);
    assert_int_equal(u->max_connections, def.max_connections);
    assert_int_equal(u->streams_per_subject, def.streams_per_subject);
    assert_int_equal(u->child.message_bytes, def.child.message_bytes);
    assert_str(u->scopes[0].name, def.scopes[0].name);
    u = &c->upstreams[1];
    assert_false(str_is_set(u->url));
    assert_int_equal(u->child.command.n, 3);
    assert_int_equal(u->child.memory_mb, def.child.memory_mb);
    assert_int_equal(u->child.max_children, def.child.max_children);
    assert_int_equal(u->child.starts_per_minute, def.child.starts_per_minute);
    u = &c->upstreams[2];
    assert_int_equal(u->credential.kind, CONF_CREDENTIAL_TOKEN_EXCHANGE);
    assert_int_equal(u->identity, CONF_IDENTITY_JWT);
    assert_int_equal(u->n_providers, 1);
    assert_str(u->providers[0].audiences.v[0], STR("api://crm"));
    assert_str(u->credential.prefix, STR("Bearer "));
}

static void no_upstreams(void **state)
{
    assert_int_equal(test_load_file(*state, STR("upstreams:"))->n_upstreams, 0);
    assert_int_equal(test_load_file(*state, STR("upstreams: []"))->n_upstreams, 0);
    assert_int_equal(test_load_file(*state, STR("store: memory"))->n_upstreams, 0);
}

static void one_by_a_flag(void **state)
{
    const conf_value_t url[] = {{STR("upstream"), STR("http://LOCALHOST:3000/api/mcp")}};
    const conf_upstream_t *u = by_flags(*state, url, 1)->upstreams;
    assert_str(u->url, STR("http://localhost:3000/api/mcp"));
    assert_str(u->path, STR("/api/mcp"));
    assert_str(u->policy->name, STR("ready"));
    assert_str(u->policy->default_scopes.v[0], STR("mcp:use"));
    const conf_value_t bare[] = {{STR("upstream"), STR("http://127.0.0.1:3000")}};
    assert_str(by_flags(*state, bare, 1)->upstreams->path, STR("/mcp"));
    const conf_value_t elsewhere[] = {{STR("upstream"), STR("http://127.0.0.1:3000/x")},
                                      {STR("upstream_path"), STR("/finance")}};
    assert_str(by_flags(*state, elsewhere, 2)->upstreams->path, STR("/finance"));
    const conf_value_t command[] = {{STR("upstream_command"), STR("npx -y 'some server'")}};
    u = by_flags(*state, command, 1)->upstreams;
    assert_int_equal(u->child.command.n, 3);
    assert_str(u->child.command.v[2], STR("some server"));
    assert_str(u->path, STR("/mcp"));
}

static void flags_that_do_not_fit(void **state)
{
    static const struct {
        conf_value_t flags[2];
        const char *file, *why;
    } CASES[] = {
        {{{STR_INIT("upstream"), STR_INIT("http://127.0.0.1:1")},
          {STR_INIT("upstream_command"), STR_INIT("npx x")}},
         "",
         "leave one of them out"},
        {{{STR_INIT("upstream"), STR_INIT("http://127.0.0.1:1")},
          {STR_INIT("workers"), STR_INIT("1")}},
         "upstreams: [{path: /a, url: 'http://127.0.0.1:2'}]",
         "the settings file has upstreams"},
        {{{STR_INIT("upstream_path"), STR_INIT("/mcp")}, {STR_INIT("workers"), STR_INIT("1")}},
         "",
         "belongs to upstream"},
        {{{STR_INIT("upstream_command"), STR_INIT("npx x | y")},
          {STR_INIT("workers"), STR_INIT("1")}},
         "",
         "upstream_command (from the command line)"},
        {{{STR_INIT("upstream"), STR_INIT("http://127.0.0.1:1")},
          {STR_INIT("upstream_policy"), STR_INIT("none")}},
         "",
         "name a policy that stands in policies"},
        {{{STR_INIT("upstream"), STR_INIT("ftp://127.0.0.1:1")},
          {STR_INIT("workers"), STR_INIT("1")}},
         "",
         "upstream (from the command line) is 'ftp://127.0.0.1:1'; url is that"},
        {{{STR_INIT("upstream"), STR_INIT("http://127.0.0.1:1")},
          {STR_INIT("upstream_path"), STR_INIT("mcp")}},
         "",
         "upstream_path (from the command line) is 'mcp'; path is where clients"},
    };
    for (size_t i = 0; i < ROWS(CASES); i++) {
        conf_sources_t s = test_file(str_c(CASES[i].file));
        s.flags = CASES[i].flags;
        s.n_flags = 2;
        str_t why = test_refusal(*state, &s);
        if (!str_contains(why, str_c(CASES[i].why)))
            fail_msg("%" PRIstr, STR_ARG(why));
    }
}

static void what_is_refused(void **state)
{
    static const struct {
        const char *file, *why;
    } CASES[] = {
        {"upstreams: {path: /mcp}", "a list of maps"},
        {"upstreams: [x]", "each upstream is a map"},
        {"upstreams: [{path: /mcp}]", "needs either url or command"},
        {U "command: [x]}]", "needs either url or command"},
        {U "colour: red}]", "an upstream has no member 'colour'; docs/SETTINGS.md lists them"},
        {U "identty: jwt}]", "an upstream has no member 'identty'; did you mean 'identity'?"},
        {U "polcy: x}]", "did you mean 'policy'?"},
        {U "child: {shared: true}}]", "child is for a command"},
        {U "policy: none}]", "stands in policies"},
        {U "lists: some}]", "lists is one of: filter mark pass"},
        {U "timeout_s: 0}]", "timeout_s is a whole number from 1 to 86400"},
        {U "stream_check_s: 0}]", "stream_check_s is a whole number from 1 to 86400"},
        {U "audit_arguments: yes}]", "audit_arguments is true or false"},
        {U "name: ''}]", "here belongs one line of text"},
        {U "strip: ['a b']}]", "strip lists names of header fields"},
        {U "identity_header: 'X:Y'}]", "identity_header is the name"},
        {U "identity_header: Content_Length}]", "identity_header is a field that HTTP"},
        {U "identity_header: Mcp-Name}]", "identity_header is a field that HTTP"},
        {U "identity: jwt, identity_header: authorization, credential: {kind: static, secret_file: "
           "x}}]",
         "are one field"},
        {U "credential: {kind: static, secret_file: x, header: Host}}]", "header is a field that"},
        {U "credential: {kind: static, secret_file: x, header: TRANSFER-ENCODING}}]",
         "header is a field that"},
        {U "origins: ['https://a/b']}]", "origins are written"},
        {U "redact: [a]}]", "redact takes values out"},
        {U "scopes: [a]}]", "scopes are written as"},
        {U "scopes: {'a b': c}}]", "the name of a scope"},
        {U "certificate_authorities: x}]", "for an https url"},
        {U "credential: x}]", "here belongs a map"},
        {U "credential: {kind: x}}]", "kind is one of"},
        {U "credential: {kind: static}}]", "needs secret_file"},
        {U "credential: {kind: static, secret_file: x, client_id: y}}]", "are for the kinds"},
        {U "credential: {kind: token_exchange, secret_file: x}}]", "need client_id"},
        {U "credential: {kind: client_credentials, secret_file: x, client_id: y, token_endpoint: "
           "'http://a.example/t'}}]",
         "token_endpoint as an https URL"},
        {U "credential: {colour: red}}]", "no member of that name"},
        {U "child: {environment: [A]}}]", "a list of NAME=VALUE"},
        {U "authorization_servers: [{}]}]", "needs its issuer"},
        {U "authorization_servers: [{issuer: 'http://a.example'}]}]", "needs its issuer"},
        {U "authorization_servers: [{issuer: 'https://a', client_id: x}]}]", "come together"},
        {U "authorization_servers: [{issuer: 'https://a', introspection_uri: 'https://a/i'}]}]",
         "introspection needs client_id"},
        {U "authorization_servers: [{issuer: 'https://a'}, {issuer: 'https://a'}]}]",
         "the same issuer stands twice"},
        {U "authorization_servers: [{issuer: 'https://a', client_id: x, client_secret_file: y}, "
           "{issuer: 'https://b', client_id: x, client_secret_file: y}]}]",
         "one authorization server at most"},
        {"upstreams: [{path: mcp, url: 'http://127.0.0.1:3000'}]", "path is where clients"},
        {"upstreams: [{path: /, url: 'http://127.0.0.1:3000'}]", "path is where clients"},
        {"upstreams: [{path: /a/, url: 'http://127.0.0.1:3000'}]", "path is where clients"},
        {"upstreams: [{path: /a/../b, url: 'http://127.0.0.1:3000'}]", "path is where clients"},
        {"upstreams: [{path: '/a%2fb', url: 'http://127.0.0.1:3000'}]", "path is where clients"},
        {"upstreams: [{path: /.well-known/x, url: 'http://127.0.0.1:3000'}]",
         "choose another path"},
        {U "name: a}, {path: /mcp, url: 'http://127.0.0.1:3001'}]",
         "an upstream with this path stands above already"},
        {"upstreams: [{path: /a, url: 'http://u:p@127.0.0.1:3000'}]", "leave user and fragment"},
        {"upstreams: [{path: /a, url: 'http://127.0.0.1:8080/mcp'}]", "own address"},
        {"upstreams: [{path: /a, url: 'http://localhost:8080/mcp'}]", "own address"},
        {"listen: 0.0.0.0:80\nupstreams: [{path: /a, url: 'http://[::1]/mcp'}]", "own address"},
        {"public_url: https://mcp.example.com\nupstreams: [{path: /a, url: "
         "'https://MCP.example.com/x'}]",
         "own address"},
        {"upstreams: [{path: /a, url: 'http://mcp.example.com/x'}]", "plain http"},
        {"upstreams: [{path: /a, url: 'http://93.184.216.34/x'}]", "plain http"},
        {"upstreams: [{path: /a, url: 'https://mcp.example.com/x', identity: headers}]",
         "take identity: jwt"},
        {"upstreams: [{path: /a, command: [x], identity: jwt}]", "no header fields"},
        {"upstreams: [{path: /a, command: [x], credential: {kind: static, secret_file: x}}]",
         "a command gets no credential"},
    };
    for (size_t i = 0; i < ROWS(CASES); i++) {
        str_t why = test_file_refusal(*state, str_c(CASES[i].file));
        if (!str_contains(why, str_c(CASES[i].why)))
            fail_msg("%s: %" PRIstr, CASES[i].file, STR_ARG(why));
    }
    only(*state, U "name: control}]");
    only(*state, U "identity: jwt, identity_header: Authorization}]");
    only(*state, U "credential: {kind: static, secret_file: x, header: Hosts}}]");
}

static void plain_http_where_nobody_listens_in(void **state)
{
    only(*state, "upstreams: [{path: /a, url: 'http://backend:3000/x', identity: headers}]");
    only(*state, "upstreams: [{path: /a, url: 'http://10.1.2.3/x'}]");
    only(*state, "upstreams: [{path: /a, url: 'http://[fd00::1]:8080/x'}]");
    only(*state, "upstream_plain_hosts: [mcp.example.com]\n"
                 "upstreams: [{path: /a, url: 'http://mcp.example.com/x'}]");
}

static void private_hosts(void **state)
{
    static const char *const PRIVATE[] = {
        "127.0.0.1",   "127.255.0.9",      "10.0.0.1",    "172.16.0.1", "172.31.255.1",
        "192.168.1.1", "169.254.1.1",      "100.64.0.1",  "[::1]",      "[fd12::1]",
        "[fe80::1]",   "localhost",        "a.localhost", "backend",    "db.svc.cluster.LOCAL",
        "x.internal",  "printer.home.arpa"};
    static const char *const PUBLIC[] = {
        "8.8.8.8",     "172.32.0.1",   "172.15.0.1",         "192.169.0.1",
        "100.128.0.1", "11.0.0.1",     "[2001:db8::1]",      "[::]",
        "0.0.0.0",     "example.com",  "local.example",      "2130706433",
        "0x7f000001",  "notlocal.com", "[::ffff:127.0.0.1]", ""};
    (void)state;
    for (size_t i = 0; i < ROWS(PRIVATE); i++)
        if (!conf_host_is_private(str_c(PRIVATE[i])))
            fail_msg("%s is private", PRIVATE[i]);
    for (size_t i = 0; i < ROWS(PUBLIC); i++)
        if (conf_host_is_private(str_c(PUBLIC[i])))
            fail_msg("%s is not private", PUBLIC[i]);
}

static void credentials_have_their_field(void **state)
{
    const conf_upstream_t *u = only(*state, U "credential: {kind: static, secret_file: k}}]");
    assert_str(u->credential.header, STR("Authorization"));
    assert_str(u->credential.prefix, STR("Bearer "));
    u = only(*state, U "credential: {kind: static, secret_file: k, header: X-Api-Key}}]");
    assert_str(u->credential.prefix, STR(""));
    u = only(*state, U "credential: {kind: static, secret_file: k, prefix: ''}}]");
    assert_str(u->credential.prefix, STR(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(upstreams_of_the_documentation),
        ARENA_TEST(no_upstreams),
        ARENA_TEST(one_by_a_flag),
        ARENA_TEST(flags_that_do_not_fit),
        ARENA_TEST(what_is_refused),
        ARENA_TEST(plain_http_where_nobody_listens_in),
        ARENA_TEST(private_hosts),
        ARENA_TEST(credentials_have_their_field),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
