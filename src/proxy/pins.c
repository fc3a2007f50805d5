#include "proxy/pins.h"

#include <pthread.h>
#include <stdlib.h>

#include "proxy/pins_file.h"

enum { EACH_MS = 1000, LOCK_TRIES = 500 };

struct pins {
    pthread_mutex_t lock;
    pins_file_t file;
    const log_t *log;
    clock_port_t clock;
    arena_t *arena; /* of what is known */
    gate_pins_t known;
    bool unwritten; /* what is known is more than what the file holds */
    int64_t looked_ms, wrote_ms;
};

/* A definition that a page holds. */
typedef struct sight {
    struct sight *next;
    gate_pin_sight_t what;
    pins_verdict_t verdict;
} sight_t;

struct pins_list {
    pins_t *p;
    arena_t *a;
    const conf_upstream_t *upstream;
    bool whole, lost; /* lost: not every entry could be kept */
    sight_t *first, **last;
    size_t n;
    pins_news_t *news;
    size_t n_news;
};

static int64_t mono(const pins_t *p)
{
    return p->clock.mono_ms(p->clock.ctx);
}

/* Takes what the file holds; on failure what was known stays. */
static rc_t load(pins_t *p)
{
    gate_pins_t pins;
    arena_t *a = arena_new(GATE_PIN_ARENA_BYTES);
    if (!a)
        return RC_MEMORY;
    rc_t rc = pins_file_read(&p->file, a, &pins);
    if (rc != RC_OK) {
        arena_free(a);
        return rc;
    }
    arena_free(p->arena);
    p->arena = a;
    p->known = pins;
    p->unwritten = false;
    return RC_OK;
}

static rc_t save(pins_t *p)
{
    rc_t rc = pins_file_write(&p->file, &p->known);
    p->wrote_ms = mono(p);
    p->unwritten = rc != RC_OK;
    if (rc != RC_OK)
        LOG(p->log, LOG_ERROR, "the pins cannot be written", LOG_S("why", str_c(rc_name(rc))));
    return rc;
}

static void load_changed(pins_t *p)
{
    rc_t rc = pins_file_is_changed(&p->file) ? load(p) : RC_OK;
    if (rc != RC_OK)
        LOG(p->log, LOG_ERROR, "the pins cannot be read; those known before stay",
            LOG_S("why", str_c(rc_name(rc))));
}

/* Once a second: what others wrote is read, what was not written is. No worker waits for a command.
 */
static void look(pins_t *p)
{
    int64_t now = mono(p);
    if (now - p->looked_ms < EACH_MS)
        return;
    p->looked_ms = now;
    if (!p->unwritten && !pins_file_is_changed(&p->file))
        return;
    if (!pins_file_lock(&p->file, 1))
        return;
    load_changed(p);
    if (p->unwritten)
        (void)!save(p);
    pins_file_unlock(&p->file);
}

rc_t pins_new(arena_t *a, const pins_config_t *config, pins_t **out, str_t *why)
{
    const char *folder = arena_cstr(a, config->folder);
    pins_t *p = folder ? calloc(1, sizeof *p) : NULL;
    *out = NULL;
    *why = STR_UNSET;
    if (!p)
        return RC_MEMORY;
    *p = (pins_t){.log = config->log, .clock = config->clock};
    pthread_mutex_init(&p->lock, NULL);
    rc_t rc = pins_file_open(&p->file, folder);
    if (rc == RC_OK)
        rc = load(p);
    if (rc == RC_OK) {
        p->looked_ms = mono(p);
        p->wrote_ms = p->looked_ms - EACH_MS;
        *out = p;
        return RC_OK;
    }
    pins_free(p);
    bool bad = rc == RC_MALFORMED || rc == RC_LIMIT;
    *why = bad ? arena_printf(a,
                              "%s/pins.json is no file of pins: put back a copy of it, or "
                              "remove it, which trusts the tools as they are",
                              folder)
               : arena_printf(a, "%s/pins.json cannot be read", folder);
    return bad ? RC_CONFIG : rc;
}

void pins_free(pins_t *p)
{
    if (!p)
        return;
    if (p->unwritten && pins_file_lock(&p->file, LOCK_TRIES)) {
        load_changed(p);
        if (p->unwritten)
            (void)!save(p);
        pins_file_unlock(&p->file);
    }
    pins_file_close(&p->file);
    arena_free(p->arena);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

pins_list_t *pins_list_begin(pins_t *p, arena_t *a, const conf_upstream_t *upstream, bool whole)
{
    pins_list_t *l = ARENA_NEW(a, pins_list_t);
    if (!l)
        return NULL;
    *l = (pins_list_t){.p = p, .a = a, .upstream = upstream, .whole = whole};
    l->last = &l->first;
    return l;
}

/* Compares with what is known now; the lock is held no longer than that. */
static pins_verdict_t judge(pins_t *p, const conf_upstream_t *upstream, const gate_pin_sight_t *s)
{
    pthread_mutex_lock(&p->lock);
    look(p);
    const gate_pin_set_t *set = gate_pins_find(&p->known, s->path);
    pins_verdict_t v = {gate_pin_compare(set, s->tool, &s->definition), false};
    bool full = s->tool.n > GATE_PIN_NAME_BYTES ||
                (set && set->n == GATE_PIN_TOOLS && !gate_pin_find(set, s->tool));
    bool trusted = v.state == GATE_PIN_SAME ||
                   (v.state == GATE_PIN_NEW && gate_pin_is_first_use(set, s->now_s) && !full);
    v.withheld = upstream->pins == CONF_PINS_WITHHOLD && !trusted;
    pthread_mutex_unlock(&p->lock);
    return v;
}

static pins_verdict_t lose(pins_list_t *l)
{
    l->lost = true;
    return (pins_verdict_t){GATE_PIN_NEW, l->upstream->pins == CONF_PINS_WITHHOLD};
}

pins_verdict_t pins_list_see(pins_list_t *l, const json_t *tool)
{
    sight_t *s = ARENA_NEW(l->a, sight_t);
    if (l->upstream->pins == CONF_PINS_OFF)
        return (pins_verdict_t){GATE_PIN_SAME, false};
    if (!s)
        return lose(l);
    s->what.path = l->upstream->path;
    s->what.tool = json_get_str(tool, STR("name"));
    s->what.now_s = clock_seconds(&l->p->clock);
    s->what.text = gate_pin_text(l->a, tool);
    if (!s->what.tool.p || gate_pin_hash(l->a, tool, &s->what.definition) != RC_OK)
        return lose(l);
    s->verdict = judge(l->p, l->upstream, &s->what);
    *l->last = s;
    l->last = &s->next;
    l->n++;
    return s->verdict;
}

static void add_news(pins_list_t *l, str_t tool, gate_pin_state_t state, bool withheld)
{
    l->news[l->n_news++] = (pins_news_t){arena_dup(l->a, tool), state, withheld};
}

static void note_sights(pins_list_t *l)
{
    pins_t *p = l->p;
    for (const sight_t *s = l->first; s; s = s->next) {
        bool fresh;
        rc_t rc = gate_pin_note(p->arena, &p->known, &s->what, &fresh);
        if (rc != RC_OK)
            LOG(p->log, LOG_WARN, "there is no room for another pin",
                LOG_S("upstream", s->what.path), LOG_S("tool", s->what.tool));
        if (!fresh)
            continue;
        p->unwritten = true;
        add_news(l, s->what.tool, s->verdict.state, s->verdict.withheld);
    }
}

static void on_gone(void *ctx, str_t tool)
{
    pins_list_t *l = ctx;
    l->p->unwritten = true;
    add_news(l, tool, GATE_PIN_GONE, false);
}

static void note_gone(pins_list_t *l, gate_pin_set_t *set)
{
    size_t n = 0;
    str_t *names = ARENA_ARRAY(l->a, l->n + 1, str_t);
    for (const sight_t *s = names ? l->first : NULL; s; s = s->next)
        names[n++] = s->what.tool;
    if (names)
        gate_pin_note_gone(set, (str_list_t){names, n}, on_gone, l);
}

static void note_page(pins_list_t *l, bool more)
{
    gate_pin_set_t *set = gate_pins_find(&l->p->known, l->upstream->path);
    /* Each entry once, and as gone at most what there is then. */
    l->news = ARENA_ARRAY(l->a, 2 * l->n + (set ? set->n : 0) + 1, pins_news_t);
    if (!l->news)
        return;
    note_sights(l);
    set = gate_pins_find(&l->p->known, l->upstream->path);
    if (!set || l->lost)
        return;
    if (l->whole && !more)
        note_gone(l, set);
    if (more || set->complete)
        return;
    set->complete = true;
    l->p->unwritten = true;
}

pins_news_list_t pins_list_end(pins_list_t *l, bool more)
{
    pins_t *p = l->p;
    if (l->upstream->pins == CONF_PINS_OFF)
        return (pins_news_list_t){NULL, 0};
    pthread_mutex_lock(&p->lock);
    bool mine = pins_file_lock(&p->file, 1);
    if (mine)
        load_changed(p);
    note_page(l, more);
    if (mine && p->unwritten && mono(p) - p->wrote_ms >= EACH_MS)
        (void)!save(p);
    if (mine)
        pins_file_unlock(&p->file);
    pthread_mutex_unlock(&p->lock);
    return (pins_news_list_t){l->news, l->n_news};
}

bool pins_withholds(pins_t *p, const conf_upstream_t *upstream, str_t tool)
{
    if (upstream->pins != CONF_PINS_WITHHOLD)
        return false;
    pthread_mutex_lock(&p->lock);
    look(p);
    const gate_pin_set_t *set = gate_pins_find(&p->known, upstream->path);
    bool waits = gate_pin_waits(set, tool, clock_seconds(&p->clock));
    pthread_mutex_unlock(&p->lock);
    return waits;
}

void pins_tick(pins_t *p)
{
    pthread_mutex_lock(&p->lock);
    look(p);
    pthread_mutex_unlock(&p->lock);
}

/* A change by a command, and what came of it. */
typedef struct {
    const pins_choice_t *choice;
    arena_t *a;
    pins_trusted_t *trusted;
    size_t n;
} job_t;

/* What the server has written is read first, under the lock of both. */
static rc_t change(pins_t *p, rc_t (*apply)(pins_t *p, job_t *job), job_t *job)
{
    if (!pins_file_lock(&p->file, LOCK_TRIES))
        return RC_BUSY;
    pthread_mutex_lock(&p->lock);
    rc_t rc = load(p);
    if (rc == RC_OK)
        rc = apply(p, job);
    if (rc == RC_OK)
        rc = job->n > 0 ? save(p) : RC_NOT_FOUND;
    pthread_mutex_unlock(&p->lock);
    pins_file_unlock(&p->file);
    return rc;
}

static rc_t note_trusted(job_t *job, const gate_pin_t *pin)
{
    pins_trusted_t *t = &job->trusted[job->n];
    if (!gate_pin_is_pending(pin, job->choice->hash))
        return RC_CONFLICT;
    *t = (pins_trusted_t){arena_dup(job->a, pin->tool), pin->pending};
    job->n++;
    return t->tool.p ? RC_OK : RC_MEMORY;
}

/* Looks at all before it changes one. */
static rc_t approve(pins_t *p, job_t *job)
{
    gate_pin_set_t *set = gate_pins_find(&p->known, job->choice->path);
    str_t tool = job->choice->tool;
    job->trusted = ARENA_ARRAY(job->a, (set ? set->n : 0) + 1, pins_trusted_t);
    if (!job->trusted)
        return RC_MEMORY;
    for (size_t i = 0; set && i < set->n; i++) {
        if (set->v[i].has_pending && (!tool.p || str_eq(tool, set->v[i].tool)))
            TRY(note_trusted(job, &set->v[i]));
    }
    if (job->n > 0)
        gate_pin_approve(set, tool);
    return RC_OK;
}

static rc_t forget(pins_t *p, job_t *job)
{
    job->n = gate_pin_forget(&p->known, job->choice->path, job->choice->tool);
    return RC_OK;
}

rc_t pins_approve(pins_t *p, arena_t *a, const pins_choice_t *choice, pins_trusted_list_t *out)
{
    job_t job = {.choice = choice, .a = a};
    rc_t rc = change(p, approve, &job);
    *out = (pins_trusted_list_t){job.trusted, rc == RC_OK ? job.n : 0};
    return rc;
}

rc_t pins_forget(pins_t *p, str_t path, str_t tool, size_t *count)
{
    const pins_choice_t choice = {path, tool, STR_UNSET};
    job_t job = {.choice = &choice};
    rc_t rc = change(p, forget, &job);
    *count = rc == RC_OK ? job.n : 0;
    return rc;
}

void pins_each(pins_t *p, void (*each)(void *ctx, const gate_pin_set_t *set, const gate_pin_t *pin),
               void *ctx)
{
    pthread_mutex_lock(&p->lock);
    for (size_t i = 0; i < p->known.n; i++) {
        const gate_pin_set_t *set = &p->known.v[i];
        for (size_t j = 0; j < set->n; j++)
            each(ctx, set, &set->v[j]);
    }
    pthread_mutex_unlock(&p->lock);
}
