/* The joint between two filters of a connection: socket, later TLS, then HTTP. Bytes go up by
 * space/filled and down by send; every filter is the sink of the one below and the wire of the one
 * above. One thread. Internal to the room. */
#ifndef HTTP_WIRE_H
#define HTTP_WIRE_H

#include <sys/uio.h>

#include "core/str.h"

typedef struct http_wire http_wire_t;
typedef struct http_sink http_sink_t;

typedef enum {
    HTTP_SENT,    /* all bytes are on their way, nothing is kept */
    HTTP_PENDING, /* the rest waits: the bytes must stay until sink.sent() */
    HTTP_DEAD,    /* the peer is gone; only abort may follow */
} http_send_t;

/** The side nearer to the network. */
typedef struct {
    /** At most one send is pending at a time; at most 4 pieces. */
    http_send_t (*send)(http_wire_t *w, const struct iovec *v, unsigned n);
    /** Bytes of the pending send that the peer has not taken, to tell slow from dead. */
    size_t (*unsent)(http_wire_t *w);
    /** Reading goes on after space() had none. */
    void (*resume)(http_wire_t *w);
    /** Says goodbye, reads on for a moment so that the last answer is not lost to a reset (RFC 9112
     *  section 9.6), and closes. The sink is forgotten. Of HTTP nothing may be pending; of a filter
     *  that has its own goodbye pending, the sink hears gone() and nothing else, as soon as its
     *  bytes are not needed any more. */
    void (*close)(http_wire_t *w);
    /** Closes at once; the sink is forgotten, pending bytes are not touched any more. */
    void (*abort)(http_wire_t *w);
} http_wire_ops_t;

/** The side nearer to the application. */
typedef struct {
    /** Room for the next bytes; *n = 0 stops reading until resume. */
    void *(*space)(http_sink_t *s, size_t *n);
    /** Whether space() would have any, without taking it. */
    void (*room)(http_sink_t *s, size_t *n);
    /** n bytes were put into the last space(). */
    void (*filled)(http_sink_t *s, size_t n);
    /** The pending send is complete. */
    void (*sent)(http_sink_t *s);
    /** The peer sends no more, but may still read. */
    void (*ended)(http_sink_t *s);
    /** The connection broke; the wire has closed itself and forgets the sink. */
    void (*gone)(http_sink_t *s);
} http_sink_ops_t;

struct http_wire {
    const http_wire_ops_t *ops;
};
struct http_sink {
    const http_sink_ops_t *ops;
};

#endif
