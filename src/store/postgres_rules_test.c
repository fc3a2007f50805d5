/* What the pool decides, without a server. */
#include "store/store_test_util.h"

#include "store/postgres_rules.h"
#include "store/postgres_thread.h"

static void errors_say_what_became_of_connection_and_job(void **state)
{
    static const struct {
        const char *sqlstate;
        bool fatal;
        postgres_trouble_t want;
    } ROWS[] = {
        {NULL, false, POSTGRES_GONE},         {"57P01", false, POSTGRES_GONE},
        {"57P01", true, POSTGRES_GONE},       {"57P02", false, POSTGRES_GONE},
        {"57P03", false, POSTGRES_GONE},      {"57P05", false, POSTGRES_GONE},
        {"08006", false, POSTGRES_GONE},      {"08P01", false, POSTGRES_GONE},
        {"53300", true, POSTGRES_GONE},       {"23505", true, POSTGRES_GONE},
        {"25006", false, POSTGRES_READ_ONLY}, {"25P02", false, POSTGRES_STALE},
        {"0A000", false, POSTGRES_STALE},     {"26000", false, POSTGRES_UNPREPARED},
        {"23505", false, POSTGRES_FINE},      {"22012", false, POSTGRES_FINE},
        {"40001", false, POSTGRES_FINE},      {"40P01", false, POSTGRES_FINE},
        {"57014", false, POSTGRES_FINE},      {"53100", false, POSTGRES_FINE},
        {"40003", false, POSTGRES_GONE},
    };
    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++)
        assert_int_equal(postgres_trouble(ROWS[i].sqlstate, ROWS[i].fatal), ROWS[i].want);
}

static postgres_job_t job_of(postgres_kind_t kind, size_t n_witness)
{
    return (postgres_job_t){.kind = kind, .n_witness = n_witness, .tries = 1, .until_ms = 1000};
}

static postgres_next_t answer(postgres_job_t *job, rc_t rc)
{
    return postgres_after_answer(job, &(postgres_answer_t){.rc = rc, .part = 3});
}

static void what_the_server_says_of_a_job_is_its_answer(void **state)
{
    static const rc_t RCS[] = {RC_OK, RC_CONFLICT, RC_LIMIT, RC_IO};
    (void)state;
    for (size_t i = 0; i < sizeof RCS / sizeof RCS[0]; i++) {
        postgres_job_t job = job_of(POSTGRES_WRITE, 1);
        assert_int_equal(answer(&job, RCS[i]), POSTGRES_ANSWERED);
        assert_int_equal(job.rc, RCS[i]);
        assert_int_equal(job.failed, 3);
    }
}

static void what_gave_way_is_tried_again_but_not_for_ever(void **state)
{
    postgres_job_t job = job_of(POSTGRES_WRITE, 1);
    (void)state;
    for (; job.tries < POSTGRES_SENDS_MAX; job.tries++)
        assert_int_equal(answer(&job, RC_BUSY), POSTGRES_LATER);
    assert_int_equal(answer(&job, RC_BUSY), POSTGRES_ANSWERED);
    assert_int_equal(job.rc, RC_BUSY); /* nothing was changed */
    job.unsure = true;
    assert_int_equal(answer(&job, RC_BUSY), POSTGRES_ANSWERED);
    assert_int_equal(job.rc, RC_IO); /* something may have been */
}

static void a_job_that_was_undone_with_trouble_is_sent_again(void **state)
{
    static const postgres_trouble_t TROUBLES[] = {POSTGRES_UNPREPARED, POSTGRES_STALE,
                                                  POSTGRES_READ_ONLY};
    (void)state;
    for (size_t i = 0; i < sizeof TROUBLES / sizeof TROUBLES[0]; i++) {
        postgres_job_t job = job_of(POSTGRES_WRITE, 0);
        const postgres_answer_t said = {.trouble = TROUBLES[i], .rc = RC_IO};
        assert_int_equal(postgres_after_answer(&job, &said), POSTGRES_AGAIN);
        assert_false(job.unsure);
        job.tries = POSTGRES_SENDS_MAX;
        assert_int_equal(postgres_after_answer(&job, &said), POSTGRES_ANSWERED);
        assert_int_equal(job.rc, RC_IO);
    }
}

/* As a proxy says it that keeps our connection while its own to the server has ended. */
static void a_write_whose_server_is_gone_is_unsure_though_it_was_answered(void **state)
{
    postgres_job_t job = job_of(POSTGRES_WRITE, 1), read = job_of(POSTGRES_READ, 0);
    const postgres_answer_t gone = {.trouble = POSTGRES_GONE, .rc = RC_IO};
    (void)state;
    assert_int_equal(postgres_after_answer(&job, &gone), POSTGRES_AGAIN);
    assert_true(job.unsure);
    assert_int_equal(answer(&job, RC_CONFLICT), POSTGRES_ASK_WITNESS);
    assert_int_equal(postgres_after_answer(&read, &gone), POSTGRES_AGAIN);
    assert_false(read.unsure);
}

static void a_write_that_was_lost_is_unsure_and_sent_again_in_its_time(void **state)
{
    postgres_job_t job = job_of(POSTGRES_WRITE, 1), read = job_of(POSTGRES_READ, 0);
    (void)state;
    assert_int_equal(postgres_after_loss(&job, 999), POSTGRES_AGAIN);
    assert_true(job.unsure);
    assert_int_equal(postgres_after_loss(&job, 1000), POSTGRES_ANSWERED);
    assert_int_equal(job.rc, RC_IO);
    assert_int_equal(postgres_after_loss(&read, 999), POSTGRES_AGAIN);
    assert_false(read.unsure);
}

static postgres_job_t lost_once(size_t n_witness)
{
    postgres_job_t job = job_of(POSTGRES_WRITE, n_witness);
    assert_int_equal(postgres_after_loss(&job, 0), POSTGRES_AGAIN);
    return job;
}

static void an_unsure_write_that_succeeds_is_sure(void **state)
{
    postgres_job_t job = lost_once(1);
    (void)state;
    assert_int_equal(answer(&job, RC_OK), POSTGRES_ANSWERED);
    assert_int_equal(job.rc, RC_OK);
    assert_false(job.unsure);
}

static void an_unsure_write_that_is_refused_asks_its_witness(void **state)
{
    static const rc_t REFUSALS[] = {RC_CONFLICT, RC_LIMIT, RC_IO};
    (void)state;
    for (size_t i = 0; i < sizeof REFUSALS / sizeof REFUSALS[0]; i++) {
        postgres_job_t job = lost_once(1), other = lost_once(1);
        assert_int_equal(answer(&job, REFUSALS[i]), POSTGRES_ASK_WITNESS);
        assert_true(job.asking);
        const postgres_answer_t there = {.found = true};
        assert_int_equal(postgres_after_answer(&job, &there), POSTGRES_ANSWERED);
        assert_int_equal(job.rc, RC_OK);
        assert_int_equal(answer(&other, REFUSALS[i]), POSTGRES_ASK_WITNESS);
        assert_int_equal(answer(&other, RC_OK), POSTGRES_ANSWERED); /* no row */
        assert_int_equal(other.rc, RC_IO);
        assert_true(other.unsure);
    }
}

static void without_a_witness_nobody_knows(void **state)
{
    postgres_job_t job = lost_once(0);
    (void)state;
    assert_int_equal(answer(&job, RC_CONFLICT), POSTGRES_ANSWERED);
    assert_int_equal(job.rc, RC_IO);
}

static void a_witness_that_was_lost_is_asked_again(void **state)
{
    postgres_job_t job = lost_once(1);
    (void)state;
    assert_int_equal(answer(&job, RC_CONFLICT), POSTGRES_ASK_WITNESS);
    assert_int_equal(postgres_after_loss(&job, 0), POSTGRES_AGAIN);
    assert_true(job.asking);
    assert_int_equal(answer(&job, RC_IO), POSTGRES_ANSWERED);
    assert_int_equal(job.rc, RC_IO);
}

static void pauses_grow_to_a_second_and_differ_by_chance(void **state)
{
    (void)state;
    for (unsigned failures = 1; failures < 100; failures++) {
        int64_t most = failures < 6 ? 50 << (failures - 1) : POSTGRES_PAUSE_MOST_MS;
        most = most < POSTGRES_PAUSE_MOST_MS ? most : POSTGRES_PAUSE_MOST_MS;
        assert_int_equal(postgres_pause_ms(failures, 0), most);
        for (uint32_t chance = 1; chance < 2000; chance += 7) {
            int64_t pause = postgres_pause_ms(failures, chance);
            assert_true(pause >= most / 2 && pause <= most);
        }
    }
    assert_true(postgres_yield_ms(1, 0) < postgres_yield_ms(5, 0));
    assert_true(postgres_yield_ms(1000, 0) <= 128);
}

static bool is_odd(const postgres_job_t *job, int64_t now_ms)
{
    (void)now_ms;
    return job->failed % 2 == 1;
}

static void queues_keep_their_order(void **state)
{
    postgres_job_t jobs[6] = {{0}};
    postgres_queue_t q;
    (void)state;
    postgres_queue_init(&q);
    for (size_t i = 0; i < 6; i++) {
        jobs[i].failed = i;
        postgres_queue_add(&q, &jobs[i]);
    }
    postgres_job_t *odd = postgres_queue_pick(&q, is_odd, 0);
    for (size_t i = 1; i < 6; i += 2, odd = odd->next)
        assert_int_equal(odd->failed, i);
    assert_null(odd);
    postgres_queue_add(&q, &jobs[1]);
    jobs[3].next = &jobs[5];
    jobs[5].next = NULL;
    postgres_queue_add_first(&q, &jobs[3]);
    postgres_queue_add_first(&q, NULL);
    static const size_t WANT[] = {3, 5, 0, 2, 4, 1};
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(postgres_queue_take(&q)->failed, WANT[i]);
    assert_null(postgres_queue_take(&q));
    jobs[0].next = NULL;
    postgres_queue_add_first(&q, &jobs[0]);
    postgres_queue_add(&q, &jobs[1]);
    assert_int_equal(postgres_queue_take(&q)->failed, 0);
    assert_int_equal(postgres_queue_take(&q)->failed, 1);
    assert_null(q.first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_say_what_became_of_connection_and_job),
        cmocka_unit_test(what_the_server_says_of_a_job_is_its_answer),
        cmocka_unit_test(what_gave_way_is_tried_again_but_not_for_ever),
        cmocka_unit_test(a_job_that_was_undone_with_trouble_is_sent_again),
        cmocka_unit_test(a_write_whose_server_is_gone_is_unsure_though_it_was_answered),
        cmocka_unit_test(a_write_that_was_lost_is_unsure_and_sent_again_in_its_time),
        cmocka_unit_test(an_unsure_write_that_succeeds_is_sure),
        cmocka_unit_test(an_unsure_write_that_is_refused_asks_its_witness),
        cmocka_unit_test(without_a_witness_nobody_knows),
        cmocka_unit_test(a_witness_that_was_lost_is_asked_again),
        cmocka_unit_test(pauses_grow_to_a_second_and_differ_by_chance),
        cmocka_unit_test(queues_keep_their_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
