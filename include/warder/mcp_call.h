/* What the function of a tool, a resource or a prompt may do with its call: read what was asked,
 * say the answer, tell how far it is, and ask the client for more. warder/mcp.h holds the rest.
 *
 * Answers: what is said with the text, image, audio, embed and link functions is the content of a
 * tool's result, the contents of a resource, or the messages of a prompt, in the order in which it
 * is said. Failures of memory and of limits stick to the call, which then ends with an internal
 * error: nothing here needs to be checked.
 *
 * Asking: a function that needs something of the client says so and returns WARDER_MCP_ASK. It is
 * run again from its beginning when the client has answered, and then the same question returns the
 * answer. So one function serves clients of both eras, and no thread waits:
 *
 *     const char *answer = warder_mcp_elicit(call, "size", "Which size?", SCHEMA);
 *     if (!answer)
 *         return WARDER_MCP_ASK;
 *     const char *size = warder_mcp_answer_string(call, "size", "content.size");
 *
 * Threads: a call belongs to the function that runs. After WARDER_MCP_LATER it belongs to whoever
 * will finish it, one thread at a time. What is returned lives until the function returns, or the
 * call is finished. */
#ifndef WARDER_MCP_CALL_H
#define WARDER_MCP_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct warder_mcp_call warder_mcp_call_t;

#if defined(__GNUC__)
#define WARDER_MCP_PRINTF(f, a) __attribute__((format(printf, f, a)))
#else
#define WARDER_MCP_PRINTF(f, a)
#endif

/* What was asked. Paths are names and indices with dots between: "lines.0.price". */
/** A string argument; NULL: it is not there, is another type, or holds a NUL. */
const char *warder_mcp_string(const warder_mcp_call_t *call, const char *path);
/** The others leave *out as it is and say false where there is no such argument. */
bool warder_mcp_number(const warder_mcp_call_t *call, const char *path, double *out);
bool warder_mcp_integer(const warder_mcp_call_t *call, const char *path, int64_t *out);
bool warder_mcp_boolean(const warder_mcp_call_t *call, const char *path, bool *out);
/** The bytes of a string argument in base64 (RFC 4648 section 4, with its padding), and how many.
 *  NULL: it is not there, or is none. */
const void *warder_mcp_bytes(const warder_mcp_call_t *call, const char *path, size_t *n);
/** Elements of a list or members of an object; 0 for all else. */
size_t warder_mcp_count(const warder_mcp_call_t *call, const char *path);
/** An argument as JSON; "" is the whole object. NULL: it is not there. */
const char *warder_mcp_json(const warder_mcp_call_t *call, const char *path);
/** Name of the tool or prompt, URI of the resource. */
const char *warder_mcp_name(const warder_mcp_call_t *call);

/** A member of the request's _meta as JSON, "com.example/trace". NULL: it is not there. */
const char *warder_mcp_meta(const warder_mcp_call_t *call, const char *key);

/* Who asks: of the verified token; "" over standard streams and where nothing is protected. */
const char *warder_mcp_subject(const warder_mcp_call_t *call);
const char *warder_mcp_client(const warder_mcp_call_t *call);
const char *warder_mcp_issuer(const warder_mcp_call_t *call);
/** Whether the token's scopes hold all of `scope`. */
bool warder_mcp_granted(const warder_mcp_call_t *call, const char *scope);
/** A need found out by the function: the call ends with 403 and the challenge for `scope`, whatever
 *  else was or is said; to be followed by return WARDER_MCP_DONE. After the answer has begun
 *  (progress, log) it is an error of the protocol that says the same. */
void warder_mcp_need_scope(warder_mcp_call_t *call, const char *scope);
/** The revision of the protocol, "2026-07-28". */
const char *warder_mcp_revision(const warder_mcp_call_t *call);
/** Whether the client can do what `path` names of its capabilities: "sampling", "elicitation.url".
 */
bool warder_mcp_client_can(const warder_mcp_call_t *call, const char *path);

/* The answer. Bytes and texts are copied. */
void warder_mcp_text(warder_mcp_call_t *call, const char *text);
void warder_mcp_textf(warder_mcp_call_t *call, const char *format, ...) WARDER_MCP_PRINTF(2, 3);
void warder_mcp_image(warder_mcp_call_t *call, const char *mime_type, const void *bytes, size_t n);
void warder_mcp_audio(warder_mcp_call_t *call, const char *mime_type, const void *bytes, size_t n);
/** A resource within the answer; mime_type may be NULL. */
void warder_mcp_embed_text(warder_mcp_call_t *call, const char *uri, const char *mime_type,
                           const char *text);
void warder_mcp_embed_blob(warder_mcp_call_t *call, const char *uri, const char *mime_type,
                           const void *bytes, size_t n);
/** A resource to be read by who wants to; description and mime_type may be NULL. Clients of
 *  2025-03-26, which know no links, get a text. */
void warder_mcp_link(warder_mcp_call_t *call, const char *uri, const char *name,
                     const char *description, const char *mime_type);
/** Bytes of a resource, in its function. */
void warder_mcp_blob(warder_mcp_call_t *call, const char *mime_type, const void *bytes, size_t n);
/** What follows is for "user" or "assistant" (NULL: both), and how much it matters, from 0 to 1
 *  (below 0: nobody says). The row of a resource says it of what is read. */
void warder_mcp_annotate(warder_mcp_call_t *call, const char *audience, double priority);
/** Who says the messages that follow, in the function of a prompt: "user" (from the start) or
 *  "assistant". */
void warder_mcp_role(warder_mcp_call_t *call, const char *role);
/** For how long clients may keep what the function of a resource says, in seconds, and whether
 *  others may be shown it too, where its row needs no scope. Without it 0, and nobody else. */
void warder_mcp_fresh(warder_mcp_call_t *call, int seconds, bool for_all);
/** A member of the result's _meta, each key once: text of one JSON value. Names of your own have a
 *  prefix, "com.example/trace"; those of the protocol fail the call. */
void warder_mcp_set_meta(warder_mcp_call_t *call, const char *key, const char *json);
/** The call failed, in words that help a model to do better: a result with isError. For a prompt it
 *  is the error for wrong arguments, for a resource an internal one. */
void warder_mcp_error(warder_mcp_call_t *call, const char *sentence);
void warder_mcp_errorf(warder_mcp_call_t *call, const char *format, ...) WARDER_MCP_PRINTF(2, 3);
/** An error of the protocol in place of a result; `data` is JSON or NULL. Codes of your own stand
 *  outside -32768 to -32000. */
void warder_mcp_protocol_error(warder_mcp_call_t *call, int code, const char *message,
                               const char *data);
/** There is no such resource (for templates). */
void warder_mcp_not_found(warder_mcp_call_t *call);

/** Structured content, a JSON object that the schema of the output describes. Members are written
 *  one after the other between warder_mcp_structured and the matching warder_json_end; `key` is
 * NULL for elements of a list. Without content beside it, the same is said as text too. */
typedef struct warder_json warder_json_t;
warder_json_t *warder_mcp_structured(warder_mcp_call_t *call);
void warder_json_object(warder_json_t *w, const char *key);
void warder_json_list(warder_json_t *w, const char *key);
void warder_json_end(warder_json_t *w);
/** NULL writes nothing: absent members stay absent. Bad UTF-8 fails the call. */
void warder_json_string(warder_json_t *w, const char *key, const char *value);
void warder_json_integer(warder_json_t *w, const char *key, int64_t value);
void warder_json_number(warder_json_t *w, const char *key, double value);
void warder_json_boolean(warder_json_t *w, const char *key, bool value);
void warder_json_null(warder_json_t *w, const char *key);
/** JSON text of one value. */
void warder_json_raw(warder_json_t *w, const char *key, const char *json);
/** The whole of it at once, in place of warder_mcp_structured. */
void warder_mcp_structured_json(warder_mcp_call_t *call, const char *json);

/* While it runs. */
/** Tells clients that asked for it how far the call is; `total` 0: nobody knows; `message` may be
 *  NULL. Must grow with each. */
void warder_mcp_progress(warder_mcp_call_t *call, double done, double total, const char *message);
typedef enum {
    WARDER_MCP_DEBUG,
    WARDER_MCP_INFO,
    WARDER_MCP_NOTICE,
    WARDER_MCP_WARNING,
    WARDER_MCP_ERROR,
    WARDER_MCP_CRITICAL,
    WARDER_MCP_ALERT,
    WARDER_MCP_EMERGENCY,
} warder_mcp_level_t;
/** Tells clients that want messages of that level; `logger` may be NULL. */
void warder_mcp_log(warder_mcp_call_t *call, warder_mcp_level_t level, const char *logger,
                    const char *text);
/** Whether nobody waits for the answer any more: stop, and return whatever. */
bool warder_mcp_cancelled(const warder_mcp_call_t *call);
/** Waits; false at once when the call is cancelled meanwhile. Not in a QUICK function. */
bool warder_mcp_sleep(warder_mcp_call_t *call, int milliseconds);
/** Lets the connection go while the function works on: the client comes back for the answer
 * (2025-11-25, Streamable HTTP, "Sending Messages"). Does nothing where that cannot be. */
void warder_mcp_let_go(warder_mcp_call_t *call);
/** After WARDER_MCP_LATER, exactly once: the call ends as if its function had returned `next`
 *  (a warder_mcp_next_t other than LATER). Any thread. */
void warder_mcp_finish(warder_mcp_call_t *call, int next);

/* Asking the client. `key` names the question within the call; asked again with the same key, it
 * returns the answer, JSON of an object (ElicitResult and so on). NULL: it was asked; return
 * WARDER_MCP_ASK. What the client did not declare it can do ends the call with the error that says
 * so. Several questions may be asked before the return; all come back together. */
/** A form: `schema` is a requestedSchema. What was accepted fits it, or is asked for anew. */
const char *warder_mcp_elicit(warder_mcp_call_t *call, const char *key, const char *message,
                              const char *schema);
/** A page for the person to visit, for what must not pass through the client (secrets, payments).
 */
const char *warder_mcp_elicit_url(warder_mcp_call_t *call, const char *key, const char *message,
                                  const char *url);
/** The person is done at the page of that key: clients of 2025-11-25 are told, which may wait for
 *  it; those of other revisions know no such note. After the answer, in the run that found it out.
 */
void warder_mcp_elicit_done(warder_mcp_call_t *call, const char *key);
/** A question to the client's model; `params` is the JSON of those of sampling/createMessage. */
const char *warder_mcp_sample(warder_mcp_call_t *call, const char *key, const char *params);
/** The roots of the client's workspace. */
const char *warder_mcp_roots(warder_mcp_call_t *call, const char *key);
/** A string within an answer, by its path; NULL: none. */
const char *warder_mcp_answer_string(const warder_mcp_call_t *call, const char *key,
                                     const char *path);
/** "accept", "decline" or "cancel" of an elicitation's answer; NULL: there is none. */
const char *warder_mcp_answer_action(const warder_mcp_call_t *call, const char *key);
/** What the function keeps from one run to the next: text that was set before the return of
 *  WARDER_MCP_ASK. NULL: none was. Clients of 2026-07-28 carry it, sealed: to this principal, this
 *  request and ten minutes; who brings another one is refused. It is not secret to the client,
 *  which may bring it more than once: what must happen once is the function's to see to. */
const char *warder_mcp_state(const warder_mcp_call_t *call);
void warder_mcp_set_state(warder_mcp_call_t *call, const char *text);

/* Tasks. */
/** From now on the call is a task where the client can have one, which is told so at once; true
 *  then. */
bool warder_mcp_become_task(warder_mcp_call_t *call);
/** How the task is doing, in words, to clients that look. */
void warder_mcp_task_status(warder_mcp_call_t *call, const char *text);

/** Values for a warder_mcp_complete_t, best first; more than 100 are counted and left out. */
void warder_mcp_suggest(warder_mcp_call_t *call, const char *value);

#ifdef __cplusplus
}
#endif

#endif
