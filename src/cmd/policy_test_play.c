#include "cmd/policy_test_play.h"

#include <stdio.h>

static const char FILE_TEXT[] =
    "public_url: https://mcp.example.com\n"
    "policies:\n"
    "  - name: finance\n"
    "    rules:\n"
    "      - {name: never, tools: [delete_*], deny: true, groups: [guests]}\n"
    "      - {name: read, tools: [get_*, weather], scopes: ['news:read'], initial: true}\n"
    "      - name: trade\n"
    "        tools: [place_order]\n"
    "        scopes: ['orders:write']\n"
    "        groups: [traders]\n"
    "        arguments: [{path: amount, max: 10000}]\n"
    "        rates: [{per: subject, calls: 10, seconds: 60}]\n"
    "        max_age: 300\n"
    "  - name: next\n"
    "    default: {scopes: ['mcp:use']}\n"
    "upstreams:\n"
    "  - {path: /mcp, url: 'http://127.0.0.1:3000/mcp', policy: finance}\n";

void policy_play_file(admin_play_t *p)
{
    test_file(p->folder, "warder.yaml", FILE_TEXT);
}

static const char *line_of(const admin_play_t *p, const char *words)
{
    static char line[2048];
    snprintf(line, sizeof line, "policy %s --config %s/warder.yaml", words, p->folder);
    return line;
}

void policy_play(admin_play_t *p, const char *words, int code)
{
    admin_play_input(p, line_of(p, words), STR_UNSET, code);
}

void policy_play_prints(admin_play_t *p, const char *words, const char *out)
{
    policy_play(p, words, EXIT_DONE);
    assert_string_equal(p->ran.out, out);
}

void policy_play_refused(admin_play_t *p, const char *words, int code, const char *says)
{
    admin_play_refused(p, line_of(p, words), code, says);
}
