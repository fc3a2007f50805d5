/* Putting in. reader.c takes out. */
#include "mcp_server/outbox_state.h"

#include <stdlib.h>

<<<<<<< HEAD
=======
typedef struct message {
    struct message *next;
    unsigned refs; /* under the lock: the list's, and the reader's that looks at it */
    mcp_out_t out;
    char bytes[]; /* of out's slices */
} message_t;

struct mcp_outbox {
    atomic_uint refs;
    bool kept;
    pthread_mutex_t lock; /* of all below, and of the readers */
    message_t *first, **last;
    message_t **waiting; /* where those begin that nobody took */
    size_t kept_count, kept_bytes, wait_count, wait_bytes;
    uint64_t number;  /* of the last one */
    uint64_t dropped; /* up to this one they are not here any more */
    bool ended;       /* the answer was put in */
    bool left;        /* a reader went, and none can come back */
    bool met;         /* a reader came, once */
    mcp_reader_t *reader;
};

/* Counted: by who attached it, and by a wake that is on its way. */
struct mcp_reader {
    atomic_uint refs;
    mcp_outbox_t *outbox; /* held */
    mcp_reading_t how;
    bool posted; /* a wake is on its way */
    message_t *held;
    bool again; /* the next take gives `held` */
};

>>>>>>> http
mcp_outbox_t *mcp_outbox_new(bool kept)
{
    mcp_outbox_t *o = calloc(1, sizeof *o);
    if (!o)
        return NULL;
    atomic_init(&o->refs, 1);
    o->kept = kept;
    o->last = o->waiting = &o->first;
    pthread_mutex_init(&o->lock, NULL);
    return o;
}

mcp_outbox_t *mcp_outbox_hold(mcp_outbox_t *o)
{
    atomic_fetch_add(&o->refs, 1);
    return o;
}

void outbox_release(outbox_message_t *m)
{
    if (m && --m->refs == 0)
        free(m);
}

void mcp_outbox_drop(mcp_outbox_t *o)
{
    if (!o || atomic_fetch_sub(&o->refs, 1) != 1)
        return;
    for (outbox_message_t *next; o->first; o->first = next) {
        next = o->first->next;
        outbox_release(o->first);
    }
    pthread_mutex_destroy(&o->lock);
    free(o);
}

static str_t copy(char **to, str_t s)
{
    if (!s.p)
        return STR_UNSET;
    char *p = *to;
    memcpy(p, s.p, s.n);
    *to += s.n;
    return str_of(p, s.n);
}

static outbox_message_t *message_new(const mcp_out_t *out)
{
    if (out->text.n > SIZE_MAX / 4 || out->needed.n > SIZE_MAX / 4)
        return NULL;
    outbox_message_t *m = malloc(sizeof *m + out->text.n + out->needed.n + 1);
    if (!m)
        return NULL;
    char *to = m->bytes;
    m->next = NULL;
    m->refs = 1;
    m->out = *out;
    m->out.text = copy(&to, out->text);
    m->out.needed = copy(&to, out->needed);
    return m;
}

/* RC_OK: there is room. Who reads may let bytes wait; for who may come back some messages do. */
static rc_t room(const mcp_outbox_t *o, const mcp_out_t *out)
{
    if (o->ended || (o->left && out->kind != MCP_OUT_ANSWER))
        return RC_NOT_FOUND;
    if (out->kind != MCP_OUT_MESSAGE)
        return RC_OK;
    bool read = o->reader != NULL;
    size_t most = o->kept && !read ? MCP_OUTBOX_KEPT_BYTES : MCP_OUTBOX_BYTES;
    if (out->text.n > most || o->wait_bytes > most - out->text.n)
        return RC_LIMIT;
    return o->kept && !read && o->wait_count >= MCP_OUTBOX_KEPT ? RC_LIMIT : RC_OK;
}

static void append(mcp_outbox_t *o, outbox_message_t *m)
{
    if (m->out.kind != MCP_OUT_LET_GO)
        o->number++;
    m->out.number = o->number;
    *o->last = m;
    o->last = &m->next;
    o->wait_count++;
    o->wait_bytes += m->out.text.n;
    o->ended = m->out.kind == MCP_OUT_ANSWER;
}

static bool is_for_nobody(const mcp_outbox_t *o, const mcp_out_t *out)
{
    if (o->left || out->kind != MCP_OUT_LET_GO)
        return o->left;
    return !o->kept || (o->met && !o->reader);
}

rc_t mcp_outbox_put(mcp_outbox_t *o, const mcp_out_t *out)
{
    outbox_message_t *m = message_new(out);
    if (!m)
        return RC_MEMORY;
    mcp_reader_t *r = NULL;
    pthread_mutex_lock(&o->lock);
    rc_t rc = room(o, out);
    if (rc == RC_OK && is_for_nobody(o, out)) {
        o->ended = out->kind == MCP_OUT_ANSWER;
    } else if (rc == RC_OK) {
        append(o, m);
        r = outbox_due(o->reader);
        m = NULL;
    }
    pthread_mutex_unlock(&o->lock);
    free(m);
    outbox_post(r);
    return rc;
}

void mcp_outbox_end(mcp_outbox_t *o)
{
    const mcp_out_t nothing = {.kind = MCP_OUT_ANSWER};
    if (mcp_outbox_put(o, &nothing) != RC_MEMORY)
        return;
    mcp_reader_t *r;
    pthread_mutex_lock(&o->lock);
    o->ended = true;
    r = outbox_due(o->reader);
    pthread_mutex_unlock(&o->lock);
<<<<<<< HEAD
    outbox_post(r);
=======
    post(r);
}

/* Taking out */

/* The oldest of those that are kept goes. */
static void forget_first(mcp_outbox_t *o)
{
    message_t *m = o->first;
    o->first = m->next;
    if (o->waiting == &m->next)
        o->waiting = &o->first;
    if (o->last == &m->next)
        o->last = &o->first;
    o->dropped = m->out.number;
    o->kept_count--;
    o->kept_bytes -= m->out.text.n;
    release(m);
}

static bool is_kept_one(const mcp_outbox_t *o)
{
    return o->waiting != &o->first;
}

static void forget_surplus(mcp_outbox_t *o)
{
    while (is_kept_one(o) &&
           (!o->kept || o->kept_count > MCP_OUTBOX_KEPT || o->kept_bytes > MCP_OUTBOX_KEPT_BYTES))
        forget_first(o);
}

/* The first that waits, which is kept from now on as far as there is room. A LET_GO never is: who
 * comes back must not be sent away again. */
static message_t *next_waiting(mcp_outbox_t *o)
{
    message_t *m = *o->waiting;
    if (!m)
        return NULL;
    o->wait_count--;
    o->wait_bytes -= m->out.text.n;
    if (m->out.kind == MCP_OUT_LET_GO) {
        *o->waiting = m->next;
        if (o->last == &m->next)
            o->last = o->waiting;
        return m;
    }
    m->refs++;
    o->waiting = &m->next;
    o->kept_count++;
    o->kept_bytes += m->out.text.n;
    forget_surplus(o);
    return m;
}

static bool take_locked(mcp_reader_t *r, mcp_out_t *out)
{
    if (r->outbox->reader != r)
        return false;
    if (!r->again) {
        release(r->held);
        r->held = next_waiting(r->outbox);
    }
    r->again = false;
    if (r->held)
        *out = r->held->out;
    return r->held != NULL;
}

bool mcp_reader_take(mcp_reader_t *r, mcp_out_t *out)
{
    pthread_mutex_lock(&r->outbox->lock);
    bool some = take_locked(r, out);
    pthread_mutex_unlock(&r->outbox->lock);
    return some;
}

void mcp_reader_untake(mcp_reader_t *r)
{
    pthread_mutex_lock(&r->outbox->lock);
    r->again = r->held != NULL;
    pthread_mutex_unlock(&r->outbox->lock);
}

bool mcp_reader_is_replaced(mcp_reader_t *r)
{
    pthread_mutex_lock(&r->outbox->lock);
    bool replaced = r->outbox->reader != r;
    pthread_mutex_unlock(&r->outbox->lock);
    return replaced;
}

/* Coming and going */

/* All that is here waits, from behind `after` on; what the client has is forgotten. */
static void rewind_to(mcp_outbox_t *o, uint64_t after)
{
    while (is_kept_one(o) && o->first->out.number <= after)
        forget_first(o);
    o->waiting = &o->first;
    o->wait_count += o->kept_count;
    o->wait_bytes += o->kept_bytes;
    o->kept_count = o->kept_bytes = 0;
}

/* A LET_GO was meant for the reader before. */
static void drop_let_go(mcp_outbox_t *o)
{
    message_t **at = o->waiting;
    while (*at) {
        message_t *m = *at;
        if (m->out.kind != MCP_OUT_LET_GO) {
            at = &m->next;
            continue;
        }
        *at = m->next;
        o->wait_count--;
        release(m);
    }
    o->last = at;
}

/* What waits and the client says to have was taken by a reader who never told: it went out. */
static void skip_known(mcp_outbox_t *o, uint64_t after)
{
    while (*o->waiting && (*o->waiting)->out.number <= after) {
        message_t *m = next_waiting(o);
        release(m);
    }
}

static rc_t place(mcp_outbox_t *o, uint64_t after)
{
    if (after == MCP_OUTBOX_UNTAKEN || !o->kept)
        return RC_OK;
    if (after > o->number || after < o->dropped)
        return RC_NOT_FOUND;
    rewind_to(o, after);
    skip_known(o, after);
    return RC_OK;
}

/* What a reader took and could not send waits for the next one. */
static void give_back(mcp_outbox_t *o, mcp_reader_t *r)
{
    if (!r || !r->again)
        return;
    r->again = false;
    message_t **at = &o->first;
    while (at != o->waiting && *at != r->held)
        at = &(*at)->next;
    if (at == o->waiting)
        return;
    for (message_t *m = *at; m != *o->waiting; m = m->next) {
        o->kept_count--;
        o->kept_bytes -= m->out.text.n;
        o->wait_count++;
        o->wait_bytes += m->out.text.n;
    }
    o->waiting = at;
}

/* The old one is woken to learn it. */
static rc_t attach_locked(mcp_outbox_t *o, mcp_reader_t *r, mcp_reader_t **old)
{
    give_back(o, o->reader);
    TRY(place(o, r->how.after));
    if (o->met)
        drop_let_go(o);
    *old = due(o->reader);
    o->reader = r;
    o->met = true;
    return RC_OK;
}

rc_t mcp_outbox_attach(mcp_outbox_t *o, const mcp_reading_t *how, mcp_reader_t **out)
{
    mcp_reader_t *r = calloc(1, sizeof *r);
    if (!r)
        return RC_MEMORY;
    atomic_init(&r->refs, 1);
    r->how = *how;
    r->outbox = mcp_outbox_hold(o);
    mcp_reader_t *old = NULL, *woken = NULL;
    pthread_mutex_lock(&o->lock);
    rc_t rc = attach_locked(o, r, &old);
    if (rc == RC_OK && *o->waiting)
        woken = due(r);
    pthread_mutex_unlock(&o->lock);
    post(old);
    if (rc != RC_OK) {
        drop_reader(r);
        return rc;
    }
    *out = r;
    post(woken);
    return RC_OK;
}

void mcp_reader_detach(mcp_reader_t *r)
{
    if (!r)
        return;
    mcp_outbox_t *o = r->outbox;
    pthread_mutex_lock(&o->lock);
    r->how.wake = NULL;
    if (o->reader == r) {
        give_back(o, r);
        o->reader = NULL;
        o->left = !o->kept;
    }
    release(r->held);
    r->held = NULL;
    pthread_mutex_unlock(&o->lock);
    drop_reader(r);
>>>>>>> http
}

bool mcp_outbox_is_attached(mcp_outbox_t *o)
{
    pthread_mutex_lock(&o->lock);
    bool attached = o->reader != NULL;
    pthread_mutex_unlock(&o->lock);
    return attached;
}

bool mcp_outbox_is_kept(const mcp_outbox_t *o)
{
    return o->kept;
}

bool mcp_outbox_ended(mcp_outbox_t *o)
{
    pthread_mutex_lock(&o->lock);
    bool ended = o->ended;
    pthread_mutex_unlock(&o->lock);
    return ended;
}
