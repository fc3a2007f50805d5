/* What holds for every request that decides something: nothing is told that is not durable. */
#include "as/as_test_browser.h"

#include "core/limits.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

static str_t machine_request(world_t *w)
{
    str_t headers = arena_printf(w->a, W_FORM "%s", world_basic(w, W_MACHINE, W_SECRET));
    return world_request(w, "POST", STR("/token"), arena_cstr(w->a, headers),
                         STR("grant_type=client_credentials"));
}

static str_t refresh_request(world_t *w, str_t token)
{
    return world_request(w, "POST", STR("/token"), W_FORM, refresh_form(w, W_PUBLIC, token));
}

static const rc_t FAILURES[] = {RC_IO, RC_BUSY, RC_MEMORY};
enum { N_FAILURES = sizeof FAILURES / sizeof FAILURES[0] };

static void assert_unavailable(const answer_t *r)
{
    assert_status(*r, 503);
    assert_text(answer_header(r, "retry-after"), "1");
    assert_false(str_is_set(answer_header(r, "set-cookie")));
    assert_false(str_is_set(answer_header(r, "location")));
}

static void a_store_that_cannot_read_is_503_everywhere(void **state)
{
    static const char AUTHORIZE[] = "/authorize?client_id=" W_PUBLIC;
    static const char *const PAGES[] = {"/", "/consent?interaction=x", "/setup?token=x", AUTHORIZE};
    world_t *w = *state;
    browser_t b = browser_new(w);
    browser_sign_in(&b);
    size_t before = trail_text(w).n;
    for (size_t i = 0; i < N_FAILURES; i++) {
        w->faults.ask = FAILURES[i];
        for (size_t k = 0; k < sizeof PAGES / sizeof PAGES[0]; k++) {
            answer_t r = browser_get(&b, str_c(PAGES[k]));
            assert_unavailable(&r);
            assert_true(answer_is_page(&r));
        }
        answer_t r = world_ask(w, machine_request(w));
        assert_unavailable(&r);
        assert_true(str_is_set(answer_error(w, &r)));
        r = world_post(w, "/revoke", "", STR("token=x&client_id=" W_PUBLIC));
        assert_unavailable(&r);
    }
    assert_int_equal(trail_text(w).n, before);
    assert_true(world_logged(w, "request failed"));
}

static size_t logged_lines(world_t *w)
{
    size_t n = 0;
    for (size_t i = 0; i < w->n_logged; i++)
        n += w->logged[i] == '\n';
    return n;
}

/* Keys and metadata need no store once they are known; whoever typed something may send it again;
 * and a server that is away is told once, by the driver. */
static void a_store_that_is_away_leaves_documents_and_no_log(void **state)
{
    static const char *const DOCUMENTS[] = {"/jwks", "/.well-known/oauth-authorization-server"};
    world_t *w = *state;
    browser_t b = browser_new(w);
    str_t page = browser_get(&b, authorize_target(w, W_PUBLIC, "")).body;
    w->faults = (faults_t){.ask = RC_IO, .apply = RC_IO, .away = true};
    size_t before = logged_lines(w);
    for (size_t i = 0; i < sizeof DOCUMENTS / sizeof DOCUMENTS[0]; i++)
        assert_status(world_get(w, DOCUMENTS[i]), 200);
    answer_t feed = world_get(w, "/revocations");
    assert_unavailable(&feed);
    answer_t token = world_ask(w, machine_request(w));
    assert_unavailable(&token);
    answer_t login = browser_login(&b, page, W_USER, W_PASSWORD);
    assert_unavailable(&login);
    assert_true(answer_is_page(&login));
    assert_true(str_contains(login.body, STR("what you entered is sent again")));
    assert_int_equal(logged_lines(w), before);
}

static void the_second_look_may_fail_as_well(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    browser_sign_in(&b);
    w->faults.ask = RC_IO;
    w->faults.ask_ok = 1;
    answer_t r = browser_get(&b, authorize_target(w, W_PUBLIC, ""));
    assert_unavailable(&r);
    w->faults.ask_ok = 2;
    r = browser_get(&b, authorize_target(w, W_PUBLIC, ""));
    assert_status(r, 200);
}

static void a_store_that_cannot_write_is_503_and_allows_nothing(void **state)
{
    world_t *w = *state;
    tokens_t t = world_grant(w);
    size_t before = trail_text(w).n;
    for (size_t i = 0; i < N_FAILURES; i++) {
        w->faults.apply = FAILURES[i];
        answer_t r = world_ask(w, refresh_request(w, t.refresh));
        assert_unavailable(&r);
        r = world_get(w, arena_cstr(w->a, authorize_target(w, W_PUBLIC, "")));
        assert_unavailable(&r);
        assert_true(answer_is_page(&r));
    }
    assert_int_equal(trail_text(w).n, before);
    w->faults.apply = RC_OK;
    answer_t r = world_ask(w, refresh_request(w, t.refresh));
    answer_tokens(w, &r); /* nothing was used up */
}

static void a_trail_that_cannot_be_written_is_503(void **state)
{
    world_t *w = *state;
    tokens_t t = world_grant(w);
    trail_break(w, true);
    answer_t machine = world_ask(w, machine_request(w));
    answer_t refreshed = world_ask(w, refresh_request(w, t.refresh));
    answer_t refused = world_post(w, "/token", "", STR("grant_type=x&client_id=" W_PUBLIC));
    trail_break(w, false);
    assert_unavailable(&machine);
    assert_unavailable(&refreshed);
    assert_unavailable(&refused);
    assert_false(str_contains(refreshed.body, STR("token\":")));
    machine = world_ask(w, machine_request(w));
    assert_status(machine, 200);
}

/* Somebody else holds the trail: its events wait, and so do our answers. */
static int hold_trail(world_t *w)
{
    int fd = open(arena_cstr(w->a, w->trail), O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    return fd;
}

static void an_answer_waits_for_its_line(void **state)
{
    world_t *w = *state;
    int fd = hold_trail(w);
    http_direct_t *d = world_send(w, machine_request(w));
    assert_false(world_pump(w, 100));
    assert_false(world_is_answered(d));
    close(fd);
    answer_t r = world_land(w, d);
    assert_status(r, 200);
    assert_int_equal(trail_count(w, "token", "allow", NULL), 1);
}

static void count_event(void *ctx, rc_t rc)
{
    size_t *counts = ctx;
    counts[rc == RC_OK]++;
}

/* Appends until no event of this size fits; how many were sent. */
static size_t fill_trail(world_t *w, const audit_event_t *event, size_t counts[2])
{
    size_t sent = 0, refused = counts[0];
    while (counts[0] == refused) {
        audit_append(w->audit, world_post_port(w), event, count_event, counts);
        sent++;
        while (world_pump(w, 0)) {
        }
    }
    return sent;
}

static void a_full_trail_is_503(void **state)
{
    enum { BYTES = 4000 };
    world_t *w = *state;
    size_t counts[2] = {0};
    char *text = arena_alloc(w->a, BYTES + 1);
    memset(text, 's', BYTES);
    const audit_event_t large = {.kind = AUDIT_SERVER, .scope = str_c(text)};
    const audit_event_t small = {.kind = AUDIT_SERVER};
    int fd = hold_trail(w);
    size_t sent = fill_trail(w, &large, counts);
    assert_true(sent >= LIMIT_AUDIT_QUEUE_BYTES / (BYTES + 1000));
    sent += fill_trail(w, &small, counts);
    answer_t r = world_ask(w, machine_request(w));
    assert_unavailable(&r);
    close(fd);
    while (counts[0] + counts[1] < sent)
        assert_true(world_pump(w, 10000));
    r = world_ask(w, machine_request(w));
    assert_status(r, 200);
}

static void a_conflict_is_decided_again(void **state)
{
    world_t *w = *state;
    tokens_t t = world_grant(w);
    w->faults = (faults_t){.apply = RC_CONFLICT, .times = 3};
    answer_t r = world_ask(w, refresh_request(w, t.refresh));
    answer_tokens(w, &r);
    assert_int_equal(w->faults.applies, 4);
    assert_int_equal(w->faults.asks, 4); /* of facts that are new each time */
    assert_int_equal(trail_count(w, "token", "allow", NULL), 2);
}

static void conflicts_without_end_are_503(void **state)
{
    world_t *w = *state;
    tokens_t t = world_grant(w);
    w->faults = (faults_t){.apply = RC_CONFLICT};
    answer_t r = world_ask(w, refresh_request(w, t.refresh));
    assert_unavailable(&r);
    assert_int_equal(w->faults.applies, 20);
    assert_int_equal(trail_count(w, "token", "allow", NULL), 1);
}

static void a_quota_is_decided_on_once_more_and_no_more(void **state)
{
    world_t *w = *state;
    w->faults = (faults_t){.apply = RC_LIMIT};
    answer_t r = world_get(w, arena_cstr(w->a, authorize_target(w, W_PUBLIC, "")));
    assert_unavailable(&r);
    assert_int_equal(w->faults.applies, 2);
    w->faults = (faults_t){.apply = RC_LIMIT, .times = 1};
    r = world_get(w, arena_cstr(w->a, authorize_target(w, W_PUBLIC, "")));
    assert_status(r, 200);
}

static void a_full_house_of_requests_is_503(void **state)
{
    world_t *w = *state;
    w->as->oauth.max_interactions = 1;
    const char *target = arena_cstr(w->a, authorize_target(w, W_PUBLIC, ""));
    answer_t r = world_get(w, target);
    assert_status(r, 200);
    r = world_get(w, target);
    assert_unavailable(&r);
}

static void a_client_that_hangs_up_changes_nothing(void **state)
{
    world_t *w = *state;
    w->faults.hold = true;
    http_direct_t *d =
        world_send(w, world_request(w, "GET", authorize_target(w, W_PUBLIC, ""), "", STR("")));
    http_direct_hang_up(d);
    w->faults.hold = false;
    world_release(w, 0);
    http_direct_t *machine = world_send(w, machine_request(w));
    http_direct_hang_up(machine);
    while (trail_count(w, "token", "allow", NULL) == 0 || world_pump(w, 0)) {
    }
    answer_t r = world_ask(w, machine_request(w));
    assert_status(r, 200);
}

static void withdraw(world_t *w)
{
    world_put_key(w, EFFECT_RESOURCE_DELETE, STR(W_RESOURCE));
}

static void what_was_changed_holds_from_the_next_request_on(void **state)
{
    world_t *w = *state;
    withdraw(w);
    answer_t r = world_ask(w, machine_request(w));
    assert_status(r, 400);
    assert_text(answer_error(w, &r), "invalid_target");
}

static void who_asks_stands_in_the_trail(void **state)
{
    static const uint8_t v6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};
    world_t *w = *state;
    w->peer = http_addr_from_bytes(v6, sizeof v6);
    world_ask(w, machine_request(w));
    const json_t *line = trail_last(w);
    assert_text(json_get_str(line, STR("address")), "2001:db8::1");
    assert_int_equal(json_get_str(line, STR("request_id")).n, 32);
}

static void without_keys_nothing_is_decided(void **state)
{
    world_t *w = *state;
    answer_t r = world_get(w, "/login");
    assert_unavailable(&r);
    assert_true(answer_is_page(&r));
    r = world_post(w, "/token", "", STR("grant_type=x"));
    assert_unavailable(&r);
    assert_true(str_is_set(answer_error(w, &r)));
    world_make_keys(w);
    world_pass(w, 1);
    r = world_get(w, "/login");
    assert_status(r, 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_store_that_cannot_read_is_503_everywhere),
        WORLD_TEST(a_store_that_is_away_leaves_documents_and_no_log),
        WORLD_TEST(the_second_look_may_fail_as_well),
        WORLD_TEST(a_store_that_cannot_write_is_503_and_allows_nothing),
        WORLD_TEST(a_trail_that_cannot_be_written_is_503),
        WORLD_TEST(an_answer_waits_for_its_line),
        WORLD_TEST(a_full_trail_is_503),
        WORLD_TEST(a_conflict_is_decided_again),
        WORLD_TEST(conflicts_without_end_are_503),
        WORLD_TEST(a_quota_is_decided_on_once_more_and_no_more),
        WORLD_TEST(a_full_house_of_requests_is_503),
        WORLD_TEST(a_client_that_hangs_up_changes_nothing),
        WORLD_TEST(what_was_changed_holds_from_the_next_request_on),
        WORLD_TEST(who_asks_stands_in_the_trail),
        EMPTY_TEST(without_keys_nothing_is_decided),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
