/* "Did you mean ...?": the known word closest to a mistyped one. */
#pragma once

#include <stddef.h>

/* The closest of the n known words, or NULL if none is close enough to be worth saying. Closeness counts
 * inserted, lost and wrong letters and swapped neighbours (Damerau 1964, Levenshtein 1966); a wrong capital
 * counts a little, so that it only decides between words that are otherwise equal. Of equally close words the
 * first in the list wins. */
const char *suggest_closest(const char *word, const char *const *known, size_t n);
