/** The world's server behind a real loop on loopback, for what its timers do. */
#ifndef WARDER_AS_TEST_SERVED_H
#define WARDER_AS_TEST_SERVED_H

#include "as/as_test_world.h"

/** Starts it; `shared`: as one that takes over, whose sockets are another's until http_server_keep.
 *  A test that fails need not end it: the world's teardown does. */
http_server_t *world_serve(world_t *w, bool shared);

/** Stops it and frees it, and with it the world's pool and trail. */
void world_serve_stop(world_t *w);
/** The same for one that ends by itself. */
void world_serve_join(world_t *w);
/** For one whose workers are gone: the threads that hand results to them. */
void world_serve_stop_threads(world_t *w);

/** Waits, for at most half a minute of real time, until something is so. */
bool world_comes(world_t *w, bool (*here)(world_t *w));
/** The same while the world's clock goes on, too, a second with each look. Whatever is begun over
 *  again after a time needs that: an answer to what was asked before a world_pass may come behind
 *  it, and the time is counted from there. */
bool world_comes_in_time(world_t *w, bool (*here)(world_t *w));

#endif
