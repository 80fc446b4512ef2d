// Orders what the MDS itself does to one file's bytes: reads and writes share a file, cutting its space needs it alone.
// Without it a WRITE could reach blocks that a truncation has just freed.
#pragma once

#include <unordered_map>

#include "common/io/event.hpp"
#include "common/volume/types.hpp"

namespace pnfs::mds {

class FileGate {
 public:
  explicit FileGate(io::Executor executor) : changed_(executor) {}

  // Leaves when destroyed. The gate must outlive it.
  class Pass {
   public:
    Pass() = default;
    Pass(FileGate* gate, volume::FileId file, bool alone) : gate_(gate), file_(file), alone_(alone) {}
    Pass(Pass&& other) noexcept
        : gate_(std::exchange(other.gate_, nullptr)), file_(other.file_), alone_(other.alone_) {}
    Pass& operator=(Pass&& other) noexcept;
    ~Pass() { leave(); }

   private:
    void leave();
    FileGate* gate_ = nullptr;
    volume::FileId file_ = 0;
    bool alone_ = false;
  };

  // Waits as long as the I/O of those inside takes.
  io::Task<Pass> enter(volume::FileId file, bool alone);

 private:
  struct File {
    uint32_t sharing = 0;
    bool alone = false;
    uint32_t waiting = 0;        // of both kinds; keeps the entry
    uint32_t waiting_alone = 0;  // newcomers let them go first, or they would wait for ever
    bool idle() const { return sharing == 0 && !alone && waiting == 0; }
  };
  void leave(volume::FileId file, bool alone);

  std::unordered_map<volume::FileId, File> files_;
  io::Event changed_;
};

}  // namespace pnfs::mds
