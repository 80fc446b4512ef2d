// What a metadata server is told at its start.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/server/seams.hpp"
#include "mds/exports.hpp"
#include "mds/layout/personality.hpp"

namespace pnfs::volume {
struct OwnerRecord;
}

namespace pnfs::mds {

// A server personality (design, Profiles): how layouts are granted, and which quirks of a server of that name are
// shown.
enum class Profile : uint8_t { modern, dlm_2014, local_export, spnfs };
std::string_view to_string(Profile profile);  // as --profile takes it
std::optional<Profile> profile_from(std::string_view name);

// What clients may use, mds/LIMITS.md. Beyond a limit the answer is an NFS error and nothing is lost.
struct ServerLimits {
  uint32_t clients = 20'000;
  uint32_t sessions = 40'000;
  uint32_t sessions_per_client = 64;
  uint32_t slots = 64;  // of each session
  uint32_t connections = 16'384;
  uint32_t stateids_per_client = 65'536;  // opens, lock-owners on files, delegations
  uint32_t locks_per_owner = 65'536;      // ranges of one lock-owner on one file
  uint32_t reply_cache_mib = 256;
  uint32_t kib_per_client = 64 << 10;  // each: its state; the reply cache promised to its sessions
};

struct Options {
  std::string node = "mds";
  std::vector<io::Endpoint> listen;
  Duration lease = std::chrono::seconds(90);
  // How long the state of a client whose lease has expired is kept while nobody conflicts with it (RFC 8881 8.4.3).
  Duration courtesy = std::chrono::hours(24);
  std::optional<Duration> grace;  // one lease unless set
  Profile profile = Profile::modern;
  std::optional<layout::Personality> personality;  // the profile with single options changed; else the profile's own
  Exports exports;
  bool delegations = true;
  Duration delegation_pause = std::chrono::seconds(5);  // none for a file after one of it was recalled
  bool open_arguments = false;  // offer FATTR4_OPEN_ARGUMENTS (RFC 9754), which is younger than minor version 1
  uint32_t max_read_bytes = 1u << 20;
  uint32_t max_write_bytes = 1u << 20;
  ServerLimits limits;
  // /proc/fs/nfsd/pnfs_dlm_device's line, "<disk>:<ip>[,<ip>...]"; empty: every registered data server.
  std::string dlm_device;
  std::string disk = "/dev/sdb";  // what that line calls this volume
  bool force_mount = false;       // take a volume over although its owner seems alive
  Duration volume_lease = std::chrono::seconds(6);
  std::string host;  // boot id of this machine, "" if unknown
  uint64_t pid = 0;
  // True when the process that an active owner record names is certainly gone, so that no wait is needed.
  std::function<bool(const volume::OwnerRecord&)> owner_is_dead;
};

using server::Seams;

}  // namespace pnfs::mds
