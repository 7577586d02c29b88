/* The reference (docs/scenario-api.md) and the annotations (lua/meta/hopscope.lua) against what is really
 * bound: everything that scenarios can say is in both, and the reference promises nothing else. */
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

#include "lua/scenario.h"

typedef struct Book {
    char *reference, *annotations;
    GString *missing;
    GHashTable *known; /* "host:addr" as the reference writes it */
} Book;

/* How the reference calls an object of a class, and the annotations the class. */
static const struct {
    const char *class, *prefix, *annotated;
} classes[] = {
    {"alarm", "alarm", "Alarm"},
    {"host", "host", "Host"},
    {"hub", "hub", "Hub"},
    {"interface", "dev", "Dev"},
    {"link", "link", "Link"},
    {"link direction", "dir", "LinkDir"},
    {"observer", "observer", "Observer"},
    {"packet", "p", "Packet"},
    {"payload", "payload", "Payload"},
    {"process", "proc", "Process"},
    {"random stream", "rng", "Rng"},
    {"raw socket", "raw", "RawSocket"},
    {"switch", "switch", "Switch"},
    {"switch port", "port", "SwitchPort"},
    {"rarp server", "rarp", "RarpServer"},
    {"epoll", "ep", "Epoll"},
    {"tcp socket", "tcp", "TcpSocket"},
    {"tcp sink", "tcp_sink", "TcpSink"},
    {"tcp source", "tcp_source", "TcpSource"},
    {"tftp server", "tftp", "TftpServer"},
    {"rarp server", "rarp", "RarpServer"},
    {"udp echo", "echo", "UdpEcho"},
    {"udp sink", "sink", "UdpSink"},
    {"udp socket", "sock", "UdpSocket"},
    {"udp source", "source", "UdpSource"},
};

static char *read_text(const char *name)
{
    g_autofree char *path = g_build_filename(g_getenv("HS_SOURCE_ROOT"), name, NULL);
    char *text = NULL;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    return text;
}

static bool has(const char *text, const char *format, ...) G_GNUC_PRINTF(2, 3);
static bool has(const char *text, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_autofree char *what = g_strdup_vprintf(format, args);

    va_end(args);
    return strstr(text, what) != NULL;
}

static void miss(Book *b, const char *where, const char *owner, const char *name)
{
    g_string_append_printf(b->missing, "\n  %s lacks %s of %s", where, name, owner);
}

/* Everything from the heading on, up to the next one. */
static char *section(const char *text, const char *heading)
{
    const char *from = strstr(text, heading);

    if (!from)
        return g_strdup("");
    const char *to = strstr(from + strlen(heading), "\n#");

    return to ? g_strndup(from, (gsize)(to - from)) : g_strdup(from);
}

static void check_member(Book *b, const char *owner, const char *prefix, const char *annotated,
                         const char *name)
{
    static const char dots[] = ":.";
    bool found = false;

    for (int i = 0; i < 2; i++) {
        g_autofree char *full = g_strdup_printf("%s%c%s", prefix, dots[i], name);

        found |= has(b->reference, "`%s(", full) || has(b->reference, "`%s`", full);
        g_hash_table_add(b->known, g_steal_pointer(&full));
    }
    if (!found)
        miss(b, "the reference", owner, name);
    if (!has(b->annotations, "function %s:%s(", annotated, name) &&
        !has(b->annotations, "function %s.%s(", annotated, name) &&
        !has(b->annotations, "---@field %s ", name))
        miss(b, "the annotations", owner, name);
}

static void on_api(void *user, const char *owner, const char *name)
{
    Book *b = user;

    for (size_t i = 0; i < G_N_ELEMENTS(classes); i++)
        if (strcmp(classes[i].class, owner) == 0) {
            check_member(b, owner, classes[i].prefix, classes[i].annotated, name);
            return;
        }
    if (!strpbrk(owner, ":.") && !g_str_has_prefix(owner, "verdict ")) {
        miss(b, "this test's list of classes", owner, name);
        return;
    }
    g_autofree char *heading = g_strdup_printf("### Options of `%s`\n", owner);
    g_autofree char *text = section(b->reference, heading);

    if (!has(text, "| `%s` |", name))
        miss(b, "the reference", heading, name);
    if (!has(b->annotations, "---@field %s", name))
        miss(b, "the annotations", heading, name);
}

static void on_line(void *user, const char *line)
{
    static const char *const annotated[][2] = {
        {"frames", "Frames"}, {"hs", "hs"}, {"hs.plot", "hs.plot"}, {"ip4", "Ip4"}, {"os", "Os"}};
    Book *b = user;
    char **part = g_strsplit(line, " ", 2);

    for (size_t i = 0; i < G_N_ELEMENTS(annotated); i++)
        if (strcmp(part[0], annotated[i][0]) == 0)
            check_member(b, part[0], part[0], annotated[i][1], part[1]);
    g_strfreev(part);
}

/* Names that only Lua knows: those of the module, of a process's os, of a recorder. */
static const char lister[] = "local hs = require 'hopscope'\n"
                             "for name in pairs(hs) do print('hs ' .. name) end\n"
                             "for name in pairs(hs.plot) do print('hs.plot ' .. name) end\n"
                             "for name in pairs(hs.ip4) do print('ip4 ' .. name) end\n"
                             "local h = hs.host 'h'\n"
                             "h:spawn(function(os) for name in pairs(os) do print('os ' .. name) end end)\n"
                             "for _, name in ipairs { 'select', 'count', 'summaries', 'print' } do\n"
                             "  assert(hs.frames()[name])\n"
                             "  print('frames ' .. name)\n"
                             "end\n"
                             "hs.run '1s'\n";

/* Rows of the reference's tables whose first cell is code must be known. */
static void check_promises(Book *b)
{
    char **lines = g_strsplit(b->reference, "\n", -1);

    for (int i = 0; lines[i]; i++) {
        if (!g_str_has_prefix(lines[i], "| `") || !strchr(lines[i], '.') ||
            strchr(lines[i], '.') > strchr(lines[i] + 3, '`'))
            if (!g_str_has_prefix(lines[i], "| `") || !memchr(lines[i], ':', strcspn(lines[i] + 3, "`(") + 3))
                continue;
        g_autofree char *name = g_strndup(lines[i] + 3, strcspn(lines[i] + 3, "`("));

        if (strpbrk(name, ":.") && !g_hash_table_contains(b->known, name))
            g_string_append_printf(b->missing, "\n  the reference promises %s, which does not exist", name);
    }
    g_strfreev(lines);
}

static void test_complete(void)
{
    Book b = {.reference = read_text("docs/scenario-api.md"),
              .annotations = read_text("lua/meta/hopscope.lua"),
              .missing = g_string_new(NULL),
              .known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL)};
    g_autofree char *dir = g_dir_make_tmp("hopscope-XXXXXX", NULL),
                    *path = g_build_filename(dir, "list.lua", NULL);

    g_assert_true(g_file_set_contents(path, lister, -1, NULL));
    ScenarioConfig config = {.path = path, .until = SIM_NEVER, .print = on_line, .user = &b};
    Scenario *s = scenario_new(&config);

    g_assert_cmpint(scenario_run(s), ==, SCENARIO_OK);
    scenario_free(s);
    scenario_foreach_api(on_api, &b);
    check_promises(&b);
    if (b.missing->len > 0)
        g_error("%s", b.missing->str);
    g_unlink(path);
    g_rmdir(dir);
    g_free(b.reference);
    g_free(b.annotations);
    g_string_free(b.missing, TRUE);
    g_hash_table_destroy(b.known);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/lua/scenario/api-is-documented", test_complete);
    return g_test_run();
}
