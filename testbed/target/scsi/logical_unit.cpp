#include "testbed/target/scsi/logical_unit.hpp"

#include <algorithm>

namespace pnfs::target::scsi {

LogicalUnit::LogicalUnit(UnitConfig config, std::unique_ptr<Backing> backing, Observer* observer)
    : config_(std::move(config)),
      backing_(std::move(backing)),
      cache_(dynamic_cast<VolatileCache*>(backing_.get())),
      observer_(observer) {
  write_cache = config_.cache != CacheMode::write_through;
  compute_identity();
}

// NAA 3 (locally assigned, SPC-4 7.8.6.6.5) from a hash of target name, LUN and ScsiId: the same after every restart.
void LogicalUnit::compute_identity() {
  uint64_t hash = 0xcbf29ce484222325ULL;
  const std::string seed = config_.target_name + '\n' + std::to_string(config_.lun) + '\n' + config_.scsi_id;
  for (const char c : seed) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3ULL;
  put64(naa_.data(), (hash & 0x0fffffffffffffffULL) | 0x3000000000000000ULL);
  put64(eui64_.data(), (hash & 0x00ffffffffffffffULL) | 0x0200000000000000ULL);  // locally administered
}

std::string LogicalUnit::t10_id() const {
  std::string id(kVendor);
  id.resize(8, ' ');
  return id + config_.scsi_id;
}

void LogicalUnit::nexus_started(NexusId nexus) {
  const auto [it, fresh] = attentions_.try_emplace(nexus);
  it->second.clear();
  it->second.push_back(fresh ? Asc::power_on_or_reset : Asc::nexus_loss);
}

void LogicalUnit::nexus_lost(NexusId nexus) {
  if (reserved_by == nexus) reserved_by.reset();
  removal_prevented_by.erase(nexus);
  std::erase_if(copies, [&](const auto& entry) { return entry.first.first == nexus; });
}

void LogicalUnit::attention(NexusId nexus, Asc asc) {
  const auto it = attentions_.find(nexus);
  if (it == attentions_.end()) return;
  auto& queue = it->second;
  if (std::find(queue.begin(), queue.end(), asc) == queue.end() && queue.size() < 8) queue.push_back(asc);
}

void LogicalUnit::attention_others(NexusId but, Asc asc) {
  for (const auto& [nexus, queue] : attentions_) {
    if (nexus != but) attention(nexus, asc);
  }
}

std::optional<Asc> LogicalUnit::next_attention(NexusId nexus) {
  const auto it = attentions_.find(nexus);
  if (it == attentions_.end() || it->second.empty()) return std::nullopt;
  const Asc asc = it->second.front();
  it->second.pop_front();
  return asc;
}

bool LogicalUnit::has_attention(NexusId nexus) const {
  const auto it = attentions_.find(nexus);
  return it != attentions_.end() && !it->second.empty();
}

void LogicalUnit::reset(Asc told) {
  reserved_by.reset();
  removal_prevented_by.clear();
  copies.clear();
  software_write_protect = false;
  descriptor_sense = false;
  for (auto& [nexus, queue] : attentions_) {
    if (observer_) observer_->abort_tasks(*this, nexus);
    queue.assign(1, told);
  }
}

void LogicalUnit::clear_task_set(NexusId by) {
  for (auto& [nexus, queue] : attentions_) {
    if (observer_) observer_->abort_tasks(*this, nexus);
    if (nexus != by) attention(nexus, Asc::commands_cleared_by_another_initiator);
  }
}

void LogicalUnit::power_on() {
  reset(Asc::power_on_or_reset);
  write_cache = config_.cache != CacheMode::write_through;
  if (!reservations.aptpl()) reservations = PersistentReservations();
  // Everyone is new to a unit that was just switched on.
  attentions_.clear();
}

}  // namespace pnfs::target::scsi
