/* The report as one page to send to a colleague: it loads nothing, runs nothing, and prints. */
#include "doctor/report.h"

#include "web/html.h"

#define STYLE                                                                                      \
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;"     \
    "color:#1c1c1c;background:#fff}"                                                               \
    "h1{font-size:1.5rem;overflow-wrap:anywhere}h2{font-size:1.2rem;margin-top:2rem}"              \
    "h3{font-size:1rem;margin:0}"                                                                  \
    "section.finding{border:1px solid #bbb;border-left-width:.5rem;padding:.6rem 1rem;"            \
    "margin:.8rem 0;break-inside:avoid}"                                                           \
    ".fault{border-left-color:#b3261e}.warning{border-left-color:#9a6700}"                         \
    ".note{border-left-color:#0b6bcb}"                                                             \
    "dl{display:grid;grid-template-columns:4rem 1fr;gap:.2rem .8rem;margin:.5rem 0 0}"             \
    "dt{color:#555}dd{margin:0;overflow-wrap:anywhere}"                                            \
    "table{border-collapse:collapse;width:100%}"                                                   \
    "th,td{text-align:left;vertical-align:top;border-bottom:1px solid #ddd;padding:.3rem .5rem;"   \
    "overflow-wrap:anywhere}"                                                                      \
    "code{font-family:ui-monospace,monospace;font-size:.9em}"                                      \
    "@media print{body{margin:0;max-width:none}}"

static void put_row(buf_t *b, const char *name, str_t value)
{
    if (value.n)
        HTML(b, "<dt>{}</dt><dd>{uri}</dd>", str_c(name), value);
}

/* Sentences of our own may be longer than a hole takes. */
static void put_own(buf_t *b, const char *name, str_t value)
{
    HTML(b, "<dt>{}</dt><dd>", str_c(name));
    buf_html(b, value);
    HTML(b, "</dd>");
}

static unsigned wanted(const doctor_report_t *r, unsigned set)
{
    for (doctor_client_t i = 0; i < DOCTOR_CLIENT_COUNT; i++)
        if (!r->has_client[i])
            set &= ~(1u << i);
    return set;
}

static void put_finding(buf_t *b, const doctor_report_t *r, const doctor_finding_t *f)
{
    const doctor_check_row_t *row = doctor_check_row(f->check);
    str_t fails = doctor_client_names(b->arena, wanted(r, f->fails));
    HTML(b, "<section class=\"finding {}\"><h3>{}: {text} <code>({})</code></h3><dl>",
         doctor_grade_id(row->grade), doctor_grade_id(row->grade), row->sentence, row->id);
    put_row(b, "seen", f->seen);
    put_own(b, "rule", row->rule);
    put_own(b, "mend", row->mend);
    if (fails.n)
        put_own(b, "fails", fails);
    HTML(b, "</dl></section>\n");
}

static void put_clients(buf_t *b, const doctor_report_t *r)
{
    HTML(b, "<h2>Clients</h2>\n<table><tr><th>client</th><th>verdict</th></tr>\n");
    for (doctor_client_t i = 0; i < DOCTOR_CLIENT_COUNT; i++)
        if (r->has_client[i])
            HTML(b, "<tr><td>{}</td><td>{text}</td></tr>\n", doctor_client_row(i)->label,
                 doctor_walk_sentence(b->arena, &r->walks[i]));
    HTML(b, "</table>\n");
}

static void put_steps(buf_t *b, const doctor_report_t *r)
{
    HTML(b, "<h2>What was asked</h2>\n"
            "<table><tr><th>what</th><th>request</th><th>answer</th></tr>\n");
    for (size_t i = 0; i < r->n_steps; i++) {
        const doctor_step_t *s = &r->steps[i];
        HTML(b, "<tr><td>{text}</td><td><code>{} {uri}</code></td><td>{text}</td></tr>\n",
             doctor_ask_row(s->ask)->what, s->method, s->url, s->outcome);
    }
    HTML(b, "</table>\n");
}

static void put_unseen(buf_t *b, const doctor_report_t *r)
{
    for (size_t i = 0; i < r->beyond.n; i++)
        HTML(b, "<p>Not looked at, as the budget was used up: {text}.</p>\n", r->beyond.v[i]);
    if (!r->sign_in_tried && r->reached)
        HTML(b, "<p>Not looked at: what a token does, for which somebody must sign in.</p>\n");
}

void doctor_report_html(const doctor_report_t *r, buf_t *out)
{
    HTML(out,
         "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
         "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
         "style-src 'unsafe-inline'\">"
         "<meta name=\"viewport\" content=\"width=device-width\">"
         "<title>MCP authorization: {uri}</title>\n",
         r->url);
    buf_put(out, STR("<style>" STYLE "</style></head><body>\n"));
    HTML(out, "<h1>{uri}</h1>\n<p>{text}.</p>\n", r->url, doctor_counts_sentence(out->arena, r));
    for (size_t i = 0; i < r->n_findings; i++)
        put_finding(out, r, &r->findings[i]);
    put_clients(out, r);
    put_steps(out, r);
    put_unseen(out, r);
    HTML(out, "<p>warder doctor, {text}.</p></body></html>\n",
         arena_printf(out->arena, "%u requests of at most %u", r->requests, r->budget));
}
