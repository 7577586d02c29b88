/* hopscope packetdrill: runs scripts, one line each in the manner of TAP. */
#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "cli/args.h"
#include "cli/commands.h"
#include "cli/out_check.h"
#include "lab/run/runner.h"
#include "packetdrill/pd_run.h"
#include "packetdrill/pd_sim.h"
#include "sim/trace/pcapng_writer.h"

#define MAX_SCRIPTS 10000
#define MAX_SCRIPT_BYTES (16u << 20)
#define LINKTYPE_RAW 101
#define MAX_FLAGS 64
#define OWN_OPTIONS 3

typedef struct Options {
    const char *flag[MAX_FLAGS]; /* values of the language's flags, in its order */
    bool given[MAX_FLAGS];
    bool on[MAX_FLAGS];
    GPtrArray *defines;
    const char *pcap;
    uint64_t seed;
    bool has_seed;
} Options;

typedef struct Watch { /* one script's observer */
    PcapngWriter *pcap;
} Watch;

/* The language's own flags, and ours in front of them. */
static void make_table(ArgOption *table, Options *o)
{
    unsigned n = 0;
    const char *name, *value, *help;

    table[n++] = (ArgOption){
        "pcap", 'c', ARG_STRING, "DIR", "capture what passes tun0, one file a script, into DIR", &o->pcap};
    table[n++] = (ArgOption){"seed",   's',         ARG_COUNT, "N", "seed of every random stream (default 1)",
                             &o->seed, &o->has_seed};
    for (unsigned i = 0; (name = pd_config_flag_at(i, &value, &help)); i++) {
        char letter = strcmp(name, "define") == 0 ? 'D' : strcmp(name, "verbose") == 0 ? 'v' : 0;

        hs_assert(i < MAX_FLAGS);
        if (letter == 'D')
            table[n++] = (ArgOption){name, letter, ARG_LIST, value, help, o->defines};
        else if (value)
            table[n++] = (ArgOption){name, letter, ARG_STRING, value, help, &o->flag[i], &o->given[i]};
        else
            table[n++] = (ArgOption){name, letter, ARG_FLAG, NULL, help, &o->on[i]};
    }
    table[n] = (ArgOption){0};
}

static bool configure(PdConfig *c, const Options *o, char **error)
{
    const char *name, *value, *help;

    pd_config_init(c);
    if (o->has_seed)
        c->seed = o->seed;
    for (unsigned i = 0; (name = pd_config_flag_at(i, &value, &help)); i++) {
        if (value && o->given[i] && !pd_config_set(c, name, o->flag[i], true, error))
            return false;
        if (!value && o->on[i] && !pd_config_set(c, name, NULL, true, error))
            return false;
    }
    for (unsigned i = 0; i < o->defines->len; i++) {
        if (!pd_config_set(c, "define", o->defines->pdata[i], true, error))
            return false;
    }
    return true;
}

/* ---- looking on ---- */

static void on_line(void *user, const char *text)
{
    char **lines = g_strsplit(text, "\n", -1);

    (void)user;
    for (char **l = lines; *l; l++)
        printf("# %s\n", *l);
    g_strfreev(lines);
}

static void on_packet(void *user, PdDirection dir, int64_t at_ns, const uint8_t *bytes, size_t len)
{
    Watch *w = user;

    if (!w->pcap)
        return;
    memcpy(pcapng_writer_packet_begin(w->pcap, 0, at_ns, (uint32_t)len, (uint32_t)len), bytes, len);
    pcapng_writer_packet_end(w->pcap, dir == PD_INBOUND ? PCAPNG_FLAG_INBOUND : PCAPNG_FLAG_OUTBOUND, NULL);
}

/* "DIR/rto.pcapng" of "tests/rto.pkt"; "DIR/rto-2.pcapng" of the next script of that name. */
static char *pcap_path(const char *dir, const char *script, GHashTable *taken)
{
    g_autofree char *base = g_path_get_basename(script);
    char *path;

    if (g_str_has_suffix(base, ".pkt"))
        base[strlen(base) - 4] = 0;
    path = g_strdup_printf("%s/%s.pcapng", dir, base);
    for (unsigned i = 2; !g_hash_table_add(taken, g_strdup(path)); i++) {
        g_free(path);
        path = g_strdup_printf("%s/%s-%u.pcapng", dir, base, i);
    }
    return path;
}

static bool open_pcap(Watch *w, const char *path)
{
    GError *error = NULL;

    w->pcap = pcapng_writer_open(path, &(PcapngSection){0}, &error);
    if (w->pcap)
        pcapng_writer_add_iface(w->pcap, &(PcapngIface){.name = "tun0", .linktype = LINKTYPE_RAW});
    else
        fprintf(stderr, "hopscope packetdrill: %s\n", error->message);
    g_clear_error(&error);
    return w->pcap != NULL;
}

/* Before the first script: the folder is there, and every capture can be made. Their names; NULL: that was
 * told. */
static GPtrArray *prepare_pcaps(const ArgCommand *command, const char *dir, const char *const *scripts)
{
    g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GHashTable) taken = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    GError *error = NULL;
    OutCheck out;
    bool ok = true;

    if (!runner_make_folder(dir, NULL, &error)) {
        fprintf(stderr, "hopscope packetdrill: --pcap: %s\n", error->message);
        g_error_free(error);
        return NULL;
    }
    outcheck_init(&out, command, NULL);
    for (; *scripts && ok; scripts++) {
        g_ptr_array_add(paths, pcap_path(dir, *scripts, taken));
        ok = outcheck_file(&out, "--pcap", paths->pdata[paths->len - 1]);
    }
    outcheck_clear(&out);
    return ok ? g_steal_pointer(&paths) : NULL;
}

/* ---- one script ---- */

/* A script that cannot be read has no capture, and that of an earlier one stays. */
static PdOutcome run_text(const char *path, const char *text, size_t len, const PdConfig *base,
                          const char *pcap, char **error)
{
    Watch watch = {0};
    const PdObserver o = {.user = &watch, .line = on_line, .packet = on_packet};
    PdConfig c;
    PdScript *script;
    PdOutcome outcome = PD_WRONG;
    GError *failure = NULL;

    pd_config_init(&c);
    pd_config_copy(&c, base);
    script = pd_parse(path, text, len, &c, error);
    if (script && c.dry_run)
        outcome = PD_PASSED;
    else if (script && (!pcap || open_pcap(&watch, pcap)))
        outcome = pd_run(script, &c, &pd_sim_ops, NULL, &o, error);
    pd_script_free(script);
    pd_config_clear(&c);
    if (watch.pcap && !pcapng_writer_close(watch.pcap, &failure)) {
        fprintf(stderr, "hopscope packetdrill: %s\n", failure->message);
        g_error_free(failure);
        outcome = PD_WRONG;
    }
    return outcome;
}

/* pcap: its capture, or NULL. */
static PdOutcome run_script(const char *path, const PdConfig *config, const char *pcap)
{
    GError *failure = NULL;
    char *text = NULL, *error = NULL;
    gsize len;
    PdOutcome outcome = PD_WRONG;

    if (!g_file_get_contents(path, &text, &len, &failure)) {
        error = g_strdup(failure->message);
        g_error_free(failure);
    } else if (len > MAX_SCRIPT_BYTES) {
        error = g_strdup_printf("%s: a script of %zu bytes is too long (at most %u)", path, len,
                                MAX_SCRIPT_BYTES);
    } else {
        outcome = run_text(path, text, len, config, pcap, &error);
    }
    if (error)
        fprintf(stderr, "%s\n", error);
    g_free(error);
    g_free(text);
    return outcome;
}

int cmd_packetdrill(int argc, char **argv)
{
    Options o = {.defines = g_ptr_array_new()};
    ArgOption table[MAX_FLAGS + OWN_OPTIONS];
    const ArgCommand command = {
        .name = "packetdrill",
        .operands = "FILE.pkt...",
        .about =
            "Runs packetdrill scripts: each plays the peer of a simulated host, injects packets, makes "
            "system "
            "calls, and compares every packet that the host sends, with its time, to the script's lines. "
            "Flags given here are stronger than those in a script. Exit status: 0, 1 if a script failed, "
            "2 if one cannot be read or the command line is wrong.",
        .options = table,
        .min_operands = 1,
        .max_operands = MAX_SCRIPTS,
        .examples =
            "  hopscope packetdrill tests/packetdrill/rto/*.pkt        a folder of scripts\n"
            "  hopscope packetdrill --ip_version=ipv6 --mtu=1520 a.pkt   the same over IPv6\n"
            "  hopscope packetdrill -v --pcap out a.pkt                show and capture every packet\n",
    };
    const char **paths = g_new0(const char *, MAX_SCRIPTS + 1);
    GPtrArray *pcaps = NULL;
    int status = EXIT_OK;
    unsigned n = 0;
    char *error = NULL;
    PdConfig config;

    make_table(table, &o);
    switch (args_parse(&command, argc, argv, paths)) {
    case ARGS_HELPED:
        goto out;
    case ARGS_WRONG:
        status = EXIT_WRONG;
        goto out;
    case ARGS_OK:
        break;
    }
    if (!configure(&config, &o, &error)) {
        status = args_wrong(&command, "%s", error);
    } else if (o.pcap && !(pcaps = prepare_pcaps(&command, o.pcap, paths))) {
        status = EXIT_WRONG;
    } else {
        while (paths[n])
            n++;
        printf("1..%u\n", n);
        for (unsigned i = 0; i < n; i++) {
            PdOutcome outcome = run_script(paths[i], &config, pcaps ? pcaps->pdata[i] : NULL);

            printf("%s %u - %s\n", outcome == PD_PASSED ? "ok" : "not ok", i + 1, paths[i]);
            fflush(stdout);
            if (outcome == PD_WRONG)
                status = EXIT_WRONG;
            else if (outcome == PD_FAILED && status == EXIT_OK)
                status = EXIT_UNEXPECTED;
        }
    }
    pd_config_clear(&config);
out:
    if (pcaps)
        g_ptr_array_unref(pcaps);
    g_free(error);
    g_free(paths);
    g_ptr_array_free(o.defines, TRUE);
    return status;
}
