/* Reading ahead from a file, or from memory. */
#include "sim/trace/bytesource.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define INPUT_BYTES ((size_t)256 * 1024)

static void set_error(GError **error, const char *what, const char *name, int err)
{
    g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(err), "cannot %s %s: %s", what, name,
                g_strerror(err));
}

bool bytesource_init_file(ByteSource *s, const char *path, GError **error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0) {
        set_error(error, "open", path, errno);
        return false;
    }
    *s = (ByteSource){.name = g_strdup(path), .fd = fd, .input = g_malloc(INPUT_BYTES)};
    return true;
}

void bytesource_init_memory(ByteSource *s, const void *data, size_t n, const char *name)
{
    *s = (ByteSource){.name = g_strdup(name), .fd = -1, .ahead = data, .n_ahead = n};
}

void bytesource_clear(ByteSource *s)
{
    if (s->fd >= 0)
        close(s->fd);
    lz4reader_free(s->unpacker);
    g_free(s->input);
    g_free(s->name);
    *s = (ByteSource){.fd = -1};
}

/* More input behind what is left of it. 0: the end; negative: *error. */
static ssize_t read_ahead(ByteSource *s, GError **error)
{
    ssize_t k;

    if (s->fd < 0)
        return 0;
    if (s->n_ahead) /* or there is nothing to point to yet */
        memmove(s->input, s->ahead, s->n_ahead);
    s->ahead = s->input;
    do
        k = read(s->fd, s->input + s->n_ahead, INPUT_BYTES - s->n_ahead);
    while (k < 0 && errno == EINTR);
    if (k < 0)
        set_error(error, "read", s->name, errno);
    else
        s->n_ahead += (size_t)k;
    return k;
}

static ssize_t read_plain(void *user, uint8_t *to, size_t n, GError **error)
{
    ByteSource *s = user;
    size_t got = 0;

    while (got < n) {
        size_t step = HS_MIN(n - got, s->n_ahead);
        ssize_t k;

        if (step) {
            memcpy(to + got, s->ahead, step);
            s->ahead += step;
            s->n_ahead -= step;
            got += step;
            continue;
        }
        k = read_ahead(s, error);
        if (k < 0)
            return -1;
        if (k == 0)
            break;
    }
    return (ssize_t)got;
}

/* A source must stay where it is from the first read on: the unpacker asks it for bytes. */
static bool begin(ByteSource *s, GError **error)
{
    static const uint8_t magic[4] = {0x04, 0x22, 0x4d, 0x18};
    ssize_t k = 1;

    while (s->n_ahead < sizeof magic && k > 0)
        k = read_ahead(s, error);
    if (k < 0)
        return false;
    if (s->n_ahead >= sizeof magic && memcmp(s->ahead, magic, sizeof magic) == 0)
        s->unpacker = lz4reader_new(read_plain, s, s->name);
    s->has_begun = true;
    return true;
}

ssize_t bytesource_read(ByteSource *s, uint8_t *to, size_t n, GError **error)
{
    if (!s->has_begun && !begin(s, error))
        return -1;
    return s->unpacker ? lz4reader_read(s->unpacker, to, n, error) : read_plain(s, to, n, error);
}

bool bytesource_is_cut_short(const ByteSource *s)
{
    return s->unpacker && lz4reader_is_cut_short(s->unpacker);
}
