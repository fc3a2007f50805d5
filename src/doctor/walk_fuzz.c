/* Whatever servers answer: facts, checks, ways of clients and all three reports stay sound. The
 * input is answers in the order of the questions, each ended by a byte 0x1e: a status line, header
 * lines, an empty line, a body. */
#include "doctor/plan.h"
#include "doctor/report.h"
#include "doctor/secrets.h"
#include "doctor/sign_in.h"

#include "core/num.h"

#include <stdlib.h>

enum { ARENA_BYTES = 32 << 20, REPORT_BYTES = 4 << 20, HEADERS = 32 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static http_headers_t read_headers(arena_t *a, str_t *text)
{
    http_header_t *v = ARENA_ARRAY(a, HEADERS, http_header_t);
    size_t n = 0;
    str_t line;
    while (v && n < HEADERS && str_split(text, '\n', &line) && line.n) {
        size_t colon = str_find(line, ':', 0);
        v[n++] = (http_header_t){str_first(line, colon), str_trim(str_skip(line, colon + 1), " ")};
    }
    return (http_headers_t){v, n};
}

static http_answer_t read_answer(arena_t *a, str_t text)
{
    str_t line = STR_UNSET;
    uint64_t status = 0;
    (void)str_split(&text, '\n', &line);
    if (!num_u64(line, 999, &status))
        return (http_answer_t){.end = HTTP_AGENT_TLS, .why = line};
    http_answer_t out = {.end = HTTP_AGENT_DONE, .status = (int)status};
    out.headers = read_headers(a, &text);
    out.body = str_is_set(text) ? text : STR("");
    return out;
}

static rc_t walk(arena_t *a, doctor_facts_t *f, str_t input)
{
    str_t one;
    http_agent_request_t request;
    for (doctor_ask_t ask = 0; ask < DOCTOR_ASK_COUNT; ask++) {
        rc_t rc = doctor_plan(a, f, ask, &request);
        if (rc != RC_OK && rc != RC_NOT_FOUND)
            return rc;
        if (rc == RC_NOT_FOUND || !str_split(&input, '\x1e', &one))
            continue;
        http_answer_t answer = read_answer(a, one);
        f->at[ask].method = request.method;
        f->at[ask].url = request.url;
        TRY(doctor_facts_took(a, f, ask, &answer));
    }
    return doctor_read_claims(a, input, &f->sign);
}

static void write_all(arena_t *a, const doctor_report_t *report)
{
    str_t text;
    const json_t *json;
    buf_t b = buf_new(a, REPORT_BYTES);
    doctor_report_json(report, &b);
    if (buf_done(&b, &text) != RC_OK || json_parse(a, str_trim(text, "\n"), NULL, &json) != RC_OK)
        abort();
    b = buf_new(a, REPORT_BYTES);
    doctor_report_html(report, &b);
    if (buf_done(&b, &text) != RC_OK || str_contains(text, STR("<script")))
        abort();
    b = buf_new(a, REPORT_BYTES);
    doctor_report_text(report, false, &b);
    if (buf_done(&b, &text) != RC_OK || str_contains(text, STR("\033")))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena_t *a = arena_new(ARENA_BYTES);
    doctor_facts_t *f = ARENA_NEW(a, doctor_facts_t);
    doctor_secrets_t *secrets = ARENA_NEW(a, doctor_secrets_t);
    const doctor_report_t *report;
    if (doctor_facts_begin(STR("https://mcp.example/mcp"), 80, f) != RC_OK)
        abort();
    if (walk(a, f, str_of(data, size)) == RC_OK &&
        doctor_report_make(a, f, STR_UNSET, secrets, &report) == RC_OK)
        write_all(a, report);
    arena_free(a);
    return 0;
}
