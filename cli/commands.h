/* The subcommands: each gets its own argv (argv[0] is its name) and returns the exit status. */
#pragma once

#include "lab/status.h"

int cmd_bench(int argc, char **argv);
int cmd_diff(int argc, char **argv);
int cmd_dissect(int argc, char **argv);
int cmd_ladder(int argc, char **argv);
int cmd_packetdrill(int argc, char **argv);
int cmd_plot(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_step(int argc, char **argv);
int cmd_sweep(int argc, char **argv);
int cmd_test(int argc, char **argv);

/* Everything printed so far reached its place; otherwise a message on stderr and EXIT_WRONG instead of
 * `status`. */
int commands_finish_output(const char *command, int status);
