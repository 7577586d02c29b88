/* Any text as a packetdrill script: it is an error or a script; a script's code blocks run or fail; its
 * packets can be built, explained and printed. No crash, no hang, and no script is read differently a second
 * time. */
#include <string.h>

#include "packetdrill/pd_code.h"
#include "packetdrill/pd_expr.h"
#include "packetdrill/pd_format.h"
#include "packetdrill/pd_parse.h"

#define MAX_TEXT 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void try_packet(const PdPacket *p, PdIpVersion version)
{
    PdTuple tuple = {.src_port = 1, .dst_port = 2};
    GString *text = g_string_new(NULL);
    GByteArray *bytes;
    PdCaptured c;
    const char *why;
    PdSeen seen;

    tuple.src.is_v6 = tuple.dst.is_v6 = version == PD_IPV6;
    pd_format_packet(text, p, version == PD_IPV6, false);
    hs_assert(text->len > 0);
    g_string_free(text, TRUE);
    if (p->proto == PD_TCP)
        bytes = pd_packet_build_tcp(p, &tuple);
    else if (p->proto == PD_UDP)
        bytes = pd_packet_build_udp(p, &tuple);
    else
        bytes = pd_packet_build_icmp(p, &tuple.src, &tuple.dst, &tuple, 6, 0);
    c = (PdCaptured){.bytes = bytes->data, .len = bytes->len};
    hs_assert(pd_packet_explain(&seen, &c, &why));
    if (p->proto == PD_TCP)
        hs_assert(seen.tcp.flags == p->tcp.flags && seen.n_options == p->tcp.n_options);
    g_byte_array_free(bytes, TRUE);
}

static void try_call(const PdSyscall *call)
{
    for (unsigned i = 0; i < call->n_args; i++) {
        GByteArray *bytes = g_byte_array_new();
        PdIovec *iov = NULL;
        PdPollFd *fds = NULL;
        PdSockAddr addr;
        PdCmsgKind kind;
        char *why = NULL;
        unsigned n;
        int64_t v;

        pd_expr_int(call->arg[i], &v, &why);
        pd_expr_sockaddr(call->arg[i], &addr, &why);
        pd_expr_iov(call->arg[i], &iov, &n, &why);
        pd_expr_pollfds(call->arg[i], &fds, &n, &why);
        pd_expr_optval(call->arg[i], 4, bytes, &why);
        pd_expr_cmsg_data(call->arg[i], bytes, &kind, &why);
        g_free(iov);
        g_free(fds);
        g_free(why);
        g_byte_array_free(bytes, TRUE);
    }
}

static void try_code(PdCode *code, const PdEvent *e)
{
    GString *output = g_string_new(NULL);
    unsigned line = 0;
    char *error = NULL;

    pd_code_run(code, e->text, e->action_loc.line, NULL, output, &line, &error);
    g_free(error);
    g_string_free(output, TRUE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    PdConfig config;
    char *error = NULL;
    PdScript *script;
    PdCode *code;

    if (n > MAX_TEXT)
        return 0;
    pd_config_init(&config);
    script = pd_parse("fuzz", (const char *)data, n, &config, &error);
    hs_assert(!script == !!error);
    code = pd_code_new();
    for (unsigned i = 0; script && i < script->n_events; i++) {
        const PdEvent *e = &script->events[i];

        if (e->kind == PD_EVENT_PACKET)
            try_packet(e->packet, script->ip_version);
        else if (e->kind == PD_EVENT_SYSCALL)
            try_call(e->syscall);
        else if (e->kind == PD_EVENT_CODE)
            try_code(code, e);
    }
    pd_code_free(code);
    pd_script_free(script);
    pd_config_clear(&config);
    g_free(error);
    return 0;
}
