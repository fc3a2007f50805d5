#include "feed.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static rc_t complain(arena_t *a, const char *path, const char *text, str_t *why)
{
    str_t sentence = arena_printf(a, "the feed %s %s", path, text);
    if (!sentence.p)
        return RC_MEMORY;
    *why = sentence;
    return RC_CONFIG;
}

/* The whole file in the arena. */
static rc_t read_all(arena_t *a, int fd, size_t size, str_t *out)
{
    char *p = arena_alloc(a, size + 1);
    size_t n = 0;
    if (!p)
        return RC_MEMORY;
    while (n < size) {
        ssize_t got = read(fd, p + n, size - n);
        if (got <= 0)
            break;
        n += (size_t)got;
    }
    *out = str_of(p, n);
    return RC_OK;
}

static rc_t read_file(arena_t *a, const char *path, str_t *out, str_t *why)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    rc_t rc = RC_OK;
    if (fd < 0 || fstat(fd, &st) != 0)
        rc = complain(a, path, "cannot be opened: give --feed a file or folder you may read", why);
    else if (st.st_size > NEWS_FILE_BYTES)
        rc = complain(a, path, "is larger than 16 MiB: split it into several files", why);
    else
        rc = read_all(a, fd, (size_t)st.st_size, out);
    if (fd >= 0)
        close(fd);
    return rc;
}

static rc_t load_file(arena_t *a, const char *path, news_t *out, str_t *why)
{
    str_t text;
    news_verdict_t verdict;
    TRY(read_file(a, path, &text, why));
    TRY(news_parse(a, text, out, &verdict));
    if (verdict == NEWS_OK)
        return RC_OK;
    return complain(a, path,
                    "is not a news feed: it must be strict JSON with an array \"feed\" in the "
                    "shape of Alpha Vantage's NEWS_SENTIMENT",
                    why);
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
        TRY(news_append(a, out, &one));
    }
    return RC_OK;
}

static rc_t load_folder(arena_t *a, const char *path, news_t *out, str_t *why)
{
    struct dirent **names = NULL;
    int n = scandir(path, &names, is_json, alphasort);
    rc_t rc = n < 0            ? complain(a, path, "cannot be read: check its permissions", why)
              : n == 0         ? complain(a, path, "holds no *.json file", why)
              : n > FEED_FILES ? complain(a, path, "holds more than 1000 files: join some", why)
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
        return complain(a, path, "does not exist: give --feed a file or folder", why);
    *why = STR("there is not enough memory for the feed: give --feed a smaller one");
    return S_ISDIR(st.st_mode) ? load_folder(a, path, out, why) : load_file(a, path, out, why);
}

rc_t feed_builtin(arena_t *a, news_t *out)
{
    news_verdict_t verdict;
    TRY(news_parse(a, str_of(FEED_BUILTIN, FEED_BUILTIN_BYTES), out, &verdict));
    return verdict == NEWS_OK ? RC_OK : RC_MALFORMED;
}
