/* A protected CGI program: put it behind any web server that passes HTTP_AUTHORIZATION on.
 * include/warder/rs.h says what each call does. */
#include <stdio.h>
#include <stdlib.h>
#include <warder/rs.h>

int main(void)
{
    const warder_rs_server_t server = {.issuer = "https://auth.example.com"};
    const warder_rs_config_t config = {.resource = "https://files.example.com/mcp",
                                       .servers = &server,
                                       .server_count = 1,
                                       .scopes = "files:read"};
    char why[256];
    warder_rs_t *rs = warder_rs_new(&config, why, sizeof why);
    if (!rs)
        return fprintf(stderr, "%s\n", why), 1;

    const char *value = getenv("HTTP_AUTHORIZATION");
    const warder_rs_request_t request = {
        .headers = &value, .header_count = value ? 1 : 0, .scope = "files:read"};
    warder_rs_verdict_t *v = warder_rs_check(rs, &request);
    if (v && v->outcome == WARDER_RS_ALLOW) {
        printf("Content-Type: text/plain\r\n\r\nHello, %s\n", v->sub);
    } else {
        printf("Status: %d\r\n", v ? v->status : 503);
        if (v && v->www_authenticate[0])
            printf("WWW-Authenticate: %s\r\n", v->www_authenticate);
        printf("Content-Type: application/json\r\n\r\n%s\n", v ? v->body : "");
    }
    warder_rs_verdict_free(v);
    warder_rs_free(rs);
    return 0;
}
