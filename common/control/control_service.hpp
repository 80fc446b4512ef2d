// What both ends of the control program have in common as servers: decoding, fault points, the trace. Each end says
// what its procedures do.
#pragma once

#include <string>

#include "common/control/control_prot.hpp"
#include "common/fault/vocabulary.hpp"
#include "common/fault/injector.hpp"
#include "common/io/timer_queue.hpp"
#include "common/rpc/request.hpp"
#include "common/rpc/service.hpp"
#include "common/trace/sink.hpp"

namespace pnfs::control {

struct ProcInfo {
  control_proc proc;
  std::string_view name;  // "GRANT"
  const xdr::TypeInfo* args;
  const xdr::TypeInfo* res;
  void* (*make_args)(Arena&);
  void* (*make_res)(Arena&);
  void (*refuse)(void* res, control_status status, std::string_view reason);
  control_status (*status_of)(const void* res);
  std::string_view (*reason_of)(const void* res);
};
// Null: no such procedure.
const ProcInfo* find_proc(uint32_t procedure);
// What a node does for the cluster beside answering calls, as fault points: `before control.FENCE do return OK` leaves it
// out, and the node goes on as if it had been done. For showing what each of them is there for.
namespace step {
inline constexpr std::string_view kAwaitIo = "AWAIT_IO";              // DS: a revoke waits for the I/O under way
inline constexpr std::string_view kDropGrants = "DROP_GRANTS";        // DS: a lost lease or a new epoch ends all grants
inline constexpr std::string_view kAwaitVerdicts = "AWAIT_VERDICTS";  // MDS: CLOSE waits for the data servers
inline constexpr std::string_view kFence = "FENCE";                   // MDS: the device shuts a lost node out
inline constexpr std::string_view kQuarantine = "QUARANTINE";         // MDS: what no device fenced is waited out
}  // namespace step

// The fault points of the control program: "control.GRANT" with its fields, and the steps.
void add_control_points(fault::Vocabulary& vocabulary);

class ControlService : public rpc::Service {
 public:
  struct Watch {
    std::string node;
    io::TimerQueue* timers = nullptr;
    trace::Sink* trace = nullptr;       // null: nothing is told
    fault::Injector* faults = nullptr;  // null: none
  };

  uint32_t program() const final { return kControlProgram; }
  uint32_t lowest_version() const final { return kControlVersion; }
  uint32_t highest_version() const final { return kControlVersion; }
  io::Task<void> handle(rpc::Request& request) final;

 protected:
  explicit ControlService(Watch watch) : watch_(std::move(watch)) {}
  // Fills `res`. False: this end does not serve the procedure.
  virtual io::Task<bool> run(rpc::Request& request, control_proc proc, const void* args, void* res) = 0;
  // A rule says that this step is to be left out.
  bool left_out(std::string_view step) const;
  // Who calls, for the trace: a node's name, or "" if unknown.
  virtual std::string caller_name(const rpc::Request& request) const = 0;

 private:
  struct Step;
  // True: go on.
  io::Task<bool> consult(rpc::Request& request, Step& step, fault::Stage stage);
  void tell(rpc::Request& request, const Step& step) const;

  Watch watch_;
};

}  // namespace pnfs::control
