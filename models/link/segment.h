#pragma once
#include "models/link/port.h"
#include "sim/engine/sim.h"
typedef struct Segment Segment;
static inline Segment *segment_new(Sim*s,const char*n,uint64_t r){return 0;}
static inline void segment_free(Segment*s){}
static inline Node*segment_node(Segment*s){return 0;}
static inline Segment*segment_of_node(Node*n){return 0;}
static inline void segment_attach(Segment*s,LinkPort*p){}
static inline void segment_detach(Segment*s,LinkPort*p){}
