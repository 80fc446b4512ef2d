// Fault rules at the target: SCSI commands as points of common/fault, and its verdicts as what the target does.
#pragma once

#include <string>

#include "common/fault/vocabulary.hpp"
#include "testbed/target/fault_hook.hpp"

namespace pnfs::target {

// Every command the target knows, as "scsi.WRITE(16)", "scsi.TEST_UNIT_READY".
void add_scsi_points(fault::Vocabulary& vocabulary);

// server.set_fault_hook(&hook). The injector must outlive it. Where a rule asks for several things that cannot be done
// to one command at once, the first of these counts: drop, reset or close, status, lie, torn, short, lost cache,
// dropped answer, logout, delay.
class RuleHook final : public FaultHook {
 public:
  explicit RuleHook(fault::Injector& injector) : injector_(injector) {}
  FaultAction on_command(const FaultQuery& query) override;

 private:
  fault::Injector& injector_;
};

}  // namespace pnfs::target
