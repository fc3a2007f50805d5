#include "cmd/trail.h"

#include "audit/audit.h"
#include "cmd/beforehand.h"
#include "cmd/command.h"
#include "cmd/secret_file.h"
#include "cmd/text_file.h"
#include "jose/pem.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

const char *trail_key_path(arena_t *a, const settings_t *s)
{
    if (s->conf.audit_key_file.n > 0)
        return settings_path(a, s, s->conf.audit_key_file);
    return arena_cstr(a, arena_printf(a, "%" PRIstr "/audit-key.pem", STR_ARG(s->conf.data)));
}

const char *trail_public_path(arena_t *a, const char *key_path)
{
    str_t stem = str_c(key_path);
    if (str_ends(stem, STR(".pem")))
        stem.n -= 4;
    return arena_cstr(a, arena_printf(a, "%" PRIstr ".pub.pem", STR_ARG(stem)));
}

/* ---- files of keys ---- */

static bool write_all(int fd, str_t bytes)
{
    bool done = write(fd, bytes.p, bytes.n) == (ssize_t)bytes.n && fsync(fd) == 0;
    return close(fd) == 0 && done;
}

/* Whole or not at all, and never over another: two starts at once both find one key. */
static bool make_file(arena_t *a, const char *path, str_t bytes, mode_t mode)
{
    const char *made = arena_printf(a, "%s.%ld", path, (long)getpid()).p;
    int fd = made ? open(made, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode) : -1;
    if (fd < 0)
        return false;
    bool done = write_all(fd, bytes) && (link(made, path) == 0 || errno == EEXIST);
    int saved = errno;
    unlink(made);
    errno = saved;
    return done;
}

static int cannot_make(const char *path)
{
    return command_fail(EXIT_FAILED, "the audit key '%s' cannot be made: %s", path,
                        strerror(errno));
}

static int make_key(arena_t *a, const char *path)
{
    jose_key_t *key;
    str_t text;
    if (jose_key_generate(ALG_EDDSA, &key) != RC_OK)
        return command_fail(EXIT_FAILED, "no audit key can be made");
    rc_t rc = pem_private_write(a, key, &text);
    jose_key_free(key);
    if (rc != RC_OK)
        return command_out_of_memory();
    return make_file(a, path, text, 0600) ? EXIT_DONE : cannot_make(path);
}

static void free_key(void *key)
{
    jose_key_free(key);
}

/* What was opened beforehand is read once, and then is nobody's. */
static int read_text(arena_t *a, const char *path, secret_t *text)
{
    const secret_file_t file = {path, "audit key", false};
    int fd = beforehand_fd(BEFOREHAND_AUDIT_KEY);
    if (fd < 0)
        return secret_file_read(a, &file, text);
    int code = secret_file_read_open(a, &file, fd, text);
    beforehand_shut(BEFOREHAND_AUDIT_KEY);
    return code;
}

static int read_key(arena_t *a, const char *path, jose_key_t **out)
{
    secret_t text;
    int code = read_text(a, path, &text);
    if (code != EXIT_DONE)
        return code;
    rc_t rc = pem_private_read(a, text.hidden, out);
    if (rc == RC_OK)
        rc = arena_cleanup(a, free_key, *out);
    if (rc == RC_OK && jose_key_kind(*out) == KEY_RSA)
        rc = RC_MALFORMED;
    if (rc == RC_OK)
        return EXIT_DONE;
    return rc != RC_MALFORMED
               ? command_out_of_memory()
               : command_fail(EXIT_SETTING,
                              "the audit key '%s' is no private Ed25519 or P-256 key in PEM; make "
                              "one with: openssl genpkey -algorithm ed25519",
                              path);
}

/* The public half of a key that was replaced is still needed for what it signed: it stays under the
 * front of its thumbprint. */
static bool set_aside(arena_t *a, const char *path, str_t old)
{
    jose_key_t *key;
    str_t kid;
    if (pem_public_read(a, old, &key) != RC_OK)
        return false;
    rc_t rc = jwk_thumbprint(a, key, &kid);
    jose_key_free(key);
    str_t stem = str_c(path);
    stem.n -= sizeof ".pub.pem" - 1;
    const char *to = rc == RC_OK ? arena_printf(a, "%" PRIstr ".%" PRIstr ".pub.pem", STR_ARG(stem),
                                                STR_ARG(str_first(kid, 8)))
                                       .p
                                 : NULL;
    return to && rename(path, to) == 0;
}

static const char *folder_of(arena_t *a, const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? arena_printf(a, "%.*s/", (int)(slash - path), path).p : "./";
}

/* Whether what lies beside `path` could not be found there either. */
static bool is_folder_closed(arena_t *a, const char *path)
{
    const char *folder = folder_of(a, path);
    return folder && access(folder, X_OK) != 0 && errno == EACCES;
}

/* A key that root alone may read may lie in a folder that the server may not write, or not even
 * enter: there the public half would be of no use to it. */
static int cannot_publish(arena_t *a, const char *key_path, const char *path)
{
    const char *why = strerror(errno);
    return command_fail(EXIT_FAILED,
                        "the public half of the audit key cannot be made (%s); make it with: "
                        "openssl pkey -in '%s' -pubout -out '%s'%s",
                        why, key_path, path,
                        is_folder_closed(a, path) ? ", and let run_as read the folder" : "");
}

static int publish(arena_t *a, const char *key_path, const jose_key_t *key)
{
    const char *path = trail_public_path(a, key_path);
    str_t text, old;
    if (!path || pem_public_write(a, key, &text) != RC_OK)
        return command_out_of_memory();
    bool is_there = text_file_read(a, path, PEM_KEY_BYTES, &old) == RC_OK;
    if (is_there && str_eq(old, text))
        return EXIT_DONE;
    if (is_there && !set_aside(a, path, old))
        return command_fail(EXIT_FAILED, "'%s' is not the public half of '%s'; move it away", path,
                            key_path);
    return make_file(a, path, text, 0644) ? EXIT_DONE : cannot_publish(a, key_path, path);
}

/* What publish would find, for who makes nothing. */
static int look_for_public(arena_t *a, const char *key_path)
{
    const char *path = trail_public_path(a, key_path), *folder = path ? folder_of(a, path) : NULL;
    if (!folder)
        return command_out_of_memory();
    if (access(path, R_OK) == 0 || access(folder, W_OK | X_OK) == 0)
        return EXIT_DONE;
    return cannot_publish(a, key_path, path);
}

/* *out stays NULL where a command finds no key. */
static int load_key(arena_t *a, const settings_t *s, trail_owner_t owner, jose_key_t **out)
{
    const char *path = trail_key_path(a, s);
    *out = NULL;
    if (!path)
        return command_out_of_memory();
    bool is_there = access(path, F_OK) == 0, is_named = s->conf.audit_key_file.n > 0;
    if (!is_there && !is_named && owner == TRAIL_OF_COMMAND)
        return EXIT_DONE;
    int code = is_there || is_named ? EXIT_DONE : make_key(a, path);
    if (code == EXIT_DONE)
        code = read_key(a, path, out);
    if (code == EXIT_DONE && owner == TRAIL_OF_SERVER)
        code = publish(a, path, *out);
    return code;
}

int trail_load_key(arena_t *a, const settings_t *s, jose_key_t **out)
{
    return load_key(a, s, TRAIL_OF_SERVER, out);
}

int trail_check_key(arena_t *a, const settings_t *s)
{
    jose_key_t *key;
    if (s->conf.audit_key_file.n == 0)
        return EXIT_DONE;
    int code = load_key(a, s, TRAIL_OF_COMMAND, &key);
    return code == EXIT_DONE ? look_for_public(a, trail_key_path(a, s)) : code;
}

static int open_trail(arena_t *a, const audit_config_t *config, audit_t **out)
{
    str_t why = STR("out of memory");
    rc_t rc = audit_open(a, config, out, &why);
    if (rc == RC_OK)
        return EXIT_DONE;
    return command_fail(rc == RC_CONFIG ? EXIT_SETTING : EXIT_FAILED, "%" PRIstr, STR_ARG(why));
}

static audit_config_t config_of(const settings_t *s, const log_t *log, const audit_signer_t *signer)
{
    const conf_t *conf = &s->conf;
    return (audit_config_t){
        .path = conf->audit_file,
        .log = log,
        .clock = clock_system(),
        .sync_ms = conf->audit_sync_interval,
        .signer = signer,
        .checkpoint_s = conf->audit_checkpoint_interval,
        .node = settings_node(s),
        .mends_signed = s->mend_audit,
        .lenient = str_eq(conf->audit_on_failure, STR("continue")),
    };
}

int trail_open_signed(arena_t *a, const settings_t *s, const log_t *log,
                      const audit_signer_t *signer, audit_t **out)
{
    audit_config_t config = config_of(s, log, signer);
    config.rotate_bytes = s->conf.audit_rotate_size;
    config.rotate_s = s->conf.audit_rotate_interval;
    config.keep_s = s->conf.audit_keep;
    return open_trail(a, &config, out);
}

int trail_open(arena_t *a, const settings_t *s, const log_t *log, trail_owner_t owner,
               audit_t **out)
{
    jose_key_t *key;
    audit_signer_t *signer = ARENA_NEW(a, audit_signer_t);
    int code = signer ? load_key(a, s, owner, &key) : command_out_of_memory();
    if (code != EXIT_DONE)
        return code;
    if (key && audit_signer_make(a, key, signer) != RC_OK)
        return command_out_of_memory();
    if (owner == TRAIL_OF_SERVER)
        return trail_open_signed(a, s, log, signer, out);
    const audit_config_t config = config_of(s, log, key ? signer : NULL);
    return open_trail(a, &config, out);
}

/* ---- what verifies ---- */

static int read_public(arena_t *a, str_t file, jwk_t *out)
{
    const char *path = arena_cstr(a, file);
    str_t text;
    if (!path)
        return command_out_of_memory();
    if (text_file_read(a, path, PEM_KEY_BYTES, &text) != RC_OK)
        return command_fail(EXIT_FAILED, "the public key '%s' cannot be read: %s", path,
                            strerror(errno));
    rc_t rc = pem_public_read(a, text, &out->key);
    if (rc == RC_OK)
        rc = arena_cleanup(a, free_key, out->key);
    if (rc == RC_OK && jose_key_kind(out->key) == KEY_RSA)
        rc = RC_MALFORMED;
    if (rc == RC_OK)
        rc = jwk_thumbprint(a, out->key, &out->kid);
    if (rc == RC_MALFORMED)
        return command_fail(EXIT_USAGE, "'%s' is no public Ed25519 or P-256 key in PEM", path);
    if (rc != RC_OK)
        return command_out_of_memory();
    out->alg = jose_key_kind(out->key) == KEY_ED25519 ? ALG_EDDSA : ALG_ES256;
    return EXIT_DONE;
}

int trail_public_keys(arena_t *a, const str_t *files, size_t n, jwks_t *out)
{
    int code = EXIT_DONE;
    *out = (jwks_t){.v = ARENA_ARRAY(a, n + 1, jwk_t)};
    if (!out->v)
        return command_out_of_memory();
    for (size_t i = 0; i < n && code == EXIT_DONE; i++)
        code = read_public(a, files[i], &out->v[out->n++]);
    return code;
}

int trail_keys_beside(arena_t *a, const char *public_path, jwks_t *out)
{
    enum { KEYS_MAX = 64 };
    str_t stem = str_first(str_c(public_path), strlen(public_path) - sizeof ".pub.pem" + 1);
    const char *others = arena_printf(a, "%" PRIstr ".*.pub.pem", STR_ARG(stem)).p;
    glob_t found = {0};
    str_t files[KEYS_MAX];
    size_t n = 0;
    if (!others)
        return command_out_of_memory();
    glob(public_path, 0, NULL, &found);
    glob(others, GLOB_APPEND, NULL, &found);
    while (n < KEYS_MAX && n < found.gl_pathc) {
        files[n] = arena_dup(a, str_c(found.gl_pathv[n]));
        n++;
    }
    globfree(&found);
    return trail_public_keys(a, files, n, out);
}
