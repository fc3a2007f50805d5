/* The loopback listener of a sign-in (RFC 8252 section 7.3; OAuth 2.1 section 8.4.2): a small
 * server for one answer. */
#ifndef TOKENS_CALLBACK_H
#define TOKENS_CALLBACK_H

#include "core/arena.h"

typedef struct tokens_callback tokens_callback_t;

/** Listens on 127.0.0.1, at `port` or one that the system chooses (0). `path`: "/callback".
 * RC_BUSY: the port is taken; RC_IO, RC_MEMORY. */
rc_t tokens_callback_open(uint16_t port, const char *path, tokens_callback_t **out) MUST_USE;
uint16_t tokens_callback_port(const tokens_callback_t *c);
/** The judge of a query: true ends the wait, and the page says whether it went well. */
typedef struct {
    bool (*takes)(void *ctx, str_t query, bool *well);
    void *ctx;
} tokens_callback_judge_t;
/** Waits for a GET of the path that the judge takes. Others get a static 400 or 404 and end
 * nothing: other paths and methods, a Host that is not this listener's, heads over 16 KB, queries
 * that the judge leaves. The page is static, says nothing of the query, and bears no-store,
 * no-referrer and a policy that loads nothing. RC_NOT_FOUND: nobody came until the end of wait_ms,
 * or `stop` became true (looked at every 100 ms), or an answer was taken before; RC_IO, RC_MEMORY.
 * The port is closed before it returns RC_OK. One thread at a time; the judge is called on it. */
rc_t tokens_callback_wait(tokens_callback_t *c, tokens_callback_judge_t judge, int64_t wait_ms,
                          const _Atomic(bool) *stop) MUST_USE;
/** Closes the port. NULL is fine. */
void tokens_callback_close(tokens_callback_t *c);

#endif
