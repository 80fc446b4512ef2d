// The fault rules of one server process: what they may name, the engine that decides, what its hits leave in the trace,
// the commands that change them while the server runs, and what concerns the process as a whole (hang, kill, restart).
//
// Threading: the context's thread. The desk outlives the server that asks its engine.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/fault/engine.hpp"
#include "common/trace/sink.hpp"

namespace pnfs::compound {

class FaultDesk final : public fault::NodeActor {
 public:
  FaultDesk(boost::asio::io_context& context, const Clock& clock, std::string node, uint64_t seed);
  ~FaultDesk() override;

  // Further points (control program), before any rule.
  fault::Vocabulary& vocabulary() { return vocabulary_; }
  fault::Engine& engine() { return *engine_; }
  // From now on hits are events; the sink must outlive the desk's use. It is flushed before the process hangs or dies.
  void set_trace(trace::Sink* sink);
  // The rules in force from the start; after a restart by rule those of the life before, with their counts.
  Result<void> load(const std::vector<std::string>& rules);
  // "fault add RULE" and the like (common/fault/command.hpp): a command of the control socket.
  Result<std::string> command(std::string_view text);

  // What the server does about recall actions. Called from the context's loop, never inside a consultation.
  std::function<void(const fault::NodeAction&)> on_recall;
  // The server shall stop in good order; the process then calls reborn().
  std::function<void()> on_restart;
  std::function<void()> on_halt;  // a kill or a hang is to come at once: what is in memory is to be written
  bool restarting() const { return restarting_; }

  // Replaces the process by a new one of the same program, options and pid, which finds the rules' counts. Everything
  // must have ended. Returns only when that failed.
  Error reborn();
  // This process is the next life of one that restarted: whoever waited for the first one to be ready is gone.
  static bool is_reborn();

  void perform(const fault::NodeAction& action) override;

 private:
  boost::asio::io_context& context_;
  fault::Vocabulary vocabulary_;
  std::unique_ptr<fault::Engine> engine_;
  trace::Sink* sink_ = nullptr;
  bool restarting_ = false;
};

}  // namespace pnfs::compound
