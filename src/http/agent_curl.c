/* The agent over libcurl: one thread drives all calls; what others want of them stands in a list
 * under a lock until it looks there. */
#include <curl/curl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "core/ports.h"
#include "http/agent_call.h"

/* How long to wait when libcurl itself cannot, as without memory. */
enum { AGAIN_MS = 10, LONGEST_WAIT_MS = 60000 };

struct http_agent {
    http_agent_settings_t settings;
    arena_t *arena; /* of the settings */
    CURLM *multi;
    pthread_t thread;
    bool has_thread;

    pthread_mutex_t lock;
    http_agent_call_t *calls; /* all; only the agent's thread takes some away */
    http_agent_call_t *wanted, **wanted_tail;
    uint64_t last_id;
    bool is_ending;
};

/* Under the lock. */
static void want(http_agent_t *agent, http_agent_call_t *c, unsigned what)
{
    if (!c->wanted) {
        c->next_wanted = NULL;
        *agent->wanted_tail = c;
        agent->wanted_tail = &c->next_wanted;
    }
    c->wanted |= what;
}

static http_agent_call_t *take_wanted(http_agent_t *agent, unsigned *what)
{
    pthread_mutex_lock(&agent->lock);
    http_agent_call_t *c = agent->wanted;
    if (c) {
        agent->wanted = c->next_wanted;
        if (!agent->wanted)
            agent->wanted_tail = &agent->wanted;
        *what = c->wanted;
        c->wanted = 0;
    }
    pthread_mutex_unlock(&agent->lock);
    return c;
}

/* Nobody finds the call any more. */
static void forget(http_agent_t *agent, http_agent_call_t *c)
{
    pthread_mutex_lock(&agent->lock);
    if (c->prev)
        c->prev->next = c->next;
    else
        agent->calls = c->next;
    if (c->next)
        c->next->prev = c->prev;
    http_agent_call_t **p = &agent->wanted;
    while (c->wanted && *p != c)
        p = &(*p)->next_wanted;
    if (c->wanted) {
        *p = c->next_wanted;
        if (!*p)
            agent->wanted_tail = p;
    }
    pthread_mutex_unlock(&agent->lock);
}

static void finish(http_agent_t *agent, http_agent_call_t *c, http_agent_end_t end)
{
    forget(agent, c);
    if (c->is_added)
        curl_multi_remove_handle(agent->multi, c->easy);
    c->events.end(c->events.ctx, end, str_c(c->why));
    http_call_free(c);
}

static void give_up(http_agent_t *agent, http_agent_call_t *c, http_agent_end_t end,
                    const char *why)
{
    http_call_fail(c, end, why);
    finish(agent, c, c->fault);
}

static int64_t mono_ms(void)
{
    return clock_micros() / 1000;
}

static void begin(http_agent_t *agent, http_agent_call_t *c)
{
    if (c->fault != HTTP_AGENT_DONE) {
        finish(agent, c, c->fault);
        return;
    }
    http_call_begin(c, mono_ms());
    c->is_added = curl_multi_add_handle(agent->multi, c->easy) == CURLM_OK;
    if (!c->is_added)
        give_up(agent, c, HTTP_AGENT_BROKEN, "there is no memory for the request");
}

/* libcurl hands over at once what it has kept, so that the call may fail here. */
static void go_on(http_agent_t *agent, http_agent_call_t *c)
{
    if (!c->is_paused)
        return;
    http_call_unpause(c, mono_ms());
    CURLcode code = curl_easy_pause(c->easy, CURLPAUSE_CONT);
    if (code != CURLE_OK)
        finish(agent, c, http_call_end(c, (int)code));
}

static void do_wanted(http_agent_t *agent)
{
    http_agent_call_t *c;
    unsigned what = 0;
    while ((c = take_wanted(agent, &what))) {
        if (what & HTTP_CALL_CANCEL)
            give_up(agent, c, HTTP_AGENT_CANCELLED, "");
        else if (what & HTTP_CALL_START)
            begin(agent, c);
        else
            go_on(agent, c);
    }
}

static void read_ends(http_agent_t *agent)
{
    CURLMsg *m;
    for (int left; (m = curl_multi_info_read(agent->multi, &left));) {
        http_agent_call_t *c = NULL;
        CURLcode code = m->data.result;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&c);
        finish(agent, c, http_call_end(c, (int)code));
    }
}

/* The call that is due first, or NULL. Calls are in the set until they have ended, and only this
 * thread ends them. */
static http_agent_call_t *first_due(http_agent_t *agent)
{
    http_agent_call_t *first = NULL;
    pthread_mutex_lock(&agent->lock);
    for (http_agent_call_t *c = agent->calls; c; c = c->next) {
        if (c->is_added && (!first || http_call_due(c) < http_call_due(first)))
            first = c;
    }
    pthread_mutex_unlock(&agent->lock);
    return first;
}

/* Ends what is over its time; how long to wait for the next that may be. */
static int end_due(http_agent_t *agent)
{
    http_agent_call_t *c;
    while ((c = first_due(agent))) {
        int64_t left = http_call_due(c) - mono_ms();
        if (left > 0)
            return left < LONGEST_WAIT_MS ? (int)left : LONGEST_WAIT_MS;
        give_up(agent, c, HTTP_AGENT_TIMEOUT,
                c->has_head ? "the answer did not end in time" : "no answer came in time");
    }
    return LONGEST_WAIT_MS;
}

static bool is_ending(http_agent_t *agent)
{
    pthread_mutex_lock(&agent->lock);
    bool is = agent->is_ending;
    pthread_mutex_unlock(&agent->lock);
    return is;
}

/* Whoever hears of an end may still call, but starts nothing any more. */
static void end_all(http_agent_t *agent)
{
    for (;;) {
        pthread_mutex_lock(&agent->lock);
        http_agent_call_t *c = agent->calls;
        pthread_mutex_unlock(&agent->lock);
        if (!c)
            return;
        give_up(agent, c, HTTP_AGENT_CANCELLED, "");
    }
}

static void *drive(void *arg)
{
    http_agent_t *agent = arg;
    const struct timespec nap = {0, AGAIN_MS * 1000000L};
    while (!is_ending(agent)) {
        int running;
        do_wanted(agent);
        CURLMcode code = curl_multi_perform(agent->multi, &running);
        do_wanted(agent); /* what was cancelled from an event ends so, whatever else has come */
        read_ends(agent);
        int wait = end_due(agent);
        if (code == CURLM_OK)
            code = curl_multi_poll(agent->multi, NULL, 0, wait, NULL);
        if (code != CURLM_OK)
            nanosleep(&nap, NULL);
    }
    end_all(agent);
    return NULL;
}

/* Signals are for the threads of the program, but for those that a fault of this one raises.
 * OpenSSL may raise SIGPIPE here. */
static rc_t start_thread(http_agent_t *agent)
{
    static const int FAULTS[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP};
    sigset_t others, before;
    sigfillset(&others);
    for (size_t i = 0; i < sizeof FAULTS / sizeof *FAULTS; i++)
        sigdelset(&others, FAULTS[i]);
    pthread_sigmask(SIG_SETMASK, &others, &before);
    agent->has_thread = pthread_create(&agent->thread, NULL, drive, agent) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return agent->has_thread ? RC_OK : RC_IO;
}

static void start_libcurl(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

static rc_t make(http_agent_t *agent, const http_agent_config_t *config)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, start_libcurl);
    agent->arena = arena_new(SIZE_MAX);
    agent->multi = curl_multi_init();
    if (!agent->arena || !agent->multi)
        return RC_MEMORY;
    TRY(http_agent_settings_read(agent->arena, config, &agent->settings));
    curl_multi_setopt(agent->multi, CURLMOPT_MAXCONNECTS, (long)LIMIT_HTTP_AGENT_CONNECTIONS);
    return start_thread(agent);
}

rc_t http_agent_new(const http_agent_config_t *config, http_agent_t **out)
{
    http_agent_t *agent = calloc(1, sizeof *agent);
    if (!agent)
        return RC_MEMORY;
    pthread_mutex_init(&agent->lock, NULL);
    agent->wanted_tail = &agent->wanted;
    rc_t rc = make(agent, config);
    if (rc == RC_OK)
        *out = agent;
    else
        http_agent_free(agent);
    return rc;
}

static void end_thread(http_agent_t *agent)
{
    pthread_mutex_lock(&agent->lock);
    agent->is_ending = true;
    pthread_mutex_unlock(&agent->lock);
    curl_multi_wakeup(agent->multi);
    pthread_join(agent->thread, NULL);
}

void http_agent_free(http_agent_t *agent)
{
    if (!agent)
        return;
    if (agent->has_thread)
        end_thread(agent);
    curl_multi_cleanup(agent->multi);
    pthread_mutex_destroy(&agent->lock);
    arena_free(agent->arena);
    free(agent);
}

static bool enlist(http_agent_t *agent, http_agent_call_t *c, uint64_t *id)
{
    pthread_mutex_lock(&agent->lock);
    bool is_open = !agent->is_ending;
    if (is_open) {
        *id = c->id = ++agent->last_id;
        c->next = agent->calls;
        if (c->next)
            c->next->prev = c;
        agent->calls = c;
        want(agent, c, HTTP_CALL_START);
    }
    pthread_mutex_unlock(&agent->lock);
    return is_open;
}

rc_t http_agent_start(http_agent_t *agent, const http_agent_request_t *request,
                      http_agent_events_t events, uint64_t *call)
{
    http_agent_call_t *c = NULL;
    TRY(http_call_new(&agent->settings, request, events, &c));
    if (!enlist(agent, c, call)) {
        http_call_free(c);
        return RC_IO;
    }
    curl_multi_wakeup(agent->multi);
    return RC_OK;
}

static void want_of(http_agent_t *agent, uint64_t call, unsigned what)
{
    pthread_mutex_lock(&agent->lock);
    http_agent_call_t *c = agent->calls;
    while (c && c->id != call)
        c = c->next;
    if (c)
        want(agent, c, what);
    pthread_mutex_unlock(&agent->lock);
    if (c)
        curl_multi_wakeup(agent->multi);
}

void http_agent_cancel(http_agent_t *agent, uint64_t call)
{
    want_of(agent, call, HTTP_CALL_CANCEL);
}

void http_agent_resume(http_agent_t *agent, uint64_t call)
{
    want_of(agent, call, HTTP_CALL_RESUME);
}
