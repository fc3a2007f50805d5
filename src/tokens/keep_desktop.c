#include "tokens/desktop.h"
#include "tokens/keep_files.h"
#include "tokens/keep_parts.h"

#include <stdlib.h>
#include <unistd.h>

struct tokens_desktop {
    int dir; /* where the locks are */
};

/* That the service is not to be had is for tokens_desktop_open to say; later it is a failure. */
static rc_t late(rc_t rc)
{
    return rc == RC_NOT_FOUND ? RC_IO : rc;
}

static rc_t get_first(desktop_talk_t *t, str_t name, secret_t *out)
{
    str_list_t items;
    TRY(desktop_find(t, name, &items));
    return items.n > 0 ? desktop_get(t, items.v[0], out) : RC_NOT_FOUND;
}

static rc_t desktop_keep_read(void *ctx, arena_t *a, str_t name, secret_t *out, str_t *why)
{
    (void)ctx;
    desktop_talk_t *t;
    *out = secret_of(STR_UNSET);
    TRY(tokens_name_check(name, why));
    TRY(late(desktop_begin(a, DESKTOP_TALK_MS, &t, why)));
    rc_t rc = get_first(t, name, out);
    desktop_end(t);
    return rc;
}

static rc_t desktop_keep_write(void *ctx, arena_t *a, str_t name, secret_t text, str_t *why)
{
    (void)ctx;
    desktop_talk_t *t;
    TRY(tokens_entry_check(name, text, why));
    TRY(late(desktop_begin(a, DESKTOP_TALK_MS, &t, why)));
    rc_t rc = late(desktop_put(t, name, text));
    desktop_end(t);
    return rc;
}

static rc_t erase_all(desktop_talk_t *t, str_t name)
{
    str_list_t items;
    TRY(desktop_find(t, name, &items));
    for (size_t i = 0; i < items.n; i++) {
        rc_t rc = desktop_delete(t, items.v[i]);
        if (rc != RC_OK && rc != RC_NOT_FOUND)
            return rc;
    }
    return items.n > 0 ? RC_OK : RC_NOT_FOUND;
}

static rc_t desktop_keep_erase(void *ctx, arena_t *a, str_t name, str_t *why)
{
    (void)ctx;
    desktop_talk_t *t;
    TRY(tokens_name_check(name, why));
    TRY(late(desktop_begin(a, DESKTOP_TALK_MS, &t, why)));
    rc_t rc = erase_all(t, name);
    desktop_end(t);
    return rc;
}

/* Items of other programs that say that they are ours may have any names, and the same ones. */
static rc_t list(desktop_talk_t *t, arena_t *a, str_list_t *out)
{
    str_list_t items;
    size_t n = 0, kept = 0;
    TRY(desktop_find(t, STR_UNSET, &items));
    str_t *v = ARENA_ARRAY(a, items.n + 1, str_t);
    if (!v)
        return RC_MEMORY;
    for (size_t i = 0; i < items.n; i++) {
        TRY(desktop_name(t, items.v[i], &v[n]));
        n += tokens_name_is_good(v[n]);
    }
    tokens_names_sort(v, n);
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || !str_eq(v[kept - 1], v[i]))
            v[kept++] = v[i];
    *out = (str_list_t){v, kept};
    return RC_OK;
}

static rc_t desktop_keep_names(void *ctx, arena_t *a, str_list_t *out, str_t *why)
{
    (void)ctx;
    desktop_talk_t *t;
    *out = (str_list_t){NULL, 0};
    TRY(late(desktop_begin(a, DESKTOP_TALK_MS, &t, why)));
    rc_t rc = late(list(t, a, out));
    desktop_end(t);
    return rc;
}

static rc_t desktop_keep_lock(void *ctx, str_t name, int64_t wait_ms, tokens_lock_t **out)
{
    const tokens_desktop_t *d = ctx;
    return tokens_file_lock(d->dir, name, wait_ms, out);
}

static void desktop_keep_unlock(void *ctx, tokens_lock_t *lock)
{
    (void)ctx;
    tokens_file_unlock(lock);
}

rc_t tokens_desktop_open(arena_t *a, str_t folder, tokens_desktop_t **out, str_t *why)
{
    desktop_talk_t *talk;
    *out = NULL;
    TRY(desktop_begin(a, DESKTOP_TALK_MS, &talk, why));
    desktop_end(talk);
    tokens_desktop_t *d = calloc(1, sizeof *d);
    if (!d)
        return RC_MEMORY;
    rc_t rc = tokens_private_folder(a, folder, &d->dir, why);
    if (rc == RC_OK)
        *out = d;
    else
        free(d);
    return rc;
}

void tokens_desktop_close(tokens_desktop_t *d)
{
    if (!d)
        return;
    close(d->dir);
    free(d);
}

tokens_keep_t tokens_desktop_keep(tokens_desktop_t *d)
{
    return (tokens_keep_t){
        .read = desktop_keep_read,
        .write = desktop_keep_write,
        .erase = desktop_keep_erase,
        .names = desktop_keep_names,
        .lock = desktop_keep_lock,
        .unlock = desktop_keep_unlock,
        .place = STR("the secret service"),
        .ctx = d,
    };
}
