#include "core/buf.h"
#include "jose/seal.h"
#include "tokens/keep_files.h"
#include "tokens/keep_parts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEALED ".sealed"
#define DRAFT  ".draft"

enum {
    SEALED_BYTES = TOKENS_KEEP_BYTES + SEAL_EXTRA_BYTES,
    FILE_CHARS = TOKENS_NAME_BYTES + 32,
    DRAFT_LIFE_S = 3600, /* no write takes so long: whoever wrote it was killed */
};

struct tokens_folder {
    int dir;
    random_port_t random;
    char *path;
    char key[SEAL_KEY_BYTES];
};

static str_t key_of(const tokens_folder_t *f)
{
    return str_of(f->key, sizeof f->key);
}

/* At most `max` bytes, up to the end of the file. */
static ssize_t read_all(int fd, char *p, size_t max)
{
    size_t n = 0;
    while (n < max) {
        ssize_t got = read(fd, p + n, max - n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        n += (size_t)got;
    }
    return (ssize_t)n;
}

static bool write_all(int fd, str_t bytes)
{
    while (bytes.n > 0) {
        ssize_t n = write(fd, bytes.p, bytes.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        bytes = str_skip(bytes, (size_t)n);
    }
    return true;
}

/* A new file with these bytes, on the disk, under a name of its own: `file`. */
static rc_t write_draft(tokens_folder_t *f, arena_t *a, str_t bytes, char file[FILE_CHARS],
                        str_t *why)
{
    uint64_t bits;
    int fd;
    TRY(f->random.fill(f->random.ctx, &bits, sizeof bits));
    snprintf(file, FILE_CHARS, "%016llx" DRAFT, (unsigned long long)bits);
    rc_t rc = tokens_private_file(a, f->dir, file, O_WRONLY | O_CREAT | O_EXCL, &fd, why);
    if (rc == RC_NOT_FOUND)
        return tokens_file_failed(a, "cannot write in", f->path, why);
    TRY(rc);
    bool done = write_all(fd, bytes) && fsync(fd) == 0;
    rc = done ? RC_OK : tokens_file_failed(a, "cannot write in", f->path, why);
    close(fd);
    if (rc != RC_OK)
        (void)unlinkat(f->dir, file, 0);
    return rc;
}

/* A new name in the folder, or one that is gone, is on the disk only then. */
static rc_t sync_folder(tokens_folder_t *f, arena_t *a, str_t *why)
{
    return fsync(f->dir) == 0 ? RC_OK : tokens_file_failed(a, "cannot write in", f->path, why);
}

static rc_t read_key(tokens_folder_t *f, arena_t *a, str_t *why)
{
    int fd;
    char key[SEAL_KEY_BYTES + 1];
    TRY(tokens_private_file(a, f->dir, "key", O_RDONLY, &fd, why));
    ssize_t n = read_all(fd, key, sizeof key);
    close(fd);
    if (n == SEAL_KEY_BYTES)
        memcpy(f->key, key, SEAL_KEY_BYTES);
    secret_wipe(key, sizeof key);
    if (n == SEAL_KEY_BYTES)
        return RC_OK;
    if (n < 0)
        return tokens_file_failed(a, "cannot read the key in", f->path, why);
    *why = arena_printf(a, "'%s/key' has not the 32 bytes of a key: remove it, and sign in again",
                        f->path);
    return RC_CONFIG;
}

/* The name appears with all bytes behind it and only once: of processes that begin at the same
 * moment one makes the key, and the others read it. */
static rc_t make_key(tokens_folder_t *f, arena_t *a, str_t *why)
{
    char file[FILE_CHARS];
    char *key = secret_alloc(a, SEAL_KEY_BYTES);
    if (!key)
        return RC_MEMORY;
    TRY(f->random.fill(f->random.ctx, key, SEAL_KEY_BYTES));
    TRY(write_draft(f, a, str_of(key, SEAL_KEY_BYTES), file, why));
    bool linked = linkat(f->dir, file, f->dir, "key", 0) == 0 || errno == EEXIST;
    rc_t rc = linked ? RC_OK : tokens_file_failed(a, "cannot make a key in", f->path, why);
    (void)unlinkat(f->dir, file, 0);
    TRY(rc);
    TRY(sync_folder(f, a, why));
    return read_key(f, a, why);
}

static DIR *look_into(const tokens_folder_t *f)
{
    /* An opening of its own, as it has the place in the list. */
    int fd = openat(f->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir && fd >= 0)
        close(fd);
    return dir;
}

/* Drafts of processes that were killed. */
static void sweep(const tokens_folder_t *f)
{
    DIR *dir = look_into(f);
    clock_port_t clock = clock_system();
    int64_t before = clock_seconds(&clock) - DRAFT_LIFE_S;
    const struct dirent *e;
    struct stat st;
    while (dir && (e = readdir(dir))) {
        if (str_ends(str_c(e->d_name), STR(DRAFT)) &&
            fstatat(f->dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_mtime < before)
            (void)unlinkat(f->dir, e->d_name, 0);
    }
    if (dir)
        closedir(dir);
}

static rc_t begin(tokens_folder_t *f, arena_t *a, str_t path, str_t *why)
{
    TRY(tokens_private_folder(a, path, &f->dir, why));
    rc_t rc = read_key(f, a, why);
    if (rc == RC_NOT_FOUND)
        rc = make_key(f, a, why);
    if (rc == RC_OK)
        sweep(f);
    return rc;
}

rc_t tokens_folder_open(arena_t *a, str_t path, tokens_folder_t **out, str_t *why)
{
    tokens_folder_t *f = calloc(1, sizeof *f);
    *out = NULL;
    *why = STR_UNSET;
    if (!f)
        return RC_MEMORY;
    f->dir = -1;
    f->random = random_system();
    f->path = str_is_set(path) ? strndup(path.p, path.n) : NULL;
    rc_t rc = f->path ? begin(f, a, path, why) : RC_MEMORY;
    if (rc == RC_OK)
        *out = f;
    else
        tokens_folder_close(f);
    return rc;
}

void tokens_folder_close(tokens_folder_t *f)
{
    if (!f)
        return;
    if (f->dir >= 0)
        close(f->dir);
    secret_wipe(f->key, sizeof f->key);
    free(f->path);
    free(f);
}

static void sealed_name(str_t name, char file[FILE_CHARS])
{
    snprintf(file, FILE_CHARS, "%" PRIstr SEALED, STR_ARG(name));
}

/* One that is too long is read no further than that shows. */
static rc_t read_sealed(tokens_folder_t *f, arena_t *a, const char *file, str_t *out, str_t *why)
{
    int fd;
    struct stat st;
    TRY(tokens_private_file(a, f->dir, file, O_RDONLY, &fd, why));
    bool known = fstat(fd, &st) == 0;
    size_t max = known && st.st_size < SEALED_BYTES ? (size_t)st.st_size : SEALED_BYTES + 1;
    char *p = arena_alloc(a, max);
    ssize_t n = p ? read_all(fd, p, max) : 0;
    rc_t rc = n < 0 ? tokens_file_failed(a, "cannot read", file, why) : RC_OK;
    close(fd);
    if (!p)
        return RC_MEMORY;
    *out = str_of(p, n < 0 ? 0 : (size_t)n);
    return rc;
}

static rc_t folder_read(void *ctx, arena_t *a, str_t name, secret_t *out, str_t *why)
{
    tokens_folder_t *f = ctx;
    char file[FILE_CHARS];
    str_t sealed;
    *out = secret_of(STR_UNSET);
    TRY(tokens_name_check(name, why));
    sealed_name(name, file);
    TRY(read_sealed(f, a, file, &sealed, why));
    rc_t rc = jose_open(a, key_of(f), name, sealed, &out->hidden);
    if (rc != RC_MALFORMED)
        return rc;
    *why = arena_printf(a, "'%s/%s' cannot be opened with the key beside it", f->path, file);
    return RC_NOT_FOUND;
}

static rc_t folder_write(void *ctx, arena_t *a, str_t name, secret_t text, str_t *why)
{
    tokens_folder_t *f = ctx;
    char file[FILE_CHARS], draft[FILE_CHARS];
    str_t sealed;
    TRY(tokens_entry_check(name, text, why));
    TRY(jose_seal(a, f->random, key_of(f), name, text.hidden, &sealed));
    TRY(write_draft(f, a, sealed, draft, why));
    sealed_name(name, file);
    if (renameat(f->dir, draft, f->dir, file) == 0)
        return sync_folder(f, a, why);
    rc_t rc = tokens_file_failed(a, "cannot replace", file, why);
    (void)unlinkat(f->dir, draft, 0);
    return rc;
}

static rc_t folder_erase(void *ctx, arena_t *a, str_t name, str_t *why)
{
    tokens_folder_t *f = ctx;
    char file[FILE_CHARS];
    TRY(tokens_name_check(name, why));
    sealed_name(name, file);
    if (unlinkat(f->dir, file, 0) == 0)
        return sync_folder(f, a, why);
    return errno == ENOENT ? RC_NOT_FOUND : tokens_file_failed(a, "cannot remove", file, why);
}

/* Whether this is a file of ours that keeps something; its name then. */
static bool is_kept(const struct dirent *e, str_t *name)
{
    str_t file = str_c(e->d_name);
    if (!str_ends(file, STR(SEALED)))
        return false;
    *name = str_first(file, file.n - (sizeof SEALED - 1));
    return tokens_name_is_good(*name);
}

static size_t count(DIR *dir)
{
    size_t n = 0;
    str_t name;
    for (const struct dirent *e; (e = readdir(dir));)
        n += is_kept(e, &name);
    rewinddir(dir);
    return n;
}

/* Another process may add names in between: those are for the next time. */
static rc_t list(DIR *dir, arena_t *a, str_list_t *out)
{
    size_t max = count(dir), n = 0;
    str_t *v = ARENA_ARRAY(a, max + 1, str_t);
    if (!v)
        return RC_MEMORY;
    for (const struct dirent *e; n < max && (e = readdir(dir));) {
        str_t name;
        if (!is_kept(e, &name))
            continue;
        v[n] = arena_dup(a, name);
        if (!str_is_set(v[n++]))
            return RC_MEMORY;
    }
    tokens_names_sort(v, n);
    *out = (str_list_t){v, n};
    return RC_OK;
}

static rc_t folder_names(void *ctx, arena_t *a, str_list_t *out, str_t *why)
{
    tokens_folder_t *f = ctx;
    *out = (str_list_t){NULL, 0};
    *why = STR_UNSET;
    DIR *dir = look_into(f);
    if (!dir)
        return tokens_file_failed(a, "cannot look into", f->path, why);
    rc_t rc = list(dir, a, out);
    closedir(dir);
    return rc;
}

static rc_t folder_lock(void *ctx, str_t name, int64_t wait_ms, tokens_lock_t **out)
{
    const tokens_folder_t *f = ctx;
    return tokens_file_lock(f->dir, name, wait_ms, out);
}

static void folder_unlock(void *ctx, tokens_lock_t *lock)
{
    (void)ctx;
    tokens_file_unlock(lock);
}

tokens_keep_t tokens_folder_keep(tokens_folder_t *f)
{
    return (tokens_keep_t){
        .read = folder_read,
        .write = folder_write,
        .erase = folder_erase,
        .names = folder_names,
        .lock = folder_lock,
        .unlock = folder_unlock,
        .place = str_c(f->path),
        .ctx = f,
    };
}
