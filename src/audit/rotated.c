#include "audit/rotated.h"

#include "audit/line.h"
#include "core/limits.h"
#include "core/num.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

enum { STAMP_BYTES = 16 }; /* 20251125T150502Z */

/* The places of a time's digits in "2025-11-25T15:05:02.000Z". */
static const uint8_t PLACES[STAMP_BYTES] = {0, 1, 2, 3, 5, 6, 8, 9, 10, 11, 12, 14, 15, 17, 18, 23};

void audit_rotated_suffix(buf_t *b, int64_t now_ms, uint64_t seq)
{
    char time[AUDIT_TIME_BYTES];
    audit_time_format(now_ms, time);
    buf_char(b, '.');
    for (size_t i = 0; i < STAMP_BYTES; i++)
        buf_char(b, time[PLACES[i]]);
    buf_char(b, '.');
    buf_u64(b, seq);
}

static bool read_stamp(str_t stamp, int64_t *ms)
{
    char time[AUDIT_TIME_BYTES];
    if (stamp.n != STAMP_BYTES)
        return false;
    memcpy(time, "0000-00-00T00:00:00.000Z", sizeof time);
    for (size_t i = 0; i < STAMP_BYTES; i++) {
        char mark = time[PLACES[i]], c = stamp.p[i];
        if (mark == '0' ? c < '0' || c > '9' : c != mark)
            return false;
        time[PLACES[i]] = c;
    }
    *ms = audit_time_parse(str_of(time, sizeof time));
    return true;
}

bool audit_rotated_parse(str_t base, str_t name, audit_rotated_t *out)
{
    if (!str_starts(name, base) || name.n < base.n + STAMP_BYTES + 3)
        return false;
    str_t rest = str_skip(name, base.n);
    str_t number = str_skip(rest, STAMP_BYTES + 2);
    return rest.p[0] == '.' && rest.p[STAMP_BYTES + 1] == '.' && number.p[0] != '0' &&
           read_stamp(str_of(rest.p + 1, STAMP_BYTES), &out->closed_ms) &&
           num_u64(number, INT64_MAX, &out->seq);
}

/* The path taken apart: what stands before the name, with its slash, and the name. */
typedef struct {
    str_t folder, base;
} place_t;

static place_t place_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t n = slash ? (size_t)(slash - path) + 1 : 0;
    return (place_t){str_of(path, n), str_c(path + n)};
}

static DIR *open_folder(str_t folder)
{
    char path[PATH_MAX];
    if (folder.n == 0)
        return opendir(".");
    if (folder.n >= sizeof path)
        return NULL;
    memcpy(path, folder.p, folder.n);
    path[folder.n] = '\0';
    return opendir(path);
}

static bool next(DIR *d, str_t base, audit_rotated_t *out, str_t *name)
{
    for (struct dirent *e; (e = readdir(d));) {
        *name = str_c(e->d_name);
        if (audit_rotated_parse(base, *name, out))
            return true;
    }
    return false;
}

static int by_seq(const void *a, const void *b)
{
    const audit_rotated_t *x = a, *y = b;
    return x->seq < y->seq ? -1 : x->seq > y->seq;
}

static rc_t collect(arena_t *a, DIR *d, const place_t *place, audit_rotated_t *list, size_t *n)
{
    audit_rotated_t one;
    str_t name;
    while (next(d, place->base, &one, &name)) {
        if (*n == LIMIT_AUDIT_FILES)
            return RC_LIMIT;
        one.path = arena_cstr(
            a, arena_printf(a, "%" PRIstr "%" PRIstr, STR_ARG(place->folder), STR_ARG(name)));
        if (!one.path)
            return RC_MEMORY;
        list[(*n)++] = one;
    }
    return RC_OK;
}

rc_t audit_rotated_list(arena_t *a, const char *path, audit_rotated_t **out, size_t *n)
{
    place_t place = place_of(path);
    *n = 0;
    *out = ARENA_ARRAY(a, LIMIT_AUDIT_FILES, audit_rotated_t);
    if (!*out)
        return RC_MEMORY;
    DIR *d = open_folder(place.folder);
    if (!d)
        return errno == ENOENT ? RC_OK : RC_IO;
    rc_t rc = collect(a, d, &place, *out, n);
    closedir(d);
    qsort(*out, *n, sizeof **out, by_seq);
    return rc;
}

bool audit_rotated_newest(const char *path, uint64_t least, char *out, size_t size)
{
    place_t place = place_of(path);
    audit_rotated_t one;
    str_t name;
    bool found = false;
    DIR *d = open_folder(place.folder);
    while (d && next(d, place.base, &one, &name)) {
        if (one.seq < least)
            continue;
        int n = snprintf(out, size, "%" PRIstr "%" PRIstr, STR_ARG(place.folder), STR_ARG(name));
        found = n < (int)size;
        least = one.seq;
    }
    if (d)
        closedir(d);
    return found;
}
