/* Who the client is, at which server, and what is done when the server has forgotten it. */
#include "tokens/tokens_test_world.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/url.h"

static int occupy(uint16_t port)
{
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(fd, 1), 0);
    return fd;
}

static int take_registered_port(play_t *p)
{
    url_t u;
    assert_int_equal(url_parse(str_c(p->w->clients[0].redirect), &u), RC_OK);
    return occupy(u.port_number);
}

static void a_registration_is_used_again(void **state)
{
    play_t *p = *state;
    p->w->exact_ports = true; /* the port of the registration is taken again */
    play_begin(p);
    play_goes(p, NULL);
    assert_true(tokens_source_sign_out(p->s, p->a, &p->why));
    play_begin(p);
    play_goes(p, NULL);
    assert_int_equal(p->w->opened, 2);
    assert_int_equal(p->w->registrations, 1);
}

static void a_registration_serves_another_port(void **state)
{
    play_t *p = *state;
    play_begin(p);
    play_goes(p, NULL);
    assert_true(tokens_source_sign_out(p->s, p->a, &p->why));
    int fd = take_registered_port(p);
    play_goes(p, NULL);
    close(fd);
    assert_int_equal(p->w->registrations, 1);
    assert_string_not_equal(p->w->redirect_asked, p->w->clients[0].redirect);
}

static void a_server_that_compares_ports_gets_a_new_registration(void **state)
{
    play_t *p = *state;
    p->w->pushed = p->w->exact_ports = true;
    play_begin(p);
    play_goes(p, NULL);
    assert_true(tokens_source_sign_out(p->s, p->a, &p->why));
    int fd = take_registered_port(p);
    play_goes(p, NULL);
    close(fd);
    assert_int_equal(p->w->registrations, 2);
}

/* One that refuses whatever it does not know is asked once more, with less. */
static void a_refused_registration_is_tried_with_less(void **state)
{
    play_t *p = *state;
    p->w->bare_registrations = true;
    p->config.registration.software_version = STR("1.0");
    p->config.registration.scope = STR("all of it");
    play_begin(p);
    play_goes(p, NULL);
    assert_int_equal(p->w->registrations, 1);
    assert_int_equal(world_asked(p->w, "POST " WORLD_ISSUER "/register"), 2);
}

static void a_registration_that_is_refused_twice_fails(void **state)
{
    play_t *p = *state;
    p->w->no_registrations = true;
    p->config.registration.software_version = STR("1.0");
    play_begin(p);
    play_fails(p, NULL, CLIENT_REGISTRATION_REFUSED);
    assert_int_equal(world_asked(p->w, "POST " WORLD_ISSUER "/register"), 2);
}

static void a_registration_of_other_redirect_uris_opens_no_page(void **state)
{
    play_t *p = *state;
    p->w->other_redirects = true;
    play_begin(p);
    play_fails(p, NULL, CLIENT_REGISTRATION_BAD);
    assert_int_equal(p->w->opened, 0);
    p->w->other_redirects = false; /* nothing of it was kept */
    p->w->now += 3600;
    play_begin(p);
    play_goes(p, NULL);
    assert_int_equal(p->w->registrations, 2);
}

static void a_forgotten_client_registers_once_more(void **state)
{
    play_t *p = *state;
    play_begin(p);
    play_goes(p, NULL);
    p->w->clients[0].gone = true;
    p->w->now += p->w->lifetime;
    play_goes(p, NULL);
    assert_int_equal(p->w->registrations, 2);
    assert_int_equal(p->w->opened, 2);
}

static void a_forgotten_client_whose_page_leads_nowhere(void **state)
{
    play_t *p = *state;
    play_begin(p);
    play_goes(p, NULL);
    assert_true(tokens_source_sign_out(p->s, p->a, &p->why));
    p->w->clients[0].gone = true;
    p->config.sign_in_ms = 200;
    play_begin(p);
    play_fails(p, NULL, CLIENT_SIGN_IN_TIMEOUT);
    p->config.sign_in_ms = 20000;
    play_begin(p);
    play_goes(p, NULL);
    assert_int_equal(p->w->registrations, 2);
}

static void a_forgotten_client_that_the_server_tells_of(void **state)
{
    play_t *p = *state;
    play_begin(p);
    play_goes(p, NULL);
    assert_true(tokens_source_sign_out(p->s, p->a, &p->why));
    p->w->clients[0].gone = p->w->tells_of_clients = true;
    play_goes(p, NULL);
    assert_int_equal(p->w->registrations, 2);
}

static void a_page_that_is_left_open_costs_no_refresh_token(void **state)
{
    play_t *p = *state;
    p->w->challenge_scope = "a";
    play_begin(p);
    play_goes(p, "a");
    p->w->silent = true;
    p->config.sign_in_ms = 50;
    play_begin(p);
    play_fails(p, "b", CLIENT_SIGN_IN_TIMEOUT);
    p->w->now += p->w->lifetime;
    play_goes(p, "a");
    assert_int_equal(p->w->refreshes, 1);
    assert_int_equal(p->w->registrations, 1);
}

static void a_server_that_moves_gets_a_registration_of_its_own(void **state)
{
    play_t *p = *state;
    play_begin(p);
    play_goes(p, NULL);
    p->w->issuer = WORLD_OTHER;
    unsigned before = world_asked(p->w, "POST " WORLD_ISSUER);
    play_goes(p, NULL);
    assert_int_equal(p->w->registrations, 2);
    assert_int_equal(world_asked(p->w, "POST " WORLD_ISSUER), before);
    assert_int_equal(world_asked(p->w, "POST " WORLD_OTHER "/register"), 1);
}

static void a_metadata_document_is_the_client_everywhere(void **state)
{
    play_t *p = *state;
    p->w->documents = true;
    p->config.document = STR("https://client.test/metadata.json");
    play_begin(p);
    play_goes(p, NULL);
    p->w->issuer = WORLD_OTHER;
    play_goes(p, NULL);
    assert_int_equal(p->w->registrations, 0);
    assert_string_equal(p->w->codes[1].client, "https://client.test/metadata.json");
}

/* Any server may take the document: a secret would go to all that an endpoint names. */
static void a_metadata_document_goes_without_a_secret(void **state)
{
    play_t *p = *state;
    p->w->documents = true;
    p->w->auth_methods = "[\"none\",\"client_secret_post\"]";
    p->config.document = STR("https://client.test/metadata.json");
    p->config.who.secret = secret_of(STR("hush"));
    play_begin(p);
    play_goes(p, NULL);
}

static void a_given_client_is_not_registered(void **state)
{
    play_t *p = *state;
    p->w->known_id = "given";
    p->config.who.client_id = STR("given");
    play_begin(p);
    play_goes(p, NULL);
    assert_int_equal(p->w->registrations, 0);
}

static void a_confidential_client_uses_its_secret(void **state)
{
    play_t *p = *state;
    p->w->auth_methods = "[\"client_secret_post\"]";
    p->w->pushed = true;
    play_begin(p);
    play_goes(p, NULL);
    assert_string_not_equal(p->w->clients[0].secret, "");
}

static void a_refresh_token_goes_to_no_other_server(void **state)
{
    play_t *p = *state;
    p->w->known_id = "given";
    p->config.who.client_id = STR("given");
    p->config.who_issuer = STR(WORLD_ISSUER);
    play_begin(p);
    play_goes(p, NULL);
    p->w->issuer = WORLD_OTHER;
    play_fails(p, NULL, CLIENT_CREDENTIALS_OF_ANOTHER);
    p->w->now += p->w->lifetime;
    play_fails(p, NULL, CLIENT_CREDENTIALS_OF_ANOTHER);
    assert_int_equal(world_asked(p->w, "POST " WORLD_OTHER), 0);
    assert_int_equal(p->w->opened, 1);
}

static void a_machine_beside_a_person(void **state)
{
    play_t *p = *state;
    tokens_source_t *machine;
    client_failure_t why;
    tokens_config_t config = p->config;
    config.way = TOKENS_MACHINE;
    config.who.client_id = STR("machine");
    p->w->known_id = "machine";
    play_begin(p);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(tokens_source_new(&config, &machine), RC_OK);
        assert_int_equal(world_call(p->w, machine, NULL, &why), 200);
        tokens_source_free(machine);
        play_begin(p);
        play_goes(p, NULL);
    }
    assert_int_equal(p->w->opened, 1);
    assert_int_equal(p->w->granted, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLAY_TEST(a_registration_is_used_again),
        PLAY_TEST(a_registration_serves_another_port),
        PLAY_TEST(a_server_that_compares_ports_gets_a_new_registration),
        PLAY_TEST(a_refused_registration_is_tried_with_less),
        PLAY_TEST(a_registration_that_is_refused_twice_fails),
        PLAY_TEST(a_registration_of_other_redirect_uris_opens_no_page),
        PLAY_TEST(a_forgotten_client_registers_once_more),
        PLAY_TEST(a_forgotten_client_whose_page_leads_nowhere),
        PLAY_TEST(a_forgotten_client_that_the_server_tells_of),
        PLAY_TEST(a_page_that_is_left_open_costs_no_refresh_token),
        PLAY_TEST(a_server_that_moves_gets_a_registration_of_its_own),
        PLAY_TEST(a_metadata_document_is_the_client_everywhere),
        PLAY_TEST(a_metadata_document_goes_without_a_secret),
        PLAY_TEST(a_given_client_is_not_registered),
        PLAY_TEST(a_confidential_client_uses_its_secret),
        PLAY_TEST(a_refresh_token_goes_to_no_other_server),
        PLAY_TEST(a_machine_beside_a_person),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
