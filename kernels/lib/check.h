// Claims that check themselves: the first one that does not hold ends the kernel with code 1.
#pragma once
#include "kernel.h"

#define CHECK(claim) do { \
    if (!(claim)) { \
        print("%s:%d: not so: %s\n", __FILE_NAME__, __LINE__, #claim); \
        exit_kernel(1); \
    } \
} while (0)
