/* Speed of the JSON reader on a tools/list answer of about 45 KB, in MB/s; not a test, for a number
 * that depends on the machine proves nothing. Usage: json_bench [seconds] */
#include "core/json.h"

#include "core/ports.h"

#include <stdio.h>
#include <stdlib.h>

enum { ARENA_BYTES = 8 << 20, DOCUMENT_BYTES = 1 << 20, TOOLS = 42 };

/* What a server of ordinary verbosity says of one tool. */
static void put_property(json_writer_t *w, int tool, int number)
{
    char name[32];
    snprintf(name, sizeof name, "argument_%d", number);
    json_key(w, str_c(name));
    json_begin_object(w);
    json_member_str(w, STR("type"), number % 2 ? STR("string") : STR("integer"));
    json_member_str(w, STR("title"), STR("Ticker symbol"));
    json_member_str(w, STR("description"),
                    STR("The symbol under which the share is traded, such as \"AAPL\"; several are "
                        "separated by commas."));
    if (number % 2 == 0) {
        json_member_int(w, STR("minimum"), 0);
        json_member_int(w, STR("maximum"), 1000 + tool);
    }
    json_end_object(w);
}

static void put_tool(json_writer_t *w, int tool)
{
    char name[32];
    snprintf(name, sizeof name, "get_market_data_%d", tool);
    json_begin_object(w);
    json_member_str(w, STR("name"), str_c(name));
    json_member_str(w, STR("title"), STR("Market data — daily figures"));
    json_member_str(w, STR("description"),
                    STR("Reads the daily opening, closing, highest and lowest price of a share.\n"
                        "Prices are in the currency of the exchange."));
    json_key(w, STR("inputSchema"));
    json_begin_object(w);
    json_member_str(w, STR("type"), STR("object"));
    json_key(w, STR("properties"));
    json_begin_object(w);
    for (int i = 0; i < 4; i++)
        put_property(w, tool, i);
    json_end_object(w);
    str_t required[] = {STR("argument_0"), STR("argument_1")};
    json_member_strs(w, STR("required"), (str_list_t){required, 2});
    json_member_bool(w, STR("additionalProperties"), false);
    json_end_object(w);
    json_key(w, STR("annotations"));
    json_begin_object(w);
    json_member_bool(w, STR("readOnlyHint"), true);
    json_member_bool(w, STR("openWorldHint"), true);
    json_end_object(w);
    json_end_object(w);
}

static rc_t make_document(arena_t *a, str_t *out)
{
    buf_t b = buf_new(a, DOCUMENT_BYTES);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_member_str(&w, STR("jsonrpc"), STR("2.0"));
    json_member_int(&w, STR("id"), 2);
    json_key(&w, STR("result"));
    json_begin_object(&w);
    json_key(&w, STR("tools"));
    json_begin_array(&w);
    for (int i = 0; i < TOOLS; i++)
        put_tool(&w, i);
    json_end_array(&w);
    json_end_object(&w);
    json_end_object(&w);
    return buf_done(&b, out);
}

/* MB/s of one run; 0 if the document is refused. */
static double run(arena_t *scratch, str_t text, int64_t ms)
{
    clock_port_t clock = clock_system();
    int64_t start = clock.mono_ms(clock.ctx), now = start;
    uint64_t rounds = 0;
    for (; now - start < ms; now = clock.mono_ms(clock.ctx)) {
        for (int i = 0; i < 64; i++, rounds++) {
            const json_t *doc;
            arena_reset(scratch);
            if (json_parse(scratch, text, NULL, &doc) != RC_OK || doc->count != 3)
                return 0;
        }
    }
    return (double)rounds * (double)text.n / 1e3 / (double)(now - start);
}

int main(int argc, char **argv)
{
    int64_t ms = (argc > 1 ? atoi(argv[1]) : 1) * 1000;
    arena_t *a = arena_new(ARENA_BYTES), *scratch = arena_new(ARENA_BYTES);
    str_t text;
    if (!a || !scratch || make_document(a, &text) != RC_OK)
        return 1;
    double best = 0;
    for (int i = 0; i < 3; i++) {
        double speed = run(scratch, text, ms);
        best = speed > best ? speed : best;
    }
    printf("%zu bytes: %.0f MB/s\n", text.n, best);
    arena_free(scratch);
    arena_free(a);
    return best > 0 ? 0 : 1;
}
