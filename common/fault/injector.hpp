// Where the servers ask whether something shall go wrong. Every fault point is one call of Injector::consult with what
// is known there; the answer says what to do. The engine (engine.hpp) answers from rules; NoFaults never does anything.
//
// Messages are seen through xdr::FieldView only, so this folder knows no concrete type.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/arena.hpp"
#include "common/base/clock.hpp"
#include "common/xdr/field_view.hpp"

namespace pnfs::fault {

// What kind of thing happens at the point.
enum class Domain : uint8_t {
  operation,   // one operation of a COMPOUND, at the server
  callback,    // one operation of a CB_COMPOUND, at the server that sends it
  control,     // a call of the control program; `node` is the one that asks consult
  block,       // I/O of a node on its block store: op is READ, WRITE, FLUSH, ...
  scsi,        // a command at the emulated target: op is its name with '_' for ' '; offset and length are in blocks
  connection,  // op is CONNECT (just accepted) or RECORD (a whole record came, not decoded yet)
};
inline constexpr size_t kDomains = 6;

enum class Stage : uint8_t {
  before,  // arguments decoded, nothing done yet
  after,   // results filled in, not encoded yet
  reply,   // operation: the whole COMPOUND reply is encoded; callback: the whole call is encoded and about to leave
};

// Fill in what is known; leave the rest. Everything is looked at during consult() only.
struct Context {
  Domain domain = Domain::operation;
  Stage stage = Stage::before;
  std::string_view op;         // "LAYOUTGET", "CB_RECALL", "GRANT", "WRITE(10)"; at Stage::reply the last one run
  std::string_view client;     // owner string
  std::string_view address;    // of the peer, "127.0.0.1:40022"
  std::string_view principal;  // "uid=0"
  std::string_view path;       // of the file, as far as known
  std::optional<uint64_t> fileid;
  std::optional<uint64_t> offset;  // bytes, of I/O and layout operations
  std::optional<uint64_t> length;
  std::optional<uint32_t> iomode;  // layoutiomode4
  uint32_t minorversion = 1;
  uint64_t connection = 0;
  std::span<const std::string_view> compound;  // the names of the whole COMPOUND's operations
  uint32_t index = 0;                          // place in it
  xdr::FieldView args;                         // may be changed by rules (set, resize)
  xdr::FieldView res;                          // Stage::after: may be changed by rules; its status is in it
  Arena* arena = nullptr;                      // for changed fields; without it set and resize do nothing
  std::vector<std::byte>* bytes = nullptr;     // Stage::reply and RECORD: may be changed by rules
};

// What the caller must do. The default does nothing. Changes of fields and bytes have been made already.
struct [[nodiscard]] Verdict {
  std::optional<uint32_t> status;  // before: answer this without running it; after: answer this though it ran
  Duration delay{};                // wait first (no state kept across the wait), then do the rest
  bool drop_request = false;       // as if it had never come: not run, not answered (the COMPOUND ends here)
  bool drop_reply = false;         // run, remember in the reply cache, do not answer
  bool close = false;              // close the connection without answering
  bool reset = false;              // the same with a TCP reset
  bool black_hole = false;         // keep the connection, read and ignore everything from now on
  uint32_t duplicate = 0;          // send the reply or callback this many times more
  uint32_t hold_behind = 0;        // let this many later replies or callbacks of the connection overtake it
  bool changed = false;            // a field or the bytes were changed by a rule
  // Of SCSI commands at the target only.
  bool lie = false;                     // answer GOOD without carrying it out
  std::optional<uint32_t> short_bytes;  // move only the first so many bytes and answer GOOD
  std::optional<uint32_t> torn_bytes;   // write only the first so many bytes and answer MEDIUM ERROR
  bool lose_cache = false;              // forget the volatile cache and all sessions, as by a power failure
  bool logout = false;                  // carry it out, then ask the initiator to log out
  std::string rule;                     // for the trace's `fault` field: which rules did it, "" for none

  explicit operator bool() const { return !rule.empty(); }
};

class Injector {
 public:
  virtual ~Injector() = default;
  // No rule looks at this place: skip building a Context. One load and a bit test.
  bool active(Domain domain, Stage stage) const {
    return (places_ >> (static_cast<unsigned>(domain) * 3 + static_cast<unsigned>(stage)) & 1) != 0;
  }
  virtual Verdict consult(Context& context) = 0;

 protected:
  uint32_t places_ = 0;
};

class NoFaults final : public Injector {
 public:
  Verdict consult(Context&) override { return {}; }
};

// Carries out what concerns the whole node rather than the message at hand. Called inside consult(): only note it and
// act later.
struct NodeAction {
  // recall_fsid and recall_all: one CB_LAYOUTRECALL for everything a client holds.
  enum class Verb : uint8_t {
    recall_layouts,
    recall_delegations,
    recall_fsid,
    recall_all,
    recall_slots,   // CB_RECALL_SLOT: every session shall do with so many slots
    notify_change,  // CB_NOTIFY_DEVICEID about every device
    notify_delete,
    restart,
    hang,
    kill,
  };
  Verb verb;
  std::string path;     // recall of layouts and delegations: only of this file; "" for all
  std::string client;   // recall: only of this client; "" for all
  Duration duration{};  // hang
  uint32_t slots = 0;   // recall_slots: from 1
};
class NodeActor {
 public:
  virtual ~NodeActor() = default;
  virtual void perform(const NodeAction& action) = 0;
};

}  // namespace pnfs::fault
