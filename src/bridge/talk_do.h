/* What the files of the machine do for each other. Private to the room. Everything that may fail
 * fails for want of memory (RC_MEMORY), unless it says more. */
#ifndef BRIDGE_TALK_DO_H
#define BRIDGE_TALK_DO_H

#include "bridge/talk_state.h"

/* talk_say.c: effects and the JSON in them. */
rc_t talk_say(talk_step_t *s, str_t json) MUST_USE;
rc_t talk_say_result(talk_step_t *s, str_t id, str_t result) MUST_USE;
rc_t talk_say_error(talk_step_t *s, str_t id, mcp_error_t e, str_t data) MUST_USE;
/** A whole answer, or its error, under an id: as it came where that is its own. */
rc_t talk_say_answer(talk_step_t *s, str_t id, const mcp_message_t *m) MUST_USE;
/** {"jsonrpc":"2.0","id":id,"error":error}; `error` is raw. */
/** A line of the host: *rc as in mcp_message_parse; of one that is too large the id where that can
 * be known. */
mcp_error_t talk_read(arena_t *a, str_t line, mcp_message_t *m, rc_t *rc);
rc_t talk_say_raw_error(talk_step_t *s, str_t id, str_t error) MUST_USE;
rc_t talk_send(talk_step_t *s, const mcp_link_message_t *message) MUST_USE;
/** A notification or response to the server, in its negotiated version. */
rc_t talk_tell(talk_step_t *s, str_t json) MUST_USE;
rc_t talk_tell_error(talk_step_t *s, str_t id, mcp_error_t e) MUST_USE;
rc_t talk_cancel(talk_step_t *s, uint64_t tag) MUST_USE;
rc_t talk_listen(talk_step_t *s) MUST_USE;
/** {"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":id}} */
rc_t talk_cancelled(talk_step_t *s, str_t id, str_t *out) MUST_USE;

/* talk_json.c: objects with some of their members. */
#define TALK_NAMES(list) ((str_list_t){(list), sizeof(list) / sizeof *(list)})
/** A builder that has room for `n` bytes and what stands around them. */
buf_t talk_buf(arena_t *a, size_t n);
/** A request with an id of ours that is made of `tag`, open for the members of its params. */
json_writer_t talk_begin_request(buf_t *b, uint64_t tag, str_t method);
rc_t talk_end_request(json_writer_t *w, str_t *out) MUST_USE;
str_t talk_own_id(arena_t *a, uint64_t tag);
/** The capabilities without what only one era knows. */
void talk_write_capabilities(json_writer_t *w, const json_t *capabilities);
/** Whether the message states a revision; *version is what it states. */
bool talk_states(const mcp_message_t *m, str_t *version);
const json_t *talk_meta_of(const json_t *params);

/* talk_calls.c: what waits. */
rc_t talk_keep(str_t *slot, str_t s) MUST_USE;
void talk_unkeep(str_t *slot);
/** Adds a call; RC_BUSY: too many wait, or too much. */
rc_t talk_call_new(talk_step_t *s, talk_call_kind_t kind, str_t line, talk_call_t **out) MUST_USE;
rc_t talk_call_of(talk_step_t *s, const mcp_message_t *m, talk_call_t **out) MUST_USE;
/** Frees it and its asks. */
void talk_call_drop(talk_t *t, talk_call_t *c);
talk_call_t *talk_call_by_tag(const talk_t *t, uint64_t tag);
talk_call_t *talk_call_by_id(const talk_t *t, str_t id);
uint64_t talk_next_tag(talk_t *t);
/** RC_BUSY: too many. */
rc_t talk_ask_new(talk_t *t, talk_call_t *c, const mcp_message_t *m, talk_ask_t **out) MUST_USE;
void talk_ask_drop(talk_t *t, talk_ask_t *ask);
talk_ask_t *talk_ask_by_id(const talk_t *t, str_t id);
bool talk_is_watched(const talk_t *t, str_t uri);
rc_t talk_watch(talk_t *t, str_t uri) MUST_USE;
void talk_unwatch(talk_t *t, str_t uri);

/* talk_open.c: who speaks what. */
rc_t talk_open(talk_step_t *s, const mcp_message_t *first) MUST_USE;
/** A request without a revision of a host that stated one before: refused; but one that lost
 * patience with discovery, and initializes, begins anew. */
rc_t talk_states_nothing(talk_step_t *s, const mcp_message_t *m) MUST_USE;
rc_t talk_open_answer(talk_step_t *s, talk_call_t *c, const mcp_message_t *m) MUST_USE;
rc_t talk_open_failed(talk_step_t *s, talk_call_t *c, const mcp_link_failure_t *why) MUST_USE;
/** Sends what was held. */
rc_t talk_flush(talk_step_t *s) MUST_USE;

/* talk_renew.c: a session that the server has forgotten is made anew. */
rc_t talk_renew(talk_step_t *s) MUST_USE;
rc_t talk_renewed(talk_step_t *s, talk_call_t *c, const mcp_message_t *m) MUST_USE;
/** initialize with the host's own parameters and an id of ours. */
rc_t talk_initialize(talk_step_t *s) MUST_USE;
/** Tells a handshake server that we are ready, and listens. */
rc_t talk_initialized(talk_step_t *s) MUST_USE;
/** An own request of the handshake era whose answer nobody waits for. `params` is raw. */
rc_t talk_own(talk_step_t *s, str_t method, str_t params) MUST_USE;

/* talk_fail.c */
rc_t talk_failed(talk_step_t *s, talk_call_t *c, const mcp_link_failure_t *why) MUST_USE;
/** The error's members for the host, raw. */
rc_t talk_failure_text(arena_t *a, const mcp_link_failure_t *why, str_t *out) MUST_USE;
/** Every call of the host that is held gets this error, and goes. */
rc_t talk_fail_held(talk_step_t *s, str_t error) MUST_USE;
/** Puts any call on its way. */
rc_t talk_call_send(talk_step_t *s, talk_call_t *c) MUST_USE;
/** The same in a while. */
void talk_call_again(talk_step_t *s, talk_call_t *c, int64_t in_ms);

/* talk_tools.c: arguments that are repeated as header fields. */
talk_tools_t *talk_tools_new(void);
void talk_tools_free(talk_tools_t *tools);
/** What the table knows of the tool that a call names. */
mcp_params_t talk_tools_of(const talk_t *t, const json_t *params);
/** Learns from an answer to tools/list; *out is what of its result the host gets: `result` as it
 * came, or without the tools whose annotation is wrong. `first`: the page begins a list. `old`: the
 * host knows no schema of results but objects. */
rc_t talk_tools_learn(talk_step_t *s, const json_t *result, bool first, bool old,
                      str_t *out) MUST_USE;
/** The tool's header fields were not what the server wants: true, and its list is read before the
 * call is sent again. */
rc_t talk_tools_relist(talk_step_t *s, talk_call_t *c, const mcp_message_t *m,
                       bool *again) MUST_USE;
rc_t talk_tools_listed(talk_step_t *s, talk_call_t *c, const mcp_message_t *m) MUST_USE;

/* talk_methods.c, and the pairs. */
const talk_method_t *talk_method(str_t name);
extern const talk_pair_t TALK_SAME_HANDSHAKE, TALK_SAME_STATELESS, TALK_UP, TALK_DOWN;
const talk_pair_t *talk_pair(mcp_era_t host, mcp_era_t server);

/* talk_up.c, talk_up_ask.c, talk_up_watch.c */
rc_t talk_up_ping(talk_step_t *s, const mcp_message_t *m) MUST_USE;
rc_t talk_up_level(talk_step_t *s, const mcp_message_t *m) MUST_USE;
rc_t talk_up_subscribe(talk_step_t *s, const mcp_message_t *m) MUST_USE;
rc_t talk_up_unsubscribe(talk_step_t *s, const mcp_message_t *m) MUST_USE;
rc_t talk_twice(talk_step_t *s, const mcp_message_t *m) MUST_USE;
rc_t talk_up_input(talk_step_t *s, talk_call_t *c, const json_t *result) MUST_USE;
rc_t talk_up_response(talk_step_t *s, const mcp_message_t *m) MUST_USE;
rc_t talk_up_meta(talk_step_t *s, const json_t *params, str_t *out) MUST_USE;
rc_t talk_up_write_meta(talk_step_t *s, json_writer_t *w, const json_t *own) MUST_USE;
/** initialize's answer from that of server/discover. */
rc_t talk_up_initialize_result(talk_step_t *s, const json_t *discovered, str_t *out) MUST_USE;
rc_t talk_up_listen(talk_step_t *s, str_t uri, str_t id) MUST_USE;
rc_t talk_up_listen_ended(talk_step_t *s, talk_call_t *c, const mcp_message_t *m) MUST_USE;
rc_t talk_up_acknowledged(talk_step_t *s, talk_call_t *c) MUST_USE;

/* talk_down.c, talk_down_ask.c, talk_down_watch.c */
rc_t talk_down_discover(talk_step_t *s, const mcp_message_t *m) MUST_USE;
rc_t talk_down_listen(talk_step_t *s, const mcp_message_t *m) MUST_USE;
rc_t talk_down_removed(talk_step_t *s, const mcp_message_t *m) MUST_USE;
rc_t talk_down_retry(talk_step_t *s, const mcp_message_t *m) MUST_USE;
rc_t talk_down_asked(talk_step_t *s, talk_call_t *c, const mcp_message_t *m) MUST_USE;
rc_t talk_down_changed(talk_step_t *s, const mcp_message_t *m) MUST_USE;
/** All that a subscription wants to hear of lists may have changed unheard: it is told so. */
rc_t talk_changed_for(talk_step_t *s, const talk_call_t *c) MUST_USE;
/** The same for the host as a whole, by the server's capabilities; where it listens by
 * subscriptions, for each of them. */
rc_t talk_changed_all(talk_step_t *s) MUST_USE;
rc_t talk_down_unlisten(talk_step_t *s, talk_call_t *c) MUST_USE;
rc_t talk_down_expire(talk_step_t *s, talk_call_t *c) MUST_USE;
rc_t talk_down_url_needed(talk_step_t *s, talk_call_t *c, const mcp_message_t *m,
                          bool *asks) MUST_USE;
/** Members of the result that this era demands. */
rc_t talk_down_result(talk_step_t *s, const talk_method_t *method, const json_t *result,
                      str_t *out) MUST_USE;

#endif
