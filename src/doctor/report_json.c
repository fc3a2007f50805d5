/* The report for programs. */
#include "doctor/report.h"

#include "core/json.h"

static void write_names(json_writer_t *w, const doctor_report_t *r, unsigned set)
{
    json_begin_array(w);
    for (doctor_client_t i = 0; i < DOCTOR_CLIENT_COUNT; i++)
        if (r->has_client[i] && (set & (1u << i)))
            json_str(w, doctor_client_row(i)->name);
    json_end_array(w);
}

static void write_finding(json_writer_t *w, const doctor_report_t *r, const doctor_finding_t *f)
{
    const doctor_check_row_t *row = doctor_check_row(f->check);
    json_begin_object(w);
    json_member_str(w, STR("id"), row->id);
    json_member_str(w, STR("grade"), doctor_grade_id(row->grade));
    json_member_str(w, STR("phase"), doctor_phase_id(row->phase));
    json_member_str(w, STR("sentence"), row->sentence);
    json_member_str(w, STR("seen"), f->seen);
    json_member_str(w, STR("rule"), row->rule);
    json_member_str(w, STR("mend"), row->mend);
    json_key(w, STR("fails"));
    write_names(w, r, f->fails);
    json_end_object(w);
}

static void write_client(json_writer_t *w, doctor_client_t client, const doctor_walk_t *walk)
{
    json_begin_object(w);
    json_member_str(w, STR("name"), doctor_client_row(client)->name);
    json_member_str(w, STR("label"), doctor_client_row(client)->label);
    json_member_str(w, STR("verdict"), doctor_verdict_id(walk->verdict));
    if (walk->verdict == DOCTOR_FAILS) {
        json_member_str(w, STR("phase"), doctor_phase_id(walk->phase));
        if (walk->check != DOCTOR_CHECK_COUNT)
            json_member_str(w, STR("check"), doctor_check_row(walk->check)->id);
    }
    json_end_object(w);
}

static void write_step(json_writer_t *w, const doctor_step_t *s)
{
    const doctor_ask_row_t *row = doctor_ask_row(s->ask);
    json_begin_object(w);
    json_member_str(w, STR("id"), row->id);
    json_member_str(w, STR("phase"), doctor_phase_id(row->phase));
    json_member_str(w, STR("what"), row->what);
    json_member_str(w, STR("method"), s->method);
    json_member_str(w, STR("url"), s->url);
    json_member_str(w, STR("outcome"), s->outcome);
    json_member_int(w, STR("ms"), s->ms);
    json_end_object(w);
}

static void write_head(json_writer_t *w, const doctor_report_t *r)
{
    json_member_str(w, STR("url"), r->url);
    json_member_str(w, STR("grade"), doctor_grade_id(doctor_report_grade(r)));
    json_member_bool(w, STR("reached"), r->reached);
    json_member_bool(w, STR("signed_in"), r->signed_in);
    json_member_int(w, STR("requests"), r->requests);
    json_member_int(w, STR("budget"), r->budget);
}

static void write_unseen(json_writer_t *w, const doctor_report_t *r)
{
    json_key(w, STR("not_looked_at"));
    json_begin_array(w);
    for (doctor_check_t i = 0; i < DOCTOR_CHECK_COUNT; i++)
        if (r->unseen[i])
            json_str(w, doctor_check_row(i)->id);
    json_end_array(w);
    json_member_strs(w, STR("beyond_budget"), r->beyond);
}

void doctor_report_json(const doctor_report_t *r, buf_t *out)
{
    json_writer_t w = json_writer(out);
    json_begin_object(&w);
    write_head(&w, r);
    json_key(&w, STR("findings"));
    json_begin_array(&w);
    for (size_t i = 0; i < r->n_findings; i++)
        write_finding(&w, r, &r->findings[i]);
    json_end_array(&w);
    json_key(&w, STR("clients"));
    json_begin_array(&w);
    for (doctor_client_t i = 0; i < DOCTOR_CLIENT_COUNT; i++)
        if (r->has_client[i])
            write_client(&w, i, &r->walks[i]);
    json_end_array(&w);
    json_key(&w, STR("steps"));
    json_begin_array(&w);
    for (size_t i = 0; i < r->n_steps; i++)
        write_step(&w, &r->steps[i]);
    json_end_array(&w);
    write_unseen(&w, r);
    json_end_object(&w);
    buf_char(out, '\n');
}
