// Kernels to test: the installed one, and others that were fetched into the user's cache. Nothing is ever installed on
// the host: foreign packages are fetched through an apt state of their own and taken apart.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "testbed/kernel/uml.hpp"

namespace pnfs::kernel {

struct KnownKernel {
  std::string name;     // "installed", "debian-5.10", "debian-6.12-amd64": what --kernel takes
  std::string release;  // "6.12.101"; empty while not fetched
  std::string path;     // empty while not fetched
  std::string modules;
};

// $XDG_CACHE_HOME/pnfslab/kernels, else ~/.cache/pnfslab/kernels, else /var/tmp/pnfslab-<uid>/kernels.
std::string kernel_cache_folder();

// The installed kernel and all that can be added, fetched or not.
std::vector<KnownKernel> list_kernels();

// Fetches and prepares one (about 40 MB, 80 for QEMU); one that is there is kept. `progress` gets a line per step.
Result<KnownKernel> add_kernel(const std::string& name, const std::function<void(std::string_view)>& progress = {});

// The same for a kernel's own Debian packages (one, or image and modules apart), whatever suite they are of; its name is
// that of the first package.
Result<KnownKernel> add_packages(const std::vector<std::string>& files,
                                 const std::function<void(std::string_view)>& progress = {});

// A kernel of the cache by name.
Result<KernelImage> cached_kernel(const std::string& name);

// Makes a program use another ELF interpreter; the new name must not be longer than the old one.
Result<void> set_interpreter(const std::string& program, const std::string& interpreter);

}  // namespace pnfs::kernel
