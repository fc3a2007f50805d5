#include "mcp_client/link.h"

static const mcp_link_end_row_t ROWS[] = {
    [MCP_LINK_UNREACHABLE] = {STR_INIT("unreachable"), STR_INIT("The server cannot be reached"),
                              STR_INIT("Check the URL, the network and the certificate")},
    [MCP_LINK_AUTH] = {STR_INIT("sign_in"), STR_INIT("The server wants a sign-in"),
                       STR_INIT("Sign in on a terminal")},
    [MCP_LINK_HTTP] = {STR_INIT("http_status"), STR_INIT("The server refused with an HTTP status"),
                       STR_INIT("Check that the URL is that of an MCP endpoint")},
    [MCP_LINK_BROKEN] = {STR_INIT("broken"),
                         STR_INIT("The connection ended before the answer came"),
                         STR_INIT("The request may have been carried out: look before you repeat "
                                  "it")},
    [MCP_LINK_MALFORMED] = {STR_INIT("malformed"), STR_INIT("The server's answer cannot be used"),
                            STR_INIT("Check the URL, or tell who runs the server")},
    [MCP_LINK_TIMEOUT] = {STR_INIT("timeout"), STR_INIT("The server did not answer in time"),
                          STR_INIT("Try again")},
    [MCP_LINK_LOST] = {STR_INIT("session_lost"),
                       STR_INIT("The server forgot the session, and a new one did not help"),
                       STR_INIT("Start the host's connection anew")},
    [MCP_LINK_STOPPED] = {STR_INIT("stopped"), STR_INIT("It was stopped"), STR_INIT("Try again")},
};

const mcp_link_end_row_t *mcp_link_end_row(mcp_link_end_t end)
{
    return &ROWS[end];
}
