#include "testbed/kernel/catalog.hpp"

#include <elf.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "testbed/kernel/files.hpp"
#include "testbed/kernel/private_apt.hpp"
#include "testbed/kernel/process.hpp"
#include "testbed/kernel/qemu.hpp"

namespace pnfs::kernel {

namespace fs = std::filesystem;

namespace {

struct Source {
  const char* name;
  const char* suite;
  bool own_library;  // its C library is newer than the oldest host's: brought along
  bool bzimage;      // for QEMU, from the suite's linux-image-amd64; else User-Mode Linux
  bool security;     // the newest of the suite and its security suite
};

constexpr Source kSources[] = {
    {"debian-5.10", "bullseye", false, false, false},
    {"debian-6.12", "trixie", true, false, false},
    {"debian-6.1-amd64", "bookworm", false, true, true},
    {"debian-6.12-amd64", "trixie", false, true, true},
    {"debian-backports-amd64", "trixie-backports", false, true, false},
};

constexpr const char* kInstalled = "installed";
constexpr const char* kBeingMade = ".new";
constexpr const char* kInstalledKernel = "/usr/bin/linux.uml";
constexpr const char* kInstalledModules = "/usr/lib/uml/modules";
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

// A kernel package: boot/vmlinuz-RELEASE (since 7.0 vmlinuz beside the modules) and lib/modules/RELEASE, whose list of
// dependencies is made at installation.
Result<void> prepare_bzimage(const fs::path& unpacked, const fs::path& folder) {
  std::error_code failed;
  // Since the merge of /usr the modules may be in either place.
  const fs::path modules = fs::exists(unpacked / "lib/modules") ? "lib/modules" : "usr/lib/modules";
  const std::string release = release_in(unpacked / modules);
  std::string said;
  // depmod wants its own tree: DIR/lib/modules.
  fs::create_directories(folder / "lib", failed);
  fs::rename(unpacked / modules, folder / "lib/modules", failed);
  const fs::path beside = folder / "lib/modules" / release / "vmlinuz";
  const fs::path image = fs::exists(beside) ? beside : unpacked / "boot" / ("vmlinuz-" + release);
  if (!failed) fs::rename(image, folder / "linux", failed);
  if (failed) return error(Errc::corrupt, "the kernel's package has another shape: {}", failed.message());
  const auto code = run_program({"/sbin/depmod", "-b", folder.string(), release}, &said);
  if (!code) return code.error();
  if (*code != 0) return error(Errc::io, "depmod for {}: {}", release, said);
  fs::rename(folder / "lib/modules", folder / "modules", failed);
  if (!failed) fs::remove(folder / "lib", failed);
  if (failed) return error(Errc::io, "moving the modules of {}: {}", release, failed.message());
  return {};
}

Result<void> prepare(const Source& source, const fs::path& unpacked, const fs::path& folder) {
  if (source.bzimage) return prepare_bzimage(unpacked, folder);
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
  // And those that were added from packages.
  std::error_code failed;
  std::vector<std::string> others;
  for (const auto& entry : fs::directory_iterator(kernel_cache_folder(), failed)) {
    const std::string name = entry.path().filename().string();
    if (find_source(name) == nullptr && !name.ends_with(kBeingMade)) others.push_back(name);
  }
  std::sort(others.begin(), others.end());
  for (const std::string& name : others)
    if (KnownKernel known = known_in(name); !known.path.empty()) kernels.push_back(std::move(known));
  return kernels;
}

namespace {

// A folder beside the kernel's place, moved there when complete; what an interrupted run left is replaced.
class Making {
 public:
  explicit Making(const std::string& name)
      : final_(fs::path(kernel_cache_folder()) / name), made_(final_.string() + kBeingMade) {}

  Result<fs::path> begin() {
    std::error_code failed;
    fs::remove_all(made_, failed);
    fs::create_directories(made_ / "unpacked", failed);
    if (failed) return error(Errc::io, "making {}: {}", made_.string(), failed.message());
    return made_;
  }
  Result<void> end(Result<void> done) {
    std::error_code failed;
    if (!done) {
      fs::remove_all(made_, failed);
      return done;
    }
    for (const char* scaffold : {"unpacked", "apt"}) fs::remove_all(made_ / scaffold, failed);
    fs::remove_all(final_, failed);
    fs::rename(made_, final_, failed);
    if (failed) return error(Errc::io, "moving {} to {}: {}", made_.string(), final_.string(), failed.message());
    return {};
  }

 private:
  fs::path final_, made_;
};

}  // namespace

Result<KnownKernel> add_packages(const std::vector<std::string>& files,
                                 const std::function<void(std::string_view)>& progress) {
  std::string name;
  const auto asked = run_program({"dpkg-deb", "-f", files.front(), "Package"}, &name);
  if (!asked) return asked.error();
  while (name.ends_with('\n')) name.pop_back();
  if (*asked != 0 || name.empty() || name.find('/') != std::string::npos)
    return error(Errc::invalid, "{} is no Debian package: {}", files.front(), name);
  Making making(name);
  const auto folder = making.begin();
  if (!folder) return folder.error();
  Result<void> done;
  for (const std::string& file : files) {
    if (progress) progress(fmt::format("unpacking {}", file));
    if (done) done = unpack_package(file, *folder / "unpacked");
  }
  if (done) done = prepare_bzimage(*folder / "unpacked", *folder);
  if (auto ended = making.end(done); !ended) return ended.error();
  return known_in(name);
}

Result<KnownKernel> add_kernel(const std::string& name, const std::function<void(std::string_view)>& progress) {
  const Source* source = find_source(name);
  if (source == nullptr)
    return error(Errc::not_found, "no kernel '{}' to add; there are: {}", name, names_of_sources());
  if (KnownKernel known = known_in(name); !known.path.empty()) return known;
  const auto say = [&](std::string_view text) {
    if (progress) progress(text);
  };
  Making making(name);
  const auto begun = making.begin();
  if (!begun) return begun.error();
  const fs::path& folder = *begun;
  PrivateApt apt(folder / "apt", source->suite, source->security);
  say(fmt::format("reading the package lists of Debian {}", source->suite));
  auto done = apt.update();
  std::string package = "user-mode-linux";
  if (done && source->bzimage) {
    auto found = apt.kernel_package();
    if (found) package = *found;
    if (!found) done = found.error();
  }
  if (done) say(fmt::format("fetching {} (about {} MB)", package, source->bzimage ? 80 : 40));
  auto packages = Result<std::vector<std::string>>(std::vector<std::string>{package});
  if (done && source->bzimage) packages = apt.parts_of(package);
  if (done && !packages) done = packages.error();
  for (size_t i = 0; done && i < packages->size(); ++i) done = apt.unpack((*packages)[i], folder / "unpacked");
  if (done && source->own_library) {
    say("fetching the C library it needs");
    done = apt.unpack("libc6", folder / "unpacked");
  }
  if (done) done = prepare(*source, folder / "unpacked", folder);
  if (auto ended = making.end(done); !ended) return ended.error();
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
  if (is_bzimage(known.path)) return find_bzimage(known.path, known.modules + "/" + known.release);
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
