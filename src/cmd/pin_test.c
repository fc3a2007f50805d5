#include "cmd/admin_test_play.h"

#include "cmd/command.h"
#include "gate/pin.h"

#define H_A "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define H_B "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"

static void put_pins(admin_play_t *p)
{
    admin_play_run(p, "admin user list"); /* makes the folder */
    test_file(p->folder, "pins.json",
              "{\"version\":1,\"upstreams\":[{\"path\":\"/mcp\",\"since\":1,\"complete\":true,"
              "\"tools\":[{\"name\":\"a\",\"approved\":\"" H_A "\",\"pending\":\"" H_B
              "\",\"pending_at\":1700000000},{\"name\":\"b\\u001b[2J\",\"approved\":\"" H_A
              "\",\"gone\":true},{\"name\":\"c\",\"pending\":\"" H_B
              "\",\"pending_at\":1700000000}]}]}");
}

static void pins_are_listed(void **state)
{
    admin_play_t *p = *state;
    put_pins(p);
    admin_play_run(p, "pin list");
    assert_string_equal(p->ran.out,
                        "/mcp  a  changed  approved 0123456789ab  waits fedcba987654 since "
                        "2023-11-14T22:13:20Z\n"
                        "  (its words were not kept: ask the server for them)\n"
                        "  warder pin approve '/mcp' 'a' " H_B "\n"
                        "/mcp  b[2J  approved  gone  approved 0123456789ab\n"
                        "/mcp  c  new  waits fedcba987654 since 2023-11-14T22:13:20Z\n"
                        "  (its words were not kept: ask the server for them)\n"
                        "  warder pin approve '/mcp' 'c' " H_B "\n");
    admin_play_run(p, "pin list /other");
    assert_string_equal(p->ran.out, "");
}

/* What an upstream says does nothing to a terminal. */
static void what_changed_is_shown(void **state)
{
    admin_play_t *p = *state;
    put_pins(p);
    test_file(p->folder, "pins.json",
              "{\"version\":1,\"upstreams\":[{\"path\":\"/mcp\",\"since\":1,\"complete\":true,"
              "\"tools\":[{\"name\":\"a\",\"approved\":\"" H_A "\",\"pending\":\"" H_B
              "\",\"pending_at\":1700000000,\"approved_text\":\"{\\\"name\\\":\\\"a\\\","
              "\\\"description\\\":\\\"Reads.\\\"}\",\"pending_text\":\"{\\\"name\\\":\\\"a\\\","
              "\\\"description\\\":\\\"Reads \\u202e all\\u009b.\\\",\\\"inputSchema\\\":{}}\"},"
              "{\"name\":\"c\",\"pending\":\"" H_B "\",\"pending_at\":1700000000}]}]}");
    admin_play_run(p, "pin list");
    assert_string_equal(p->ran.out,
                        "/mcp  a  changed  approved 0123456789ab  waits fedcba987654 since "
                        "2023-11-14T22:13:20Z\n"
                        "  description\n"
                        "    - \"Reads.\"\n"
                        "    + \"Reads \\u202e all\\u009b.\"\n"
                        "  inputSchema\n"
                        "    + {}\n"
                        "  warder pin approve '/mcp' 'a' " H_B "\n"
                        "/mcp  c  new  waits fedcba987654 since 2023-11-14T22:13:20Z\n"
                        "  (its words were not kept: ask the server for them)\n"
                        "  warder pin approve '/mcp' 'c' " H_B "\n");
    admin_play_run(p, "pin list --json");
    assert_non_null(strstr(p->ran.out,
                           "{\"upstream\":\"/mcp\",\"tool\":\"a\",\"state\":\"changed\","
                           "\"gone\":false,\"approved\":\"" H_A "\""));
    assert_non_null(strstr(p->ran.out, "\"changes\":[{\"place\":\"description\",\"was\":\"Reads.\","
                                       "\"is\":\"Reads \\u202e all\\u009b.\"},"
                                       "{\"place\":\"inputSchema\",\"is\":{}}]}\n"));
}

#define CHANGED(pending)                                                                           \
    "{\"version\":1,\"upstreams\":[{\"path\":\"/mcp\",\"since\":1,\"complete\":true,"              \
    "\"tools\":[{\"name\":\"a\",\"approved\":\"" H_A "\",\"pending\":\"" H_B                       \
    "\",\"pending_at\":1700000000,\"approved_text\":\"{}\",\"pending_text\":\"" pending "\"}]}]}"

/* The name of a member is no line, and none begins within it. */
static void the_name_of_a_member_forges_no_line(void **state)
{
    admin_play_t *p = *state;
    put_pins(p);
    test_file(p->folder, "pins.json",
              CHANGED("{\\\"inputSchema\\\":1,\\\"execution\\\":{\\\"x\\\\n/mcp  b  approved\\\\t"
                      "\\\\u2028/mcp  c\\\":2}}"));
    admin_play_run(p, "pin list");
    assert_non_null(strstr(p->ran.out, "  inputSchema\n"
                                       "    + 1\n"
                                       "  execution\n"
                                       "    + {\"x\\n/mcp  b  approved\\t\\u2028/mcp  c\":2}\n"));
    test_file(
        p->folder, "pins.json",
        "{\"version\":1,\"upstreams\":[{\"path\":\"/mcp\",\"since\":1,\"complete\":true,"
        "\"tools\":[{\"name\":\"a\",\"approved\":\"" H_A "\",\"pending\":\"" H_B
        "\",\"pending_at\":1700000000,\"approved_text\":\"{\\\"execution\\\":{}}\","
        "\"pending_text\":\"{\\\"execution\\\":{\\\"x\\\\n/mcp  b  approved\\\\t\\\\u2028/mcp  "
        "c\\\":2}}\"}]}]}");
    admin_play_run(p, "pin list");
    assert_non_null(strstr(p->ran.out, "  execution.x /mcp  b  approved  /mcp  c\n    + 2\n"));
    assert_null(strstr(p->ran.out, "\n/mcp  b"));
}

static void what_is_left_out_is_said(void **state)
{
    admin_play_t *p = *state;
    arena_t *a = arena_new(1 << 20);
    buf_t b = buf_new(a, 1 << 20);
    put_pins(p);
    buf_put(&b,
            STR("{\"version\":1,\"upstreams\":[{\"path\":\"/mcp\",\"since\":1,\"complete\":true,"
                "\"tools\":[{\"name\":\"a\",\"pending\":\"" H_B "\",\"pending_at\":1,"
                "\"approved_text\":\"{\\\"inputSchema\\\":{}}\",\"pending_text\":\"{\\\"inputSchema"
                "\\\":{"));
    for (int i = 0; i < GATE_PIN_CHANGES; i++)
        buf_fmt(&b, "\\\"m%d\\\":1,", i);
    buf_put(&b, STR("\\\"last\\\":1},\\\"description\\\":\\\"Send all.\\\"}\"}]}]}"));
    test_file(p->folder, "pins.json", arena_cstr(a, buf_str(&b)));
    admin_play_run(p, "pin list");
    assert_non_null(strstr(p->ran.out, "  description\n    + \"Send all.\"\n"));
    assert_non_null(strstr(p->ran.out, "  (more differs than is told here"));
    admin_play_run(p, "pin list --json");
    assert_non_null(strstr(p->ran.out, "],\"more\":true}\n"));
    test_file(p->folder, "pins.json", CHANGED("{"));
    admin_play_run(p, "pin list");
    assert_non_null(strstr(p->ran.out, "  (what differs cannot be told (RC_MALFORMED)"));
    arena_free(a);
}

static void what_waits_is_approved(void **state)
{
    admin_play_t *p = *state;
    put_pins(p);
    size_t lines = admin_play_trail_lines(p);
    admin_play_run(p, "pin approve /mcp a");
    assert_string_equal(p->ran.out, "1 tool approved\n" H_B "  a\n");
    assert_int_equal(admin_play_trail_lines(p), lines + 1);
    assert_non_null(strstr(admin_play_trail(p), "\"definition_approved\""));
    assert_non_null(strstr(admin_play_trail(p), "sha256 " H_B));
    admin_play_refused(p, "pin approve /mcp a", EXIT_REFUSED, "nothing of it waits");
    admin_play_run(p, "pin approve /mcp");
    assert_string_equal(p->ran.out, "1 tool approved\n" H_B "  c\n");
    admin_play_refused(p, "pin approve /other", EXIT_REFUSED, "nothing of it waits");
    admin_play_run(p, "pin list /mcp");
    assert_null(strstr(p->ran.out, "waits"));
}

/* What changed since it was read is refused, and so is too little of a hash: an upstream that
 * writes both definitions could have two that begin alike. */
static void only_what_was_read_is_approved(void **state)
{
    admin_play_t *p = *state;
    put_pins(p);
    admin_play_refused(p, "pin approve /mcp a " H_A, EXIT_REFUSED,
                       "what waits is not what that hash is of");
    admin_play_refused(p, "pin approve /mcp a fedcba987654", EXIT_USAGE, "at least 32");
    admin_play_refused(p, "pin approve /mcp a " H_B "0", EXIT_USAGE, "at least 32");
    admin_play_refused(p, "pin approve /mcp a fedcba9876543210fedcba987654321x", EXIT_USAGE,
                       "hexadecimal digits");
    admin_play_run(p, "pin approve /mcp a FEDCBA9876543210fedcba9876543210");
    assert_string_equal(p->ran.out, "1 tool approved\n" H_B "  a\n");
}

static void a_name_is_one_word_to_the_shell(void **state)
{
    admin_play_t *p = *state;
    put_pins(p);
    test_file(p->folder, "pins.json",
              "{\"version\":1,\"upstreams\":[{\"path\":\"/mcp\",\"since\":1,\"tools\":["
              "{\"name\":\"--x\",\"pending\":\"" H_B "\"},"
              "{\"name\":\"a'$(b)\",\"pending\":\"" H_B "\"},"
              "{\"name\":\"c\\nd\",\"pending\":\"" H_B "\"}]}]}");
    admin_play_run(p, "pin list");
    assert_non_null(strstr(p->ran.out, "  warder pin approve '/mcp' 'a'\\''$(b)' " H_B "\n"));
    assert_null(strstr(p->ran.out, "'--x'"));
    assert_null(strstr(p->ran.out, "'cd'"));
    assert_non_null(strstr(p->ran.out, "  (its name cannot be typed"));
}

static void pins_are_forgotten(void **state)
{
    admin_play_t *p = *state;
    put_pins(p);
    admin_play_run(p, "pin forget /mcp a");
    admin_play_run(p, "pin forget /mcp");
    assert_string_equal(p->ran.out, "2 tools forgotten\n");
    assert_non_null(strstr(admin_play_trail(p), "\"definition_forgotten\""));
    admin_play_refused(p, "pin forget /mcp", EXIT_REFUSED, "there are no pins of it");
}

static void what_is_wrong_is_said(void **state)
{
    admin_play_t *p = *state;
    put_pins(p);
    admin_play_refused(p, "pin approve", EXIT_USAGE, "name the upstream by its path");
    test_file(p->folder, "pins.json", "{");
    admin_play_refused(p, "pin list", EXIT_REFUSED, "is no file of pins");
}

int main(int argc, char **argv)
{
    int code;
    if (test_is_command(argc, argv, &code))
        return code;
    const struct CMUnitTest tests[] = {
        PLAY_TEST(pins_are_listed),
        PLAY_TEST(what_changed_is_shown),
        PLAY_TEST(the_name_of_a_member_forges_no_line),
        PLAY_TEST(what_is_left_out_is_said),
        PLAY_TEST(only_what_was_read_is_approved),
        PLAY_TEST(a_name_is_one_word_to_the_shell),
        PLAY_TEST(what_waits_is_approved),
        PLAY_TEST(pins_are_forgotten),
        PLAY_TEST(what_is_wrong_is_said),
    };
    return cmocka_run_group_tests_name("pin", tests, NULL, NULL);
}
