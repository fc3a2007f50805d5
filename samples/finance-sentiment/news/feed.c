#include "feed.h"
#include "rss.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char NO_FEED[] =
    "is not a news feed: it must be strict JSON with an array \"feed\" in the shape of Alpha "
    "Vantage's NEWS_SENTIMENT, or RSS or Atom";

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
    /* A pipe would let nobody go on until somebody writes into it. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    rc_t rc = RC_OK;
    if (fd < 0 || fstat(fd, &st) != 0)
        rc = complain(a, path, "cannot be opened: give --feed a file or folder you may read", why);
    else if (!S_ISREG(st.st_mode))
        rc = complain(a, path, "is no file: move it away", why);
    else if (st.st_size > NEWS_FILE_BYTES)
        rc = complain(a, path, "is larger than 16 MiB: split it into several files", why);
    else
        rc = read_all(a, fd, (size_t)st.st_size, out);
    if (fd >= 0)
        close(fd);
    return rc;
}

/* '<', behind a byte order mark or spaces, or UTF-16's. */
static bool is_xml(str_t text)
{
    static const str_t MARKS[] = {STR_INIT("\xff\xfe"), STR_INIT("\xfe\xff"),
                                  STR_INIT("\xef\xbb\xbf<")};
    for (size_t i = 0; i < sizeof MARKS / sizeof *MARKS; i++) {
        if (str_starts(text, MARKS[i]))
            return true;
    }
    return str_starts(str_trim(str_first(text, 1024), " \t\r\n"), STR("<"));
}

static rc_t read_text(arena_t *a, str_t text, const names_t *names, news_t *out, const char **bad)
{
    news_verdict_t json;
    rss_verdict_t xml;
    *bad = NULL;
    if (is_xml(text)) {
        TRY(rss_read(a, text, names, out, &xml));
        *bad = xml == RSS_OK ? NULL : rss_verdict_text(xml);
        return RC_OK;
    }
    TRY(news_parse(a, text, out, &json));
    *bad = json == NEWS_OK ? NULL : NO_FEED;
    return RC_OK;
}

rc_t feed_read(arena_t *a, const char *path, const names_t *names, news_t *out, str_t *why)
{
    str_t text;
    const char *bad;
    *out = (news_t){0};
    TRY(read_file(a, path, &text, why));
    TRY(read_text(a, text, names, out, &bad));
    return bad ? complain(a, path, bad, why) : RC_OK;
}

rc_t feed_read_names(arena_t *a, const char *path, names_t *out, str_t *why)
{
    str_t text;
    size_t line = 0;
    *out = (names_t){0};
    if (access(path, F_OK) != 0)
        return RC_OK;
    TRY(read_file(a, path, &text, why));
    rc_t rc = text.n > NAMES_FILE_BYTES ? RC_LIMIT : names_read(a, text, out, &line);
    if (rc != RC_MALFORMED && rc != RC_LIMIT)
        return rc;
    str_t what = arena_printf(a,
                              "is no table of names from its line %zu on: it wants "
                              "\"TICKER,Name,alias|alias\", and at most 50000 of them",
                              line);
    return what.p ? complain(a, path, what.p, why) : RC_MEMORY;
}
