/* What one event costs: members, line, hash, and the whole way into the file. Prints microseconds
 * an event. Not part of the tests: run it by hand, built without sanitizers. */
#include "audit/audit.h"

#include "audit/line.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 32, ROUNDS = 20000 };

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static const audit_event_t CALL = {
    .kind = AUDIT_CALL_END,
    .allowed = true,
    .user = STR_INIT("6f1c2a0b-7d7e-4a39-9a3e-1d2c3b4a5f60"),
    .issuer = STR_INIT("https://as.example.com"),
    .client = STR_INIT("wrc_4f9d2c1b7a6e5d3c"),
    .resource = STR_INIT("https://mcp.example.com/mcp"),
    .upstream = STR_INIT("/mcp"),
    .method = STR_INIT("tools/call"),
    .tool = STR_INIT("get_news"),
    .rule = STR_INIT("read"),
    .arguments_hash = STR_INIT("6f1c2a0b7d7e4a399a3e1d2c3b4a5f606f1c2a0b7d7e4a399a3e1d2c3b4a5f60"),
    .token = STR_INIT("Q2xhdWRlLXRlc3QtanRp"),
    .address = STR_INIT("192.0.2.17"),
    .request_id = STR_INIT("01JD8Z5QK4W9V7T2M3N6P8R1S5"),
    .trace = STR_INIT("4bf92f3577b34da6a3ce929d0e0e4736"),
    .status = 200,
    .bytes_in = 412,
    .bytes_out = 1180,
    .duration_us = 830,
};

static void lines(void)
{
    static char text[1 << 20];
    audit_head_t head = {0};
    double body_us = 0, line_us = 0;
    for (int round = 0; round < ROUNDS; round++) {
        str_t bodies[BATCH];
        size_t at = 0;
        double start = now_us();
        for (int i = 0; i < BATCH; i++) {
            buf_t b = buf_fixed(text + at, sizeof text / 2 - at);
            if (audit_body_write(&b, &CALL, 1764083102123, &bodies[i]) != RC_OK)
                exit(1);
            at += b.n;
        }
        double middle = now_us();
        buf_t b = buf_fixed(text + sizeof text / 2, sizeof text / 2);
        for (int i = 0; i < BATCH; i++)
            audit_line_write(&b, &head, bodies[i]);
        line_us += now_us() - middle;
        body_us += middle - start;
        if (round == 0)
            printf("bytes a line: %zu\n", b.n / BATCH);
    }
    printf("members: %.3f us, line and hash: %.3f us an event\n", body_us / BATCH / ROUNDS,
           line_us / BATCH / ROUNDS);
}

static void whole(int batch)
{
    char path[] = "/tmp/warder-audit-bench-XXXXXX";
    const audit_event_t *events[BATCH];
    audit_t *t;
    str_t why;
    arena_t *a = arena_new(1 << 20);
    close(mkstemp(path));
    const audit_config_t config = {.path = str_c(path), .clock = clock_system()};
    if (audit_open(a, &config, &t, &why) != RC_OK)
        exit(1);
    for (int i = 0; i < batch; i++)
        events[i] = &CALL;
    int rounds = 100000 / batch;
    double start = now_us();
    for (int round = 0; round < rounds; round++)
        if (audit_write(t, events, (size_t)batch) != RC_OK)
            exit(1);
    double us = now_us() - start;
    printf("audit_write of %d: %.3f us an event, %.1f us a call\n", batch, us / rounds / batch,
           us / rounds);
    audit_close(t);
    unlink(path);
    arena_free(a);
}

int main(void)
{
    lines();
    whole(1);
    whole(4);
    whole(BATCH);
    return 0;
}
