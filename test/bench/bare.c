/* The least that a durable, signing token endpoint can do: for each request one ES256 signature and
 * one row in SQLite, rows of concurrent requests sharing a transaction, the answer only after the
 * commit. What it leaves out (parsing, authentication, policy, audit) is what Warder's figure has
 * to be seen against. Not a server for anything else. Usage: bare PORT DATABASE */
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

enum { BUFFER = 8192, DIGEST_INPUT = 400, SIGNATURE_MAX = 80, BATCH_MAX = 4096 };

typedef struct request {
    struct request *next;
    uv_tcp_t socket;
    uv_write_t write;
    char in[BUFFER];
    size_t n_in;
    char out[1024];
    unsigned char signature[SIGNATURE_MAX];
    size_t n_signature;
    int busy, gone; /* between reading and answering; the peer left meanwhile */
} request_t;

static struct {
    pthread_mutex_t lock;
    pthread_cond_t filled;
    request_t *waiting, **tail; /* signed, not yet stored */
    request_t *stored;          /* committed, not yet answered */
    uv_async_t wake;
} queue = {.lock = PTHREAD_MUTEX_INITIALIZER, .filled = PTHREAD_COND_INITIALIZER};

static sqlite3 *db;
static EVP_PKEY *key;
static EVP_MD_CTX *context;

static void die(const char *what)
{
    fprintf(stderr, "bare: %s\n", what);
    exit(1);
}

static void sql(const char *text)
{
    if (sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK)
        die(sqlite3_errmsg(db));
}

static request_t *take_all(void)
{
    pthread_mutex_lock(&queue.lock);
    while (!queue.waiting)
        pthread_cond_wait(&queue.filled, &queue.lock);
    request_t *batch = queue.waiting;
    queue.waiting = NULL;
    queue.tail = &queue.waiting;
    pthread_mutex_unlock(&queue.lock);
    return batch;
}

/* Group commit: whatever came while the last transaction was written goes into the next. */
static void *write_rows(void *unused)
{
    sqlite3_stmt *insert;
    if (sqlite3_prepare_v2(db, "INSERT INTO token(signature, at) VALUES(?, ?)", -1, &insert,
                           NULL) != SQLITE_OK)
        die("prepare");
    for (;;) {
        request_t *batch = take_all(), *last = NULL;
        sql("BEGIN IMMEDIATE");
        for (request_t *r = batch; r; last = r, r = r->next) {
            sqlite3_bind_blob(insert, 1, r->signature, (int)r->n_signature, SQLITE_STATIC);
            sqlite3_bind_int64(insert, 2, (sqlite3_int64)uv_hrtime());
            if (sqlite3_step(insert) != SQLITE_DONE)
                die("insert");
            sqlite3_reset(insert);
        }
        sql("COMMIT");
        pthread_mutex_lock(&queue.lock);
        last->next = queue.stored;
        queue.stored = batch;
        pthread_mutex_unlock(&queue.lock);
        uv_async_send(&queue.wake);
    }
    return unused;
}

static void closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void leave(request_t *r)
{
    r->gone = 1;
    if (!r->busy && !uv_is_closing((uv_handle_t *)&r->socket))
        uv_close((uv_handle_t *)&r->socket, closed);
}

static void written(uv_write_t *write, int status)
{
    request_t *r = write->data;
    r->busy = 0;
    if (status < 0 || r->gone)
        leave(r);
}

static void answer(request_t *r)
{
    static const char hex[] = "0123456789abcdef";
    char text[2 * SIGNATURE_MAX + 1];
    for (size_t i = 0; i < r->n_signature; i++) {
        text[2 * i] = hex[r->signature[i] >> 4];
        text[2 * i + 1] = hex[r->signature[i] & 15];
    }
    int n = snprintf(r->out, sizeof r->out,
                     "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n"
                     "Cache-Control: no-store\r\n\r\n{\"access_token\":\"%.*s\"}",
                     2 * r->n_signature + 19, (int)(2 * r->n_signature), text);
    uv_buf_t buf = uv_buf_init(r->out, (unsigned)n);
    r->write.data = r;
    uv_write(&r->write, (uv_stream_t *)&r->socket, &buf, 1, written);
}

static void answer_stored(uv_async_t *wake)
{
    (void)wake;
    pthread_mutex_lock(&queue.lock);
    request_t *r = queue.stored;
    queue.stored = NULL;
    pthread_mutex_unlock(&queue.lock);
    while (r) {
        request_t *next = r->next;
        answer(r);
        r = next;
    }
}

static void sign_and_queue(request_t *r)
{
    r->busy = 1;
    r->n_signature = sizeof r->signature;
    EVP_MD_CTX_reset(context);
    if (EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) != 1 ||
        EVP_DigestSign(context, r->signature, &r->n_signature, (const unsigned char *)r->in,
                       DIGEST_INPUT) != 1)
        die("sign");
    r->next = NULL;
    pthread_mutex_lock(&queue.lock);
    *queue.tail = r;
    queue.tail = &r->next;
    pthread_cond_signal(&queue.filled);
    pthread_mutex_unlock(&queue.lock);
}

/* Just enough of HTTP: headers up to the blank line, and a body of Content-Length bytes. */
static int request_is_whole(request_t *r)
{
    r->in[r->n_in] = 0;
    const char *end = strstr(r->in, "\r\n\r\n");
    if (!end)
        return 0;
    const char *length = strcasestr(r->in, "content-length:");
    size_t body = length && length < end ? strtoul(length + 15, NULL, 10) : 0;
    return r->n_in >= (size_t)(end + 4 - r->in) + body;
}

static void room(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    (void)suggested;
    request_t *r = handle->data;
    *buf = uv_buf_init(r->in + r->n_in, (unsigned)(BUFFER - 1 - r->n_in));
}

static void got(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    (void)buf;
    request_t *r = stream->data;
    if (n < 0) {
        uv_read_stop(stream);
        leave(r);
        return;
    }
    r->n_in += (size_t)n;
    if (!request_is_whole(r))
        return;
    r->n_in = 0;
    sign_and_queue(r);
}

static void connected(uv_stream_t *server, int status)
{
    request_t *r = status == 0 ? calloc(1, sizeof *r) : NULL;
    if (!r)
        return;
    r->socket.data = r;
    uv_tcp_init(server->loop, &r->socket);
    uv_accept(server, (uv_stream_t *)&r->socket);
    uv_tcp_nodelay(&r->socket, 1);
    uv_read_start((uv_stream_t *)&r->socket, room, got);
}

int main(int argc, char **argv)
{
    if (argc != 3)
        die("usage: bare PORT DATABASE");
    if (sqlite3_open(argv[2], &db) != SQLITE_OK)
        die("open");
    sql("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
        "CREATE TABLE IF NOT EXISTS token(signature BLOB, at INTEGER)");
    key = EVP_EC_gen("P-256");
    context = EVP_MD_CTX_new();
    if (!key || !context)
        die("key");
    queue.tail = &queue.waiting;

    uv_loop_t *loop = uv_default_loop();
    uv_async_init(loop, &queue.wake, answer_stored);
    pthread_t writer;
    if (pthread_create(&writer, NULL, write_rows, NULL) != 0)
        die("thread");

    uv_tcp_t server;
    struct sockaddr_in address;
    uv_ip4_addr("127.0.0.1", atoi(argv[1]), &address);
    uv_tcp_init(loop, &server);
    if (uv_tcp_bind(&server, (const struct sockaddr *)&address, 0) != 0 ||
        uv_listen((uv_stream_t *)&server, 512, connected) != 0)
        die("listen");
    return uv_run(loop, UV_RUN_DEFAULT);
}
