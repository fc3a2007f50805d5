/* Times and bounds of the relay. Private to the room. */
#ifndef PROXY_RELAY_LIMITS_H
#define PROXY_RELAY_LIMITS_H

enum {
    RELAY_WHOLE_BYTES = 64 << 10, /* of a JSON answer that goes out in one piece, with its end
                                     written before; longer ones pass through */
    RELAY_PIECE_BYTES = 64 << 10, /* of one write to a client */
    RELAY_BODY_BYTES = 1 << 20,   /* of any message; what is longer does not even reach a token
                                     check */
    RELAY_TICK_MS = 1000,         /* between two looks at what is open */
    RELAY_SLIM_MS = 2000,         /* a stream that is open for so long gives back what it can, */
    RELAY_FAT_STREAMS = 32,       /* and, where one worker has more than these, all at once */
    RELAY_REPLAY_MS = 60000,      /* and so one that was resumed, once all is told again */
    RELAY_COMMENT_MS = 15000,     /* of silence before a comment, and */
    RELAY_COMMENT_SPREAD = 10000, /* up to so many more, so that not all streams speak at once */
    RELAY_LEEWAY_S = 30,          /* after a token's end, for clocks that differ */
    RELAY_UNSURE_MS = 300000,   /* that a stream stays open while nobody says what its token is, */
    RELAY_UNASKED_MS = 900000,  /* and while so many are asked about that it never is */
    RELAY_DETACHED_MS = 300000, /* that a call runs on for a client that is gone */
    RELAY_DETACHED = 1024,      /* such calls of one worker */
    RELAY_SPARE_CALLS = 64,     /* kept for reuse by one worker */
    RELAY_STRANGERS = 1000,     /* refusals of one address without a good token, that may come at
                                   once at one worker, and */
    RELAY_STRANGERS_MS = 60,    /* after which another one may */
    RELAY_TURNED_MS = 10000,    /* that those beyond are counted for one line of the trail */
    RELAY_RANDOM_BYTES = 1536,
    RELAY_RETRY_S = 1,              /* Retry-After where nothing better is known */
    RELAY_EVENT_ID_BYTES = 256,     /* of an upstream's own */
    RELAY_EVENT_BYTES = 16 << 20,   /* of events that wait for one client */
    RELAY_SCRATCH_BYTES = 96 << 20, /* of work on one event or list, at the most */
};

#endif
