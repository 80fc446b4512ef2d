// What a metadata server is told at its start, and the seams it works through.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.hpp"
#include "common/base/random.hpp"
#include "common/io/stream.hpp"
#include "common/io/timer_queue.hpp"
#include "mds/layout/personality.hpp"

namespace pnfs::block {
class BlockStore;
}
namespace pnfs::rpc {
class Observer;
}
namespace pnfs::volume {
struct OwnerRecord;
}
namespace pnfs::trace {
class Sink;
}
namespace pnfs::fault {
class Injector;
}

namespace pnfs::mds {

// A server personality (design, Profiles): how layouts are granted, and which quirks of a server of that name are
// shown.
enum class Profile : uint8_t { modern, dlm_2014, local_export, spnfs };
std::string_view to_string(Profile profile);  // as --profile takes it
std::optional<Profile> profile_from(std::string_view name);

struct Squash {
  bool root = false;  // uid 0 and gid 0 become the anonymous user and group
  bool all = false;   // everybody does
  uint32_t anonymous_uid = 65534;
  uint32_t anonymous_gid = 65534;
};

struct Options {
  std::string node = "mds";
  std::vector<io::Endpoint> listen;
  Duration lease = std::chrono::seconds(90);
  std::optional<Duration> grace;  // one lease unless set
  Profile profile = Profile::modern;
  std::optional<layout::Personality> personality;  // the profile with single options changed; else the profile's own
  Squash squash;
  bool read_only = false;
  bool delegations = true;
  uint32_t max_read_bytes = 1u << 20;
  uint32_t max_write_bytes = 1u << 20;
  uint32_t max_opens_per_client = 65536;
  // /proc/fs/nfsd/pnfs_dlm_device's line, "<disk>:<ip>[,<ip>...]"; empty: every registered data server.
  std::string dlm_device;
  bool force_mount = false;  // take a volume over although its owner seems alive
  Duration volume_lease = std::chrono::seconds(6);
  std::string host;  // boot id of this machine, "" if unknown
  uint64_t pid = 0;
  // True when the process that an active owner record names is certainly gone, so that no wait is needed.
  std::function<bool(const volume::OwnerRecord&)> owner_is_dead;
};

// Everything outlives the server that works through it.
struct Seams {
  io::Executor executor;
  const Clock& clock;
  io::TimerQueue& timers;
  Random& random;
  io::Network& network;
  block::BlockStore& store;
  trace::Sink* trace = nullptr;       // null: nothing is told
  fault::Injector* faults = nullptr;  // null: none
  rpc::Observer* observer = nullptr;  // null: nobody watches the transport
};

}  // namespace pnfs::mds
