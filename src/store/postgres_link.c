#include "store/postgres_link.h"

#include "core/ports.h"
#include "store/postgres_conn.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

enum { VERSION_LEAST = 130000, SLICE_MS = 100 };

typedef struct {
    const postgres_settings_t *s;
    const atomic_bool *stop;
    int64_t until_ms;
    PGconn *pg;
    postgres_fault_t *fault;
} attempt_t;

static int64_t now_ms(void)
{
    return clock_micros() / 1000;
}

static bool say(postgres_fault_t *fault, const char *sqlstate, const char *why)
{
    snprintf(fault->sqlstate, sizeof fault->sqlstate, "%.5s", sqlstate ? sqlstate : "");
    const char *end = why ? strstr(why, "\nLOCATION:") : NULL; /* in the server's own source */
    int n = end ? (int)(end - why) : (int)sizeof fault->why;
    snprintf(fault->why, sizeof fault->why, "%.*s", n, why ? why : "");
    size_t last = 0;
    for (size_t i = 0; fault->why[i]; i++) {
        if ((unsigned char)fault->why[i] < ' ')
            fault->why[i] = ' ';
        last = fault->why[i] != ' ' ? i + 1 : last;
    }
    fault->why[last] = '\0';
    return false;
}

/* Waits for the socket, in slices, so that nobody waits long for who waits here. */
static bool wait_for(const attempt_t *t, short events)
{
    struct pollfd p = {.fd = PQsocket(t->pg), .events = events};
    int got = 0;
    while (got == 0 || (got < 0 && errno == EINTR)) {
        int64_t left = t->until_ms - now_ms();
        if (left <= 0 || (t->stop && atomic_load(t->stop)))
            return false;
        got = poll(&p, 1, (int)(left < SLICE_MS ? left : SLICE_MS));
    }
    return got > 0;
}

/* libpq's message, in which the code of a server's error stands behind its severity. */
static bool say_libpq(attempt_t *t)
{
    const char *text = PQerrorMessage(t->pg);
    char state[6] = "";
    const char *at = strstr(text, "FATAL:  ");
    if (at && strspn(at + 8, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 5 && at[13] == ':')
        snprintf(state, sizeof state, "%.5s", at + 8);
    t->fault->reached = *state != '\0';
    return say(t->fault, state, text);
}

/* Else libpq would write them to the standard error. */
static void hear_nothing(void *ctx, const PGresult *r)
{
    (void)ctx;
    (void)r;
}

static bool connect_to(attempt_t *t, const char *const *keys, const char *const *values)
{
    t->pg = PQconnectStartParams(keys, values, 0);
    if (!t->pg || PQstatus(t->pg) == CONNECTION_BAD)
        return t->pg ? say_libpq(t) : say(t->fault, NULL, "no memory");
    PQsetNoticeReceiver(t->pg, hear_nothing, NULL);
    PQsetErrorVerbosity(t->pg, PQERRORS_VERBOSE);
    PostgresPollingStatusType next = PGRES_POLLING_WRITING;
    while (next == PGRES_POLLING_WRITING || next == PGRES_POLLING_READING) {
        if (!wait_for(t, next == PGRES_POLLING_READING ? POLLIN : POLLOUT))
            return say(t->fault, NULL, "no answer in time");
        next = PQconnectPoll(t->pg);
    }
    if (next != PGRES_POLLING_OK)
        return say_libpq(t);
    PQsetErrorVerbosity(t->pg, PQERRORS_DEFAULT);
    t->fault->reached = true;
    return true;
}

/* The next result, or NULL at the end of a statement; false: none in time. */
static bool next_result(attempt_t *t, PGresult **out)
{
    while (PQisBusy(t->pg)) {
        int rest = PQflush(t->pg);
        if (rest < 0 || !wait_for(t, rest ? POLLIN | POLLOUT : POLLIN) || !PQconsumeInput(t->pg))
            return false;
    }
    *out = PQgetResult(t->pg);
    return true;
}

static bool is_good(const PGresult *r)
{
    ExecStatusType status = PQresultStatus(r);
    return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || status == PGRES_PIPELINE_SYNC;
}

/* Takes all results up to the Sync. *good: none was an error; else *state is the first one's. */
static bool drain(attempt_t *t, bool *good)
{
    ExecStatusType status = PGRES_EMPTY_QUERY;
    int ends = 0; /* in a row: there is nothing to come */
    *good = true;
    while (status != PGRES_PIPELINE_SYNC) {
        PGresult *r = NULL;
        if (!next_result(t, &r) || (ends = r ? 0 : ends + 1) > 1)
            return say(t->fault, NULL, "no answer in time");
        status = r ? PQresultStatus(r) : PGRES_EMPTY_QUERY;
        if (r && !is_good(r) && *good) {
            say(t->fault, PQresultErrorField(r, PG_DIAG_SQLSTATE), PQresultErrorMessage(r));
            *good = false;
        }
        PQclear(r);
    }
    return true;
}

/* Whether the process that serves us is the one that was named at the beginning: a proxy names its
 * own, and may give us another one for each transaction. */
static bool find_proxy(attempt_t *t, bool *direct)
{
    PGresult *r = NULL;
    bool told = PQsendQueryParams(t->pg, "SELECT pg_backend_pid()", 0, NULL, NULL, NULL, NULL, 0) &&
                next_result(t, &r) && PQresultStatus(r) == PGRES_TUPLES_OK;
    if (told)
        *direct = atoi(PQgetvalue(r, 0, 0)) == PQbackendPID(t->pg);
    else
        say(t->fault, r ? PQresultErrorField(r, PG_DIAG_SQLSTATE) : NULL,
            r ? PQresultErrorMessage(r) : "no answer in time");
    while (r) {
        PQclear(r);
        r = NULL;
        told = told && next_result(t, &r) && !r;
    }
    return told;
}

/* What a session of ours must be like. */
static bool send_session(attempt_t *t)
{
    char sql[400];
    long long ms = (long long)postgres_statement_ms(t->s);
    snprintf(sql, sizeof sql,
             "SELECT set_config('statement_timeout', '%lld', false), "
             "set_config('idle_in_transaction_session_timeout', '%lld', false), "
             "set_config('default_transaction_isolation', 'read committed', false)",
             ms, (long long)t->s->wait_ms);
    return PQsendQueryParams(t->pg, sql, 0, NULL, NULL, NULL, NULL, 0) && PQpipelineSync(t->pg);
}

/* What is good to have, and unknown to some servers: each by itself. A call is answered when it is
 * durable, whatever the database's own setting is. A statement whose caller is gone ends, lest it
 * come true long after. */
static const char *const EXTRAS[] = {
    ("SELECT set_config('synchronous_commit', 'on', false) "
     "WHERE current_setting('synchronous_commit') = 'off'"),
    "SELECT set_config('client_connection_check_interval', '1000', false)",
    "SELECT set_config('jit', 'off', false)",
};
enum { N_EXTRAS = sizeof EXTRAS / sizeof EXTRAS[0] };

static bool send_extras(attempt_t *t)
{
    bool sent = true;
    for (size_t i = 0; i < N_EXTRAS && sent; i++)
        sent = PQsendQueryParams(t->pg, EXTRAS[i], 0, NULL, NULL, NULL, NULL, 0) &&
               PQpipelineSync(t->pg);
    return sent;
}

static bool send_prepares(attempt_t *t)
{
    return PQsendPrepare(t->pg, POSTGRES_ONE_VIEW.name, POSTGRES_ONE_VIEW.sql, 0, NULL) &&
           PQsendPrepare(t->pg, POSTGRES_FOLLOWS.name, POSTGRES_FOLLOWS.sql, 0, NULL) &&
           PQpipelineSync(t->pg);
}

/* Names that are there already, or no prepared statements at all: a proxy that hides well. */
static bool may_go_unprepared(const postgres_fault_t *fault)
{
    return strcmp(fault->sqlstate, "42P05") == 0 || strcmp(fault->sqlstate, "0A000") == 0;
}

static bool set_up_session(attempt_t *t, postgres_link_t *link)
{
    bool session, ignored, prepared;
    if (!send_session(t) || !send_extras(t) || !send_prepares(t))
        return say_libpq(t);
    if (!drain(t, &session) || !session)
        return false;
    for (size_t i = 0; i < N_EXTRAS; i++) {
        if (!drain(t, &ignored))
            return false;
    }
    if (!drain(t, &prepared))
        return false;
    link->prepared = prepared;
    return prepared || may_go_unprepared(t->fault);
}

static bool set_up(attempt_t *t, postgres_link_t *link)
{
    if (PQserverVersion(t->pg) < VERSION_LEAST)
        return say(t->fault, POSTGRES_TOO_OLD, PQparameterStatus(t->pg, "server_version"));
    if (PQsetnonblocking(t->pg, 1) != 0 || !find_proxy(t, &link->direct))
        return false;
    if (!PQenterPipelineMode(t->pg))
        return say(t->fault, NULL, "libpq does not enter its pipeline mode");
    link->prepared = false;
    return !link->direct || set_up_session(t, link);
}

static bool use(attempt_t *t, const postgres_host_t *host, const char *hostaddr)
{
    const char *keys[POSTGRES_KEYS_MAX], *values[POSTGRES_KEYS_MAX];
    size_t n = t->s->n_keys;
    memcpy(keys, t->s->keys, n * sizeof *keys);
    memcpy(values, t->s->values, n * sizeof *values);
    const char *own_keys[] = {"host", "hostaddr", "port"};
    const char *own[] = {host->host, hostaddr, host->port};
    for (size_t i = 0; i < 3; i++) {
        keys[n] = own_keys[i];
        values[n] = own[i];
        n += own[i] != NULL;
    }
    keys[n] = values[n] = NULL;
    t->until_ms = now_ms() + t->s->connect_ms;
    return connect_to(t, keys, values);
}

static void close_attempt(attempt_t *t)
{
    PQfinish(t->pg);
    t->pg = NULL;
}

/* Each address of a name by itself: one that is silent must not use up the time of the others. */
static bool use_addresses(attempt_t *t, const postgres_host_t *host)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *all = NULL;
    bool up = false;
    int code = getaddrinfo(host->host, host->port, &hints, &all);
    if (code != 0) {
        snprintf(t->fault->why, sizeof t->fault->why, "the name %.200s cannot be resolved: %s",
                 host->host, gai_strerror(code));
        return false;
    }
    for (struct addrinfo *x = all; x && !up && !(t->stop && atomic_load(t->stop)); x = x->ai_next) {
        char text[64];
        if (getnameinfo(x->ai_addr, x->ai_addrlen, text, sizeof text, NULL, 0, NI_NUMERICHOST) != 0)
            continue;
        close_attempt(t);
        up = use(t, host, text);
    }
    freeaddrinfo(all);
    return up;
}

static bool reach(attempt_t *t, size_t i)
{
    const postgres_host_t *host = &t->s->hosts[i];
    *t->fault = (postgres_fault_t){0};
    bool is_name = host->host && !host->hostaddr && *host->host != '/' && *host->host != '@';
    bool up = is_name ? use_addresses(t, host) : use(t, host, host->hostaddr);
    if (!up)
        close_attempt(t);
    return up;
}

static bool hand_over(attempt_t *t, postgres_link_t *out)
{
    *out = (postgres_link_t){0};
    t->until_ms = now_ms() + t->s->wait_ms;
    if (!set_up(t, out)) {
        close_attempt(t);
        return false;
    }
    out->pg = t->pg;
    return true;
}

bool postgres_link(const postgres_settings_t *s, size_t i, const atomic_bool *stop,
                   postgres_link_t *out, postgres_fault_t *fault)
{
    attempt_t t = {.s = s, .stop = stop, .fault = fault};
    return reach(&t, i) && hand_over(&t, out);
}

bool postgres_link_of(const postgres_settings_t *s, PGconn *pg, postgres_link_t *out,
                      postgres_fault_t *fault)
{
    attempt_t t = {.s = s, .pg = pg, .fault = fault};
    *fault = (postgres_fault_t){.reached = true};
    return hand_over(&t, out);
}

PGconn *postgres_link_plain(const postgres_settings_t *s, size_t *host, postgres_fault_t *fault)
{
    attempt_t t = {.s = s, .fault = fault};
    bool up = false;
    for (size_t i = 0; i < s->n_hosts && !up; i++) {
        up = reach(&t, i);
        *host = i;
    }
    if (!up)
        return NULL;
    if (PQserverVersion(t.pg) < VERSION_LEAST) {
        say(fault, POSTGRES_TOO_OLD, PQparameterStatus(t.pg, "server_version"));
        close_attempt(&t);
    }
    return t.pg;
}
