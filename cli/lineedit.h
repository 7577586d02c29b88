/* A line from a terminal, edited: cursor keys, history, completion with Tab, and what Emacs's and readline's
 * users expect of ^A ^E ^K ^U ^W ^L. Without a terminal it is a line from standard input.
 *
 * The terminal is in raw mode only while a line is read. */
#pragma once

typedef struct LineEdit LineEdit;

/* What the line's last word may become; for g_strfreev. */
typedef char **(*LineEditComplete)(void *user, const char *line);

LineEdit *lineedit_new(LineEditComplete complete, void *user);
void lineedit_free(LineEdit *e);
/* For free with g_free; NULL: the end of the input (^D). ^C gives an empty line "#", which is a comment. The
 * prompt may contain escape sequences for colour. */
char *lineedit_read(LineEdit *e, const char *prompt);
