#include "testbed/kernel/qemu.hpp"

#include <fcntl.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "common/base/scoped_fd.hpp"
#include "testbed/kernel/cpio.hpp"
#include "testbed/kernel/files.hpp"
#include "testbed/kernel/host_tsc.hpp"
#include "testbed/kernel/modules.hpp"

namespace pnfs::kernel {

namespace fs = std::filesystem;

namespace {

constexpr const char* kProgram = "/usr/bin/qemu-system-x86_64";
constexpr unsigned kLeastMemoryMib = 512;

// What the guest cannot do without, and the kernel option that gives it.
struct Needed {
  const char* module;
  const char* option;
};
constexpr Needed kNeeded[] = {
    {"virtio_pci", "CONFIG_VIRTIO_PCI"},
    {"virtio_net", "CONFIG_VIRTIO_NET"},
    {"9pnet_virtio", "CONFIG_NET_9P_VIRTIO"},
    {"9p", "CONFIG_9P_FS"},
    {"overlay", "CONFIG_OVERLAY_FS"},
    {"nfsv4", "CONFIG_NFS_V4"},
    {"nfs_layout_nfsv41_files", "CONFIG_NFS_V4_1 (CONFIG_PNFS_FILE_LAYOUT)"},
};

// The release that a bzImage carries: a pointer in its header (Documentation/arch/x86/boot.rst, kernel_version).
std::string bzimage_release(const std::string& path) {
  constexpr size_t kVersionPointer = 0x20e, kHeaderBase = 0x200;
  std::ifstream file(path, std::ios::binary);
  std::string head(kHeaderBase + 65536, '\0');  // as far as the pointer can reach
  file.read(head.data(), std::streamsize(head.size()));
  const size_t at = uint8_t(head[kVersionPointer]) + 256u * uint8_t(head[kVersionPointer + 1]) + kHeaderBase;
  if (at >= head.size()) return "";
  const std::string text(head.c_str() + at);
  return text.substr(0, text.find(' '));
}

}  // namespace

// A KVM that can run a Linux of our days. Some machines offer one that cannot: it lacks what every 64-bit processor
// has, and a kernel started with it hangs without a word.
bool has_kvm() {
  const ScopedFd kvm(::open("/dev/kvm", O_RDWR | O_CLOEXEC));
  if (!kvm) return false;
  const ScopedFd machine(::ioctl(kvm.get(), KVM_CREATE_VM, 0));
  if (!machine) return false;
  constexpr size_t kMostEntries = 256;
  std::vector<uint64_t> room((sizeof(kvm_cpuid2) + kMostEntries * sizeof(kvm_cpuid_entry2)) / sizeof(uint64_t) + 1);
  auto* supported = reinterpret_cast<kvm_cpuid2*>(room.data());
  supported->nent = kMostEntries;
  if (::ioctl(kvm.get(), KVM_GET_SUPPORTED_CPUID, supported) != 0) return false;
  bool sse3 = false, long_mode = false;
  for (size_t i = 0; i < supported->nent; ++i) {
    const kvm_cpuid_entry2& entry = supported->entries[i];
    if (entry.function == 1) sse3 = (entry.ecx & 1) != 0;
    if (entry.function == 0x80000001) long_mode = (entry.edx & (1u << 29)) != 0;
  }
  return sse3 && long_mode;
}

Result<std::string> make_initramfs(const KernelImage& kernel, const std::string& guest) {
  const auto index = ModuleIndex::read(kernel.modules);
  if (!index) return index.error();
  std::vector<std::string> names;
  for (const Needed& each : kNeeded) {
    if (!index->has(each.module) && !index->is_built_in(each.module)) {
      return error(Errc::unsupported, "the kernel {} lacks {} (no module {} below {})", kernel.path, each.option,
                   each.module, kernel.modules);
    }
    names.emplace_back(each.module);
  }
  const auto modules = index->load_list(names);
  if (!modules) return modules.error();
  const auto init = read_file(guest + "/init");
  if (!init) return init.error();

  CpioArchive archive;
  for (const char* folder : {"dev", "proc", "sys", "run", "host", "modules"}) archive.add_directory(folder);
  archive.add_character_device("dev/console", 5, 1);
  archive.add_file("init", *init, true);
  std::string list;
  for (const ModuleIndex::Module& module : *modules) {
    archive.add_file("modules/" + module.name + ".ko", module.bytes);
    list += module.name + "\n";
  }
  archive.add_file("modules.list", list);
  return archive.finish();
}

bool is_bzimage(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  char magic[4] = {};
  constexpr std::streamoff kMagicAt = 0x202;
  file.seekg(kMagicAt);
  return file.read(magic, sizeof magic) && std::string_view(magic, sizeof magic) == "HdrS";
}

Result<KernelImage> find_bzimage(const std::string& path, const std::string& modules) {
  KernelImage image;
  image.kind = KernelKind::bzimage;
  image.path = fs::absolute(path).string();
  image.modules = modules;
  const fs::path folder = fs::path(image.path).parent_path();
  const std::string release = bzimage_release(path);
  if (image.modules.empty()) {
    std::vector<fs::path> places = {folder.parent_path() / "lib/modules" / release};
    // Of a build tree: arch/x86/boot/bzImage (and arch/x86_64/boot, a link to it).
    if (folder.filename() == "boot") places.push_back(folder.parent_path().parent_path().parent_path());
    places.push_back(fs::path("/lib/modules") / release);
    for (const fs::path& place : places)
      if (image.modules.empty() && fs::exists(place / "modules.order")) image.modules = place.string();
  }
  if (image.modules.empty()) {
    return error(Errc::not_found, "no modules of kernel {} (release {}) were found; name their folder with --modules",
                 path, release.empty() ? "unknown" : release);
  }
  image.modules = fs::absolute(image.modules).string();
  if (::access(kProgram, X_OK) != 0) {
    return error(Errc::not_found, "no QEMU to run {}: {} is missing; install it with: apt-get install qemu-system-x86",
                 path, kProgram);
  }
  return image;
}

std::string qemu_guest_address(long long number) {
  return fmt::format("10.78.{}.15", number);
}

std::string qemu_gateway(long long number) {
  return fmt::format("10.78.{}.2", number);
}

const char* qemu_program() {
  return kProgram;
}

namespace {

constexpr const char* kCommandLine =
    "console=ttyS0 quiet loglevel=4 mitigations=off nokaslr no_timer_check tsc=reliable random.trust_cpu=on "
    "cryptomgr.notests audit=0 apparmor=0 lsm=capability";

void add_option(Launch& launch, const char* option, std::string value) {
  launch.arguments.emplace_back(option);
  launch.arguments.push_back(std::move(value));
}

void add_machine(Launch& launch, long long memory_mib, Start start, const Snapshot& snapshot) {
  const bool kvm = has_kvm();
  for (const char* word : {kProgram, "-nodefaults", "-no-user-config", "-no-reboot"})
    launch.arguments.emplace_back(word);
  add_option(launch, "-display", "none");
  add_option(launch, "-accel", kvm ? "kvm" : "tcg");
  add_option(launch, "-cpu", kvm ? "host" : "qemu64");
  add_option(launch, "-smp", "1");
  add_option(launch, "-m", std::to_string(memory_mib));
  add_option(launch, "-machine", "pc,hpet=off");
  // The state holds the memory that is in use; what a restored machine writes is its own.
  if (start == Start::restore) add_option(launch, "-incoming", fmt::format("exec:cat '{}'", snapshot.state()));
}

// Four serial lines: kernel console, the command's output, its error output, and the word that a saved machine waits
// for.
void add_lines(Launch& launch, const std::string& run, Start start) {
  const std::pair<const char*, int> lines[] = {
      {"console", kConsoleFd}, {"output", kOutputFd}, {"error_output", kErrorOutputFd}};
  for (const auto& [name, fd] : lines) {
    add_option(launch, "-chardev", fmt::format("file,id={},path=/dev/fd/{}", name, fd));
    add_option(launch, "-serial", fmt::format("chardev:{}", name));
  }
  add_option(launch, "-chardev",
             start == Start::restore ? fmt::format("pipe,id=go,path={}{}", run, kGoPipe) : "null,id=go");
  add_option(launch, "-serial", "chardev:go");
}

}  // namespace

Result<Launch> qemu_launch(const KernelImage& kernel, const Settings& options, const std::string& run, Start start,
                           const Snapshot& snapshot) {
  std::string command_line = kCommandLine;
  if (start != Start::boot) command_line += " pnfslab_snapshot=1";
  // A saved machine has its measure already.
  if (const uint64_t khz = start == Start::restore || has_kvm() ? 0 : host_tsc_khz(); khz != 0)
    command_line += fmt::format(" tsc_early_khz={}", khz);
  for (const std::string& argument : options.all("kernel_argument")) command_line += " " + argument;
  const long long number = options.number("number", 1);
  const auto memory = start != Start::boot ? static_cast<long long>(kSnapshotMemoryMib)
                                           : std::max<long long>(options.number("memory_mib", 256), kLeastMemoryMib);
  Launch launch;
  add_machine(launch, memory, start, snapshot);
  add_option(launch, "-kernel", kernel.path);
  add_option(launch, "-initrd", start == Start::boot ? run + "/initramfs" : snapshot.initramfs());
  add_option(launch, "-append", command_line);
  add_lines(launch, run, start);
  // The card is on a hub of its own, so that a saved machine can be joined to any network.
  add_option(launch, "-netdev", "hubport,id=net,hubid=0");
  add_option(launch, "-device", "virtio-net-pci,netdev=net,romfile=");
  if (start != Start::save) {
    add_option(launch, "-netdev",
               fmt::format("user,id=up,net=10.78.{0}.0/24,host={1},dhcpstart={2}", number, qemu_gateway(number),
                           qemu_guest_address(number)));
    add_option(launch, "-netdev", "hubport,id=hub,hubid=0,netdev=up");
  } else {
    add_option(launch, "-qmp", fmt::format("unix:{}{},server=on,wait=off", run, kQmpSocket));
  }
  const std::string shared = options.get("shared");
  add_option(launch, "-virtfs", "local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap");
  add_option(launch, "-virtfs", "local,path=" + run + ",mount_tag=run,security_model=none");
  add_option(launch, "-virtfs",
             "local,path=" + (shared.empty() ? run : shared) + ",mount_tag=shared,security_model=none");
  launch.environment = {"TMPDIR=" + run};
  return launch;
}

}  // namespace pnfs::kernel
