#include "core/hex.h"
#include "http/codec.h"
#include "http/scan.h"

/* The states of a chunked body. Trailer fields are checked byte by byte and dropped. */
enum {
    SIZE,
    EXT_NAME_START, /* behind ';' */
    EXT_NAME,
    EXT_VALUE_START, /* behind '=' */
    EXT_VALUE,
    EXT_QUOTED,
    EXT_ESCAPED,
    EXT_END, /* behind a quoted value */
    SIZE_LF,
    DATA,
    DATA_CR,
    DATA_LF,
    TRAILER, /* first byte of a trailer line */
    TRAILER_NAME,
    TRAILER_VALUE,
    TRAILER_LF,
    LAST_LF,
    ENDED,
};

static bool fail(http_chunked_t *c, int status)
{
    c->status = status;
    return false;
}

static bool go(http_chunked_t *c, unsigned state)
{
    c->state = state;
    return true;
}

/* Eight digits are 4 GB, more than any limit: a ninth, even a zero, is an attack on readers. */
static bool on_size(http_chunked_t *c, char byte)
{
    if (HTTP_BYTES[(uint8_t)byte] & HTTP_C_HEX) {
        c->left = c->left * 16 + (unsigned)hex_value(byte);
        return ++c->digits <= 8 ? true : fail(c, 400);
    }
    if (c->digits == 0)
        return fail(c, 400);
    if (byte == ';')
        return go(c, EXT_NAME_START);
    return byte == '\r' ? go(c, SIZE_LF) : fail(c, 400);
}

static bool on_quoted(http_chunked_t *c, char byte)
{
    if (http_scan_value(&byte, 0, 1) != 1)
        return fail(c, 400);
    if (c->state == EXT_ESCAPED)
        return go(c, EXT_QUOTED);
    if (byte == '\\')
        return go(c, EXT_ESCAPED);
    return go(c, byte == '"' ? EXT_END : EXT_QUOTED);
}

/* Extensions are ignored (section 7.1.1), but may hide nothing: names and values are tokens or
 * quoted, without the spaces that only old senders made. */
static bool on_extension(http_chunked_t *c, char byte)
{
    if (++c->line > LIMIT_HTTP_CHUNK_LINE_BYTES)
        return fail(c, 400);
    if (c->state == EXT_QUOTED || c->state == EXT_ESCAPED)
        return on_quoted(c, byte);
    bool value = c->state == EXT_VALUE_START || c->state == EXT_VALUE;
    if (http_is_tchar((uint8_t)byte) && c->state != EXT_END)
        return go(c, value ? EXT_VALUE : EXT_NAME);
    if (c->state == EXT_VALUE_START && byte == '"')
        return go(c, EXT_QUOTED);
    if (c->state == EXT_NAME && byte == '=')
        return go(c, EXT_VALUE_START);
    bool complete = c->state == EXT_NAME || c->state == EXT_VALUE || c->state == EXT_END;
    if (complete && byte == ';')
        return go(c, EXT_NAME_START);
    return complete && byte == '\r' ? go(c, SIZE_LF) : fail(c, 400);
}

static bool on_size_lf(http_chunked_t *c, char byte)
{
    if (byte != '\n')
        return fail(c, 400);
    c->digits = 0;
    c->line = 0;
    return go(c, c->left ? DATA : TRAILER);
}

static bool on_trailer(http_chunked_t *c, char byte)
{
    if (byte == '\r')
        return go(c, LAST_LF);
    return http_is_tchar((uint8_t)byte) ? go(c, TRAILER_NAME) : fail(c, 400);
}

static bool on_trailer_name(http_chunked_t *c, char byte)
{
    if (byte == ':')
        return go(c, TRAILER_VALUE);
    return http_is_tchar((uint8_t)byte) ? true : fail(c, 400);
}

static bool on_trailer_value(http_chunked_t *c, char byte)
{
    if (byte == '\r')
        return go(c, TRAILER_LF);
    return http_scan_value(&byte, 0, 1) == 1 ? true : fail(c, 400);
}

static bool expect(http_chunked_t *c, char byte, char want, unsigned next)
{
    return byte == want ? go(c, next) : fail(c, 400);
}

/* One byte outside of chunk data. */
static bool on_byte(http_chunked_t *c, char byte)
{
    if (c->state >= TRAILER && ++c->trailer > LIMIT_HTTP_TRAILER_BYTES)
        return fail(c, 431);
    switch (c->state) {
    case SIZE:
        return on_size(c, byte);
    case EXT_NAME_START:
    case EXT_NAME:
    case EXT_VALUE_START:
    case EXT_VALUE:
    case EXT_QUOTED:
    case EXT_ESCAPED:
    case EXT_END:
        return on_extension(c, byte);
    case SIZE_LF:
        return on_size_lf(c, byte);
    case DATA_CR:
        return expect(c, byte, '\r', DATA_LF);
    case DATA_LF:
        return expect(c, byte, '\n', SIZE);
    case TRAILER:
        return on_trailer(c, byte);
    case TRAILER_NAME:
        return on_trailer_name(c, byte);
    case TRAILER_VALUE:
        return on_trailer_value(c, byte);
    case TRAILER_LF:
        return expect(c, byte, '\n', TRAILER);
    case LAST_LF:
        return expect(c, byte, '\n', ENDED);
    default:
        return fail(c, 400);
    }
}

http_step_t http_chunked_next(http_chunked_t *c, str_t *in, str_t *data)
{
    *data = str_first(*in, 0);
    while (in->n && c->state != DATA) {
        if (!on_byte(c, in->p[0]))
            return HTTP_STEP_BAD;
        *in = str_skip(*in, 1);
        if (c->state == ENDED)
            return HTTP_STEP_DONE;
    }
    if (c->state != DATA || in->n == 0)
        return HTTP_STEP_MORE;
    *data = str_first(*in, c->left < in->n ? (size_t)c->left : in->n);
    *in = str_skip(*in, data->n);
    c->left -= data->n;
    if (c->left == 0)
        c->state = DATA_CR;
    return HTTP_STEP_MORE;
}
