// The built-in client at work on the steps of a scenario.
#pragma once

#include <map>

#include "testbed/client/file_system.hpp"
#include "testbed/scenario/steps.hpp"

namespace pnfs::scenario {

class StepClient {
 public:
  StepClient(client::FileSystem& fs, io::TimerQueue& timers, io::Endpoint server)
      : fs_(fs), timers_(timers), server_(std::move(server)) {}

  // What one step ended with. `wrong` is a sentence when the answer was not a matter of status alone: data that differ,
  // a value that is another one, a reply that makes no sense.
  struct Answer {
    nfs::nfsstat4 status = nfs::NFS4_OK;
    std::string shown;  // for the client's output
    std::string wrong;
  };
  io::Task<Answer> take(Step step);

 private:
  using Words = const std::vector<std::string>&;
  io::Task<Answer> take_name(Words words);  // names and attributes
  io::Task<Answer> take_file(Words words);  // what needs an open file
  io::Task<Answer> take_data(Words words, client::FilePtr file);
  io::Task<Answer> take_stat(Words words);
  io::Task<Answer> take_compound(Words words);
  Result<void> set_field(xdr::FieldView message, std::string_view assignment, Arena& arena);
  io::Task<client::Outcome<client::FilePtr>> file_of(std::string path);

  client::FileSystem& fs_;
  io::TimerQueue& timers_;
  io::Endpoint server_;
  std::map<std::string, client::FilePtr> files_;
  std::map<std::string, client::Fh> handles_;  // that a compound step may name: "@fh:/path"
};

// The byte that a write puts at an offset of any file, and that a read expects there.
std::byte step_byte(uint64_t offset);

}  // namespace pnfs::scenario
