#include "testbed/kernel/modules.hpp"

#include <filesystem>

#include "testbed/kernel/files.hpp"
#include "testbed/kernel/process.hpp"

namespace pnfs::kernel {

namespace fs = std::filesystem;

namespace {

// "nfs-layout.ko.xz" -> "nfs_layout"; "" when it is no module.
std::string module_name(const std::string& file) {
  const size_t end = file.find(".ko");
  if (end == std::string::npos) return "";
  const std::string rest = file.substr(end + 3);
  if (!rest.empty() && rest != ".xz" && rest != ".zst" && rest != ".gz") return "";
  std::string name = file.substr(0, end);
  for (char& c : name)
    if (c == '-') c = '_';
  return name;
}

Result<std::string> unpacked(const std::string& path) {
  const char* program = path.ends_with(".xz")    ? "xz"
                        : path.ends_with(".zst") ? "zstd"
                        : path.ends_with(".gz")  ? "gzip"
                                                 : nullptr;
  if (program == nullptr) return read_file(path);
  std::string bytes;
  const auto code = run_program({program, "-dcq", path}, &bytes);
  if (!code) return code.error();
  if (*code != 0) return error(Errc::io, "unpacking {} with {} failed (is {} installed?)", path, program, program);
  return bytes;
}

}  // namespace

std::vector<std::string> module_dependencies(std::string_view bytes) {
  constexpr std::string_view kKey("\0depends=", 9);
  std::vector<std::string> names;
  const size_t at = bytes.find(kKey);
  if (at == std::string_view::npos) return names;
  std::string_view list = bytes.substr(at + kKey.size());
  list = list.substr(0, list.find('\0'));
  while (!list.empty()) {
    const size_t comma = list.find(',');
    std::string name(list.substr(0, comma));
    for (char& c : name)
      if (c == '-') c = '_';
    if (!name.empty()) names.push_back(std::move(name));
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
  }
  return names;
}

Result<ModuleIndex> ModuleIndex::read(const std::string& folder) {
  ModuleIndex index;
  std::error_code failed;
  for (fs::recursive_directory_iterator it(folder, fs::directory_options::skip_permission_denied, failed), end;
       !failed && it != end; it.increment(failed)) {
    const std::string file = it->path().filename().string();
    if (const std::string name = module_name(file); !name.empty()) index.paths_.emplace(name, it->path().string());
    if (file != "modules.builtin") continue;
    const auto text = read_file(it->path().string());
    if (!text) continue;
    for (size_t at = 0, line_end; (line_end = text->find('\n', at)) != std::string::npos; at = line_end + 1)
      index.built_in_.insert(module_name(fs::path(text->substr(at, line_end - at)).filename().string()));
  }
  if (failed) return error(Errc::io, "reading the modules below {}: {}", folder, failed.message());
  if (index.paths_.empty() && index.built_in_.empty())
    return error(Errc::not_found, "there are no kernel modules below {}", folder);
  return index;
}

Result<void> ModuleIndex::collect(const std::string& name, std::set<std::string>& seen,
                                  std::vector<Module>& into) const {
  if (is_built_in(name) || !seen.insert(name).second) return {};
  const auto path = paths_.find(name);
  if (path == paths_.end()) return error(Errc::not_found, "the kernel has no module {}", name);
  auto bytes = unpacked(path->second);
  if (!bytes) return bytes.error();
  for (const std::string& needed : module_dependencies(*bytes))
    if (auto done = collect(needed, seen, into); !done) return done;
  into.push_back({name, path->second, std::move(*bytes)});
  return {};
}

Result<std::vector<ModuleIndex::Module>> ModuleIndex::load_list(const std::vector<std::string>& names) const {
  std::vector<Module> list;
  std::set<std::string> seen;
  for (const std::string& name : names)
    if (auto done = collect(name, seen, list); !done) return done.error();
  return list;
}

Result<std::string> ModuleIndex::modules_dep(const std::vector<std::string>& names) const {
  const auto all = load_list(names);
  if (!all) return all.error();
  std::string text;
  for (const Module& module : *all) {
    const auto needed = load_list({module.name});
    if (!needed) return needed.error();
    text += module.path + ":";
    // Nearest first: the reverse of the loading order, without the module itself.
    for (auto it = std::next(needed->rbegin()); it != needed->rend(); ++it) text += " " + it->path;
    text += "\n";
  }
  return text;
}

}  // namespace pnfs::kernel
