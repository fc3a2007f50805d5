#include "feed.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static rc_t complain(arena_t *a, const char *path, const char *text, str_t *why)
{
    *why = arena_printf(a, "The feed %s %s", path, text);
    return RC_CONFIG;
}

/* The whole file in the arena; unset when it cannot be read or is too long. */
static str_t read_all(arena_t *a, int fd, size_t size)
{
    char *p = size <= NEWS_FILE_BYTES ? arena_alloc(a, size + 1) : NULL;
    size_t n = 0;
    while (p && n < size) {
        ssize_t got = read(fd, p + n, size - n);
        if (got <= 0)
            break;
        n += (size_t)got;
    }
    return p ? str_of(p, n) : STR_UNSET;
}

static rc_t load_file(arena_t *a, const char *path, news_t *out, str_t *why)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0) {
        if (fd >= 0)
            close(fd);
        return complain(a, path, "cannot be opened: give --feed a file or folder you may read.",
                        why);
    }
    str_t text = read_all(a, fd, (size_t)st.st_size);
    close(fd);
    if (!text.p)
        return complain(a, path, "is larger than 8 MiB: split it into several files.", why);
    news_verdict_t verdict;
    TRY(news_parse(a, text, out, &verdict));
    if (verdict != NEWS_OK)
        return complain(a, path,
                        "is not a news feed: it must be strict JSON with an array \"feed\" in the "
                        "shape of Alpha Vantage's NEWS_SENTIMENT.",
                        why);
    return RC_OK;
}

static rc_t append(arena_t *a, news_t *all, const news_t *more)
{
    article_t *v = ARENA_ARRAY(a, all->n + more->n + 1, article_t);
    if (!v)
        return RC_MEMORY;
    if (all->n > 0)
        memcpy(v, all->v, all->n * sizeof *v);
    if (more->n > 0)
        memcpy(v + all->n, more->v, more->n * sizeof *v);
    *all = (news_t){v, all->n + more->n};
    return RC_OK;
}

static int is_json(const struct dirent *e)
{
    return e->d_name[0] != '.' && str_ends(str_c(e->d_name), STR(".json"));
}

static rc_t load_names(arena_t *a, const char *path, struct dirent **names, int n, news_t *out,
                       str_t *why)
{
    for (int i = 0; i < n; i++) {
        news_t one;
        str_t file = arena_printf(a, "%s/%s", path, names[i]->d_name);
        if (!file.p)
            return RC_MEMORY;
        TRY(load_file(a, file.p, &one, why));
        TRY(append(a, out, &one));
    }
    return RC_OK;
}

static rc_t load_folder(arena_t *a, const char *path, news_t *out, str_t *why)
{
    struct dirent **names = NULL;
    int n = scandir(path, &names, is_json, alphasort);
    rc_t rc = n < 0            ? complain(a, path, "cannot be read: check its permissions.", why)
              : n == 0         ? complain(a, path, "holds no *.json file.", why)
              : n > FEED_FILES ? complain(a, path, "holds more than 1000 files: join some.", why)
                               : load_names(a, path, names, n, out, why);
    for (int i = 0; i < n; i++)
        free(names[i]);
    free(names);
    return rc;
}

rc_t feed_load(arena_t *a, const char *path, news_t *out, str_t *why)
{
    struct stat st;
    *out = (news_t){0};
    if (stat(path, &st) != 0)
        return complain(a, path, "does not exist: give --feed a file or folder.", why);
    return S_ISDIR(st.st_mode) ? load_folder(a, path, out, why) : load_file(a, path, out, why);
}
