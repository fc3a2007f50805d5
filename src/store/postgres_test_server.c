#include "store/postgres_test_server.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MESSAGE_MAX = 1 << 20, PID = 4711, ROOM = 65536 };

/* One connection. */
typedef struct {
    fake_t *f;
    int fd;
    char *in;         /* body of the message that came */
    char sql[4096];   /* of the unnamed statement */
    char bound[4096]; /* name or text of what is carried out next */
    bool failed;      /* everything is skipped until the Sync */
    bool writes;      /* since the last Sync */
    bool ended;
    char out[ROOM]; /* answers, sent at the Sync */
    size_t n_out;
} peer_t;

static void put(peer_t *p, const void *bytes, size_t n)
{
    if (p->n_out + n > sizeof p->out)
        abort();
    memcpy(p->out + p->n_out, bytes, n);
    p->n_out += n;
}

static void put_int(peer_t *p, uint32_t value, size_t bytes)
{
    uint32_t wire = htonl(value);
    put(p, (const char *)&wire + 4 - bytes, bytes);
}

/* A message of one type with a body. */
static void put_message(peer_t *p, char type, const void *body, size_t n)
{
    put(p, &type, 1);
    put_int(p, (uint32_t)n + 4, 4);
    put(p, body, n);
}

static void put_parameter(peer_t *p, const char *name, const char *value)
{
    char body[128];
    int n = snprintf(body, sizeof body, "%s%c%s%c", name, 0, value, 0);
    put_message(p, 'S', body, (size_t)n);
}

static void put_error(peer_t *p, const char *severity, const char *sqlstate)
{
    char body[128];
    int n = snprintf(body, sizeof body, "S%s%cV%s%cC%s%cMit went wrong%c%c", severity, 0, severity,
                     0, sqlstate, 0, 0, 0);
    put_message(p, 'E', body, (size_t)n);
}

static void send_out(peer_t *p, size_t n)
{
    for (size_t at = 0; at < n && !p->ended;) {
        ssize_t sent = send(p->fd, p->out + at, n - at, MSG_NOSIGNAL);
        p->ended = sent <= 0;
        at += sent > 0 ? (size_t)sent : 0;
    }
    p->n_out = 0;
}

static bool receive(peer_t *p, void *out, size_t n)
{
    for (size_t at = 0; at < n;) {
        ssize_t got = recv(p->fd, (char *)out + at, n - at, 0);
        if (got <= 0)
            return false;
        at += (size_t)got;
    }
    return true;
}

/* What the pool's own statements yield: a column of so many bytes; 0: no rows at all. */
static size_t column(const peer_t *p, char *value)
{
    memset(value, 0, 8);
    if (strstr(p->bound, "pg_backend_pid"))
        return (size_t)snprintf(value, 8, "%d", PID + atomic_load(&p->f->proxy));
    if (strstr(p->bound, "follows") || strstr(p->bound, "pg_is_in_recovery")) {
        value[0] = (char)atomic_load(&p->f->standby);
        return 1;
    }
    if (strstr(p->bound, "set_config") || strstr(p->bound, "WITNESS"))
        return 4;
    if (strstr(p->bound, "GENERATION") || strstr(p->bound, "name='generation'")) {
        value[7] = (char)atomic_load(&p->f->generation);
        return 8;
    }
    return 0;
}

static void describe(peer_t *p)
{
    char value[8];
    static const char COLUMN[2 + 2 + 18] = "\0\1x"; /* one, of that name and no type */
    if (column(p, value) == 0)
        put_message(p, 'n', "", 0);
    else
        put_message(p, 'T', COLUMN, sizeof COLUMN);
}

static void count(peer_t *p)
{
    fake_t *f = p->f;
    bool session = strstr(p->bound, "set_config") != NULL;
    if (session && strstr(p->bound, "true"))
        atomic_fetch_add(&f->locals, 1);
    else if (session)
        atomic_fetch_add(&f->sessions, 1);
    char value[8];
    p->writes = p->writes || (column(p, value) == 0 && !strstr(p->bound, "one_view") &&
                              !strstr(p->bound, "transaction_isolation"));
}

static void carry_out(peer_t *p)
{
    char value[8], row[16];
    size_t n = column(p, value);
    bool missing = strstr(p->bound, "WITNESS") && !atomic_load(&p->f->witness);
    count(p);
    if (n > 0 && !missing) {
        memcpy(row, "\0\1\0\0\0", 5);
        row[5] = (char)n;
        memcpy(row + 6, value, n);
        put_message(p, 'D', row, 6 + n);
    }
    put_message(p, 'C', "SELECT 1", 9);
}

/* The fault that strikes this statement. */
static fake_fault_t strike(peer_t *p, char sqlstate[6])
{
    fake_t *f = p->f;
    fake_fault_t kind = FAKE_NOTHING;
    pthread_mutex_lock(&f->lock);
    if (f->fault.times > 0 && strstr(p->bound, f->fault.where)) {
        kind = f->fault.kind;
        memcpy(sqlstate, f->fault.sqlstate, 6);
        if (--f->fault.times == 0)
            memcpy(&f->fault, &f->then, sizeof f->fault);
    }
    pthread_mutex_unlock(&f->lock);
    return kind;
}

static void be_silent(peer_t *p)
{
    char byte;
    p->ended = true;
    while (recv(p->fd, &byte, 1, 0) > 0)
        continue;
}

static void execute(peer_t *p)
{
    char sqlstate[6] = "";
    fake_fault_t kind = strike(p, sqlstate);
    if (kind == FAKE_ERROR || kind == FAKE_FATAL) {
        put_error(p, kind == FAKE_ERROR ? "ERROR" : "FATAL", sqlstate);
        p->failed = true;
    } else if (kind == FAKE_SILENCE) {
        be_silent(p);
    } else {
        carry_out(p);
    }
    if (kind == FAKE_CUT_AFTER || kind == FAKE_CUT_WITHIN)
        atomic_fetch_add(&p->f->commits, 1);
    if (kind == FAKE_FATAL)
        send_out(p, p->n_out);
    if (kind == FAKE_CUT_WITHIN)
        send_out(p, p->n_out - 3);
    p->ended = p->ended || (kind != FAKE_NOTHING && kind != FAKE_ERROR);
}

/* A proxy takes the server back at the end of a transaction: what came before its end is astray. */
static void note_early(peer_t *p)
{
    char byte;
    usleep(2000);
    if (recv(p->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0)
        atomic_fetch_add(&p->f->early, 1);
}

static void sync_now(peer_t *p)
{
    if (atomic_load(&p->f->proxy))
        note_early(p);
    atomic_fetch_add(&p->f->commits, p->writes && !p->failed);
    p->failed = p->writes = false;
    put_message(p, 'Z', "I", 1);
    send_out(p, p->n_out);
}

/* Faults of a text are told from those of its statement by small letters. */
static bool is_refused(peer_t *p)
{
    char sqlstate[6] = "";
    size_t n = (size_t)snprintf(p->bound, sizeof p->bound, "text:%s", p->in);
    for (size_t i = 0; i < n; i++)
        p->bound[i] = (char)tolower((unsigned char)p->bound[i]);
    p->failed = strike(p, sqlstate) == FAKE_ERROR;
    if (p->failed)
        put_error(p, "ERROR", sqlstate);
    return p->failed;
}

static void parse(peer_t *p)
{
    if (*p->in && is_refused(p))
        return;
    if (*p->in)
        atomic_fetch_add(&p->f->named, 1);
    else
        snprintf(p->sql, sizeof p->sql, "%s", p->in + 1);
    put_message(p, '1', "", 0);
}

static void bind_statement(peer_t *p)
{
    const char *name = p->in + strlen(p->in) + 1; /* behind the portal's */
    atomic_fetch_add(&p->f->unnamed, *name == '\0');
    snprintf(p->bound, sizeof p->bound, "%s", *name ? name : p->sql);
    put_message(p, '2', "", 0);
}

static void take(peer_t *p, char type)
{
    if (type == 'S')
        sync_now(p);
    else if (type == 'X')
        p->ended = true;
    else if (p->failed)
        return;
    else if (type == 'P')
        parse(p);
    else if (type == 'B')
        bind_statement(p);
    else if (type == 'D')
        describe(p);
    else if (type == 'E')
        execute(p);
}

static bool greet(peer_t *p)
{
    uint32_t head[2];
    char key[8] = {0};
    if (!receive(p, head, 8))
        return false;
    uint32_t n = ntohl(head[0]);
    if (n < 8 || n > MESSAGE_MAX || !receive(p, p->in, n - 8))
        return false;
    if (ntohl(head[1]) != 196608) /* a wish for encryption */
        return send(p->fd, "N", 1, MSG_NOSIGNAL) == 1 && greet(p);
    put_message(p, 'R', "\0\0\0", 4);
    put_parameter(p, "server_version", atomic_load(&p->f->old) ? "12.22" : "15.0");
    put_parameter(p, "client_encoding", "UTF8");
    put_parameter(p, "in_hot_standby", atomic_load(&p->f->follower) ? "on" : "off");
    put_parameter(p, "default_transaction_read_only", "off");
    key[2] = (char)(PID >> 8);
    key[3] = (char)(PID & 255);
    put_message(p, 'K', key, 8);
    put_message(p, 'Z', "I", 1);
    send_out(p, p->n_out);
    return !p->ended;
}

static void converse(peer_t *p)
{
    uint32_t n;
    char type;
    if (atomic_load(&p->f->mute))
        be_silent(p);
    else
        p->ended = !greet(p);
    while (!p->ended && receive(p, &type, 1) && receive(p, &n, 4)) {
        n = ntohl(n) - 4;
        if (n >= MESSAGE_MAX || !receive(p, p->in, n))
            break;
        p->in[n] = '\0';
        take(p, type);
    }
}

typedef struct {
    fake_t *f;
    int fd;
} start_t;

static void *serve(void *arg)
{
    start_t start = *(start_t *)arg;
    free(arg);
    peer_t *p = calloc(1, sizeof *p);
    p->f = start.f;
    p->fd = start.fd;
    p->in = malloc(MESSAGE_MAX);
    converse(p);
    shutdown(p->fd, SHUT_RDWR); /* closed by fake_stop, lest its number be another's */
    free(p->in);
    free(p);
    return NULL;
}

static void *accept_all(void *arg)
{
    fake_t *f = arg;
    int fd;
    while ((fd = accept(f->listener, NULL, NULL)) >= 0 && !atomic_load(&f->stopping)) {
        int i = atomic_load(&f->n);
        start_t *start = malloc(sizeof *start);
        *start = (start_t){f, fd};
        if (i >= FAKE_CONNECTIONS || pthread_create(&f->threads[i], NULL, serve, start) != 0)
            abort();
        f->sockets[i] = fd;
        atomic_store(&f->n, i + 1);
    }
    return NULL;
}

void fake_start(fake_t *f)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof address;
    memset(f, 0, sizeof *f);
    pthread_mutex_init(&f->lock, NULL);
    f->listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(f->listener, (struct sockaddr *)&address, n) != 0 || listen(f->listener, 64) != 0 ||
        getsockname(f->listener, (struct sockaddr *)&address, &n) != 0 ||
        pthread_create(&f->acceptor, NULL, accept_all, f) != 0)
        abort();
    f->port = ntohs(address.sin_port);
}

void fake_cut_all(fake_t *f)
{
    for (int i = 0; i < atomic_load(&f->n); i++)
        shutdown(f->sockets[i], SHUT_RDWR);
}

void fake_stop(fake_t *f)
{
    atomic_store(&f->stopping, true);
    shutdown(f->listener, SHUT_RDWR);
    pthread_join(f->acceptor, NULL);
    fake_cut_all(f);
    for (int i = 0; i < atomic_load(&f->n); i++) {
        pthread_join(f->threads[i], NULL);
        close(f->sockets[i]);
    }
    close(f->listener);
    pthread_mutex_destroy(&f->lock);
}

void fake_fail(fake_t *f, fake_fault_t kind, const char *where, const char *sqlstate, int times)
{
    pthread_mutex_lock(&f->lock);
    f->fault.kind = kind;
    snprintf(f->fault.where, sizeof f->fault.where, "%s", where);
    snprintf(f->fault.sqlstate, sizeof f->fault.sqlstate, "%s", sqlstate ? sqlstate : "");
    f->fault.times = times;
    pthread_mutex_unlock(&f->lock);
}

void fake_then(fake_t *f, fake_fault_t kind, const char *where, const char *sqlstate, int times)
{
    pthread_mutex_lock(&f->lock);
    f->then.kind = kind;
    snprintf(f->then.where, sizeof f->then.where, "%s", where);
    snprintf(f->then.sqlstate, sizeof f->then.sqlstate, "%s", sqlstate);
    f->then.times = times;
    pthread_mutex_unlock(&f->lock);
}
