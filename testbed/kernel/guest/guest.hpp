// The guest's init: one static program, so that boot costs no fork, no shell and nothing of the host but its files.
// Also the kernel's modprobe: the kernel starts it by the path in /proc/sys/kernel/modprobe, with another pid than 1.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "testbed/kernel/settings.hpp"

namespace pnfs::guest {

using kernel::Settings;

// Where the runner's folder (guest.conf in; status, mountstats, dmesg out) is mounted.
inline constexpr const char* kRunFolder = "/run/pnfslab";
// The host's files, in guests whose kernel cannot have an overlay above them.
inline constexpr const char* kHostFolder = "/run/host";

// A line on the console, which is the runner's log.
void say(const std::string& text);

// Small files.
bool read_file(const std::string& path, std::string& into);
bool write_file(const std::string& path, const std::string& text);

// initramfs.cpp: true when this init was started from the initramfs that the QEMU runner makes.
bool in_initramfs();
// Loads its modules and mounts the host's files (kInitramfsHost) and the runner's folder.
bool mount_over_9p();
inline constexpr const char* kInitramfsHost = "/host";

// root.cpp: a writable root that is private to this guest, above the host's read-only files.
bool make_private_root(const Settings& conf);

// modules.cpp: named in modprobe.blacklist= on the kernel's command line.
bool is_blacklisted(const std::string& name);
// One file; true when it is loaded.
bool insert_module(const std::string& path);
// Loads a module or an alias and what it needs; `folder` holds modules.dep. True when it is loaded or
// built in.
bool load_module(const std::string& folder, const std::string& name);
std::string modules_folder(const Settings& conf);

// network.cpp
void bring_up_network(const Settings& conf);

// child.cpp
struct ChildEnd {
  bool timed_out = false;
  int status = 0;  // exit status, or 128 + signal
};
// fork() with default signals in the child.
pid_t fork_child();
// Reaps what has ended, orphans too. True when `pid` is among them; its status as a shell gives it.
bool reap(pid_t pid, int& status);
// Waits at most `timeout_ms` (0: without end), then kills the child. Reaps orphans meanwhile.
ChildEnd wait_child(pid_t pid, long long timeout_ms);

// nfs.cpp: 0, or the errno of the last attempt.
int mount_export(const Settings& conf);
// False when the unmount did not return in time.
bool unmount_export(const Settings& conf);

// streams.cpp: what the command has as its descriptors 0, 1 and 2 - pipes, or one terminal of its own - and the serial
// lines between this guest and the runner. Output goes through as it is. Input comes in pieces, each after its length
// in two bytes (big-endian); one of length 0 is its end.
class Streams {
 public:
  explicit Streams(const Settings& conf);

  // In the child: its ends become 0, 1 and 2.
  void enter_child();
  // In init, after the fork.
  void leave_child();
  // Carries bytes until `pid` has ended; returns its exit status as a shell gives it.
  int carry_until_end(pid_t pid);
  // Carries what is left, for at most ten seconds, and waits until the runner has it.
  void finish();

 private:
  struct Output {
    int from = -1, line = -1;
  };
  bool carry(int timeout_ms);
  void carry_output(Output& output);
  void take_input();
  void give_input();

  bool terminal_ = false;
  int child_[3] = {-1, -1, -1};
  Output outputs_[2];
  int input_line_ = -1, input_ = -1;
  int children_ = -1;        // a signalfd: a child has ended
  std::string pieces_;       // of the input line, not taken apart yet
  std::string input_bytes_;  // not written yet
  bool input_ended_ = false;
};

// command.cpp: runs the command and returns its exit status.
int run_command(const Settings& conf, Streams& streams);

}  // namespace pnfs::guest
