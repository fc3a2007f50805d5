/* Runs the year and judges it: year sqlite|memory|postgres DIVISOR [WEEKS]
 * DIVISOR 1000 stands for a thousandth of the people, clients and nodes. The server of postgres is
 * WARDER_TEST_POSTGRES with an empty database; sqlite makes a file in TMPDIR and deletes it. */
#include "year.h"
#include "year_cost.h"
#include "year_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    BATCH = 1000,
    LOOKED_AT = 64,
    NODES_MAX = 16,
    SETTLED_WEEK = 28,
    UNUSED_WEEK = 41,
    SPREAD_PERCENT = 15
};

/* How the rows of a table are known. */
typedef enum { NOT_HERE, EXACT, AT_MOST } known_t;
static const struct {
    known_t known;
    bool grows;       /* with what there are of people: no steady state is asked for */
    unsigned settled; /* the week from which on the first have ended; 0: SETTLED_WEEK */
} TABLE_RULES[TABLE_COUNT] = {
    [TABLE_USER] = {EXACT, true},
    [TABLE_CLIENT] = {AT_MOST, false, UNUSED_WEEK},
    [TABLE_CONSENT] = {AT_MOST, false, UNUSED_WEEK},
    [TABLE_SESSION] = {AT_MOST, false},
    [TABLE_INTERACTION] = {EXACT, false},
    [TABLE_CODE] = {AT_MOST, false},
    [TABLE_FAMILY] = {EXACT, false},
    [TABLE_REFRESH] = {EXACT, false},
    [TABLE_PUSHED] = {EXACT, false},
    [TABLE_DEVICE] = {EXACT, false},
    [TABLE_ACCESS_TOKEN] = {EXACT, false},
    [TABLE_SPENT] = {EXACT, false},
    [TABLE_REVOKED] = {AT_MOST, false},
};

/* ---- beginning and end ---- */

static void open_store(year_t *y, const char *driver, const char *path)
{
    const char *server = getenv("WARDER_TEST_POSTGRES");
    str_t why = STR("");
    const store_config_t config = {
        .driver = str_c(driver),
        .path = str_c(path),
        .postgres = {.conninfo = str_c(server ? server : ""), .connections = 8, .wait_ms = 60000},
        .clock = clock_fake(&y->clock),
    };
    if (store_open(y->a, &config, &y->store, &why) != RC_OK ||
        store_connect(y->store, year_port(y), &y->conn) != RC_OK) {
        fprintf(stderr, "%" PRIstr "\n", STR_ARG(why));
        exit(2);
    }
}

static uint32_t part(uint64_t whole, uint64_t divisor, uint32_t least)
{
    uint64_t n = whole / divisor;
    return n < least ? least : (uint32_t)n;
}

static void prepare(year_t *y)
{
    y->clock.ms = (int64_t)YEAR_START * 1000;
    y->hours = (int64_t)y->weeks * WEEK_HOURS;
    y->n_people = part(YEAR_PEOPLE, y->divisor, 20);
    y->n_machines = part(YEAR_CLIENTS, y->divisor, 4);
    y->n_nodes = part(YEAR_NODES, y->divisor, 2);
    y->n_nodes = y->n_nodes > NODES_MAX ? NODES_MAX : y->n_nodes;
    y->people = calloc(y->n_people, sizeof *y->people);
    y->a = arena_new(64 << 20);
    for (size_t i = 0; i < ACTS_MAX; i++)
        y->free[i] = &y->acts[i];
    for (size_t i = 0; i < TABLE_COUNT; i++)
        y->due[i] = calloc((size_t)y->hours, sizeof *y->due[i]);
    pthread_mutex_init(&y->loop.lock, NULL);
    pthread_cond_init(&y->loop.filled, NULL);
}

static void release(year_t *y)
{
    store_disconnect(y->conn);
    store_close(y->store);
    for (size_t i = 0; i < TABLE_COUNT; i++)
        free(y->due[i]);
    free(y->people);
    arena_free(y->a);
}

/* ---- an hour ---- */

/* One of the nodes cleans for all. */
static void take_turns(year_t *y, int64_t hour)
{
    unsigned holders = 0;
    for (uint32_t i = 0; i < y->n_nodes; i++) {
        char name[16];
        snprintf(name, sizeof name, "node-%u", (unsigned)((i + hour) % y->n_nodes));
        effects_t effects = {.n = 0};
        const lease_t lease = {STR("cleaning"), str_c(name), year_now(y) + HOUR_S / 2};
        effects_add(&effects, EFFECT_LEASE_TAKE, year_now(y))->u.lease = &lease;
        holders += year_apply(y, &effects) == RC_OK;
    }
    if (holders != 1)
        year_complain(y, "holders of the lease", 0, (int)holders, 1);
}

static void forget(year_t *y)
{
    size_t looked = BATCH, n;
    while (looked >= BATCH) {
        rc_t rc = year_forget(y, BATCH, &n, &looked);
        if (rc != RC_OK) {
            year_complain(y, "the forgetting", 0, (int)rc, RC_OK);
            return;
        }
        y->forgotten += n;
    }
}

static void clean(year_t *y, int64_t hour)
{
    size_t n = BATCH;
    int64_t since = clock_micros();
    while (n >= BATCH) {
        rc_t rc = year_expire(y, BATCH, &n);
        if (rc != RC_OK) {
            year_complain(y, "the cleaning", 0, (int)rc, RC_OK);
            break;
        }
        y->deleted += n;
    }
    forget(y);
    y->clean_us += clock_micros() - since;
    for (size_t i = 0; i < TABLE_COUNT; i++)
        y->live[i] -= y->due[i][hour];
}

static void live_an_hour(year_t *y, int64_t hour)
{
    y->clock.ms = ((int64_t)YEAR_START + hour * HOUR_S) * 1000;
    year_server_hour(y->server, hour);
    if (hour % 24 == 0)
        take_turns(y, hour);
    clean(y, hour);
    int64_t since = clock_micros();
    year_hour(y, hour);
    year_settle(y);
    y->apply_us += clock_micros() - since;
}

/* ---- a week ---- */

static void judge_rows(year_t *y, const store_stats_t *stats)
{
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        int64_t rows = (int64_t)stats->table[i].rows, want = y->live[i];
        bool fits = TABLE_RULES[i].known == NOT_HERE || rows == want ||
                    (TABLE_RULES[i].known == AT_MOST && rows < want);
        if (!fits)
            year_complain(y, TABLES[i].name, 0, (int)rows, (int)want);
    }
}

static bool is_whole(year_t *y, const person_t *p)
{
    ask_t ask = {.kind = ASK_REFRESH, .hash = p->refresh};
    return year_ask(y, &ask) == RC_OK && ask.u.refresh && ask.family && ask.owner &&
           ask.u.refresh->rotated_at == 0 && (ask.family->revoked_at != 0) == p->ended;
}

/* What a live grant rests on is not forgotten. */
static bool rests(year_t *y, person_t *p, uint32_t who)
{
    act_t act = {.y = y, .person = p, .who = who};
    ask_t client, consent;
    year_ask_rests(&act, &client, &consent);
    return year_ask(y, &client) == RC_OK && client.u.client && year_ask(y, &consent) == RC_OK &&
           (consent.u.consent || !p->approved);
}

/* What somebody holds is what the store says that they hold. */
static void look_at_grants(year_t *y, unsigned week)
{
    for (uint32_t i = 0; i < LOOKED_AT; i++) {
        uint32_t who = (uint32_t)(year_mix(y->seed, week, i) % y->n_people);
        person_t *p = &y->people[who];
        if (year_now(y) <= p->family_until && !is_whole(y, p))
            year_complain(y, "the grant", who, 0, 1);
        if (year_now(y) <= p->family_until && !rests(y, p, who))
            year_complain(y, "client or consent", who, 0, 1);
    }
}

typedef struct {
    int64_t rows[WEEKS_MAX][TABLE_COUNT];
    uint64_t bytes[WEEKS_MAX];
    uint64_t table_bytes[WEEKS_MAX][TABLE_COUNT];
    double steps[WEEKS_MAX]; /* of SQLite for a transaction */
    year_server_week_t server[WEEKS_MAX];
    uint64_t rewritten[TABLE_COUNT]; /* bytes of tables written anew at the end; 0: unknown */
} figures_t;

static void note_week(year_t *y, unsigned week, figures_t *f)
{
    store_stats_t stats;
    str_t why = STR("");
    arena_t *a = arena_new(1 << 20);
    if (store_stats(y->store, &stats, a, &why) != RC_OK) {
        fprintf(stderr, "%" PRIstr "\n", STR_ARG(why));
        exit(2);
    }
    judge_rows(y, &stats);
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        f->rows[week][i] = (int64_t)stats.table[i].rows;
        f->table_bytes[week][i] = stats.table[i].bytes;
    }
    f->bytes[week] = stats.bytes;
    arena_free(a);
}

static void live_a_week(year_t *y, unsigned week, figures_t *f)
{
    uint64_t jobs = y->jobs;
    year_cost_t before = year_cost();
    for (int64_t hour = 0; hour < WEEK_HOURS; hour++)
        live_an_hour(y, (int64_t)week * WEEK_HOURS + hour);
    year_cost_t after = year_cost();
    f->steps[week] = (double)(after.steps - before.steps) / (double)(y->jobs - jobs);
    /* Once more: what ends in the last hour is not gone yet, and is not due. */
    note_week(y, week, f);
    year_server_week(y->server, &f->server[week]);
    look_at_grants(y, week);
    arena_free(y->a);
    y->a = arena_new(64 << 20);
}

/* ---- the year ---- */

static const table_id_t SHOWN[] = {
    TABLE_USER,    TABLE_CLIENT, TABLE_CONSENT, TABLE_SESSION,      TABLE_INTERACTION,
    TABLE_CODE,    TABLE_FAMILY, TABLE_REFRESH, TABLE_ACCESS_TOKEN, TABLE_SPENT,
    TABLE_REVOKED, TABLE_DEVICE, TABLE_PUSHED,
};
enum { N_SHOWN = sizeof SHOWN / sizeof SHOWN[0] };

static void print_head(void)
{
    printf("| week |");
    for (size_t i = 0; i < N_SHOWN; i++)
        printf(" %s |", TABLES[SHOWN[i]].name);
    printf(" MiB | steps |\n|--:|");
    for (size_t i = 0; i < N_SHOWN + 2; i++)
        printf("--:|");
    printf("\n");
}

static void print_week(const figures_t *f, unsigned week)
{
    printf("| %u |", week + 1);
    for (size_t i = 0; i < N_SHOWN; i++)
        printf(" %lld |", (long long)f->rows[week][SHOWN[i]]);
    printf(" %.1f | %.0f |\n", (double)f->bytes[week] / 1048576, f->steps[week]);
    fflush(stdout);
}

static double mean(const figures_t *f, size_t table, unsigned from, unsigned to)
{
    double sum = 0;
    for (unsigned week = from; week < to; week++)
        sum += (double)f->rows[week][table];
    return sum / (to - from);
}

/* Of two halves of the time after the first grants have ended, neither is fuller. Few rows differ
 * by chance. */
static void judge_steady(year_t *y, const figures_t *f)
{
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        unsigned from = TABLE_RULES[i].settled ? TABLE_RULES[i].settled : SETTLED_WEEK;
        unsigned middle = (from + y->weeks) / 2;
        if (TABLE_RULES[i].known == NOT_HERE || TABLE_RULES[i].grows || y->weeks < from + 8)
            continue;
        double early = mean(f, i, from, middle), late = mean(f, i, middle, y->weeks);
        if (late > early * (100 + SPREAD_PERCENT) / 100 + 50)
            year_complain(y, TABLES[i].name, 0, (int)late, (int)early);
    }
}

/* Between a quarter of the year and its end: the tables are full by then, or several times fuller.
 */
static void judge_cost(year_t *y, const figures_t *f)
{
    if (y->weeks < 26 || f->steps[0] == 0)
        return;
    double early = f->steps[y->weeks / 4], late = f->steps[y->weeks - 1];
    if (late > early * 1.2)
        year_complain(y, "steps of a transaction", 0, (int)late, (int)early);
}

static void print_end(const year_t *y, const figures_t *f)
{
    printf("\n%llu transactions, %llu rows deleted, %llu clients and consents forgotten; %.0f "
           "transactions a second, %.0f deletions a second\n",
           (unsigned long long)y->jobs, (unsigned long long)y->deleted,
           (unsigned long long)y->forgotten,
           (double)y->jobs * 1e6 / (double)(y->apply_us ? y->apply_us : 1),
           (double)y->deleted * 1e6 / (double)(y->clean_us ? y->clean_us : 1));
    for (size_t i = 0; i < N_SHOWN; i++) {
        int64_t rows = f->rows[y->weeks - 1][SHOWN[i]];
        if (rows > 0 && f->table_bytes[y->weeks - 1][SHOWN[i]] > 0)
            printf("%s: %.0f bytes a row\n", TABLES[SHOWN[i]].name,
                   (double)f->table_bytes[y->weeks - 1][SHOWN[i]] / (double)rows);
    }
}

/* How large each table is, by weeks, and what the server did for it. */
static void print_server_weeks(const year_t *y, const figures_t *f)
{
    printf("\nKiB with indexes\n\n| week |");
    for (size_t i = 0; i < N_SHOWN; i++)
        printf(" %s |", TABLES[SHOWN[i]].name);
    printf(" dead rows | vacuums | log MiB a day | with whole pages | transactions a day |\n|--:|");
    for (size_t i = 0; i < N_SHOWN + 5; i++)
        printf("--:|");
    printf("\n");
    for (unsigned week = 0; week < y->weeks; week++) {
        const year_server_week_t *s = &f->server[week];
        printf("| %u |", week + 1);
        for (size_t i = 0; i < N_SHOWN; i++)
            printf(" %llu |", (unsigned long long)f->table_bytes[week][SHOWN[i]] / 1024);
        printf(" %llu | %llu | %.1f | %.1f | %.0f |\n", (unsigned long long)s->dead,
               (unsigned long long)s->vacuums, s->log_mib, s->log_whole_mib, s->transactions);
    }
}

static void print_rewritten(const year_t *y, const figures_t *f)
{
    printf("\n| table | KiB | written anew | bytes a row |\n|---|--:|--:|--:|\n");
    for (size_t i = 0; i < N_SHOWN; i++) {
        int64_t rows = f->rows[y->weeks - 1][SHOWN[i]];
        uint64_t bytes = f->table_bytes[y->weeks - 1][SHOWN[i]];
        printf("| %s | %llu | %llu | %.0f |\n", TABLES[SHOWN[i]].name,
               (unsigned long long)bytes / 1024, (unsigned long long)f->rewritten[SHOWN[i]] / 1024,
               rows > 0 ? (double)bytes / (double)rows : 0);
    }
}

static void print_server(const year_t *y, figures_t *f)
{
    if (!y->server)
        return;
    print_server_weeks(y, f);
    year_server_rewrite(y->server, f->rewritten);
    print_rewritten(y, f);
}

static void run(year_t *y)
{
    figures_t *f = calloc(1, sizeof *f);
    year_people(y);
    printf("%u people, %u clients, %u nodes, %u weeks, seed %llu\n\n", y->n_people, y->n_machines,
           y->n_nodes, y->weeks, (unsigned long long)y->seed);
    print_head();
    for (unsigned week = 0; week < y->weeks; week++) {
        live_a_week(y, week, f);
        print_week(f, week);
    }
    judge_steady(y, f);
    judge_cost(y, f);
    print_end(y, f);
    print_server(y, f);
    free(f);
}

static void remove_file(const char *path, const char *suffix)
{
    char name[240];
    snprintf(name, sizeof name, "%s%s", path, suffix);
    unlink(name);
}

int main(int argc, char **argv)
{
    static year_t year;
    const char *tmp = getenv("TMPDIR");
    char folder[200], path[220];
    if (argc < 3 || strtoull(argv[2], NULL, 10) == 0) {
        fprintf(stderr, "year sqlite|memory|postgres DIVISOR [WEEKS]\n");
        return 2;
    }
    year.seed = 7;
    year.divisor = strtoull(argv[2], NULL, 10);
    year.weeks = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 52;
    year.weeks = year.weeks < 1 || year.weeks > WEEKS_MAX ? 52 : year.weeks;
    snprintf(folder, sizeof folder, "%s/warder-year-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    if (!mkdtemp(folder))
        return 2;
    snprintf(path, sizeof path, "%s/db", folder);
    year_cost_watch();
    prepare(&year);
    open_store(&year, argv[1], path);
    year.server = year_server_open(argv[1], getenv("WARDER_TEST_POSTGRES"));
    run(&year);
    year_server_close(year.server);
    release(&year);
    remove_file(path, "");
    remove_file(path, "-wal");
    remove_file(path, "-shm");
    remove_file(path, "-lock");
    rmdir(folder);
    if (year.wrong)
        fprintf(stderr, "%u findings\n", year.wrong);
    return year.wrong ? 1 : 0;
}
