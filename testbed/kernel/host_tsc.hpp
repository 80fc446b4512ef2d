// The frequency of this machine's time stamp counter.
#pragma once

#include <cstdint>

namespace pnfs::kernel {

// In kHz, measured for a moment; 0 where there is no such counter. QEMU's own translator gives its guests this counter,
// and a guest that measures it against an emulated timer, on a busy machine, may be wrong by far: one counted 80 MHz of
// 2 GHz, and its time-outs came 25 times too early.
uint64_t host_tsc_khz();

}  // namespace pnfs::kernel
