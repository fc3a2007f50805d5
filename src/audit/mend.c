#include "audit/mend.h"

#include "audit/hole.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK_BYTES = 65536, NAME_HEX = 16 };

static rc_t hash_file(int fd, off_t size, uint8_t out[SHA256_BYTES])
{
    char block[BLOCK_BYTES];
    sha256_t hash;
    sha256_begin(&hash);
    for (off_t at = 0; at < size;) {
        size_t n = size - at < BLOCK_BYTES ? (size_t)(size - at) : BLOCK_BYTES;
        TRY(audit_read_at(fd, block, n, at));
        sha256_more(&hash, str_of(block, n));
        at += (off_t)n;
    }
    sha256_so_far(&hash, out);
    return RC_OK;
}

static rc_t name_it(arena_t *a, const char *lost, audit_mend_t *out)
{
    char hex[2 * SHA256_BYTES];
    buf_t b = buf_fixed(hex, sizeof hex);
    const char *slash = strrchr(lost, '/');
    buf_hex(&b, out->hash, sizeof out->hash);
    out->file = arena_printf(a, "%s.%.*s", slash ? slash + 1 : lost, NAME_HEX, hex);
    return str_is_set(out->file) ? RC_OK : RC_MEMORY;
}

static rc_t look(arena_t *a, int fd, const char *lost, audit_mend_t *out)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return RC_IO;
    if (!S_ISREG(st.st_mode) || st.st_size == 0)
        return RC_NOT_FOUND;
    uint64_t seq = 0;
    out->bytes = st.st_size;
    TRY(hash_file(fd, st.st_size, out->hash));
    TRY(audit_hole_checkpoint(fd, 0, st.st_size, &seq));
    out->signed_seq = (int64_t)seq;
    return name_it(a, lost, out);
}

rc_t audit_mend_find(arena_t *a, const char *lost, audit_mend_t *out)
{
    int fd = open(lost, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return errno == ENOENT ? RC_NOT_FOUND : RC_IO;
    rc_t rc = look(a, fd, lost, out);
    int error = errno;
    close(fd);
    errno = error;
    return rc;
}

rc_t audit_mend_body(buf_t *b, const audit_mend_t *m, str_t time, str_t *out)
{
    char hex[AUDIT_HASH_HEX];
    buf_t hash = buf_fixed(hex, sizeof hex);
    json_writer_t w = json_writer(b);
    buf_hex(&hash, m->hash, sizeof m->hash);
    json_begin_object(&w);
    json_member_str(&w, STR("time"), time);
    json_member_str(&w, STR("event"), audit_kind_name(AUDIT_MEND));
    json_member_str(&w, STR("decision"), m->signed_seq > 0 ? STR("deny") : STR("allow"));
    json_member_str(&w, STR("file"), m->file);
    json_member_int(&w, STR("bytes"), m->bytes);
    json_member_str(&w, STR("hash"), buf_str(&hash));
    json_member_int(&w, STR("signed"), m->signed_seq);
    json_end_object(&w);
    TRY(buf_done(b, out));
    *out = str_of(out->p + 1, out->n - 2);
    return RC_OK;
}

bool audit_mend_read(const audit_record_t *r, audit_mend_t *out)
{
    out->file = json_get_str(r->json, STR("file"));
    return str_eq(r->event, audit_kind_name(AUDIT_MEND)) && out->file.n > 0 &&
           out->file.n < AUDIT_MEND_FILE_BYTES && str_is_printable_ascii(out->file) &&
           json_get_i64(r->json, STR("bytes"), &out->bytes) &&
           json_get_i64(r->json, STR("signed"), &out->signed_seq) &&
           audit_hash_parse(json_get_str(r->json, STR("hash")), out->hash);
}
