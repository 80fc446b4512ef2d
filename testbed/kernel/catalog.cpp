#include "testbed/kernel/catalog.hpp"

#include <elf.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "testbed/kernel/files.hpp"
#include "testbed/kernel/process.hpp"

namespace pnfs::kernel {

namespace fs = std::filesystem;

namespace {

struct Source {
  const char* name;
  const char* suite;
  bool own_library;  // its C library is newer than the oldest host's: brought along
};

constexpr Source kSources[] = {
    {"debian-5.10", "bullseye", false},
    {"debian-6.12", "trixie", true},
};

constexpr const char* kInstalled = "installed";
constexpr const char* kInstalledKernel = "/usr/bin/linux.uml";
constexpr const char* kInstalledModules = "/usr/lib/uml/modules";
constexpr const char* kKeyring = "/usr/share/keyrings/debian-archive-keyring.gpg";
// Relative, so that it fits; the kernel is started in its own folder.
constexpr const char* kOwnInterpreter = "./lib/ld.so";

const Source* find_source(std::string_view name) {
  for (const Source& source : kSources)
    if (name == source.name) return &source;
  return nullptr;
}

std::string names_of_sources() {
  std::string names;
  for (const Source& source : kSources) names += (names.empty() ? "" : ", ") + std::string(source.name);
  return names;
}

// The name of the one folder in `modules`.
std::string release_in(const fs::path& modules) {
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(modules, failed))
    if (entry.is_directory()) return entry.path().filename().string();
  return "";
}

KnownKernel known_in(const std::string& name) {
  const fs::path folder = fs::path(kernel_cache_folder()) / name;
  KnownKernel kernel{name, "", "", ""};
  if (!fs::exists(folder / "linux")) return kernel;
  kernel.path = (folder / "linux").string();
  kernel.modules = (folder / "modules").string();
  kernel.release = release_in(folder / "modules");
  return kernel;
}

// A foreign suite's packages, through an apt state of its own below `folder`.
class PrivateApt {
 public:
  PrivateApt(fs::path folder, std::string suite) : folder_(std::move(folder)), suite_(std::move(suite)) {}

  Result<void> update() {
    std::error_code failed;
    for (const char* name : {"lists/partial", "cache/archives/partial", "debs"})
      fs::create_directories(folder_ / name, failed);
    if (failed) return error(Errc::io, "making {}: {}", folder_.string(), failed.message());
    if (auto done = write_file(at("status"), ""); !done) return done;
    std::string said;
    for (const std::string& mirror : {host_mirror(), std::string("http://archive.debian.org/debian")}) {
      const std::string signed_by = fs::exists(kKeyring) ? fmt::format("[signed-by={}] ", kKeyring) : "";
      const std::string line = fmt::format("deb {}{} {} main\n", signed_by, mirror, suite_);
      if (auto done = write_file(at("sources.list"), line); !done) return done;
      said.clear();
      const auto code = run_program(command("apt-get", {"-qq", "-o", "APT::Update::Error-Mode=any", "update"}), &said);
      if (!code) return code.error();
      if (*code == 0) return {};
    }
    return error(Errc::io, "apt cannot read the package lists of {}: {}", suite_, said);
  }

  // Fetches the package and unpacks it into `into`.
  Result<void> unpack(const std::string& package, const fs::path& into) {
    std::error_code failed;
    const fs::path debs = folder_ / "debs" / package;
    fs::create_directories(debs, failed);
    std::string said;
    const std::string script = "cd \"$1\" && shift && exec \"$@\"";
    std::vector<std::string> words{"sh", "-c", script, "sh", debs.string()};
    for (const std::string& word : command("apt-get", {"-q", "download", package})) words.push_back(word);
    auto code = run_program(words, &said);
    if (!code) return code.error();
    if (*code != 0) return error(Errc::io, "apt cannot download {} of {}: {}", package, suite_, said);
    for (const auto& entry : fs::directory_iterator(debs, failed)) {
      code = run_program({"dpkg-deb", "-x", entry.path().string(), into.string()}, &said);
      if (!code) return code.error();
      if (*code != 0) return error(Errc::io, "taking apart {}: {}", entry.path().string(), said);
      return {};
    }
    return error(Errc::io, "apt downloaded no file for {}", package);
  }

 private:
  std::string at(const char* name) const { return (folder_ / name).string(); }

  std::vector<std::string> command(const char* program, std::initializer_list<std::string> more) const {
    std::vector<std::string> words{program};
    for (const std::string& option :
         {"Dir::Etc::SourceList=" + at("sources.list"), std::string("Dir::Etc::SourceParts=/dev/null"),
          "Dir::State::Lists=" + at("lists"), "Dir::State::status=" + at("status"), "Dir::Cache=" + at("cache"),
          std::string("APT::Sandbox::User="), std::string("Acquire::Languages=none"),
          std::string("Debug::NoLocking=1")}) {
      words.push_back("-o");
      words.push_back(option);
    }
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

  // Where this machine gets its own Debian packages from, so that a local mirror is used.
  static std::string host_mirror() {
    std::string said;
    const auto code = run_program({"apt-get", "indextargets", "--format", "$(REPO_URI)"}, &said);
    if (code && *code == 0) {
      for (size_t at = 0, end; (end = said.find('\n', at)) != std::string::npos; at = end + 1) {
        std::string uri = said.substr(at, end - at);
        while (uri.ends_with('/')) uri.pop_back();
        if (uri.starts_with("http") && uri.ends_with("/debian")) return uri;
      }
    }
    return "http://deb.debian.org/debian";
  }

  fs::path folder_;
  std::string suite_;
};

Result<void> prepare(const Source& source, const fs::path& unpacked, const fs::path& folder) {
  std::error_code failed;
  fs::rename(unpacked / "usr/bin/linux.uml", folder / "linux", failed);
  if (!failed) fs::rename(unpacked / "usr/lib/uml/modules", folder / "modules", failed);
  if (failed) return error(Errc::corrupt, "the package of {} has another shape: {}", source.name, failed.message());
  if (!source.own_library) return {};
  fs::create_directory(folder / "lib", failed);
  const fs::path libraries = unpacked / "usr/lib/x86_64-linux-gnu";
  for (const auto& entry : fs::directory_iterator(libraries, failed)) {
    const std::string name = entry.path().filename().string();
    if (name.find(".so") != std::string::npos && !entry.is_directory())
      fs::copy(entry.path(), folder / "lib" / name, failed);
  }
  fs::copy_file(libraries / "ld-linux-x86-64.so.2", folder / "lib/ld.so", failed);
  if (failed) return error(Errc::corrupt, "the C library of {} has another shape: {}", source.name, failed.message());
  return set_interpreter((folder / "linux").string(), kOwnInterpreter);
}

}  // namespace

std::string kernel_cache_folder() {
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && *cache == '/')
    return std::string(cache) + "/pnfslab/kernels";
  if (const char* home = std::getenv("HOME"); home != nullptr && *home == '/' && ::access(home, W_OK) == 0)
    return std::string(home) + "/.cache/pnfslab/kernels";
  return fmt::format("/var/tmp/pnfslab-{}/kernels", ::geteuid());
}

std::vector<KnownKernel> list_kernels() {
  std::vector<KnownKernel> kernels;
  if (::access(kInstalledKernel, X_OK) == 0)
    kernels.push_back({kInstalled, release_in(kInstalledModules), kInstalledKernel, kInstalledModules});
  for (const Source& source : kSources) kernels.push_back(known_in(source.name));
  return kernels;
}

Result<KnownKernel> add_kernel(const std::string& name, const std::function<void(std::string_view)>& progress) {
  const Source* source = find_source(name);
  if (source == nullptr)
    return error(Errc::not_found, "no kernel '{}' to add; there are: {}", name, names_of_sources());
  if (KnownKernel known = known_in(name); !known.path.empty()) return known;
  const auto say = [&](std::string_view text) {
    if (progress) progress(text);
  };
  const fs::path final_folder = fs::path(kernel_cache_folder()) / name;
  // Made beside its place and moved there when complete; what an interrupted run left is replaced.
  const fs::path folder = final_folder.string() + ".new";
  std::error_code failed;
  fs::remove_all(folder, failed);
  fs::create_directories(folder / "unpacked", failed);
  if (failed) return error(Errc::io, "making {}: {}", folder.string(), failed.message());

  PrivateApt apt(folder / "apt", source->suite);
  say(fmt::format("reading the package lists of Debian {}", source->suite));
  auto done = apt.update();
  if (done) say("fetching user-mode-linux (about 40 MB)");
  if (done) done = apt.unpack("user-mode-linux", folder / "unpacked");
  if (done && source->own_library) {
    say("fetching the C library it needs");
    done = apt.unpack("libc6", folder / "unpacked");
  }
  if (done) done = prepare(*source, folder / "unpacked", folder);
  if (!done) {
    fs::remove_all(folder, failed);
    return done.error();
  }
  fs::remove_all(folder / "unpacked", failed);
  fs::remove_all(folder / "apt", failed);
  fs::remove_all(final_folder, failed);
  fs::rename(folder, final_folder, failed);
  if (failed) return error(Errc::io, "moving {} to {}: {}", folder.string(), final_folder.string(), failed.message());
  return known_in(name);
}

Result<KernelImage> cached_kernel(const std::string& name) {
  const KnownKernel known = known_in(name);
  if (known.path.empty()) {
    if (find_source(name) == nullptr)
      return error(Errc::not_found, "no kernel is called '{}'; there are: {}, or the path of a kernel", name,
                   names_of_sources());
    return error(Errc::not_found, "kernel {} is not here yet; fetch it with: pnfslab kernel add {}", name, name);
  }
  const fs::path folder = fs::path(known.path).parent_path();
  return KernelImage{known.path, known.modules, fs::exists(folder / "lib") ? (folder / "lib").string() : ""};
}

Result<void> set_interpreter(const std::string& program, const std::string& interpreter) {
  auto bytes = read_file(program);
  if (!bytes) return bytes.error();
  Elf64_Ehdr header{};
  if (bytes->size() < sizeof header) return error(Errc::corrupt, "{} is not an ELF program", program);
  std::memcpy(&header, bytes->data(), sizeof header);
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64)
    return error(Errc::corrupt, "{} is not a 64-bit ELF program", program);
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr part{};
    const size_t at = header.e_phoff + i * sizeof part;
    if (at + sizeof part > bytes->size()) break;
    std::memcpy(&part, bytes->data() + at, sizeof part);
    if (part.p_type != PT_INTERP) continue;
    if (part.p_offset > bytes->size() || part.p_filesz > bytes->size() - part.p_offset) break;
    if (interpreter.size() + 1 > part.p_filesz)
      return error(Errc::too_large, "the interpreter name {} does not fit into {}", interpreter, program);
    std::memset(bytes->data() + part.p_offset, 0, part.p_filesz);
    std::memcpy(bytes->data() + part.p_offset, interpreter.data(), interpreter.size());
    return write_file(program, *bytes);
  }
  return error(Errc::corrupt, "{} names no interpreter", program);
}

}  // namespace pnfs::kernel
