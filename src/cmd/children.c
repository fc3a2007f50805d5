#include "cmd/children.h"

#include "cmd/kek.h"
#include "cmd/upstreams.h"

#include <sys/stat.h>

enum { ARENA_BYTES = 16 << 20, SETS_MAX = 8 };

/* One reading of the settings. Older ones stay: their children may have to be started again while
 * requests still use them. */
typedef struct {
    arena_t *a; /* NULL: the first, which is the process's own */
    settings_t settings;
} set_t;

typedef struct {
    const option_t *rows;
    mode_t mask;
    set_t sets[SETS_MAX]; /* the youngest last */
    size_t n;
    arena_t *scratch; /* what the last answer points to */
} known_t;

static bool find_in(arena_t *a, const settings_t *s, const child_digest_t *digest,
                    conf_child_t *child, str_t *directory)
{
    for (size_t i = 0; i < s->conf.n_upstreams; i++) {
        conf_upstream_t u = s->conf.upstreams[i];
        if (u.child.command.n == 0 || !upstreams_place(a, s, &u))
            continue;
        child_digest_t has = child_digest(&u.child, u.child.directory);
        if (memcmp(has.b, digest->b, sizeof has.b) != 0)
            continue;
        *child = u.child;
        *directory = u.child.directory;
        return true;
    }
    return false;
}

static void add(known_t *k, const set_t *set)
{
    if (k->n == SETS_MAX) {
        arena_free(k->sets[1].a);
        memmove(&k->sets[1], &k->sets[2], (SETS_MAX - 2) * sizeof *k->sets);
        k->n--;
    }
    k->sets[k->n++] = *set;
}

/* The file as it stands now. What is refused is the server's to say. */
static bool read_again(known_t *k, const child_digest_t *digest, conf_child_t *child,
                       str_t *directory)
{
    set_t set = {.a = arena_new(ARENA_BYTES)};
    refusal_t refusal = {set.a, STR_UNSET};
    bool read = set.a && settings_load_again(set.a, k->rows, &set.settings, &refusal) == EXIT_DONE;
    /* It keeps its value until a restart, as in the server. */
    set.settings.conf.data = k->sets[0].settings.conf.data;
    bool found = read && find_in(set.a, &set.settings, digest, child, directory);
    if (found)
        add(k, &set);
    else
        arena_free(set.a);
    return found;
}

static bool find(void *ctx, const child_digest_t *digest, conf_child_t *child, str_t *directory)
{
    known_t *k = ctx;
    bool found = false;
    arena_free(k->scratch);
    k->scratch = arena_new(ARENA_BYTES);
    for (size_t i = k->n; k->scratch && !found && i-- > 0;)
        found = find_in(k->scratch, &k->sets[i].settings, digest, child, directory);
    return found || read_again(k, digest, child, directory);
}

static void begin(void *ctx)
{
    known_t *k = ctx;
    umask(k->mask);
    kek_forget();
}

rc_t children_new(const option_t *rows, const settings_t *settings, mode_t mask,
                  child_spawner_t **out)
{
    known_t known = {.rows = rows, .mask = mask, .sets = {{NULL, *settings}}, .n = 1};
    return child_spawner_new((child_commands_t){find, &known, begin}, out);
}
