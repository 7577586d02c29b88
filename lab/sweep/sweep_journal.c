#include "lab/sweep/sweep_journal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

struct SweepJournal {
    char *path;
    int fd;
};

/* ---- reading ---- */

static bool fail(GError **error, const char *path, const char *what, int why)
{
    g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(why), "%s: %s: %s", path, what,
                g_strerror(why));
    return false;
}

static JsonObject *parse_line(JsonParser *parser, const char *line, size_t len)
{
    JsonNode *root;

    if (!json_parser_load_from_data(parser, line, (gssize)len, NULL))
        return NULL;
    root = json_parser_get_root(parser);
    return root && JSON_NODE_HOLDS_OBJECT(root) ? json_node_get_object(root) : NULL;
}

/* The lines after the first. Of two for one run the later counts. */
static bool read_rows(const char *path, const char *text, const char *end, JsonParser *parser,
                      SweepRow **rows, unsigned n, GError **error)
{
    for (unsigned number = 2; text < end; number++) {
        const char *stop = memchr(text, '\n', (size_t)(end - text));
        JsonObject *object = parse_line(parser, text, (size_t)(stop - text));
        SweepRow *row = object ? sweep_row_read(object) : NULL;

        if (!row || row->run >= n) {
            sweep_row_free(row);
            g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                        "%s:%u: this is no line about a run of the sweep; the file was changed from outside",
                        path, number);
            return false;
        }
        sweep_row_free(rows[row->run]);
        rows[row->run] = row;
        text = stop + 1;
    }
    return true;
}

/* The part that ends with a whole line. */
static size_t whole_lines(const char *text, size_t len)
{
    while (len > 0 && text[len - 1] != '\n')
        len--;
    return len;
}

static SweepSpec *read_spec(const char *path, const char *text, size_t len, JsonParser *parser,
                            GError **error)
{
    const char *stop = memchr(text, '\n', len);
    JsonObject *object = stop ? parse_line(parser, text, (size_t)(stop - text)) : NULL;
    SweepSpec *spec = object ? sweep_spec_read(object) : NULL;

    if (!spec)
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                    "%s: the first line is not that of a sweep's journal", path);
    return spec;
}

SweepSpec *sweep_journal_read(const char *dir, SweepRow ***rows, GError **error)
{
    g_autofree char *path = g_build_filename(dir, SWEEP_JOURNAL_NAME, NULL);
    g_autofree char *text = NULL;
    g_autoptr(JsonParser) parser = json_parser_new();
    GError *why = NULL;
    SweepSpec *spec;
    size_t len;

    if (!g_file_get_contents(path, &text, &len, &why)) {
        g_set_error(error, why->domain, why->code, "%s holds no sweep: %s", dir, why->message);
        g_error_free(why);
        return NULL;
    }
    len = whole_lines(text, len);
    spec = read_spec(path, text, len, parser, error);
    if (!spec)
        return NULL;
    unsigned n = sweep_spec_runs(spec);
    const char *first = (const char *)memchr(text, '\n', len) + 1;

    *rows = g_new0(SweepRow *, n);
    if (read_rows(path, first, text + len, parser, *rows, n, error))
        return spec;
    sweep_journal_free_rows(g_steal_pointer(rows), n);
    sweep_spec_free(spec);
    return NULL;
}

void sweep_journal_free_rows(SweepRow **rows, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        sweep_row_free(rows[i]);
    g_free(rows);
}

/* ---- writing ---- */

static bool write_all(SweepJournal *j, const GString *text, GError **error)
{
    for (size_t at = 0; at < text->len;) {
        ssize_t n = write(j->fd, text->str + at, text->len - at);

        if (n < 0 && errno != EINTR)
            return fail(error, j->path, "cannot write", errno);
        at += n > 0 ? (size_t)n : 0;
    }
    return true;
}

static bool begin(SweepJournal *j, const SweepSpec *spec, GError **error)
{
    g_autoptr(GString) line = g_string_new(NULL);

    if (ftruncate(j->fd, 0) != 0)
        return fail(error, j->path, "cannot empty it", errno);
    sweep_spec_write(spec, line);
    return write_all(j, line, error);
}

static bool go_on(SweepJournal *j, const SweepSpec *spec, const char *text, size_t len, SweepRow **rows,
                  GError **error)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    SweepSpec *was = read_spec(j->path, text, len, parser, error);
    g_autofree char *difference = was ? sweep_spec_difference(was, spec) : NULL;

    if (!was)
        return false;
    sweep_spec_free(was);
    if (difference) {
        g_set_error(
            error, G_FILE_ERROR, G_FILE_ERROR_EXIST,
            "%s is the journal of another sweep: %s; --restart begins anew, --out takes another folder",
            j->path, difference);
        return false;
    }
    if (!read_rows(j->path, (const char *)memchr(text, '\n', len) + 1, text + len, parser, rows,
                   sweep_spec_runs(spec), error))
        return false;
    return ftruncate(j->fd, (off_t)len) == 0 || fail(error, j->path, "cannot cut off its last line", errno);
}

SweepJournal *sweep_journal_open(const char *dir, const SweepSpec *spec, bool restart, SweepRow **rows,
                                 GError **error)
{
    SweepJournal *j = g_new0(SweepJournal, 1);
    g_autofree char *text = NULL;
    size_t len;
    bool ok;

    j->path = g_build_filename(dir, SWEEP_JOURNAL_NAME, NULL);
    j->fd = open(j->path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    if (j->fd < 0) {
        ok = fail(error, j->path, "cannot open it", errno);
    } else if (flock(j->fd, LOCK_EX | LOCK_NB) != 0) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_AGAIN, "%s: another sweep is at work in this folder",
                    dir);
        ok = false;
    } else if ((ok = g_file_get_contents(j->path, &text, &len, error))) {
        len = whole_lines(text, len);
        ok = restart || len == 0 ? begin(j, spec, error) : go_on(j, spec, text, len, rows, error);
    }
    if (ok)
        return j;
    sweep_journal_close(j);
    return NULL;
}

bool sweep_journal_add(SweepJournal *j, const SweepRow *row, GError **error)
{
    g_autoptr(GString) line = g_string_new(NULL);

    sweep_row_write(row, line);
    return write_all(j, line, error);
}

void sweep_journal_close(SweepJournal *j)
{
    if (!j)
        return;
    if (j->fd >= 0)
        close(j->fd);
    g_free(j->path);
    g_free(j);
}
