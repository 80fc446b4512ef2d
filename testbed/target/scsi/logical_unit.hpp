// A logical unit: its identity, its bytes and everything it remembers between commands. Command families are free
// functions over it (one file each); the table that finds them is scsi/opcodes.cpp.
// One thread. It knows sessions only through Observer.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "common/base/clock.hpp"
#include "testbed/target/backing/backing.hpp"
#include "testbed/target/scsi/command.hpp"
#include "testbed/target/scsi/persistent_reservations.hpp"

namespace pnfs::target::scsi {

enum class CacheMode : uint8_t { write_through, write_back, volatile_memory };

struct UnitConfig {
  uint32_t lun = 0;
  uint32_t block_bytes = 512;
  bool thin = false;
  bool read_only = false;
  bool removable = false;
  CacheMode cache = CacheMode::write_back;
  std::string scsi_id;             // at most 16 characters, part of VPD page 0x83
  std::string serial;              // at most 16 characters, VPD page 0x80
  std::string target_name;         // SCSI target port name, VPD page 0x83
  std::string io_type = "fileio";  // for the IET views
  std::string path;
  uint64_t sanitize_bytes_per_s = 200u << 20;  // pace of SANITIZE OVERWRITE; 0: at once
  std::string aptpl_path;                      // where registrations survive a restart; empty: APTPL is not offered
};

inline constexpr std::string_view kVendor = "PNFSLAB";

// Limits that VPD page 0xB0 announces.
inline constexpr uint32_t kMaxTransferBytes = 64u << 20;
inline constexpr uint32_t kMaxUnmapBlocks = 1u << 20;  // per descriptor
inline constexpr uint32_t kMaxUnmapDescriptors = 256;
inline constexpr uint32_t kMaxCompareBlocks = 255;
inline constexpr uint32_t kMaxAtomicBytes = 1u << 20;

// A SANITIZE OVERWRITE under way.
struct SanitizeRun {
  std::vector<uint8_t> piece;
  uint64_t done = 0;
  std::function<void(bool ok)> answer;  // set by the transport when the command waits for the end
};

class LogicalUnit {
 public:
  // What only the transport can do.
  class Observer {
   public:
    virtual ~Observer() = default;
    // End every task of this nexus at this unit without a response (SAM-5 5.6).
    virtual void abort_tasks(LogicalUnit& unit, NexusId nexus) = 0;
    // Runs `action` on the server's thread once, not before `delay`.
    virtual void later(Duration delay, std::function<void()> action) = 0;
    // The nexus of an initiator port, known already or not.
    virtual Nexus nexus_for(const std::string& initiator, const std::array<uint8_t, 6>& isid) = 0;
  };

  LogicalUnit(UnitConfig config, std::unique_ptr<Backing> backing, Observer* observer);

  const UnitConfig& config() const { return config_; }
  Backing& backing() { return *backing_; }
  VolatileCache* cache() { return cache_; }
  uint32_t block_bytes() const { return config_.block_bytes; }
  uint64_t blocks() const { return backing_->size_bytes() / config_.block_bytes; }
  uint64_t max_transfer_blocks() const { return kMaxTransferBytes / config_.block_bytes; }
  // WSNZ: a thin unit refuses WRITE SAME of zero blocks, a thick one takes it as "up to the end" (SBC-3 6.6.4): both
  // kinds are out there, so initiators should meet both.
  bool refuses_zero_write_same() const { return config_.thin; }
  bool write_protected() const { return config_.read_only || software_write_protect; }
  const std::array<uint8_t, 8>& naa() const { return naa_; }
  const std::array<uint8_t, 8>& eui64() const { return eui64_; }
  std::string t10_id() const;
  // Expires with the unit: for callbacks that may come later.
  std::shared_ptr<const int> alive() const { return alive_; }
  Observer* observer() { return observer_; }

  // --- unit attentions, per nexus (SAM-5 5.14)
  // Known nexuses only. A first login brings power_on_or_reset, a later one nexus_loss.
  void nexus_started(NexusId nexus);
  // The session is gone: its SPC-2 reservation and its PREVENT go too (SAM-5 6.3.4).
  void nexus_lost(NexusId nexus);
  void attention(NexusId nexus, Asc asc);
  void attention_others(NexusId but, Asc asc);
  std::optional<Asc> next_attention(NexusId nexus);
  bool has_attention(NexusId nexus) const;

  // LOGICAL UNIT RESET (SAM-5 6.3.3): every nexus is told, who asked for it too.
  void reset(Asc told);
  // CLEAR TASK SET: everyone's tasks end, the others are told (SAM-5 7.4).
  void clear_task_set(NexusId by);
  // What a power cycle leaves: nothing that is not on the medium.
  void power_on();

  // --- state that commands change
  PersistentReservations reservations;
  std::optional<NexusId> reserved_by;  // SPC-2 RESERVE(6)
  std::set<NexusId> removal_prevented_by;
  bool ejected = false;
  bool software_write_protect = false;  // SWP of the control mode page
  bool descriptor_sense = false;        // D_SENSE of the control mode page
  bool write_cache = true;              // WCE of the caching mode page
  bool sanitize_failed = false;
  std::unique_ptr<SanitizeRun> sanitize;
  struct CopyOutcome {
    bool held = false;
    uint8_t status = 0;
    uint16_t segments = 0;
    uint32_t bytes = 0;
  };
  std::map<std::pair<NexusId, uint8_t>, CopyOutcome> copies;  // by list identifier

 private:
  void compute_identity();

  UnitConfig config_;
  std::unique_ptr<Backing> backing_;
  VolatileCache* cache_ = nullptr;
  Observer* observer_;
  std::array<uint8_t, 8> naa_{};
  std::array<uint8_t, 8> eui64_{};
  std::shared_ptr<const int> alive_ = std::make_shared<const int>(0);
  std::map<NexusId, std::deque<Asc>> attentions_;
};

}  // namespace pnfs::target::scsi
