// Where a LUN's bytes are. Synchronous: a file read or write lands in the page cache, and one thread with no hand-off
// serves a request faster than any queue would.
// Offsets and lengths are bytes, multiples of the LUN's block size, inside size_bytes() (the SCSI layer has checked).
// Not thread-safe. Errors: Errc::io, Errc::no_space.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "common/base/result.hpp"
#include "testbed/target/bytes.hpp"

namespace pnfs::target {

class Backing {
 public:
  virtual ~Backing() = default;

  virtual uint64_t size_bytes() const = 0;
  virtual Result<void> read(uint64_t offset, Bytes into) = 0;
  virtual Result<void> write(uint64_t offset, ConstBytes from) = 0;
  // What was written before is durable afterwards.
  virtual Result<void> flush() = 0;
  // Reads as zeros afterwards. `deallocate`: the space goes back to the file system where it can.
  virtual Result<void> zero(uint64_t offset, uint64_t length, bool deallocate) = 0;

  struct Run {
    uint64_t length = 0;  // from the offset asked for
    bool mapped = true;
  };
  // The run of equally mapped bytes that starts at `offset`.
  virtual Run run_at(uint64_t offset) { return {size_bytes() - offset, true}; }

  // Durable right after write(), whatever else: for FUA. Default: the whole flush.
  virtual Result<void> write_through(uint64_t offset, ConstBytes from) {
    auto done = write(offset, from);
    return done ? flush() : done;
  }
};

struct FileOptions {
  std::string path;
  uint64_t size_bytes = 0;  // 0: what the file has; else a missing file is created and a shorter one extended, sparse
  bool read_only = false;
  bool every_write_durable = false;  // O_DSYNC: IOMode=wt
  bool direct = false;               // blockio: past the page cache, where the file system lets us
};
// Errors name the path and what to do. A second opener of the same path is refused (flock).
Result<std::unique_ptr<Backing>> open_file(const FileOptions& options);

// Reads as zeros, forgets writes: nullio.
std::unique_ptr<Backing> make_null(uint64_t size_bytes);

// Sparse memory, for clusters inside one process.
std::unique_ptr<Backing> make_memory(uint64_t size_bytes);

// A write cache that dies with the process: what was not flushed never reaches `below`. `limit_bytes` bounds it; the
// oldest data then go down, as in a real cache.
class VolatileCache : public Backing {
 public:
  // Forget what was not flushed (a simulated power failure).
  virtual void lose() = 0;
  virtual uint64_t dirty_bytes() const = 0;
};
std::unique_ptr<VolatileCache> make_volatile_cache(std::unique_ptr<Backing> below, uint64_t limit_bytes);

}  // namespace pnfs::target
