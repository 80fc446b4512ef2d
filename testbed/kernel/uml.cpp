#include "testbed/kernel/uml.hpp"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "testbed/kernel/catalog.hpp"
#include "testbed/kernel/modules.hpp"
#include "testbed/kernel/qemu.hpp"
#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace pnfs::kernel {

namespace {

constexpr const char* kDebianKernel = "/usr/bin/linux.uml";
constexpr const char* kDebianModules = "/usr/lib/uml/modules";

// What a client cannot do without, and the kernel option that gives it.
struct NeededModule {
  const char* name;
  const char* option;
};
constexpr NeededModule kNeededInUml[] = {
    {"overlay", "CONFIG_OVERLAY_FS"},
    {"nfsv4", "CONFIG_NFS_V4"},
    {"nfs_layout_nfsv41_files", "CONFIG_NFS_V4_1 (CONFIG_PNFS_FILE_LAYOUT)"},
};

}  // namespace

bool needs_xsave_shim() {
#if defined(__x86_64__)
  constexpr unsigned kUmlAreaBytes = 2696;
  unsigned in_use = 0, largest = 0, low = 0, high = 0;
  if (!__get_cpuid_count(0xd, 0, &low, &in_use, &largest, &high)) return false;
  return in_use > kUmlAreaBytes;
#else
  return false;
#endif
}

Result<KernelImage> find_kernel(const std::string& path, const std::string& modules) {
  KernelImage image{path, modules, ""};
  if (image.path.empty()) {
    if (const char* named = std::getenv("PNFSLAB_KERNEL")) image.path = named;
  }
  if (image.path == "installed") image.path.clear();
  if (!image.path.empty() && image.path.find('/') == std::string::npos && ::access(image.path.c_str(), F_OK) != 0)
    return cached_kernel(image.path);
  if (image.path.empty() || image.path == kDebianKernel) {
    image.path = kDebianKernel;
    if (image.modules.empty()) image.modules = kDebianModules;
    if (::access(kDebianKernel, X_OK) != 0) {
      return error(Errc::not_found,
                   "no kernel to run as the client: {} is missing; install it with: apt-get install user-mode-linux",
                   kDebianKernel);
    }
  }
  if (is_bzimage(image.path)) return find_bzimage(image.path, modules);
  image.path = std::filesystem::absolute(image.path).string();
  if (::access(image.path.c_str(), X_OK) != 0)
    return error(Errc::not_found, "{} is not a kernel that can be run (User-Mode Linux: make ARCH=um linux)",
                 image.path);
  if (image.modules.empty()) image.modules = kDebianModules;
  image.modules = std::filesystem::absolute(image.modules).string();
  if (::access(image.modules.c_str(), R_OK | X_OK) != 0)
    return error(Errc::not_found, "the modules folder {} of kernel {} cannot be read", image.modules, image.path);
  return image;
}

Result<std::string> build_tree_modules(const KernelImage& kernel) {
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(kernel.modules, failed))
    if (std::filesystem::exists(entry.path() / "modules.dep")) return std::string();
  const auto index = ModuleIndex::read(kernel.modules);
  if (!index) return index.error();
  std::vector<std::string> names;
  for (const NeededModule& each : kNeededInUml) {
    if (!index->has(each.name) && !index->is_built_in(each.name)) {
      return error(Errc::unsupported, "the kernel {} lacks {} (no module {} below {})", kernel.path, each.option,
                   each.name, kernel.modules);
    }
    names.emplace_back(each.name);
  }
  return index->modules_dep(names);
}

Launch uml_launch(const KernelImage& kernel, const Settings& options, const std::string& guest,
                  const Surroundings& around) {
  const std::string& run = around.run_folder;
  Launch launch;
  launch.arguments = {
      kernel.path,
      "mem=" + options.get("memory_mib", "256") + "M",
      "umid=guest",
      "uml_dir=" + run,
      "rootfstype=hostfs",
      "rootflags=/",
      "ro",
      "init=" + guest + "/init",
      // Boot in half a second: neither 256 old-style terminals nor a benchmark of RAID checksums.
      "pty.legacy_count=0",
      "initcall_blacklist=raid6_select_algo",
      "loglevel=4",
      "con=null",
      fmt::format("con0=null,fd:{}", kConsoleFd),
      "ssl=null",
      fmt::format("ssl0=null,fd:{}", kOutputFd),
      fmt::format("ssl1=null,fd:{}", kErrorOutputFd),
      // An unknown word of the command line is an environment variable of init.
      "pnfslab_run=" + run,
  };
  if (options.number("input") != 0) launch.arguments.push_back(fmt::format("ssl2=fd:{},null", kInputFd));
  std::string network = "vec0:transport=raw,ifname=" + around.guest_interface + ",depth=64,gro=1";
  if (!around.hardware_address.empty()) network += ",mac=" + around.hardware_address;
  launch.arguments.push_back(std::move(network));
  for (const std::string& argument : options.all("kernel_argument")) launch.arguments.push_back(argument);
  launch.environment = {"TMPDIR=" + run};  // where the guest's memory is a file
  if (needs_xsave_shim()) launch.environment.push_back("LD_PRELOAD=" + guest + "/xsave_shim.so");
  if (!kernel.library_path.empty()) {
    launch.environment.push_back("LD_LIBRARY_PATH=" + kernel.library_path);
    launch.working_directory = std::filesystem::path(kernel.path).parent_path().string();
  }
  return launch;
}

}  // namespace pnfs::kernel
