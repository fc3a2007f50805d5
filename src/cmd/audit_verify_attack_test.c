/* What somebody may do to the files of a trail who has no audit key: each time `audit verify` names
 * the place, with the public key alone (attack case AUD-003). */
#include "cmd/admin_test_play.h"
#include "cmd/command.h"

#include "audit/rotated.h"
#include "audit/trail.h"
#include "jose/pem.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { CALLS = 10000, BATCH = 50, FILES = 4, PATH_BYTES = 192, LINES_MAX = 8000 };

/** A trail of CALLS calls in FILES files, the last of them closed, and where the attack happens. */
typedef struct {
    admin_play_t *p;
    char paths[FILES][PATH_BYTES];
    char key[PATH_BYTES];
    audit_head_t head;
    str_t text; /* of the file at hand */
    str_t lines[LINES_MAX];
    size_t n;
} attack_t;

static const audit_event_t CALL = {.kind = AUDIT_CALL_BEGIN,
                                   .allowed = true,
                                   .user = STR_INIT("ann"),
                                   .client = STR_INIT("c1"),
                                   .tool = STR_INIT("get_news")};

static void write_batch(audit_trail_t *trail)
{
    static char bytes[BATCH * 400];
    str_t bodies[BATCH];
    size_t at = 0;
    for (size_t i = 0; i < BATCH; i++) {
        buf_t b = buf_fixed(bytes + at, sizeof bytes - at);
        assert_int_equal(audit_body_write(&b, &CALL, 1764083102123, &bodies[i]), RC_OK);
        at += b.n;
    }
    assert_int_equal(audit_trail_write(trail, bodies, BATCH, AUDIT_WAIT_EVER), RC_OK);
}

static void make_files(attack_t *w, audit_signer_t *signer)
{
    char path[PATH_BYTES];
    str_t why;
    audit_trail_t trail;
    audit_rotated_t *rotated;
    size_t n;
    snprintf(path, sizeof path, "%s/audit.log", w->p->folder);
    const audit_trail_config_t config = {
        .path = path, .clock = clock_system(), .signer = signer, .rotate_bytes = 650000};
    assert_int_equal(audit_trail_open(&trail, &config, w->p->a, &why), RC_OK);
    for (size_t i = 0; i < CALLS / BATCH; i++) {
        write_batch(&trail);
        assert_int_equal(audit_trail_rotate(&trail), RC_OK);
    }
    assert_int_equal(audit_trail_checkpoint(&trail), RC_OK);
    w->head = audit_trail_head(&trail);
    audit_trail_close(&trail);
    assert_int_equal(audit_rotated_list(w->p->a, path, &rotated, &n), RC_OK);
    assert_int_equal(n, FILES - 1);
    for (size_t i = 0; i < n; i++)
        snprintf(w->paths[i], PATH_BYTES, "%s", rotated[i].path);
    snprintf(w->paths[n], PATH_BYTES, "%s", path);
}

static attack_t *begin(void **state)
{
    admin_play_t *p = *state;
    attack_t *w = ARENA_NEW(p->a, attack_t);
    audit_signer_t signer;
    jose_key_t *key;
    str_t text;
    w->p = p;
    assert_int_equal(jose_key_generate(ALG_EDDSA, &key), RC_OK);
    assert_int_equal(audit_signer_make(p->a, key, &signer), RC_OK);
    assert_int_equal(pem_public_write(p->a, key, &text), RC_OK);
    jose_key_free(key);
    strcpy(w->key, test_file(p->folder, "elsewhere.pem", text.p));
    make_files(w, &signer);
    return w;
}

/* ---- files as lists of lines ---- */

static void load(attack_t *w, size_t file)
{
    FILE *f = fopen(w->paths[file], "rb");
    assert_non_null(f);
    char *bytes = arena_alloc(w->p->a, 1 << 20);
    w->text = str_of(bytes, fread(bytes, 1, 1 << 20, f));
    fclose(f);
    w->n = 0;
    for (str_t rest = w->text; rest.n > 0;) {
        assert_true(w->n < LINES_MAX);
        w->lines[w->n] = str_first(rest, str_find(rest, '\n', 0) + 1);
        rest = str_skip(rest, w->lines[w->n++].n);
    }
}

static void save(attack_t *w, size_t file)
{
    FILE *f = fopen(w->paths[file], "wb");
    assert_non_null(f);
    for (size_t i = 0; i < w->n; i++)
        assert_int_equal(fwrite(w->lines[i].p, 1, w->lines[i].n, f), w->lines[i].n);
    fclose(f);
}

static void drop(attack_t *w, size_t at)
{
    w->n--;
    memmove(&w->lines[at], &w->lines[at + 1], (w->n - at) * sizeof w->lines[0]);
}

/* Lines [from, n) with numbers and hashes made anew, as whoever changed one of them can do. */
static void chain_anew(attack_t *w, size_t from)
{
    audit_record_t r;
    audit_head_t head;
    arena_t *scratch = arena_new(4 << 20);
    assert_int_equal(audit_record_read(scratch, w->lines[from - 1], &r), RC_OK);
    head.seq = r.seq;
    sha256(w->lines[from - 1], head.hash);
    for (size_t i = from; i < w->n; i++) {
        str_t line = w->lines[i];
        size_t front = str_find(line, ',', 0) + 1;
        const char *back = memmem(line.p, line.n, ",\"prev\":", 8);
        buf_t b = buf_new(w->p->a, 4096);
        audit_line_write(&b, &head, str_of(line.p + front, (size_t)(back - line.p) - front));
        w->lines[i] = buf_str(&b);
    }
    arena_free(scratch);
}

/* ---- what verify says ---- */

static void words_of(const attack_t *w, const char *options, char *out, size_t max)
{
    int n = snprintf(out, max, "audit verify --public-key %s %s", w->key, options);
    for (size_t i = 0; i < FILES; i++)
        if (access(w->paths[i], F_OK) == 0)
            n += snprintf(out + n, max - (size_t)n, " %s", w->paths[i]);
}

static void expect_sound(attack_t *w, const char *options, const char *says)
{
    char line[2048];
    words_of(w, options, line, sizeof line);
    admin_play_run(w->p, line);
    assert_non_null(strstr(w->p->ran.out, says));
}

static void expect_fault(attack_t *w, const char *options, size_t file, size_t at,
                         const char *fault)
{
    char line[2048], says[512];
    words_of(w, options, line, sizeof line);
    snprintf(says, sizeof says, "warder: %s line %zu: %s: ", w->paths[file], at, fault);
    admin_play_refused(w->p, line, EXIT_REFUSED, says);
}

static __attribute__((format(printf, 2, 3))) void says_also(attack_t *w, const char *fmt, ...)
{
    char want[128];
    va_list args;
    va_start(args, fmt);
    vsnprintf(want, sizeof want, fmt, args);
    va_end(args);
    assert_non_null(strstr(w->p->ran.err, want));
}

static unsigned long long number(str_t line)
{
    return strtoull(line.p + sizeof "{\"seq\":" - 1, NULL, 10);
}

/* ---- the attacks ---- */

static void closed_trail_is_proven_to_its_end(void **state)
{
    attack_t *w = begin(state);
    expect_sound(w, "--closed", "the chain holds: 100");
    assert_non_null(strstr(w->p->ran.out, "signed: up to 100"));
    assert_null(strstr(w->p->ran.out, "unproven"));
}

static void changed_byte(void **state)
{
    attack_t *w = begin(state);
    load(w, 1);
    char *line = memmem(w->lines[999].p, w->lines[999].n, "ann", 3);
    line[0] = 'i';
    save(w, 1);
    expect_fault(w, "", 1, 1001, "prev_mismatch");
    says_also(w, "number %llu was to come", number(w->lines[1000]));
    line[0] = 'a';
    save(w, 1);
    expect_sound(w, "--closed", "the chain holds: ");
}

static void removed_line(void **state)
{
    attack_t *w = begin(state);
    load(w, 2);
    drop(w, 41);
    save(w, 2);
    expect_fault(w, "", 2, 42, "sequence_gap");
    says_also(w, "number %llu was to come, and %llu stands there", number(w->lines[41]) - 1,
              number(w->lines[41]));
}

static void tail_cut_off(void **state)
{
    attack_t *w = begin(state);
    load(w, 3);
    unsigned long long last = number(w->lines[w->n - 101]);
    w->n -= 100;
    save(w, 3);
    expect_fault(w, "--closed", 3, w->n, "unproven");
    says_also(w, "the last checkpoint is number %llu, the last line %llu", number(w->lines[0]),
              last);
    expect_fault(w, "--max-unproven 10", 3, w->n, "unproven");
    char unproven[64];
    snprintf(unproven, sizeof unproven, "unproven: %zu lines behind the last checkpoint", w->n - 1);
    expect_sound(w, "", unproven);
}

static void swapped_lines(void **state)
{
    attack_t *w = begin(state);
    load(w, 1);
    str_t line = w->lines[500];
    w->lines[500] = w->lines[501];
    w->lines[501] = line;
    save(w, 1);
    expect_fault(w, "", 1, 501, "sequence_gap");
}

static void missing_file(void **state)
{
    attack_t *w = begin(state);
    load(w, 2);
    unlink(w->paths[1]);
    expect_fault(w, "", 2, 1, "sequence_gap");
    load(w, 0);
    says_also(w, "number %llu was to come", number(w->lines[w->n - 1]) + 1);
}

static void missing_last_file(void **state)
{
    attack_t *w = begin(state);
    char expect[128] = "--expect-last ";
    buf_t b = buf_fixed(expect + 14, sizeof expect - 15);
    audit_head_write(&b, &w->head);
    unlink(w->paths[3]);
    load(w, 2);
    expect_sound(w, "--closed", "the chain holds: "); /* as it stood at the rotation */
    expect_fault(w, expect, 2, w->n + 1, "head_missing");
}

static void duplicated_file(void **state)
{
    attack_t *w = begin(state);
    load(w, 1);
    save(w, 2);
    expect_fault(w, "", 2, 1, "sequence_back");
}

/* The files as they were at an earlier moment. */
static void rolled_back_copy(void **state)
{
    attack_t *w = begin(state);
    char expect[128] = "--expect-last ";
    buf_t b = buf_fixed(expect + 14, sizeof expect - 15);
    audit_head_write(&b, &w->head);
    load(w, 3);
    w->n = 1;
    save(w, 3);
    expect_sound(w, "--closed", "the chain holds: ");
    expect_fault(w, expect, 3, 2, "head_missing");
}

/* A line of the last file is changed, and all hashes behind it are made anew. */
static void end_written_anew(void **state)
{
    attack_t *w = begin(state);
    load(w, 3);
    size_t at = w->n / 2;
    char *user = memmem(w->lines[at].p, w->lines[at].n, "ann", 3);
    memcpy(user, "eve", 3);
    chain_anew(w, at);
    save(w, 3);
    expect_fault(w, "", 3, w->n, "checkpoint_malformed");
    /* Its own head put in, the signature is another's. */
    char head[128];
    audit_head_t new = {.seq = number(w->lines[w->n - 2])};
    sha256(w->lines[w->n - 2], new.hash);
    buf_t b = buf_fixed(head, sizeof head);
    audit_head_write(&b, &new);
    str_t line = arena_dup(w->p->a, w->lines[w->n - 1]);
    char *old = memmem(line.p, line.n, "\"head\":\"", 8);
    memcpy(old + 8, head, b.n);
    w->lines[w->n - 1] = line;
    save(w, 3);
    expect_fault(w, "", 3, w->n, "checkpoint_forged");
    /* Without the checkpoint, nothing proves that end. */
    w->n--;
    save(w, 3);
    expect_fault(w, "--closed", 3, w->n, "unproven");
}

/* All of it, with checkpoints by another key, or with none. */
static void all_written_anew(void **state)
{
    attack_t *w = begin(state);
    jose_key_t *key;
    str_t text;
    assert_int_equal(jose_key_generate(ALG_EDDSA, &key), RC_OK);
    assert_int_equal(pem_public_write(w->p->a, key, &text), RC_OK);
    jose_key_free(key);
    test_file(w->p->folder, "elsewhere.pem", text.p);
    load(w, 0);
    expect_fault(w, "", 0, w->n, "checkpoint_key");
    for (size_t i = 1; i < FILES; i++)
        unlink(w->paths[i]);
    w->n--;
    save(w, 0);
    expect_fault(w, "", 0, w->n, "unproven");
}

int main(int argc, char **argv)
{
    int code;
    if (test_is_command(argc, argv, &code))
        return code;
    const struct CMUnitTest tests[] = {
        PLAY_TEST(closed_trail_is_proven_to_its_end),
        PLAY_TEST(changed_byte),
        PLAY_TEST(removed_line),
        PLAY_TEST(tail_cut_off),
        PLAY_TEST(swapped_lines),
        PLAY_TEST(missing_file),
        PLAY_TEST(missing_last_file),
        PLAY_TEST(duplicated_file),
        PLAY_TEST(rolled_back_copy),
        PLAY_TEST(end_written_anew),
        PLAY_TEST(all_written_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
