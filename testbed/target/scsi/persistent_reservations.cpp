#include "testbed/target/scsi/persistent_reservations.hpp"

#include <algorithm>

namespace pnfs::target::scsi {

bool PersistentReservations::key_matches(NexusId nexus, uint64_t key) const {
  const auto it = registrants_.find(nexus);
  return it != registrants_.end() && it->second.key == key;
}

bool PersistentReservations::holds(NexusId nexus) const {
  if (type_ == PrType::none) return false;
  return is_all_registrants(type_) ? registrants_.contains(nexus) : holder_ == nexus;
}

uint64_t PersistentReservations::holder_key() const {
  // SPC-4 5.12.5.3: all registrants hold it, and no one key stands for them.
  if (!holder_ || is_all_registrants(type_)) return 0;
  const auto it = registrants_.find(*holder_);
  return it == registrants_.end() ? 0 : it->second.key;
}

// One registration ends; with it, perhaps, the reservation (SPC-4 5.12.11.2).
void PersistentReservations::remove(NexusId nexus, std::vector<Effect>& effects, NexusId by) {
  const bool held = holder_ == nexus && !is_all_registrants(type_);
  registrants_.erase(nexus);
  const bool last = is_all_registrants(type_) && registrants_.empty();
  if (!held && !last) return;
  const bool tell = is_registrants_only(type_);
  drop_reservation();
  if (!tell) return;
  for (const auto& [other, registrant] : registrants_) {
    if (other != by) effects.push_back({other, Asc::reservations_released, false});
  }
}

PersistentReservations::Outcome PersistentReservations::register_key(const Nexus& nexus, uint64_t key,
                                                                     uint64_t service_key, bool ignore_existing,
                                                                     bool aptpl) {
  Outcome outcome;
  const auto it = registrants_.find(nexus.id);
  if (!ignore_existing && (it == registrants_.end() ? key != 0 : it->second.key != key)) {
    outcome.verdict = Verdict::conflict;
    return outcome;
  }
  if (it == registrants_.end() && service_key == 0) return outcome;  // SPC-4 table 55: nothing to do, no new generation
  if (it == registrants_.end() && registrants_.size() >= kMaxRegistrants) {
    outcome.verdict = Verdict::no_resources;
    return outcome;
  }
  ++generation_;
  aptpl_ = aptpl;
  if (service_key == 0) {
    remove(nexus.id, outcome.effects, nexus.id);
  } else {
    registrants_[nexus.id] = {service_key, nexus.initiator, nexus.isid};
  }
  return outcome;
}

PersistentReservations::Outcome PersistentReservations::reserve(const Nexus& nexus, uint64_t key, PrType type) {
  if (!key_matches(nexus.id, key)) return {Verdict::conflict, {}};
  if (type_ != PrType::none) {
    // SPC-4 5.12.9: the holder may repeat itself, nobody may change anything.
    return {holds(nexus.id) && type == type_ ? Verdict::good : Verdict::conflict, {}};
  }
  type_ = type;
  holder_ = nexus.id;
  return {};
}

PersistentReservations::Outcome PersistentReservations::release(const Nexus& nexus, uint64_t key, PrType type) {
  if (!key_matches(nexus.id, key)) return {Verdict::conflict, {}};
  if (!holds(nexus.id)) return {};  // SPC-4 5.12.11.3: nothing of yours to release
  if (type != type_) return {Verdict::invalid_release, {}};
  Outcome outcome;
  const bool tell = is_registrants_only(type_) || is_all_registrants(type_);
  drop_reservation();
  if (tell) {
    for (const auto& [other, registrant] : registrants_) {
      if (other != nexus.id) outcome.effects.push_back({other, Asc::reservations_released, false});
    }
  }
  return outcome;
}

PersistentReservations::Outcome PersistentReservations::clear(const Nexus& nexus, uint64_t key) {
  if (!key_matches(nexus.id, key)) return {Verdict::conflict, {}};
  Outcome outcome;
  for (const auto& [other, registrant] : registrants_) {
    if (other != nexus.id) outcome.effects.push_back({other, Asc::reservations_preempted, false});
  }
  registrants_.clear();
  drop_reservation();
  ++generation_;
  return outcome;
}

// Service action key 0 against an all-registrants reservation: everyone else goes (SPC-4 5.12.11.4.3).
PersistentReservations::Outcome PersistentReservations::preempt_all_registrants(const Nexus& nexus, PrType type,
                                                                                bool abort) {
  Outcome outcome;
  for (auto it = registrants_.begin(); it != registrants_.end();) {
    if (it->first == nexus.id) {
      ++it;
      continue;
    }
    outcome.effects.push_back({it->first, Asc::registrations_preempted, abort});
    it = registrants_.erase(it);
  }
  type_ = type;
  holder_ = nexus.id;
  ++generation_;
  return outcome;
}

PersistentReservations::Outcome PersistentReservations::preempt(const Nexus& nexus, uint64_t key, uint64_t service_key,
                                                                PrType type, bool abort) {
  if (!key_matches(nexus.id, key)) return {Verdict::conflict, {}};
  if (service_key == 0) {
    if (!is_all_registrants(type_)) return {Verdict::invalid_parameter, {}};
    return preempt_all_registrants(nexus, type, abort);
  }
  Outcome outcome;
  const bool takes_reservation = type_ != PrType::none && !is_all_registrants(type_) && holder_key() == service_key;
  std::vector<NexusId> victims;
  for (const auto& [other, registrant] : registrants_) {
    if (registrant.key == service_key) victims.push_back(other);
  }
  // SPC-4 5.12.11.4.2: a key nobody is registered with is a conflict.
  if (victims.empty()) return {Verdict::conflict, {}};
  ++generation_;
  const PrType old_type = type_;
  for (const NexusId victim : victims) {
    if (victim == nexus.id) {
      // SPC-4 5.12.11.4.4 lets a holder preempt itself to change the type; else its registration goes like any other.
      if (!takes_reservation) registrants_.erase(victim);
      continue;
    }
    registrants_.erase(victim);
    outcome.effects.push_back({victim, Asc::registrations_preempted, abort});
  }
  if (takes_reservation) {
    type_ = type;
    holder_ = nexus.id;
    if (old_type != type) {
      for (const auto& [other, registrant] : registrants_) {
        if (other != nexus.id) outcome.effects.push_back({other, Asc::reservations_released, false});
      }
    }
  } else if (is_all_registrants(type_) && registrants_.empty()) {
    drop_reservation();
  }
  return outcome;
}

PersistentReservations::Outcome PersistentReservations::register_and_move(const Nexus& from, uint64_t key,
                                                                          uint64_t service_key, const Nexus& to,
                                                                          bool unregister, bool aptpl) {
  if (!key_matches(from.id, key) || holder_ != from.id || is_all_registrants(type_)) return {Verdict::conflict, {}};
  if (service_key == 0 || to.id == from.id) return {Verdict::invalid_parameter, {}};
  ++generation_;
  aptpl_ = aptpl;
  registrants_[to.id] = {service_key, to.initiator, to.isid};
  holder_ = to.id;
  if (unregister) registrants_.erase(from.id);
  return {};
}

void PersistentReservations::restore(const Saved& saved) {
  registrants_.clear();
  for (const auto& [nexus, key] : saved.registrants) registrants_[nexus.id] = {key, nexus.initiator, nexus.isid};
  generation_ = 0;  // SPC-4 6.15.2: PRgeneration starts again with power on
  type_ = saved.type;
  holder_ = saved.holder;
  aptpl_ = true;
}

}  // namespace pnfs::target::scsi
