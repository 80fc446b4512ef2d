// Persistent reservations (SPC-4 5.12) as a state machine: who is registered with which key, who holds what. It knows
// no session; what happens to other nexuses comes back as a list of events.
// One target port, so a nexus is an initiator port.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "testbed/target/scsi/command.hpp"

namespace pnfs::target::scsi {

enum class PrType : uint8_t {
  none = 0,
  write_exclusive = 1,
  exclusive_access = 3,
  write_exclusive_registrants = 5,
  exclusive_access_registrants = 6,
  write_exclusive_all = 7,
  exclusive_access_all = 8,
};

inline bool is_valid(uint8_t type) {
  return type == 1 || type == 3 || (type >= 5 && type <= 8);
}
inline bool is_all_registrants(PrType type) {
  return type == PrType::write_exclusive_all || type == PrType::exclusive_access_all;
}
inline bool is_registrants_only(PrType type) {
  return type == PrType::write_exclusive_registrants || type == PrType::exclusive_access_registrants;
}

class PersistentReservations {
 public:
  static constexpr size_t kMaxRegistrants = 1024;

  struct Registrant {
    uint64_t key = 0;
    std::string initiator;
    std::array<uint8_t, 6> isid{};
  };
  struct Effect {
    NexusId nexus = 0;
    Asc attention = Asc::none;  // none: only abort
    bool abort = false;
  };
  enum class Verdict : uint8_t { good, conflict, no_resources, invalid_release, invalid_parameter };
  struct Outcome {
    Verdict verdict = Verdict::good;
    std::vector<Effect> effects;
  };

  Outcome register_key(const Nexus& nexus, uint64_t key, uint64_t service_key, bool ignore_existing, bool aptpl);
  Outcome reserve(const Nexus& nexus, uint64_t key, PrType type);
  Outcome release(const Nexus& nexus, uint64_t key, PrType type);
  Outcome clear(const Nexus& nexus, uint64_t key);
  Outcome preempt(const Nexus& nexus, uint64_t key, uint64_t service_key, PrType type, bool abort);
  // `from`'s registration moves to another initiator port.
  Outcome register_and_move(const Nexus& from, uint64_t key, uint64_t service_key, const Nexus& to, bool unregister,
                            bool aptpl);

  bool registered(NexusId nexus) const { return registrants_.contains(nexus); }
  bool holds(NexusId nexus) const;
  PrType type() const { return type_; }
  std::optional<NexusId> holder() const { return holder_; }  // not set for all-registrants types
  uint64_t holder_key() const;                               // what READ RESERVATION shows
  uint32_t generation() const { return generation_; }
  bool aptpl() const { return aptpl_; }
  const std::map<NexusId, Registrant>& registrants() const { return registrants_; }

  // For the persistence file (APTPL).
  struct Saved {
    uint32_t generation = 0;
    PrType type = PrType::none;
    std::vector<std::pair<Nexus, uint64_t>> registrants;
    std::optional<NexusId> holder;
  };
  void restore(const Saved& saved);

 private:
  bool key_matches(NexusId nexus, uint64_t key) const;
  void drop_reservation() {
    type_ = PrType::none;
    holder_.reset();
  }
  void remove(NexusId nexus, std::vector<Effect>& effects, NexusId by);
  Outcome preempt_all_registrants(const Nexus& nexus, PrType type, bool abort);

  std::map<NexusId, Registrant> registrants_;
  PrType type_ = PrType::none;
  std::optional<NexusId> holder_;
  uint32_t generation_ = 0;
  bool aptpl_ = false;
};

}  // namespace pnfs::target::scsi
