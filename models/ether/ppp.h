#pragma once
#include "models/ether/netdev.h"
#include "models/link/port.h"
typedef struct Ppp {NetDev dev; LinkPort port;} Ppp;
static inline Ppp*ppp_new(Node*n,const char*m,Probes*p){return 0;}
static inline void ppp_free(Ppp*p){}
