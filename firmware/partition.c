// The partition table, once check.c has found it good: each array by index.
#include "firmware.h"

const struct partition_header *table(void) { return (const struct partition_header *)PARTITION_TABLE; }

#define ARRAY(function, entry, array)                                                           \
    const struct entry *function(uint32_t index) {                                              \
        return (const struct entry *)(PARTITION_TABLE + table()->array.offset) + index;         \
    }

ARRAY(kernel_at, partition_kernel, kernels)
ARRAY(core_at, partition_core, cores)
ARRAY(span_at, partition_span, spans)
ARRAY(window_at, partition_window, windows)
ARRAY(grant_at, partition_grant, grants)
ARRAY(doorbell_at, partition_doorbell, doorbells)
ARRAY(module_at, partition_module, modules)
ARRAY(uart_at, partition_uart, uarts)
ARRAY(iommu_at, partition_iommu, iommus)

const char *string_at(uint32_t offset) {
    return (const char *)(PARTITION_TABLE + table()->strings.offset + offset);
}
