// Any x86 kernel image under QEMU: KVM where there is one, emulation where there is none.
#pragma once

#include <string>

#include "common/base/result.hpp"
#include "testbed/kernel/settings.hpp"
#include "testbed/kernel/snapshot.hpp"
#include "testbed/kernel/uml.hpp"

namespace pnfs::kernel {

// True when the file is a bzImage (boot protocol magic).
bool is_bzimage(const std::string& path);

// This machine's KVM can run a Linux of our days.
bool has_kvm();

// The image and its modules: where they are not named, a package's ../lib/modules/<release> or the build tree itself.
Result<KernelImage> find_bzimage(const std::string& path, const std::string& modules);

// Our init and the modules it needs to reach the host's files. Errors name the kernel option that is missing. Starts
// programs to unpack modules, so it comes before any process namespace is entered.
Result<std::string> make_initramfs(const KernelImage& kernel, const std::string& guest);

// What a QEMU machine begins with.
enum class Start {
  boot,     // from the initramfs in the run folder
  save,     // the same, up to where the snapshot is taken
  restore,  // the snapshot
};
// How to start QEMU. `run` is the folder that guest and supervisor share; `snapshot` matters to save and restore.
Result<Launch> qemu_launch(const KernelImage& kernel, const Settings& options, const std::string& run, Start start,
                           const Snapshot& snapshot);
// In the run folder: at Start::save the monitor; at Start::restore the line (.in and .out) by which the machine is told to
// go on.
inline constexpr const char* kQmpSocket = "/qmp";
inline constexpr const char* kGoPipe = "/go";
// What init says on the console when a snapshot can be taken.
inline constexpr const char* kReadyForSnapshot = "pnfslab: ready for a snapshot";

const char* qemu_program();

// The guest's network under QEMU: user-mode networking, which reaches every address of QEMU's own namespace.
std::string qemu_guest_address(long long number);
std::string qemu_gateway(long long number);

}  // namespace pnfs::kernel
