#include "testbed/kernel/private_apt.hpp"

#include <sstream>

#include "testbed/kernel/files.hpp"
#include "testbed/kernel/process.hpp"

namespace pnfs::kernel {

namespace fs = std::filesystem;

namespace {

constexpr const char* kKeyring = "/usr/share/keyrings/debian-archive-keyring.gpg";

// Names with one of these beginnings in the Depends line of what apt-cache shows.
std::vector<std::string> packages_named(const std::string& shown, std::initializer_list<const char*> begins) {
  std::vector<std::string> names;
  const size_t at = shown.find("\nDepends: ");
  if (at == std::string::npos) return names;
  std::istringstream words(shown.substr(at + 1, shown.find('\n', at + 1) - at - 1));
  for (std::string word; words >> word;) {
    if (word.ends_with(',')) word.pop_back();
    for (const char* begin : begins)
      if (word.starts_with(begin)) names.push_back(word);
  }
  return names;
}

// Where this machine gets its own Debian packages from, so that a local mirror is used.
std::string host_mirror() {
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

}  // namespace

Result<void> unpack_package(const std::string& file, const fs::path& into) {
  std::string said;
  const auto code = run_program({"dpkg-deb", "-x", file, into.string()}, &said);
  if (!code) return code.error();
  if (*code != 0) return error(Errc::io, "taking apart {}: {}", file, said);
  return {};
}

Result<void> PrivateApt::update() {
  std::error_code failed;
  for (const char* name : {"lists/partial", "cache/archives/partial", "debs"})
    fs::create_directories(folder_ / name, failed);
  if (failed) return error(Errc::io, "making {}: {}", folder_.string(), failed.message());
  if (auto done = write_file(at("status"), ""); !done) return done;
  std::string said;
  for (const std::string& mirror : {host_mirror(), std::string("http://archive.debian.org/debian")}) {
    const std::string signed_by = fs::exists(kKeyring) ? fmt::format("[signed-by={}] ", kKeyring) : "";
    std::string lines = fmt::format("deb {}{} {} main\n", signed_by, mirror, suite_);
    if (security_) lines += fmt::format("deb {}{}-security {}-security main\n", signed_by, mirror, suite_);
    if (auto done = write_file(at("sources.list"), lines); !done) return done;
    said.clear();
    const auto code = run_program(command("apt-get", {"-qq", "-o", "APT::Update::Error-Mode=any", "update"}), &said);
    if (!code) return code.error();
    if (*code == 0) return {};
  }
  return error(Errc::io, "apt cannot read the package lists of {}: {}", suite_, said);
}

Result<void> PrivateApt::unpack(const std::string& package, const fs::path& into) {
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
    return unpack_package(entry.path().string(), into);
  }
  return error(Errc::io, "apt downloaded no file for {}", package);
}

Result<std::string> PrivateApt::kernel_package() {
  std::string said;
  const auto code = run_program(command("apt-cache", {"show", "--no-all-versions", "linux-image-amd64"}), &said);
  if (!code) return code.error();
  const auto names = packages_named(said, {"linux-image-"});
  if (*code != 0 || names.empty())
    return error(Errc::io, "the package lists of {} have no linux-image-amd64: {}", suite_, said);
  return names.front();
}

Result<std::vector<std::string>> PrivateApt::parts_of(const std::string& package) {
  std::string said;
  const auto code = run_program(command("apt-cache", {"show", "--no-all-versions", package}), &said);
  if (!code) return code.error();
  std::vector<std::string> names{package};
  for (std::string& part : packages_named(said, {"linux-base-", "linux-binary-", "linux-modules-"}))
    names.push_back(std::move(part));
  return names;
}

std::vector<std::string> PrivateApt::command(const char* program, std::initializer_list<std::string> more) const {
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

}  // namespace pnfs::kernel
