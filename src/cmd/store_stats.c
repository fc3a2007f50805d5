/* warder store stats [--json] */
#include "cmd/store_command.h"

#include "core/json.h"

static const option_t OPTIONS[] = {{.name = "json", .is_switch = true}};

static void print_text(admin_t *admin, const store_stats_t *s)
{
    printf("%-20s %12s %14s\n", "table", "rows", "bytes");
    for (int t = 0; t < TABLE_COUNT; t++)
        printf("%-20s %12llu %14llu\n", TABLES[t].name, (unsigned long long)s->table[t].rows,
               (unsigned long long)s->table[t].bytes);
    str_t oldest = s->oldest > 0 ? command_time(admin->a, s->oldest) : STR("none");
    printf("bytes in all: %llu\nschema: %d\ngeneration: %llu\nnewest revocation: %llu\n"
           "oldest live grant: %" PRIstr "\n",
           (unsigned long long)s->bytes, s->schema, (unsigned long long)s->generation,
           (unsigned long long)s->revocation, STR_ARG(oldest));
}

static void write_json(buf_t *b, const store_stats_t *s)
{
    json_writer_t w = json_writer(b);
    json_begin_object(&w);
    json_key(&w, STR("tables"));
    json_begin_object(&w);
    for (int t = 0; t < TABLE_COUNT; t++) {
        json_key(&w, str_c(TABLES[t].name));
        json_begin_object(&w);
        json_member_int(&w, STR("rows"), (int64_t)s->table[t].rows);
        json_member_int(&w, STR("bytes"), (int64_t)s->table[t].bytes);
        json_end_object(&w);
    }
    json_end_object(&w);
    json_member_int(&w, STR("bytes"), (int64_t)s->bytes);
    json_member_int(&w, STR("schema"), s->schema);
    json_member_int(&w, STR("generation"), (int64_t)s->generation);
    json_member_int(&w, STR("revocation"), (int64_t)s->revocation);
    json_member_int(&w, STR("oldest_grant"), s->oldest);
    json_end_object(&w);
}

static int print_json(admin_t *admin, const store_stats_t *s)
{
    str_t text;
    buf_t b = buf_new(admin->a, 65536);
    write_json(&b, s);
    if (buf_done(&b, &text) != RC_OK)
        return command_out_of_memory();
    printf("%" PRIstr "\n", STR_ARG(text));
    return EXIT_DONE;
}

static int stats(admin_t *admin, const option_t *rows, const str_t *words, size_t n_words)
{
    (void)words;
    (void)n_words;
    store_stats_t s;
    str_t why = STR_UNSET;
    rc_t rc = store_stats(admin->store, &s, admin->a, &why);
    if (rc != RC_OK)
        return store_command_failed(rc, why, "the store could not be counted");
    if (option_is_set(rows, "json"))
        return print_json(admin, &s);
    print_text(admin, &s);
    return EXIT_DONE;
}

static int run(int argc, char **argv)
{
    return admin_command(argc, argv, OPTIONS, sizeof OPTIONS / sizeof *OPTIONS, 0, stats);
}

const command_t CMD_STORE_STATS = {"store stats", "[--json]",
                                   "counts the records and bytes of each table", run};
