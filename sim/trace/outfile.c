/* Buffered output with a sticky error; see outfile.h for the two modes and what each leaves behind. */
#include "sim/trace/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* Large enough that the system call is noise beside the copying, small enough to stay in a second-level
 * cache. */
#define BUFFER_BYTES ((size_t)256 * 1024)
/* From here on a writev of the caller's memory is cheaper than copying it into the buffer first. */
#define DIRECT_BYTES ((size_t)64 * 1024)
/* A file of this length gets its blocks on the disk so many at a time, ahead of what is written: the kernel
 * then does not have to reserve them page by page, which is a quarter of what writing costs. */
#define AHEAD_FROM_BYTES ((uint64_t)4 * 1024 * 1024)
#define AHEAD_BYTES ((uint64_t)8 * 1024 * 1024)

struct OutFile {
    OutFileCursor cursor; /* first: outfile.h looks at it */
    uint8_t *buffer;
    const uint8_t *lent; /* follows what is in the buffer */
    size_t n_lent;
    uint64_t flushed_bytes;
    uint64_t ahead_bytes; /* up to here the file has blocks; 0: as many as were written */
    bool no_ahead;        /* cannot be had */
    int fd;
    int error; /* errno of the first failure, or 0 */
    OutFileMode mode;
    bool in_place; /* not a regular file: nothing to rename or remove */
    bool is_old;   /* held in place: what was in it before is there until something is written */
    OutHold *hold; /* that it waits for; NULL: none */
    char *path;    /* as the user named it */
    char *written; /* what is open: path or path.part */
};

struct OutHold {
    GPtrArray *files; /* OutFile */
    bool is_released;
};

static void write_all(OutFile *f, struct iovec *iov, int n_iov);

static bool fail_to_create(const char *path, int why, GError **error)
{
    g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(why), "cannot create %s: %s", path,
                g_strerror(why));
    return false;
}

bool outfile_check(const char *path, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(path);
    struct stat st;

    if (!*path || g_str_has_suffix(path, "/"))
        return fail_to_create(path, *path ? EISDIR : ENOENT, error);
    if (lstat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
        if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
            return fail_to_create(path, EISDIR, error);
        return access(path, W_OK) == 0 || errno == ENOENT || fail_to_create(path, errno, error);
    }
    if (stat(folder, &st) != 0)
        return fail_to_create(path, errno, error);
    if (!S_ISDIR(st.st_mode))
        return fail_to_create(path, ENOTDIR, error);
    return access(folder, W_OK | X_OK) == 0 || fail_to_create(path, errno, error);
}

static void free_outfile(OutFile *f)
{
    g_free(f->buffer);
    g_free(f->written);
    g_free(f->path);
    g_free(f);
}

static OutFile *open_file(const char *path, OutFileMode mode, OutHold *hold, GError **error)
{
    OutFile *f = g_new0(OutFile, 1);
    struct stat st;

    f->path = g_strdup(path);
    f->mode = mode;
    f->in_place = lstat(path, &st) == 0 && !S_ISREG(st.st_mode);
    f->is_old = hold && f->in_place;
    /* What must not be written is not to be replaced either. */
    if (hold && access(path, W_OK) != 0 && errno != ENOENT) {
        fail_to_create(path, errno, error);
        free_outfile(f);
        return NULL;
    }
    f->written =
        (mode == OUTFILE_WHOLE || hold) && !f->in_place ? g_strconcat(path, ".part", NULL) : g_strdup(path);
    f->fd = open(f->written, O_WRONLY | O_CREAT | (f->is_old ? 0 : O_TRUNC) | O_CLOEXEC, 0666);
    if (f->fd < 0) {
        fail_to_create(path, errno, error);
        free_outfile(f);
        return NULL;
    }
    f->no_ahead = f->in_place;
    f->buffer = g_malloc(BUFFER_BYTES);
    f->cursor.next = f->buffer;
    f->cursor.end = f->buffer + BUFFER_BYTES;
    f->hold = hold;
    if (hold)
        g_ptr_array_add(hold->files, f);
    return f;
}

OutFile *outfile_open(const char *path, OutFileMode mode, GError **error)
{
    return open_file(path, mode, NULL, error);
}

OutFile *outfile_open_held(const char *path, OutHold *hold, GError **error)
{
    return open_file(path, OUTFILE_STREAM, hold && !hold->is_released ? hold : NULL, error);
}

static void leave_hold(OutFile *f)
{
    if (f->hold)
        g_ptr_array_remove(f->hold->files, f);
    f->hold = NULL;
}

/* Not every file system can do that, and a full one will say so when it is written to. */
static void allocate_ahead(OutFile *f)
{
    uint64_t from = HS_MAX(f->ahead_bytes, f->flushed_bytes);

    if (fallocate(f->fd, FALLOC_FL_KEEP_SIZE, (off_t)from, (off_t)AHEAD_BYTES) == 0)
        f->ahead_bytes = from + AHEAD_BYTES;
    else
        f->no_ahead = true;
}

/* Gives back the blocks that were not needed. */
static void close_file(OutFile *f)
{
    if (f->ahead_bytes) {
        off_t end = lseek(f->fd, 0, SEEK_CUR); /* less than was flushed, after an error */

        if (end >= 0 && ftruncate(f->fd, end) != 0 && !f->error)
            f->error = errno;
    }
    /* NFS and quotas report late: close may be the first to know of a failed write. */
    if (close(f->fd) != 0 && errno != EINTR && !f->error)
        f->error = errno;
}

/* Devices and FIFOs have no length to be cut. */
static void make_new(OutFile *f)
{
    if (f->is_old && ftruncate(f->fd, 0) != 0 && errno != EINVAL && !f->error)
        f->error = errno;
    f->is_old = false;
}

/* Take the failed or unwanted file out of sight. Errors here cannot make matters worse and are not reported.
 */
static void set_aside(OutFile *f)
{
    if (f->in_place)
        return;
    if (strcmp(f->written, f->path) != 0) {
        unlink(f->written);
    } else {
        char *aside = g_strconcat(f->path, ".incomplete", NULL);

        if (rename(f->path, aside) != 0)
            unlink(f->path);
        g_free(aside);
    }
}

bool outfile_close(OutFile *f, GError **error)
{
    int err;

    leave_hold(f);
    outfile_flush(f);
    make_new(f);
    close_file(f);
    if (!f->error && strcmp(f->written, f->path) != 0 && rename(f->written, f->path) != 0)
        f->error = errno;
    err = f->error;
    if (err) {
        set_aside(f);
        g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(err), "cannot write %s: %s", f->path,
                    g_strerror(err));
    }
    free_outfile(f);
    return err == 0;
}

void outfile_discard(OutFile *f)
{
    if (!f)
        return;
    if (f->mode == OUTFILE_STREAM && !f->hold)
        outfile_flush(f);
    leave_hold(f);
    close_file(f);
    set_aside(f);
    free_outfile(f);
}

/* ---- holding ---- */

OutHold *outhold_new(void)
{
    OutHold *hold = g_new0(OutHold, 1);

    hold->files = g_ptr_array_new();
    return hold;
}

bool outhold_release(OutHold *hold, GError **error)
{
    bool ok = true;

    hold->is_released = true;
    while (hold->files->len) {
        OutFile *f = hold->files->pdata[0];

        leave_hold(f);
        make_new(f);
        if (!f->error && !f->in_place && rename(f->written, f->path) != 0)
            f->error = errno;
        if (!f->error && !f->in_place) {
            g_free(f->written);
            f->written = g_strdup(f->path);
        }
        if (f->error && ok)
            g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(f->error), "cannot write %s: %s",
                        f->path, g_strerror(f->error));
        ok = ok && !f->error;
    }
    return ok;
}

void outhold_free(OutHold *hold)
{
    if (!hold)
        return;
    hs_assert(!hold->files->len);
    g_ptr_array_free(hold->files, TRUE);
    g_free(hold);
}

/* ---- writing ---- */

uint64_t outfile_size(const OutFile *f)
{
    return f->flushed_bytes + (uint64_t)(f->cursor.next - f->buffer) + f->n_lent;
}

bool outfile_has_failed(const OutFile *f)
{
    return f->error != 0;
}

const char *outfile_path(const OutFile *f)
{
    return f->path;
}

void outfile_flush(OutFile *f)
{
    struct iovec iov[2] = {{f->buffer, (size_t)(f->cursor.next - f->buffer)}, {(void *)f->lent, f->n_lent}};

    f->cursor.next = f->buffer;
    f->n_lent = 0;
    write_all(f, iov, 2);
}

void outfile_lend(OutFile *f, const void *data, size_t n)
{
    const size_t n_buffer = (size_t)(f->cursor.next - f->buffer), n_before = n_buffer + f->n_lent;
    const uint64_t end = (f->flushed_bytes + n_before + n) / OUTFILE_STRETCH_BYTES * OUTFILE_STRETCH_BYTES;

    if (end >= f->flushed_bytes + n_before) {
        size_t now = (size_t)(end - f->flushed_bytes - n_before);
        struct iovec iov[3] = {{f->buffer, n_buffer}, {(void *)f->lent, f->n_lent}, {(void *)data, now}};

        f->cursor.next = f->buffer;
        write_all(f, iov, 3);
        f->lent = (const uint8_t *)data + now;
        f->n_lent = n - now;
    } else {
        if (f->n_lent)
            outfile_flush(f);
        f->lent = data;
        f->n_lent = n;
    }
}

uint8_t *outfile_grow(OutFile *f, size_t keep, size_t n)
{
    uint8_t *kept = f->cursor.next;
    size_t room = (size_t)(f->cursor.end - f->buffer);

    hs_assert(keep <= n && !f->n_lent);
    if ((size_t)(f->cursor.end - f->cursor.next) >= n)
        return kept;
    outfile_flush(f);
    memmove(f->buffer, kept, keep);
    if (room < n) {
        f->buffer = g_realloc(f->buffer, n);
        f->cursor.next = f->buffer;
        f->cursor.end = f->buffer + n;
    }
    return f->buffer;
}

void outfile_write(OutFile *f, const void *data, size_t n)
{
    if (f->n_lent)
        outfile_flush(f);
    if (n >= DIRECT_BYTES) {
        struct iovec iov[2] = {{f->buffer, (size_t)(f->cursor.next - f->buffer)}, {(void *)data, n}};

        f->cursor.next = f->buffer;
        write_all(f, iov, 2);
    } else if (n) {
        memcpy(outfile_reserve(f, n), data, n);
        outfile_commit(f, n);
    }
}

void outfile_printf(OutFile *f, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    outfile_vprintf(f, fmt, ap);
    va_end(ap);
}

void outfile_vprintf(OutFile *f, const char *fmt, va_list ap)
{
    size_t room = (size_t)(f->cursor.end - f->cursor.next);
    va_list again;
    int n;

    va_copy(again, ap);
    n = vsnprintf((char *)f->cursor.next, room, fmt, ap);
    hs_assert(n >= 0);
    /* vsnprintf wants one byte more than it leaves, for its terminator. */
    if ((size_t)n >= room)
        vsnprintf((char *)outfile_grow(f, 0, (size_t)n + 1), (size_t)n + 1, fmt, again);
    va_end(again);
    outfile_commit(f, (size_t)n);
}

/* Short writes go on where they stopped: on a nearly full disk the next call then says ENOSPC. */
static void write_all(OutFile *f, struct iovec *iov, int n_iov)
{
    if (f->flushed_bytes >= AHEAD_FROM_BYTES && f->flushed_bytes + BUFFER_BYTES > f->ahead_bytes &&
        !f->no_ahead && !f->error)
        allocate_ahead(f);
    for (int i = 0; i < n_iov; i++)
        f->flushed_bytes += iov[i].iov_len;
    if (f->flushed_bytes)
        make_new(f);
    while (!f->error && n_iov) {
        ssize_t n;

        if (iov->iov_len == 0) {
            iov++;
            n_iov--;
            continue;
        }
        n = writev(f->fd, iov, n_iov);
        if (n < 0) {
            if (errno != EINTR)
                f->error = errno;
            continue;
        }
        for (size_t left = (size_t)n; left;) {
            size_t step = HS_MIN(left, iov->iov_len);

            iov->iov_base = step ? (uint8_t *)iov->iov_base + step : iov->iov_base; /* NULL, when empty */
            iov->iov_len -= step;
            left -= step;
            if (iov->iov_len == 0 && n_iov > 1) {
                iov++;
                n_iov--;
            }
        }
    }
}
