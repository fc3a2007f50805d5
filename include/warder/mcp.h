/* A Model Context Protocol server in C: say what it offers in tables, and serve them over
 * Streamable HTTP, protected with OAuth 2.1, or over standard streams. Both eras of the protocol
 * are spoken on one endpoint (2025-03-26 to 2025-11-25 with initialize and sessions; 2026-07-28,
 * where each request stands for itself); functions need not know which.
 *
 *     static warder_mcp_next_t add(warder_mcp_call_t *call, void *ctx)
 *     {
 *         double a = 0, b = 0;
 *         warder_mcp_number(call, "a", &a);     // both are there: the schema was checked
 *         warder_mcp_number(call, "b", &b);
 *         warder_mcp_textf(call, "%g", a + b);
 *         return WARDER_MCP_DONE;
 *     }
 *
 *     static const warder_mcp_tool_t TOOLS[] = {
 *         {.name = "add", .description = "Adds two numbers", .scope = "math:add",
 *          .input_schema = "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"number\"},"
 *                          "\"b\":{\"type\":\"number\"}},\"required\":[\"a\",\"b\"]}",
 *          .run = add}};
 *
 * examples/mcp_minimal.c is a whole protected server. warder/mcp_call.h, which this includes, holds
 * what a function may do with its call.
 *
 * A scope is one column of the tables: scopes of all rows make the metadata document, a call of a
 * tool whose scope the token lacks is answered with 403 and the challenge that leads clients to ask
 * for it, and lists show what the token may use.
 *
 * Threads: functions run on threads of the server, several at once, also the same one; what they
 * share is theirs to lock. warder_mcp_set_tools, warder_mcp_tools_changed and their like may be
 * called on any thread. All else is called on the thread that made the server. There is no global
 * state. Strings are NUL-terminated UTF-8. Tables and configs are copied with all that they hold,
 * but for `ctx`. Schemas and other JSON members are text of one JSON value. */
#ifndef WARDER_MCP_H
#define WARDER_MCP_H

#include <warder/mcp_call.h>
#include <warder/rs.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct warder_mcp warder_mcp_t;

/** What the function of a call says when it returns. */
typedef enum {
    WARDER_MCP_DONE,  /* what was said with the call is the answer */
    WARDER_MCP_ASK,   /* something was asked of the client: run again when it has answered */
    WARDER_MCP_LATER, /* warder_mcp_finish will come, from any thread */
    WARDER_MCP_FAIL,  /* the machine failed: an internal error, whatever was said */
} warder_mcp_next_t;

/** The function of a tool, a resource or a prompt; `ctx` is that of the config. */
typedef warder_mcp_next_t (*warder_mcp_run_t)(warder_mcp_call_t *call, void *ctx);
/** Suggests values for an argument of a prompt or a variable of a template by warder_mcp_suggest;
 *  the others that are known already are arguments of the call. */
typedef void (*warder_mcp_complete_t)(warder_mcp_call_t *call, const char *argument,
                                      const char *value, void *ctx);

enum {
    /* Hints to people and models; clients trust none of them. */
    WARDER_MCP_READ_ONLY = 1 << 0,
    WARDER_MCP_DESTRUCTIVE = 1 << 1,
    WARDER_MCP_IDEMPOTENT = 1 << 2,
    WARDER_MCP_OPEN_WORLD = 1 << 3,
    /* The function never waits and is done within a millisecond: it runs on the thread of the
     * connection, which serves nobody else meanwhile. */
    WARDER_MCP_QUICK = 1 << 4,
    /* A call is a task from the start where the client can have one (extension
     * io.modelcontextprotocol/tasks of 2026-07-28) or asks for one (2025-11-25), so that it may go
     * away and ask for the result later. */
    WARDER_MCP_TASK = 1 << 5,
    /* Clients that can have no tasks are refused. */
    WARDER_MCP_TASK_ONLY = 1 << 6,
};

/** A tool. What is NULL is left out. */
typedef struct {
    const char *name; /* 1 to 128 of A-Z a-z 0-9 _ - . / */
    const char *title, *description;
    const char *input_schema;  /* JSON Schema 2020-12, of an object; NULL: no arguments */
    const char *output_schema; /* of structured content; what differs from it never goes out */
    const char *scope;         /* what a call needs, space-separated; NULL: any token will do */
    unsigned flags;            /* WARDER_MCP_… */
    warder_mcp_run_t run;
    const char *icons; /* JSON: a list of icons, as the revisions of 2025-11-25 on have them */
    const char *meta;  /* JSON: the object _meta */
} warder_mcp_tool_t;

/** A resource, or with {variables} in its URI (RFC 6570, level 1) a template of many; those are
 *  arguments of the call, percent-decoded: one that becomes part of a path may hold a slash. */
typedef struct {
    const char *uri;
    const char *name, *title, *description;
    const char *mime_type; /* of what the function gives, where that does not say another one */
    const char *scope;
    unsigned flags; /* WARDER_MCP_QUICK */
    warder_mcp_run_t run;
    warder_mcp_complete_t complete; /* of a template; NULL: nothing is suggested */
    int64_t size;                   /* bytes; 0: unknown */
    const char *icons, *meta;
    const char *annotations; /* JSON: an object of audience, priority, lastModified */
} warder_mcp_resource_t;

typedef struct {
    const char *name, *title, *description;
    bool required;
} warder_mcp_argument_t;

typedef struct {
    const char *name, *title, *description;
    const char *scope;
    const warder_mcp_argument_t *arguments;
    size_t argument_count;
    unsigned flags; /* WARDER_MCP_QUICK */
    warder_mcp_run_t run;
    warder_mcp_complete_t complete;
    const char *icons, *meta;
} warder_mcp_prompt_t;

/** Zero takes the default of a number. */
typedef struct {
    const char *name, *title, *version;
    const char *instructions; /* for models, how to use the server */
    const warder_mcp_tool_t *tools;
    size_t tool_count;
    const warder_mcp_resource_t *resources; /* of URIs that fit several rows the first one counts */
    size_t resource_count;
    const warder_mcp_prompt_t *prompts;
    size_t prompt_count;
    void *ctx;        /* for the functions */
    bool list_all;    /* lists show also what the token's scopes do not cover, so that hosts
                         can offer it and step up; else they show what may be used */
    unsigned threads; /* for functions: 1 to 256, default 4 */
    unsigned waiting; /* calls that wait for one; further ones are refused. Default 256 */
    unsigned page;    /* entries on a page of a list, default 100 */
    unsigned calls_per_minute; /* by one principal, default 6000 */
    int list_fresh_s; /* ttlMs of lists: how long clients may keep them, default 60; -1: 0 */
    int task_kept_s;  /* ttlMs of tasks, default 900 */
    /** What the state of calls that wait for an answer of the client is sealed with: at least 32
     *  characters that only the processes of this server know, where several answer for it, under
     * one name. NULL: each process makes its own. */
    const char *state_secret;
    const char *website_url; /* for people */
    const char *icons;       /* JSON: a list */
} warder_mcp_config_t;

/** NULL when a table is wrong or there is no memory; `why` (may be NULL) gets one sentence, with
 * the mend. */
warder_mcp_t *warder_mcp_new(const warder_mcp_config_t *config, char *why, size_t why_size);
/** After serving. NULL is fine. */
void warder_mcp_free(warder_mcp_t *m);

/* What changes, also while the server serves. Any thread. */
/** Other rows from now on in place of all of that table; calls under way end with those they began
 *  with, and clients that want to know are told. False: the rows are wrong (*why as above) and the
 *  old ones stay. Clients look only for what there was when they came: have a row of it from the
 *  start. */
bool warder_mcp_set_tools(warder_mcp_t *m, const warder_mcp_tool_t *tools, size_t count, char *why,
                          size_t why_size);
bool warder_mcp_set_resources(warder_mcp_t *m, const warder_mcp_resource_t *resources, size_t count,
                              char *why, size_t why_size);
bool warder_mcp_set_prompts(warder_mcp_t *m, const warder_mcp_prompt_t *prompts, size_t count,
                            char *why, size_t why_size);
/** The first three tell clients to fetch a list again, as warder_mcp_set_… does by itself; the last
 *  one tells those who watch a resource that it holds something else. */
void warder_mcp_tools_changed(warder_mcp_t *m);
void warder_mcp_resources_changed(warder_mcp_t *m);
void warder_mcp_prompts_changed(warder_mcp_t *m);
void warder_mcp_resource_updated(warder_mcp_t *m, const char *uri);

/** All scopes of the tables, space-separated, each once. Lives as long as m. */
const char *warder_mcp_scopes(const warder_mcp_t *m);

/** How to serve over Streamable HTTP. */
typedef struct {
    const char *listen; /* "127.0.0.1:8081"; port 0: a free one */
    /** Who may come in: the issuer and whatever else differs from the defaults. `resource` NULL is
     *  http://LISTEN/mcp, https with a certificate; the path of the resource is that of the
     * endpoint. scopes_supported NULL are all of the tables. NULL: everybody, with every scope,
     * which is refused but on a loopback address. */
    const warder_rs_config_t *protect;
    const char *acr_values; /* how well and how lately people must have signed in (RFC 9470) */
    int max_age_s;
    /** A folder for audit.log, where each refusal and each call is a line before its answer goes
     *  out; not one that everybody can write to. NULL: none is written. */
    const char *audit;
    const char *const *origins; /* of browser pages that may call, beside those on loopback */
    size_t origin_count;
    const char *const *hosts; /* names in Host, beside loopback ones and the resource's own */
    size_t host_count;
    const char *certificate, *key;                   /* PEM files: TLS. NULL: plain */
    unsigned workers;                                /* threads for connections, default 2 */
    void (*ready)(void *ready_ctx, const char *url); /* the endpoint accepts connections */
    void *ready_ctx;
    int log_level; /* on standard error: 0 errors and warnings, 1 what happens, 2 all, -1 nothing */
} warder_mcp_http_t;

/** Serves until SIGTERM or SIGINT, then lets open calls end within five seconds; a second signal
 * ends the process. 0; 1 the world failed, 3 a setting is wrong: *why is one sentence with the
 * mend. Threads that were made before must have blocked both signals. */
int warder_mcp_serve_http(warder_mcp_t *m, const warder_mcp_http_t *http, char *why,
                          size_t why_size);
/** The same in steps, for who has a main loop of their own and no use for signals. */
typedef struct warder_mcp_server warder_mcp_server_t;
int warder_mcp_http_start(warder_mcp_t *m, const warder_mcp_http_t *http, warder_mcp_server_t **out,
                          char *why, size_t why_size);
/** The URL of the endpoint; lives as long as the server. */
const char *warder_mcp_http_url(const warder_mcp_server_t *s);
/** Lets open calls end, and frees it. NULL is fine. */
void warder_mcp_http_stop(warder_mcp_server_t *s);

/** Serves one client on standard input and output until the input ends: for programs that a host
 *  starts. Whoever starts it may use everything; functions must print nothing on standard output.
 *  0; 1: the world failed. */
int warder_mcp_serve_stdio(warder_mcp_t *m, char *why, size_t why_size);

#ifdef __cplusplus
}
#endif

#endif
