/* Ways without a person, and what every way has in common. */
#include "tokens/record.h"
#include "tokens/tokens_test_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void a_given_token_is_sent_and_never_changed(void **state)
{
    play_t *p = *state;
    tokens_headers_t h;
    p->config.way = TOKENS_GIVEN;
    p->config.given = STR("at-given");
    play_begin(p);
    assert_int_equal(tokens_source_headers(p->s, p->a, STR("POST"), STR_UNSET, &h), RC_OK);
    assert_str(h.authorization, STR("Bearer at-given"));
    assert_int_equal(tokens_source_headers_now(p->s, p->a, STR("POST"), STR_UNSET, &h), RC_OK);
    assert_str(h.authorization, STR("Bearer at-given"));
    play_fails(p, NULL, CLIENT_GIVEN_NOT_TAKEN);
    assert_int_equal(p->w->calls, 1);
    assert_int_equal(world_asked(p->w, "GET"), 0);
}

static void url_plain(void **state)
{
    play_t *p = *state;
    tokens_headers_t h;
    const tokens_refusal_t refusal = {.status = 401};
    p->config.way = TOKENS_GIVEN;
    p->config.given = STR("at-given");
    p->config.url = STR("http://mcp.test/mcp");
    play_begin(p);
    assert_int_equal(tokens_source_headers(p->s, p->a, STR("POST"), STR_UNSET, &h), RC_OK);
    assert_false(str_is_set(h.authorization));
    assert_int_equal(tokens_source_refused(p->s, p->a, &refusal, &p->why), TOKENS_GIVE_UP);
    assert_int_equal(p->why.reason, CLIENT_URL_PLAIN);
    p->config.plain_ok = true;
    play_begin(p);
    assert_int_equal(tokens_source_headers(p->s, p->a, STR("POST"), STR_UNSET, &h), RC_OK);
    assert_str(h.authorization, STR("Bearer at-given"));
    p->config.plain_ok = false;
    p->config.url = STR("http://127.0.0.1:8080/mcp");
    play_begin(p);
    assert_int_equal(tokens_source_headers(p->s, p->a, STR("POST"), STR_UNSET, &h), RC_OK);
    assert_str(h.authorization, STR("Bearer at-given"));
}

static void without_a_way_nothing_is_sent(void **state)
{
    play_t *p = *state;
    tokens_headers_t h;
    p->config.way = TOKENS_NONE;
    play_begin(p);
    assert_int_equal(tokens_source_headers(p->s, p->a, STR("POST"), STR_UNSET, &h), RC_OK);
    assert_false(str_is_set(h.authorization));
    assert_int_equal(tokens_source_headers_now(p->s, p->a, STR("POST"), STR_UNSET, &h), RC_OK);
    assert_false(str_is_set(h.authorization));
    play_fails(p, NULL, CLIENT_TOKEN_WANTED);
}

static void machine(play_t *p)
{
    p->config.way = TOKENS_MACHINE;
    p->config.who = (client_credentials_t){.client_id = STR("machine"),
                                           .secret = secret_of(STR("hush")),
                                           .method = STR("client_secret_basic")};
    p->w->known_id = "machine";
    p->w->known_secret = "hush";
    p->w->auth_methods = "[\"client_secret_basic\"]";
    p->w->no_refresh_tokens = true;
}

static void a_machine_gets_a_token_with_its_secret(void **state)
{
    play_t *p = *state;
    machine(p);
    p->w->challenge_scope = "a";
    play_begin(p);
    play_goes(p, NULL);
    assert_string_equal(p->w->scope_asked, "a");
    assert_int_equal(p->w->granted, 1);
    play_goes(p, NULL);
    assert_int_equal(p->w->granted, 1);
}

static void a_machine_asks_once_for_more_scope(void **state)
{
    play_t *p = *state;
    machine(p);
    p->w->challenge_scope = "a";
    play_begin(p);
    play_goes(p, NULL);
    play_goes(p, "b");
    assert_string_equal(p->w->scope_asked, "a b");
    assert_int_equal(p->w->granted, 2);
}

static void a_machine_takes_a_new_token_before_the_old_one_ends(void **state)
{
    play_t *p = *state;
    machine(p);
    play_begin(p);
    play_goes(p, NULL);
    unsigned asked = world_asked(p->w, "GET"), calls = p->w->calls;
    p->w->now += p->w->lifetime - 10;
    play_goes(p, NULL);
    assert_int_equal(p->w->granted, 2);
    assert_int_equal(p->w->calls, calls + 1); /* nothing was refused */
    assert_true(world_asked(p->w, "GET") >= asked);
}

static void a_token_is_at_hand_while_it_is_good_and_needs_no_proof(void **state)
{
    play_t *p = *state;
    tokens_headers_t now, h;
    machine(p);
    play_begin(p);
    assert_int_equal(tokens_source_headers_now(p->s, p->a, STR("POST"), STR_UNSET, &now), RC_BUSY);
    play_goes(p, NULL);
    unsigned asks = p->w->asks;
    assert_int_equal(tokens_source_headers_now(p->s, p->a, STR("POST"), STR_UNSET, &now), RC_OK);
    assert_int_equal(tokens_source_headers(p->s, p->a, STR("POST"), STR_UNSET, &h), RC_OK);
    assert_str(now.authorization, h.authorization);
    assert_int_equal(now.generation, h.generation);
    p->w->now += p->w->lifetime - 10;
    assert_int_equal(tokens_source_headers_now(p->s, p->a, STR("POST"), STR_UNSET, &now), RC_BUSY);
    assert_int_equal(p->w->asks, asks);
}

static void a_keep_that_holds_nothing_is_not_looked_into_for_each_request(void **state)
{
    play_t *p = *state;
    tokens_headers_t h;
    play_begin(p);
    assert_int_equal(tokens_source_headers_now(p->s, p->a, STR("POST"), STR_UNSET, &h), RC_BUSY);
    assert_int_equal(tokens_source_headers(p->s, p->a, STR("POST"), STR_UNSET, &h), RC_OK);
    assert_int_equal(tokens_source_headers_now(p->s, p->a, STR("POST"), STR_UNSET, &h), RC_OK);
    assert_false(str_is_set(h.authorization));
    p->w->mono += 1000;
    assert_int_equal(tokens_source_headers_now(p->s, p->a, STR("POST"), STR_UNSET, &h), RC_BUSY);
}

static void a_proof_is_not_signed_while_somebody_waits_to_send(void **state)
{
    play_t *p = *state;
    tokens_headers_t h;
    machine(p);
    p->w->bound = true;
    play_begin(p);
    play_goes(p, NULL);
    assert_int_equal(tokens_source_headers_now(p->s, p->a, STR("POST"), STR_UNSET, &h), RC_BUSY);
    assert_int_equal(tokens_source_headers(p->s, p->a, STR("POST"), STR_UNSET, &h), RC_OK);
    assert_true(str_is_set(h.dpop));
}

static void a_kept_token_serves_the_next_run(void **state)
{
    play_t *p = *state;
    machine(p);
    play_begin(p);
    play_goes(p, NULL);
    unsigned asks = p->w->asks;
    play_begin(p);
    play_goes(p, NULL);
    assert_int_equal(p->w->granted, 1);
    assert_int_equal(p->w->asks, asks + 1); /* the call alone */
}

static void documents_that_are_too_long_to_keep_are_kept_without_their_long_members(void **state)
{
    enum { WORDS = 20000 };
    play_t *p = *state;
    char *scopes = arena_alloc(p->a, WORDS * 4 + 1);
    for (size_t i = 0; i < WORDS; i++)
        memcpy(scopes + i * 4, "abc ", 4);
    machine(p);
    p->w->description = scopes;
    play_begin(p);
    play_goes(p, NULL);
    unsigned asks = p->w->asks;
    play_begin(p);
    play_goes(p, NULL);
    assert_int_equal(p->w->asks, asks + 1);
}

/* As if a sign-in at `url` had led where that at WORLD_MCP led. */
static void keep_same_place(play_t *p, str_t url)
{
    const tokens_keep_t *k = &p->config.keep;
    tokens_server_t server;
    str_t name, why;
    secret_t text;
    assert_int_equal(tokens_server_name(p->a, STR(WORLD_MCP), &name), RC_OK);
    assert_int_equal(k->read(k->ctx, p->a, name, &text, &why), RC_OK);
    assert_int_equal(tokens_server_read(p->a, text.hidden, &server), RC_OK);
    server.url = url;
    assert_int_equal(tokens_server_name(p->a, url, &name), RC_OK);
    assert_int_equal(tokens_server_write(p->a, &server, &text), RC_OK);
    assert_int_equal(k->write(k->ctx, p->a, name, text, &why), RC_OK);
}

static bool has_token(play_t *p, str_t url)
{
    tokens_headers_t h;
    p->config.url = url;
    play_begin(p);
    assert_int_equal(tokens_source_headers(p->s, p->a, STR("POST"), STR_UNSET, &h), RC_OK);
    return str_is_set(h.authorization);
}

/* Servers of several people may share an origin, and each may say that it is all of it. */
static void a_token_goes_to_no_other_url_of_the_same_resource(void **state)
{
    play_t *p = *state;
    machine(p);
    p->w->resource = WORLD_ORIGIN;
    play_begin(p);
    play_goes(p, NULL);
    keep_same_place(p, STR(WORLD_ORIGIN "/other"));
    assert_false(has_token(p, STR(WORLD_ORIGIN "/other")));
    assert_true(has_token(p, STR(WORLD_MCP)));
}

static void registration_none(void **state)
{
    play_t *p = *state;
    machine(p);
    p->config.who = (client_credentials_t){.client_id = STR_UNSET};
    play_begin(p);
    play_fails(p, NULL, CLIENT_REGISTRATION_NONE);
}

static void method_unknown(void **state)
{
    play_t *p = *state;
    machine(p);
    p->config.who.method = STR_UNSET;
    p->w->auth_methods = "[\"private_key_jwt\"]";
    play_begin(p);
    play_fails(p, NULL, CLIENT_METHOD_UNKNOWN);
}

static void grant_missing(void **state)
{
    play_t *p = *state;
    machine(p);
    p->w->grant_types = "[\"authorization_code\"]";
    play_begin(p);
    play_fails(p, NULL, CLIENT_GRANT_MISSING);
}

static void token_refused_of_a_wrong_secret_is_asked_once(void **state)
{
    play_t *p = *state;
    machine(p);
    p->w->known_secret = "other";
    play_begin(p);
    play_fails(p, NULL, CLIENT_TOKEN_REFUSED);
    play_fails(p, NULL, CLIENT_TOKEN_REFUSED); /* too early: nobody is asked */
    assert_int_equal(world_asked(p->w, "POST " WORLD_ISSUER "/token"), 1);
}

static void workload(play_t *p)
{
    p->config.way = TOKENS_WORKLOAD;
    p->config.assertion = STR("platform");
    p->w->assertion = "platform";
    p->w->grant_types = "[\"urn:ietf:params:oauth:grant-type:jwt-bearer\"]";
    p->w->no_refresh_tokens = true;
}

static void credentials_of_another(void **state)
{
    play_t *p = *state;
    machine(p);
    p->config.who_issuer = STR(WORLD_ISSUER);
    p->w->issuer = WORLD_OTHER;
    play_begin(p);
    play_fails(p, NULL, CLIENT_CREDENTIALS_OF_ANOTHER);
    assert_int_equal(world_asked(p->w, "POST " WORLD_OTHER "/token"), 0);
}

static void credentials_of_another_when_the_server_moves_later(void **state)
{
    play_t *p = *state;
    machine(p);
    play_begin(p);
    play_goes(p, NULL);
    p->w->issuer = WORLD_OTHER;
    play_fails(p, NULL, CLIENT_CREDENTIALS_OF_ANOTHER);
    assert_int_equal(world_asked(p->w, "POST " WORLD_OTHER "/token"), 0);
    p->w->issuer = WORLD_ISSUER;
    assert_int_equal(tokens_source_sign_in(p->s, p->a, true, &p->why), TOKENS_AGAIN);
    play_goes(p, NULL);
}

/* An assertion is good for whoever holds it: it goes to no server that was not met with it first.
 */
static void credentials_of_another_for_an_assertion(void **state)
{
    play_t *p = *state;
    workload(p);
    play_begin(p);
    play_goes(p, NULL);
    p->w->issuer = WORLD_OTHER;
    play_fails(p, NULL, CLIENT_CREDENTIALS_OF_ANOTHER);
    play_begin(p);
    assert_int_equal(tokens_source_sign_in(p->s, p->a, true, &p->why), TOKENS_GIVE_UP);
    assert_int_equal(p->why.reason, CLIENT_CREDENTIALS_OF_ANOTHER);
    p->config.who_issuer = STR(WORLD_ISSUER);
    play_begin(p);
    assert_int_equal(tokens_source_sign_in(p->s, p->a, true, &p->why), TOKENS_GIVE_UP);
    assert_int_equal(world_asked(p->w, "POST " WORLD_OTHER "/token"), 0);
    p->w->issuer = WORLD_ISSUER;
    play_begin(p);
    assert_int_equal(tokens_source_sign_in(p->s, p->a, true, &p->why), TOKENS_AGAIN);
}

static void credentials_of_another_as_another_client(void **state)
{
    play_t *p = *state;
    workload(p);
    p->config.document = STR("https://client.test/metadata.json");
    p->w->documents = true;
    play_begin(p);
    play_goes(p, NULL);
    p->w->issuer = WORLD_OTHER;
    p->w->documents = false;
    play_fails(p, NULL, CLIENT_CREDENTIALS_OF_ANOTHER);
    assert_int_equal(world_asked(p->w, "POST " WORLD_OTHER "/token"), 0);
    p->config.issuer = STR(WORLD_OTHER); /* the person herself says so */
    play_begin(p);
    play_goes(p, NULL);
}

/* The server that the person chose, and none in its place that the endpoint names. */
static void credentials_of_another_where_the_server_was_chosen(void **state)
{
    play_t *p = *state;
    workload(p);
    p->config.issuer = STR(WORLD_ISSUER);
    p->w->issuer = WORLD_OTHER;
    play_begin(p);
    play_fails(p, NULL, CLIENT_CREDENTIALS_OF_ANOTHER);
    assert_int_equal(world_asked(p->w, "POST " WORLD_OTHER "/token"), 0);
    p->w->issuer = WORLD_ISSUER;
    play_begin(p);
    play_goes(p, NULL);
}

static void a_kept_token_of_another_server_than_the_chosen_one_is_not_sent(void **state)
{
    play_t *p = *state;
    tokens_headers_t h;
    machine(p);
    play_begin(p);
    play_goes(p, NULL);
    p->config.issuer = STR(WORLD_OTHER);
    play_begin(p);
    assert_int_equal(tokens_source_headers(p->s, p->a, STR("POST"), STR_UNSET, &h), RC_OK);
    assert_false(str_is_set(h.authorization));
    p->config.issuer = STR(WORLD_ISSUER);
    play_begin(p);
    assert_int_equal(tokens_source_headers(p->s, p->a, STR("POST"), STR_UNSET, &h), RC_OK);
    assert_true(str_is_set(h.authorization));
}

static void token_not_taken(void **state)
{
    play_t *p = *state;
    machine(p);
    p->w->refuse_all = true;
    play_begin(p);
    play_fails(p, NULL, CLIENT_TOKEN_NOT_TAKEN);
    assert_int_equal(p->w->granted, 1);
    play_fails(p, NULL, CLIENT_TOKEN_NOT_TAKEN);
    assert_int_equal(p->w->granted, 1);
    p->w->refuse_all = false;
    play_goes(p, NULL);
}

static void a_workload_shows_its_assertion(void **state)
{
    play_t *p = *state;
    workload(p);
    play_begin(p);
    play_goes(p, NULL);
    assert_int_equal(p->w->registrations, 0);
}

static void a_workload_that_is_refused_tries_nothing_else(void **state)
{
    play_t *p = *state;
    workload(p);
    p->config.assertion = STR("stale");
    play_begin(p);
    play_fails(p, NULL, CLIENT_TOKEN_REFUSED);
    play_fails(p, NULL, CLIENT_TOKEN_REFUSED);
    assert_int_equal(world_asked(p->w, "POST " WORLD_ISSUER "/token"), 1);
}

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void a_workload_reads_its_file_anew(void **state)
{
    play_t *p = *state;
    char path[] = "/tmp/warder-assertion-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    workload(p);
    p->config.assertion = STR_UNSET;
    p->config.assertion_file = str_c(path);
    write_file(path, "platform\n");
    play_begin(p);
    play_goes(p, NULL);
    write_file(path, "next");
    p->w->assertion = "next";
    p->w->now += p->w->lifetime;
    play_goes(p, NULL);
    unlink(path);
    assert_int_equal(p->w->granted, 2);
}

static void assertion_missing(void **state)
{
    play_t *p = *state;
    workload(p);
    p->config.assertion_file = STR("/nonexistent/assertion");
    play_begin(p);
    play_fails(p, NULL, CLIENT_ASSERTION_MISSING);
}

static void enterprise(play_t *p)
{
    p->config.way = TOKENS_ENTERPRISE;
    p->config.who = (client_credentials_t){.client_id = STR("agent"),
                                           .secret = secret_of(STR("hush")),
                                           .method = STR("client_secret_basic")};
    p->config.provider = (tokens_provider_t){.issuer = STR(WORLD_PROVIDER),
                                             .client_id = STR("agent-at-idp"),
                                             .id_token = STR("id-token")};
    p->w->known_id = "agent";
    p->w->known_secret = "hush";
    p->w->assertion = "jag";
    p->w->no_refresh_tokens = true;
}

static void an_enterprise_exchanges_its_id_token(void **state)
{
    play_t *p = *state;
    enterprise(p);
    play_begin(p);
    play_goes(p, NULL);
    assert_int_equal(world_asked(p->w, "POST " WORLD_PROVIDER "/token"), 1);
    assert_int_equal(world_asked(p->w, "POST " WORLD_ISSUER "/token"), 1);
}

static void an_enterprise_may_name_the_token_endpoint_of_its_provider(void **state)
{
    play_t *p = *state;
    enterprise(p);
    p->config.provider.issuer = STR_UNSET;
    p->config.provider.token_endpoint = STR(WORLD_PROVIDER "/token");
    play_begin(p);
    play_goes(p, NULL);
    assert_int_equal(world_asked(p->w, "GET " WORLD_PROVIDER), 0);
}

static void sign_in_needs_no_refusal(void **state)
{
    play_t *p = *state;
    machine(p);
    play_begin(p);
    assert_int_equal(tokens_source_sign_in(p->s, p->a, false, &p->why), TOKENS_AGAIN);
    assert_int_equal(p->w->granted, 1);
    assert_int_equal(tokens_source_sign_in(p->s, p->a, false, &p->why), TOKENS_AGAIN);
    assert_int_equal(p->w->granted, 1);
    assert_int_equal(tokens_source_sign_in(p->s, p->a, true, &p->why), TOKENS_AGAIN);
    assert_int_equal(p->w->granted, 2);
    play_goes(p, NULL);
}

/* What a challenge says is in the head. */
static void a_challenge_counts_whatever_the_size_of_its_page(void **state)
{
    play_t *p = *state;
    machine(p);
    p->w->long_refusals = true;
    p->w->challenge_scope = "a";
    play_begin(p);
    assert_int_equal(tokens_source_sign_in(p->s, p->a, false, &p->why), TOKENS_AGAIN);
    assert_int_equal(p->w->granted, 1);
    assert_string_equal(p->w->scope_asked, "a");
}

static void sign_out_revokes_and_forgets(void **state)
{
    play_t *p = *state;
    tokens_state_t told;
    machine(p);
    play_begin(p);
    play_goes(p, NULL);
    assert_int_equal(tokens_source_state(p->s, p->a, &told), RC_OK);
    assert_true(told.kept);
    assert_str(told.issuer, STR(WORLD_ISSUER));
    assert_str(told.client_id, STR("machine"));
    assert_str(told.token.hidden, str_c(p->w->tokens[0].access));
    assert_true(tokens_source_sign_out(p->s, p->a, &p->why));
    assert_int_equal(p->why.reason, CLIENT_FINE);
    assert_int_equal(p->w->revoked, 1);
    assert_int_equal(tokens_source_state(p->s, p->a, &told), RC_OK);
    assert_false(told.kept);
    assert_false(tokens_source_sign_out(p->s, p->a, &p->why));
    play_begin(p);
    assert_int_equal(tokens_source_state(p->s, p->a, &told), RC_OK);
    assert_false(told.kept);
}

static void the_claims_of_a_token_are_told_as_they_stand(void **state)
{
    play_t *p = *state;
    tokens_state_t told;
    machine(p);
    p->w->access = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJtYWNoaW5lIn0.x";
    play_begin(p);
    play_goes(p, NULL);
    assert_int_equal(tokens_source_state(p->s, p->a, &told), RC_OK);
    assert_str(told.claims, STR("{\"sub\":\"machine\"}"));
    assert_int_equal(told.expires_at, p->w->now + p->w->lifetime);
    assert_int_equal(told.since, p->w->now);
    assert_false(told.has_refresh || told.dpop);
}

static void write_log(void *ctx, str_t line)
{
    buf_put(ctx, line);
}

static void no_secret_is_logged(void **state)
{
    static const char *const SECRETS[] = {"at-", "rt-", "hush", "code-"};
    play_t *p = *state;
    buf_t lines = buf_new(p->a, 65536);
    const log_t log = {.write = write_log, .ctx = &lines, .min = LOG_DEBUG};
    machine(p);
    p->config.log = &log;
    play_begin(p);
    play_goes(p, NULL);
    p->w->now += p->w->lifetime;
    p->w->known_secret = "other";
    play_fails(p, NULL, CLIENT_TOKEN_REFUSED);
    assert_true(str_contains(buf_str(&lines), STR("token_not_renewed")));
    for (size_t i = 0; i < ROWS(SECRETS); i++)
        assert_false(str_contains(buf_str(&lines), str_c(SECRETS[i])));
}

static void stopped(void **state)
{
    play_t *p = *state;
    machine(p);
    play_begin(p);
    tokens_source_stop(p->s);
    play_fails(p, NULL, CLIENT_STOPPED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLAY_TEST(a_given_token_is_sent_and_never_changed),
        PLAY_TEST(url_plain),
        PLAY_TEST(without_a_way_nothing_is_sent),
        PLAY_TEST(a_machine_gets_a_token_with_its_secret),
        PLAY_TEST(a_machine_asks_once_for_more_scope),
        PLAY_TEST(a_machine_takes_a_new_token_before_the_old_one_ends),
        PLAY_TEST(a_token_is_at_hand_while_it_is_good_and_needs_no_proof),
        PLAY_TEST(a_keep_that_holds_nothing_is_not_looked_into_for_each_request),
        PLAY_TEST(a_proof_is_not_signed_while_somebody_waits_to_send),
        PLAY_TEST(a_kept_token_serves_the_next_run),
        PLAY_TEST(documents_that_are_too_long_to_keep_are_kept_without_their_long_members),
        PLAY_TEST(a_token_goes_to_no_other_url_of_the_same_resource),
        PLAY_TEST(registration_none),
        PLAY_TEST(method_unknown),
        PLAY_TEST(grant_missing),
        PLAY_TEST(token_refused_of_a_wrong_secret_is_asked_once),
        PLAY_TEST(credentials_of_another),
        PLAY_TEST(credentials_of_another_when_the_server_moves_later),
        PLAY_TEST(credentials_of_another_for_an_assertion),
        PLAY_TEST(credentials_of_another_as_another_client),
        PLAY_TEST(credentials_of_another_where_the_server_was_chosen),
        PLAY_TEST(a_kept_token_of_another_server_than_the_chosen_one_is_not_sent),
        PLAY_TEST(token_not_taken),
        PLAY_TEST(a_workload_shows_its_assertion),
        PLAY_TEST(a_workload_that_is_refused_tries_nothing_else),
        PLAY_TEST(a_workload_reads_its_file_anew),
        PLAY_TEST(assertion_missing),
        PLAY_TEST(an_enterprise_exchanges_its_id_token),
        PLAY_TEST(an_enterprise_may_name_the_token_endpoint_of_its_provider),
        PLAY_TEST(sign_in_needs_no_refusal),
        PLAY_TEST(a_challenge_counts_whatever_the_size_of_its_page),
        PLAY_TEST(sign_out_revokes_and_forgets),
        PLAY_TEST(the_claims_of_a_token_are_told_as_they_stand),
        PLAY_TEST(no_secret_is_logged),
        PLAY_TEST(stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
