#include "feed_watch.h"

#include "articles_import.h"
#include "feed.h"

#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

enum { PATH_BYTES = 4096 };

/* A file as it was when it was read last. */
typedef struct {
    char *path;
    struct timespec changed;
    off_t size;
    bool seen; /* in this round */
} file_t;

struct feeds {
    feeds_config_t config;
    str_t root; /* the path, or "builtin" */
    bool folder;
    char names_path[PATH_BYTES];
    file_t names_file;
    arena_t *names_arena;
    names_t names;
    file_t *file;
    size_t files;
    bool crowded; /* more files than are read; said once */
    pthread_t thread;
    pthread_mutex_t lock; /* guards `ending` */
    pthread_cond_t ends;
    bool running, ending;
};

/* --- what has changed --- */

/* True once for each state of the file; of one that is gone, never. */
static bool has_changed(file_t *f, const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return false;
    bool same = f->size == st.st_size && f->changed.tv_sec == st.st_mtim.tv_sec &&
                f->changed.tv_nsec == st.st_mtim.tv_nsec;
    f->size = st.st_size;
    f->changed = st.st_mtim;
    return !same;
}

/* The entry of a path, made when it is new; NULL: too many, or no memory. */
static file_t *entry_of(feeds_t *f, const char *path)
{
    for (size_t i = 0; i < f->files; i++) {
        if (strcmp(f->file[i].path, path) == 0)
            return &f->file[i];
    }
    char *copy = f->files < FEED_FILES ? strdup(path) : NULL;
    if (!copy)
        return NULL;
    f->file[f->files] = (file_t){.path = copy, .size = -1};
    return &f->file[f->files++];
}

/* A file that comes back is read again. */
static void forget_unseen(feeds_t *f)
{
    size_t n = 0;
    for (size_t i = 0; i < f->files; i++) {
        if (f->file[i].seen)
            f->file[n++] = f->file[i];
        else
            free(f->file[i].path);
    }
    f->files = n;
}

/* --- reading --- */

static str_t name_of(str_t path)
{
    size_t at = path.n;
    while (at > 0 && path.p[at - 1] != '/')
        at--;
    return str_skip(path, at);
}

static rc_t import(feeds_t *f, arena_t *a, const char *path, str_t *why)
{
    news_t news;
    articles_import_t out;
    articles_from_t from = {STR("file"), f->root, STR_UNSET};
    TRY(feed_read(a, path, &f->names, &news, why));
    from.origin = news_clean(a, name_of(str_c(path)), NEWS_NAME_BYTES);
    if (!from.origin.p)
        return RC_MEMORY;
    *why = STR("the store of articles failed: see the log");
    TRY(articles_import(f->config.store, &news, &from, &out));
    LOG(f->config.log, LOG_INFO, "feed read", LOG_S("file", str_c(path)),
        LOG_I("added", (int64_t)out.added), LOG_I("grouped", (int64_t)out.grouped),
        LOG_I("again", (int64_t)out.again), LOG_I("left", (int64_t)out.left));
    if (out.added > 0 && f->config.changed)
        f->config.changed(f->config.ctx);
    return RC_OK;
}

/* One file in an arena of its own; the sentence goes to `a`, where there is one, else to the log.
 */
static rc_t read_one(feeds_t *f, arena_t *a, const char *path, str_t *why)
{
    arena_t *own = arena_new(FEED_ARENA_BYTES);
    str_t said = STR("there is not enough memory for a feed");
    rc_t rc = own ? import(f, own, path, &said) : RC_MEMORY;
    if (rc != RC_OK && a)
        *why = arena_dup(a, said);
    else if (rc != RC_OK)
        LOG(f->config.log, LOG_WARN, "a feed cannot be read; what it brought before stays",
            LOG_S("file", str_c(path)), LOG_S("why", said));
    arena_free(own);
    return rc;
}

/* All that the company of a ticker is called, the name first; returns where the next one begins. */
static rc_t name_one(feeds_t *f, size_t *at)
{
    char names[ARTICLES_NAMES_BYTES];
    buf_t b = buf_fixed(names, sizeof names);
    const name_t *x = f->names.by_ticker[*at];
    buf_put(&b, x->name);
    for (; *at < f->names.n && str_eq(f->names.by_ticker[*at]->ticker, x->ticker); (*at)++) {
        str_t words = f->names.by_ticker[*at]->words;
        if (b.n + 1 + words.n > sizeof names || str_eq_nocase(words, x->name))
            continue;
        buf_char(&b, '|');
        buf_put(&b, words);
    }
    return articles_name(f->config.store, x->ticker, buf_str(&b));
}

static rc_t name_all(feeds_t *f)
{
    for (size_t i = 0; i < f->names.n;)
        TRY(name_one(f, &i));
    return RC_OK;
}

/* A new table is taken when it is whole; else the old one stays. */
static rc_t take_names(feeds_t *f, arena_t *fresh, rc_t rc, const names_t *names)
{
    if (rc != RC_OK) {
        arena_free(fresh);
        return rc;
    }
    arena_free(f->names_arena);
    f->names_arena = fresh;
    f->names = *names;
    for (size_t i = 0; i < f->files; i++)
        f->file[i].size = -1; /* they may name companies that were not known */
    return name_all(f);
}

static rc_t read_names(feeds_t *f, arena_t *a, str_t *why)
{
    names_t names;
    str_t said = STR("there is not enough memory for tickers.csv");
    if (!has_changed(&f->names_file, f->names_path))
        return RC_OK;
    arena_t *fresh = arena_new(FEED_ARENA_BYTES);
    rc_t rc = fresh ? feed_read_names(fresh, f->names_path, &names, &said) : RC_MEMORY;
    if (rc != RC_OK && a)
        *why = arena_dup(a, said);
    else if (rc != RC_OK)
        LOG(f->config.log, LOG_WARN, "a table of names cannot be read; the one before stays",
            LOG_S("why", said));
    return take_names(f, fresh, rc, &names);
}

/* --- folders --- */

static int is_feed(const struct dirent *e)
{
    static const str_t ENDS[] = {STR_INIT(".json"), STR_INIT(".xml"), STR_INIT(".rss"),
                                 STR_INIT(".atom")};
    for (size_t i = 0; i < sizeof ENDS / sizeof *ENDS; i++) {
        if (e->d_name[0] != '.' && str_ends(str_c(e->d_name), ENDS[i]))
            return 1;
    }
    return 0;
}

static rc_t look_at(feeds_t *f, arena_t *a, const char *path, str_t *why)
{
    file_t *entry = entry_of(f, path);
    if (!entry) {
        if (!f->crowded)
            LOG(f->config.log, LOG_WARN, "the feed holds more than 1000 files: join some",
                LOG_S("feed", f->root));
        f->crowded = true;
        return RC_OK;
    }
    entry->seen = true;
    if (!has_changed(entry, path))
        return RC_OK;
    rc_t rc = read_one(f, a, path, why);
    if (rc != RC_OK &&
        rc != RC_CONFIG) /* it was not the file's fault: once more in the next round */
        entry->size = -1;
    return rc;
}

static rc_t look_at_all(feeds_t *f, arena_t *a, struct dirent **names, int n, str_t *why)
{
    char path[PATH_BYTES];
    for (int i = 0; i < n; i++) {
        int length = snprintf(path, sizeof path, "%s/%s", f->config.path, names[i]->d_name);
        if (length < 0 || (size_t)length >= sizeof path)
            continue;
        rc_t rc = look_at(f, a, path, why);
        if (rc != RC_OK && a)
            return rc;
    }
    return RC_OK;
}

/* The sentence about the whole feed, where there is somebody to hear it. */
static rc_t complain(const feeds_t *f, arena_t *a, const char *what, str_t *why)
{
    if (!a)
        return RC_OK;
    *why = arena_printf(a, "the feed %s %s", f->config.path, what);
    return why->p ? RC_CONFIG : RC_MEMORY;
}

static rc_t look_at_folder(feeds_t *f, arena_t *a, str_t *why)
{
    struct dirent **names = NULL;
    int n = scandir(f->config.path, &names, is_feed, alphasort);
    if (n < 0)
        return complain(f, a, "cannot be read: check its permissions", why);
    for (size_t i = 0; i < f->files; i++)
        f->file[i].seen = false;
    rc_t rc = n == 0 && a ? complain(f, a, "holds no *.json, *.xml, *.rss or *.atom file", why)
                          : look_at_all(f, a, names, n, why);
    for (int i = 0; i < n; i++)
        free(names[i]);
    free(names);
    if (!a)
        forget_unseen(f);
    return rc;
}

static rc_t look(feeds_t *f, arena_t *a, str_t *why)
{
    if (!f->config.path)
        return RC_OK;
    rc_t rc = read_names(f, a, why);
    if (rc != RC_OK && a)
        return rc;
    return f->folder ? look_at_folder(f, a, why) : look_at(f, a, f->config.path, why);
}

/* --- opening --- */

static rc_t open_builtin(feeds_t *f)
{
    news_t news;
    news_verdict_t verdict;
    articles_import_t out;
    names_t names;
    size_t line;
    articles_from_t from = {STR("builtin"), f->root, STR("builtin")};
    arena_t *fresh = arena_new(FEED_ARENA_BYTES);
    rc_t rc =
        fresh ? names_read(fresh, str_of(FEED_NAMES, FEED_NAMES_BYTES), &names, &line) : RC_MEMORY;
    TRY(take_names(f, fresh, rc, &names));
    arena_t *own = arena_new(FEED_ARENA_BYTES);
    rc = own ? news_parse(own, str_of(FEED_BUILTIN, FEED_BUILTIN_BYTES), &news, &verdict)
             : RC_MEMORY;
    if (rc == RC_OK)
        rc = articles_import(f->config.store, &news, &from, &out);
    arena_free(own);
    return rc;
}

static rc_t open_path(feeds_t *f, arena_t *a, str_t *why)
{
    struct stat st;
    str_t path = str_c(f->config.path);
    if (stat(path.p, &st) != 0)
        return complain(f, a, "does not exist: give --feed a file or folder", why);
    f->folder = S_ISDIR(st.st_mode);
    size_t stem = f->folder ? path.n : path.n - name_of(path).n;
    int n = snprintf(f->names_path, sizeof f->names_path, "%.*s%stickers.csv", (int)stem, path.p,
                     f->folder ? "/" : "");
    if (n < 0 || (size_t)n >= sizeof f->names_path)
        return complain(f, a, "has too long a name: give --feed a shorter one", why);
    return RC_OK;
}

/* What other feeds brought goes first: an article of both is this one's then. */
static rc_t open_feed(feeds_t *f, arena_t *a, str_t *why)
{
    if (f->config.path)
        TRY(open_path(f, a, why));
    rc_t rc = articles_retire(f->config.store, f->root);
    if (rc == RC_OK)
        rc = f->config.path ? look(f, a, why) : open_builtin(f);
    if (rc == RC_IO || rc == RC_BUSY)
        *why = STR("the store of articles failed: see the log");
    return rc;
}

rc_t feeds_open(arena_t *a, const feeds_config_t *config, feeds_t **out, str_t *why)
{
    feeds_t *f = calloc(1, sizeof *f);
    *out = NULL;
    *why = STR("there is not enough memory for the feed: give --feed a smaller one");
    if (!f)
        return RC_MEMORY;
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->ends, &monotonic);
    pthread_condattr_destroy(&monotonic);
    f->config = *config;
    f->root = config->path ? str_c(config->path) : STR("builtin");
    f->names_file.size = -1;
    f->file = calloc(FEED_FILES, sizeof *f->file);
    rc_t rc = f->file ? open_feed(f, a, why) : RC_MEMORY;
    if (rc == RC_OK)
        *out = f;
    else
        feeds_close(f);
    return rc;
}

/* --- the thread --- */

void feeds_poll(feeds_t *f)
{
    str_t nobody;
    if (look(f, NULL, &nobody) != RC_OK || articles_mend(f->config.store) != RC_OK)
        LOG(f->config.log, LOG_WARN, "the feeds are looked at again in a minute",
            LOG_S("feed", f->root));
}

/* Waits for the next round; false: it is over. */
static bool wait_a_while(feeds_t *f)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += FEEDS_POLL_MS / 1000;
    pthread_mutex_lock(&f->lock);
    int rc = 0;
    while (!f->ending && rc == 0)
        rc = pthread_cond_timedwait(&f->ends, &f->lock, &until);
    bool on = !f->ending;
    pthread_mutex_unlock(&f->lock);
    return on;
}

static void *run(void *arg)
{
    feeds_t *f = arg;
    do
        feeds_poll(f);
    while (wait_a_while(f));
    return NULL;
}

rc_t feeds_start(feeds_t *f)
{
    f->running = pthread_create(&f->thread, NULL, run, f) == 0;
    return f->running ? RC_OK : RC_IO;
}

void feeds_close(feeds_t *f)
{
    if (!f)
        return;
    pthread_mutex_lock(&f->lock);
    f->ending = true;
    pthread_cond_signal(&f->ends);
    pthread_mutex_unlock(&f->lock);
    if (f->running)
        pthread_join(f->thread, NULL);
    for (size_t i = 0; i < f->files; i++)
        free(f->file[i].path);
    free(f->file);
    arena_free(f->names_arena);
    pthread_cond_destroy(&f->ends);
    pthread_mutex_destroy(&f->lock);
    free(f);
}
