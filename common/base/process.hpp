// What /proc says of a process (proc(5), /proc/PID/stat).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>

namespace pnfs {

struct ProcessStat {
  char state = 0;           // 'Z': it has ended, and its parent has not asked for its exit code yet
  uint64_t threads = 0;     // that have not ended; a zombie counts itself
  uint64_t start_time = 0;  // in clock ticks since boot: with the id it names a process for good

  bool ended() const { return (state == 'Z' || state == 'X') && threads <= 1; }
};

// Nothing when there is no such process, or when /proc does not show it (hidepid).
std::optional<ProcessStat> process_stat(pid_t pid);

}  // namespace pnfs
