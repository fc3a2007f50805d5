#include "cmd/node.h"

#include "as/maintenance.h"
#include "cmd/once.h"
#include "core/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

enum { ID_BYTES = 16, ID_HEX = 2 * ID_BYTES, BOOT_BYTES = 36, HOST_BYTES = 65, STEP_MS = 250 };

typedef struct {
    arena_t *a;
    const node_config_t *config;
    node_t *node;
    store_conn_t *conn;
    once_t once;
    int64_t until_ms; /* monotonic: no waiting behind that */
    bool told;        /* that it waits */
} take_t;

static int64_t mono(const take_t *t)
{
    return t->config->clock.mono_ms(t->config->clock.ctx);
}

/* False: it has waited long enough. */
static bool wait_a_moment(take_t *t)
{
    static const struct timespec STEP = {0, STEP_MS * 1000000};
    if (mono(t) >= t->until_ms)
        return false;
    if (!t->told)
        LOG(t->config->log, LOG_WARN, "waiting for the end of another server of this node's name",
            LOG_S("node", t->config->name));
    t->told = true;
    nanosleep(&STEP, NULL);
    return true;
}

/* ---- the folder ---- */

static int cannot_lock(const take_t *t, const char *path)
{
    return command_refuse(t->config->refusal, EXIT_FAILED, "'%s' cannot be written: %s", path,
                          strerror(errno));
}

static int lock_folder(take_t *t)
{
    const char *path = arena_printf(t->a, "%" PRIstr "/node.lock", STR_ARG(t->config->data)).p;
    if (!path)
        return command_out_of_memory();
    t->node->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (t->node->lock < 0)
        return cannot_lock(t, path);
    int how = t->config->takes_over ? LOCK_SH : LOCK_EX;
    while (flock(t->node->lock, how | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return cannot_lock(t, path);
        if (!wait_a_moment(t))
            return command_refuse(t->config->refusal, EXIT_SETTING,
                                  "another server works in the data folder '%" PRIstr
                                  "'; give this one its own by data, and its own name by node",
                                  STR_ARG(t->config->data));
    }
    return EXIT_DONE;
}

static bool is_id(str_t s)
{
    if (s.n != ID_HEX)
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (!strchr("0123456789abcdef", s.p[i]))
            return false;
    return true;
}

static rc_t make_id(take_t *t, char out[ID_HEX])
{
    uint8_t bytes[ID_BYTES];
    buf_t b = buf_fixed(out, ID_HEX);
    TRY(t->config->random.fill(t->config->random.ctx, bytes, sizeof bytes));
    buf_hex(&b, bytes, sizeof bytes);
    return b.failed;
}

/* Who starts alone must be alone at first; then the one that takes over may come beside it, and
 * whoever of them is left keeps others out. */
static int share_folder(const take_t *t)
{
    return flock(t->node->lock, LOCK_SH) == 0
               ? EXIT_DONE
               : command_refuse(t->config->refusal, EXIT_FAILED,
                                "the data folder '%" PRIstr "' cannot be shared: %s",
                                STR_ARG(t->config->data), strerror(errno));
}

/* What stands in the file that was locked; made at the first start. */
static int read_id(take_t *t, char out[ID_HEX])
{
    int fd = t->node->lock;
    if (pread(fd, out, ID_HEX, 0) == ID_HEX && is_id(str_of(out, ID_HEX)))
        return EXIT_DONE;
    if (make_id(t, out) != RC_OK)
        return command_refuse(t->config->refusal, EXIT_FAILED, "no random bytes can be had");
    if (ftruncate(fd, 0) != 0 || pwrite(fd, out, ID_HEX, 0) != ID_HEX || fsync(fd) != 0)
        return command_refuse(t->config->refusal, EXIT_FAILED,
                              "the data folder '%" PRIstr "' cannot be written: %s",
                              STR_ARG(t->config->data), strerror(errno));
    return EXIT_DONE;
}

/* Empty: the system tells none. */
static str_t boot_id(take_t *t)
{
    char *id = arena_alloc(t->a, BOOT_BYTES);
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t n = id && fd >= 0 ? read(fd, id, BOOT_BYTES) : -1;
    if (fd >= 0)
        close(fd);
    return n == BOOT_BYTES ? str_of(id, BOOT_BYTES) : STR("");
}

/* Who has the lock is alone in this folder: after a crash the next one need not wait until the
 * name is free. A copy of the folder that came up on another machine is somebody else. */
static int choose_holder(take_t *t)
{
    char id[ID_HEX], host[HOST_BYTES] = "";
    int code = read_id(t, id);
    if (code != EXIT_DONE)
        return code;
    if (gethostname(host, sizeof host - 1) != 0)
        host[0] = '\0';
    str_t boot = boot_id(t);
    t->node->holder = arena_printf(t->a, "%" PRIstr ".%" PRIstr ".%s", STR_ARG(str_of(id, ID_HEX)),
                                   STR_ARG(boot), host);
    t->node->lease = arena_printf(t->a, "node:%" PRIstr, STR_ARG(t->config->name));
    return str_is_set(t->node->holder) && str_is_set(t->node->lease) ? EXIT_DONE
                                                                     : command_out_of_memory();
}

/* ---- the name ---- */

static rc_t try_name(take_t *t)
{
    int64_t now = clock_seconds(&t->config->clock);
    const lease_t lease = {t->node->lease, t->node->holder, now + AS_NODE_LEASE_S};
    once_result_t result = {0};
    effects_t effects = {.n = 0};
    effects_add(&effects, EFFECT_LEASE_TAKE, now)->u.lease = &lease;
    store_apply(t->conn, &effects, once_done, &result);
    once_wait(&t->once, &result);
    return result.rc;
}

static int take_name(take_t *t)
{
    rc_t rc = store_connect(t->config->store, once_port(&t->once), &t->conn);
    while (rc == RC_OK && (rc = try_name(t)) == RC_CONFLICT && wait_a_moment(t))
        rc = RC_OK;
    if (t->conn)
        store_disconnect(t->conn);
    if (rc == RC_CONFLICT)
        return command_refuse(t->config->refusal, EXIT_SETTING,
                              "another node called '%" PRIstr "' is at work over this store; give "
                              "this one its own name by the setting node",
                              STR_ARG(t->config->name));
    return rc == RC_OK ? EXIT_DONE
                       : command_refuse(t->config->refusal, EXIT_FAILED,
                                        "this node's name could not be stored (%s)", rc_name(rc));
}

int node_take(arena_t *a, const node_config_t *config, node_t *out)
{
    take_t t = {.a = a, .config = config, .node = out};
    *out = (node_t){.lock = -1};
    if (!str_is_set(config->name))
        return EXIT_DONE;
    once_init(&t.once);
    t.until_ms = mono(&t) + config->wait_ms;
    int code = lock_folder(&t);
    if (code == EXIT_DONE)
        code = choose_holder(&t);
    if (code == EXIT_DONE)
        code = share_folder(&t);
    return code == EXIT_DONE ? take_name(&t) : code;
}

void node_leave(node_t *node)
{
    if (node->lock >= 0)
        close(node->lock);
    node->lock = -1;
}
