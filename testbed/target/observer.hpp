// Who watches the target: one call for each SCSI command that was answered and for each login and its end.
#pragma once

#include <string_view>

#include "testbed/target/scsi/command.hpp"

namespace pnfs::target {

struct CommandRecord {
  std::string_view target;
  std::string_view initiator;
  uint32_t lun = 0;
  std::string_view name;  // "READ(10)", or "" for an opcode we do not know
  uint32_t tag = 0;        // the initiator's
  const scsi::Command& command;
  uint64_t bytes = 0;      // that moved, either way
  std::string_view fault;  // what a rule did to it, "" for nothing
};

struct SessionRecord {
  std::string_view event;  // "login", "login refused", "end"
  std::string_view target;
  std::string_view initiator;
  std::string_view peer;
  std::string_view reason;
};

class TargetObserver {
 public:
  virtual ~TargetObserver() = default;
  virtual void on_command(const CommandRecord& record) = 0;
  virtual void on_session(const SessionRecord& record) = 0;
};

}  // namespace pnfs::target
