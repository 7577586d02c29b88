/* The packetdrill language: every form becomes the data that it means, and what is none gives an error with
 * its place, what was found and what was expected. */
#include <glib.h>
#include <string.h>

#include "models/wire/tcp.h"
#include "packetdrill/pd_icmp.h"
#include "packetdrill/pd_option.h"
#include "packetdrill/pd_parse.h"
#include "packetdrill/pd_symbols.h"

typedef struct Fixture {
    PdConfig config;
    PdScript *script;
    char *error;
} Fixture;

static void parse(Fixture *f, const char *text)
{
    pd_config_init(&f->config);
    f->error = NULL;
    f->script = pd_parse("t.pkt", text, strlen(text), &f->config, &f->error);
}

static void done(Fixture *f)
{
    pd_script_free(f->script);
    pd_config_clear(&f->config);
    g_free(f->error);
}

static const PdEvent *good(Fixture *f, const char *text, unsigned n_events)
{
    parse(f, text);
    g_assert_cmpstr(f->error, ==, NULL);
    g_assert_cmpuint(f->script->n_events, ==, n_events);
    return f->script->events;
}

static void bad(const char *text, const char *message)
{
    Fixture f;

    parse(&f, text);
    g_assert_null(f.script);
    g_assert_cmpstr(f.error, ==, message);
    done(&f);
}

static const PdPacket *one_packet(Fixture *f, const char *text)
{
    char *script = g_strdup_printf("0 %s", text);
    const PdPacket *p = good(f, script, 1)[0].packet;

    g_free(script);
    return p;
}

static void layout(void)
{
    Fixture f;
    const PdEvent *e = good(&f,
                            "// a comment\n"
                            "--tolerance_usecs=7000 // behind a flag\r\n--strict_segments\n"
                            "--tolerance_percent = 3 --mss= 900 // blanks\n--mtu =1400\n"
                            "/* an init\n command: */ `sysctl -q a=b\r\n // not a comment`\n"
                            "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"
                            "+.1 `nstat` // mid\n +0 %{  assert x == 1  }%\n+0\n < . 1:1(0) ack 1\n win 5\n"
                            "`cleanup`",
                            4);

    g_assert_cmpint(f.config.tolerance_us, ==, 7000);
    g_assert_true(f.config.strict_segments);
    g_assert_cmpfloat(f.config.tolerance_percent, ==, 3);
    g_assert_cmpuint(f.config.mss, ==, 900);
    g_assert_cmpuint(f.config.mtu, ==, 1400);
    g_assert_cmpstr(f.script->init, ==, "sysctl -q a=b\n // not a comment");
    g_assert_cmpstr(f.script->cleanup, ==, "cleanup");
    g_assert_cmpuint(e[0].kind, ==, PD_EVENT_SYSCALL);
    g_assert_cmpuint(e[0].loc.line, ==, 9);
    g_assert_cmpuint(e[1].kind, ==, PD_EVENT_COMMAND);
    g_assert_cmpstr(e[2].text, ==, "assert x == 1");
    g_assert_cmpuint(e[3].action_loc.line, ==, 13);
    g_assert_cmpuint(e[3].action_loc.col, ==, 2);
    g_assert_cmpuint(e[3].end_line, ==, 14);
    done(&f);
}

static void times(void)
{
    Fixture f;
    const PdEvent *e =
        good(&f,
             "0 `a`\n+.002 `b`\n1.5 `c`\n* > . 1:1(0) ack 1\n+1.1~+1.2 > . 1:1(0) ack 1\n"
             "2~2.0000019 > . 1:1(0) ack 1\n+0...0.3 read(4, ..., 10) = 10\n+.5...1 close(4) = 0",
             8);

    g_assert_cmpuint(e[0].time, ==, PD_TIME_ABSOLUTE);
    g_assert_cmpuint(e[1].time, ==, PD_TIME_RELATIVE);
    g_assert_cmpint(e[1].time_us, ==, 2000);
    g_assert_cmpint(e[2].time_us, ==, 1500000);
    g_assert_cmpuint(e[3].time, ==, PD_TIME_ANY);
    g_assert_true(e[4].has_window);
    g_assert_cmpint(e[4].end_us, ==, 1200000);
    /* Microseconds, cut. */
    g_assert_cmpint(e[5].end_us, ==, 2000001);
    g_assert_true(e[6].syscall->has_end);
    g_assert_cmpint(e[6].time_us, ==, 0);
    g_assert_cmpint(e[6].end_us, ==, 300000);
    g_assert_cmpint(e[7].time_us, ==, 500000);
    g_assert_cmpint(e[7].end_us, ==, 1000000);
    done(&f);
    bad("1 `a`", "t.pkt:1:1: the first event must be at time 0");
    bad("0 `a` +0 `b`\n2 `c` 1 `d`", "t.pkt:2:7: time runs backwards: 1.000000 after 2.000000");
    bad("0 `a`\n* < . 1:1(0) win 1", "t.pkt:2:1: '*' (any time) is for outbound packets only");
    bad("0 `a`\n0~1 `b`", "t.pkt:2:1: a time window is for outbound packets only");
    bad("0 `a`\n1~0 > . 1:1(0)", "t.pkt:2:3: a time window that ends before it begins");
    bad("0 `a`\n+1~2 > . 1:1(0)",
        "t.pkt:2:4: both ends of a time window are absolute (T1~T2) or relative (+T1~+T2)");
    bad("0 `a`\n-1 `b`", "t.pkt:2:1: a time cannot be negative: -1");
}

static void flag_letters(void)
{
    static const struct {
        const char *text;
        uint16_t flags;
        int ace;
    } rows[] = {
        {"S", TCP_SYN, PD_ACE_NONE},
        {"SEWA", TCP_SYN | TCP_ECE | TCP_CWR | TCP_AE, PD_ACE_NONE},
        {"SW.", TCP_SYN | TCP_CWR | TCP_ACK, PD_ACE_NONE},
        {"EAP.", TCP_ECE | TCP_AE | TCP_PSH | TCP_ACK, PD_ACE_NONE},
        {"FP.", TCP_FIN | TCP_PSH | TCP_ACK, PD_ACE_NONE},
        {"-", 0, PD_ACE_NONE},
        {".", TCP_ACK, PD_ACE_NONE},
        {".5", TCP_ACK | TCP_AE | TCP_ECE, 5},
        {"P.5", TCP_PSH | TCP_ACK | TCP_AE | TCP_ECE, 5},
        {"P5.", TCP_PSH | TCP_ACK | TCP_AE | TCP_ECE, 5},
        {"F.2", TCP_FIN | TCP_ACK | TCP_CWR, 2},
        {"S3.", TCP_SYN | TCP_ACK | TCP_CWR | TCP_ECE, 3},
        {".0", TCP_ACK, 0},
        {"R.", TCP_RST | TCP_ACK, PD_ACE_NONE},
        {"PU.", TCP_PSH | TCP_URG | TCP_ACK, PD_ACE_NONE},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        char *text = g_strdup_printf("> %s 0:0(0)", rows[i].text);
        Fixture f;
        const PdTcp *tcp = &one_packet(&f, text)->tcp;

        g_assert_cmphex(tcp->flags, ==, rows[i].flags);
        g_assert_cmpint(tcp->ace, ==, rows[i].ace);
        done(&f);
        g_free(text);
    }
    bad("0 > E.5 0:0(0)", "t.pkt:1:5: an ACE digit and the letters E, W, A exclude each other: 'E.5'");
    bad("0 > .P 0:0(0)", "t.pkt:1:5: the dot (ACK) comes last in TCP flags, found '.P'");
    bad("0 > SS 0:0(0)", "t.pkt:1:5: a flag is written twice in 'SS'");
    bad("0 > Q 0:0(0)",
        "t.pkt:1:5: expected udp, icmp or TCP flags (S F R P U E W A . or one digit 0-7, or -), found 'Q'");
}

static void tcp_fields(void)
{
    Fixture f;
    const PdPacket *p = one_packet(&f, "< PU. 1001:2001(1000) ack 4294967295 win 257 urg 7");

    g_assert_cmpuint(p->dir, ==, PD_INBOUND);
    g_assert_cmpuint(p->tcp.seq, ==, 1001);
    g_assert_cmpuint(p->tcp.len, ==, 1000);
    g_assert_cmpuint(p->tcp.ack, ==, UINT32_MAX);
    g_assert_cmpuint(p->tcp.win, ==, 257);
    g_assert_cmpuint(p->tcp.urg, ==, 7);
    g_assert_cmpuint(p->tcp.n_options, ==, 0);
    done(&f);
    p = one_packet(&f, "> 4000 > 8080 S 0:0(0) <...>");
    g_assert_true(p->has_ports);
    g_assert_cmpuint(p->src_port, ==, 4000);
    g_assert_true(p->tcp.any_options);
    g_assert_false(p->tcp.has_win);
    done(&f);
    /* The range may wrap. */
    p = one_packet(&f, "> . 4294967295:4(5) ack 1");
    g_assert_cmpuint(p->tcp.seq, ==, UINT32_MAX);
    done(&f);
    bad("0 > . 1:11(11)", "t.pkt:1:7: the sequence range 1:11 does not hold 11 bytes; expected 1:12(11) (SYN "
                          "and FIN do not count)");
    bad("0 < . 1:1(0) ack 1", "t.pkt:1:5: an inbound TCP packet needs its window: win N");
    bad("0 < . 1:1(0) ack 1 win 65536",
        "t.pkt:1:24: 65536 is out of range: expected a window as in the header (unscaled) from 0 to 65535");
    bad("0 > . 1:1(0) ack", "t.pkt:1:17: expected an acknowledgment number, found the end of the file");
}

static void ip_info(void)
{
    Fixture f;
    const PdPacket *p = one_packet(&f, "> [ect0] . 1:1(0)");

    g_assert_cmpuint(p->ip.tos_check, ==, PD_TOS_ECN);
    g_assert_cmpuint(p->ip.tos, ==, 2);
    done(&f);
    p = one_packet(&f, "> (ect01) . 1:1(0)");
    g_assert_cmpuint(p->ip.tos_check, ==, PD_TOS_ECT01);
    done(&f);
    p = one_packet(&f, "< [tos 0x2c, ttl 64] . 1:1(0) win 1");
    g_assert_cmpuint(p->ip.tos_check, ==, PD_TOS_BYTE);
    g_assert_cmphex(p->ip.tos, ==, 0x2c);
    g_assert_cmpuint(p->ip.ttl, ==, 64);
    done(&f);
    p = good(&f, "--ip_version=ipv6\n0 > [ce, flowlabel 0x1] . 1:1(0)", 1)[0].packet;
    g_assert_cmpuint(p->ip.tos, ==, 3);
    g_assert_cmpuint(p->ip.flow_label, ==, 1);
    done(&f);
    bad("0 < [ect01] . 1:1(0) win 1", "t.pkt:1:6: [ect01] is a question, for outbound packets only");
    bad("0 > [ecn] . 1:1(0)",
        "t.pkt:1:6: expected noecn, ect0, ect1, ect01, ce, tos, flowlabel or ttl, found 'ecn'");
    bad("0 < [ect0, tos 3] . 1:1(0) win 1", "t.pkt:1:12: 'tos' sets the TOS byte a second time");
    bad("0 > [flowlabel 1] . 1:1(0)", "t.pkt:1:6: flow labels are IPv6's, and this test's IP version is 4");
    bad("0 > ipv4 10.0.0.1 > 10.0.0.2: . 1:1(0)", "t.pkt:1:5: encapsulation (ipv4) is not supported");
}

/* The bytes are those of the options' own RFCs. */
static void option_bytes(void)
{
    static const struct {
        const char *text, *hex;
    } rows[] = {
        {"mss 1460,sackOK,TS val 100 ecr 0,nop,wscale 8", "020405b40402080a000000640000000001030308"},
        {"nop,nop,sack 1:2 0x10:4294967295", "01010512000000010000000200000010ffffffff"},
        {"FO,nop,nop", "22020101"},
        {"FO 3021b9d889017eeb,nop,nop", "220a3021b9d889017eeb0101"},
        {"FO 12345678,nop,nop", "2206123456780101"},
        {"FO TFO_COOKIE,nop,nop", "220a3021b9d889017eeb0101"},
        {"FOEXP", "fe04f989"},
        {"FOEXP aabbccdd", "fe08f989aabbccdd"},
        {"ECN e0b 1", "ac05000001010101"},
        {"nop,ECN e1b 1 ceb 0x20000 e0b 16777215", "01ae0b000001020000ffffff"},
        {"md5 000102030405060708090a0b0c0d0e0f,nop,nop", "1312000102030405060708090a0b0c0d0e0f0101"},
        {"mss 536,eol,eol,eol,eol", "0204021800000000"},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        bool pad = strcmp(rows[i].text, "ECN e0b 1") == 0;
        char *text = g_strdup_printf("> S 0:0(0) <%s%s>", rows[i].text, pad ? ",nop,nop,nop" : "");
        Fixture f;
        const PdTcp *tcp = &one_packet(&f, text)->tcp;
        PdTcpOption again[PD_MAX_TCP_OPTIONS];
        uint8_t wire[40];
        size_t len = pd_options_encode(wire, tcp->options, tcp->n_options), leftover;
        GString *hex = g_string_new(NULL);

        for (size_t b = 0; b < len; b++)
            g_string_append_printf(hex, "%02x", wire[b]);
        g_assert_cmpstr(hex->str, ==, rows[i].hex);
        /* And back. */
        g_assert_cmpuint(pd_options_decode(again, PD_MAX_TCP_OPTIONS, wire, len, &leftover), ==,
                         tcp->n_options);
        g_assert_cmpuint(leftover, ==, 0);
        for (unsigned o = 0; o < tcp->n_options; o++)
            g_assert_true(pd_option_is_same_shape(&again[o], &tcp->options[o]));
        g_string_free(hex, TRUE);
        done(&f);
        g_free(text);
    }
    bad("0 > S 0:0(0) <mss 1460,sackOK>",
        "t.pkt:1:14: the options take 6 bytes, which is no multiple of 4: pad them with nop");
    bad("0 > S 0:0(0) <wscale>", "t.pkt:1:21: expected a window scale, found '>'");
    bad("0 > S 0:0(0) <FO abc,nop>", "t.pkt:1:18: expected a Fast Open cookie of up to 16 bytes, two "
                                     "hexadecimal digits each, found 'abc'");
    bad("0 > S 0:0(0) <mss 1 nop>", "t.pkt:1:21: expected ',' or '>' behind an option, found 'nop'");
    bad("0 < S 0:0(0) win 1 <...>", "t.pkt:1:21: <...> (any options) is for outbound packets only");
    bad("0 > . 0:0(0) <sack 1:2 3:4 5:6 7:8 9:10>",
        "t.pkt:1:36: more than 4 SACK blocks do not fit in a header");
}

static void udp_and_icmp(void)
{
    Fixture f;
    const PdPacket *p = one_packet(&f, "> udp (200)");

    g_assert_cmpuint(p->proto, ==, PD_UDP);
    g_assert_cmpuint(p->udp_len, ==, 200);
    done(&f);
    p = one_packet(&f, "< udp 4000 > 8080 (64)");
    g_assert_cmpuint(p->src_port, ==, 4000);
    g_assert_cmpuint(p->dst_port, ==, 8080);
    done(&f);
    p = one_packet(&f, "< icmp unreachable frag_needed mtu 900 [2001:2861(860)]");
    g_assert_cmpuint(p->icmp.type, ==, 3);
    g_assert_cmpuint(p->icmp.code, ==, 4);
    g_assert_cmpuint(p->icmp.mtu, ==, 900);
    g_assert_cmpuint(p->icmp.echoed, ==, PD_ECHOED_TCP);
    g_assert_cmpuint(p->icmp.echoed_seq, ==, 2001);
    done(&f);
    p = one_packet(&f, "< icmp unreachable CODE [udp (10)]");
    g_assert_cmpuint(p->icmp.code, ==, 1);
    g_assert_cmpuint(p->icmp.echoed, ==, PD_ECHOED_UDP);
    done(&f);
    p = one_packet(&f, "< icmp type_8 code_1 id 7");
    g_assert_cmpuint(p->icmp.type, ==, 8);
    g_assert_cmpuint(p->icmp.id, ==, 7);
    done(&f);
    p = good(&f, "--ip_version=ipv6\n0 < icmp packet_too_big mtu 1280 [1:1(0)]", 1)[0].packet;
    g_assert_cmpuint(p->icmp.type, ==, 2);
    g_assert_cmpuint(p->icmp.mtu, ==, 1280);
    done(&f);
    bad("0 < icmp packet_too_big",
        "t.pkt:1:10: 'packet_too_big' is a type of ICMPv6, and this test's IP version is 4");
    bad("--ip_version=ipv6\n0 < icmp unreachable host_unreachable",
        "t.pkt:2:22: 'host_unreachable' is a code of ICMPv4, and this test's IP version is 6");
    bad("0 < icmp unreachable mtu 900", "t.pkt:1:22: mtu goes with unreachable frag_needed only");
}

static void syscalls(void)
{
    Fixture f;
    const PdEvent *e =
        good(&f,
             "0 read(4, ..., 1000) = -1 EAGAIN (Resource (temporarily) isn't available)\n"
             "+0 socket(..., SOCK_STREAM|SOCK_NONBLOCK, 0) = 3\n"
             "+0 sendmsg(4, {msg_name(...)=..., msg_iov(2)=[{..., 10}, {..., 20}], msg_flags=0}, 0) = 30\n"
             "+0 bind(3, {sa_family = AF_INET, sin_port = htons(80), sin_addr = inet_addr(\"10.\" "
             "\"0.0.1\")}, ...)"
             " = 0 (why not)\n"
             "+0 setsockopt(3, SOL_TCP, TCP_CONGESTION, \"a\\x00b\", 3) = 0",
             5);
    const PdExpr *x;

    g_assert_cmpstr(e[0].syscall->name, ==, "read");
    g_assert_cmpuint(e[0].syscall->n_args, ==, 3);
    g_assert_cmpint(e[0].syscall->result->value, ==, -1);
    g_assert_cmpstr(e[0].syscall->err, ==, "EAGAIN");
    g_assert_cmpstr(e[0].syscall->note, ==, "Resource (temporarily) isn't available");
    x = e[1].syscall->arg[1];
    g_assert_cmpuint(x->kind, ==, PD_EXPR_OR);
    g_assert_cmpstr(x->child[1]->text, ==, "SOCK_NONBLOCK");
    x = e[2].syscall->arg[1];
    g_assert_true(x->in_braces);
    g_assert_cmpuint(x->n_children, ==, 3);
    g_assert_cmpuint(x->child[1]->kind, ==, PD_EXPR_PAIR);
    g_assert_cmpstr(x->child[1]->text, ==, "msg_iov");
    g_assert_cmpint(x->child[1]->child[1]->child[0]->value, ==, 2);
    g_assert_cmpuint(x->child[1]->child[0]->n_children, ==, 2);
    x = e[3].syscall->arg[1];
    g_assert_cmpuint(x->child[1]->child[0]->kind, ==, PD_EXPR_APPLY);
    g_assert_cmpstr(x->child[2]->child[0]->child[0]->text, ==, "10.0.0.1");
    x = e[4].syscall->arg[3];
    g_assert_cmpuint(x->text_len, ==, 3);
    g_assert_cmpint(memcmp(x->text, "a\0b", 4), ==, 0);
    done(&f);
    bad("0 read(4, ..., 1000)",
        "t.pkt:1:21: expected '=' and the result of the call, found the end of the file");
    bad("0 read(4, ,) = 1",
        "t.pkt:1:11: expected an expression (..., a number, a name, a string or a list), found ','");
    bad("0 read(4 5) = 1", "t.pkt:1:10: expected ')' or ',' behind an element, found the number 5");
    bad("0 listen(3, sizeof()) = 0", "t.pkt:1:20: expected a type's name in sizeof(), found ')'");
    bad("0 listen(3, sizeof(int[3])) = 0", "t.pkt:1:23: expected ')' behind the type in sizeof(), found '['");
}

/* What is easily taken for right: a comma too many, a field twice, a packet that is none. */
static void too_much(void)
{
    Fixture f;

    good(&f, "\xef\xbb\xbf-v\r\n0 `x`", 1); /* the byte order mark of some editors is not */
    g_assert_true(f.config.verbose);
    done(&f);
    bad("0 read(4, ..., 5,) = 5", "t.pkt:1:18: expected an element behind ',', found ')'");
    bad("0 < S 0:0(0) win 5 <mss 1460,>", "t.pkt:1:30: expected an option (nop, eol, mss, wscale, sackOK, "
                                          "sack, TS, FO, FOEXP, md5, ECN), found '>'");
    bad("0 < S 0:0(0) win 5 <>", "t.pkt:1:21: expected an option (nop, eol, mss, wscale, sackOK, sack, TS, "
                                 "FO, FOEXP, md5, ECN), found '>'");
    bad("0 < [ttl 5, ttl 6] S 0:0(0) win 5", "t.pkt:1:13: 'ttl' is written twice");
    bad("0 < udp (65508)",
        "t.pkt:1:3: a payload of 65508 bytes does not fit in one packet: expected at most 65507");
    bad("--ip_version=ipv6\n0 < udp (65528)",
        "t.pkt:2:3: a payload of 65528 bytes does not fit in one packet: expected at most 65527");
    bad("0 < . 1:65493(65492) win 5 <mss 1460>",
        "t.pkt:1:3: a payload of 65492 bytes does not fit in one packet: expected at most 65491");
    bad("-D 5=1\n0 `x`", "t.pkt:1:1: --define=5=1: expected NAME=VALUE, the name of letters, digits and '_'");
    bad("0 listen(3, 18446744073709551616) = 0",
        "t.pkt:1:13: expected an expression (..., a number, a name, a string or a list), found a number that "
        "does not fit in 64 bits");
}

static void defines(void)
{
    Fixture f;
    const PdEvent *e;
    char *error = NULL;

    pd_config_init(&f.config);
    g_assert_true(pd_config_set(&f.config, "define", "N=012", true, &error));
    g_assert_true(pd_config_set(&f.config, "define", "S=\"x y\"", true, &error));
    g_assert_true(pd_config_set(&f.config, "define", "C=`true`", true, &error));
    g_assert_true(pd_config_set(&f.config, "define", "W=SOCK_DGRAM", true, &error));
    g_assert_true(pd_config_set(&f.config, "define", "TFO_COOKIE=0011", true, &error));
    f.error = NULL;
    {
        const char *text = "--define=N=9\n0 socket(N, S, W) = 3\n+0 C\n+0 > S 0:0(0) <FO TFO_COOKIE>\n";

        f.script = pd_parse("t.pkt", text, strlen(text), &f.config, &f.error);
    }
    g_assert_cmpstr(f.error, ==, NULL);
    e = f.script->events;
    /* The command line is stronger than the script. */
    g_assert_cmpint(e[0].syscall->arg[0]->value, ==, 10);
    g_assert_cmpuint(e[0].syscall->arg[1]->kind, ==, PD_EXPR_STRING);
    g_assert_cmpstr(e[0].syscall->arg[2]->text, ==, "SOCK_DGRAM");
    g_assert_cmpstr(e[1].text, ==, "true");
    g_assert_cmpuint(e[2].packet->tcp.options[0].n, ==, 2);
    done(&f);
}

static void flag_errors(void)
{
    Fixture f;
    char *error = NULL;

    bad("--tolerance_usec=1\n0 `a`",
        "t.pkt:1:1: unknown flag --tolerance_usec; did you mean --tolerance_usecs?");
    bad("--mtu\n0 `a`", "t.pkt:1:1: --mtu needs a value: --mtu=BYTES");
    bad("--strict_segments=1\n0 `a`",
        "t.pkt:1:1: --strict_segments=1: this flag is a switch and takes no value");
    bad("--ip_version=5\n0 `a`", "t.pkt:1:1: --ip_version=5: expected ipv4, ipv4-mapped-ipv6 or ipv6");
    bad("", "t.pkt:1:1: expected an event (TIME ACTION), found the end of the file");
    bad("0 `a", "t.pkt:1:3: expected a packet (< or >), a system call, a command in back quotes or a code "
                "block, found "
                "a command whose closing back quote is missing");
    bad("0 `a` foo", "t.pkt:1:7: expected an event (TIME ACTION) or the end of the file, found 'foo'");
    /* The command line is stronger than the script. */
    pd_config_init(&f.config);
    g_assert_true(pd_config_set(&f.config, "mtu", "1520", true, &error));
    f.error = NULL;
    f.script = pd_parse("t.pkt", "--mtu=900\n--mss=5\n0 `a`", 23, &f.config, &f.error);
    g_assert_cmpuint(f.config.mtu, ==, 1520);
    g_assert_cmpuint(f.config.mss, ==, 5);
    done(&f);
}

static void symbols(void)
{
    int64_t v;
    int err;

    for (size_t i = 1; pd_symbol_at(i); i++)
        g_assert_cmpint(strcmp(pd_symbol_at(i - 1), pd_symbol_at(i)), <, 0);
    g_assert_true(pd_symbol_find("TCP_FASTOPEN_CONNECT", &v) && v == 30);
    g_assert_true(pd_symbol_find("MSG_FASTOPEN", &v) && v == 0x20000000);
    g_assert_true(pd_symbol_find("SOL_TCP", &v) && v == 6);
    g_assert_true(pd_symbol_find("FIONREAD", &v) && v == 0x541b);
    g_assert_true(pd_symbol_find("SIOCINQ", &v) && v == 0x541b);
    g_assert_true(pd_symbol_find("NULL", &v) && v == 0);
    g_assert_false(pd_symbol_find("TCP_NODELAYS", &v));
    g_assert_cmpstr(pd_symbol_suggest("TCP_NODELAYS"), ==, "TCP_NODELAY");
    g_assert_true(pd_errno_find("EAGAIN", &err) && err == 11);
    g_assert_true(pd_errno_find("EWOULDBLOCK", &err) && err == 11);
    g_assert_false(pd_errno_find("EPOLLIN", &err));
    g_assert_cmpstr(pd_errno_name(111), ==, "ECONNREFUSED");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pd/parse/layout", layout);
    g_test_add_func("/pd/parse/times", times);
    g_test_add_func("/pd/parse/tcp-flags", flag_letters);
    g_test_add_func("/pd/parse/tcp-fields", tcp_fields);
    g_test_add_func("/pd/parse/ip-info", ip_info);
    g_test_add_func("/pd/parse/tcp-options", option_bytes);
    g_test_add_func("/pd/parse/udp-and-icmp", udp_and_icmp);
    g_test_add_func("/pd/parse/syscalls", syscalls);
    g_test_add_func("/pd/parse/defines", defines);
    g_test_add_func("/pd/parse/too-much", too_much);
    g_test_add_func("/pd/parse/flags", flag_errors);
    g_test_add_func("/pd/parse/symbols", symbols);
    return g_test_run();
}
