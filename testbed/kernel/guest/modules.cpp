// What modprobe does, as far as a client needs it: names, aliases, dependencies, built-in modules. Uncompressed
// modules, or compressed ones where the kernel can unpack them itself.
#include <fcntl.h>
#include <fnmatch.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <sstream>

#include "testbed/kernel/guest/guest.hpp"

namespace pnfs::guest {

namespace {

constexpr int kCompressed = 4;  // MODULE_INIT_COMPRESSED_FILE

// "fs/nfs/nfsv4.ko.xz" -> "nfsv4"; '-' and '_' are the same in module names.
std::string module_name(const std::string& path) {
  const size_t slash = path.rfind('/');
  std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
  name = name.substr(0, name.find(".ko"));
  for (char& c : name)
    if (c == '-') c = '_';
  return name;
}

}  // namespace

bool insert_module(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    say("module " + path + ": " + std::strerror(errno));
    return false;
  }
  const bool packed = path.size() < 3 || path.compare(path.size() - 3, 3, ".ko") != 0;
  const long done = ::syscall(SYS_finit_module, fd, "", packed ? kCompressed : 0);
  const int why = errno;
  ::close(fd);
  if (done == 0 || why == EEXIST) return true;
  say("loading " + path + ": " + std::strerror(why));
  return false;
}

namespace {

bool is_built_in(const std::string& folder, const std::string& name) {
  std::string text;
  if (!read_file(folder + "/modules.builtin", text)) return false;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    if (module_name(line) == name) return true;
  return false;
}

// A line of modules.dep: "path: what it needs, nearest first".
bool load_with_dependencies(const std::string& folder, const std::string& name) {
  std::string text;
  if (!read_file(folder + "/modules.dep", text)) {
    say("no " + folder + "/modules.dep (run depmod for these modules)");
    return false;
  }
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const size_t colon = line.find(':');
    if (colon == std::string::npos || module_name(line.substr(0, colon)) != name) continue;
    std::vector<std::string> paths{line.substr(0, colon)};
    std::istringstream rest(line.substr(colon + 1));
    for (std::string path; rest >> path;) paths.push_back(path);
    for (auto it = paths.rbegin(); it != paths.rend(); ++it)
      if (!insert_module((*it)[0] == '/' ? *it : folder + "/" + *it)) return false;
    return true;
  }
  return false;
}

}  // namespace

// modprobe.blacklist=a,b on the kernel's command line.
bool is_blacklisted(const std::string& name) {
  std::string text;
  if (!read_file("/proc/cmdline", text)) return false;
  std::istringstream words(text);
  constexpr std::string_view kOption = "modprobe.blacklist=";
  for (std::string word; words >> word;) {
    if (word.compare(0, kOption.size(), kOption) != 0) continue;
    std::istringstream names(word.substr(kOption.size()));
    for (std::string each; std::getline(names, each, ',');)
      if (module_name(each) == name) return true;
  }
  return false;
}

std::string modules_folder(const Settings& conf) {
  utsname names{};
  ::uname(&names);
  const std::string folder = conf.get("modules") + "/" + names.release;
  if (::access(folder.c_str(), F_OK) == 0) return folder;
  // Of a build tree the runner has written what depmod would say.
  const std::string written = std::string(kRunFolder) + "/modules";
  return ::access(written.c_str(), F_OK) == 0 ? written : kHostFolder + folder;
}

bool load_module(const std::string& folder, const std::string& wanted) {
  const std::string name = module_name(wanted);
  if (is_blacklisted(name)) return false;
  if (::access(("/sys/module/" + name + "/initstate").c_str(), F_OK) == 0) return true;
  if (load_with_dependencies(folder, name) || is_built_in(folder, name)) return true;
  std::string text;
  if (!read_file(folder + "/modules.alias", text)) return false;
  std::istringstream lines(text);
  bool found = false;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string keyword, pattern, target;
    if (!(words >> keyword >> pattern >> target) || keyword != "alias") continue;
    if (::fnmatch(pattern.c_str(), wanted.c_str(), 0) != 0 || is_blacklisted(module_name(target))) continue;
    found = load_with_dependencies(folder, module_name(target)) || found;
  }
  return found;
}

}  // namespace pnfs::guest
