#include "audit/audit_test_util.h"

#include "audit/reader.h"
#include "audit/rotated.h"
#include "jose/pem.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void keep_log(void *ctx, str_t line)
{
    trail_t *t = ctx;
    pthread_mutex_lock(&t->lock);
    if (line.n <= sizeof t->logged - t->n_logged) {
        memcpy(t->logged + t->n_logged, line.p, line.n);
        t->n_logged += line.n;
    }
    pthread_mutex_unlock(&t->lock);
}

int trail_setup(void **state)
{
    trail_t *t = calloc(1, sizeof *t);
    assert_non_null(t);
    strcpy(t->folder, "/tmp/warder-audit-XXXXXX");
    assert_non_null(mkdtemp(t->folder));
    snprintf(t->path, sizeof t->path, "%s/audit.log", t->folder);
    snprintf(t->other, sizeof t->other, "%s/audit.log.1", t->folder);
    pthread_mutex_init(&t->lock, NULL);
    t->a = arena_new(TEST_ARENA_BYTES);
    t->scratch = arena_new(TEST_ARENA_BYTES);
    t->log = (log_t){.write = keep_log, .ctx = t, .min = LOG_DEBUG};
    *state = t;
    return 0;
}

int trail_teardown(void **state)
{
    trail_t *t = *state;
    size_t n;
    const char **files = trail_files(t, &n);
    for (size_t i = 0; i < n; i++)
        unlink(files[i]);
    unlink(t->other);
    rmdir(t->folder);
    pthread_mutex_destroy(&t->lock);
    arena_free(t->a);
    arena_free(t->scratch);
    free(t);
    return 0;
}

bool trail_logged(const trail_t *t, str_t part)
{
    return str_contains(str_of(t->logged, t->n_logged), part);
}

str_t trail_read(trail_t *t, const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        return STR("");
    fseek(f, 0, SEEK_END);
    size_t n = (size_t)ftell(f);
    rewind(f);
    char *bytes = arena_alloc(t->a, n + 1);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, n, f), n);
    fclose(f);
    return str_of(bytes, n);
}

static void put(const char *path, str_t bytes, int flags)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes.p, bytes.n), bytes.n);
    close(fd);
}

void trail_write(const char *path, str_t bytes)
{
    put(path, bytes, O_TRUNC);
}

void trail_add(const char *path, str_t bytes)
{
    put(path, bytes, O_APPEND);
}

audit_chain_t trail_check(trail_t *t, const char *const *paths, size_t n,
                          const audit_head_t *expect)
{
    audit_chain_t c = audit_chain_begin(t->scratch, expect);
    for (size_t i = 0; i < n; i++) {
        str_t rest = trail_read(t, paths[i]);
        audit_chain_next_file(&c);
        while (rest.n > 0) {
            str_t line = str_first(rest, str_find(rest, '\n', 0) + 1);
            assert_int_equal(audit_chain_line(&c, line), RC_OK);
            rest = str_skip(rest, line.n);
        }
    }
    audit_chain_end(&c);
    return c;
}

audit_chain_t trail_check_one(trail_t *t)
{
    const char *path = t->path;
    return trail_check(t, &path, 1, NULL);
}

str_t trail_lines(arena_t *a, size_t n)
{
    buf_t b = buf_new(a, 1 << 20);
    audit_head_t head = {0};
    str_t out;
    for (size_t i = 0; i < n; i++) {
        char bytes[1024];
        buf_t room = buf_fixed(bytes, sizeof bytes);
        audit_event_t e = {.kind = AUDIT_TOKEN, .allowed = i % 2 == 0, .client = STR("c")};
        e.user = i % 3 == 0 ? STR("ann") : STR("bob");
        assert_int_equal(audit_body_write(&room, &e, 1764000000000 + (int64_t)i, &out), RC_OK);
        audit_line_write(&b, &head, out);
    }
    assert_int_equal(buf_done(&b, &out), RC_OK);
    return out;
}

size_t trail_count(str_t text, char c)
{
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++)
        n += text.p[i] == c;
    return n;
}

static void free_key(void *key)
{
    jose_key_free(key);
}

audit_signer_t trail_signer(trail_t *t, alg_t alg, jwks_t *keys)
{
    audit_signer_t signer;
    jose_key_t *key;
    str_t text;
    *keys = (jwks_t){.v = ARENA_NEW(t->a, jwk_t), .n = 1};
    assert_int_equal(jose_key_generate(alg, &key), RC_OK);
    assert_int_equal(arena_cleanup(t->a, free_key, key), RC_OK);
    assert_int_equal(audit_signer_make(t->a, key, &signer), RC_OK);
    assert_int_equal(pem_public_write(t->a, key, &text), RC_OK);
    assert_int_equal(pem_public_read(t->a, text, &keys->v[0].key), RC_OK);
    assert_int_equal(arena_cleanup(t->a, free_key, keys->v[0].key), RC_OK);
    keys->v[0].alg = alg;
    keys->v[0].kid = signer.kid;
    return signer;
}

const char **trail_files(trail_t *t, size_t *n)
{
    audit_rotated_t *rotated;
    assert_int_equal(audit_rotated_list(t->a, t->path, &rotated, n), RC_OK);
    const char **files = ARENA_ARRAY(t->a, *n + 1, const char *);
    for (size_t i = 0; i < *n; i++)
        files[i] = rotated[i].path;
    files[(*n)++] = t->path;
    return files;
}
