#include "tokens/callback_conn.h"

#include "core/buf.h"

/* Nothing is loaded, framed, sent on or kept. The one style stands in the page. */
#define FIELDS                                                                                     \
    "Content-Type: text/html; charset=utf-8\r\n"                                                   \
    "Cache-Control: no-store\r\n"                                                                  \
    "Referrer-Policy: no-referrer\r\n"                                                             \
    "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; "    \
    "form-action 'none'; frame-ancestors 'none'\r\n"                                               \
    "X-Content-Type-Options: nosniff\r\n"                                                          \
    "Connection: close\r\n"

#define PAGE(title, text)                                                                          \
    "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"                              \
    "<meta name=\"viewport\" content=\"width=device-width\">\n"                                    \
    "<title>" title "</title>\n"                                                                   \
    "<style>:root{color-scheme:light dark}body{font:1.1rem/1.5 system-ui,sans-serif;"              \
    "max-width:34rem;margin:18vh auto 0;padding:0 1.5rem}h1{font-size:1.5rem}</style>\n"           \
    "<main>\n<h1>" title "</h1>\n<p>" text "</p>\n</main>\n</html>\n"

static const struct {
    str_t status, body;
} PAGES[] = {
    [CALLBACK_WELL] = {STR_INIT("200 OK"),
                       STR_INIT(PAGE("You are signed in",
                                     "You can close this page and go back to your program."))},
    [CALLBACK_NOT_WELL] = {STR_INIT("200 OK"),
                           STR_INIT(PAGE("The sign-in did not succeed",
                                         "Your program says why. You can close this page."))},
    [CALLBACK_WRONG] = {STR_INIT("400 Bad Request"),
                        STR_INIT(PAGE("This is not the answer that is waited for",
                                      "Go on in the page that your program has opened last."))},
    [CALLBACK_ELSEWHERE] = {STR_INIT("404 Not Found"),
                            STR_INIT(PAGE("Nothing is here", "You can close this page."))},
};

size_t callback_page_write(callback_page_t page, char out[CALLBACK_PAGE_BYTES])
{
    buf_t b = buf_fixed(out, CALLBACK_PAGE_BYTES);
    buf_put(&b, STR("HTTP/1.1 "));
    buf_put(&b, PAGES[page].status);
    buf_put(&b, STR("\r\n" FIELDS "Content-Length: "));
    buf_u64(&b, PAGES[page].body.n);
    buf_put(&b, STR("\r\n\r\n"));
    buf_put(&b, PAGES[page].body);
    return b.failed == RC_OK ? b.n : 0;
}
