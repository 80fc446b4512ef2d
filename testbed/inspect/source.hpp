// The volume as the view reads it: pictures of the catalog, and file data that is certainly the file's.
//
// A LUN that does not answer must not make everybody who looks wait for its time-outs one after the other: after a
// failure every further request fails at once with the same reason until kRetryAfter has passed.
//
// Threading: the executor's thread only. Nothing here writes.
#pragma once

#include <memory>

#include "common/block/block_store.hpp"
#include "common/io/timer_queue.hpp"
#include "common/volume/data_io.hpp"
#include "common/volume/snapshot.hpp"

namespace pnfs::inspect {

using Picture = std::shared_ptr<volume::Snapshot>;

// How old a picture may be when a name is looked up. What is opened gets one of its own.
inline constexpr Duration kPictureAge = std::chrono::milliseconds(20);
inline constexpr Duration kRetryAfter = std::chrono::seconds(2);

class Source {
 public:
  Source(io::TimerQueue& timers, block::BlockStore& store)
      : timers_(timers), store_(store), data_(timers.executor(), store), reader_(store, timers.executor()) {}

  io::Task<Result<Picture>> recent();  // at most kPictureAge old
  io::Task<Result<Picture>> fresh();   // not older than the call

  // Fills `into` from the file as `picture` maps it; holes are zeros. corrupt (the caller says ESTALE): some of the
  // range has left the file since, so what was read may be another file's.
  io::Task<Result<void>> read_file(Picture picture, volume::FileId file, uint64_t offset, std::span<std::byte> into);
  io::Task<Result<void>> read_raw(uint64_t offset, std::span<std::byte> into);

  io::Task<Result<volume::Superblock>> superblock();
  io::Task<Result<volume::OwnerRecord>> owner();
  io::Task<Result<block::Reservation>> reservation();

  io::Executor executor() const { return timers_.executor(); }
  uint64_t bytes() const { return store_.geometry().bytes(); }
  const block::Geometry& geometry() const { return store_.geometry(); }

 private:
  // The reason not to ask the device now.
  const Error* down() const;
  template <class T>
  Result<T> note(Result<T> result);

  io::TimerQueue& timers_;
  block::BlockStore& store_;
  volume::DataIo data_;
  volume::SnapshotReader reader_;
  Picture last_;
  TimePoint taken_{};
  std::optional<Error> failed_;
  TimePoint failed_at_{};
};

}  // namespace pnfs::inspect
