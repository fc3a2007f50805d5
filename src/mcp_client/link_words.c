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

static const str_t WHOLE_URL = STR_INIT(
    "Give the whole URL of the endpoint, as https://host/mcp, with or without a last slash "
    "as the server has it");

static str_t of_status(int status, str_t otherwise)
{
    if (status / 100 == 3)
        return STR("Give the URL that it leads to: redirects are not followed with a token");
    if (status == 429)
        return STR("Wait a little, and try again");
    if (status >= 500)
        return STR("Try again later, or tell who runs the server");
    return status == 404 || status == 405 || status == 410 ? WHOLE_URL : otherwise;
}

static str_t of_connection(const mcp_link_failure_t *why, str_t otherwise)
{
    if (why->refused)
        return STR("Start the server, or check host and port: nobody listens there");
    if (str_contains(why->detail, STR("wrong version number")))
        return STR("Check the port: it speaks no TLS; only on this machine a URL may begin with "
                   "http://");
    if (str_contains(why->detail, STR("resolve host")))
        return STR("Check the name of the host in the URL");
    return otherwise;
}

str_t mcp_link_mend(const mcp_link_failure_t *why)
{
    str_t otherwise = mcp_link_end_row(why->end)->mend;
    if (why->end == MCP_LINK_HTTP)
        return of_status(why->status, otherwise);
    if (why->end == MCP_LINK_UNREACHABLE)
        return of_connection(why, otherwise);
    bool page = why->end == MCP_LINK_MALFORMED && str_starts(why->detail, STR("text/html"));
    return page ? WHOLE_URL : otherwise;
}
