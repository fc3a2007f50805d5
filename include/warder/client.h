/* A client of a protected MCP server: finds the authorization server, registers, signs in, keeps
 * and renews tokens, asks for more scope where a tool needs it, and calls tools, in whichever era
 * of the protocol the server speaks.
 *
 *     char why[512];
 *     warder_client_config_t config = {.url = "https://mcp.example.com/mcp"};
 *     warder_client_t *client = warder_client_new(&config, why, sizeof why);
 *     char *result = NULL;
 *     if (client && warder_client_call(client, "get_weather", "{\"city\":\"Oslo\"}", NULL, &result,
 *                                      why, sizeof why) == WARDER_CLIENT_DONE)
 *         puts(result);                // JSON of the tool's result
 *     warder_client_free_text(result);
 *     warder_client_free(client);
 *
 * Threads: a client may be used by several threads at once; calls block. Callbacks come on the
 * thread that called, or on one of the client's. There is no global state. Strings are
 * NUL-terminated UTF-8 and borrowed for the length of the call; the config is copied but for `ctx`.
 * Texts of the server are given as they came: take control characters out before printing them. */
#ifndef WARDER_CLIENT_H
#define WARDER_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct warder_client warder_client_t;

/** How tokens are come by. */
typedef enum {
    WARDER_CLIENT_PERSON,     /* a browser: authorization code with PKCE */
    WARDER_CLIENT_DEVICE,     /* a code to type on another machine (RFC 8628) */
    WARDER_CLIENT_MACHINE,    /* client credentials, by secret or private_key_jwt */
    WARDER_CLIENT_WORKLOAD,   /* an assertion of the platform (RFC 7523) */
    WARDER_CLIENT_ENTERPRISE, /* MCP enterprise-managed authorization */
    WARDER_CLIENT_TOKEN,      /* `token`, as it is */
    WARDER_CLIENT_OPEN,       /* none: the server is not protected */
} warder_client_way_t;

typedef enum {
    WARDER_CLIENT_AUTO,      /* 2026-07-28 where the server speaks it, else up to 2025-11-25 */
    WARDER_CLIENT_HANDSHAKE, /* up to 2025-11-25 */
    WARDER_CLIENT_STATELESS, /* 2026-07-28 */
} warder_client_era_t;

/** How a call ended. */
typedef enum {
    WARDER_CLIENT_DONE,
    WARDER_CLIENT_ERROR,   /* the server answered with a JSON-RPC error */
    WARDER_CLIENT_AUTH,    /* no token could be had, or it was refused for good */
    WARDER_CLIENT_NETWORK, /* the server cannot be reached, or breaks the protocol */
    WARDER_CLIENT_STOPPED, /* cancelled */
    WARDER_CLIENT_FAILED,  /* this machine failed */
} warder_client_end_t;

/** All members may be NULL. */
typedef struct {
    /** Open this page, or show it. NULL: the desktop's browser is opened. False: nobody is there.
     */
    bool (*open)(void *ctx, const char *url);
    /** Show the code, and where to type it. Needed by WARDER_CLIENT_DEVICE. */
    bool (*code)(void *ctx, const char *user_code, const char *url, const char *url_complete);
    /** What goes on, for people. */
    void (*says)(void *ctx, const char *sentence);
    /** The server asks: elicitation/create, sampling/createMessage, roots/list. `params` and what
     *  is returned are JSON; the latter is freed with free(). NULL: refused. */
    char *(*ask)(void *ctx, const char *method, const char *params);
    bool elicits, elicits_url, samples, has_roots; /* capabilities that `ask` serves */
    /** Notifications of the server: progress, log messages, changes of lists. */
    void (*hears)(void *ctx, const char *method, const char *params);
    void *ctx;
} warder_client_callbacks_t;

/** Zero is the default of each member; only `url` is needed. */
typedef struct {
    const char *url;
    warder_client_way_t way;
    warder_client_era_t era;
    const char *name, *version;  /* of the program: clientInfo and client_name ["warder-client"] */
    const char *client_id;       /* pre-registered */
    const char *client_secret;   /* wiped with the client */
    const char *private_key_pem; /* PKCS#8, for private_key_jwt */
    const char *key_id;          /* its kid */
    const char *algorithm;       /* of the key: ES256, RS256, PS256, EdDSA [by its kind] */
    const char *client_issuer;   /* whose registration client_id is [the first that is met] */
    const char *metadata_url;    /* of the client's metadata document */
    const char *scope;           /* [as the server says] */
    const char *issuer;          /* this authorization server alone [the first] */
    const char *assertion;       /* of WARDER_CLIENT_WORKLOAD */
    const char *assertion_file;  /* or the file that holds it, read anew each time */
    const char *provider_issuer; /* of WARDER_CLIENT_ENTERPRISE, or: */
    const char *provider_token_endpoint;
    const char *provider_client_id, *provider_client_secret, *id_token;
    const char *token;      /* of WARDER_CLIENT_TOKEN */
    bool dpop;              /* bind tokens to a key (RFC 9449) */
    bool strict_resource;   /* `resource` must be the URL, byte for byte */
    bool private_networks;  /* a public server may name hosts of private networks */
    bool plain_http;        /* http outside of loopback; for development only */
    const char *folder;     /* where tokens are kept, of mode 0700; NULL: for this run only */
    const char *ca_file;    /* PEM, in place of the system's authorities */
    const char *extensions; /* JSON: capabilities.extensions to declare */
    uint16_t callback_port; /* [the system chooses] */
    int sign_in_s;          /* how long a person may take [300] */
    int call_s;             /* how long a call may take [no limit] */
    warder_client_callbacks_t callbacks;
} warder_client_config_t;

/** Checks the config and makes the client; nothing is sent yet. NULL: `why` has one sentence. */
warder_client_t *warder_client_new(const warder_client_config_t *config, char *why, size_t size);
/** Ends the session. NULL is fine. */
void warder_client_free(warder_client_t *client);
/** Calls that wait end soon with WARDER_CLIENT_STOPPED. Any thread. */
void warder_client_stop(warder_client_t *client);

/** Connects and signs in, if that was not done yet; every call does it by itself. */
warder_client_end_t warder_client_connect(warder_client_t *client, char *why, size_t size);
/** The revision that is spoken, "2026-07-28"; NULL before. Lives with the client. */
const char *warder_client_version(const warder_client_t *client);

typedef struct {
    bool progress;      /* hear notifications/progress of this call */
    const bool *cancel; /* becomes true (written atomically): the call is cancelled */
} warder_client_options_t;

/** One request, whatever its method; params is a JSON object or NULL. *result is JSON, and with
 *  WARDER_CLIENT_ERROR the error object; free it with warder_client_free_text. options may be NULL.
 */
warder_client_end_t warder_client_request(warder_client_t *client, const char *method,
                                          const char *params,
                                          const warder_client_options_t *options, char **result,
                                          char *why, size_t size);
/** tools/call; arguments is a JSON object or NULL. The tool's header fields are sent (2026-07-28).
 */
warder_client_end_t warder_client_call(warder_client_t *client, const char *tool,
                                       const char *arguments,
                                       const warder_client_options_t *options, char **result,
                                       char *why, size_t size);
/** All pages of tools/list: a JSON array. */
warder_client_end_t warder_client_tools(warder_client_t *client, char **result, char *why,
                                        size_t size);
/** Forgets the tokens, and revokes them where the server can. */
warder_client_end_t warder_client_sign_out(warder_client_t *client, char *why, size_t size);
/** Wipes and frees. NULL is fine. */
void warder_client_free_text(char *text);

#ifdef __cplusplus
}
#endif

#endif
