/* How often MariaDB answers the SELECT behind GET /token, asked by nothing but its own client library: each connection
 * has a thread that executes the one prepared statement for a random token of the data set, over TCP.
 *
 *   point_select OPTION_FILE DATABASE AGENT CONNECTIONS SECONDS SERVICES USERS TOKENS
 *
 * Host, port and password are in the section [client] of OPTION_FILE. Prints {"count": …, "seconds": …, "cpu_us": …}, the
 * last being the CPU time of this process. Ends with 1 when anything fails, or when a token is not found. */
#include <mysql.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

/* CredentialTable.find, in Sources/Registry/Credentials. */
static const char statement_text[] =
    "SELECT s.id, s.requires_authorization, s.method_authorization, t.key_id, t.envelope, t.expires_at, g.agent "
    "FROM services s LEFT JOIN user_tokens t ON t.service_id = s.id AND t.user_id = ? "
    "LEFT JOIN token_grants g ON g.service_id = s.id AND g.user_id = ? AND g.agent = ? "
    "WHERE s.name = ?";

enum { COLUMNS = 7, ENVELOPE = 4, GRANTED_AGENT = 6, COLUMN_BYTES = 1024 };

static const char *option_file, *database, *agent;
static uint64_t services, users, tokens;
static atomic_bool is_over;
static pthread_barrier_t all_connected;

struct worker {
    pthread_t thread;
    uint64_t random, count;
};

static void fail(const char *what, const char *why) {
    fprintf(stderr, "point_select: %s: %s\n", what, why);
    exit(1);
}

static uint64_t next_random(struct worker *self) { /* xorshift64 */
    self->random ^= self->random << 13;
    self->random ^= self->random >> 7;
    return self->random ^= self->random << 17;
}

static MYSQL *connected(void) {
    MYSQL *connection = mysql_init(NULL);
    unsigned protocol = MYSQL_PROTOCOL_TCP;
    if (!connection) fail("mysql_init", "no memory");
    mysql_options(connection, MYSQL_READ_DEFAULT_FILE, option_file);
    mysql_options(connection, MYSQL_READ_DEFAULT_GROUP, "client");
    mysql_options(connection, MYSQL_OPT_PROTOCOL, &protocol);
    if (!mysql_real_connect(connection, NULL, NULL, NULL, database, 0, NULL, 0))
        fail("connect", mysql_error(connection));
    return connection;
}

static void bind_text(MYSQL_BIND *bind, char *text, unsigned long *length) {
    memset(bind, 0, sizeof *bind);
    bind->buffer_type = MYSQL_TYPE_STRING;
    bind->buffer = text;
    bind->length = length;
}

static void *work(void *argument) {
    struct worker *self = argument;
    char service[32], user[32];
    unsigned long service_length, user_length, agent_length = strlen(agent);
    MYSQL_BIND parameters[4], columns[COLUMNS];
    char values[COLUMNS][COLUMN_BYTES];
    unsigned long lengths[COLUMNS];
    my_bool is_null[COLUMNS];
    MYSQL *connection = connected();
    MYSQL_STMT *statement = mysql_stmt_init(connection);

    if (mysql_stmt_prepare(statement, statement_text, strlen(statement_text)))
        fail("prepare", mysql_stmt_error(statement));
    bind_text(&parameters[0], user, &user_length);
    bind_text(&parameters[1], user, &user_length);
    bind_text(&parameters[2], (char *)agent, &agent_length);
    bind_text(&parameters[3], service, &service_length);
    for (int index = 0; index < COLUMNS; index++) {
        bind_text(&columns[index], values[index], &lengths[index]);
        columns[index].buffer_length = COLUMN_BYTES;
        columns[index].is_null = &is_null[index];
    }
    if (mysql_stmt_bind_param(statement, parameters)) fail("bind", mysql_stmt_error(statement));
    if (mysql_stmt_bind_result(statement, columns)) fail("bind", mysql_stmt_error(statement));

    pthread_barrier_wait(&all_connected);
    while (!atomic_load_explicit(&is_over, memory_order_relaxed)) {
        uint64_t number = next_random(self) % tokens, owner = number % users;
        user_length = snprintf(user, sizeof user, "user-%06lu", (unsigned long)owner);
        service_length =
            snprintf(service, sizeof service, "service-%06lu", (unsigned long)((number / users + owner) % services));
        if (mysql_stmt_execute(statement)) fail("execute", mysql_stmt_error(statement));
        if (mysql_stmt_fetch(statement)) fail("fetch", "no such service");
        if (is_null[ENVELOPE] || is_null[GRANTED_AGENT]) fail("fetch", "no token that is granted");
        if (mysql_stmt_fetch(statement) != MYSQL_NO_DATA) fail("fetch", "more than one row");
        mysql_stmt_free_result(statement);
        self->count++;
    }
    mysql_stmt_close(statement);
    mysql_close(connection);
    mysql_thread_end();
    return NULL;
}

static double seconds_now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static uint64_t cpu_microseconds(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000ull + usage.ru_utime.tv_usec +
           usage.ru_stime.tv_usec;
}

int main(int count, char **words) {
    if (count != 9) fail("usage", "OPTION_FILE DATABASE AGENT CONNECTIONS SECONDS SERVICES USERS TOKENS");
    option_file = words[1], database = words[2], agent = words[3];
    int connections = atoi(words[4]), seconds = atoi(words[5]);
    services = strtoull(words[6], NULL, 10), users = strtoull(words[7], NULL, 10);
    tokens = strtoull(words[8], NULL, 10);
    if (connections < 1 || seconds < 1 || !services || !users || !tokens) fail("usage", "numbers from 1 on");
    if (mysql_library_init(0, NULL, NULL)) fail("libmariadb", "does not start");

    struct worker *workers = calloc(connections, sizeof *workers);
    pthread_barrier_init(&all_connected, NULL, connections + 1);
    for (int index = 0; index < connections; index++) {
        workers[index].random = 0x9E3779B97F4A7C15ull * (index + 1);
        if (pthread_create(&workers[index].thread, NULL, work, &workers[index])) fail("pthread_create", "no thread");
    }
    pthread_barrier_wait(&all_connected);
    double began = seconds_now();
    uint64_t cpu_began = cpu_microseconds();
    nanosleep(&(struct timespec){.tv_sec = seconds}, NULL);
    atomic_store(&is_over, true);
    uint64_t total = 0;
    for (int index = 0; index < connections; index++) {
        pthread_join(workers[index].thread, NULL);
        total += workers[index].count;
    }
    printf("{\"count\": %lu, \"seconds\": %.6f, \"cpu_us\": %lu}\n", (unsigned long)total, seconds_now() - began,
           (unsigned long)(cpu_microseconds() - cpu_began));
}
