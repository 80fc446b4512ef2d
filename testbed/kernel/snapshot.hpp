// A QEMU machine that has booted once, kept on disk: a run that begins with it takes seconds where a boot without KVM
// takes half a minute. It holds the kernel with its modules loaded and nothing mounted; network, host's files and time
// are those of the run.
#pragma once

#include <optional>
#include <string>

#include "common/base/result.hpp"
#include "testbed/kernel/uml.hpp"

namespace pnfs::kernel {

inline constexpr unsigned kSnapshotMemoryMib = 512;

struct Snapshot {
  std::string folder;
  std::string state() const { return folder + "/state"; }
  std::string initramfs() const { return folder + "/initramfs"; }
};

// Where the snapshot of this kernel lies, or would lie.
Snapshot snapshot_of(const KernelImage& kernel);
// The one of this kernel, these modules, this init and this QEMU; nullopt: there is none, or one of them has changed.
std::optional<Snapshot> find_snapshot(const KernelImage& kernel, const std::string& guest);
// The state of the machine that answers on the QMP socket, with the memory that is in use, is written to the snapshot.
// After this the snapshot can be found, and the machine goes on no more.
Result<void> take_snapshot(const std::string& qmp_socket, const Snapshot& snapshot, const KernelImage& kernel,
                           const std::string& guest);

}  // namespace pnfs::kernel
