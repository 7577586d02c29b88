#include "lua/inputfile.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <sys/stat.h>
#include <unistd.h>

int inputfile_read(const char *path, size_t max, char **text, size_t *len)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;

    if (fd < 0)
        return errno;
    int why = fstat(fd, &st) != 0 ? errno : S_ISDIR(st.st_mode) ? EISDIR : S_ISREG(st.st_mode) ? 0 : EINVAL;

    if (why == 0 && (st.st_size < 0 || (uint64_t)st.st_size > max))
        why = EFBIG;
    if (why == 0) {
        size_t size = (size_t)st.st_size, got = 0;
        char *buf = g_malloc(size + 1);

        while (got < size) {
            ssize_t n = read(fd, buf + got, size - got);

            if (n < 0 && errno == EINTR)
                continue;
            if (n <= 0) {
                why = n < 0 ? errno : 0;
                break;
            }
            got += (size_t)n;
        }
        buf[got] = '\0';
        if (why == 0) {
            *text = buf;
            *len = got;
        } else {
            g_free(buf);
        }
    }
    close(fd);
    return why;
}
