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
    g_free(s->input);
    g_free(s->name);
    *s = (ByteSource){.fd = -1};
}

ssize_t bytesource_read(ByteSource *s, uint8_t *to, size_t n, GError **error)
{
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
        if (s->fd < 0)
            break;
        k = read(s->fd, s->input, INPUT_BYTES);
        if (k == 0)
            break;
        if (k > 0) {
            s->ahead = s->input;
            s->n_ahead = (size_t)k;
        } else if (errno != EINTR) {
            set_error(error, "read", s->name, errno);
            return -1;
        }
    }
    return (ssize_t)got;
}
