/* The client that the official conformance suite drives. */
#ifndef CONFORMANCE_CLIENT_H
#define CONFORMANCE_CLIENT_H

#include <warder/client.h>

/* A piece of JSON text within another; p NULL: there is none. Read leniently: who wrote it is
 * known. */
typedef struct {
    const char *p;
    size_t n;
} piece_t;

piece_t piece_of(const char *json);
piece_t piece_member(piece_t object, const char *name);
/** The next element of a list: start with *at = 0; p NULL: no more. */
piece_t piece_next(piece_t list, size_t *at);
/** A copy, of a string its decoded text; malloc'ed, NULL where there is none. */
char *piece_text(piece_t p);
char *piece_raw(piece_t p);

/** Plays a person in a browser: asks for the page, and goes where it leads, on loopback. */
bool browse(void *ctx, const char *url);

#endif
