// User-Mode Linux: a Linux kernel as an ordinary program.
#pragma once

#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "testbed/kernel/settings.hpp"
#include "testbed/kernel/surroundings.hpp"

namespace pnfs::kernel {

enum class KernelKind { uml, bzimage };

struct KernelImage {
  std::string path;
  std::string modules;       // holds <release>/modules.dep, or is a build tree
  std::string library_path;  // of a foreign kernel's C library, whose loader it names relative to its own folder
  KernelKind kind = KernelKind::uml;
};

// The kernel at `path`, the one of that name in the catalog (no slash in it), or the installed one (empty). Says which
// package is missing.
Result<KernelImage> find_kernel(const std::string& path, const std::string& modules);

// What modules.dep would say, of a kernel whose modules folder is a build tree; "" where the folder has one. Errors
// name the kernel option that is missing.
Result<std::string> build_tree_modules(const KernelImage& kernel);

struct Launch {
  std::vector<std::string> arguments;    // [0] is the program
  std::vector<std::string> environment;  // additions, "NAME=value"
  std::string working_directory;         // empty: any
};

// Descriptors the kernel program writes to.
inline constexpr int kConsoleFd = 2;
inline constexpr int kOutputFd = 3;
inline constexpr int kErrorOutputFd = 4;
// And reads from, where the command has input.
inline constexpr int kInputFd = 5;

// `guest` is the folder of init and shim.
Launch uml_launch(const KernelImage& kernel, const Settings& options, const std::string& guest,
                  const Surroundings& around);

// True when this CPU's XSAVE area is larger than what User-Mode Linux before 6.12 has room for.
bool needs_xsave_shim();

}  // namespace pnfs::kernel
