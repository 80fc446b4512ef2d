#include "common/compound/op_counters.hpp"

#include "common/live/metrics.hpp"
#include "common/live/table.hpp"
#include "common/nfs/op_info.hpp"

namespace pnfs::compound {

namespace {

// Slot 0 counts what is no operation at all.
nfs::nfs_opnum4 op_of(size_t slot) {
  return slot == 0 ? nfs::OP_ILLEGAL : static_cast<nfs::nfs_opnum4>(slot);
}

std::string counted_name(nfs::nfs_opnum4 op) {
  const nfs::OpInfo* info = nfs::find_op(op);
  return info != nullptr ? std::string(info->name) : "ILLEGAL";
}

}  // namespace

OpCounters& OpCounters::of(std::string_view node) {
  static std::map<std::string, OpCounters, std::less<>> all;
  const auto found = all.find(node);
  return found != all.end() ? found->second : all.try_emplace(std::string(node)).first->second;
}

void OpCounters::fill(live::Table& out) const {
  for (size_t slot = 0; slot < kOps; ++slot) {
    const Counter& counter = counters_[slot];
    if (counter.calls == 0) continue;
    out.add([&] {
      live::Row row{{"op", counted_name(op_of(slot))},
                    {"calls", counter.calls},
                    {"errors", counter.errors},
                    {"bytes", counter.bytes},
                    {"us", std::chrono::duration_cast<std::chrono::microseconds>(counter.took).count()},
                    {"by_status", live::Row::object()}};
      for (const auto& [key, count] : errors_)
        if (key.first == op_of(slot)) row["by_status"][nfs::status_name(key.second)] = count;
      return row;
    });
  }
}

void OpCounters::add_to(live::Metrics& metrics) const {
  metrics.counter("pnfslab_operations", "Operations answered");
  for (size_t slot = 0; slot < kOps; ++slot)
    if (counters_[slot].calls != 0) metrics.sample({{"op", counted_name(op_of(slot))}}, counters_[slot].calls);
  metrics.counter("pnfslab_operation_errors", "Operations answered with an error, by status");
  for (const auto& [key, count] : errors_)
    metrics.sample({{"op", counted_name(key.first)}, {"status", nfs::status_name(key.second)}}, count);
  metrics.counter("pnfslab_operation_bytes", "File data moved by READ and WRITE", "bytes");
  for (size_t slot = 0; slot < kOps; ++slot)
    if (counters_[slot].bytes != 0) metrics.sample({{"op", counted_name(op_of(slot))}}, counters_[slot].bytes);
  metrics.counter("pnfslab_operation_time_seconds", "Time spent in operations, waiting included", "seconds");
  for (size_t slot = 0; slot < kOps; ++slot)
    if (counters_[slot].calls != 0)
      metrics.sample({{"op", counted_name(op_of(slot))}}, std::chrono::duration<double>(counters_[slot].took).count());
}

}  // namespace pnfs::compound
