// The modules of a kernel, read from their files: needs no depmod, so that a build tree serves as well as a package.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "common/base/result.hpp"

namespace pnfs::kernel {

class ModuleIndex {
 public:
  // All modules below `folder`: name.ko, .ko.xz, .ko.zst or .ko.gz; and what modules.builtin lists.
  static Result<ModuleIndex> read(const std::string& folder);

  bool is_built_in(const std::string& name) const { return built_in_.contains(name); }
  bool has(const std::string& name) const { return paths_.contains(name); }

  struct Module {
    std::string name;
    std::string path;
    std::string bytes;  // unpacked
  };
  // The modules named and all they need, in loading order. Built-in ones are left out.
  Result<std::vector<Module>> load_list(const std::vector<std::string>& names) const;
  // What depmod would write into modules.dep about the modules named and all they need, with whole paths.
  Result<std::string> modules_dep(const std::vector<std::string>& names) const;

 private:
  Result<void> collect(const std::string& name, std::set<std::string>& seen, std::vector<Module>& into) const;

  std::map<std::string, std::string> paths_;
  std::set<std::string> built_in_;
};

// The names after "depends=" in a module's .modinfo.
std::vector<std::string> module_dependencies(std::string_view bytes);

}  // namespace pnfs::kernel
