// Where faults enter the target: before a command is carried out, somebody may say that something else happens instead.
// The target asks for every SCSI command; no hook, no cost. The rule engine that answers is not part of this library.
// Called on the server's thread, must not suspend or call back into the server.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include "common/base/clock.hpp"
#include "testbed/target/scsi/sense.hpp"

namespace pnfs::target {

struct FaultQuery {
  std::string_view target;
  std::string_view initiator;
  uint32_t lun = 0;
  uint8_t opcode = 0;
  std::string_view name;  // "WRITE(16)"
  uint64_t lba = 0;       // 0 and 0 for commands that address no blocks
  uint64_t blocks = 0;
};

struct FaultAction {
  enum class Kind : uint8_t {
    none,
    check_condition,   // key and asc; the command is not carried out
    status,            // BUSY, TASK SET FULL, RESERVATION CONFLICT...; not carried out
    delay,             // carried out after `delay`
    drop,              // neither carried out nor answered
    drop_answer,       // carried out, not answered
    short_transfer,    // only the first `bytes` bytes move; answered GOOD with a residual
    torn_write,        // only the first `bytes` bytes are written; answered MEDIUM ERROR
    lie,               // answered GOOD, not carried out (a SYNCHRONIZE CACHE that is ignored)
    lose_cache,        // what the volatile cache holds is forgotten, all sessions are reset, as by a power failure
    reset_connection,  // TCP reset instead of an answer
    async_logout,      // carried out, and the initiator is asked to log out (RFC 7143 11.9.1)
  };
  Kind kind = Kind::none;
  scsi::Status status = scsi::Status::busy;
  scsi::SenseKey key = scsi::SenseKey::no_sense;
  scsi::Asc asc = scsi::Asc::none;
  Duration delay{};
  uint32_t bytes = 0;
};

class FaultHook {
 public:
  virtual ~FaultHook() = default;
  virtual FaultAction on_command(const FaultQuery& query) = 0;
};

}  // namespace pnfs::target
