/* The pins of all upstreams (gate/pin.h), in pins.json of the data folder: written whole, so that
 * every reader sees one state, and shared with the command that approves. */
#ifndef PROXY_PINS_H
#define PROXY_PINS_H

#include "conf/conf.h"
#include "core/log.h"
#include "core/ports.h"
#include "gate/pin.h"

/** Shared by all workers; locks itself. */
typedef struct pins pins_t;

typedef struct {
    str_t folder;     /* the data folder; it exists */
    const log_t *log; /* borrowed; NULL is silence */
    clock_port_t clock;
} pins_config_t;

/** Opens them; no file is no pins. RC_CONFIG: the file is not one of ours, *why is one sentence in
 *  `a`; RC_IO (why too), RC_MEMORY. */
rc_t pins_new(arena_t *a, const pins_config_t *config, pins_t **out, str_t *why) MUST_USE;
/** Writes what is not written yet. NULL is fine. */
void pins_free(pins_t *p);

/** One answer to tools/list on its way; lives in the arena it was begun in. One thread. */
typedef struct pins_list pins_list_t;

typedef struct {
    gate_pin_state_t state;
    bool withheld; /* not to be shown, and calls of it are denied */
} pins_verdict_t;

/** Something that was not known before, for the audit. `tool` lives as long as the list. */
typedef struct {
    str_t tool;
    gate_pin_state_t state;
    bool withheld;
} pins_news_t;
typedef struct {
    const pins_news_t *v;
    size_t n;
} pins_news_list_t;

/** Begins a page. `whole`: the request had no cursor. NULL without memory. `upstream` is borrowed.
 */
pins_list_t *pins_list_begin(pins_t *p, arena_t *a, const conf_upstream_t *upstream, bool whole);
/** What an entry is, before anybody filters it. Without memory, and with `pins: withhold` where
 *  there is no room for another pin, it is withheld. */
pins_verdict_t pins_list_see(pins_list_t *l, const json_t *tool);
/** The page was read to its end; `more`: another one follows. Notes what was seen, and writes the
 *  file if that is news. Which tools are gone is known only of a list with one page. */
pins_news_list_t pins_list_end(pins_list_t *l, bool more);

/** Whether calls of this tool are denied: with `pins: withhold`, if its definition, as it was seen
 *  last, waits for approval. What the command approves is known a second later at the latest. */
bool pins_withholds(pins_t *p, const conf_upstream_t *upstream, str_t tool);

/** Reads what a command wrote and writes what is not written, at most once a second: a gateway that
 *  nobody calls must not keep from the command what waits. Any thread. */
void pins_tick(pins_t *p);

/* For the command, beside a running server. `tool` unset: all of the upstream. */

/** What somebody read and wants to trust. */
typedef struct {
    str_t path, tool;
    str_t hash; /* digits that the hash of what waits must begin with; unset: whatever waits */
} pins_choice_t;

/** A definition that is trusted now. */
typedef struct {
    str_t tool;
    hash_t definition;
} pins_trusted_t;
typedef struct {
    const pins_trusted_t *v;
    size_t n;
} pins_trusted_list_t;

/** *out, in `a`: what is trusted now. RC_NOT_FOUND: nothing waits. RC_CONFLICT: something else
 * waits than `hash` says, and nothing changed. RC_IO: the file cannot be written. RC_MEMORY. */
rc_t pins_approve(pins_t *p, arena_t *a, const pins_choice_t *choice,
                  pins_trusted_list_t *out) MUST_USE;
/** RC_NOT_FOUND: there are none. */
rc_t pins_forget(pins_t *p, str_t path, str_t tool, size_t *count) MUST_USE;
/** Calls each(ctx, set, pin) for all. */
void pins_each(pins_t *p, void (*each)(void *ctx, const gate_pin_set_t *set, const gate_pin_t *pin),
               void *ctx);

#endif
