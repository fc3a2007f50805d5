/* Load on a port of loopback: so many requests a second whether they are answered or not (open
 * loop), or as many as are answered (rate 0). Prints one line of JSON.
 *
 *   load PORT CONNECTIONS TIMEOUT_MS PHASES HEAD BODY [TOKENS]
 *
 * PHASES: RATE:SECONDS, more behind commas. HEAD: a file with request line and fields, without
 * Content-Length and the empty line. BODY: the body; with TOKENS, a file of refresh tokens one a
 * line, each request takes one behind the body, and its answer's refresh_token takes the place.
 * LOAD_TOKENS_OUT: a file that the tokens are written to in the end.
 * Whoever gets no answer in time gives up and comes with a new connection. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    CONNECTIONS_MAX = 20000,
    PHASES_MAX = 16,
    ANSWER_BYTES = 8192,
    TOKEN_BYTES = 200,
    REQUEST_BYTES = 4096,
    SLOTS_MAX = 300000, /* of a tenth of a millisecond */
    EVENTS = 256,
    SLICES_MAX = 65536, /* of 100 ms */
    TOKENS_MAX = 65536,
};

typedef enum { CLOSED, CONNECTING, IDLE, BUSY } state_t;

typedef struct {
    int fd;
    state_t state;
    int64_t begun_us;
    unsigned phase;
    uint64_t serial; /* of its request, to know it in the list of those that wait */
    char answer[ANSWER_BYTES];
    size_t n;
    char token[TOKEN_BYTES];
} conn_t;

/* What came of the requests of a phase, by when they were meant to begin. */
typedef struct {
    double rate, seconds;
    uint64_t meant, unsent, ok, shed, other, late, broken;
    /* Answers, and how late requests were sent: what is this program's, and not the server's. */
    uint32_t ok_slots[SLOTS_MAX + 1], shed_slots[SLOTS_MAX + 1], sent_slots[SLOTS_MAX + 1];
    int64_t busy_us; /* of processor */
} phase_t;

typedef struct {
    uint32_t ok, shed, failed, meant;
    uint32_t slowest_ms; /* of those that were fine */
} slice_t;

typedef struct {
    struct sockaddr_in to;
    int epoll;
    conn_t *conns;
    int n_conns, *free, n_free; /* idle ones and closed ones */
    int64_t timeout_us, begin_us;
    char head[REQUEST_BYTES], body[REQUEST_BYTES];
    char (*tokens)[TOKEN_BYTES]; /* a ring of TOKENS_MAX: whose turn was longest ago comes next */
    size_t first_token, n_tokens;
    phase_t phases[PHASES_MAX];
    unsigned n_phases;
    slice_t slices[SLICES_MAX];
    struct {
        int conn;
        uint64_t serial;
    } * waiting; /* in the order in which they were sent */
    size_t first, n_waiting, cap;
    uint64_t serials;
} load_t;

static int64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static slice_t *slice_of(load_t *l, int64_t us)
{
    int64_t i = (us - l->begin_us) / 100000;
    return &l->slices[i < 0 ? 0 : i >= SLICES_MAX ? SLICES_MAX - 1 : i];
}

static uint32_t slot_of(int64_t us)
{
    int64_t slot = us / 100;
    return slot > SLOTS_MAX ? SLOTS_MAX : (uint32_t)slot;
}

static int64_t busy_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void put_free(load_t *l, conn_t *c)
{
    l->free[l->n_free++] = (int)(c - l->conns);
}

static void drop(load_t *l, conn_t *c)
{
    close(c->fd);
    c->state = CLOSED;
    put_free(l, c);
}

/* ---- sending ---- */

static void give_back(load_t *l, conn_t *c)
{
    if (l->tokens && c->token[0])
        memcpy(l->tokens[(l->first_token + l->n_tokens++) % TOKENS_MAX], c->token, TOKEN_BYTES);
    c->token[0] = '\0';
}

static void failed(load_t *l, conn_t *c, uint64_t *count)
{
    ++*count;
    slice_of(l, c->begun_us)->failed++;
    /* Nobody knows whether it was used: within the grace time it is good once more. */
    give_back(l, c);
    drop(l, c);
}

static void send_request(load_t *l, conn_t *c)
{
    char text[2 * REQUEST_BYTES + TOKEN_BYTES];
    size_t body = strlen(l->body) + strlen(c->token);
    int n = snprintf(text, sizeof text, "%sContent-Length: %zu\r\n\r\n%s%s", l->head, body, l->body,
                     c->token);
    c->state = BUSY;
    c->n = 0;
    if (send(c->fd, text, (size_t)n, MSG_NOSIGNAL) != n)
        failed(l, c, &l->phases[c->phase].broken);
}

static bool open_conn(load_t *l, conn_t *c)
{
    static const int ONE = 1;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0)
        return false;
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &ONE, sizeof ONE);
    if (connect(c->fd, (struct sockaddr *)&l->to, sizeof l->to) != 0 && errno != EINPROGRESS) {
        close(c->fd);
        return false;
    }
    struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLET,
                            .data.u32 = (uint32_t)(c - l->conns)};
    epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &e);
    c->state = CONNECTING;
    return true;
}

static void begin(load_t *l, unsigned phase, int64_t meant_us)
{
    l->phases[phase].meant++;
    slice_of(l, meant_us)->meant++;
    if (l->n_free == 0 || (l->tokens && l->n_tokens == 0)) {
        l->phases[phase].unsent++;
        return;
    }
    conn_t *c = &l->conns[l->free[--l->n_free]];
    c->begun_us = meant_us;
    c->phase = phase;
    l->phases[phase].sent_slots[slot_of(now_us() - meant_us)]++;
    c->serial = ++l->serials;
    if (l->tokens) {
        memcpy(c->token, l->tokens[l->first_token], TOKEN_BYTES);
        l->first_token = (l->first_token + 1) % TOKENS_MAX;
        l->n_tokens--;
    }
    l->waiting[(l->first + l->n_waiting++) % l->cap].conn = (int)(c - l->conns);
    l->waiting[(l->first + l->n_waiting - 1) % l->cap].serial = c->serial;
    if (c->state == IDLE)
        send_request(l, c);
    else if (!open_conn(l, c)) {
        l->phases[phase].broken++;
        give_back(l, c);
        put_free(l, c);
    }
}

/* ---- answers ---- */

static void take_token(conn_t *c)
{
    static const char NAME[] = "\"refresh_token\":\"";
    char *at = strstr(c->answer, NAME);
    char *end = at ? strchr(at + sizeof NAME - 1, '"') : NULL;
    if (!end || end - (at + sizeof NAME - 1) >= TOKEN_BYTES)
        return;
    memset(c->token, 0, sizeof c->token);
    memcpy(c->token, at + sizeof NAME - 1, (size_t)(end - (at + sizeof NAME - 1)));
}

static void note_ok(load_t *l, conn_t *c, uint32_t slot)
{
    slice_t *s = slice_of(l, c->begun_us);
    l->phases[c->phase].ok++;
    l->phases[c->phase].ok_slots[slot]++;
    s->ok++;
    s->slowest_ms = slot / 10 > s->slowest_ms ? slot / 10 : s->slowest_ms;
}

static void answered(load_t *l, conn_t *c, int status)
{
    phase_t *p = &l->phases[c->phase];
    uint32_t slot = slot_of(now_us() - c->begun_us);
    if (status == 200) {
        note_ok(l, c, slot);
        take_token(c);
    } else if (status == 503 || status == 429) {
        p->shed++;
        p->shed_slots[slot]++;
        slice_of(l, c->begun_us)->shed++;
    } else {
        p->other++;
        fprintf(stderr, "status %d: %.300s\n", status, c->answer);
    }
    give_back(l, c);
    if (strcasestr(c->answer, "connection: close"))
        drop(l, c);
    else {
        c->state = IDLE;
        put_free(l, c);
    }
}

/* The length of a whole answer; 0: more must come. */
static size_t whole(const conn_t *c)
{
    const char *end = strstr(c->answer, "\r\n\r\n");
    const char *length = strcasestr(c->answer, "content-length:");
    if (!end)
        return 0;
    size_t n = (size_t)(end + 4 - c->answer) + (length ? strtoul(length + 15, NULL, 10) : 0);
    return c->n >= n ? n : 0;
}

static void readable(load_t *l, conn_t *c)
{
    for (;;) {
        ssize_t n = recv(c->fd, c->answer + c->n, ANSWER_BYTES - 1 - c->n, 0);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0 && c->state != IDLE) {
            failed(l, c, &l->phases[c->phase].broken);
            return;
        }
        if (n <= 0) { /* it is among the free ones, and is opened anew */
            close(c->fd);
            c->state = CLOSED;
            return;
        }
        c->n += (size_t)n;
        c->answer[c->n] = '\0';
        if (c->state == BUSY && whole(c)) {
            answered(l, c, atoi(c->answer + 9));
            return;
        }
    }
}

static void look(load_t *l, const struct epoll_event *e)
{
    conn_t *c = &l->conns[e->data.u32];
    if (c->state == CLOSED)
        return;
    if (c->state == CONNECTING && (e->events & (EPOLLERR | EPOLLHUP)))
        failed(l, c, &l->phases[c->phase].broken);
    else if (c->state == CONNECTING && (e->events & EPOLLOUT))
        send_request(l, c);
    if (c->state != CLOSED && (e->events & (EPOLLIN | EPOLLHUP)))
        readable(l, c);
}

/* ---- time ---- */

static void give_up(load_t *l, int64_t now)
{
    while (l->n_waiting > 0) {
        conn_t *c = &l->conns[l->waiting[l->first].conn];
        bool waits = c->serial == l->waiting[l->first].serial &&
                     (c->state == BUSY || c->state == CONNECTING);
        if (waits && now - c->begun_us < l->timeout_us)
            return;
        if (waits)
            failed(l, c, &l->phases[c->phase].late);
        l->first = (l->first + 1) % l->cap;
        l->n_waiting--;
    }
}

static void events(load_t *l, int64_t wait_us)
{
    struct epoll_event e[EVENTS];
    struct timespec wait = {wait_us / 1000000, wait_us % 1000000 * 1000};
    int n = epoll_pwait2(l->epoll, e, EVENTS, &wait, NULL);
    for (int i = 0; i < n; i++)
        look(l, &e[i]);
    give_up(l, now_us());
}

/* Sleeps until the next request is due: who spins takes the core from other loads beside it. */
static int64_t wait_us(const phase_t *p, int64_t since, uint64_t begun)
{
    if (p->rate <= 0)
        return 10000;
    int64_t left = since + (int64_t)((double)begun * 1e6 / p->rate) - now_us();
    return left < 0 ? 0 : left < 1000 ? left : 1000;
}

static void run_phase(load_t *l, unsigned phase)
{
    phase_t *p = &l->phases[phase];
    int64_t since = now_us(), until = since + (int64_t)(p->seconds * 1e6), now;
    uint64_t begun = 0;
    p->busy_us = -busy_us();
    while ((now = now_us()) < until) {
        if (p->rate <= 0)
            while (l->n_free > 0 && (!l->tokens || l->n_tokens > 0))
                begin(l, phase, now_us());
        uint64_t due = p->rate > 0 ? (uint64_t)((double)(now - since) * p->rate / 1e6) + 1 : 0;
        for (; begun < due; begun++)
            begin(l, phase, since + (int64_t)((double)begun * 1e6 / p->rate));
        events(l, wait_us(p, since, begun));
    }
    p->busy_us += busy_us();
}

/* ---- beginning and end ---- */

/* Whoever comes next goes on with the tokens that are good now. */
static void keep_tokens(const load_t *l)
{
    const char *path = getenv("LOAD_TOKENS_OUT");
    FILE *f = path && *path ? fopen(path, "w") : NULL;
    for (size_t i = 0; f && i < l->n_tokens; i++)
        fprintf(f, "%s\n", l->tokens[(l->first_token + i) % TOKENS_MAX]);
    if (f)
        fclose(f);
}

static double percentile_ms(const uint32_t *slots, uint64_t n, double part)
{
    uint64_t seen = 0;
    for (uint32_t i = 0; i <= SLOTS_MAX; i++)
        if ((seen += slots[i]) >= (uint64_t)((double)n * part) && n > 0)
            return i / 10.0;
    return 0;
}

static void print(const load_t *l, double seconds)
{
    printf("{\"phases\":[");
    for (unsigned i = 0; i < l->n_phases; i++) {
        const phase_t *p = &l->phases[i];
        printf("%s{\"rate\":%.0f,\"seconds\":%.1f,\"meant\":%llu,\"unsent\":%llu,\"ok\":%llu,"
               "\"shed\":%llu,\"other\":%llu,\"late\":%llu,\"broken\":%llu,\"p50\":%.1f,"
               "\"p99\":%.1f,\"shed_p50\":%.1f,\"shed_p99\":%.1f,\"sent_p99\":%.1f,\"busy\":%.2f}",
               i ? "," : "", p->rate, p->seconds, (unsigned long long)p->meant,
               (unsigned long long)p->unsent, (unsigned long long)p->ok,
               (unsigned long long)p->shed, (unsigned long long)p->other,
               (unsigned long long)p->late, (unsigned long long)p->broken,
               percentile_ms(p->ok_slots, p->ok, .5), percentile_ms(p->ok_slots, p->ok, .99),
               percentile_ms(p->shed_slots, p->shed, .5),
               percentile_ms(p->shed_slots, p->shed, .99),
               percentile_ms(p->sent_slots, p->meant - p->unsent, .99),
               (double)p->busy_us / 1e6 / (p->seconds > 0 ? p->seconds : 1));
    }
    printf("],\"slices\":[");
    for (int i = 0; i < SLICES_MAX && i < (int)(seconds * 10); i++)
        printf("%s[%u,%u,%u,%u,%u]", i ? "," : "", l->slices[i].meant, l->slices[i].ok,
               l->slices[i].shed, l->slices[i].failed, l->slices[i].slowest_ms);
    printf("]}\n");
}

static void read_head(load_t *l, const char *path)
{
    FILE *f = fopen(path, "r");
    if (!f || fread(l->head, 1, sizeof l->head - 1, f) == 0) {
        perror(path);
        exit(2);
    }
    fclose(f);
}

static void read_tokens(load_t *l, const char *path)
{
    FILE *f = fopen(path, "r");
    l->tokens = calloc(TOKENS_MAX, sizeof *l->tokens);
    while (f && l->n_tokens < TOKENS_MAX && fscanf(f, "%199s", l->tokens[l->n_tokens]) == 1)
        l->n_tokens++;
    if (f)
        fclose(f);
}

static void prepare(load_t *l, char **argv, int argc)
{
    l->to = (struct sockaddr_in){.sin_family = AF_INET,
                                 .sin_port = htons((uint16_t)atoi(argv[1])),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    l->n_conns = atoi(argv[2]) < CONNECTIONS_MAX ? atoi(argv[2]) : CONNECTIONS_MAX;
    l->timeout_us = atoll(argv[3]) * 1000;
    snprintf(l->body, sizeof l->body, "%s", argv[6]);
    read_head(l, argv[5]);
    if (argc > 7)
        read_tokens(l, argv[7]);
    for (char *one = strtok(argv[4], ","); one && l->n_phases < PHASES_MAX;
         one = strtok(NULL, ",")) {
        phase_t *p = &l->phases[l->n_phases++];
        if (sscanf(one, "%lf:%lf", &p->rate, &p->seconds) != 2)
            exit(2);
    }
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    l->conns = calloc((size_t)l->n_conns, sizeof *l->conns);
    l->free = calloc((size_t)l->n_conns + 1, sizeof *l->free);
    l->cap = 1 << 20;
    l->waiting = calloc(l->cap, sizeof *l->waiting);
    for (int i = 0; i < l->n_conns; i++)
        put_free(l, &l->conns[i]);
}

int main(int argc, char **argv)
{
    load_t *l = calloc(1, sizeof *l);
    double seconds = 0;
    if (!l || argc < 7) {
        fprintf(stderr, "load PORT CONNECTIONS TIMEOUT_MS RATE:SECONDS,... HEAD BODY [TOKENS]\n");
        return 2;
    }
    prepare(l, argv, argc);
    l->begin_us = now_us();
    for (unsigned i = 0; i < l->n_phases; i++) {
        run_phase(l, i);
        seconds += l->phases[i].seconds;
    }
    int64_t until = now_us() + l->timeout_us + 100000;
    while (l->n_waiting > 0 && now_us() < until)
        events(l, 10000);
    print(l, seconds);
    keep_tokens(l);
    return 0;
}
