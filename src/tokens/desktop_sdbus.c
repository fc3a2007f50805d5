#include "tokens/desktop.h"

#include "client/plain.h"
#include "core/ports.h"
#include "tokens/keep.h"

#include <errno.h>
#include <stdlib.h>
#include <systemd/sd-bus.h>

#define SERVICE "org.freedesktop.secrets"
#define SECRET  "org.freedesktop.Secret."
#define ROOT    "/org/freedesktop/secrets"
#define OURS    "application", "warder"

enum { ITEMS_MAX = 4096, NAMESAKES_MAX = 16, WORDS_BYTES = 200 };

struct desktop_talk {
    arena_t *arena;
    str_t *why;
    int64_t end; /* of clock_port_t.mono_ms */
    sd_bus *bus;
    const char *session, *collection; /* paths, in the arena */
};

static int64_t now_ms(void)
{
    clock_port_t clock = clock_system();
    return clock.mono_ms(clock.ctx);
}

static rc_t say(desktop_talk_t *t, const char *words)
{
    str_t plain = client_plain(t->arena, str_c(words), WORDS_BYTES);
    *t->why = arena_printf(t->arena, "the secret service: %" PRIstr, STR_ARG(plain));
    return RC_IO;
}

/* sd-bus answers with a negative errno. */
static rc_t check(desktop_talk_t *t, int r)
{
    if (r >= 0)
        return RC_OK;
    return r == -ENOMEM ? RC_MEMORY : say(t, strerror(-r));
}

static rc_t keep_path(desktop_talk_t *t, const char *path, const char **out)
{
    *out = arena_cstr(t->arena, str_c(path));
    return *out ? RC_OK : RC_MEMORY;
}

static rc_t message(desktop_talk_t *t, const char *path, const char *interface, const char *member,
                    sd_bus_message **out)
{
    *out = NULL;
    return check(t, sd_bus_message_new_method_call(t->bus, out, SERVICE, path, interface, member));
}

static rc_t send_it(desktop_talk_t *t, sd_bus_message *m, sd_bus_message **reply)
{
    sd_bus_error error = SD_BUS_ERROR_NULL;
    int64_t left = t->end - now_ms();
    int r = left > 0 ? sd_bus_call(t->bus, m, (uint64_t)left * 1000, &error, reply) : -ETIMEDOUT;
    rc_t rc = check(t, r);
    if (rc == RC_IO && error.message)
        rc = say(t, error.message);
    if (sd_bus_error_has_name(&error, SECRET "Error.NoSuchObject") ||
        sd_bus_error_has_name(&error, SD_BUS_ERROR_UNKNOWN_OBJECT))
        rc = RC_NOT_FOUND;
    sd_bus_error_free(&error);
    return rc;
}

/* Sends `m` and lets go of it, which may have failed to be built: `built`. */
static rc_t call(desktop_talk_t *t, sd_bus_message *m, int built, sd_bus_message **reply)
{
    *reply = NULL;
    rc_t rc = check(t, built);
    if (rc == RC_OK)
        rc = send_it(t, m, reply);
    sd_bus_message_unref(m);
    return rc;
}

/* A path of the answer, behind `skip` if that is set. */
static rc_t take_path(desktop_talk_t *t, sd_bus_message *reply, const char *skip, const char **out)
{
    const char *path = NULL;
    int r = skip ? sd_bus_message_skip(reply, skip) : 0;
    if (r >= 0)
        r = sd_bus_message_read(reply, "o", &path);
    rc_t rc = check(t, r);
    if (rc == RC_OK)
        rc = keep_path(t, path, out);
    sd_bus_message_unref(reply);
    return rc;
}

/* Whatever could only go on with a window for a person is called off: there may be none, and she
 * may be elsewhere. */
static rc_t refuse_prompt(desktop_talk_t *t, const char *prompt)
{
    sd_bus_message *m, *reply;
    if (strcmp(prompt, "/") == 0)
        return RC_OK;
    TRY(message(t, prompt, SECRET "Prompt", "Dismiss", &m));
    if (call(t, m, 0, &reply) == RC_OK)
        sd_bus_message_unref(reply);
    return say(t, "it is locked, and would have to ask a person");
}

/* "plain", as the bus is a socket of this user, and who could read along there could as well ask
 * the service itself: to encrypt between the two would add a key exchange and keep out nobody. */
static rc_t open_session(desktop_talk_t *t)
{
    sd_bus_message *m, *reply;
    TRY(message(t, ROOT, SECRET "Service", "OpenSession", &m));
    int r = sd_bus_message_append(m, "sv", "plain", "s", "");
    TRY(call(t, m, r, &reply));
    return take_path(t, reply, "v", &t->session);
}

static rc_t find_collection(desktop_talk_t *t)
{
    sd_bus_message *m, *reply;
    TRY(message(t, ROOT, SECRET "Service", "ReadAlias", &m));
    TRY(call(t, m, sd_bus_message_append(m, "s", "default"), &reply));
    TRY(take_path(t, reply, NULL, &t->collection));
    return strcmp(t->collection, "/") ? RC_OK : say(t, "it has no default collection");
}

static rc_t property(desktop_talk_t *t, const char *path, const char *interface, const char *name,
                     sd_bus_message **reply)
{
    sd_bus_message *m;
    TRY(message(t, path, "org.freedesktop.DBus.Properties", "Get", &m));
    return call(t, m, sd_bus_message_append(m, "ss", interface, name), reply);
}

static rc_t unlock(desktop_talk_t *t)
{
    sd_bus_message *m, *reply;
    const char *prompt;
    int locked = 1;
    TRY(property(t, t->collection, SECRET "Collection", "Locked", &reply));
    int r = sd_bus_message_read(reply, "v", "b", &locked);
    sd_bus_message_unref(reply);
    TRY(check(t, r));
    if (!locked)
        return RC_OK;
    TRY(message(t, ROOT, SECRET "Service", "Unlock", &m));
    TRY(call(t, m, sd_bus_message_append(m, "ao", 1, t->collection), &reply));
    TRY(take_path(t, reply, "ao", &prompt));
    return refuse_prompt(t, prompt);
}

/* Whoever listens at the bus's address may never answer: that must not take the library's own 90 s.
 */
static rc_t connect_bus(desktop_talk_t *t)
{
    TRY(check(t, sd_bus_open_user(&t->bus)));
    for (;;) {
        int r = sd_bus_is_ready(t->bus);
        if (r != 0)
            return check(t, r);
        int64_t left = t->end - now_ms();
        r = left > 0 ? sd_bus_process(t->bus, NULL) : -ETIMEDOUT;
        if (r == 0)
            r = sd_bus_wait(t->bus, (uint64_t)left * 1000);
        TRY(check(t, r == -EINTR ? 0 : r));
    }
}

static rc_t start(desktop_talk_t *t)
{
    TRY(connect_bus(t));
    TRY(open_session(t));
    TRY(find_collection(t));
    return unlock(t);
}

rc_t desktop_begin(arena_t *a, int64_t most_ms, desktop_talk_t **out, str_t *why)
{
    desktop_talk_t *t = calloc(1, sizeof *t);
    *out = NULL;
    *why = STR_UNSET;
    if (!t)
        return RC_MEMORY;
    t->arena = a;
    t->why = why;
    t->end = now_ms() + most_ms;
    rc_t rc = start(t);
    if (rc == RC_OK)
        *out = t;
    else
        desktop_end(t);
    return rc == RC_IO ? RC_NOT_FOUND : rc;
}

void desktop_end(desktop_talk_t *t)
{
    if (!t)
        return;
    sd_bus_close_unref(t->bus);
    free(t);
}

static rc_t take_paths(desktop_talk_t *t, sd_bus_message *reply, size_t max, str_list_t *out)
{
    str_t *v = ARENA_ARRAY(t->arena, max, str_t);
    if (!v)
        return RC_MEMORY;
    *out = (str_list_t){v, 0};
    TRY(check(t, sd_bus_message_enter_container(reply, 'a', "o")));
    while (out->n < max) {
        const char *path;
        int r = sd_bus_message_read(reply, "o", &path);
        if (r <= 0)
            return check(t, r);
        v[out->n] = arena_dup(t->arena, str_c(path));
        if (!str_is_set(v[out->n++]))
            return RC_MEMORY;
    }
    return RC_OK;
}

/* A C string of a name, "" of an unset one. */
static rc_t c_name(desktop_talk_t *t, str_t name, const char **out)
{
    *out = arena_cstr(t->arena, str_is_set(name) ? name : STR(""));
    return *out ? RC_OK : RC_MEMORY;
}

rc_t desktop_find(desktop_talk_t *t, str_t name, str_list_t *out)
{
    sd_bus_message *m, *reply;
    const char *c;
    *out = (str_list_t){NULL, 0};
    TRY(c_name(t, name, &c));
    TRY(message(t, t->collection, SECRET "Collection", "SearchItems", &m));
    int r = str_is_set(name) ? sd_bus_message_append(m, "a{ss}", 2, OURS, "name", c)
                             : sd_bus_message_append(m, "a{ss}", 1, OURS);
    TRY(call(t, m, r, &reply));
    rc_t rc = take_paths(t, reply, str_is_set(name) ? NAMESAKES_MAX : ITEMS_MAX, out);
    sd_bus_message_unref(reply);
    return rc;
}

static rc_t take_name(desktop_talk_t *t, sd_bus_message *reply, str_t *out)
{
    int r = sd_bus_message_enter_container(reply, 'v', "a{ss}");
    if (r >= 0)
        r = sd_bus_message_enter_container(reply, 'a', "{ss}");
    TRY(check(t, r));
    for (;;) {
        const char *key, *value;
        r = sd_bus_message_read(reply, "{ss}", &key, &value);
        if (r <= 0)
            return check(t, r);
        if (strcmp(key, "name") != 0)
            continue;
        *out = arena_dup(t->arena, str_c(value));
        return str_is_set(*out) ? RC_OK : RC_MEMORY;
    }
}

rc_t desktop_name(desktop_talk_t *t, str_t item, str_t *out)
{
    sd_bus_message *reply;
    const char *path;
    *out = STR_UNSET;
    TRY(c_name(t, item, &path));
    rc_t rc = property(t, path, SECRET "Item", "Attributes", &reply);
    if (rc != RC_OK)
        return rc == RC_NOT_FOUND ? RC_OK : rc;
    rc = take_name(t, reply, out);
    sd_bus_message_unref(reply);
    return rc;
}

/* (oayays): session, parameters, value, media type. */
static rc_t take_secret(desktop_talk_t *t, sd_bus_message *reply, secret_t *out)
{
    const void *bytes = NULL;
    size_t n = 0;
    int r = sd_bus_message_enter_container(reply, 'r', "oayays");
    if (r >= 0)
        r = sd_bus_message_skip(reply, "oay");
    if (r >= 0)
        r = sd_bus_message_read_array(reply, 'y', &bytes, &n);
    TRY(check(t, r));
    if (n > TOKENS_KEEP_BYTES)
        return RC_NOT_FOUND;
    *out = secret_dup(t->arena, str_of(bytes, n));
    return str_is_set(out->hidden) ? RC_OK : RC_MEMORY;
}

rc_t desktop_get(desktop_talk_t *t, str_t item, secret_t *out)
{
    sd_bus_message *m, *reply;
    const char *path;
    *out = secret_of(STR_UNSET);
    TRY(c_name(t, item, &path));
    TRY(message(t, path, SECRET "Item", "GetSecret", &m));
    TRY(call(t, m, sd_bus_message_append(m, "o", t->session), &reply));
    rc_t rc = check(t, sd_bus_message_sensitive(reply)); /* wiped as it goes */
    if (rc == RC_OK)
        rc = take_secret(t, reply, out);
    sd_bus_message_unref(reply);
    return rc;
}

/* a{sv} (oayays) b: what it is called, what it holds, and that it replaces one of these attributes.
 */
static int append_item(desktop_talk_t *t, sd_bus_message *m, const char *name, const char *label,
                       str_t text)
{
    int r = sd_bus_message_sensitive(m);
    if (r >= 0)
        r = sd_bus_message_append(m, "a{sv}", 2, SECRET "Item.Label", "s", label,
                                  SECRET "Item.Attributes", "a{ss}", 2, OURS, "name", name);
    if (r >= 0)
        r = sd_bus_message_open_container(m, 'r', "oayays");
    if (r >= 0)
        r = sd_bus_message_append(m, "oay", t->session, 0);
    if (r >= 0)
        r = sd_bus_message_append_array(m, 'y', text.p, text.n);
    if (r >= 0)
        r = sd_bus_message_append(m, "s", "application/json");
    if (r >= 0)
        r = sd_bus_message_close_container(m);
    return r < 0 ? r : sd_bus_message_append(m, "b", 1);
}

rc_t desktop_put(desktop_talk_t *t, str_t name, secret_t text)
{
    sd_bus_message *m, *reply;
    const char *c, *prompt;
    TRY(c_name(t, name, &c));
    str_t label = arena_printf(t->arena, "Warder: %s", c);
    if (!str_is_set(label))
        return RC_MEMORY;
    TRY(message(t, t->collection, SECRET "Collection", "CreateItem", &m));
    TRY(call(t, m, append_item(t, m, c, label.p, text.hidden), &reply));
    TRY(take_path(t, reply, "o", &prompt));
    return refuse_prompt(t, prompt);
}

rc_t desktop_delete(desktop_talk_t *t, str_t item)
{
    sd_bus_message *m, *reply;
    const char *path, *prompt;
    TRY(c_name(t, item, &path));
    TRY(message(t, path, SECRET "Item", "Delete", &m));
    TRY(call(t, m, 0, &reply));
    TRY(take_path(t, reply, NULL, &prompt));
    return refuse_prompt(t, prompt);
}
