/* Children that mean ill, and surroundings that do: the server stands. */
#include "proxy/child_test_play.h"
#include "proxy/child_test_world.h"

#include <signal.h>

#include "proxy/child_keeper.h"

#define ASK(...)   ((child_ask_test_t){__VA_ARGS__})
#define WORLD(...) child_world_new((child_world_options_t){__VA_ARGS__})

/* Each question gets an answer that waits, and what cannot wait any more is no line of the log
 * each. */
static void questions_without_end_from_who_reads_no_answer(void **state)
{
    static const char *const ASKS[] = {
        "sh", "-c",
        "read a; echo '{\"jsonrpc\":\"2.0\",\"id\":1024,\"error\":{\"code\":1,\"message\":\"m\"}}';"
        " exec yes '{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"ping\"}'",
        NULL};
    child_world_t *w = WORLD(.command = ASKS);
    bool ended = child_world_wait_trail(w, "child_malformed", 1);
    unsigned lines = child_world_log(w, "answer");
    if (!ended || lines > 20)
        fail_msg("%u lines", lines);
    child_world_free(w);
}

/* Whoever started the server may have left SIGCHLD ignored: the kernel would reap its children, and
 * their numbers might be somebody else's by the time their groups are ended. */
static void sigchld_ignored_by_who_started_it(void **state)
{
    signal(SIGCHLD, SIG_IGN);
    child_world_t *w = WORLD(.mode = "legacy");
    const char *s = child_world_open(w, NULL);
    const char *crash = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"crash\",\"params\":{}}";
    child_answer_t *x = child_world_ask(w, ASK(.session = s, .body = crash));
    assert_int_equal(x->how, HTTP_OUT_LOST);
    assert_true(child_world_wait_trail(w, "child_crashed", 1));
    assert_int_equal(child_world_log(w, "exit status 0"), 0);
    child_world_free(w);
}

int main(int argc, char **argv)
{
    child_test_play(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(questions_without_end_from_who_reads_no_answer),
        cmocka_unit_test(sigchld_ignored_by_who_started_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
