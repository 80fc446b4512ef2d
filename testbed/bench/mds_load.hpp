// A client that asks a metadata server for one kind of operation, so many at a time, as fast as it answers. Any NFSv4.1
// server will do.
#pragma once

#include "common/io/task_group.hpp"
#include "common/rpc/client.hpp"
#include "testbed/client/session.hpp"

namespace pnfs::bench {

enum class Load : uint8_t {
  sequence,    // SEQUENCE alone
  getattr,     // SEQUENCE PUTFH GETATTR, with what stat() needs
  open_close,  // SEQUENCE PUTFH OPEN(create) GETFH, then SEQUENCE PUTFH CLOSE: one operation
};
std::string_view to_string(Load load);

class MdsLoad {
 public:
  struct Seams {
    io::Network& network;
    io::TimerQueue& timers;
  };
  // `depth` requests under way at a time, each on a slot of its own.
  MdsLoad(Seams seams, const io::Endpoint& server, unsigned depth);

  // A session, and below the root (or the directory `under` in it) a directory and a file for the loads.
  io::Task<Result<void>> prepare(std::string under);
  io::Task<Result<void>> run(Load load, uint64_t operations);
  io::Task<Result<void>> stop();

 private:
  io::Task<void> work(Load load);
  io::Task<client::Outcome<>> sequence();
  io::Task<client::Outcome<>> getattr();
  io::Task<client::Outcome<>> open_close();
  io::Task<client::Outcome<std::vector<std::byte>>> make_directory(std::string under);

  io::TimerQueue& timers_;
  rpc::Client rpc_;
  client::Session session_;
  unsigned depth_;
  std::vector<std::byte> directory_, file_;
  uint64_t left_ = 0;
  uint64_t files_ = 0;  // made so far
  std::optional<client::Failure> failure_;
};

}  // namespace pnfs::bench
