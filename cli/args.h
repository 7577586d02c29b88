/* Command lines from one table: parsing, --help and error messages come from the same lines, so they agree.
 *
 *     ArgOption options[] = {
 *         {"seed", 's', ARG_COUNT, "N", "seed of every random stream (default 1)", &seed, &has_seed},
 *         {0},
 *     };
 *     ArgCommand command = {"run", "SCENARIO.lua", "Runs a scenario …", options, 1, 1};
 *     switch (args_parse(&command, argc, argv, &operands)) …
 *
 * Options may stand before, between and behind operands; "--" ends them. A value follows as "--seed 7",
 * "--seed=7", "-s 7" or "-s7"; flags of one letter can be joined ("-qd"). A wrong option or value is told on
 * stderr with what was expected and the closest known name, and is exit status 2. "--help" and "-h" are
 * always there. */
#pragma once

#include "sim/base/base.h"
#include "sim/base/simtime.h"

typedef enum ArgKind {
    ARG_FLAG,          /* bool *: set to true */
    ARG_NO_FLAG,       /* bool *: set to false */
    ARG_STRING,        /* const char ** */
    ARG_OPTIONAL,      /* const char **: "--pcap=GLOB", or without a value "" */
    ARG_LIST,          /* GPtrArray * of const char *: may be given several times */
    ARG_OPTIONAL_LIST, /* the same, with "" for none */
    ARG_COUNT,         /* uint64_t *: "10", "1e6", "5M" */
    ARG_SIZE,          /* uint64_t *: bytes, "64MiB" */
    ARG_TIME,          /* SimTime *: "10ms" */
    ARG_CHOICE,        /* const char **: one of `choices` */
} ArgKind;

typedef struct ArgOption {
    const char *name; /* without dashes; NULL ends the table */
    char letter;      /* 0: none */
    ArgKind kind;
    const char *value; /* the value's name in the help: "N" */
    const char *help;  /* one sentence, lower case, no full stop */
    void *out;
    bool *given;                /* set to true; may be NULL */
    const char *const *choices; /* of ARG_CHOICE, NULL at the end */
} ArgOption;

typedef struct ArgCommand {
    const char *name;
    const char *operands; /* "SCENARIO.lua", "" */
    const char *about;    /* a short paragraph, or lines of them; "  word  what it is" for lists */
    const ArgOption *options;
    unsigned min_operands, max_operands;
    const char *examples; /* lines of "  command   what it does"; NULL: none */
} ArgCommand;

typedef enum ArgsResult {
    ARGS_OK,
    ARGS_HELPED, /* --help was printed: exit status 0 */
    ARGS_WRONG,  /* told on stderr: exit status 2 */
} ArgsResult;

/* argv[0] is the subcommand. operands: max_operands + 1 places, ended by NULL. Outputs of a wrong command
 * line are undefined. */
ArgsResult args_parse(const ArgCommand *command, int argc, char **argv, const char **operands);

/* "hopscope run: MESSAGE" and where help is, on stderr; returns 2. */
int args_wrong(const ArgCommand *command, const char *format, ...) HS_PRINTF(2, 3);
