// The target in the trace: an event for every SCSI command answered, every session begun or ended, every fault rule that
// acted (common/trace/TRACE.md).
#pragma once

#include "common/trace/sink.hpp"
#include "testbed/target/observer.hpp"

namespace pnfs::target {

class TargetTrace final : public TargetObserver {
 public:
  // `sink` outlives it.
  explicit TargetTrace(trace::Sink& sink) : sink_(sink) {}
  void on_command(const CommandRecord& record) override;
  void on_session(const SessionRecord& record) override;
  // A fault rule ("rule 3: ...") acted on a command.
  void on_rule(std::string_view rule, std::string_view op, std::string_view initiator);
  void flush() { sink_.flush(); }

 private:
  trace::Sink& sink_;
};

}  // namespace pnfs::target
