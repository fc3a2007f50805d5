#include "bridge/inbox.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

typedef struct note {
    struct note *next;
    size_t bytes;
    talk_fact_t fact; /* its slices lie behind */
    char text[];
} note_t;

struct bridge_inbox {
    pthread_mutex_t lock;
    pthread_cond_t room;
    note_t *first, **last; /* lock */
    size_t bytes, max;     /* lock */
    bool closed;           /* lock */
    note_t *taken;         /* of the thread that takes */
    int fd;
};

rc_t bridge_inbox_new(size_t max, bridge_inbox_t **out)
{
    bridge_inbox_t *b = calloc(1, sizeof *b);
    *out = NULL;
    if (!b)
        return RC_MEMORY;
    b->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (b->fd < 0) {
        free(b);
        return RC_IO;
    }
    pthread_mutex_init(&b->lock, NULL);
    pthread_cond_init(&b->room, NULL);
    b->last = &b->first;
    b->max = max;
    *out = b;
    return RC_OK;
}

void bridge_inbox_free(bridge_inbox_t *b)
{
    if (!b)
        return;
    bridge_inbox_done(b);
    while (b->first) {
        note_t *next = b->first->next;
        free(b->first);
        b->first = next;
    }
    pthread_cond_destroy(&b->room);
    pthread_mutex_destroy(&b->lock);
    close(b->fd);
    free(b);
}

static str_t put_behind(char **at, str_t s)
{
    if (!str_is_set(s))
        return s;
    memcpy(*at, s.p, s.n);
    str_t out = str_of(*at, s.n);
    *at += s.n;
    return out;
}

static note_t *copy(const talk_fact_t *fact)
{
    const mcp_link_failure_t *f = &fact->failure;
    size_t n = fact->text.n + f->detail.n + f->failure.detail.n;
    note_t *note = malloc(sizeof *note + n + 1);
    if (!note)
        return NULL;
    char *at = note->text;
    note->next = NULL;
    note->bytes = sizeof *note + n;
    note->fact = *fact;
    note->fact.text = put_behind(&at, fact->text);
    note->fact.failure.detail = put_behind(&at, f->detail);
    note->fact.failure.failure.detail = put_behind(&at, f->failure.detail);
    return note;
}

static void ring(const bridge_inbox_t *b)
{
    const uint64_t one = 1;
    ssize_t n = write(b->fd, &one, sizeof one); /* full: it rings already */
    (void)n;
}

static bool append(bridge_inbox_t *b, note_t *note, bool hurries)
{
    pthread_mutex_lock(&b->lock);
    while (!b->closed && !hurries && b->first && b->bytes + note->bytes > b->max)
        pthread_cond_wait(&b->room, &b->lock);
    bool takes = !b->closed;
    if (takes) {
        *b->last = note;
        b->last = &note->next;
        b->bytes += note->bytes;
    }
    pthread_mutex_unlock(&b->lock);
    return takes;
}

bool bridge_inbox_put(bridge_inbox_t *b, const talk_fact_t *fact, bool hurries)
{
    note_t *note = copy(fact);
    if (!note)
        return false;
    if (!append(b, note, hurries)) {
        free(note);
        return false;
    }
    ring(b);
    return true;
}

static void quiet(bridge_inbox_t *b)
{
    uint64_t count;
    if (b->first)
        return;
    ssize_t n = read(b->fd, &count, sizeof count);
    (void)n;
}

const talk_fact_t *bridge_inbox_take(bridge_inbox_t *b)
{
    pthread_mutex_lock(&b->lock);
    quiet(b);
    b->taken = b->first;
    if (b->taken) {
        b->first = b->taken->next;
        b->bytes -= b->taken->bytes;
        if (!b->first)
            b->last = &b->first;
        pthread_cond_signal(&b->room);
    }
    pthread_mutex_unlock(&b->lock);
    return b->taken ? &b->taken->fact : NULL;
}

void bridge_inbox_done(bridge_inbox_t *b)
{
    free(b->taken);
    b->taken = NULL;
}

void bridge_inbox_close(bridge_inbox_t *b)
{
    pthread_mutex_lock(&b->lock);
    b->closed = true;
    pthread_cond_broadcast(&b->room);
    pthread_mutex_unlock(&b->lock);
}

int bridge_inbox_fd(const bridge_inbox_t *b)
{
    return b->fd;
}
