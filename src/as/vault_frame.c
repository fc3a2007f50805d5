#include "as/vault_frame.h"

static const uint8_t FIELDS[] = {
#define VAULT_FRAME(name, fields) fields,
    VAULT_FRAME_TABLE(VAULT_FRAME)
#undef VAULT_FRAME
};

enum { CODE_MAX = 255 };

static unsigned number(str_t bytes, size_t at, size_t n)
{
    unsigned v = 0;
    while (n-- > 0)
        v = v << 8 | (uint8_t)bytes.p[at + n];
    return v;
}

static bool is_answer(vault_kind_t kind)
{
    return kind == VAULT_HELLO || kind == VAULT_ANSWER;
}

static bool read_head(str_t bytes, vault_frame_t *out)
{
    if (bytes.n < VAULT_HEAD_BYTES || bytes.n > LIMIT_VAULT_FRAME_BYTES ||
        bytes.p[0] != VAULT_VERSION || (uint8_t)bytes.p[1] >= VAULT_KINDS)
        return false;
    out->kind = (vault_kind_t)bytes.p[1];
    out->code = number(bytes, 2, 2);
    out->number = number(bytes, 8, 4);
    return out->code <= (is_answer(out->kind) ? CODE_MAX : 0) &&
           number(bytes, 4, 4) == bytes.n - VAULT_HEAD_BYTES;
}

static bool read_field(str_t *rest, str_t *out)
{
    if (rest->n < 2)
        return false;
    size_t n = number(*rest, 0, 2);
    if (n > rest->n - 2)
        return false;
    *out = str_of(rest->p + 2, n);
    *rest = str_skip(*rest, 2 + n);
    return true;
}

rc_t vault_frame_read_head(str_t bytes, vault_frame_t *out)
{
    *out = (vault_frame_t){.kind = VAULT_KINDS};
    return read_head(bytes, out) ? RC_OK : RC_MALFORMED;
}

rc_t vault_frame_read(str_t bytes, vault_frame_t *out)
{
    TRY(vault_frame_read_head(bytes, out));
    str_t rest = str_skip(bytes, VAULT_HEAD_BYTES);
    for (size_t i = 0; i < FIELDS[out->kind]; i++)
        if (!read_field(&rest, &out->fields[i]))
            return RC_MALFORMED;
    return rest.n == 0 ? RC_OK : RC_MALFORMED;
}

static void put_number(buf_t *b, size_t v, size_t n)
{
    for (; n-- > 0; v >>= 8)
        buf_char(b, (char)(v & 0xff));
}

rc_t vault_frame_write(buf_t *b, const vault_frame_t *frame, str_t *out)
{
    size_t n = 0, fields = FIELDS[frame->kind];
    *out = STR_UNSET;
    for (size_t i = 0; i < fields; i++) {
        if (frame->fields[i].n > LIMIT_VAULT_FRAME_BYTES)
            return RC_LIMIT;
        n += 2 + frame->fields[i].n;
    }
    if (n + VAULT_HEAD_BYTES > LIMIT_VAULT_FRAME_BYTES)
        return RC_LIMIT;
    buf_char(b, VAULT_VERSION);
    buf_char(b, (char)frame->kind);
    put_number(b, frame->code, 2);
    put_number(b, n, 4);
    put_number(b, frame->number, 4);
    for (size_t i = 0; i < fields; i++) {
        put_number(b, frame->fields[i].n, 2);
        buf_put(b, frame->fields[i]);
    }
    return buf_done(b, out);
}
