// Packages of a foreign Debian suite, through an apt state of their own: nothing of the host's package management is
// read or changed, and nothing is installed.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "common/base/result.hpp"

namespace pnfs::kernel {

class PrivateApt {
 public:
  // The state lives below `folder`. `security`: the suite's security updates as well.
  PrivateApt(std::filesystem::path folder, std::string suite, bool security)
      : folder_(std::move(folder)), suite_(std::move(suite)), security_(security) {}

  // Reads the package lists, from the host's own mirror or from Debian's archive.
  Result<void> update();
  // Fetches the package and unpacks it into `into`.
  Result<void> unpack(const std::string& package, const std::filesystem::path& into);
  // The package that the suite's linux-image-amd64 stands for at present: linux-image-6.1.0-49-amd64.
  Result<std::string> kernel_package();
  // The packages that this one of a kernel is made of: since 7.0 the image and the modules are packages of their own.
  Result<std::vector<std::string>> parts_of(const std::string& package);

 private:
  std::string at(const char* name) const { return (folder_ / name).string(); }
  std::vector<std::string> command(const char* program, std::initializer_list<std::string> more) const;

  std::filesystem::path folder_;
  std::string suite_;
  bool security_;
};

Result<void> unpack_package(const std::string& file, const std::filesystem::path& into);

}  // namespace pnfs::kernel
