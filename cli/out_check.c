#include "cli/out_check.h"

#include <stdio.h>
#include <sys/stat.h>

#include "sim/trace/outfile.h"

void outcheck_init(OutCheck *c, const ArgCommand *command, const char *const *inputs)
{
    *c = (OutCheck){command, inputs, g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL)};
}

void outcheck_clear(OutCheck *c)
{
    g_hash_table_destroy(c->taken);
}

static bool is_same_file(const char *a, const char *b)
{
    struct stat x, y;

    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* A scenario may also be read by that of the operand (require): its name is enough. */
static bool is_input(const OutCheck *c, const char *path)
{
    for (const char *const *input = c->inputs; input && *input; input++)
        if (is_same_file(*input, path))
            return true;
    return g_str_has_suffix(path, ".lua");
}

/* What is no regular file (/dev/stdout) is written through, twice if need be. */
static bool is_taken(const OutCheck *c, const char *path)
{
    struct stat st;

    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
        return false;
    return !g_hash_table_add(c->taken, g_canonicalize_filename(path, NULL));
}

bool outcheck_file(OutCheck *c, const char *option, const char *path)
{
    GError *error = NULL;

    if (is_input(c, path)) {
        args_wrong(c->command, "%s: \"%s\" is an input and is not replaced; expected another name",
                   option ? option : "the output", path);
        return false;
    }
    if (is_taken(c, path)) {
        args_wrong(c->command, "%s: two files would be called %s; expected different names",
                   option ? option : "the output", path);
        return false;
    }
    if (outfile_check(path, &error))
        return true;
    fprintf(stderr, "hopscope %s: %s%s%s\n", c->command->name, option ? option : "", option ? ": " : "",
            error->message);
    g_error_free(error);
    return false;
}
