#include "rs/revocations.h"

#include "core/buf.h"
#include "core/limits.h"
#include "rs/flight.h"

#include <limits.h>
#include <stdlib.h>

/* A list that was followed without a gap is asked only for what is new. After a gap, its server may
 * have come back from a copy of its past, whose numbers begin lower: then all is read again. */
enum { GAP_MS = 60000 };
/* All pages together; one fetch is bounded by its port. */
enum { ROUND_MS = 20000 };
enum { PAGE_ARENA_BYTES = 1 << 20, LEEWAY_S = 60, TABLE_MIN = 64 };

typedef struct {
    oauth_revocation_t *v; /* open addressing; a free place has at == -1 */
    size_t cap, n;
    int64_t floor; /* more than is remembered: all tokens issued until then have ended; -1: none */
} table_t;

typedef struct {
    char *uri; /* NULL: not known */
    rs_list_times_t times;
    uint64_t generation;
    uint64_t seq; /* only the fetching thread */
    table_t table;
} list_t;

struct rs_revocations {
    const rs_settings_t *settings;
    const warder_rs_ports_t *ports;
    rs_flight_t flight;
    list_t lists[RS_SERVERS_MAX];
};

/* ---- decisions ---- */

bool rs_list_may_fetch(const rs_list_times_t *t, const rs_settings_t *s, int64_t mono_ms)
{
    return t->followed && (!t->failed || mono_ms - t->ended_at >= s->refetch_ms);
}

rs_list_age_t rs_list_age(const rs_list_times_t *t, const rs_settings_t *s, int64_t mono_ms)
{
    int64_t age = mono_ms - t->as_of;
    if (!t->followed || (t->have && age < s->poll_ms / 2))
        return RS_LIST_FRESH;
    if (t->have && age < s->poll_ms)
        return RS_LIST_DUE;
    if (!t->failed)
        return RS_LIST_WAIT;
    /* It cannot be had: nobody waits for it any more, or each request would. */
    bool counts = s->list_stale_ms < 0 || (t->have && age < s->list_stale_ms);
    return counts ? RS_LIST_DUE : RS_LIST_AWAY;
}

/* ---- the table ---- */

static bool table_init(table_t *t, size_t cap)
{
    *t = (table_t){.v = malloc(cap * sizeof *t->v), .cap = cap, .floor = -1};
    for (size_t i = 0; t->v && i < cap; i++)
        t->v[i].at = -1;
    return t->v != NULL;
}

/* The place of an id, or the free one where it belongs. Ids are hashes: each bit is as good. */
static oauth_revocation_t *table_find(const table_t *t, const uint8_t *id)
{
    uint64_t at;
    memcpy(&at, id, sizeof at);
    for (;; at++) {
        oauth_revocation_t *place = &t->v[at & (t->cap - 1)];
        if (place->at < 0 || memcmp(place->id, id, sizeof place->id) == 0)
            return place;
    }
}

static void table_set(table_t *t, const oauth_revocation_t *entry)
{
    oauth_revocation_t *place = table_find(t, entry->id);
    int64_t before = place->at;
    t->n += before < 0;
    *place = *entry;
    if (place->at < before)
        place->at = before;
}

static bool lives(const oauth_revocation_t *entry, int64_t now_s)
{
    return entry->at > now_s - MODEL_ACCESS_TOKEN_MAX_S - LEEWAY_S;
}

/* Makes room without those whose tokens have ended by themselves; false: no memory. */
static bool table_rebuild(table_t *t, int64_t now_s)
{
    table_t next;
    size_t live = 0, cap = TABLE_MIN;
    for (size_t i = 0; i < t->cap; i++)
        live += t->v[i].at >= 0 && lives(&t->v[i], now_s);
    while (cap < live * 4)
        cap *= 2;
    if (!table_init(&next, cap))
        return false;
    next.floor = t->floor;
    for (size_t i = 0; i < t->cap; i++)
        if (t->v[i].at >= 0 && lives(&t->v[i], now_s))
            table_set(&next, &t->v[i]);
    free(t->v);
    *t = next;
    return true;
}

/* What cannot be remembered ends everything that is older: too much, never too little. */
static void table_put(table_t *t, const oauth_revocation_t *entry, int64_t now_s)
{
    if (!lives(entry, now_s))
        return;
    bool room = (t->n + 1) * 2 <= t->cap || table_rebuild(t, now_s);
    if (room && t->n < LIMIT_RS_REVOCATIONS)
        table_set(t, entry);
    else if (entry->at > t->floor)
        t->floor = entry->at;
}

static int64_t table_at(const table_t *t, revoked_kind_t kind, str_t key)
{
    uint8_t id[OAUTH_REVOCATION_ID_BYTES];
    oauth_revocation_id(kind, key, id);
    return table_find(t, id)->at;
}

bool rs_revocations_hold(rs_revocations_t *r, size_t server, const rs_principal_t *who)
{
    const list_t *list = &r->lists[server];
    str_t jti = str_c(who->jti), family = oauth_revocation_family(jti);
    int64_t issued = who->iat_ms < 0 ? -1 : who->iat_ms / 1000, until = -1;
    bool ended = false;
    pthread_mutex_lock(&r->flight.lock);
    if (list->table.n > 0) {
        ended = table_at(&list->table, REVOKED_TOKEN, jti) >= 0 ||
                (str_is_set(family) && table_at(&list->table, REVOKED_GRANT, family) >= 0);
        const int64_t ats[] = {table_at(&list->table, REVOKED_SUBJECT, str_c(who->sub)),
                               table_at(&list->table, REVOKED_CLIENT, str_c(who->client_id)),
                               table_at(&list->table, REVOKED_ALL, STR(""))};
        for (size_t i = 0; i < sizeof ats / sizeof *ats; i++)
            until = ats[i] > until ? ats[i] : until;
    }
    if (list->table.floor > until)
        until = list->table.floor;
    pthread_mutex_unlock(&r->flight.lock);
    return ended || (until >= 0 && issued <= until);
}

/* ---- the fetching thread ---- */

static int64_t mono(const rs_revocations_t *r)
{
    return r->ports->mono_ms(r->ports->ctx);
}

static str_t page_url(arena_t *a, const char *uri, uint64_t since)
{
    return arena_printf(a, "%s%csince=%llu", uri, strchr(uri, '?') ? '&' : '?',
                        (unsigned long long)since);
}

static rc_t get(const rs_revocations_t *r, arena_t *a, list_t *list, oauth_revocation_page_t *page)
{
    str_t url = page_url(a, list->uri, list->seq);
    char *body = arena_alloc(a, LIMIT_REVOCATIONS_BYTES);
    if (!body || !str_is_set(url))
        return RC_MEMORY;
    int64_t n = r->ports->fetch(r->ports->ctx, url.p, body, LIMIT_REVOCATIONS_BYTES);
    if (n < 0 || n > LIMIT_REVOCATIONS_BYTES)
        return RC_IO;
    return oauth_revocation_list_read(a, str_of(body, (size_t)n), page);
}

static void merge(rs_revocations_t *r, list_t *list, const oauth_revocation_page_t *page,
                  int64_t now_s)
{
    pthread_mutex_lock(&r->flight.lock);
    if (list->table.n >= LIMIT_RS_REVOCATIONS)
        (void)!table_rebuild(&list->table, now_s); /* without memory it stays full: table_put */
    for (size_t i = 0; i < page->n; i++)
        table_put(&list->table, &page->v[i], now_s);
    if (page->n > 0)
        list->generation++;
    pthread_mutex_unlock(&r->flight.lock);
}

/* Page after page until there is no more. */
static bool fetch(rs_revocations_t *r, list_t *list, int64_t now_s)
{
    int64_t began = mono(r);
    for (size_t i = 0; i < LIMIT_RS_REVOCATION_PAGES && mono(r) - began < ROUND_MS; i++) {
        oauth_revocation_page_t page = {0};
        arena_t *a = arena_new(PAGE_ARENA_BYTES);
        rc_t rc = a ? get(r, a, list, &page) : RC_MEMORY;
        /* Back: its server has lost the numbers that were seen here, and tells all anew. */
        bool back = i == 0 && page.seq < list->seq;
        bool goes_on = rc == RC_OK && page.more && (page.seq > list->seq || back);
        bool whole = rc == RC_OK && !page.more;
        if (rc == RC_OK) {
            merge(r, list, &page, now_s);
            list->seq = page.seq;
        }
        arena_free(a);
        if (!goes_on)
            return whole;
    }
    return false;
}

/* With the lock, which is let go while bytes are on their way. */
static void refresh_one(rs_revocations_t *r, list_t *list, int64_t now_s)
{
    rs_list_times_t *t = &list->times;
    int64_t began = mono(r);
    if (rs_list_age(t, r->settings, began) == RS_LIST_FRESH ||
        !rs_list_may_fetch(t, r->settings, began))
        return;
    if (t->failed || !t->have || began - t->as_of >= GAP_MS)
        list->seq = 0;
    pthread_mutex_unlock(&r->flight.lock);
    bool whole = fetch(r, list, now_s);
    pthread_mutex_lock(&r->flight.lock);
    t->failed = !whole;
    t->ended_at = mono(r);
    if (whole) {
        t->have = true;
        t->as_of = began;
    }
}

void rs_revocations_refresh(rs_revocations_t *r, int64_t now_ms)
{
    pthread_mutex_lock(&r->flight.lock);
    if (rs_flight_begin(&r->flight, UINT_MAX)) {
        for (size_t i = 0; i < r->settings->n_servers; i++)
            refresh_one(r, &r->lists[i], now_ms / 1000);
        rs_flight_end(&r->flight);
    }
    pthread_mutex_unlock(&r->flight.lock);
}

/* ---- everybody else ---- */

void rs_revocations_look(rs_revocations_t *r, size_t server, rs_list_view_t *out)
{
    const list_t *list = &r->lists[server];
    int64_t now = mono(r);
    pthread_mutex_lock(&r->flight.lock);
    *out = (rs_list_view_t){.age = rs_list_age(&list->times, r->settings, now),
                            .fetching = r->flight.busy,
                            .may_fetch = rs_list_may_fetch(&list->times, r->settings, now),
                            .generation = list->generation};
    pthread_mutex_unlock(&r->flight.lock);
}

void rs_revocations_found(rs_revocations_t *r, size_t server, str_t uri)
{
    list_t *list = &r->lists[server];
    char *copy = str_is_set(uri) ? strndup(uri.p, uri.n) : NULL;
    pthread_mutex_lock(&r->flight.lock);
    /* Its place is read by the fetching thread without the lock: one that was found stays. */
    if (copy && !list->uri && r->settings->poll_ms > 0) {
        list->uri = copy;
        list->times.followed = true;
        copy = NULL;
    }
    pthread_mutex_unlock(&r->flight.lock);
    free(copy);
}

rs_revocations_t *rs_revocations_new(const rs_settings_t *s, const warder_rs_ports_t *ports)
{
    rs_revocations_t *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->settings = s;
    r->ports = ports;
    rs_flight_init(&r->flight);
    for (size_t i = 0; i < s->n_servers; i++) {
        if (!table_init(&r->lists[i].table, TABLE_MIN)) {
            rs_revocations_free(r);
            return NULL;
        }
        rs_revocations_found(r, i, s->servers[i].revocations_uri);
    }
    return r;
}

void rs_revocations_free(rs_revocations_t *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < RS_SERVERS_MAX; i++) {
        free(r->lists[i].uri);
        free(r->lists[i].table.v);
    }
    rs_flight_destroy(&r->flight);
    free(r);
}
