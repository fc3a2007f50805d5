/* One connection of the callback's listener: a head comes in, a static page goes out, the end. */
#ifndef TOKENS_CALLBACK_CONN_H
#define TOKENS_CALLBACK_CONN_H

#include "http/codec.h"

enum {
    CALLBACK_HEAD_BYTES = 16384, /* a code, a state and what browsers send beside */
    CALLBACK_PAGE_BYTES = 2048,
    CALLBACK_CONN_MS = 5000,  /* for all of it: whoever is silent is cut */
    CALLBACK_DRAIN_MS = 2000, /* for the peer to take the page and to close */
};

typedef enum {
    CALLBACK_WELL,      /* 200: the sign-in went well */
    CALLBACK_NOT_WELL,  /* 200: it did not, and the program says why */
    CALLBACK_WRONG,     /* 400 */
    CALLBACK_ELSEWHERE, /* 404 */
} callback_page_t;

/** Writes the whole answer; its length, at most CALLBACK_PAGE_BYTES. Nothing of a request is in it.
 */
size_t callback_page_write(callback_page_t page, char out[CALLBACK_PAGE_BYTES]);

typedef enum {
    CALLBACK_CONN_FREE,
    CALLBACK_CONN_READS,
    CALLBACK_CONN_WRITES,
    CALLBACK_CONN_DRAINS, /* the page is out; what else the peer sends is dropped until it closes */
} callback_conn_state_t;

typedef struct {
    callback_conn_state_t state;
    int fd;
    int64_t since, until; /* of clock_port_t.mono_ms */
    http_codec_t codec;
    size_t in_n, out_n, out_at;
    char in[CALLBACK_HEAD_BYTES], out[CALLBACK_PAGE_BYTES];
} callback_conn_t;

/** Takes over a socket that does not block. */
void callback_conn_begin(callback_conn_t *c, int fd, int64_t now);
/** Wipes what came in, as it holds the code, and closes the socket. */
void callback_conn_end(callback_conn_t *c);
/** What poll(2) is to look for. */
short callback_conn_events(const callback_conn_t *c);
/** Reads on while CALLBACK_CONN_READS: MORE, DONE with c->codec.head, or BAD, also for a head that
 * is too long. A peer that is gone ends it. */
http_step_t callback_conn_read(callback_conn_t *c);
/** Answers, as far as the socket takes it at once. */
void callback_conn_say(callback_conn_t *c, callback_page_t page, int64_t now);
/** Goes on with writing or draining. A peer that is gone ends it. */
void callback_conn_go_on(callback_conn_t *c);

#endif
