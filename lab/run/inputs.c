#include "lab/run/inputs.h"

#include <errno.h>
#include <string.h>

struct Inputs {
    GPtrArray *files; /* Input, in the order in which they were first read */
};

typedef struct Input {
    char *path, *text;
    size_t len;
} Input;

static void free_input(gpointer data)
{
    Input *f = data;

    g_free(f->path);
    g_free(f->text);
    g_free(f);
}

Inputs *inputs_new(void)
{
    Inputs *in = g_new(Inputs, 1);

    in->files = g_ptr_array_new_with_free_func(free_input);
    return in;
}

void inputs_free(Inputs *in)
{
    if (!in)
        return;
    g_ptr_array_free(in->files, TRUE);
    g_free(in);
}

static const Input *find(const Inputs *in, const char *path)
{
    for (unsigned i = 0; i < in->files->len; i++) {
        const Input *f = in->files->pdata[i];

        if (!strcmp(f->path, path))
            return f;
    }
    return NULL;
}

void inputs_add(Inputs *in, const char *path, const char *text, size_t len)
{
    Input *f;

    if (find(in, path))
        return;
    f = g_new(Input, 1);
    f->path = g_strdup(path);
    f->text = g_malloc(len + 1);
    memcpy(f->text, text, len);
    f->text[len] = '\0';
    f->len = len;
    g_ptr_array_add(in->files, f);
}

unsigned inputs_count(const Inputs *in)
{
    return in->files->len;
}

const char *inputs_at(const Inputs *in, unsigned i, const char **path, size_t *len)
{
    const Input *f = in->files->pdata[i];

    *path = f->path;
    *len = f->len;
    return f->text;
}

int inputs_record(void *user, const char *path, size_t max, char **text, size_t *len)
{
    int why = inputfile_read(path, max, text, len);

    if (why == 0)
        inputs_add(user, path, *text, *len);
    return why;
}

int inputs_replay(void *user, const char *path, size_t max, char **text, size_t *len)
{
    const Input *f = find(user, path);

    if (!f)
        return ENOENT;
    if (f->len > max)
        return EFBIG;
    *text = g_malloc(f->len + 1);
    memcpy(*text, f->text, f->len + 1);
    *len = f->len;
    return 0;
}
