#include "store/postgres_thread.h"

void postgres_queue_init(postgres_queue_t *q)
{
    q->first = NULL;
    q->last = &q->first;
}

void postgres_queue_add(postgres_queue_t *q, postgres_job_t *job)
{
    job->next = NULL;
    *q->last = job;
    q->last = &job->next;
}

void postgres_queue_add_first(postgres_queue_t *q, postgres_job_t *chain)
{
    if (!chain)
        return;
    postgres_job_t *end = chain;
    while (end->next)
        end = end->next;
    if (!q->first)
        q->last = &end->next;
    end->next = q->first;
    q->first = chain;
}

postgres_job_t *postgres_queue_take(postgres_queue_t *q)
{
    postgres_job_t *job = q->first;
    if (!job)
        return NULL;
    q->first = job->next;
    if (!q->first)
        q->last = &q->first;
    job->next = NULL;
    return job;
}

postgres_job_t *postgres_queue_pick(postgres_queue_t *q,
                                    bool (*picks)(const postgres_job_t *job, int64_t now_ms),
                                    int64_t now_ms)
{
    postgres_job_t *picked = NULL, **end = &picked;
    postgres_job_t **at = &q->first;
    while (*at) {
        postgres_job_t *job = *at;
        if (!picks(job, now_ms)) {
            at = &job->next;
            continue;
        }
        *at = job->next;
        job->next = NULL;
        *end = job;
        end = &job->next;
    }
    q->last = at;
    return picked;
}
