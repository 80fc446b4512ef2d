// tgtd (Debian package tgt) as a child process: the real target of the tests. Its data file survives kill().
#pragma once

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>

#include <fmt/format.h>

namespace pnfs::block {

class TgtTarget {
 public:
  // A scratch directory of its own; removed at the end.
  explicit TgtTarget(uint64_t bytes, bool thin = false) : bytes_(bytes), thin_(thin) {
    char pattern[] = "/tmp/pnfslab-tgt-XXXXXX";
    directory_ = mkdtemp(pattern);
    port_ = static_cast<uint16_t>(20000 + getpid() % 20000);
    std::ofstream(directory_ + "/lun").close();
    if (truncate((directory_ + "/lun").c_str(), static_cast<off_t>(bytes)) != 0) std::abort();
  }
  ~TgtTarget() {
    kill();
    const std::string remove = "rm -rf " + directory_;
    if (std::system(remove.c_str()) != 0) perror("rm");
  }

  static bool available() { return access("/usr/sbin/tgtd", X_OK) == 0 && geteuid() == 0; }

  bool start() {
    pid_ = fork();
    if (pid_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);  // a test that aborts leaves nothing behind
      setenv("TGT_IPC_SOCKET", (directory_ + "/ipc").c_str(), 1);
      const std::string log = directory_ + "/log";
      if (freopen(log.c_str(), "a", stderr) == nullptr || freopen(log.c_str(), "a", stdout) == nullptr) _exit(1);
      const std::string portal = fmt::format("portal=127.0.0.1:{}", port_);
      execl("/usr/sbin/tgtd", "tgtd", "-f", "-C", "0", "--iscsi", portal.c_str(), nullptr);
      _exit(127);
    }
    for (int i = 0; i < 100; ++i) {
      if (admin("--lld iscsi --mode sys --op show")) break;
      usleep(30000);
    }
    return admin("--lld iscsi --op new --mode target --tid 1 -T " + iqn()) &&
           admin("--lld iscsi --op new --mode logicalunit --tid 1 --lun 1 -b " + directory_ + "/lun") &&
           (!thin_ ||
            admin("--lld iscsi --op update --mode logicalunit --tid 1 --lun 1 --params thin_provisioning=1")) &&
           admin("--lld iscsi --op bind --mode target --tid 1 -I ALL");
  }
  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = 0;
    unlink((directory_ + "/ipc.0").c_str());
    unlink((directory_ + "/ipc.0.lock").c_str());
  }
  std::string iqn() const { return "iqn.2026-01.org.pnfslab:test"; }
  std::string url(int lun = 1) const { return fmt::format("iscsi://127.0.0.1:{}/{}/{}", port_, iqn(), lun); }
  uint16_t port() const { return port_; }

 private:
  bool admin(const std::string& arguments) const {
    const std::string command =
        "TGT_IPC_SOCKET=" + directory_ + "/ipc /usr/sbin/tgtadm " + arguments + " >/dev/null 2>&1";
    return std::system(command.c_str()) == 0;
  }
  uint64_t bytes_;
  bool thin_;
  std::string directory_;
  uint16_t port_;
  pid_t pid_ = 0;
};

}  // namespace pnfs::block
