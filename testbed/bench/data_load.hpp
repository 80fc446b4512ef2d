// A client machine that reads and writes one file, so many requests at a time, as fast as it is answered: through a
// layout at data servers, or through the server that it mounted. Any NFSv4.1 server will do.
#pragma once

#include <optional>
#include <string>

#include "common/base/random.hpp"
#include "common/io/task_group.hpp"
#include "testbed/client/file_system.hpp"

namespace pnfs::bench {

struct DataReads {
  uint32_t bytes = 0;  // of each
  uint64_t count = 0;
  bool random = false;  // anywhere, else one behind the other and from the start again
};

class DataLoad {
 public:
  struct Seams {
    io::Network& network;
    io::TimerQueue& timers;
    Random& random;
  };
  struct Options {
    io::Endpoint server;
    std::string path;      // of the file, which is made
    bool striped = false;  // through a layout
    unsigned depth = 1;    // requests under way at a time
    uint32_t io_bytes = 1u << 20;
  };
  DataLoad(Seams seams, Options options);

  io::Task<Result<void>> mount();
  // Makes the file and streams so much into it, in order, committed at the end. It stays open.
  io::Task<Result<void>> write(uint64_t bytes);
  // Closes it and opens it again.
  io::Task<Result<void>> open_again();
  io::Task<Result<void>> read(DataReads reads);
  io::Task<Result<void>> stop();

 private:
  using Piece = std::function<io::Task<client::Outcome<>>(uint64_t number)>;
  io::Task<Result<void>> in_pieces(uint64_t count, Piece piece);
  io::Task<void> work(const Piece& piece);
  io::Task<client::Outcome<>> write_piece(uint64_t number);
  io::Task<client::Outcome<>> read_piece(DataReads reads, uint64_t number);

  Seams seams_;
  Options options_;
  client::FileSystem fs_;
  client::FilePtr file_;
  std::vector<std::byte> data_;
  uint64_t size_ = 0;
  uint64_t next_ = 0, count_ = 0;  // pieces begun, and how many there are
  std::optional<client::Failure> failure_;
};

}  // namespace pnfs::bench
