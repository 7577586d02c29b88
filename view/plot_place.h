/* Where in a panel a word covers no curve. */
#pragma once

#include "view/plot_figure.h"

typedef struct PlotPlace {
    double at;     /* of the panel's width: 0 is left */
    bool is_above; /* of the line that the word is about */
    char align;    /* 'l', 'c', 'r': which part of the word is there */
} PlotPlace;

/* For a word of that size beside a line at the value y; width and height are shares of the panel's. The best
 * of six places, the first of them that is free if there is one. */
PlotPlace plotplace_level(const PlotFigure *f, const PlotPanel *p, double y, double width, double height);
