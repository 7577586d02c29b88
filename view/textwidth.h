/* How wide text is: in columns of a terminal, and in a proportional font without the font at hand. */
#pragma once

#include <stdbool.h>

/* Columns: East Asian wide characters take two, combining ones none. */
unsigned textwidth_columns(const char *utf8);

/* In thousandths of the font's size, for the families of DejaVu Sans and Verdana, which have the same
 * measures and are wider than what replaces them elsewhere. Characters that are not in the table count as
 * the widest ones of their kind. */
double textwidth_sans(const char *utf8, bool is_bold);
