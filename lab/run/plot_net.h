/* What plots ask about the network of a scenario. */
#pragma once

#include "lua/scenario.h"
#include "view/plot_sink.h"

/* Fills in the callbacks; they refer to s. */
void plotnet_add_notes(PlotSink *sink, const Scenario *s); /* hs.plot.note */
void plotnet_fill(PlotSinkConfig *config, Scenario *s);
