/* The options that the client's commands share: connect, call, tools, token, logout, doctor. */
#ifndef CMD_CLIENT_OPTIONS_H
#define CMD_CLIENT_OPTIONS_H

#include "cmd/command.h"
#include "cmd/options.h"
#include "tokens/source.h"

/* Rows of a command's table of options. What holds a secret names a file of mode 0600, never the
 * secret. */
/* clang-format off */
#define CLIENT_OPTION_ROWS \
    {.name = "grant"}, {.name = "device", .is_switch = true}, \
    {.name = "interactive", .is_switch = true}, \
    {.name = "no-browser", .is_switch = true}, {.name = "browser"}, \
    {.name = "client-id"}, {.name = "client-secret-file"}, {.name = "client-key-file"}, \
    {.name = "client-key-id"}, {.name = "client-algorithm"}, {.name = "client-issuer"}, \
    {.name = "client-metadata-url"}, {.name = "client-name"}, {.name = "scope"}, \
    {.name = "issuer"}, {.name = "assertion-file"}, {.name = "id-token-file"}, \
    {.name = "provider"}, {.name = "provider-client-id"}, \
    {.name = "provider-secret-file"}, {.name = "token-file"}, \
    {.name = "dpop", .is_switch = true}, {.name = "strict-resource", .is_switch = true}, \
    {.name = "private-networks", .is_switch = true}, \
    {.name = "plain-http", .is_switch = true}, {.name = "ca-file"}, {.name = "keep"}, \
    {.name = "folder"}, {.name = "callback-port"}, {.name = "sign-in-seconds"}, \
    {.name = "verbose", .is_switch = true}
/* clang-format on */

/** Where tokens are kept. */
typedef enum {
    CLIENT_KEEP_AUTO, /* the desktop's secret service where there is one, else the folder */
    CLIENT_KEEP_DESKTOP,
    CLIENT_KEEP_FOLDER,
    CLIENT_KEEP_MEMORY, /* for this run */
} client_keep_t;

/** What the options say, checked. Lives in the arena; the key is counted (jwk_free). */
typedef struct {
    tokens_config_t tokens; /* url, way, who, and so on: all but the ports */
    jwk_t key;              /* tokens.who.key points here where there is one */
    client_keep_t keep;
    str_t folder;  /* unset: the default */
    str_t ca_file; /* unset: the system's authorities */
    str_t browser; /* absolute path of a program that opens one URL; unset: the desktop's */
    bool no_browser, interactive, verbose; /* interactive: somebody is there, terminal or not */
} client_options_t;

/** Reads the options for `url`. EXIT_DONE, or an exit code after saying why. */
int client_options_read(arena_t *a, const option_t *rows, str_t url, client_options_t *out);

/** Judges the URL of the command line alone: EXIT_DONE, or EXIT_USAGE and told why. */
int client_options_url(str_t url);

#endif
