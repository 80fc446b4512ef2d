// iSCSI targets as child processes: tgtd (Debian package tgt, the real one) and our own pnfs-target. The data file
// survives kill(); what a target held in a volatile cache does not.
#pragma once

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <climits>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace pnfs::support {

class TargetProcess {
 public:
  explicit TargetProcess(uint64_t bytes) {
    char pattern[] = "/tmp/pnfslab-target-XXXXXX";
    directory_ = mkdtemp(pattern);
    static uint16_t next = 0;
    port_ = static_cast<uint16_t>(20000 + (getpid() + 7919 * next++) % 20000);
    std::ofstream(file()).close();
    if (truncate(file().c_str(), static_cast<off_t>(bytes)) != 0) std::abort();
  }
  virtual ~TargetProcess() {
    kill();
    if (std::system(("rm -rf " + directory_).c_str()) != 0) perror("rm");
  }
  virtual bool start() = 0;
  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  static std::string iqn() { return "iqn.2026-01.org.pnfslab:test"; }
  std::string url(int lun = 1) const { return fmt::format("iscsi://127.0.0.1:{}/{}/{}", port_, iqn(), lun); }
  uint16_t port() const { return port_; }

  // What is behind the LUN.
  std::string file() const { return directory_ + "/lun"; }

 protected:
  // True in the child. It dies with this process, so that a test that aborts leaves nothing behind. It gets none of our
  // descriptors but `kept` (an initiator's connection would live on in it).
  bool fork_child(int kept) {
    pid_ = fork();
    if (pid_ != 0) return false;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (kept > 3) close_range(3, static_cast<unsigned>(kept) - 1, 0);
    close_range(kept < 3 ? 3 : static_cast<unsigned>(kept) + 1, ~0u, 0);
    return true;
  }
  void spawn(std::vector<std::string> arguments, int kept = -1) {
    if (!fork_child(kept)) return;
    if (kept >= 0) fcntl(kept, F_SETFD, 0);
    setenv("TGT_IPC_SOCKET", (directory_ + "/ipc").c_str(), 1);
    const std::string log = directory_ + "/log";
    if (freopen(log.c_str(), "a", stderr) == nullptr || freopen(log.c_str(), "a", stdout) == nullptr) _exit(1);
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    execv(argv[0], argv.data());
    _exit(127);
  }
  std::string directory_;
  uint16_t port_;
  pid_t pid_ = 0;
};

class TgtTarget final : public TargetProcess {
 public:
  using TargetProcess::TargetProcess;
  static bool available() { return access("/usr/sbin/tgtd", X_OK) == 0 && geteuid() == 0; }

  bool start() override {
    unlink((directory_ + "/ipc.0").c_str());
    unlink((directory_ + "/ipc.0.lock").c_str());
    spawn({"/usr/sbin/tgtd", "-f", "-C", "0", "--iscsi", fmt::format("portal=127.0.0.1:{}", port_)});
    for (int i = 0; i < 300 && !admin("--mode sys --op show"); ++i) usleep(30000);
    return admin("--op new --mode target --tid 1 -T " + iqn()) &&
           admin("--op new --mode logicalunit --tid 1 --lun 1 -b " + file()) &&
           admin("--op bind --mode target --tid 1 -I ALL");
  }

 private:
  bool admin(const std::string& arguments) const {
    const std::string command =
        "TGT_IPC_SOCKET=" + directory_ + "/ipc /usr/sbin/tgtadm --lld iscsi " + arguments + " >/dev/null 2>&1";
    return std::system(command.c_str()) == 0;
  }
};

class PnfsTarget final : public TargetProcess {
 public:
  // One LUN, as the options say.
  explicit PnfsTarget(uint64_t bytes, std::vector<std::string> options = {"--cache", "volatile"})
      : TargetProcess(bytes), arguments_{"--file", file(), "--iqn", iqn()} {
    arguments_.insert(arguments_.end(), options.begin(), options.end());
  }
  // What an ietd.conf says; file() is there for it.
  static std::unique_ptr<PnfsTarget> configured(uint64_t bytes, const std::function<std::string(std::string)>& config) {
    auto target = std::make_unique<PnfsTarget>(bytes, std::vector<std::string>());
    const std::string path = target->directory_ + "/ietd.conf";
    std::ofstream(path) << config(target->file());
    target->arguments_ = {"--config", path, "--state", target->directory_};
    return target;
  }

  bool start() override {
    int ready[2];
    if (pipe(ready) != 0) return false;
    std::vector<std::string> arguments = arguments_;
    arguments.insert(arguments.begin(), program());
    arguments.insert(arguments.end(), {"--listen", fmt::format("127.0.0.1:{}", port_), "--state-socket", socket(),
                                       "--ready-fd", std::to_string(ready[1])});
    spawn(std::move(arguments), ready[1]);
    close(ready[1]);
    char text[6];
    const bool up = read(ready[0], text, sizeof(text)) == sizeof(text);  // 0 when it died
    close(ready[0]);
    return up;
  }
  // Takes listening sockets of guests.
  std::string socket() const { return directory_ + "/target.sock"; }
  // IET's view of the sessions.
  std::string session_view() const {
    std::ifstream in(directory_ + "/session");
    return {std::istreambuf_iterator<char>(in), {}};
  }

 private:
  // Beside this test's own program.
  static std::string program() {
    char path[PATH_MAX] = {};
    if (readlink("/proc/self/exe", path, sizeof(path) - 1) < 0) return "";
    const std::string self = path;
    return self.substr(0, self.rfind('/')) + "/pnfs-target";
  }
  std::vector<std::string> arguments_;
};

}  // namespace pnfs::support
